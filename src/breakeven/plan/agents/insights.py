"""What Agent-REINFORCE says of graphs, measured: the mix of models, width and depth, and chains against fans.

Of each kind of graph one stands for all: the best on the problems of trials. It is measured on the fresh problems,
which did not choose it, and differences are paired over these.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from breakeven.plan.agents.dag import Dag
from breakeven.plan.agents.table import Graphs
from breakeven.plan.trials.measured import Floats
from breakeven.records import NORMAL_95
from breakeven.records.plans import Finding, Line, Picture, PlanTable
from breakeven.report.format import format_flops, format_quality


@dataclass(frozen=True, kw_only=True)
class Insights:
    """A table, and budgets in FLOPs a query, ascending."""

    table: Graphs
    budgets: Sequence[float]

    def best(self, budget: float, *, keep: Callable[[Dag], bool]) -> int | None:
        """Place of the graph that stands for a kind; of equals the cheapest. None: the budget allows none."""
        table = self.table
        places = [place for place in table.within(budget).tolist() if keep(table.dags[place])]
        return min(places, key=lambda at: (-table.chosen_by_C[at], table.price_C[at]), default=None)

    def shaped(self, budget: float, *, depth: int | None = None, width: int | None = None) -> int | None:
        """The same for graphs of a depth and a width; None: of any."""
        return self.best(budget, keep=lambda dag: depth in (None, dag.depth) and width in (None, dag.width))

    def _as_quick(self, budget: float, most: float) -> int | None:
        """The same for graphs of at most so many sequential tokens."""
        return self.best(budget, keep=lambda dag: self.table.sequential_tokens(dag) <= most)

    def difference(self, text: str, plus: Sequence[int | None], minus: Sequence[int | None]) -> Finding:
        """The accuracy of some graphs less that of others, with a 90 % interval paired over problems.

        Estimator:
            Normal. No interval where accuracies are not known problem by problem.
        """
        known = [at for at in (*plus, *minus) if at is not None]
        if len(known) < len(plus) + len(minus):
            return Finding(text=f"{text} (the budget does not allow both)", value=None, made=self.table.made)
        fresh_CP = self.table.fresh_CP
        gap_P: Floats = sum((fresh_CP[at] for at in plus if at is not None), np.zeros(fresh_CP.shape[1]))
        gap_P = gap_P - sum((fresh_CP[at] for at in minus if at is not None), np.zeros(fresh_CP.shape[1]))
        value = float(gap_P.mean())
        if len(gap_P) < 2:
            return Finding(text=text, value=value, made=self.table.made)
        half = NORMAL_95 * float(gap_P.std(ddof=1)) / math.sqrt(len(gap_P))
        return Finding(text=text, value=value, lo=value - half, hi=value + half, made=self.table.made)

    # -- findings ------------------------------------------------------------------------------------------------

    def findings(self) -> Iterator[Finding]:
        """All of them."""
        for budget in self.budgets:
            yield from self._mixes(budget)
        yield from self._shapes(self.budgets[-1])
        for budget in self.budgets:
            chain = self.best(budget, keep=lambda dag: dag.is_chain and len(dag.nodes) > 1)
            fan = self.best(budget, keep=lambda dag: dag.is_fan)
            text = f"the best chain less the best fan for {format_flops(budget)} a query ({self._words(chain, fan)})"
            yield self.difference(text, [chain], [fan])

    def _mixes(self, budget: float) -> Iterator[Finding]:
        """Insight 1: graphs of the cheapest model against those of the dearest; and a mix against one model."""
        first, last = self.table.models[0], self.table.models[-1]
        small = self.best(budget, keep=lambda dag: _models(dag) == {first})
        large = self.best(budget, keep=lambda dag: _models(dag) == {last})
        text = f"insight 1 for {format_flops(budget)} a query: {first} alone less {last} alone"
        yield self.difference(f"{text} ({self._words(small, large)})", [small], [large])
        mixed = self.best(budget, keep=lambda dag: len(_models(dag)) > 1)
        single = self.best(budget, keep=lambda dag: len(_models(dag)) == 1)
        text = f"insight 1 for {format_flops(budget)} a query: a mix of models less one model"
        yield self.difference(f"{text} ({self._words(mixed, single)})", [mixed], [single])

    def _shapes(self, budget: float) -> Iterator[Finding]:
        """Insights 2 and 3: one more level, one more node side by side, and the latter at each depth."""
        most, at = self.table.num_nodes, f"for {format_flops(budget)} a query"
        for less in range(1, most):
            deep = [self.shaped(budget, depth=depth) for depth in (less, less + 1)]
            yield self.difference(f"insight 2 {at}: depth {less + 1} less depth {less}", deep[1:], deep[:1])
        for less in range(1, most - 1):
            wide = [self.shaped(budget, width=width) for width in (less, less + 1)]
            yield self.difference(f"insight 2 {at}: width {less + 1} less width {less}", wide[1:], wide[:1])
        gains = {depth: [self.shaped(budget, depth=depth, width=width) for width in (1, 2)] for depth in range(2, most)}
        for depth, (one, two) in gains.items():
            yield self.difference(f"insight 3 {at}: width 2 less width 1 at depth {depth}", [two], [one])
        for less, more in pairwise(gains):
            text = f"insight 3 {at}: what width 2 gains at depth {more}, less what it gains at depth {less}"
            yield self.difference(text, [gains[more][1], gains[less][0]], [gains[more][0], gains[less][1]])

    def _words(self, *places: int | None) -> str:
        """Graphs, as a person reads them."""
        return " against ".join("none" if at is None else self.table.dags[at].words for at in places)

    # -- tables and pictures -------------------------------------------------------------------------------------

    def shape_table(self) -> PlanTable:
        """The best graph of each depth and width, for each budget."""
        rows = []
        for budget in self.budgets:
            for depth, width in self._shapes_there_are():
                at = self.shaped(budget, depth=depth, width=width)
                if at is not None:
                    rows.append((format_flops(budget), f"{depth}", f"{width}", *self._row(at)))
        return PlanTable(
            label="The best graph of each depth and width, as the problems of trials show it, on the fresh problems",
            headings=("budget a query", "depth", "width", "graph", "FLOPs a query", "sequential tokens", "accuracy"),
            rows=tuple(rows),
        )

    def latency_table(self) -> PlanTable:
        """Accuracy and latency together: what no graph betters in both, for each budget."""
        rows = []
        for budget in self.budgets:
            tokens = sorted(
                {self.table.sequential_tokens(self.table.dags[at]) for at in self.table.within(budget).tolist()}
            )
            before = -math.inf
            for most in tokens:
                at = self._as_quick(budget, most)
                if at is not None and self.table.chosen_by_C[at] > before:
                    before = self.table.chosen_by_C[at]
                    seconds = self.table.seconds(self.table.dags[at])
                    said = "-" if seconds is None else f"{seconds:.3g}"
                    rows.append((format_flops(budget), *self._row(at), said))
        return PlanTable(
            label="Accuracy and latency: graphs than which none is as quick and better, on the problems of trials",
            headings=("budget a query", "graph", "FLOPs a query", "sequential tokens", "accuracy", "seconds"),
            rows=tuple(rows),
        )

    def shape_picture(self) -> Picture:
        """Accuracy by depth, a line for each width."""
        budget, lines = self.budgets[-1], []
        for width in range(1, self.table.num_nodes):
            points, intervals = [], []
            for depth, own in self._shapes_there_are():
                at = self.shaped(budget, depth=depth, width=width)
                if own == width and at is not None:
                    quality = self.table.again(self.table.configurations[at]).quality
                    points.append((float(depth), quality.value))
                    if quality.lo is not None and quality.hi is not None:
                        intervals.append((quality.lo, quality.hi))
            if points:
                line = Line(
                    label=f"width {width}", points=tuple(points), intervals=tuple(intervals), made=self.table.made
                )
                lines.append(line)
        return Picture(
            name="shapes",
            title=f"The best graph of each width and depth, for {format_flops(budget)} a query",
            x="depth",
            y="accuracy",
            lines=tuple(lines),
        )

    def _shapes_there_are(self) -> list[tuple[int, int]]:
        return sorted({(dag.depth, dag.width) for dag in self.table.dags})

    def _row(self, at: int) -> tuple[str, ...]:
        dag, quality = self.table.dags[at], self.table.again(self.table.configurations[at]).quality
        within = "" if quality.lo is None or quality.hi is None else f" ({quality.lo:.3f} to {quality.hi:.3f})"
        return (
            dag.words,
            format_flops(float(self.table.price_C[at])),
            f"{self.table.sequential_tokens(dag):g}",
            f"{format_quality(quality.value)}{within}",
        )


def _models(dag: Dag) -> set[str]:
    """Those that run; a vote runs none."""
    return {node.model for node in dag.nodes if node.model}
