"""What a query of an evaluation costs, from the lengths really drawn and what scoring or judging took."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from breakeven.cost.evaluation import scoring_of
from breakeven.cost.query import judging_flops, verdict_tokens
from breakeven.cost.samples import SampleCosts
from breakeven.cost.tokens import ModelCost
from breakeven.eval.samples import DrawnSamples
from breakeven.records import Reward
from breakeven.ttc.strategies.strategy import Strategy

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """FLOPs per token of who takes part; None where they are not known."""

    model: ModelCost | None
    reward: ModelCost | None = None
    num_verdicts: int = 0
    """V of a generative verifier; 0 for any other."""


class Prices:
    """What a query costs: `SampleCosts` of the model, and what scoring or judging one sample of a problem takes."""

    def __init__(self, samples: DrawnSamples, costs: Costs) -> None:
        self._samples, self._reward_cost, self._num_verdicts = samples, costs.reward, costs.num_verdicts
        self.output_tokens_P = np.array([np.mean(row) for row in samples.bank.output_tokens_PN])
        """Mean over the samples of a problem."""
        self.model = None if costs.model is None else SampleCosts.of(samples.bank, costs.model)
        """None where it is not known."""
        self._judging: dict[int, Floats] = {}
        """Reading (0), or judging so many times, one sample of each problem."""

    def model_flops(self, held: npt.NDArray[np.intp], samples_P: Floats, *, shared: bool) -> float | None:
        """Mean over the problems held of drawing `samples_P`; None where it is not known."""
        if self.model is None:
            return None
        return float(self.model.take(held).query_flops_K(samples_P[:, None], shared_prefill=shared)[0])

    def reward_flops(
        self, strategy: Strategy, held: npt.NDArray[np.intp], samples_P: Floats, num_verdicts: int
    ) -> float | None:
        """Mean over the problems held of scoring or judging `samples_P`; 0 for strategies that do neither."""
        if strategy.price == "samples":
            return 0.0
        if self._reward_cost is None:
            return None
        verdicts = num_verdicts or self._num_verdicts
        if verdicts not in self._judging:
            cost = self._reward_cost
            self._judging[verdicts] = np.array([_judge(row, cost, verdicts) for row in self._samples.rewards_PN])
        return float((samples_P * self._judging[verdicts][held]).mean())


def _judge(rewards: Sequence[Reward], cost: ModelCost, num_verdicts: int) -> float:
    """FLOPs of scoring one of a problem's samples, or of so many verdicts on it."""
    if not num_verdicts:
        return scoring_of(cost, rewards)
    read = [each.read_tokens for each in rewards]
    # All verdicts on a sample have the same length here, so that one stands for their mean.
    lengths = [verdict_tokens(each.output_tokens, max(1, len(each.verdicts)))[:1] for each in rewards]
    return judging_flops(cost, read, lengths, num_samples=1, num_verdicts=num_verdicts).reward_flops
