"""What choosing by difficulty was worth, as findings, tables and a picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from breakeven.plan.by_difficulty.population import Population
from breakeven.plan.by_difficulty.worth import MODEL_ALONE, MODEL_AND_REWARD, Worth, interval_of
from breakeven.records.plans import Finding, Line, Picture, PlanTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Choosing by one difficulty within one budget, in the accountings."""

    budget: float
    """In samples."""
    full: Worth
    """Every FLOP counted."""
    free: Worth | None
    """The estimate of difficulty not charged."""
    model_alone: Worth | None
    """The reward models' FLOPs left out."""


def _told(row: Compared) -> str:
    each = row.full.difficulty
    return f"{each.name} of {each.num_samples} samples" + (" (true, an oracle)" if each.oracle else "")


def findings(rows: Sequence[Compared]) -> Iterator[Finding]:
    """Of bins by quantiles, one a budget and a way to tell difficulty."""
    for row in rows:
        each = row.full
        if each.bins.thresholds is not None:
            continue
        paid = "" if each.difficulty.oracle else ", estimate charged"
        yield Finding(
            text=(
                f"accuracy by difficulty minus the best single setting, cross-fitted, at a budget of {row.budget:g} "
                f"samples a query, by {_told(row)}{paid}; in sample, which is optimistic, {each.in_sample_gain:+.3f}"
            ),
            value=each.gain.value,
            lo=each.gain.lo,
            hi=each.gain.hi,
        )


def worths(rows: Sequence[Compared]) -> PlanTable:
    """All of them, in all accountings."""
    return PlanTable(
        label="By difficulty, minus the best single setting",
        headings=(
            "budget in samples",
            "difficulty",
            "bins",
            "best single",
            "by difficulty",
            f"gain, {MODEL_AND_REWARD} charged",
            "estimate not charged",
            f"{MODEL_ALONE} charged",
            "in sample",
        ),
        rows=tuple(
            (
                f"{row.budget:g}",
                _told(row),
                row.full.bins.name,
                f"{row.full.single_accuracy:.3f}",
                f"{row.full.accuracy:.3f}",
                str(row.full.gain),
                "-" if row.free is None else str(row.free.gain),
                "-" if row.model_alone is None else str(row.model_alone.gain),
                f"{row.full.in_sample_gain:+.3f}",
            )
            for row in rows
        ),
    )


def choices(rows: Sequence[Compared]) -> Iterator[PlanTable]:
    """What each bin was most often given."""
    most = max((len(row.full.choice_B) for row in rows), default=0)
    if most:
        yield PlanTable(
            label="Setting most often chosen for each bin, and its problems, from hard to easy",
            headings=("budget in samples", "difficulty", "bins", *(str(each + 1) for each in range(most))),
            rows=tuple((f"{row.budget:g}", _told(row), row.full.bins.name, *_chosen(row.full, most)) for row in rows),
        )


def _chosen(found: Worth, most: int) -> list[str]:
    cells = [
        f"{choice} ({size})" if size else "empty"
        for choice, size in zip(found.choice_B, found.num_problems_B, strict=True)
    ]
    return cells + [""] * (most - len(cells))


def pictures(population: Population, rows: Sequence[Compared]) -> Iterator[Picture]:
    """The gain at each budget, cross-fitted and in sample, by the true difficulty and by the first predicted one."""
    lines = []
    predicted = [each for each in population.difficulties if not each.oracle]
    for difficulty in [each for each in population.difficulties if each.oracle or each is predicted[0]]:
        kept = [row for row in rows if row.full.difficulty is difficulty and row.full.bins.thresholds is None]
        if kept:
            lines += [
                Line(
                    label=_told(kept[0]),
                    points=tuple((row.full.budget_flops, row.full.gain.value) for row in kept),
                    intervals=tuple(interval_of(row.full.gain) for row in kept),
                ),
                Line(
                    label=f"{difficulty.name}, in sample",
                    points=tuple((row.full.budget_flops, row.full.in_sample_gain) for row in kept),
                ),
            ]
    if lines:
        yield Picture(
            name="by-difficulty",
            title="A setting for each difficulty, minus the best single setting",
            x="budget, FLOPs per query",
            y="difference of accuracies",
            lines=tuple(lines),
            log_x=True,
            note="Cross-fitted, paired over problems, all FLOPs charged; in sample beside it.",
        )
