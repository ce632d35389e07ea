"""What a fitted law says of a training that is planned: the best size at each K, with the error that the law has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from breakeven.plan.laws.fit import FAR, Fitted
from breakeven.plan.laws.law import Floats
from breakeven.plan.sizing.best import ends
from breakeven.records import Made
from breakeven.records.plans import Finding, PlanTable
from breakeven.report.format import format_flops

_GRID: Final = 401
OVER_MODELS: Final = "interval over models"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Best:
    """The best size for so many training FLOPs by a law of accuracy."""

    params: float
    params_D: Floats
    """By the law in each resampling of the models."""
    train_tokens: float
    k: float
    accuracy: float
    at_end: bool
    """Whether it lies at an end of the sizes that were looked at, and so need not be the best."""
    made: Made


def best_for(fitted: Fitted, train_flops: float, k_of: Callable[[Floats], Floats]) -> Best:
    """The size of the highest accuracy if 6 N D training FLOPs are spent to the end.

    Args:
        fitted: a law of params, train_tokens and k, to be relied on.
        train_flops: C_train.
        k_of: samples by size: as many for all, or what a budget per query pays for.

    Estimator:
        On 401 sizes, up to 4 times beyond those measured on either side.

    Source:
        Roberts et al. 2604.01411: the highest of the law under 6 N D = C_train.
    """
    low, high = fitted.ranges["params"]
    params_N = np.geomspace(low / FAR, high * FAR, _GRID)
    columns = {"params": params_N, "train_tokens": train_flops / (6 * params_N), "k": k_of(params_N)}
    accuracy_N = fitted.law.at(np.array([[*fitted.parameters.values()]]), columns)[0]
    at = int(np.argmax(accuracy_N))
    told = fitted.predict({name: column[at] for name, column in columns.items()})
    return Best(
        params=float(params_N[at]),
        params_D=params_N[np.argmax(fitted.law.at(fitted.draws_DP, columns), axis=1)],
        train_tokens=float(columns["train_tokens"][at]),
        k=float(columns["k"][at]),
        accuracy=float(accuracy_N[at]),
        at_end=at in (0, _GRID - 1),
        made=told.made,
    )


def planned_table(
    fitted: Fitted, train_flops: Sequence[float], k_values: Sequence[float]
) -> tuple[PlanTable, list[Finding]]:
    """The best size by a law for each training budget: at each K, and at each cost of a query, 2 N K FLOPs a token."""
    middle = float(np.sqrt(np.prod(fitted.ranges["params"])))
    rows, findings = list[tuple[str, ...]](), list[Finding]()
    for flops in train_flops:
        for words, k_of in (("K = {}", _same), (f"the cost of K = {{}} at {middle:.2g} parameters", _paid)):
            bests = [best_for(fitted, flops, partial(k_of, k=k, params=middle)) for k in k_values]
            for k, best in zip(k_values, bests, strict=True):
                lo, hi = ends(np.append(best.params_D, best.params))
                ratio = flops / (6 * best.params**2)
                rows.append(
                    (
                        format_flops(flops),
                        words.format(f"{k:g}"),
                        f"{best.params:.3g} ({lo:.3g} to {hi:.3g}){', the end of the range' if best.at_end else ''}",
                        f"{ratio:.3g} ({flops / (6 * hi**2):.3g} to {flops / (6 * lo**2):.3g})",
                        f"{best.k:.3g}",
                        f"{best.accuracy:.3f}",
                        str(best.made),
                    )
                )
            few, many = bests[0], bests[-1]
            ratio_D = np.append(many.params_D / few.params_D, many.params / few.params)
            lo, hi = ends(ratio_D)
            declared = [words.format(f"{k:g}") for k in (k_values[-1], k_values[0])]
            text = (
                f"Ratio of the parameters best at {format_flops(flops)} of training for {declared[0]} to those for "
                f"{declared[1]}, by {fitted.law.name}, which misses by {fitted.error:.3f} ({OVER_MODELS})"
            )
            made = Made.EXTRAPOLATED if Made.EXTRAPOLATED in (few.made, many.made) else Made.FORECAST
            findings.append(Finding(text=text, value=float(ratio_D[-1]), lo=lo, hi=hi, made=made))
    headings = ("training", "a query may cost", "parameters", "tokens per parameter", "samples", "accuracy", "made")
    label = f"Best size by {fitted.law.name}, which misses by {fitted.error:.3f} ({OVER_MODELS})"
    return PlanTable(label=label, headings=headings, rows=tuple(rows)), findings


def _same(params_N: Floats, *, k: float, params: float) -> Floats:
    """As many samples, whatever the size."""
    return np.full_like(params_N, k)


def _paid(params_N: Floats, *, k: float, params: float) -> Floats:
    """As many as the FLOPs of `k` samples of a model of `params` pay for, at least one."""
    paid: Floats = np.maximum(1.0, k * params / params_N)
    return paid
