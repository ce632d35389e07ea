"""The validation loss of one checkpoint: what the model still loses on known solutions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.errors import argument_error

LOSS_EDGES: Final = (0.001, 0.0025, 0.0063, 0.016, 0.04, 0.1, 0.25, 0.63, 1.6, 4.0, 10.0)
"""Where one bin of token losses ends and the next begins, in nats: five bins to a factor of 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationLoss:
    """Cross entropy of solutions of validation problems under the model, in nats a token, end tokens counted.

    The histogram tells apart two models of flat accuracy and equal mean: what is left may be spread over all tokens, as
    where a level is reached or several solutions are right; or it may be held by few tokens, while all others are
    certain, as where a skill has not clicked.
    """

    mean: float
    """Over all tokens."""
    num_tokens: int
    """Tokens behind it, end tokens counted."""
    tokens_by_loss: tuple[int, ...]
    """How many of them lose less than `LOSS_EDGES[0]`, from each edge up to the next, and from the last edge up."""
    mean_P: tuple[float | None, ...]
    """Of each problem over its own tokens, to three digits; None where its solution is not known, or was not read."""
    flops: float
    """FLOPs of measuring it; `Observation.evaluation_flops` contains them."""

    def __post_init__(self) -> None:
        check.each_field(self, check.finite, "mean", "flops")
        check.whole("num_tokens", self.num_tokens, 1)
        check.numbers("tokens_by_loss", self.tokens_by_loss, "hold counts")
        if len(self.tokens_by_loss) != len(LOSS_EDGES) + 1 or sum(self.tokens_by_loss) != self.num_tokens:
            rule = f"hold {len(LOSS_EDGES) + 1} counts, num_tokens {self.num_tokens} together"
            raise argument_error("tokens_by_loss", rule, list(self.tokens_by_loss))

    @classmethod
    def of(cls, losses: Sequence[npt.NDArray[np.float64]], *, flops: float) -> Self:
        """Of the token losses of each problem, in nats, empty where its solution is not known; one token at least.

        >>> loss = ValidationLoss.of([np.array([0.0, 2.0]), np.array([]), np.array([4.0])], flops=0.0)
        >>> loss.mean, loss.num_tokens, loss.tokens_by_loss[0], loss.tokens_by_loss[-3:], loss.mean_P
        (2.0, 3, 1, (1, 1, 0), (1.0, None, 4.0))
        """
        tokens = np.concatenate(losses)
        places = np.searchsorted(LOSS_EDGES, tokens, side="right")
        return cls(
            mean=float(tokens.mean()),
            num_tokens=len(tokens),
            tokens_by_loss=tuple(np.bincount(places, minlength=len(LOSS_EDGES) + 1).tolist()),
            mean_P=tuple(float(f"{each.mean():.3g}") if len(each) else None for each in losses),
            flops=flops,
        )
