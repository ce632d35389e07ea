"""How far training and inference can be exchanged for one another before either becomes too dear."""

import math
from dataclasses import dataclass

from breakeven import check
from breakeven.plan.laws.chinchilla import Chinchilla


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Orders of magnitude (factors of ten) between the ends of what may be exchanged at one loss."""

    inference: float
    training: float


def exchange_span(law: Chinchilla, *, rate: float = 6.0) -> Span:
    """The stretch of one loss on which an order of magnitude of either buys more than 1 / `rate` of the other.

    Args:
        law: of the loss. A model of another size takes IC = 2 N a token to serve, and TC = 6 N D to train.
        rate: at which either end of the stretch is reached: above 1.

    Returns:
        The same for every loss: the terms A / N^alpha and B / D^beta have shares of it that depend on the rate alone.

    Source:
        Villalobos and Atkinson, Trading off compute in training and inference, Epoch AI 2023. Along one loss
        d ln TC / d ln IC = 1 - a / b, a and b being what an e-fold of N and of D take off the loss; the stretch is from
        -1 / rate to -rate.
    """
    check.above("rate", rate, 1)
    ends = [1 + 1 / rate, 1 + rate]  # a / b
    # Of what the loss is above its floor: the share of the parameters' term, and of the tokens'.
    params = [ratio / law.alpha / (ratio / law.alpha + 1 / law.beta) for ratio in ends]
    small, large = (math.log10(share) / -law.alpha for share in reversed(params))
    few, many = (math.log10(1 - share) / -law.beta for share in params)
    return Span(inference=large - small, training=(many - few) - (large - small))
