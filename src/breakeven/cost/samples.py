"""THE price of a query: what drawing samples costs on each problem, from the lengths really drawn.

A mean of prices, never the price at mean lengths: attention grows with the square of a length, and problems on which
more samples are drawn may have longer ones. Counted and not counted: see `breakeven.cost.tokens`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Self

import numpy as np
import numpy.typing as npt

from breakeven.cost.query import TokenCost
from breakeven.records import QueryFlops, SampleBank

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampleCosts:
    """FLOPs of one sample on each of P problems, mean over the samples drawn for it."""

    prefill_P: Floats
    """Reading the prompt."""
    decode_P: Floats
    """Writing one sample at temperature; NaN where none was drawn."""
    greedy_P: Floats
    """Writing the greedy one; NaN where none was drawn."""
    reward_P: Floats
    """A reward model scoring one sample; 0 where there is none."""

    @classmethod
    def of(cls, bank: SampleBank, model: TokenCost, reward_P: Floats | float = 0.0) -> Self | None:
        """From the lengths of a bank's prompts and samples; None where they were not recorded.

        Args:
            bank: rows may differ in length, and be empty.
            model: what its tokens cost.
            reward_P: what scoring one sample costs, for all problems or for each.
        """
        if not bank.prompt_tokens_P:
            return None
        prefill_P = np.array([model.prefill_flops(prompt) for prompt in bank.prompt_tokens_P])

        def decode(prompt: int, lengths: Sequence[int]) -> float:
            return fmean(model.decode_flops(prompt, length - 1) for length in lengths) if lengths else np.nan

        prompts = bank.prompt_tokens_P
        greedy = [[length] for length in bank.greedy_tokens_P] or [[]] * bank.num_problems
        return cls(
            prefill_P=prefill_P,
            decode_P=np.array([decode(*each) for each in zip(prompts, bank.output_tokens_PN, strict=True)]),
            greedy_P=np.array([decode(*each) for each in zip(prompts, greedy, strict=True)]),
            reward_P=np.broadcast_to(np.asarray(reward_P, dtype=np.float64), prefill_P.shape),
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
