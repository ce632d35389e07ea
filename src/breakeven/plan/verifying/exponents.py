"""How the best numbers of solutions and of verdicts grow with the compute of a query."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from breakeven.choice.frontier import paired_values, prices_of, resampled
from breakeven.choice.prices import per_query
from breakeven.errors import argument_error
from breakeven.records.options import Option

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponent:
    """Of a power law in the FLOPs of a query."""

    value: float
    lo: float | None
    """Lower end of the 90 % interval over resamplings of the problems; None where they are not known."""
    hi: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponents:
    """S and V of the best option at each budget, as powers of the budget."""

    solutions: Exponent
    verdicts: Exponent
    num_budgets: int
    """A factor of 2 apart."""
    censored: int
    """At so many of them the best S or the best V is the largest there is."""


def exponents(options: Sequence[Option], *, draws: int = 1000, seed: int = 0) -> Exponents:
    """The exponents of a family of S x V.

    Args:
        options: their settings hold `k` and `num_verdicts`, both from 1.
        draws: resamplings of the problems, where all options know them.
        seed: of these.

    Raises:
        ArgumentError: all cost nearly the same, so that there are no two budgets.

    Estimator:
        Least squares of log S, and of log V, on the log of the budget, over budgets a factor of 2 apart from the
        cheapest option to the dearest; at each the best option that costs no more, of equals the cheaper. In each
        resampling the best is chosen anew. S and V that end at the grid's largest bend the law: `censored`.

    Source:
        The laws of arXiv 2504.01005, section 5; how theirs were regressed is not said in what is released.
    """
    price_O = prices_of(options, per_query)
    order = np.argsort(price_O, kind="stable")
    price_O = price_O[order]
    size_2O = np.log([[float(options[place].settings[key]) for place in order] for key in ("k", "num_verdicts")])
    budget_B = price_O[0] * 2.0 ** np.arange(int(np.log2(price_O[-1] / price_O[0]) + 1e-9) + 1)
    if len(budget_B) < 2:
        rule = "cost FLOPs per query that differ by a factor of 2 at least"
        raise argument_error("options", rule, f"{price_O[0]:.4g} to {price_O[-1]:.4g}")
    last_B = np.searchsorted(price_O, budget_B * (1 + 1e-9), side="right")
    centred_B = np.log(budget_B) - np.log(budget_B).mean()

    def slopes(value_DO: Floats) -> tuple[Floats, npt.NDArray[np.intp]]:
        best_DB = np.stack([value_DO[:, :last].argmax(axis=1) for last in last_B], axis=1)
        return size_2O[:, best_DB] @ centred_B / (centred_B**2).sum(), best_DB

    value_1O = np.array([[options[place].quality.value for place in order]])
    (solutions, verdicts), ((*best_B,),) = slopes(value_1O)
    intervals: list[tuple[float | None, float | None]] = [(None, None), (None, None)]
    if all(each.quality.value_P for each in options):
        value_OP = paired_values([options[place] for place in order])
        pieces = [slopes(value_DO)[0] for value_DO in resampled(value_OP, draws, seed)]
        drawn_2D = np.concatenate(pieces, axis=1)
        intervals = [tuple(np.quantile(each, (0.05, 0.95)).tolist()) for each in drawn_2D]
    largest_2 = size_2O.max(axis=1)
    return Exponents(
        solutions=Exponent(value=float(solutions[0]), lo=intervals[0][0], hi=intervals[0][1]),
        verdicts=Exponent(value=float(verdicts[0]), lo=intervals[1][0], hi=intervals[1][1]),
        num_budgets=len(budget_B),
        censored=int((size_2O[:, best_B] >= largest_2[:, None]).any(axis=0).sum()),
    )
