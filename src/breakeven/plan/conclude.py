"""From a row's options to what was asked: the frontier, the envelope, the choice, in one way for all rows."""

from collections.abc import Sequence
from dataclasses import replace

from breakeven.choice.break_even import lower_envelope
from breakeven.choice.choose import best, cheapest, choosable, least_of, value_of
from breakeven.choice.frontier import frontier, frontier_shares
from breakeven.choice.prices import Price, lifetime, per_query
from breakeven.errors import argument_error
from breakeven.records.options import Option
from breakeven.records.plans import Cheapest, PlanAnswer, PlanResult


def conclude(
    row: str,
    answer: PlanAnswer,
    *,
    queries: float | None = None,
    budget: float | None = None,
    target: float | None = None,
    without: Sequence[str] = (),
    published: bool = False,
    sure: bool = False,
) -> PlanResult:
    """The choice among a row's options.

    Args:
        row: its name.
        answer: what it computed.
        queries: declared workload, over whose life options are compared; None: per query.
        budget: most FLOPs, at that price, for the best.
        target: quality to reach, for the cheapest; None with no budget: the row's own, else the best there is.
        without: cost lines to leave out.
        published: whether points that were read somewhere may be chosen.
        sure: whether the lower end of the interval must reach the target.

    Raises:
        ArgumentError: both a budget and a target, no option, one name twice, or a cost line that no option has.
    """
    if budget is not None and target is not None:
        raise argument_error("--budget", "be given without --target", budget, "Ask for one, then for the other.")
    options = checked(answer.options)
    for line in without:
        known = sorted({each for option in options for each in option.lines})
        if line not in known:
            raise argument_error("--without", f"be a cost line: {', '.join(known)}", line)
    priced = [each.without(*without) for each in options]
    price = price_of(queries)
    quality = least_of if sure else value_of
    may_be = choosable(priced, published=published)
    wanted = target if target is not None else None if budget is not None else answer.target
    paired = len({(each.quality.problems, len(each.quality.value_P)) for each in may_be}) == 1
    shares = dict[str, float]()
    if paired and may_be and may_be[0].quality.value_P:
        found = frontier_shares(may_be, price)
        shares = {each.name: share for each, share in zip(may_be, found, strict=True)}
    level = wanted
    if level is None and budget is None and may_be:
        level = max(map(quality, may_be))
    reaching = [each for each in may_be if level is not None and quality(each) >= level]
    chosen = (
        best(may_be, budget=budget, price=price, value=quality)
        if budget is not None
        else cheapest(reaching, reaches=lambda _: True, price=price)
    )
    return PlanResult(
        row=row,
        answer=replace(answer, options=tuple(options)),
        queries=queries,
        budget=budget,
        target=level,
        without=tuple(without),
        verdict="nothing does" if chosen is None else f"{chosen.name} is the choice.",
        chosen=None if chosen is None else chosen.name,
        frontier=tuple(each.name for each in frontier(priced, price, published=published)),
        shares=tuple(shares.get(each.name, 0.0) for each in options) if shares else (),
        envelope=tuple(Cheapest(option=each.option.name, queries=each.queries) for each in lower_envelope(reaching)),
    )


def checked(options: Sequence[Option]) -> list[Option]:
    """The options, if each has a name of its own, and there is one.

    Raises:
        ArgumentError: otherwise.
    """
    if not options:
        raise argument_error("options", "be at least one", "none")
    seen = set[str]()
    for each in options:
        if each.name in seen:
            raise argument_error("options", "have a name each", each.name, "It is there twice.")
        seen.add(each.name)
    return list(options)


def price_of(queries: float | None) -> Price:
    """By which a plan compares: per query, or over the life of a declared workload."""
    return per_query if queries is None else lifetime(queries)
