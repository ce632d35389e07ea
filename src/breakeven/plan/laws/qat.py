"""Quantization-aware training: which share of the tokens should be trained with quantized weights.

Dremov et al. 2509.22935, read in summaries and reviews. The constant of the one-parameter fraction is published, and is
off by .07 to .10 on a coarse grid; the constants of the loss law are not public, and so not here.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from breakeven import check
from breakeven.plan.laws.law import Columns, Floats, Law
from breakeven.plan.laws.powers import power_parameters, power_start, sum_of_powers

FRACTION: Final = 6.7297
"""a of `optimal_fraction`, with natural logarithms."""
_AXES: Final = ("params", "bits")


def tokens_per_byte(tokens: Floats | float, params: Floats | float, bits: Floats | float) -> Floats:
    """S: training tokens for each byte that the quantized parameters take."""
    return np.asarray(tokens / (np.asarray(params) * bits / 8))


def optimal_fraction(per_byte: float, *, a: float = FRACTION) -> float:
    """The share of all tokens to train with quantized weights: exp(-a / log S).

    Args:
        per_byte: S, of all tokens, above 1: `tokens_per_byte`.
        a: fitted by the authors at 1 to 6 bits.

    Source:
        Dremov et al. 2509.22935, one-parameter form. The older rule of 10 % is right at S = 18.6 alone.

    >>> [round(optimal_fraction(each), 4) for each in (10, 100, 1000)]
    [0.0538, 0.2319, 0.3775]
    """
    check.above("per_byte", per_byte, 1, "Below one token a byte the formula says nothing.")
    check.positive("a", a)
    return math.exp(-a / math.log(per_byte))


def qat_law(axes: Sequence[str] = _AXES) -> Law:
    """Chinchilla's loss, and what quantized weights add to it.

    That is theta 2^(-kappa b) + phi 2^(-chi b) / (N^psi S_qat^omega) + lambda 2^(-mu b) / (N^nu S_fp^xi S_qat^rho), of
    columns params N, bits b, fp_tokens and qat_tokens, with S the tokens per byte of either phase. Single parameters
    trade off against each other by tens of percent where the loss and the best fraction hardly move: read predictions.

    Args:
        axes: which of params and bits the points differ in. What an axis of one value alone would
            change is in the other constants, and S counts tokens.
    """
    for each in axes:
        check.one_of("axis", each, _AXES)
    free = tuple(each for each in _AXES if each in axes)
    parts = ("params", "train_tokens") if "params" in free else ("train_tokens",)
    names = (
        *power_parameters(*parts),
        *(("log_theta", "kappa") if "bits" in free else ()),
        *("log_phi", "omega", "log_lambda", "xi", "rho"),
        *(("chi", "mu") if "bits" in free else ()),
        *(("psi", "nu") if "params" in free else ()),
    )

    def formula(x: Columns, p: Columns) -> Floats:
        params = x["params"] if "params" in free else 1.0
        bits = x["bits"] if "bits" in free else 8.0
        log_params, twos = np.log(params), math.log(2) * bits
        log_qat = np.log(tokens_per_byte(x["qat_tokens"], params, bits))
        log_fp = np.log(tokens_per_byte(x["fp_tokens"], params, bits))
        total = sum_of_powers(
            {"params": np.asarray(params), "train_tokens": x["fp_tokens"] + x["qat_tokens"]}, p, parts
        )
        alone = p["log_phi"] - p["omega"] * log_qat
        both = p["log_lambda"] - p["xi"] * log_fp - p["rho"] * log_qat
        if "bits" in free:
            total = total + np.exp(p["log_theta"] - p["kappa"] * twos)
            alone, both = alone - p["chi"] * twos, both - p["mu"] * twos
        if "params" in free:
            alone, both = alone - p["psi"] * log_params, both - p["nu"] * log_params
        found: Floats = total + np.exp(alone) + np.exp(both)
        return found

    def start(random: np.random.Generator, x: Columns, values: Floats) -> list[float]:
        tokens = x["fp_tokens"] + x["qat_tokens"]
        whole = power_start(*parts)(random, {"params": x["params"], "train_tokens": tokens}, values)
        log_params = float(np.log(x["params"]).mean()) if "params" in free else 0.0
        twos = math.log(2) * float(x["bits"].mean()) if "bits" in free else 0.0
        kappa, chi, mu, omega, xi, rho = random.uniform(0.1, 1.0, 6)
        psi, nu = random.uniform(0.0, 0.3, 2)
        small = np.log(np.median(values) * random.uniform(0.01, 0.2, 3))
        by_name = {
            **{"log_theta": small[0] + kappa * twos, "kappa": kappa},
            **{"log_phi": small[1] + chi * twos + psi * log_params, "chi": chi, "psi": psi, "omega": omega},
            **{"log_lambda": small[2] + mu * twos + nu * log_params, "mu": mu, "nu": nu, "xi": xi, "rho": rho},
        }
        return [*whole, *(float(by_name[name]) for name in names[len(whole) :])]

    return Law(
        name="QAT" if free == _AXES else f"QAT in {', '.join(('tokens', *free))}",
        columns=("fp_tokens", "qat_tokens", *free),
        parameters=names,
        formula=formula,
        start=start,
        unit="nats",
        source="Dremov et al. 2509.22935, loss law",
    )


def best_fraction(parameters: Mapping[str, float], *, params: float, tokens: float, bits: float) -> float:
    """The share of QAT of least loss at a total of tokens, from .001 to 1, by a law with these parameters.

    A share of 1 is training with quantized weights from the start: the best where xi is at most 0.

    Args:
        parameters: of a `qat_law`, of all axes or of some.
        params: N.
        tokens: of both phases.
        bits: of the weights.
    """
    if parameters["xi"] <= 0:
        return 1.0
    law = qat_law([axis for axis, exponent in (("params", "psi"), ("bits", "chi")) if exponent in parameters])
    share_F = np.linspace(0.001, 0.999, 999)
    split = {"params": np.full_like(share_F, params), "bits": np.full_like(share_F, bits)}
    split |= {"fp_tokens": (1 - share_F) * tokens, "qat_tokens": share_F * tokens}
    found = law.at(np.array([[parameters[name] for name in law.parameters]]), split)[0]
    return float(share_F[int(np.argmin(found))])


def fraction_rises(parameters: Mapping[str, float]) -> bool:
    """Whether the best share of QAT rises with the tokens per byte, as was found; a fit that denies it is suspect.

    Source:
        Ours, from the law: at fixed N, D and bits f minimises phi' (f S)^-omega + lambda' (1 - f)^-xi f^-rho
        S^-(xi + rho), so that the interaction fades the faster of the two exactly when omega < xi + rho.
    """
    return parameters["xi"] > 0 and parameters["omega"] < parameters["xi"] + parameters["rho"]
