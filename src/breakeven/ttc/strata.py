"""Pass@K of problems whose earlier answers are known: laws of two families, within strata of like earlier successes.

Pure and deterministic. Near 0 the solve rates of all problems follow no Beta law, which few samples cannot show; what
a problem's answers at earlier checkpoints were tells the hopeless from the nearly solved. What it is worth, and why one
checkpoint alone does without: docs/design/calibrated-estimators.md.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, expit, log_expit, ndtr

from breakeven.ttc.beta_binomial import log_prior

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_MOST, _LEAST = 4, 50
"""Strata at most, and problems in each at least: with fewer, the priors of the laws tell more than the problems."""
_ENDS, _STEP, _FINE_FROM = 12.0, 0.25, 64
"""Solve rates are told apart in steps of so many logits, from minus to plus the end. Beyond so many samples a problem,
which tell rates apart more finely, the steps are halved at each fourfold."""
_LOG_ALPHA, _LOG_BETA, _BETAS = (-4.0, 4.0), (-4.0, 6.0), 41
"""Grid of the Beta laws, and its points along either axis; weighed as where one law stands for all problems."""
_CENTRES, _SPREADS = np.linspace(-10.0, 6.0, 55), np.geomspace(0.3, 8.0, 19)
"""Grid of the logit-normal laws: mean and sd, in logits. The mean is flat."""
_SPREAD_AT, _SPREAD_SD = 2.0, 0.6
"""Prior of that sd: median, and sd of its log."""
_DEPTH, _TINY = 6.0, 1e-300
"""The log weight below the peak that is left out; likelihoods are kept above the other, so that they have a log."""


def strata_of(right_P: Counts, answers_P: Counts) -> Counts | None:
    """The stratum of each problem by its share of right answers, 0 for the hardest; None where they do not part.

    Problems of equal shares stay together, and each stratum holds about as many of the rest as there are left to fill.

    Args:
        right_P: right answers per problem, at checkpoints before.
        answers_P: how many there were, 0 or more. Each problem counts with one more of average accuracy, so that few
            wrong answers tell less than many.

    >>> strata = strata_of(np.array([0] * 150 + [1] * 60 + [4] * 60), np.full(270, 4))
    >>> strata[[0, 150, 210]].tolist()
    [0, 1, 2]
    """
    mean = right_P.sum() / max(1, answers_P.sum())
    _, place_P, problems_S = np.unique((right_P + mean) / (answers_P + 1), return_inverse=True, return_counts=True)
    stratum_S = np.zeros(len(problems_S), dtype=np.int64)
    stratum, held, left = 0, 0, len(right_P)
    for place, problems in enumerate(problems_S.tolist()):
        stratum_S[place] = stratum
        held += problems
        if stratum < _MOST - 1 and held >= max(_LEAST, left / (_MOST - stratum)) and left - held >= _LEAST:
            stratum, held, left = stratum + 1, 0, left - held
    return stratum_S[place_P] if stratum else None


def predict_strata(
    correct_P: Counts, samples_P: Counts, k_K: Counts, strata_P: Counts, baseline_P: Floats
) -> tuple[tuple[Floats, Floats, Floats, Floats], tuple[float, ...]]:
    """What `beta_binomial.predict` tells, as of one cell, shape (1, K); and the parameters of the curve.

    The variance of the draws holds that of the laws. Of each stratum, hardest first, the parameters are the number of
    problems, their mean solve rate, and how probable a Beta law is.

    >>> correct, ones = np.array([0] * 50 + [2] * 50), np.ones(100, dtype=int)
    >>> moments, parameters = predict_strata(correct, 2 * ones, np.array([1, 2]), np.repeat([0, 1], 50), 0.5 * ones)
    >>> moments[0].round(2).tolist(), parameters[::3]  # half the problems are out of reach, the others always solved
    ([[0.5, 0.51]], (50.0, 50.0))
    """
    size = len(correct_P)
    fail_PK, own_PK = np.empty((size, len(k_K))), np.empty((size, len(k_K)))
    law_K, parameters = np.zeros(len(k_K)), list[float]()
    for stratum in range(int(strata_P.max()) + 1):
        held = strata_P == stratum
        fail_PK[held], own_PK[held], of_law_K, rate, beta_weight = _one_stratum(correct_P[held], samples_P[held], k_K)
        law_K += of_law_K
        parameters += [float(held.sum()), rate, beta_weight]
    own_K = own_PK.mean(axis=0)
    gain_PK = 1.0 - fail_PK - baseline_P[:, None]
    moments_K = (
        1.0 - fail_PK.mean(axis=0),
        own_K / size + law_K / size**2,
        (fail_PK.var(axis=0) + own_K) / size,
        (gain_PK.var(axis=0) + own_K) / size,
    )
    mean, variance, choice, paired = (each[None, :] for each in moments_K)
    return (mean, variance, choice, paired), tuple(parameters)


def _one_stratum(correct_P: Counts, samples_P: Counts, k_K: Counts) -> tuple[Floats, Floats, Floats, float, float]:
    """Chance that K samples fail, mean and variance per problem (P, K); variance of their sum by the law, (K,).

    Then the mean solve rate, and the weight of the Beta laws. Laws and solve rates are sums over a grid.
    """
    logit_M, mass_LM, log_prior_L, betas = _laws(max(0, int(np.ceil(np.log2(samples_P.max() / _FINE_FROM) / 2.0))))
    base = int(samples_P.max()) + 1
    pairs, place_P, problems_G = np.unique(correct_P * base + samples_P, return_inverse=True, return_counts=True)
    right_G, drawn_G = np.divmod(pairs, base)
    log_right_M, log_wrong_M = log_expit(logit_M), log_expit(-logit_M)
    log_GM = np.outer(right_G, log_right_M) + np.outer(drawn_G - right_G, log_wrong_M)
    chance_GM = np.exp(log_GM - log_GM.max(axis=1, keepdims=True))
    evidence_LG = np.maximum(mass_LM @ chance_GM.T, _TINY)
    log_weight_L = log_prior_L + np.log(evidence_LG) @ problems_G
    log_weight_L -= log_weight_L.max()
    kept = log_weight_L > -_DEPTH
    weight_L = np.exp(log_weight_L[kept])
    weight_L /= weight_L.sum()
    mass_LM, inverse_LG = mass_LM[kept], 1.0 / evidence_LG[kept]

    fail_MK = np.exp(np.outer(log_wrong_M, k_K))
    sum_LK = (mass_LM * ((inverse_LG * problems_G) @ chance_GM)) @ fail_MK
    rate_GM = chance_GM * ((weight_L[:, None] * inverse_LG).T @ mass_LM)  # how a problem's solve rate is distributed
    fail_GK = rate_GM @ fail_MK
    own_GK = np.maximum(rate_GM @ np.square(fail_MK) - np.square(fail_GK), 0.0)
    rate = float(problems_G @ rate_GM @ expit(logit_M)) / len(correct_P)
    beta_weight = float(weight_L[np.flatnonzero(kept) < betas].sum())
    return fail_GK[place_P], own_GK[place_P], weight_L @ np.square(sum_LK - weight_L @ sum_LK), rate, beta_weight


@lru_cache(maxsize=4)
def _laws(halvings: int) -> tuple[Floats, Floats, Floats, int]:
    """Solve rates in logits (M,); mass of each law at them (L, M); log prior (L,); how many laws are Beta laws.

    Either family has half of the prior. The outermost rates stand for all beyond, 0 and 1 included.
    """
    step = _STEP / 2**halvings
    logit_M = np.linspace(-_ENDS, _ENDS, 1 + round(2 * _ENDS / step))
    edge_E = np.concatenate([[-np.inf], logit_M[1:] - 0.5 * step, [np.inf]])
    log_alpha, log_beta = np.meshgrid(np.linspace(*_LOG_ALPHA, _BETAS), np.linspace(*_LOG_BETA, _BETAS), indexing="ij")
    log_alpha_L, log_beta_L = log_alpha.ravel(), log_beta.ravel()
    beta_LE = betainc(np.exp(log_alpha_L)[:, None], np.exp(log_beta_L)[:, None], expit(edge_E))
    centre, spread = (each.ravel() for each in np.meshgrid(_CENTRES, _SPREADS, indexing="ij"))
    normal_LE = ndtr((edge_E - centre[:, None]) / spread[:, None])
    priors = (
        np.exp(log_prior(log_alpha_L, log_beta_L)),
        np.exp(-0.5 * np.square(np.log(spread / _SPREAD_AT) / _SPREAD_SD)),
    )
    log_prior_L = np.log(np.concatenate([each / each.sum() for each in priors]))
    return logit_M, np.diff(np.concatenate([beta_LE, normal_LE]), axis=1), log_prior_L, len(log_alpha_L)
