"""One way to split the tokens of a training between full precision and quantization-aware training, as measured."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from breakeven.plan.laws.law import Floats
from breakeven.plan.laws.qat import tokens_per_byte
from breakeven.plan.quantizing.grid import CLASSIC, NONE, Schedule


@dataclass(frozen=True, kw_only=True)
class Split:
    """Trainings that differ in their seed alone."""

    model: str
    """Size and duration, in words."""
    size: str
    params: float
    """N, those that are quantized."""
    bits: int
    """Of the weights; 0: full precision."""
    tokens: float
    """D, of both phases."""
    fraction: float
    """Share of them with quantized weights."""
    schedule: Schedule = NONE
    level: float
    """Training FLOPs that it stands for: splits of one level are held against each other."""
    loss_SP: tuple[tuple[float, ...], ...]
    """Nats of each seed and problem; one problem where only means are known."""
    problems: str = ""
    """Which problems these are; empty: only means are known."""
    train_flops: float
    evaluation_flops: float = 0.0
    query_flops: float
    weight_bytes: float
    query_bytes: float

    @cached_property
    def loss_S(self) -> tuple[float, ...]:
        """By seed."""
        return tuple(np.mean(self.loss_SP, axis=1).tolist())

    @property
    def loss(self) -> float:
        """Mean over seeds."""
        return float(np.mean(self.loss_S))

    @property
    def per_byte(self) -> float:
        """S: tokens for each byte of the quantized parameters."""
        return float(tokens_per_byte(self.tokens, self.params, self.bits))

    @property
    def is_inside(self) -> bool:
        """Whether it has both phases."""
        return 0 < self.fraction < 1

    @property
    def how(self) -> str:
        """Bits and share, in words."""
        if not self.bits:
            return "full precision"
        if not self.fraction:
            return f"{self.bits} bits, quantized after training"
        if self.fraction == 1:
            return f"{self.bits} bits, QAT from the start"
        schedule = "" if self.schedule == NONE else f", {self.schedule}"
        return f"{self.bits} bits, QAT for {100 * self.fraction:g} %{schedule}"

    @property
    def name(self) -> str:
        """Of the option."""
        return f"{self.model}, {self.how}"


def of_common_seeds(splits: Sequence[Split]) -> list[Split]:
    """Each with the first seeds alone, as many as all have: seeds differ by more than bits, and so are paired."""
    common = min((len(each.loss_SP) for each in splits), default=0)
    return [replace(each, loss_SP=each.loss_SP[:common]) for each in splits]


@dataclass(frozen=True, kw_only=True)
class Group:
    """All splits of one size, duration and number of bits."""

    inside: tuple[Split, ...]
    """With both phases on one schedule, or on whatever schedule a table's are, by ascending share; never empty."""
    classic: tuple[Split, ...]
    """The same on a schedule for each phase."""
    after: Split | None
    """Quantized after training."""
    start: Split | None
    """Quantized from the start."""

    @property
    def name(self) -> str:
        """Size, duration and bits."""
        return f"{self.inside[0].model} at {self.inside[0].bits} bits"

    @property
    def best(self) -> Split:
        """Of the least loss among those with both phases."""
        return min(self.inside, key=lambda each: each.loss)

    @property
    def all(self) -> tuple[Split, ...]:
        """By ascending share, without those on two schedules."""
        return (*filter(None, (self.after,)), *self.inside, *filter(None, (self.start,)))

    @cached_property
    def loss_FSP(self) -> Floats:
        """Of those with both phases on one schedule."""
        return np.array([each.loss_SP for each in self.inside])


def groups_of(splits: Iterable[Split]) -> Iterator[Group]:
    """Splits by size, duration and bits, in the order in which they come; none without a split that has both phases."""
    by_key: dict[tuple[str, float, int], list[Split]] = {}
    for each in splits:
        if each.bits:
            by_key.setdefault((each.model, each.level, each.bits), []).append(each)
    for own in by_key.values():
        inside = sorted((each for each in own if each.is_inside), key=lambda each: each.fraction)
        if any(each.schedule != CLASSIC for each in inside):
            yield Group(
                inside=tuple(each for each in inside if each.schedule != CLASSIC),
                classic=tuple(each for each in inside if each.schedule == CLASSIC),
                after=next((each for each in own if each.fraction == 0), None),
                start=next((each for each in own if each.fraction == 1), None),
            )


def kinds_of(groups: Sequence[Group]) -> dict[tuple[str, int], list[Group]]:
    """Groups by size and bits, each from the shortest duration to the longest."""
    found: dict[tuple[str, int], list[Group]] = {}
    for each in groups:
        found.setdefault((each.inside[0].size, each.inside[0].bits), []).append(each)
    return {kind: sorted(own, key=lambda each: each.inside[0].tokens) for kind, own in found.items()}
