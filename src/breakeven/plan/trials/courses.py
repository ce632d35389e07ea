"""What each method tries, trial by trial, on a table whose truth is known: how soon it comes within a point of it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from breakeven.plan.cells import Cells
from breakeven.plan.trials.archive import Archive, Evaluation, Proposer, Refusal
from breakeven.plan.trials.at_random import AtRandom
from breakeven.plan.trials.measured import Measured
from breakeven.plan.trials.method import Method, run_trials
from breakeven.plan.trials.rules import Rules
from breakeven.plan.trials.space import Configuration, Space
from breakeven.records.options import Quality

POINT: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What one method tried, in order: a cell."""

    places: tuple[int, ...]
    """Of the configurations, in the table."""
    num_random: int
    """Of them that the method did not propose, since it had nothing new."""
    stuck_at: tuple[int, ...] = ()
    """After how many trials the rules had no move left."""
    refused: dict[Refusal, int]
    proposer: Proposer | None = None
    """What a language model took, where one proposed."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """One method on one table, budget and number of problems, held against the truth."""

    table: Measured
    budget: float
    num_problems: int
    """That each trial sees."""
    seed: int
    """Of the method, and of which problems these are."""
    tried: Tried

    @cached_property
    def archive(self) -> Archive:
        """The trials as they were made; those over the budget were made to learn from, and are none to choose."""
        archive = Archive(space=self.table.space(self.budget), proposer=self.tried.proposer or Proposer())
        archive.refused.update(self.tried.refused)
        for place in self.tried.places:
            configuration = self.table.configurations[place]
            archive.add(configuration, self.table.seen(configuration, self.num_problems, self.seed), "")
        return archive

    @cached_property
    def course(self) -> tuple[tuple[float, float], ...]:
        """FLOPs so far, and the true accuracy of the best that was seen so far, after each trial."""
        spent, found = self.archive.proposer.flops or 0.0, list[tuple[float, float]]()
        best, truth = (-math.inf, -math.inf), 0.0
        for place, trial in zip(self.tried.places, self.archive.trials, strict=True):
            spent += trial.flops
            if trial.price <= self.budget and (trial.quality.value, -trial.price) > best:
                best, truth = (trial.quality.value, -trial.price), float(self.table.truth_C[place])
            found.append((spent, truth))
        return tuple(found)

    @cached_property
    def _within(self) -> int | None:
        """Place of the first trial after which the best that was seen is truly within a point of the optimum."""
        level = self.table.truth_C[self.table.optimum(self.budget)] - POINT
        return next((at for at, (_, truth) in enumerate(self.course) if truth >= level - 1e-12), None)

    @property
    def trials(self) -> float:
        """Until the best that was seen is truly within a point of the optimum; infinity: it never is."""
        return math.inf if self._within is None else self._within + 1.0

    @property
    def flops(self) -> float:
        """Of these trials; infinity likewise."""
        return math.inf if self._within is None else self.course[self._within][0]

    @property
    def truth(self) -> float:
        """Of what is chosen at the end."""
        return self.course[-1][1]

    @property
    def short(self) -> float:
        """How far what is chosen is below the optimum."""
        return float(self.table.truth_C[self.table.optimum(self.budget)]) - self.truth

    @property
    def optimism(self) -> float:
        """What the trials saw of what is chosen, less what is true of it."""
        best = self.archive.best
        assert best is not None
        return best.quality.value - self.truth


def course_of(
    table: Measured,
    budget: float,
    name: str,
    *,
    cells: Cells,
    num_trials: int,
    num_problems: int,
    seed: int = 0,
    make: Callable[[Space], Method] | None = None,
) -> Course:
    """One method's trials, as a cell.

    Args:
        table: of what is tried.
        budget: FLOPs per query.
        name: of the method.
        cells: of the plan.
        num_trials: at most; an exact method makes all that it needs.
        num_problems: that a trial sees.
        seed: of the method, and of which problems these are.
        make: the method for the space of that budget; None: by its name.
    """

    def make_trials() -> Tried:
        if make is None:
            space, method = table.method(name, budget, seed)
        else:
            space = table.space(budget)
            method = make(space)

        def evaluate(configuration: Configuration) -> Evaluation:
            found = table.seen(configuration, num_problems, seed)
            return Evaluation(quality=Quality(value=found.quality.value), flops=found.flops)

        most = space.size if name in table.exact else num_trials
        archive = run_trials(space, evaluate, method, num_trials=most, first=[table.default(budget)], seed=seed)
        return Tried(
            places=tuple(table.place(each.configuration) for each in archive.trials),
            num_random=sum(each.proposed_by == AtRandom.name != name for each in archive.trials),
            stuck_at=tuple(method.stuck_at) if isinstance(method, Rules) else (),
            refused=dict(archive.refused),
            proposer=archive.proposer if archive.proposer.calls else None,
        )

    key = f"trials {name}{table.condition} budget={budget!r} problems={num_problems} trials={num_trials} seed={seed}"
    tried = cells.of(key, Tried, make_trials)
    return Course(table=table, budget=budget, num_problems=num_problems, seed=seed, tried=tried)


def middle(values: Sequence[float]) -> tuple[float, float, float]:
    """Median and its 90 % interval over seeds; infinity stands for never.

    Estimator:
        Exact: order statistics, between which the median lies with at least that probability whatever the distribution;
        least and greatest where there are too few values.

    >>> middle([3.0, 1.0, 2.0])
    (2.0, 1.0, 3.0)
    """
    ordered, size = sorted(values), len(values)
    below, rank = 0.0, 0  # the chance that fewer than `rank` values lie below the median
    while rank < size // 2 and (below := below + math.comb(size, rank) / 2**size) <= 0.05:
        rank += 1
    at = max(0, rank - 1)
    first, second = ordered[(size - 1) // 2], ordered[size // 2]
    return (first if first == second else (first + second) / 2), ordered[at], ordered[size - 1 - at]
