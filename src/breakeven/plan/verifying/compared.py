"""Families held against each other at equal FLOPs: gaps, crossovers, exponents, and what is paid back."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from breakeven.choice.break_even import break_even
from breakeven.choice.choose import best, cheapest, value_of
from breakeven.choice.crossover import Gap, crossover, gaps
from breakeven.choice.frontier import frontier
from breakeven.choice.prices import per_query
from breakeven.evenly import evenly
from breakeven.plan.verifying.exponents import Exponent, exponents
from breakeven.plan.verifying.families import Family
from breakeven.records.options import Option
from breakeven.records.plans import Finding, Line, Picture, PlanTable
from breakeven.report.format import format_flops, format_quality

_ROWS = 6
"""Of a family in the table of gaps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What a query is priced in."""

    name: str = "FLOPs"

    def of(self, price: float) -> str:
        """A price, with the unit."""
        return format_flops(price) if self.name == "FLOPs" else f"{price:g} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A family against another, which comes first."""

    first: Family
    second: Family
    gaps: tuple[Gap, ...]
    """Best of the second less best of the first at each price at which both have something; empty: not paired."""
    crossover: float | None
    """FLOPs of a query from which on the second is at least as good."""

    @property
    def behind(self) -> int:
        """Prices at which the 90 % interval of the gap lies below 0."""
        return sum(each.hi is not None and each.hi < 0 for each in self.gaps)

    @property
    def ahead(self) -> int:
        """Prices at which it lies above 0."""
        return sum(each.lo is not None and each.lo > 0 for each in self.gaps)

    @property
    def ahead_from(self) -> float | None:
        """The price from which on it stays above 0; None where it is not above at the highest."""
        sure = [each.price for each in takewhile(lambda gap: gap.lo is not None and gap.lo > 0, reversed(self.gaps))]
        return sure[-1] if sure else None


def compared(first: Family, second: Family, *, draws: int, seed: int) -> Comparison:
    """Two families at equal FLOPs per query; each at its best for that price."""
    known = all(each.quality.value_P for each in (*first.options, *second.options))
    return Comparison(
        first=first,
        second=second,
        gaps=gaps(first.options, second.options, per_query, draws=draws, seed=seed) if known else (),
        crossover=crossover(first.options, second.options, per_query),
    )


def best_of(family: Family) -> Option:
    """The option of the highest quality, of equals the cheaper per query."""
    found = best(family.options, price=per_query, value=value_of)
    assert found is not None
    return found


def cheapest_of(family: Family, level: float) -> Option | None:
    """The option that reaches a quality for the least FLOPs per query; None where none does."""
    return cheapest(family.options, price=per_query, reaches=lambda each: value_of(each) >= level)


def comparison_findings(found: Comparison, unit: Unit) -> Iterator[Finding]:
    """Where they cross, and the gap at the lowest and at the highest price."""
    name, other, count = found.second.name, found.first.name, len(found.gaps)
    chance = (
        f"; beyond chance it is behind at {found.behind} of {count} prices, ahead at {found.ahead}" if count else ""
    )
    if found.ahead_from is not None:
        chance += f", from {unit.of(found.ahead_from)} on always"
    never = "" if found.crossover is not None else " (there is none)"
    text = f"{name}: {unit.name} a query from which on it is as good as {other}{never}{chance}"
    yield Finding(text=text, value=found.crossover)
    for gap in found.gaps[:1] + found.gaps[1:][-1:]:
        at = unit.of(gap.price)
        yield Finding(text=f"{name} less {other}, at {at} a query", value=gap.value, lo=gap.lo, hi=gap.hi)


def exponent_findings(family: Family, unit: Unit, *, draws: int, seed: int) -> Iterator[Finding]:
    """How S and V of the best grow with the FLOPs of a query."""
    found = exponents(family.options, draws=draws, seed=seed)
    ends = f"at {found.censored} of {found.num_budgets} budgets S or V is the largest measured"
    pairs: tuple[tuple[str, Exponent], ...] = (("solutions", found.solutions), ("verdicts", found.verdicts))
    for what, each in pairs:
        text = f"{family.name}: exponent of the best number of {what} in the {unit.name} of a query ({ends})"
        yield Finding(text=text, value=each.value, lo=each.lo, hi=each.hi)


def paid_back(voted: Family, verified: Family) -> Finding:
    """Queries until what the verifier took is paid back against the best vote, where it reaches that."""
    served = best_of(voted)
    reaching = cheapest_of(verified, value_of(served))
    text = f"{verified.name}: queries until its training is paid back against {served.name}"
    if reaching is None:
        return Finding(text=f"{text} (never: it is not as good)", value=None)
    queries = break_even(served, reaching)
    if math.isinf(queries):
        return Finding(text=f"{text} (never: {reaching.name} costs no less a query)", value=None)
    return Finding(text=f"{text}, by {reaching.name}", value=queries)


def trained_on_findings(verified: Family, trained: Family, *, draws: int, seed: int) -> Iterator[Finding]:
    """The solver trained on against the best of all verified options."""
    found = compared(verified, trained, draws=draws, seed=seed)
    behind = "" if found.crossover is not None else " (there is none)"
    yield Finding(
        text=f"{trained.name}: FLOPs a query from which on it is as good as any verdicts{behind}", value=found.crossover
    )
    for gap in found.gaps[-1:]:
        text = f"{trained.name} less the best of all verified options, at {format_flops(gap.price)} a query"
        yield Finding(text=text, value=gap.value, lo=gap.lo, hi=gap.hi)
    level = min(value_of(best_of(each)) for each in (verified, trained))
    slow, quick = cheapest_of(verified, level), cheapest_of(trained, level)
    assert slow is not None
    assert quick is not None
    at = f"at {format_quality(level)}, the best that both reach"
    yield Finding(
        text=f"FLOPs a query of {slow.name} over those of {quick.name}, {at}", value=slow.per_query / quick.per_query
    )
    yield Finding(text=f"FLOPs spent once on {slow.name} over those on {quick.name}", value=slow.once / quick.once)


def family_table(families: Sequence[Family], unit: Unit) -> PlanTable:
    """What each family took once, and the best that it reaches."""
    rows = []
    for each in families:
        best = best_of(each)
        quality = best.quality
        interval = f" ({quality.lo:.3f} to {quality.hi:.3f})" if quality.lo is not None else ""
        spent = [f"{format_flops(best.train_flops)}", *(format_flops(flops) for flops in best.one_off.values())]
        best_at = f"{format_quality(quality.value)}{interval}"
        rows.append((each.name, " + ".join(spent), best.name, best_at, unit.of(best.per_query)))
    headings = ("family", "spent once: solver + labelled samples + verifier", "its best", "quality", "a query")
    return PlanTable(label="Families, and the best of each", headings=headings, rows=tuple(rows))


def gap_table(found: Sequence[Comparison], unit: Unit) -> PlanTable:
    """Gaps at some of the prices."""
    rows = []
    for each in found:
        for place in evenly(len(each.gaps), _ROWS):
            gap = each.gaps[place]
            interval = "" if gap.lo is None else f"{gap.lo:+.3f} to {gap.hi:+.3f}"
            rows.append((each.second.name, unit.of(gap.price), f"{gap.value:+.3f}", interval))
    first = found[0].first.name
    headings = ("family", "a query", f"less {first}", "90 % interval over problems")
    return PlanTable(
        label=f"At equal FLOPs: each family's best less that of {first}", headings=headings, rows=tuple(rows)
    )


def accuracy_picture(families: Sequence[Family], unit: Unit) -> Picture:
    """The frontier of each family."""
    lines = []
    for each in families:
        best = frontier(each.options, per_query, published=True)
        intervals = [(q.lo, q.hi) for q in (option.quality for option in best) if q.lo is not None and q.hi is not None]
        points = tuple((option.per_query, value_of(option)) for option in best)
        lines.append(Line(label=each.name, points=points, intervals=tuple(intervals), made=best[0].quality.made))
    title = "Accuracy against what a query costs"
    return Picture(name="accuracy", title=title, x=f"{unit.name} a query", y="accuracy", lines=tuple(lines), log_x=True)


def gap_picture(found: Sequence[Comparison], unit: Unit) -> Picture:
    """The gap of each family to the first, over prices."""
    first = found[0].first.name
    lines = [
        Line(
            label=each.second.name,
            points=tuple((gap.price, gap.value) for gap in each.gaps),
            intervals=tuple((gap.lo, gap.hi) for gap in each.gaps if gap.lo is not None and gap.hi is not None),
        )
        for each in found
    ]
    return Picture(
        name="gap",
        title=f"Verdicts less {first} at equal FLOPs",
        x=f"{unit.name} a query",
        y="difference in accuracy",
        lines=tuple(lines),
        log_x=True,
        note="Best against best at each price, with 90 % intervals over problems. Below 0 verdicts lose.",
    )
