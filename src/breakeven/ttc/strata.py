"""Pass@K of problems whose earlier answers are known: laws of two families, within strata of like earlier successes.

Pure and deterministic. Near 0 the solve rates of all problems follow no Beta law, which few samples cannot show; what
a problem's answers at earlier checkpoints were tells the hopeless from the nearly solved. What it is worth, and why one
checkpoint alone does without: docs/design/calibrated-estimators.md.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, expit, log_expit, ndtr

from breakeven.ttc.beta_binomial import log_prior
from breakeven.ttc.strategies.pass_at_k import placed

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_MOST, _LEAST = 4, 50
"""Strata at most, and problems in each at least: with fewer, the priors of the laws tell more than the problems."""
_ENDS, _STEP, _FINE_FROM = 12.0, 0.25, 64
"""Solve rates are told apart in steps of so many logits, from minus to plus the end. Beyond so many samples a problem,
which tell rates apart more finely, the steps are halved at each fourfold."""
_LOG_ALPHA, _LOG_BETA, _BETAS = (-4.0, 4.0), (-4.0, 6.0), 33
"""Grid of the Beta laws, and its points along either axis; weighed as where one law stands for all problems."""
_CENTRES, _SPREADS = np.linspace(-10.0, 6.0, 41), np.geomspace(0.3, 8.0, 15)
"""Grid of the logit-normal laws: mean and sd, in logits. The mean is flat."""
_SPREAD_AT, _SPREAD_SD = 1.0, 0.8
"""Prior of that sd: median, and sd of its log. Problems of a stratum are more alike than all problems are."""
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
    even = bool((answers_P == answers_P[:1]).all())  # then counts are in the order of shares, and need no sorting
    _, problems_S, place_P = placed(right_P if even else (right_P + mean) / (answers_P + 1))
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
) -> tuple[tuple[Floats, Floats, Floats, Floats], tuple[float, ...]] | None:
    """What `beta_binomial.predict` tells, as of one cell, shape (1, K); and the parameters of the curve.

    None where the strata do not differ: where one law for all makes the counts as probable as a law for each.

    The variance of the draws holds that of the laws. Of each stratum, hardest first, the parameters are the number of
    problems, their mean solve rate, and how probable a Beta law is.

    >>> correct, ones = np.array([0] * 50 + [2] * 50), np.ones(100, dtype=int)
    >>> moments, parameters = predict_strata(correct, 2 * ones, np.array([1, 2]), np.repeat([0, 1], 50), 0.5 * ones)
    >>> moments[0].round(2).tolist(), parameters[::3]  # half the problems are out of reach, the others always solved
    ([[0.5, 0.5]], (50.0, 50.0))
    >>> predict_strata(correct, 2 * ones, np.array([1, 2]), np.tile([0, 1], 50), 0.5 * ones) is None
    True
    """
    size = len(correct_P)
    held = [strata_P == stratum for stratum in range(int(strata_P.max()) + 1)]
    strata = [_Weighed.by(correct_P[each], samples_P[each]) for each in held]
    if sum(each.log_evidence for each in strata) <= _Weighed.by(correct_P, samples_P).log_evidence:
        return None
    # sums over problems, made of sums over groups of equal counts
    fail_K, square_K, own_K, product_K, law_K = np.zeros((5, len(k_K)))
    parameters = list[float]()
    for place_P, stratum in zip(held, strata, strict=True):
        fail_GK, own_GK, of_law_K, rate, beta_weight = stratum.predict(k_K)
        baseline_G = np.bincount(stratum.place_P, baseline_P[place_P], len(fail_GK))
        fail_K += stratum.problems_G @ fail_GK
        square_K += stratum.problems_G @ np.square(fail_GK)
        own_K += stratum.problems_G @ own_GK
        product_K += baseline_G @ fail_GK
        law_K += of_law_K
        parameters += [float(place_P.sum()), rate, beta_weight]
    fail_K, square_K, own_K, product_K = fail_K / size, square_K / size, own_K / size, product_K / size
    before, before_square = float(baseline_P.mean()), float(np.square(baseline_P).mean())
    spread_K = np.maximum(square_K - np.square(fail_K), 0.0)
    gain_square_K = 1.0 - 2.0 * fail_K + square_K - 2.0 * before + 2.0 * product_K + before_square
    gain_spread_K = np.maximum(gain_square_K - np.square(1.0 - fail_K - before), 0.0)
    moments_K = 1.0 - fail_K, own_K / size + law_K / size**2, (spread_K + own_K) / size, (gain_spread_K + own_K) / size
    mean, variance, choice, paired = (each[None, :] for each in moments_K)
    return (mean, variance, choice, paired), tuple(parameters)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Laws:
    """Laws of both families over a grid of solve rates, whose outermost stand for all beyond, 0 and 1 included."""

    log_right_M: Floats
    log_wrong_M: Floats
    mass_LM: Floats
    """Of each law at each solve rate."""
    log_prior_L: Floats
    num_betas: int
    """How many laws are Beta laws, the first of them."""


@lru_cache(maxsize=4)
def _laws(halvings: int) -> _Laws:
    """The laws, with the steps between solve rates halved so often. Either family has half of the prior."""
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
    return _Laws(
        log_right_M=log_expit(logit_M),
        log_wrong_M=log_expit(-logit_M),
        mass_LM=np.diff(np.concatenate([beta_LE, normal_LE]), axis=1),
        log_prior_L=np.log(np.concatenate([0.5 * each / each.sum() for each in priors])),
        num_betas=len(log_alpha_L),
    )


@lru_cache(maxsize=8)  # samples as many as before, of which there are as a rule as many a problem, group alike
def _evidence(pairs: tuple[int, ...], base: int) -> tuple[_Laws, Floats, Floats, Floats]:
    """The laws for groups of counts; `chance_GM`, `evidence_LG` of `_Weighed`, and the log of the latter."""
    laws = _laws(max(0, int(np.ceil(np.log2((base - 1) / _FINE_FROM) / 2.0))))
    right_G, drawn_G = np.divmod(np.array(pairs), base)
    log_GM = np.outer(right_G, laws.log_right_M) + np.outer(drawn_G - right_G, laws.log_wrong_M)
    chance_GM = np.exp(log_GM - log_GM.max(axis=1, keepdims=True))
    evidence_LG = np.maximum(laws.mass_LM @ chance_GM.T, _TINY)
    return laws, chance_GM, evidence_LG, np.log(evidence_LG)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Weighed:
    """Laws, weighed by some problems' counts. Laws and solve rates are sums over a grid."""

    laws: _Laws
    place_P: npt.NDArray[np.intp]
    """Which group of equal counts each problem belongs to."""
    problems_G: Counts
    chance_GM: Floats
    """Of the counts of a group at each solve rate, over that at the likeliest one."""
    evidence_LG: Floats
    """The same under each law."""
    log_weight_L: Floats

    @classmethod
    def by(cls, correct_P: Counts, samples_P: Counts) -> Self:
        base = int(samples_P.max()) + 1
        pair_P = correct_P * base + samples_P
        pairs, problems_G, place_P = placed(pair_P)
        keeping = len(pairs) <= base  # of problems with unequal numbers of samples no groups come again
        found = _evidence if keeping else _evidence.__wrapped__
        laws, chance_GM, evidence_LG, log_LG = found(tuple(pairs.tolist()), base)
        return cls(
            laws=laws,
            place_P=place_P,
            problems_G=problems_G,
            chance_GM=chance_GM,
            evidence_LG=evidence_LG,
            log_weight_L=laws.log_prior_L + log_LG @ problems_G,
        )

    @property
    def log_evidence(self) -> float:
        """Of all counts, up to what depends on the counts alone."""
        # scipy.special.logsumexp and softmax to the last bit, each in a twentieth of the time
        top = self.log_weight_L.max()
        at_top_L = self.log_weight_L == top
        others = np.exp(np.where(at_top_L, -np.inf, self.log_weight_L) - top).sum() / at_top_L.sum()
        return float(np.log1p(others) + np.log(float(at_top_L.sum())) + top)

    def predict(self, k_K: Counts) -> tuple[Floats, Floats, Floats, float, float]:
        """Chance that K samples fail, mean and variance by group (G, K); variance of its sum by the law, (K,).

        Then the mean solve rate, and the weight of the Beta laws.
        """
        kept = self.log_weight_L > self.log_weight_L.max() - _DEPTH
        weight_L = np.exp(self.log_weight_L[kept] - self.log_weight_L.max())
        weight_L /= weight_L.sum()
        mass_LM, inverse_LG = self.laws.mass_LM[kept], 1.0 / self.evidence_LG[kept]
        fail_MK = np.exp(np.outer(self.laws.log_wrong_M, k_K))
        sum_LK = (mass_LM * ((inverse_LG * self.problems_G) @ self.chance_GM)) @ fail_MK
        rate_GM = self.chance_GM * ((weight_L[:, None] * inverse_LG).T @ mass_LM)  # the law of a problem's solve rate
        fail_GK = rate_GM @ fail_MK
        own_GK = np.maximum(rate_GM @ np.square(fail_MK) - np.square(fail_GK), 0.0)
        rate = float(self.problems_G @ rate_GM @ np.exp(self.laws.log_right_M)) / len(self.place_P)
        beta_weight = float(weight_L[np.flatnonzero(kept) < self.laws.num_betas].sum())
        law_K = weight_L @ np.square(sum_LK - weight_L @ sum_LK)
        return fail_GK, own_GK, law_K, rate, beta_weight
