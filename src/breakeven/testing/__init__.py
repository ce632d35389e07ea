"""Public test doubles: banks and runs of known rates, samplers and reward models too, and a conformance suite.

For tests of your own sampler, policy or report. Needs neither torch nor a model; all draws are functions of a seed.
"""

from breakeven.testing.conformance import check_sampler, check_segment_sampler
from breakeven.testing.pass_sampler import PassSampler
from breakeven.testing.rates import RateSampler, RateVerifier
from breakeven.testing.reward_conformance import check_reward_model
from breakeven.testing.segments import DigitSampler, NoisyReward, right_so_far
from breakeven.testing.synthetic import synthetic_bank, synthetic_run

__all__ = [
    "DigitSampler",
    "NoisyReward",
    "PassSampler",
    "RateSampler",
    "RateVerifier",
    "check_reward_model",
    "check_sampler",
    "check_segment_sampler",
    "right_so_far",
    "synthetic_bank",
    "synthetic_run",
]
