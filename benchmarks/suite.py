"""Policies held against the truth on recorded real runs: `make bench` prints the tables of docs/benchmark.md.

    python benchmarks/suite.py                           all three sets of runs
    python benchmarks/suite.py --only "never tuned on"   one of them

Each policy decides on the validation problems of the runs in benchmarks/suite, benchmarks/rising and benchmarks/late
(made by benchmarks/record.py); the truth is the accuracy on the test problems, from all samples recorded. Samples are
drawn as the policy asks for them, out of those recorded, and charged. Query volumes are given by what they cost: at 1,
serving them all with one sample of the fully trained model costs as many FLOPs as its training. Takes about half an
hour on one core.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence

from recorded import (
    LATE,
    RISING,
    SUITE,
    Outcome,
    Run,
    decisions,
    early_stopping,
    full,
    load,
    oracle,
    regret,
    stopped,
    volume_queries,
)

from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.course import Policy
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience

SETS = (("tuned on", SUITE), ("tuned on, rising late", RISING), ("never tuned on", LATE))
"""Sets of recorded runs. On the last no constant was ever chosen: its recipes rise late, some to 1."""
VOLUMES = (0.0, 0.1, 1.0)
"""Query volumes: FLOPs of serving them all with one sample of the full model, over its training FLOPs."""
MARGIN = CalibratedPolicy().margin


def paper(run: Run, queries: float | None) -> Outcome:
    """Algorithm 1 with 4 samples of every problem; it knows of no workload."""
    return stopped(run, decisions(run, Patience(PaperPolicy(), 5), num_samples=4))


def calibrated(run: Run, queries: float | None) -> Outcome:
    """The default policy, with no K beyond the samples recorded, of which no truth is known."""
    return stopped(run, decisions(run, rule(run), queries))


def exhaustive(run: Run, queries: float | None) -> Outcome:
    """The default policy with all that sequential evaluation can ever draw, drawn at every checkpoint."""
    return stopped(run, decisions(run, rule(run), queries, num_samples=16, sequential=False))


def rule(run: Run) -> Policy:
    """The calibrated rule as it is by default, for as many samples as were recorded."""
    return CalibratedPolicy(max_k=min(CalibratedPolicy().max_k, run.test[0].bank.num_samples))


POLICIES: dict[str, Callable[[Run, float | None], Outcome]] = {
    "train to the end": lambda run, queries: full(run),
    "patience 3": lambda run, queries: early_stopping(run, patience=3),
    "patience 5": lambda run, queries: early_stopping(run, patience=5),
    "paper": paper,
    "calibrated": calibrated,
    "calibrated, all samples": exhaustive,
    "oracle": lambda run, queries: oracle(run, queries or 0.0, MARGIN),
}
DECLARED = ("calibrated", "calibrated, all samples", "oracle")
"""The policies that make use of a declared number of queries."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=[name for name, _ in SETS], help="one of the two sets")
    only = parser.parse_args().only
    for name, folder in SETS:
        runs = [load(path) for path in sorted(folder.glob("*.jsonl.gz"))]
        if not runs or only not in (None, name):
            continue
        sys.stdout.write(f"{name.capitalize()}, {len(runs)} runs:\n\n")
        # By policy and volume, one outcome a run; a policy that knows of no workload stops where it always does.
        outcomes = {
            (policy, volume): [decide(run, volume_queries(run, volume) if volume else None) for run in runs]
            for policy, decide in POLICIES.items()
            for volume in (VOLUMES if policy in DECLARED else VOLUMES[:1])
        }
        write_table(
            (
                "policy",
                "net saving, median / mean",
                "accuracy difference, points: median, worst run",
                *(f"violations at {volume:g}" for volume in VOLUMES),
                "evaluation / training",
                *(f"regret at {volume:g}, median / mean" for volume in VOLUMES),
            ),
            [
                summary(policy, runs, [outcomes.get((policy, v), outcomes[policy, 0.0]) for v in VOLUMES])
                for policy in POLICIES
            ],
        )
        shown = ("patience 3", "paper", "calibrated", "oracle")
        write_table(
            ("run", *(f"{policy}: used, served, difference" for policy in shown)),
            [(run.name, *(describe(outcomes[policy, 0.0][at]) for policy in shown)) for at, run in enumerate(runs)],
        )


# -- the table --------------------------------------------------------------------------------------------------------


def summary(policy: str, runs: Sequence[Run], by_volume: Sequence[Sequence[Outcome]]) -> tuple[str, ...]:
    """One row: medians and means over the runs, the worst run, and the violations."""
    outcomes = by_volume[0]
    net = [
        1 - each.used - each.evaluation_flops / run.spec.budget_flops for run, each in zip(runs, outcomes, strict=True)
    ]
    share = [
        each.evaluation_flops / (each.used * run.spec.budget_flops) for run, each in zip(runs, outcomes, strict=True)
    ]
    differences = [100 * each.difference for each in outcomes]
    worst = min(range(len(runs)), key=differences.__getitem__)
    regrets = [
        [regret(run, each, volume_queries(run, volume), MARGIN) for run, each in zip(runs, at_volume, strict=True)]
        for volume, at_volume in zip(VOLUMES, by_volume, strict=True)
    ]
    return (
        policy,
        f"{statistics.median(net):.0%} / {statistics.fmean(net):.0%}",
        f"{statistics.median(differences):+.1f}, {differences[worst]:+.1f} {runs[worst].name}",
        *(f"{sum(each.difference < -MARGIN for each in at_volume)} of {len(runs)}" for at_volume in by_volume),
        f"{statistics.median(share):.1%}",
        *(f"{statistics.median(each):.0%} / {statistics.fmean(each):.0%}" for each in regrets),
    )


def describe(outcome: Outcome) -> str:
    """One cell about one run."""
    served = "one greedy sample" if outcome.strategy == "greedy" else f"{outcome.strategy} K={outcome.k}"
    return f"{outcome.used:.0%}, {served}, {100 * outcome.difference:+.1f} ± {100 * outcome.error:.1f}"


def write_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A Markdown table."""
    for row in (header, ("---",) * len(header), *rows):
        sys.stdout.write(f"| {' | '.join(row)} |\n")
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
