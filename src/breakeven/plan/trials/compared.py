"""Methods held against each other: over seeds, at each budget, and by how many problems a trial sees."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import Final, TypeAlias

from breakeven.evenly import evenly
from breakeven.plan.cells import Cells
from breakeven.plan.trials.courses import POINT, Course, course_of, middle
from breakeven.plan.trials.measured import Measured
from breakeven.plan.trials.method import Method
from breakeven.plan.trials.proposals import Proposals, proposer_at
from breakeven.plan.trials.space import Space
from breakeven.records import NORMAL_95
from breakeven.records.plans import Finding, Line, Picture, PlanTable
from breakeven.report.format import format_flops, format_quality

_POINTS: Final = 15
"""Of a line in the picture of trials."""
Proposer: TypeAlias = Callable[[Space], Method]
"""A language model that proposes, for the space of a budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Of all methods at one budget."""

    table: Measured
    budget: float
    courses: Mapping[str, tuple[Course, ...]]
    """By method, a course a seed."""

    @property
    def optimum(self) -> float:
        """The best true accuracy that the budget allows."""
        return float(self.table.truth_C[self.table.optimum(self.budget)])


def compared(
    table: Measured,
    budgets: Sequence[float],
    cells: Cells,
    *,
    seeds: int,
    num_trials: int,
    num_problems: int,
    proposer: tuple[str, Proposer] | None = None,
) -> tuple[Comparison, ...]:
    """Every method at every budget.

    Args:
        table: of what is tried.
        budgets: FLOPs per query.
        cells: of the plan.
        seeds: of each method, and of the problems that its trials see.
        num_trials: at most, of methods that draw.
        num_problems: that a trial sees.
        proposer: a language model that proposes, by name, asked once at each budget; None: there is none.
    """
    found = []
    for budget in budgets:
        courses: dict[str, tuple[Course, ...]] = {}
        for name in (*table.seeded, *table.exact):
            courses[name] = tuple(
                course_of(table, budget, name, cells=cells, num_trials=num_trials, num_problems=num_problems, seed=seed)
                for seed in range(seeds)
            )
        if proposer is not None:
            name, make = proposer
            asked = course_of(
                table, budget, name, cells=cells, num_trials=num_trials, num_problems=num_problems, make=make
            )
            courses[name] = (asked,)
        found.append(Comparison(table=table, budget=budget, courses=courses))
    return tuple(found)


def proposer_of(
    url: str, *, name: str, key_env: str, params: float, hints: str, seed: int, cells: Cells, condition: str = ""
) -> tuple[str, Proposer] | None:
    """A language model behind a server as one more method, and what it is called; None where there is no address.

    Args:
        url: of an OpenAI-compatible server, up to and including `/v1`.
        name: of the model as the server calls it; empty: the only one it serves.
        key_env: the variable of the environment with the server's key; empty: there is none.
        params: active parameters, by which its tokens are charged; 0: not known.
        hints: sentences on what is known of the choices.
        seed: of its samples.
        cells: where its answers are kept.
        condition: what besides the budget limits what may be chosen, as of `Measured`.
    """
    if not url:
        return None
    called = " ".join(filter(None, ("proposals of", name, url)))
    model = proposer_at(url, served_name=name or None, api_key_env=key_env or None, params=params or None)

    def make(space: Space) -> Method:
        key = f"{called}{condition} budget={space.budget!r}"
        return Proposals(space, model, seed=seed, hints=hints, cells=cells, key=key)

    return called, make


def optimum_findings(found: Sequence[Comparison]) -> Iterator[Finding]:
    """The truly best configuration for each budget."""
    for each in found:
        configuration = each.table.configurations[each.table.optimum(each.budget)]
        quality = each.table.again(configuration).quality
        count = len(each.table.within(each.budget))
        text = (
            f"best of {count} configurations for {format_flops(each.budget)} a query: {each.table.words(configuration)}"
        )
        yield Finding(text=text, value=quality.value, lo=quality.lo, hi=quality.hi, made=quality.made)


def reached_findings(found: Comparison) -> Iterator[Finding]:
    """Trials of each method until the best that it saw is truly within a point of the optimum: median over seeds."""
    budget = format_flops(found.budget)
    for name, courses in found.courses.items():
        value, lo, hi = middle([each.trials for each in courses])
        within, most = sum(math.isfinite(each.trials) for each in courses), max(len(each.course) for each in courses)
        said = f"{within} of {len(courses)} seeds get there"
        if math.isinf(value):
            said += f", not within {most}"
        elif math.isinf(hi):
            said += f", from {lo:.0f} to more than {most}"
        known = math.isfinite(hi) and len(courses) > 1
        yield Finding(
            text=f"{name}: trials until within a point of the optimum for {budget} a query ({said})",
            value=None if math.isinf(value) else value,
            lo=lo if known else None,
            hi=hi if known else None,
            made=found.table.made,
        )


def method_table(found: Sequence[Comparison]) -> PlanTable:
    """All methods at all budgets."""
    rows = []
    for each in found:
        at = f"{format_flops(each.budget)}; {len(each.table.within(each.budget))}; {format_quality(each.optimum)}"
        for name, courses in each.courses.items():
            rows.append(
                (
                    at,
                    name,
                    f"{sum(math.isfinite(course.trials) for course in courses)} of {len(courses)}",
                    _middle([course.trials for course in courses], lambda value: f"{value:g}"),
                    _middle([course.flops for course in courses], format_flops),
                    f"{median(len(course.course) for course in courses):g}",
                    _mean([100 * course.short for course in courses]),
                    _mean([100 * course.optimism for course in courses]),
                )
            )
    return PlanTable(
        label="Trials and their FLOPs until the best that was seen is truly within a point of the optimum: "
        "medians over seeds, with 90 % intervals",
        headings=(
            "budget a query; configurations; optimum",
            "method",
            "seeds that get there",
            "trials",
            "FLOPs of them",
            "trials in all",
            "points below the optimum at the end",
            "optimism at the end, in points",
        ),
        rows=tuple(rows),
    )


def problems_table(found: Mapping[int, Comparison]) -> PlanTable:
    """The same by how many problems a trial sees."""
    rows = [
        (
            f"{count}",
            name,
            f"{sum(math.isfinite(course.trials) for course in courses)} of {len(courses)}",
            _middle([course.flops for course in courses], format_flops),
            _mean([100 * course.short for course in courses]),
            _mean([100 * course.optimism for course in courses]),
        )
        for count, each in found.items()
        for name, courses in each.courses.items()
    ]
    (budget,) = {each.budget for each in found.values()}
    return PlanTable(
        label=f"By how many problems a trial sees, for {format_flops(budget)} a query",
        headings=(
            "problems a trial",
            "method",
            "seeds that get there",
            "FLOPs until within a point",
            "points below the optimum at the end",
            "optimism at the end, in points",
        ),
        rows=tuple(rows),
    )


def stuck_table(found: Sequence[Comparison]) -> PlanTable:
    """Where the rules have no move left for the first time, and what beginning again brings."""
    rows = []
    for each in found:
        courses = each.courses["rules"]
        stuck = [course for course in courses if course.tried.stuck_at]
        first = [course.tried.stuck_at[0] for course in stuck]
        below = [100 * (each.optimum - course.course[at - 1][1]) for course, at in zip(stuck, first, strict=True)]
        rows.append(
            (
                format_flops(each.budget),
                f"{len(stuck)} of {len(courses)}",
                _middle(list(map(float, first)), lambda value: f"{value:g}"),
                _mean(below),
                f"{sum(value > 100 * POINT + 1e-9 for value in below)} of {len(stuck)}",
                _mean([100 * course.short for course in courses]),
                f"{fmean(len(course.tried.stuck_at) for course in courses):.1f}",
            )
        )
    return PlanTable(
        label="Where the rules are stuck: no move is left, and they begin again at random",
        headings=(
            "budget a query",
            "seeds that are stuck",
            "after trials, the first time",
            "points below the optimum there",
            "more than a point below",
            "points below at the end, after restarts",
            "restarts, mean",
        ),
        rows=tuple(rows),
    )


def course_picture(found: Comparison) -> Picture:
    """True accuracy of the best that each method saw, against FLOPs of the trials: means over seeds."""
    lines = []
    for name, courses in found.courses.items():
        places = evenly(min(len(each.course) for each in courses), _POINTS)
        points = [tuple(map(fmean, zip(*(each.course[at] for each in courses), strict=True))) for at in places]
        lines.append(Line(label=name, points=tuple((flops, truth) for flops, truth in points)))
    return Picture(
        name="trials",
        title=f"What is chosen after so many FLOPs of trials, for {format_flops(found.budget)} a query",
        x="FLOPs of trials",
        y="true accuracy of what is chosen",
        lines=tuple(lines),
        log_x=True,
        note=f"Means over seeds. The best there is has {format_quality(found.optimum)}.",
    )


def _middle(values: Sequence[float], words: Callable[[float], str]) -> str:
    if not values:
        return "-"
    value, lo, hi = middle(values)
    said = ["never" if math.isinf(each) else words(each) for each in (value, lo, hi)]
    return said[0] if len(values) == 1 else f"{said[0]} ({said[1]} to {said[2]})"


def _mean(values: Sequence[float]) -> str:
    """Mean, with a 90 % interval where there are several."""
    if not values:
        return "-"
    mean = fmean(values)
    if len(values) == 1:
        return f"{mean:.1f}"
    half = NORMAL_95 * stdev(values) / math.sqrt(len(values))
    return f"{mean:.1f} ({mean - half:.1f} to {mean + half:.1f})"
