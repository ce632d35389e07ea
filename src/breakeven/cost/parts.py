"""What a network is made of: matrix multiplies and attention, in blocks, and what they compute of one reading."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from breakeven import check
from breakeven.cost.tokens import pairs_in_window

At: TypeAlias = Literal["tokens", "source", "outputs"] | float
"""Positions: every token; every token of the source that an encoder reads for a decoder; those at which an output is
wanted; or a fixed number in each input, as the patches of an image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matmul:
    """A weight matrix, or a convolution's kernel, that positions are multiplied with.

    Args:
        name: as of the Linear layers of transformers' Llama where one does the same, such as q_proj.
        inputs: numbers that one output is made of.
        outputs: numbers made at a position.
        times: how many such matrices a position meets: of experts those that it visits.
        stored: how many are stored; None: as many as are met, 0: tied to others.
        at: the positions.
        shared: computed once a batch, for all its sequences.
    """

    name: str
    inputs: float
    outputs: float
    times: float = 1
    stored: float | None = None
    at: At = "tokens"
    shared: bool = False

    @property
    def weights(self) -> float:
        """Parameters that one position is multiplied with."""
        return self.inputs * self.outputs * self.times

    @property
    def params(self) -> float:
        """Parameters that are stored."""
        return self.weights if self.stored is None else self.inputs * self.outputs * self.stored

    def multiply_adds(self, reading: "Reading") -> float:
        """Of one sequence."""
        return self.weights * reading.positions(self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Products of positions with one another, without parameters.

    Args:
        width: heads times head width; where scores and values differ in width, their mean.
        sees: what a position attends to: itself and those before, all, the encoder's source, or a fixed number.
        window: the most it attends to; 0: no such limit.
        at: the positions that attend.
    """

    width: float
    sees: Literal["before", "all", "source"] | float = "before"
    window: float = 0
    at: At = "tokens"

    def multiply_adds(self, reading: "Reading") -> float:
        """Of one sequence: 2 d for each pair of a position and one it attends to."""
        return 2 * self.width * self._pairs(reading)

    def _pairs(self, reading: "Reading") -> float:
        new = reading.positions(self.at)
        if self.sees == "source":
            return new * reading.source
        if isinstance(self.sees, float | int):
            return 0.0 if reading.cached else new * self.sees
        before = reading.cached if self.at == "tokens" else 0.0
        if self.sees == "all":
            return new * (min(new + before, self.window) if self.window else new + before)
        if self.window:
            return pairs_in_window(before + new, self.window) - pairs_in_window(before, self.window)
        return new * before + new * (new + 1) / 2


Part: TypeAlias = Matmul | Attention


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Parts that follow one another, such as a layer.

    Args:
        stages: in forward order; the parts of one stage read the same input.
        copies: how many such blocks follow one another.
        is_layer: whether it is one of those that layers are counted by; a stem, a pooler and a head are none.
        is_stored_once: whether all copies have the same weights (ALBERT).
    """

    stages: tuple[tuple[Part, ...], ...]
    copies: int = 1
    is_layer: bool = True
    is_stored_once: bool = False

    @property
    def parts(self) -> Iterator[Part]:
        """Of one copy."""
        return (part for stage in self.stages for part in stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one sequence gives a network to compute in one go.

    Args:
        tokens: new ones; of an encoder-decoder those of the decoder; of a network of images not used.
        cached: tokens whose keys and values are kept from before.
        source: tokens of the text that an encoder reads for a decoder.
        outputs: positions at which an output is wanted; None: all new tokens.
    """

    tokens: float
    cached: float = 0
    source: float = 0
    outputs: float | None = None

    def __post_init__(self) -> None:
        check.each_field(self, check.finite, "tokens", "cached", "source")
        check.each_field(self, check.finite, "outputs", unknown=True)

    def positions(self, at: At) -> float:
        """How many positions are computed; source and fixed ones are not computed again after something is cached."""
        if at == "tokens":
            return self.tokens
        if at == "outputs":
            return self.tokens if self.outputs is None else self.outputs
        if self.cached:
            return 0.0
        return self.source if at == "source" else float(at)
