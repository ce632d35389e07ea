"""Pretraining and then reinforcement learning: how FLOPs are best split between them.

The constants are of chess models of 5M to 1B parameters, rounded, and read in a summary alone: the shares of RL that
follow are within 3 points of the published ones, not equal. On other tasks they say nothing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven import check
from breakeven.plan.laws.law import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainRL:
    """R = f(L) + g(N, T) (log10 C_RL - 20), the reward after RL on a pretrained model. Higher is better.

    L(N, T) = loss_floor + loss_A N^-loss_alpha + loss_B T^-loss_beta is the pretraining loss, f(L) = start_floor +
    exp(start_log - start_slope L) the reward at 1e20 FLOPs of RL, and g = gain + gain_T log10 T + gain_N log10 N what
    another ten times of them add.
    """

    loss_floor: float
    loss_A: float
    loss_alpha: float
    loss_B: float
    loss_beta: float
    start_floor: float
    start_log: float
    start_slope: float
    gain: float
    gain_T: float
    gain_N: float
    source: str

    def loss(self, params: Floats | float, tokens: Floats | float) -> Floats:
        """Of pretraining, in nats."""
        parts = self.loss_floor + self.loss_A * np.power(params, -self.loss_alpha)
        return np.asarray(parts + self.loss_B * np.power(tokens, -self.loss_beta))

    def reward(self, params: Floats | float, tokens: Floats | float, rl_flops: Floats | float) -> Floats:
        """After RL on that checkpoint."""
        start = self.start_floor + np.exp(self.start_log - self.start_slope * self.loss(params, tokens))
        gain = self.gain + self.gain_T * np.log10(tokens) + self.gain_N * np.log10(params)
        return np.asarray(start + gain * (np.log10(rl_flops) - 20.0))


CHESS: Final = PretrainRL(
    loss_floor=0.414,
    loss_A=95.4,
    loss_alpha=0.404,
    loss_B=1.62e5,
    loss_beta=0.677,
    start_floor=0.0314,
    start_log=4.87,
    start_slope=12.85,
    gain=-0.216,
    gain_T=0.0172,
    gain_N=0.0098,
    source="Shen, Li et al. 2607.16097, as reported; near their shares, not equal",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What a budget is best spent on."""

    params: float
    train_tokens: float
    rl_flops: float
    share: float
    """Of RL in all FLOPs."""
    reward: float


def best_split(
    law: PretrainRL, flops: float, *, params: float | None = None, sizes: tuple[float, float] = (5e6, 1e9)
) -> Split:
    """The split of a budget between 6 N T FLOPs of pretraining and RL that gives the highest reward.

    Args:
        law: of the task.
        flops: of both together.
        params: of a size that is given; None: the best of `sizes`.
        sizes: those that the law was fitted to.

    Returns:
        To about a percent of the size and a tenth of a point of the share. A share of .01 or .9 is the end of the range
        that is looked at, where the law is nonsense.

    Source:
        Shen, Li et al. 2607.16097: the frontier of reward over total FLOPs.
    """
    check.positive("flops", flops)
    for name, given in (("params", 1.0 if params is None else params), ("sizes[0]", sizes[0]), ("sizes[1]", sizes[1])):
        check.positive(name, given)
    each_N = np.geomspace(*sizes, 400)[:, None] if params is None else np.array([[params]])
    share_S = np.linspace(0.01, 0.9, 891)
    tokens_NS, rl_S = (1 - share_S) * flops / (6 * each_N), share_S * flops
    reward_NS = law.reward(each_N, tokens_NS, rl_S)
    size, split = divmod(int(np.argmax(reward_NS)), len(share_S))
    return Split(
        params=float(each_N[size, 0]),
        train_tokens=float(tokens_NS[size, split]),
        rl_flops=float(rl_S[split]),
        share=float(share_S[split]),
        reward=float(reward_NS[size, split]),
    )
