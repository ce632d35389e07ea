"""T^2: parameters, training tokens and samples in one law, so that all three can be chosen before training.

The values are accuracies: Pass@K, the share of problems solved by one of K samples. Roberts et al. model the mean over
problems of -log Pass@K: to fit that, give exp(-mean), the geometric mean, in place of the accuracy. Which of the forms
holds differs from run to run, and none is to be extrapolated without its error on held-out points.

Source:
    Roberts et al. 2604.01411: approach 1 (additive), approach 2 (Beta). The constants that they fitted to their tasks
    are not public. The product form is ours: the exponential law of Brown et al. 2407.21787, log Pass@K = a K^-b, whose
    a is a law of the model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import betaln, expit

from breakeven import check
from breakeven.plan.laws.law import Columns, Floats, Law
from breakeven.plan.laws.powers import power_parameters, power_start, sum_of_powers

MODEL: Final = ("params", "train_tokens")
_UNIT: Final = "accuracy"
_SOURCE: Final = "Roberts et al. 2604.01411"


def t2_additive(*model: str) -> Law:
    """-log Pass@K = E + A / N^a + B / D^b + G / K^g.

    Args:
        model: the axes beside k; none: params and train_tokens. Of one size it is train_tokens alone.
    """
    columns = (*(model or MODEL), "k")
    start = power_start(*columns)
    return Law(
        name="T^2 additive",
        columns=columns,
        parameters=power_parameters(*columns),
        formula=lambda x, p: np.exp(-sum_of_powers(x, p, columns)),
        start=lambda random, x, values: start(random, x, _minus_log(values)),
        unit=_UNIT,
        source=f"{_SOURCE}, approach 1",
    )


def t2_product(*model: str) -> Law:
    """-log Pass@K = (E + A / N^a + B / D^b) K^-g: what one sample lacks shrinks by the same factor for every model."""
    axes = model or MODEL
    start = power_start(*axes)
    return Law(
        name="T^2 product",
        columns=(*axes, "k"),
        parameters=(*power_parameters(*axes), "g"),
        formula=lambda x, p: np.exp(-sum_of_powers(x, p, axes) * x["k"] ** -p["g"]),
        start=lambda random, x, values: [*start(random, x, 2 * _minus_log(values)), float(random.uniform(0.1, 1.0))],
        unit=_UNIT,
        source="ours, after Brown et al. 2407.21787",
    )


def t2_beta(*model: str) -> Law:
    """Pass@K of problems whose solve rates follow a Beta law, whose mean and concentration follow the loss.

    The loss is a latent one where the points hold none: A / N^a + B / D^b, whose floor and unit are in t0 and A. With
    "loss" as the only axis it is the loss that was measured.

    The mean is c / (1 + exp(t1 (L - t0))), the concentration exp(t3 + t4 L); t1 is 1 for a latent loss.
    """
    axes = model or MODEL
    measured = axes == ("loss",)
    start = power_start(*axes)

    def formula(x: Columns, p: Columns) -> Floats:
        loss = x["loss"] if measured else sum_of_powers(x, {**p, "log_E": np.array(-np.inf)}, axes)
        mean = expit(p["logit_c"]) * expit((np.exp(p["log_t1"]) if measured else 1.0) * (p["t0"] - loss))
        return pass_at_k(mean, np.exp(p["t3"] + p["t4"] * loss), x["k"])

    def begin(random: np.random.Generator, x: Columns, values: Floats) -> list[float]:
        rest = [float(random.uniform(0.0, 4.0)), float(random.uniform(-1.0, 3.0)), float(random.uniform(-0.5, 0.5))]
        if measured:
            return [float(random.uniform(-1.0, 2.0)), float(np.quantile(x["loss"], random.uniform())), *rest]
        latent = start(random, x, np.full_like(values, random.uniform(1.0, 6.0)))[1:]
        return [*latent, float(random.uniform(0.0, 4.0)), *rest]

    return Law(
        name="T^2 Beta",
        columns=(*axes, "k"),
        parameters=(*(("log_t1",) if measured else power_parameters(*axes)[1:]), "t0", "logit_c", "t3", "t4"),
        formula=formula,
        start=begin,
        unit=_UNIT,
        source=f"{_SOURCE}, approach 2",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """A size, and what the budgets leave for it."""

    params: float
    train_tokens: float
    k: float
    """Not rounded."""
    quality: float


def best_size(
    quality: Callable[[Columns], Floats],
    *,
    train_flops: float,
    inference_flops: float,
    sizes: tuple[float, float] = (1e3, 1e13),
) -> Sized:
    """The size of highest quality, if 6 N D training FLOPs and 2 N K inference FLOPs are both spent to the end.

    Args:
        quality: of columns params, train_tokens and k, higher being better: `lambda x: fitted.predict(x).value`.
        train_flops: C_train.
        inference_flops: C_inf, for each token served: as many samples as it pays for are drawn.
        sizes: parameters, from where to where to look. A size of which not even one sample can be paid is left out.

    Returns:
        To about 1e-6 of the size, where one is better than all near it; else the end of `sizes` that is best.

    Raises:
        ArgumentError: the least size costs more than `inference_flops` for one sample.

    Source:
        Roberts et al. 2604.01411: D = C_train / 6 N, K = C_inf / 2 N.
    """
    check.positive("train_flops", train_flops)
    check.positive("inference_flops", inference_flops)
    low, high = sizes
    check.between("sizes[0]", low, 1.0, min(high, inference_flops / 2), "One sample of a token costs 2 N FLOPs.")

    def spent(params: Floats) -> dict[str, Floats]:
        tokens = train_flops / (6 * params)
        return {"params": params, "train_tokens": tokens, "k": np.maximum(inference_flops / (2 * params), 1.0)}

    low_log, high_log = np.log(low), np.log(min(high, inference_flops / 2))
    for _ in range(4):  # each a hundredth of the one before
        grid = np.linspace(low_log, high_log, 401)
        found = quality(spent(np.exp(grid)))
        best = int(np.argmax(found))
        low_log, high_log = grid[max(best - 2, 0)], grid[min(best + 2, 400)]
    best_of = {name: float(column[best]) for name, column in spent(np.exp(grid)).items()}
    return Sized(**best_of, quality=float(found[best]))


def pass_at_k(mean: Floats | float, concentration: Floats | float, k: Floats | float) -> Floats:
    """Pass@K of problems whose solve rates follow Beta(mean x concentration, (1 - mean) x concentration).

    1 - (1 - mean)^K is above it, by Jensen's inequality.

    Source:
        Roberts et al. 2604.01411, approach 2: 1 - B(a, b + K) / B(a, b).

    >>> pass_at_k(0.1, 3.0, np.array([1.0, 10.0, 100.0])).round(4).tolist()
    [0.1, 0.3909, 0.677]
    """
    right, wrong = np.multiply(mean, concentration), np.multiply(1.0 - np.asarray(mean), concentration)
    solved: Floats = -np.expm1(betaln(right, wrong + k) - betaln(right, wrong))
    return solved


def _minus_log(accuracies: Floats) -> Floats:
    return np.maximum(-np.log(accuracies), 1e-3)
