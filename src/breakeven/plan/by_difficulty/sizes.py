"""The exchange of a small model's samples for a large model, as findings, tables and a picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from breakeven.plan.by_difficulty.exchange import COUNTED, Exchange, ahead, counted_exchange, exchange
from breakeven.plan.by_difficulty.recipe import Made
from breakeven.plan.by_difficulty.worth import Bins, interval_of
from breakeven.plan.laws.exchange import ACCOUNTINGS
from breakeven.plan.laws.exchange import exchange as allowed_by
from breakeven.records.plans import Finding, Line, Picture, PlanTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanges:
    """What a row says of them."""

    findings: tuple[Finding, ...]
    tables: tuple[PlanTable, ...]
    pictures: tuple[Picture, ...]


def exchanges(made: Made, bins: Bins, ratios: Sequence[float], splits: int) -> Exchanges:
    """At each D_inf / D_pre, in each accounting, by the true difficulty and by the agreement of a few samples."""
    times = made.large.params / made.small.params
    tables, findings, pictures = [], [], []
    for difficulty in made.population.difficulties:
        if not (difficulty.oracle or difficulty.name == "agreement"):
            continue
        found: list[Exchange] = []
        for ratio in ratios:
            for accounting in ACCOUNTINGS:
                each = exchange(
                    made.population,
                    made.large,
                    difficulty,
                    bins,
                    ratio=ratio,
                    accounting=accounting.source.partition(":")[0],
                    samples=allowed_by(accounting, size=times, tokens_ratio=ratio),
                    splits=splits,
                )
                found += [] if each is None else [each]
            counted = counted_exchange(
                made.population, made.small, made.large, difficulty, bins, ratio=ratio, splits=splits
            )
            found += [] if counted is None else [counted]
        told = f"{difficulty.name} of {difficulty.num_samples} samples" + (" (true)" if difficulty.oracle else "")
        tables.append(_table(told, found, bins))
        if difficulty.oracle:
            findings += [_finding(each, times) for each in found if each.accounting == COUNTED]
            pictures.append(_picture(told, [each for each in found if each.accounting == COUNTED]))
    return Exchanges(findings=tuple(findings), tables=tuple(tables), pictures=tuple(pictures))


def _finding(found: Exchange, times: float) -> Finding:
    bins = ", ".join(str(each + 1) for each in ahead(found.gain_B)) or "none"
    return Finding(
        text=(
            f"small model by its true difficulty minus the {times:.1f} times larger one answered greedily, at equal "
            f"FLOPs of training and serving, D_inf / D_pre = {found.ratio:g}: {found.allowed:.3g} of its samples a "
            f"query, of which settings use up to {found.most:.3g}; surely ahead in bins (1 the hardest): {bins}"
        ),
        value=found.gain.value,
        lo=found.gain.lo,
        hi=found.gain.hi,
    )


def _table(told: str, found: Sequence[Exchange], bins: Bins) -> PlanTable:
    return PlanTable(
        label=f"Small minus large, by {told}, from hard to easy",
        headings=(
            "D_inf / D_pre",
            "accounting",
            "samples allowed",
            "samples used, at most",
            "all",
            *(str(each + 1) for each in range(bins.num_bins)),
        ),
        rows=tuple(
            (
                f"{each.ratio:g}",
                each.accounting,
                f"{each.allowed:.4g}",
                f"{each.most:.4g}",
                str(each.gain),
                *("empty" if gain is None else str(gain) for gain in each.gain_B),
            )
            for each in found
        ),
    )


def _picture(told: str, found: Sequence[Exchange]) -> Picture:
    return Picture(
        name="exchange",
        title=f"Small model minus the large one answered greedily, by {told}",
        x="bin of difficulty, 1 the hardest",
        y="difference of accuracies",
        lines=tuple(
            Line(
                label=f"D_inf / D_pre = {each.ratio:g}",
                points=tuple((place + 1.0, gain.value) for place, gain in enumerate(each.gain_B) if gain is not None),
                intervals=tuple(interval_of(gain) for gain in each.gain_B if gain is not None),
            )
            for each in found
        ),
        note="Training, reward models and queries of both counted; 90 % intervals over the problems of a bin.",
    )
