"""Sizes held against each other at equal training FLOPs: at one K, and where a query may cost as much."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from breakeven.choice.frontier import paired_values, resampled
from breakeven.plan.sizing.best import DRAWS, Picks, Resampled, ends
from breakeven.plan.sizing.measured import PASS_AT_K
from breakeven.records import Option
from breakeven.records.plans import Finding, Line, Picture, PlanTable
from breakeven.report.format import format_flops

OVER: Final = "interval over problems"
_BUDGETS: Final = 6


class EqualTraining:
    """Options of models of several sizes, by their duration.

    Args:
        options: of the grid, with settings size, params, duration_flops, strategy and k; paired.
    """

    def __init__(self, options: Sequence[Option]) -> None:
        sampled = [each for each in options if each.settings["strategy"] == PASS_AT_K]
        self.options = sorted(sampled, key=lambda each: each.per_query)  # of equal qualities the cheaper is taken
        self.resampled = Resampled(self.options)
        self.k_values = sorted({_number(each, "k") for each in self.options})
        sizes_of: dict[float, set[str]] = {}
        for each in self.options:
            sizes_of.setdefault(_number(each, "duration_flops"), set()).add(str(each.settings["size"]))
        self.num_sizes = {level: len(sizes) for level, sizes in sizes_of.items()}
        most = max(self.num_sizes.values(), default=0)
        self.levels = sorted(level for level, number in self.num_sizes.items() if number > 1)
        """Durations that several sizes have."""
        self.shared = [level for level in self.levels if self.num_sizes[level] == most]
        """Those that most sizes have."""
        self.budgets = self._budgets()
        """FLOPs that a query may cost: evenly in logarithms, from a sample of the smallest model to the most samples of
        the largest, at the longest duration that most sizes have."""

    def _budgets(self) -> list[float]:
        if not self.shared:
            return []
        flops = [each.query_flops for each in self.options if _is_at(each, self.shared[-1])]
        between: list[float] = np.geomspace(min(flops), max(flops), _BUDGETS)[1:-1].tolist()
        return [min(flops), *between, max(flops)]

    def at_k(self, level: float, k: float) -> Picks:
        """The best size at a duration with so many samples."""
        return self.resampled.best(lambda each: _is_at(each, level) and each.settings["k"] == k)

    def at_budget(self, level: float, flops: float) -> Picks:
        """The best size at a duration, with as many samples as a query of so many FLOPs pays for."""
        return self.resampled.best(lambda each: _is_at(each, level) and each.per_query <= flops)

    def tables(self) -> Iterator[PlanTable]:
        """The best size at each duration, at each K and at each cost of a query."""
        for label, given, at, words in (
            ("Best size at equal training, by samples K", self.k_values, self.at_k, lambda k: f"K = {k:g}"),
            ("Best size at equal training, by the FLOPs of a query", self.budgets, self.at_budget, format_flops),
        ):
            rows = []
            for level in self.levels:
                picks = [at(level, each) for each in given]
                rows.append((format_flops(level), *map(_size_cell, picks)))
            headings = ("training", *map(words, given))
            if rows:
                yield PlanTable(
                    label=f"{label} (share of resamplings of the problems)", headings=headings, rows=tuple(rows)
                )

    def findings(self) -> Iterator[Finding]:
        """How the best size moves as more samples are declared, and the lead of the largest."""
        if not self.shared:
            return
        most, least = self.k_values[-1], self.k_values[0]
        for level in [each for each in self.levels if self.num_sizes[each] > 2] or self.shared:
            many, one = self.at_k(level, most), self.at_k(level, least)
            yield from self._ratio(f"at {format_flops(level)} of training with K = {most:g}", many, one)
        level = self.shared[-1]
        last = f"at {format_flops(level)} of training"
        for flops in (self.budgets[0], self.budgets[len(self.budgets) // 2], self.budgets[-1]):
            paid = self.at_budget(level, flops)
            words = f"{last} where a query may cost {format_flops(flops)}"
            yield from self._ratio(words, paid, self.at_k(level, least))
        for k in (least, most) if len(self.resampled.value_DO) else ():
            yield self._lead(level, k, last)

    def _ratio(self, words: str, picks: Picks, one: Picks) -> Iterator[Finding]:
        """At equal training tokens per parameter move by the inverse square, and are not told beside it."""
        ratio = picks.against(one, lambda each: _number(each, "params"))
        if ratio is not None:
            text = f"Ratio of the parameters best {words} to those with K = {self.k_values[0]:g} ({OVER})"
            yield Finding(text=text, value=ratio[0], lo=ratio[1], hi=ratio[2])

    def _lead(self, level: float, k: float, last: str) -> Finding:
        at = [each for each in self.options if _is_at(each, level) and each.settings["k"] == k]
        small, large = (pick(at, key=lambda each: _number(each, "params")) for pick in (min, max))
        value_OP = paired_values([small, large])
        lead_P = value_OP[1] - value_OP[0]
        lo, hi = ends(np.concatenate(list(resampled(lead_P[None], DRAWS, 0))))
        names = f"{large.settings['size']} less that of {small.settings['size']}"
        text = f"Accuracy of {names} {last}, K = {k:g} (paired; {OVER})"
        return Finding(text=text, value=float(lead_P.mean()), lo=lo, hi=hi)

    def picture(self) -> Picture | None:
        """Accuracy by size at the longest duration that most sizes have, a line for each K."""
        if not self.shared:
            return None
        lines = []
        for k in self.k_values:
            at = [each for each in self.options if _is_at(each, self.shared[-1]) and each.settings["k"] == k]
            at.sort(key=lambda each: _number(each, "params"))
            lines.append(
                Line(
                    label=f"K = {k:g}",
                    points=tuple((_number(each, "params"), each.quality.value) for each in at),
                    intervals=tuple((each.quality.lo or 0.0, each.quality.hi or 1.0) for each in at),
                )
            )
        return Picture(
            name="equal-training",
            title=f"Accuracy by size at {format_flops(self.shared[-1])} of training",
            x="parameters",
            y="accuracy",
            lines=tuple(lines),
            log_x=True,
        )


def _is_at(option: Option, level: float) -> bool:
    return option.settings["duration_flops"] == level


def _number(option: Option, name: str) -> float:
    return float(option.settings[name])


def _size_cell(picks: Picks) -> str:
    if picks.option is None:
        return "none"
    size = str(picks.option.settings["size"])
    chosen_D = picks.at_D
    same = np.array([each.settings["size"] == size for each in picks.options])
    return f"{size} ({100 * same[chosen_D].mean():.0f} %)" if len(chosen_D) else size
