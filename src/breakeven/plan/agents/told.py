"""What methods of looking come to on graphs, besides what all rows tell: more trials, all of them, and own graphs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, stdev
from typing import Final

import numpy as np

from breakeven.plan.agents.table import Graphs
from breakeven.plan.trials.compared import Comparison
from breakeven.plan.trials.space import Configuration
from breakeven.records import NORMAL_95
from breakeven.records.options import Option
from breakeven.records.plans import Finding, PlanTable
from breakeven.report.format import format_flops, format_quality

_COUNTS: Final = (5, 10, 20, 40, 100, 200, 400)
"""Trials after which it is asked what is chosen."""


def counts_table(found: Comparison) -> PlanTable:
    """What each method chooses after so many trials: how good it looks, and is."""
    rows = []
    for name, courses in found.courses.items():
        for count in _COUNTS:
            own = [each for each in courses if len(each.course) >= count]
            if len(own) == len(courses):
                truths = [each.course[count - 1][1] for each in own]
                looks = [max(t.quality.value for t in each.archive.trials[:count]) for each in own]
                lucky = [100 * (look - truth) for look, truth in zip(looks, truths, strict=True)]
                spent = fmean(each.course[count - 1][0] for each in own)
                rows.append(
                    (name, f"{count}", format_flops(spent), f"{fmean(looks):.3f}", _mean(truths, 3), _mean(lucky, 1))
                )
    return PlanTable(
        label=f"More trials, for {format_flops(found.budget)} a query: means over seeds, with 90 % intervals",
        headings=("method", "trials", "FLOPs of them", "the best as seen", "as it is", "optimism, in points"),
        rows=tuple(rows),
    )


def counts_findings(found: Comparison) -> Iterator[Finding]:
    """Whether more trials are better: what is chosen at the end, less what was chosen earlier."""
    for name, courses in found.courses.items():
        shortest = min(len(each.course) for each in courses)
        before = max((count for count in _COUNTS if 2 * count <= shortest), default=None)
        if before is None:
            continue
        gains = [each.course[shortest - 1][1] - each.course[before - 1][1] for each in courses]
        text = f"{name}: accuracy of what is chosen after {shortest} trials, less after {before} (interval over seeds)"
        half = NORMAL_95 * stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else None
        mean = fmean(gains)
        yield Finding(
            text=text,
            value=mean,
            lo=None if half is None else mean - half,
            hi=None if half is None else mean + half,
            made=found.table.made,
        )


def exhaustive_table(found: Sequence[Comparison], *, num_problems: int, seeds: int) -> PlanTable:
    """Trying all graphs on so many problems: the most that trials can find, and what it costs."""
    rows = []
    for each in found:
        table = each.table
        places = table.within(each.budget)
        pool, short, lucky = table.trial_CP.shape[1], list[float](), list[float]()
        for seed in range(seeds):
            drawn = np.random.default_rng(seed).choice(pool, min(num_problems, pool), replace=False)
            seen_C = table.trial_CP[places][:, drawn].mean(axis=1)
            at = int(np.lexsort((table.price_C[places], -seen_C))[0])
            short.append(100 * float(each.optimum - table.truth_C[places[at]]))
            lucky.append(100 * float(seen_C[at] - table.truth_C[places[at]]))
        flops = num_problems * float(table.price_C[places].sum())
        rows.append(
            (format_flops(each.budget), f"{len(places)}", format_flops(flops), _mean(short, 1), _mean(lucky, 1))
        )
    return PlanTable(
        label=f"Trying all graphs on {num_problems} problems each: means over {seeds} seeds, with 90 % intervals",
        headings=(
            "budget a query",
            "graphs",
            "FLOPs of the trials",
            "points below the optimum",
            "optimism, in points",
        ),
        rows=tuple(rows),
    )


def default_option(table: Graphs) -> Option:
    """One node of the dearest model: what is served without trials."""
    default = table.default()
    return table.option("default, one node of the dearest model", default, table.again(default).quality)


def own_options(table: Graphs, graphs: Mapping[str, Configuration]) -> tuple[Option, ...]:
    """The graphs of the user's files."""
    return tuple(table.option(name, each, table.again(each).quality) for name, each in graphs.items())


def own_findings(table: Graphs, graphs: Mapping[str, Configuration], budgets: Sequence[float]) -> Iterator[Finding]:
    """How each compares with the best of all graphs for what it costs."""
    for name, each in graphs.items():
        own, best = table.place(each), table.optimum(table.price(each))
        gap = float(table.truth_C[own] - table.truth_C[best])
        yield Finding(
            text=f"{name}: its accuracy, less that of the best graph for {format_flops(table.price(each))} a query "
            f"({table.dags[best].words}, {format_quality(float(table.truth_C[best]))})",
            value=gap,
            made=table.made,
        )


def left_out_notes(table: Graphs, graphs: Mapping[str, Configuration], budgets: Sequence[float]) -> Iterator[str]:
    """Models and own graphs that cost more than every budget."""
    dear = [each.name for each in table.agents if each.node_flops_D[0] > max(budgets)]
    if dear:
        yield f"A node of {', '.join(dear)} costs more than any budget: it is never chosen."
    for name, each in graphs.items():
        if table.price(each) > max(budgets):
            yield f"{name} costs more than any budget: it is shown beside, and no method may find it."


def _mean(values: Sequence[float], digits: int) -> str:
    """Mean, with a 90 % interval where there are several."""
    mean = fmean(values)
    if len(values) == 1:
        return f"{mean:.{digits}f}"
    half = NORMAL_95 * stdev(values) / math.sqrt(len(values))
    return f"{mean:.{digits}f} ({mean - half:.{digits}f} to {mean + half:.{digits}f})"
