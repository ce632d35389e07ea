"""A larger model, or more generations of a small one: at how many times the inference both take the same FLOPs.

Three accountings of one equality, which differ in who is charged for a verifier. None charges what it takes to tell how
difficult a problem is.
"""

from dataclasses import dataclass
from typing import Final

from breakeven import check

_TRAINED: Final = 6.0
"""FLOPs for each parameter and token of training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """FLOPs for each parameter and token of inference, on either side."""

    small: float
    large: float
    source: str


VERIFIER_FREE: Final = Accounting(small=2.0, large=2.0, source="Snell et al. 2408.03314, version 1: M + 3 (M - 1) / R")
VERIFIER_BOTH: Final = Accounting(
    small=4.0, large=4.0, source="Snell et al., ICLR 2025, a verifier reads every token: M + 1.5 (M - 1) / R"
)
VERIFIER_SMALL: Final = Accounting(
    small=4.0, large=2.0, source="ours, a greedy large model needs no verifier: M / 2 + 1.5 (M - 1) / R"
)
ACCOUNTINGS: Final = (VERIFIER_FREE, VERIFIER_BOTH, VERIFIER_SMALL)


def exchange(accounting: Accounting, *, size: float, tokens_ratio: float) -> float:
    """How many times the inference of the large model the small one may spend, pretraining counted on both sides.

    Args:
        accounting: who is charged for what. Say which, for the same R is another point in each.
        size: M, parameters of the large model over those of the small one.
        tokens_ratio: R = D_inf / D_pre, tokens of inference for one of pretraining; infinity: pretraining is free.

    Raises:
        ArgumentError: a size below 1, or a ratio that is not above 0.

    Source:
        Snell et al. 2408.03314, section 7, solved for the multiplier: 6 + x small R = M (6 + large R).

    >>> [round(exchange(VERIFIER_SMALL, size=14, tokens_ratio=ratio), 2) for ratio in (0.08, 0.4, 11)]
    [250.75, 55.75, 8.77]
    """
    check.finite("size", size, 1)
    check.above("tokens_ratio", tokens_ratio, 0)
    return (size * accounting.large + (size - 1) * _TRAINED / tokens_ratio) / accounting.small
