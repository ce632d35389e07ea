"""Chinchilla: the loss of a model of N parameters trained on D tokens, and the size to train if it is served much.

Published constants are of the authors' data, tokenizer and model family: on any other they say how things scale, not
what the loss will be. Rounded to two digits, as the paper prints them, they give wrong optima; so they are not here.
"""

from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from scipy.special import expit

from breakeven import check
from breakeven.errors import argument_error
from breakeven.plan.laws.law import Floats, Law
from breakeven.plan.laws.powers import power_sum

_Numbers = TypeVar("_Numbers", float, Floats)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chinchilla:
    """L(N, D) = E + A / N^alpha + B / D^beta, in nats a token."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    source: str

    def loss(self, params: _Numbers, tokens: _Numbers) -> _Numbers:
        """Nats a token."""
        loss: _Numbers = self.E + self.A / params**self.alpha + self.B / tokens**self.beta
        return loss

    def tokens_for(self, loss: float, params: float) -> float:
        """Training tokens after which so large a model has that loss; infinity: it never has."""
        left = loss - self.E - self.A / params**self.alpha
        return float((self.B / left) ** (1 / self.beta)) if left > 0 else np.inf

    def compute_optimal(self, train_flops: float) -> tuple[float, float]:
        """(N, D) of least loss at 6 N D training FLOPs.

        Source:
            Hoffmann et al. 2203.15556, equation 4.
        """
        check.positive("train_flops", train_flops)
        power = self.beta / (self.alpha + self.beta)
        ratio = (self.alpha * self.A / (self.beta * self.B)) ** (1 / (self.alpha + self.beta))
        params = ratio * (train_flops / 6) ** power
        return params, train_flops / (6 * params)

    def optimal_tokens(self, params: float) -> float:
        """Training tokens of the budget for which that size is compute-optimal."""
        return float((self.beta * self.B / (self.alpha * self.A) * params**self.alpha) ** (1 / self.beta))

    def elasticities(self, params: float, tokens: float) -> tuple[float, float]:
        """By how much the loss falls, in nats, for each e-fold of parameters, and of tokens."""
        return self.alpha * self.A / params**self.alpha, self.beta * self.B / tokens**self.beta


HOFFMANN: Final = Chinchilla(
    E=1.6934, A=406.4, B=410.7, alpha=0.3392, beta=0.2849, source="Hoffmann et al. 2203.15556, approach 3, unrounded"
)
BESIROGLU: Final = Chinchilla(
    E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658, source="Besiroglu et al. 2404.10102, a refit"
)


def chinchilla_law() -> Law:
    """The same form, to be fitted to losses of one's own: columns params and train_tokens."""
    source = "Hoffmann et al. 2203.15556, equation 2"
    return power_sum("params", "train_tokens", name="Chinchilla", unit="nats", source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """A model that has a loss at the least FLOPs of training and serving together."""

    params: float
    train_tokens: float
    flops: float
    """6 N D of training, and 2 N of each token served."""
    saved: float
    """Share of the FLOPs that the compute-optimal model of that loss would take, trained and served."""
    more_data: float
    """Training tokens over those of the compute-optimal model."""


def sardana(law: Chinchilla, *, loss: float, inference_tokens: float) -> Lifetime:
    """The size to train if so many tokens are served at a loss that is given: smaller, and trained for longer.

    Args:
        law: of which constants the result depends; show it with others beside it.
        loss: to be reached, in nats, above E.
        inference_tokens: D_inf, read and generated over the model's life.

    Not counted:
        Attention; that a token generated one by one keeps hardware less busy than one trained on.

    Source:
        Sardana et al. 2401.00448, equation 3: min 6 N D + 2 N D_inf at fixed loss.

    >>> base = 30e9, HOFFMANN.optimal_tokens(30e9)
    >>> best = sardana(HOFFMANN, loss=HOFFMANN.loss(*base), inference_tokens=1e13)
    >>> f"{best.params:.3g} parameters on {best.more_data:.2f} times the data save {best.saved:.1%}"
    '1.39e+10 parameters on 2.74 times the data save 26.5%'
    """
    check.finite("inference_tokens", inference_tokens)
    if not law.E < loss < np.inf:
        raise argument_error("loss", f"be finite and above {law.E}, which no model goes below", loss)
    # (N, D) of the loss, by the share of the reducible loss that is left to the parameters: no size is out of reach.
    reducible = loss - law.E

    def sizes(share: float) -> tuple[float, float]:
        return (law.A / (share * reducible)) ** (1 / law.alpha), (law.B / ((1 - share) * reducible)) ** (1 / law.beta)

    def log_flops(logit: float) -> float:
        params, tokens = sizes(float(expit(logit)))
        return float(np.log(6 * params * tokens + 2 * params * inference_tokens))

    from scipy.optimize import minimize_scalar  # a third of what `import breakeven` would take

    found = minimize_scalar(log_flops, bounds=(-20.0, 20.0), method="bounded", options={"xatol": 1e-10})
    params, tokens = sizes(float(expit(found.x)))
    base_params, base_tokens = sizes(law.beta / (law.alpha + law.beta))
    flops = 6 * params * tokens + 2 * params * inference_tokens
    base = 6 * base_params * base_tokens + 2 * base_params * inference_tokens
    return Lifetime(
        params=params, train_tokens=tokens, flops=flops, saved=1 - flops / base, more_data=tokens / base_tokens
    )
