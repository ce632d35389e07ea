"""The cheapest way to a target over a life of queries: how large a model, how many tokens, how many samples."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from breakeven.choice.prices import lifetime
from breakeven.plan.sizing.best import Picks, Resampled
from breakeven.plan.sizing.equal import OVER
from breakeven.records import Option
from breakeven.records.plans import Finding, Line, Picture, PlanTable
from breakeven.report.format import format_flops, format_queries

COLUMNS: tuple[tuple[str, str], ...] = (
    ("parameters", "params"),
    ("tokens per parameter", "tokens_per_param"),
    ("K", "k"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Life:
    """The choice at one target, for each number of queries that may be declared."""

    target: float
    what: str
    """Which options it is of, in words."""
    queries: tuple[float, ...]
    picks: tuple[Picks, ...]


def life_of(
    options: Sequence[Option],
    target: float,
    queries: Sequence[float],
    *,
    what: str = "any K",
    among: Callable[[Option], bool] = lambda _: True,
) -> Life:
    """The cheapest of some options that reach a target, training and serving so many queries."""
    resampled = Resampled([each for each in options if among(each)])
    picks = [resampled.cheapest(target, lifetime(each)) for each in queries]
    return Life(target=target, what=what, queries=tuple(queries), picks=tuple(picks))


def life_table(life: Life, quality: str) -> PlanTable:
    """What is chosen at each number of queries, with intervals."""
    rows = []
    for queries, picks in zip(life.queries, life.picks, strict=True):
        if picks.option is None:
            rows.append((format_queries(queries), "nothing reaches it", *("" for _ in COLUMNS), "", ""))
            continue
        cells = [_cell(picks, name) for _, name in COLUMNS]
        total = format_flops(picks.option.total(queries))
        reached = f"{100 * picks.share:.0f} %" if len(picks.at_D) else "not known"
        rows.append((format_queries(queries), picks.option.name, *cells, total, reached))
    headings = (
        "queries",
        "cheapest",
        *(heading for heading, _ in COLUMNS),
        "FLOPs in all",
        "resamplings that reach it",
    )
    label = f"Cheapest to reach {quality} {life.target:.3f}, {life.what} (90 % intervals, over problems)"
    return PlanTable(label=label, headings=headings, rows=tuple(rows))


def _cell(picks: Picks, name: str) -> str:
    found = picks.of(lambda each: float(each.settings[name]))
    assert found is not None, "an option was chosen"
    value, lo, hi = found
    return f"{value:,.4g}" if lo == hi == value else f"{value:,.4g} ({lo:,.4g} to {hi:,.4g})"


def life_findings(life: Life, quality: str) -> Iterator[Finding]:
    """How the choice moves from the fewest queries to the most."""
    few, many = life.picks[0], life.picks[-1]
    served = f"{format_queries(life.queries[-1])} queries to that for {format_queries(life.queries[0])}"
    for what, name in COLUMNS:
        if all(pick.options and len({each.settings[name] for each in pick.options}) == 1 for pick in life.picks):
            continue
        ratio = many.against(few, lambda each, name=name: float(each.settings[name]))  # type: ignore[misc]
        if ratio is not None:
            which = f"the cheapest at {quality} {life.target:.3f}, {life.what}"
            text = f"Ratio of the {what} of {which}, for {served} ({OVER})"
            yield Finding(text=text, value=ratio[0], lo=ratio[1], hi=ratio[2])


def between(free: Life, bound: Life, quality: str) -> Iterator[Finding]:
    """How the choice moves where more ways are open than in `bound`, at the same target and in the same resamplings."""
    for place in sorted({0, len(free.picks) - 1}):
        for what, name in COLUMNS[:2]:
            ratio = free.picks[place].against(bound.picks[place], lambda each, name=name: float(each.settings[name]))  # type: ignore[misc]
            if ratio is not None:
                which = f"{free.what} to that with {bound.what}"
                served = f"{format_queries(free.queries[place])} queries"
                at = f"the cheapest at {quality} {free.target:.3f}"
                text = f"Ratio of the {what} of {at}, {which}, for {served} ({OVER})"
                yield Finding(text=text, value=ratio[0], lo=ratio[1], hi=ratio[2])


def life_picture(lives: Sequence[Life], quality: str) -> Picture | None:
    """The size that is the cheapest over the number of queries."""
    lines = []
    for life in lives:
        found = [
            (queries, of)
            for queries, picks in zip(life.queries, life.picks, strict=True)
            if queries > 0 and (of := picks.of(lambda each: float(each.settings["params"]))) is not None
        ]
        if found:
            lines.append(
                Line(
                    label=f"{quality} {life.target:.3f}, {life.what}",
                    points=tuple((queries, of[0]) for queries, of in found),
                    intervals=tuple((of[1], of[2]) for _, of in found),
                )
            )
    if not lines:
        return None
    return Picture(
        name="size-by-queries",
        title="Parameters of the cheapest model that reaches the target",
        x="queries served",
        y="parameters",
        lines=tuple(lines),
        log_x=True,
        log_y=True,
    )
