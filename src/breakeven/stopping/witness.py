"""Earlier runs as witnesses: where a run ends that has gone so far as they had, and how far they are to be believed.

On the logit scale, this run is an earlier one, a little faster or slower at first, plus an offset, a wandering part
that is forgotten, and noise. Given how much faster, and how near of kin the two are, that is a regression with a closed
form: it says how likely this run's checkpoints are, and where it goes on to. Speeds and kinship are averaged by that
likelihood. Held against the likelihood of the same checkpoints where nothing is known, a walk in log FLOPs, it is the
weight that the witnesses get beside the other members of the forecast. Pure; where the constants come from:
docs/design/forecast.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.special import expit, logit, logsumexp

from breakeven.records import Witness
from breakeven.stopping.density import Floats, mixed, of_normals
from breakeven.stopping.members import Curve

OFFSET, WANDER, SPEED = 0.1, 0.1, 0.1
"""Sd of the offset and the wandering part, in logits, and of the log of the speed, of runs that differ in the seed."""
MEMORY = 0.25
"""E-folds of training after which the wandering part is forgotten."""
NOISE = 0.8
"""Variance of what is measured over the binomial one."""
KINSHIP: Final = ((1.0, 0.5), (2.0, 0.3), (4.0, 0.2))
"""How many times as far apart as that two runs may be, and how likely."""
STRANGERS: Final = ((0.0, 0.2), (1.2, 0.7))
"""Mean and sd, in logits per e-fold of training, of a run of which nothing is known: one that levels off, one that
rises."""
_START = (-2.0, 2.5)
"""Mean and sd of the logit at which such a run starts."""
PRIOR = 1.5
"""Log odds of the witnesses before anything is seen."""
MOST = 0.9
"""Most weight that witnesses get: no number of them rules out what none of them did."""
_SPEEDS = np.linspace(-2.0, 2.0, 7)
_MOST_POINTS = 40
"""Of a longer curve so many checkpoints are used."""
_SAME_SIZE = 0.05
"""Difference in tokens per parameter up to which two runs are of one size."""
_FIRST = 1e-3
"""Share of the budget before which no checkpoint is taken to lie: the untrained model has no place on a log scale."""
_LEAST = 1e-6
"""Difference in shares of the budget that counts as none."""
_WAYS: Final = ((-np.sqrt(3.0), 1 / 6), (0.0, 2 / 3), (np.sqrt(3.0), 1 / 6))
"""Ways that a run is let go on to where its witnesses leave off, in sd about the mean, and the weight of each."""
_MOST_FILLED = 12
"""Checkpoints on such a way, or few more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What earlier runs say of this one."""

    weight: float
    """Of `cdf` beside the forecast without them, 0 to `MOST`."""
    number: int
    """Of those that had gone further than this run, and so had something to say."""
    cdf: Floats
    """Of the accuracy measured at the full budget, shape (Q,)."""
    reach: float
    """Share of the budget up to which they show the way, 1 for its end."""


@dataclass(frozen=True, slots=True)
class _Told:
    """This run as it goes on where it is like some witnesses, at every speed and kinship."""

    log_likelihood: float
    """Of its checkpoints until now."""
    weight_G: Floats
    share_A: Floats
    mean_GA: Floats
    variance_GA: Floats


def hear(
    curve: Curve,
    witnesses: Sequence[Witness],
    unseen: Callable[[Curve], Floats],
    *,
    baseline: str,
    decay_share: float | None = None,
) -> Heard | None:
    """What the witnesses that went further than this run say of its end; None where there is none.

    One that stopped before its end shows the way as far as it went: the forecast is made from there, along that way.
    So it is with one whose learning rate decayed over another share of the budget, from where either decay begins.

    Args:
        curve: of this run until now.
        witnesses: the earlier runs.
        unseen: the forecast from a curve without witnesses.
        baseline: decoding behind `curve`.
        decay_share: of this run, None if unknown.
    """
    now = float(curve.share[-1])
    matched = [[_matched(each, 1.0, baseline, decay_share) for each in witnesses]]
    if any(abs((each.token_ratio or 1.0) - 1.0) > _SAME_SIZE for each in witnesses):
        matched.append([_matched(each, each.token_ratio or 1.0, baseline, decay_share) for each in witnesses])
    heard = [[each for each in match if each[1] > now + _LEAST] for match in matched]
    groups = [group for match in heard for group in (*([each] for each in match), match if len(match) > 1 else [])]
    groups = [group for group in groups if group]
    if not groups:
        return None
    thin = _thinned(curve)
    told = [_told(thin, [each for each, _ in group], min(reach for _, reach in group)) for group in groups]
    likelihood = np.array([each.log_likelihood for each in told])
    evidence = float(logsumexp(likelihood) - np.log(len(told))) - _alone(thin)
    return Heard(
        weight=MOST * float(expit(PRIOR + evidence)),
        number=max(map(len, heard)),
        reach=max(float(each.share_A[-1]) for each in told),
        cdf=mixed(np.exp(likelihood - likelihood.max()), [_end(each, curve, unseen) for each in told]),
    )


def _matched(witness: Witness, ratio: float, baseline: str, decay_share: float | None) -> tuple[Curve, float]:
    """Its curve in shares of this run's budget, by FLOPs or by tokens per parameter; and how far it shows the way."""
    share, accuracy = np.array(witness.curve(baseline)).T
    share = np.maximum(share * ratio, _FIRST)
    reach, other = min(1.0, float(share[-1])), witness.decay_share
    if other is not None and decay_share is not None and (other != decay_share or ratio != 1.0):
        reach = min(reach, (1.0 - other) * ratio, 1.0 - decay_share)
    return Curve(share=share, accuracy=accuracy, num_problems=witness.num_problems), reach


def _told(curve: Curve, witnesses: Sequence[Curve], reach: float) -> _Told:
    """This run as the mean of the witnesses, plus what tells runs of one kind apart."""
    y_C, noise_C = _logits(curve)
    size, ahead_A = len(y_C), np.array([1.0])
    if reach < 1.0 - _LEAST:
        further = np.unique(np.concatenate([each.share for each in witnesses]))
        further = further[(further > curve.share[-1] + _LEAST) & (further < reach - _LEAST)]
        ahead_A = np.append(further[:: 1 + len(further) // _MOST_FILLED], reach)
    x = np.log(np.append(curve.share, ahead_A))
    scale_G, speed_G = (each.ravel() for each in np.meshgrid([scale for scale, _ in KINSHIP], _SPEEDS, indexing="ij"))
    prior_G = np.repeat(np.log([prior for _, prior in KINSHIP]), len(_SPEEDS)) - np.square(speed_G) / 2.0
    ahead_GX = (SPEED * scale_G * speed_G)[:, None] * (1.0 - np.minimum(np.exp(x), 1.0))  # all end at the same time
    then_GX = np.minimum(x + ahead_GX, np.log(reach))
    shape_GX, noise_GX = np.zeros_like(then_GX), np.zeros_like(then_GX)
    for each in witnesses:
        y_D, noise_D = _logits(each)
        shape_GX += np.interp(then_GX, np.log(each.share), y_D) / len(witnesses)
        noise_GX += np.interp(then_GX, np.log(each.share), noise_D) / len(witnesses) ** 2
    end_GA = expit(shape_GX[:, size:])
    noise_GX[:, :size] += noise_C
    noise_GX[:, size:] += NOISE / (curve.trials * end_GA * (1.0 - end_GA))

    like_XX = OFFSET**2 + WANDER**2 * np.exp(-np.abs(x[:, None] - x) / MEMORY)
    like_GXX = np.square(scale_G)[:, None, None] * like_XX
    within_GCC = like_GXX[:, :size, :size] + noise_GX[:, :size, None] * np.eye(size)
    off_GC = y_C - shape_GX[:, :size]
    log_G, white_GC, white_GCA = _whitened(within_GCC, off_GC, like_GXX[:, :size, size:])
    log_weight_G = log_G + prior_G
    total = logsumexp(log_weight_G)
    like_GA = np.square(scale_G)[:, None] * (OFFSET**2 + WANDER**2)
    return _Told(
        float(total - logsumexp(prior_G)),
        np.exp(log_weight_G - total),
        ahead_A,
        shape_GX[:, size:] + (white_GCA * white_GC[:, :, None]).sum(axis=1),
        like_GA - np.square(white_GCA).sum(axis=1) + noise_GX[:, size:],
    )


def _end(told: _Told, curve: Curve, unseen: Callable[[Curve], Floats]) -> Floats:
    """Distribution of the end: the witnesses' own, or the forecast from where they leave off."""
    if told.share_A[-1] >= 1.0 - _LEAST:
        return of_normals(told.weight_G, told.mean_GA[:, -1], np.sqrt(told.variance_GA[:, -1]), on_logits=True)
    mean_A = told.weight_G @ told.mean_GA
    sd_A = np.sqrt(told.weight_G @ (told.variance_GA + np.square(told.mean_GA - mean_A)))
    ways = [
        replace(
            curve,
            share=np.append(curve.share, told.share_A),
            accuracy=np.append(curve.accuracy, expit(mean_A + off * sd_A)),
        )
        for off, _ in _WAYS
    ]
    return mixed([weight for _, weight in _WAYS], [unseen(way) for way in ways])


def _alone(curve: Curve) -> float:
    """Log likelihood of the checkpoints of a run of which nothing is known."""
    y_C, noise_C = _logits(curve)
    gone_C = np.log(curve.share / curve.share[0])
    walked_CC = np.minimum(gone_C[:, None], gone_C)
    middle, start_sd = _START
    of_GCC = np.array([start_sd**2 + sd**2 * walked_CC + np.diag(noise_C) for _, sd in STRANGERS])
    off_GC = np.array([y_C - middle - drift * gone_C for drift, _ in STRANGERS])
    log_G, _, _ = _whitened(of_GCC, off_GC, of_GCC[:, :, :0])
    return float(logsumexp(log_G) - np.log(len(STRANGERS)))


def _whitened(within_GCC: Floats, off_GC: Floats, with_GCA: Floats) -> tuple[Floats, Floats, Floats]:
    """Log density of normal deviations with that covariance, and they and their covariance with others whitened."""
    root_GCC = np.linalg.cholesky(within_GCC)
    white = np.linalg.solve(root_GCC, np.concatenate([off_GC[:, :, None], with_GCA], axis=2))
    log_sd_G = np.log(np.diagonal(root_GCC, axis1=1, axis2=2)).sum(axis=1)
    log_G = -np.square(white[:, :, 0]).sum(axis=1) / 2.0 - log_sd_G - off_GC.shape[1] * np.log(2.0 * np.pi) / 2.0
    return log_G, white[:, :, 0], white[:, :, 1:]


def _logits(curve: Curve) -> tuple[Floats, Floats]:
    """The logit of each accuracy, kept off 0 and 1, and the variance of its noise."""
    kept_off = (curve.accuracy * curve.trials + 0.5) / (curve.trials + 1.0)
    return logit(kept_off), NOISE / (curve.trials * kept_off * (1.0 - kept_off))


def _thinned(curve: Curve) -> Curve:
    """At most `_MOST_POINTS` of its checkpoints, the last one included."""
    kept = np.unique(np.linspace(0, len(curve.share) - 1, _MOST_POINTS).round().astype(np.intp))
    return replace(curve, share=np.maximum(curve.share[kept], _FIRST), accuracy=curve.accuracy[kept])
