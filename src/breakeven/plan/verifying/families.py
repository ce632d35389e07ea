"""The options of a pool of solutions, by family: votes, and the best or a weighted vote by what a verifier says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from breakeven.eval.intervals import mean_and_interval
from breakeven.records.options import Option, Quality
from breakeven.records.plans import PlanTable
from breakeven.ttc.pool import Pool
from breakeven.ttc.strategies.best_of_n import best_of_n
from breakeven.ttc.strategies.generative_verification import generative_verification
from breakeven.ttc.strategies.majority_vote import majority_vote
from breakeven.ttc.strategies.measured import Measured
from breakeven.ttc.strategies.weighted_vote import weighted_vote

Floats = npt.NDArray[np.float64]
Rule: TypeAlias = Literal["best_of_n", "weighted_vote"]
RULES: Final[dict[Rule, str]] = {"best_of_n": "best", "weighted_vote": "weighted vote"}
"""What is served, and how it is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Options that differ in how much is spent on a query, and are held against another such family."""

    name: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What the options of a family share."""

    train_flops: float = 0.0
    """Of the solver."""
    one_off: dict[str, float] = field(default_factory=dict)
    problems: str
    """Which problems the pool is of."""
    solution_flops: Callable[[int], float]
    """Of drawing so many solutions of a query."""
    reward_flops: Callable[[int], float] = field(default=lambda num_verdicts: 0.0)
    """Of so many verdicts on one solution, or of its score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Families:
    """What solving and verifying come to, wherever the samples are from."""

    voted: Family
    by_verdicts: tuple[Family, ...]
    """S x V, of each generative verifier and rule."""
    by_scores: tuple[Family, ...] = ()
    trained_on: Family | None = None
    """Votes of the solver trained on instead; None: that is not known."""
    tables: tuple[PlanTable, ...] = ()
    notes: tuple[str, ...] = ()
    not_counted: tuple[str, ...] = ()

    @property
    def verifying(self) -> tuple[Family, ...]:
        """All that verify."""
        return self.by_verdicts + self.by_scores


def powers(most: int) -> tuple[int, ...]:
    """1, 2, 4, ... and `most`.

    >>> powers(12), powers(1)
    ((1, 2, 4, 8, 12), (1,))
    """
    return tuple(sorted({*(1 << power for power in range(most.bit_length())), most}))


def votes(name: str, pool: Pool, base: Base) -> Family:
    """One solution, and the vote of more: V = 0. The greedy one too, where it is known."""
    measured = majority_vote(pool, powers(pool.num_samples))
    options = [_option(f"{name}, greedy", "greedy", base, pool.greedy_P)] if pool.greedy_P is not None else []
    for place, k in enumerate(measured.k_values):
        what = f"{name}, " + ("one solution" if k == 1 else f"vote of {k}")
        accuracy_P = pool.correct_PN.mean(axis=1) if k == 1 else measured.accuracy_PK[:, place]
        options.append(_option(what, "majority_vote", base, accuracy_P, k=k))
    return Family(name=f"{name}, vote", options=tuple(options))


def verified(name: str, pool: Pool, base: Base, rule: Rule, *, num_draws: int = 8) -> Family:
    """S solutions with V verdicts on each, V from 1; of one solution, where they choose nothing, a single one.

    Args:
        name: of the verifier.
        pool: with `verdict_PNV`.
        base: what they share.
        rule: what is served.
        num_draws: random choices of V among the verdicts drawn.
    """
    assert pool.verdict_PNV is not None
    solutions, verdicts = powers(pool.num_samples), powers(pool.verdict_PNV.shape[2])
    results = generative_verification(pool, solutions, verdicts, rule=rule, num_draws=num_draws)
    options = [
        _option(f"{name}, {RULES[rule]} of {k} x {v}", rule, base, measured.accuracy_PK[:, place], k=k, num_verdicts=v)
        for v, measured in zip(verdicts, results, strict=True)
        for place, k in enumerate(solutions)
        if k > 1 or v == 1
    ]
    return Family(name=f"{name}, {RULES[rule]}", options=tuple(options))


def scored(name: str, pool: Pool, base: Base, rule: Rule) -> Family:
    """S solutions with a score each, S from 2.

    Args:
        name: of the scorer.
        pool: with `score_PN` in [0, 1].
        base: what they share.
        rule: what is served.
    """
    solutions = powers(pool.num_samples)[1:]
    measured: Measured = {"best_of_n": best_of_n, "weighted_vote": weighted_vote}[rule](pool, solutions)
    options = [
        _option(f"{name}, {RULES[rule]} of {k}", rule, base, measured.accuracy_PK[:, place], k=k, num_verdicts=1)
        for place, k in enumerate(solutions)
    ]
    return Family(name=f"{name}, {RULES[rule]}", options=tuple(options))


def _option(
    name: str, strategy: str, base: Base, accuracy_P: npt.ArrayLike, *, k: int = 1, num_verdicts: int = 0
) -> Option:
    value_P = np.clip(np.asarray(accuracy_P, dtype=np.float64), 0.0, 1.0)
    mean, _, lo, hi = mean_and_interval(value_P)
    return Option(
        name=name,
        settings={"strategy": strategy, "k": k, "num_verdicts": num_verdicts},
        train_flops=base.train_flops,
        one_off=base.one_off,
        query_flops=base.solution_flops(k),
        reward_flops=k * base.reward_flops(num_verdicts) if num_verdicts else 0.0,
        quality=Quality(value=mean, lo=lo, hi=hi, value_P=tuple(value_P.tolist()), problems=base.problems),
    )


def together(families: Sequence[Family], name: str = "") -> Family:
    """All options of some families as one."""
    return Family(name=name, options=tuple(each for family in families for each in family.options))
