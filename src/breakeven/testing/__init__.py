"""Public test doubles: banks and runs with known success rates, a sampler of known rates, a conformance suite.

For tests of your own sampler, policy or report. Needs neither torch nor a model; all draws are functions of a seed.
"""

from breakeven.testing.conformance import check_sampler
from breakeven.testing.rates import RateSampler, RateVerifier
from breakeven.testing.synthetic import synthetic_bank, synthetic_run

__all__ = ["RateSampler", "RateVerifier", "check_sampler", "synthetic_bank", "synthetic_run"]
