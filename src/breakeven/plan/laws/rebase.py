"""The best size of model to answer with, for a number of FLOPs a question."""

from typing import Final

from breakeven import check
from breakeven.plan.laws.law import Law
from breakeven.plan.laws.powers import power_law

SLOPE: Final = 1.19
INTERCEPT: Final = 2.03
"""log10 C = 1.19 log10 N + 2.03: Pythia models on grade-school problems, no interval given."""


def best_params(query_flops: float) -> float:
    """Parameters of the model that answers best at so many FLOPs a question.

    Args:
        query_flops: C, of the model alone: reward models are not counted.

    Source:
        Wu et al. 2408.00724, inference scaling laws: a regression of the best size on FLOPs.

    >>> f"{best_params(1e13):.2e}", f"{best_params(1e14):.3e}"
    ('1.65e+09', '1.145e+10')
    """
    check.positive("query_flops", query_flops)
    return float((query_flops / 10**INTERCEPT) ** (1 / SLOPE))


def best_params_law() -> Law:
    """The same form, to be fitted to best sizes of one's own: column query_flops, values parameters."""
    return power_law("query_flops", name="best size", unit="parameters", source="Wu et al. 2408.00724")
