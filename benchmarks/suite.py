"""Policies held against the truth on recorded real runs: `make bench` prints the tables of docs/benchmark.md.

    python benchmarks/suite.py

Each policy decides on the validation problems of the runs in benchmarks/suite (made by benchmarks/record.py); the truth
is the accuracy on the test problems, from 64 samples each. Samples are drawn as the policy asks for them, out of the 64
recorded, and charged. Query volumes are given by what they cost: at 1 serving them all with one sample of the fully
trained model costs as many FLOPs as its training. Takes about 5 minutes on one core.
"""

import statistics
import sys
from collections.abc import Callable, Sequence

from recorded import (
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
from breakeven.stopping.decide import default_policy
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience

VOLUMES = (0.0, 0.1, 1.0, 10.0)
"""Query volumes: FLOPs of serving them all with one sample of the full model, over its training FLOPs."""
MARGIN = CalibratedPolicy().margin


def paper(run: Run, queries: float | None) -> Outcome:
    """Algorithm 1 with 4 samples of every problem; it knows of no workload."""
    return stopped(run, decisions(run, Patience(PaperPolicy(), 5), num_samples=4))


def calibrated(run: Run, queries: float | None) -> Outcome:
    """The default policy."""
    return stopped(run, decisions(run, default_policy(), queries))


def exhaustive(run: Run, queries: float | None) -> Outcome:
    """The default policy with all that sequential evaluation can ever draw, drawn at every checkpoint."""
    return stopped(run, decisions(run, default_policy(), queries, num_samples=16, sequential=False))


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
    runs = [load(path) for path in sorted(SUITE.glob("*.jsonl.gz"))]
    outcomes = {name: [policy(run, None) for run in runs] for name, policy in POLICIES.items()}
    rows = [summary(name, runs, outcomes[name], volume_regrets(name, runs, outcomes[name])) for name in POLICIES]
    write_table(
        (
            *("policy", "gross saving", "net saving", "accuracy difference, points", "violations"),
            *("evaluation / training", *(f"regret at {volume:g}" for volume in VOLUMES)),
        ),
        rows,
    )
    shown = ("patience 3", "paper", "calibrated", "oracle")
    write_table(
        ("run", *(f"{name}: used, served, difference" for name in shown)),
        [(run.name, *(describe(outcomes[name][index]) for name in shown)) for index, run in enumerate(runs)],
    )


def volume_regrets(name: str, runs: Sequence[Run], undeclared: Sequence[Outcome]) -> list[float]:
    """Median lifetime regret at each volume; a policy that knows of no workload stops where it always does."""
    regrets = []
    for volume in VOLUMES:
        each = []
        for run, usual in zip(runs, undeclared, strict=True):
            queries = volume_queries(run, volume)
            outcome = POLICIES[name](run, queries) if name in DECLARED and volume else usual
            each.append(regret(run, outcome, queries, MARGIN))
        regrets.append(statistics.median(each))
    return regrets


# -- the table --------------------------------------------------------------------------------------------------------


def summary(name: str, runs: Sequence[Run], outcomes: Sequence[Outcome], regrets: Sequence[float]) -> tuple[str, ...]:
    """One row: medians over the runs, the range of the differences, and the violations."""
    gross = [1 - each.used for each in outcomes]
    net = [
        1 - each.used - each.evaluation_flops / run.spec.budget_flops for run, each in zip(runs, outcomes, strict=True)
    ]
    share = [
        each.evaluation_flops / (each.used * run.spec.budget_flops) for run, each in zip(runs, outcomes, strict=True)
    ]
    differences = [100 * each.difference for each in outcomes]
    error = 100 * statistics.fmean(each.error**2 for each in outcomes) ** 0.5
    bad = sum(each.difference < -MARGIN for each in outcomes)
    return (
        name,
        f"{statistics.median(gross):.0%}",
        f"{statistics.median(net):.0%}",
        f"{statistics.median(differences):+.1f} ({min(differences):+.1f} to {max(differences):+.1f}), "
        f"each ± {error:.1f}",
        f"{bad} of {len(outcomes)}",
        f"{statistics.median(share):.1%}",
        *(f"{each:.0%}" for each in regrets),
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
