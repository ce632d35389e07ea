"""What differs between a model that writes texts and one that gives classes, as `Watching` asks for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from breakeven.adapters.asked import Asked
from breakeven.cost.tokens import ModelCost


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loop:
    """What a training loop tells of itself."""

    model: Any
    """That is trained, without the wrapper of several processes."""
    tokenizer: Any = None
    """Its own; None: it has none."""
    collate: Callable[[list[Any]], Any] | None = None
    """Makes its batches of rows; None: it does not tell."""
    training_data: Any = None
    """Its rows; None: it does not tell."""
    seed: int
    """By which problems are chosen."""
    verified: bool
    """Whether a decision is to be verified."""


class Count(Protocol):
    """Counts what a module is trained on."""

    @property
    def so_far(self) -> tuple[int, int, int]:
        """Tokens, sequences and rows in this process since it was attached."""
        ...

    def rollout_flops(self, cost: ModelCost, generated_elsewhere: float = 0.0) -> float:
        """FLOPs of what is sampled to be trained on."""
        ...

    def detach(self) -> None:
        """Count no more; what was counted stays."""
        ...


class Subject(Protocol):
    """What a model in training is measured on, and counted by."""

    @property
    def count(self) -> Count:
        """Of what it is trained on."""
        ...

    @property
    def session_settings(self) -> Mapping[str, Any]:
        """Arguments of a `Session` that it leaves no choice of."""
        ...

    @property
    def kind(self) -> str:
        """What a model has to be, in words."""
        ...

    def fits(self, module: Any) -> bool:
        """Whether a module is such a model."""
        ...

    def begin(self, loop: Loop) -> tuple[Asked | None, Any]:
        """What is asked, in the first process at least, and the sampler of this process; every process has to call.

        What of it is trained on as well is said.

        Raises:
            ArgumentError: anything that the user has to change, in every process.
        """
        ...

    def cost(self, loop: Loop) -> ModelCost:
        """FLOPs of a token.

        Raises:
            ArgumentError: they cannot be told.
        """
        ...

    def attach(self, loop: Loop, references: Sequence[Any]) -> None:
        """Count from now on, from 0.

        Args:
            loop: whose model is counted at.
            references: modules that score samples for the training of the model.
        """
        ...
