"""What each part of the method does, on the recorded runs: tables on standard output, figures in docs/figures.

    python benchmarks/ablations.py

Fluctuation filter on and off and patience 0 to 20 (paper mode), samples per problem and number of problems (both
policies, without sequential evaluation, so that each sees just what is said). As in the paper's ablations, what counts
is the saving and whether the served accuracy holds.
"""

import itertools
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from recorded import SUITE, Outcome, Run, decisions, full, load, served, stopped

from breakeven.records import Decision, Reason
from breakeven.report.charts.bundle import static
from breakeven.report.charts.chart import Axis, Chart, Marker, Series
from breakeven.report.decided import figure_of
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.course import Policy
from breakeven.stopping.decide import default_policy
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience

FIGURES = Path(__file__).parent.parent / "docs" / "figures"
PATIENCE = (0, 1, 2, 3, 5, 7, 10, 15, 20)
SAMPLES = (2, 4, 8, 16, 32, 64)
PROBLEMS = (30, 60, 125, 250, 500)
VOTED = (16, 64)
MARGIN = CalibratedPolicy().margin
Row = tuple[str, float, float, float]
"""Series, x, median net saving, share of runs whose served accuracy is below the full model's minus the margin."""


def main() -> None:
    runs = [load(path) for path in sorted(SUITE.glob("*.jsonl.gz"))]
    FIGURES.mkdir(parents=True, exist_ok=True)
    show("patience", "patience, checkpoints in a row", list(patience_rows(runs)), log2=False)
    show("samples", "N, samples per problem", list(samples_rows(runs)), log2=True)
    show("problems", "P, validation problems", list(problems_rows(runs)), log2=True)
    votes([run for run in runs if not run.spec.checker])


def patience_rows(runs: Sequence[Run]) -> list[Row]:
    """Patience changes only when a run stops, so each run is decided once."""
    rows: list[Row] = []
    for label, policy in (
        ("paper, with the filter", Patience(PaperPolicy(), 10**6)),
        ("paper, without the filter", Patience(PaperPolicy(fluctuation_filter=False), 10**6)),
        ("calibrated", Patience(CalibratedPolicy(), 10**6)),
    ):
        decided = [list(decisions(run, policy, num_samples=4 if label != "calibrated" else 16)) for run in runs]
        for patience in PATIENCE:
            outcomes = [at_streak(run, each, max(1, patience)) for run, each in zip(runs, decided, strict=True)]
            rows.append((label, patience, *worth(runs, outcomes)))
    return rows


def samples_rows(runs: Sequence[Run]) -> list[Row]:
    """N samples of every problem; paper mode fits K = 1, 2, 4 up to N."""
    rows: list[Row] = []
    for count in SAMPLES:
        fit = tuple(k for k in (1, 2, 4, 8, 16, 32, 64) if k <= count)
        for label, policy in policies(fit):
            outcomes = [stop(run, policy, num_samples=count) for run in runs]
            rows.append((label, count, *worth(runs, outcomes)))
    return rows


def problems_rows(runs: Sequence[Run]) -> list[Row]:
    """The first P validation problems, 4 samples each; runs with fewer take all they have."""
    rows: list[Row] = []
    for count, (label, policy) in itertools.product(PROBLEMS, policies((1, 2, 4))):
        outcomes = [stop(run, policy, num_samples=4, num_problems=count) for run in runs]
        rows.append((label, count, *worth(runs, outcomes)))
    return rows


def votes(runs: Sequence[Run]) -> None:
    """Of runs whose answers can only be voted on: how sure the surest vote of any checkpoint is, and where it stops."""
    sys.stdout.write("\n| run | " + " | ".join(f"N = {count}: surest, stops at" for count in VOTED) + " |\n")
    sys.stdout.write("|" + "---|" * (len(VOTED) + 1) + "\n")
    for run in runs:
        cells = []
        for count in VOTED:
            decided = list(decisions(run, default_policy(), num_samples=count, sequential=False))
            surest = max(each.confidence or 0.0 for each in decided)
            used = next((f"{each.used:.0%}" for each in decided if each.stop), "never")
            cells.append(f"{surest:.2f}, {used}")
        sys.stdout.write(f"| {run.name} | {' | '.join(cells)} |\n")


def policies(fit_k_values: tuple[int, ...]) -> tuple[tuple[str, Policy], ...]:
    """Both rules, by label."""
    return ("paper", Patience(PaperPolicy(k_values=fit_k_values), 5)), ("calibrated", default_policy())


def stop(run: Run, policy: Policy, *, num_samples: int, num_problems: int | None = None) -> Outcome:
    """What the policy's stop is worth."""
    decided = decisions(run, policy, num_samples=num_samples, num_problems=num_problems, sequential=False)
    return stopped(run, decided)


def at_streak(run: Run, decided: Sequence[Decision], length: int) -> Outcome:
    """What stopping at the first streak of so many checkpoints is worth."""
    found = (each for each in decided if each.streak >= length and each.reason in (Reason.WAITING, Reason.REACHED))
    trained = replace(full(run), evaluation_flops=decided[-1].evaluation_flops)
    return next((served(run, each) for each in found), trained)


def worth(runs: Sequence[Run], outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """Median net saving and share of violations."""
    net = [
        1 - each.used - each.evaluation_flops / run.spec.budget_flops for run, each in zip(runs, outcomes, strict=True)
    ]
    return statistics.median(net), sum(each.difference < -MARGIN for each in outcomes) / len(outcomes)


def show(name: str, label: str, rows: Sequence[Row], *, log2: bool) -> None:
    """A Markdown table, and one figure each for saving and violations."""
    names = list(dict.fromkeys(row[0] for row in rows))
    xs = list(dict.fromkeys(row[1] for row in rows))
    found = {(row[0], row[1]): row[2:] for row in rows}
    sys.stdout.write(f"\n| {label} | " + " | ".join(f"{each}: net saving, violations" for each in names) + " |\n")
    sys.stdout.write("|" + "---|" * (len(names) + 1) + "\n")
    for x in xs:
        cells = [f"{found[each, x][0]:.0%}, {found[each, x][1]:.0%}" for each in names]
        sys.stdout.write(f"| {x:g} | " + " | ".join(cells) + " |\n")
    roles = ("measured", "forecast", "served")
    for index, (what, title) in enumerate((("saving", "Median net saving"), ("violations", "Share of violations"))):
        chart = Chart(
            name=f"{name}-{what}",
            title=title,
            description=f"{title} of the recorded runs against {label}.",
            x=Axis(label=label, log=2 if log2 else 0, lo=None if log2 else 0),
            y=Axis(label=title.lower(), percent=True, lo=0, hi=1),
            series=tuple(
                Series(
                    label=each,
                    points=tuple((x, found[each, x][index]) for x in xs),
                    role=role,
                    marker=Marker.DOT,
                )
                for each, role in zip(names, roles, strict=False)
            ),
        )
        (FIGURES / f"{chart.name}.svg").write_bytes(static(figure_of(chart), "svg"))


if __name__ == "__main__":
    main()
