"""Policies held against the truth on recorded real runs: `make bench`.

    python benchmarks/suite.py            the tables of docs/benchmark.md
    python benchmarks/suite.py --runs     one line a run besides

Each policy decides on the validation problems of the runs in benchmarks/suite (made by benchmarks/record.py); the truth
is the accuracy on the test problems, from 64 samples each. Samples are drawn as the policy asks for them, out of the 64
recorded, and charged. Query volumes are given by what they cost: `1.0` means that serving them all with one sample of
the fully trained model costs as many FLOPs as its training.
"""

import argparse
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
from breakeven.stopping.paper import PaperPolicy

VOLUMES = (0.0, 0.1, 1.0, 10.0)
"""Query volumes: FLOPs of serving them all with one sample of the full model, over its training FLOPs."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", action="store_true", help="print one line a run")
    verbose = parser.parse_args().runs
    runs = [load(path) for path in sorted(SUITE.glob("*.jsonl.gz"))]
    margin = CalibratedPolicy().margin
    policies: dict[str, Callable[[Run, float | None], Outcome]] = {
        "train to the end": lambda run, _: full(run),
        "patience 3": lambda run, _: early_stopping(run, patience=3),
        "patience 5": lambda run, _: early_stopping(run, patience=5),
        "paper": lambda run, _: stopped(run, decisions(run, PaperPolicy(), num_samples=4)),
        "calibrated": lambda run, queries: stopped(run, decisions(run, CalibratedPolicy(), queries)),
        "calibrated, all samples": lambda run, queries: stopped(
            run, decisions(run, CalibratedPolicy(), queries, num_samples=64, sequential=False)
        ),
        "oracle": lambda run, queries: oracle(run, queries or 0.0, margin),
    }
    rows = []
    for name, policy in policies.items():
        outcomes = [policy(run, None) for run in runs]
        regrets = [
            statistics.median(
                regret(run, policy(run, volume_queries(run, volume)), volume_queries(run, volume), margin)
                for run in runs
            )
            for volume in VOLUMES
        ]
        rows.append(summary(name, runs, outcomes, regrets, margin))
        if verbose:
            for run, outcome in zip(runs, outcomes, strict=True):
                sys.stderr.write(f"{name:24} {run.name:24} {describe(run, outcome)}\n")
    header = (
        "policy", "gross saving", "net saving", "accuracy difference, points", "violations", "evaluation / training",
        *(f"regret at {volume:g}" for volume in VOLUMES),
    )  # fmt: skip
    for row in (header, ("---",) * len(header), *rows):
        sys.stdout.write(f"| {' | '.join(row)} |\n")


# -- the table --------------------------------------------------------------------------------------------------------


def summary(
    name: str, runs: Sequence[Run], outcomes: Sequence[Outcome], regrets: Sequence[float], margin: float
) -> tuple[str, ...]:
    """One row: medians over the runs, the range of the differences, and the violations."""
    gross = [1 - each.used for each in outcomes]
    net = [
        1 - each.used - each.evaluation_flops / run.plan.budget_flops for run, each in zip(runs, outcomes, strict=True)
    ]
    share = [
        each.evaluation_flops / (each.used * run.plan.budget_flops) for run, each in zip(runs, outcomes, strict=True)
    ]
    differences = [100 * each.difference for each in outcomes]
    error = 100 * statistics.fmean(each.error**2 for each in outcomes) ** 0.5
    bad = sum(each.difference < -margin for each in outcomes)
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


def describe(run: Run, outcome: Outcome) -> str:
    """One line about one run."""
    return (
        f"used {outcome.used:.0%} {outcome.strategy} K={outcome.k} difference {100 * outcome.difference:+.1f} "
        f"± {100 * outcome.error:.1f} evaluation {outcome.evaluation_flops / run.plan.budget_flops:.2%} of the budget"
    )


if __name__ == "__main__":
    main()
