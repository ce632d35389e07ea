"""What was chosen, in a sentence, and what it is and costs, in a few more."""

from collections.abc import Iterator, Sequence

from breakeven.choice.break_even import Stretch
from breakeven.plan.wanted import Wanted
from breakeven.records.options import Option
from breakeven.report.format import format_flops, format_quality, format_queries
from breakeven.report.words import unmeasured


def verdict_words(options: Sequence[Option], chosen: Option | None, quality: str, wanted: Wanted) -> str:
    """What was chosen, or what comes nearest.

    Args:
        options: those that may be chosen.
        chosen: one of them.
        quality: what theirs is, in words.
        wanted: what was asked of them.
    """
    if not options:
        return "Nothing was measured here: all options are published, and none is chosen unless --published asks for it"
    life = None if wanted.queries is None else f"over {_many(wanted.queries)}"
    over = "a query" if life is None else f"in all, {life}"
    sure = " by the lower end of its interval" if wanted.sure else ""
    made = "" if chosen is None else unmeasured(chosen)
    if wanted.budget is not None:
        if chosen is not None:
            return f"{chosen.name} has the highest {quality}{made}{sure} for {format_flops(wanted.budget)} {over}"
        least = min(options, key=wanted.price)
        spent = format_flops(wanted.price(least))
        return f"Nothing costs {format_flops(wanted.budget)} {over}, or less: the cheapest, {least.name}, costs {spent}"
    if wanted.target is not None:
        aim = f"{quality} {format_quality(wanted.target)}"
        if chosen is None:
            top = max(options, key=wanted.quality)
            best = f"{format_quality(wanted.quality(top))}{unmeasured(top)}{sure}"
            return f"Nothing reaches {aim}: the best, {top.name}, has {best}"
        surely = "surely " if wanted.sure else ""
        return f"{chosen.name} is the cheapest that {surely}reaches {aim}{made}, {life or 'per query'}"
    assert chosen is not None  # the best there is
    if len(options) == 1:
        return f"{chosen.name} is the only option"
    return f"{chosen.name} has the highest {quality}{made}{sure} of {len(options)} options"


def lead_words(
    options: Sequence[Option], chosen: Option | None, quality: str, wanted: Wanted, envelope: Sequence[Stretch]
) -> str:
    """What the chosen has, what it costs, and from how many queries to how many it is the cheapest; else nothing.

    Args:
        options: those that may be chosen.
        chosen: one of them.
        quality: what theirs is, in words.
        wanted: what was asked of them.
        envelope: of those that are as good.
    """
    return "" if chosen is None else " ".join(_sentences(options, chosen, quality, wanted, envelope))


def _sentences(
    options: Sequence[Option], chosen: Option, quality: str, wanted: Wanted, envelope: Sequence[Stretch]
) -> Iterator[str]:
    known = chosen.quality
    interval = ""
    if known.lo is not None and known.hi is not None:
        interval = f" (90 % interval {format_quality(known.lo)} to {format_quality(known.hi)})"
    said = f"{quality[:1].upper()}{quality[1:]} {format_quality(known.value)}{interval}, {known.made}, for "
    once, per_query = format_flops(chosen.once), format_flops(chosen.per_query)
    whole = "" if wanted.queries is None else f"{format_flops(wanted.price(chosen))} in all: "
    yield f"{said}{whole}{once} before the first query and {per_query} a query."
    equal = [each.name for each in options if each is not chosen and _same(each, chosen)]
    if equal:
        yield f"As good, for as much: {_listed(equal)}."
    at = next((place for place, each in enumerate(envelope) if each.option is chosen), None)
    if at is not None and len(envelope) > 1:
        before = envelope[at - 1].option.name if at else ""
        if before:
            yield f"It is the cheapest from {_many(envelope[at].queries)} on; for fewer, {before} is."
        if at + 1 < len(envelope):
            after = envelope[at + 1]
            yield f"After {_many(after.queries)} it has cost as much as {after.option.name}, which is cheaper for more."


def _many(queries: float) -> str:
    said = format_queries(queries)
    return f"{said} {'query' if said == '1' else 'queries'}"


def _same(one: Option, other: Option) -> bool:
    return (one.once, one.per_query, one.quality.value) == (other.once, other.per_query, other.quality.value)


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:3]) + ([f"{len(names) - 3} more"] if len(names) > 3 else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
