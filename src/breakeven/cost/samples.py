"""THE price of a query: what drawing samples costs on each problem, from the lengths really drawn.

A mean of prices, never the price at mean lengths: attention grows with the square of a length, and problems on which
more samples are drawn may have longer ones. Counted and not counted: see `breakeven.cost.tokens`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from breakeven.cost.query import TokenCost, sampling_flops
from breakeven.records import QueryFlops

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampleCosts:
    """FLOPs of one sample on each of P problems, mean over the samples drawn for it."""

    prefill_P: Floats
    """Reading the prompt."""
    decode_P: Floats
    """Writing one sample at temperature; NaN where none was drawn."""
    greedy_P: Floats
    """Writing the greedy one."""
    reward_P: Floats
    """A reward model scoring one sample; 0 where there is none."""

    @classmethod
    def of(
        cls,
        model: TokenCost,
        *,
        prompt_tokens_P: Sequence[int],
        greedy_tokens_P: Sequence[int],
        output_tokens_PN: Sequence[Sequence[int]],
        reward_P: Floats | None = None,
    ) -> Self:
        """From the lengths of prompts and samples, end tokens included; rows may differ in length, and be empty."""
        prefill_P = np.array([model.prefill_flops(prompt) for prompt in prompt_tokens_P])

        def decode(prompt: int, lengths: Sequence[int]) -> float:
            if not lengths:
                return np.nan
            return sampling_flops(model, prompt, lengths, num_samples=1).total - model.prefill_flops(prompt)

        return cls(
            prefill_P=prefill_P,
            decode_P=np.array([decode(*each) for each in zip(prompt_tokens_P, output_tokens_PN, strict=True)]),
            greedy_P=np.array(
                [decode(*each) for each in zip(prompt_tokens_P, [[n] for n in greedy_tokens_P], strict=True)]
            ),
            reward_P=np.zeros(len(prefill_P)) if reward_P is None else reward_P,
        )

    def take(self, kept: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Self:
        """Of some of the problems."""
        return type(self)(
            prefill_P=self.prefill_P[kept],
            decode_P=self.decode_P[kept],
            greedy_P=self.greedy_P[kept],
            reward_P=self.reward_P[kept],
        )

    @property
    def mean(self) -> QueryFlops:
        """One query, mean over the problems; with greedy samples where no others were drawn."""
        drawn_P = np.isfinite(self.decode_P)
        decode_P = self.decode_P[drawn_P] if drawn_P.any() else self.greedy_P
        return QueryFlops(prefill_flops=float(self.prefill_P.mean()), decode_flops=float(decode_P.mean()))

    @property
    def greedy_flops(self) -> float:
        """One query answered greedily."""
        return float((self.prefill_P + self.greedy_P).mean())

    def query_flops_K(self, samples_PK: Floats, *, shared_prefill: bool, rewarded: bool = False) -> Floats:
        """A query that draws so many samples on each problem, mean over the problems, shape (K,).

        Args:
            samples_PK: expected samples of each problem at each K.
            shared_prefill: whether the prompt is read once a query, or once a sample.
            rewarded: whether a reward model scores every sample.

        Estimator:
            Exact for K samples chosen at random. Of samples drawn in turn the product of expected samples and mean
            cost on each problem (Wald's equation).
        """
        sample_P = self.decode_P + (self.reward_P if rewarded else 0.0)
        prefills_PK = np.ones_like(samples_PK) if shared_prefill else samples_PK
        flops_K: Floats = (prefills_PK * self.prefill_P[:, None] + samples_PK * sample_P[:, None]).mean(axis=0)
        return flops_K
