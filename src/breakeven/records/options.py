"""One way to reach a quality: what it costs once, what it costs per query, and how good it is.

Every compute-optimal choice is one of options: a checkpoint with a strategy and K, a model size with its tokens, a
verifier with S and V, a pipeline. FLOPs spent once and FLOPs per query are kept apart, line by line, so that what a
paper leaves out can be left out here, and put back.
"""

from dataclasses import dataclass, field, replace
from typing import Final, Self, TypeAlias

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records.curves import Made, check_within

Setting: TypeAlias = str | int | float | bool
TRAINING: Final = "training"
MODEL: Final = "model"
REWARD_MODEL: Final = "reward model"
"""Names of the cost lines that every option has; those of `Option.one_off` come between."""
EVALUATION: Final = "evaluation"
"""The line of what was spent to know how good an option is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How good an option is, on a scale where higher is better: an accuracy, a score, minus a loss."""

    value: float
    lo: float | None = None
    """Lower end of the 90 % interval; None where nobody says."""
    hi: float | None = None
    made: Made = Made.MEASURED
    value_P: tuple[float, ...] = ()
    """Of each problem, their mean being `value`, so that options can be paired and resampled; empty: not known."""
    problems: str = ""
    """Which problems `value_P` is of, and in which order: options are paired where this and their number agree."""

    def __post_init__(self) -> None:
        check.number("quality", self.value)
        if (self.lo is None) != (self.hi is None):
            raise argument_error("quality", "have both ends of its interval or neither", (self.lo, self.hi))
        if self.lo is not None and self.hi is not None:
            check.number("lo", self.lo)
            check.number("hi", self.hi)
            check_within("quality", self.value, self.lo, self.hi)
        if self.value_P:
            check.numbers("value_P", self.value_P, "hold finite numbers", -check.LARGEST)

    @property
    def least(self) -> float:
        """What it is at least: the lower end of the interval, or the value where there is none."""
        return self.value if self.lo is None else self.lo

    def pairs_with(self, other: "Quality") -> bool:
        """Whether both are known problem by problem on the same problems."""
        same = self.problems == other.problems and len(self.value_P) == len(other.value_P)
        return same and bool(self.value_P)


UNRATED: Final = Quality(value=0.0)
"""Of options that are compared by what they cost alone: it says nothing of how good they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One of the ways to choose from. FLOPs count a multiply and an add as 2."""

    name: str
    settings: dict[str, Setting] = field(default_factory=dict)
    """What makes it this option: `step`, `strategy`, `k`, `num_verdicts`, `params`, ..."""
    train_flops: float = 0.0
    one_off: dict[str, float] = field(default_factory=dict)
    """Further FLOPs that are spent once, by line: evaluation, teacher, verifier, difficulty, search."""
    query_flops: float = 0.0
    """Of the model, per query."""
    reward_flops: float = 0.0
    """Of reward models, verifiers and judges, per query."""
    bytes_moved: float | None = None
    """Per query: weights and cache read from memory."""
    sequential_tokens: float | None = None
    """Tokens generated one after another per query."""
    seconds: float | None = None
    """Per query, measured."""
    quality: Quality

    def __post_init__(self) -> None:
        if not self.name or not isinstance(self.name, str):
            raise argument_error("name", "name the option", self.name)
        check.each_field(self, check.finite, "train_flops", "query_flops", "reward_flops")
        check.each_field(self, check.finite, "bytes_moved", "sequential_tokens", "seconds", unknown=True)
        for line, flops in self.one_off.items():
            if line in (TRAINING, MODEL, REWARD_MODEL):
                raise argument_error(f"one_off of {self.name}", f"not have a line {line}, which it has apart", line)
            check.finite(f"one_off[{line!r}]", flops)

    @property
    def once(self) -> float:
        """FLOPs spent before the first query."""
        total = self.train_flops
        for flops in self.one_off.values():
            total += flops
        return total

    @property
    def per_query(self) -> float:
        """FLOPs of a query, model and reward models."""
        return self.query_flops + self.reward_flops

    def total(self, queries: float) -> float:
        """FLOPs of a life of so many queries."""
        return self.once + queries * self.per_query

    @property
    def lines(self) -> tuple[str, ...]:
        """The names of its costs, as `without` takes them: those spent once, then those of a query."""
        return (TRAINING, *self.one_off, MODEL, REWARD_MODEL)

    def without(self, *lines: str) -> Self:
        """The same, some costs left out, as the accounting of a paper may have it. Lines that it lacks are not missed.

        >>> costly = Option(name="judged", query_flops=3.0, reward_flops=7.0, quality=Quality(value=0.6))
        >>> costly.per_query, costly.without("reward model").per_query
        (10.0, 3.0)
        """
        return replace(
            self,
            train_flops=0.0 if TRAINING in lines else self.train_flops,
            one_off={line: flops for line, flops in self.one_off.items() if line not in lines},
            query_flops=0.0 if MODEL in lines else self.query_flops,
            reward_flops=0.0 if REWARD_MODEL in lines else self.reward_flops,
        )

    @property
    def is_published(self) -> bool:
        """Whether its quality was read somewhere, and measured by nobody here."""
        return self.quality.made is Made.PUBLISHED
