"""The loss law of quantization-aware training: fitted to splits, held to others, and what it foretells."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from breakeven.plan.laws.fit import LawStatus, fit_law
from breakeven.plan.laws.law import Points, points_of
from breakeven.plan.laws.qat import best_fraction, qat_law
from breakeven.plan.quantizing.splits import Group
from breakeven.plan.sizing.forms import Form, Held
from breakeven.records.plans import PlanTable
from breakeven.report.format import format_flops, format_share

_AXES: Final = ("params", "bits")
_LONGEST: Final = "the longest trainings of each size"
_FOLDS: Final = "a fifth of the splits in turn"


def law_points(groups: Sequence[Group]) -> Points | None:
    """Splits with both phases, each seed a point, seeds of a split in one group; None where a law needs others.

    That is two durations and two shares. Splits with one phase have no place in the law, in which either number of
    tokens is divided by.
    """
    rows = [(split, loss) for group in groups for split in group.inside for loss in split.loss_S]
    splits = [split for split, _ in rows]
    if min(len({each.tokens for each in splits}), len({each.fraction for each in splits})) < 2:
        return None
    columns = {
        "params": [each.params for each in splits],
        "bits": [float(each.bits) for each in splits],
        "fp_tokens": [(1 - each.fraction) * each.tokens for each in splits],
        "qat_tokens": [each.fraction * each.tokens for each in splits],
    }
    return points_of(columns, [loss for _, loss in rows], groups=[each.name for each in splits])


def fit_splits(points: Points, *, draws: int, num_starts: int) -> Form:
    """The law in the axes that differ, held to the longest trainings, and to a fifth of the splits in turn.

    Where either error is above that of the mean, the status says so, and nothing is foretold.
    """
    axes = [name for name in _AXES if len(np.unique(points.columns[name])) > 1]
    law = qat_law(axes)
    total = points.columns["fp_tokens"] + points.columns["qat_tokens"]
    params = points.columns["params"]
    longest = np.array([tokens == total[params == size].max() for tokens, size in zip(total, params, strict=True)])
    folds = fit_law(law, points, draws=draws, num_starts=num_starts)
    held = [Held(what=_FOLDS, error=folds.error, mean_error=folds.mean_error)]
    status = folds.status
    if not longest.all():
        ahead = fit_law(law, points, held_out=longest, draws=1, num_starts=num_starts)
        held.insert(0, Held(what=_LONGEST, error=ahead.error, mean_error=ahead.mean_error))
        status = status if status is not LawStatus.FITTED else ahead.status
    return Form(fitted=replace(folds, status=status), held=tuple(held))


def shares_by_law(form: Form, *, params: float, tokens: float, bits: int) -> tuple[float, float, float]:
    """The best share by the law, with its 90 % interval over resamplings of the splits."""
    fitted = form.fitted
    share = best_fraction(fitted.parameters, params=params, tokens=tokens, bits=bits)
    drawn = [
        best_fraction(dict(zip(fitted.law.parameters, row, strict=True)), params=params, tokens=tokens, bits=bits)
        for row in fitted.draws_DP.tolist()
    ]
    lo, hi = np.quantile(drawn, (0.05, 0.95)).tolist()
    return share, min(lo, share), max(hi, share)


def memory_table(
    form: Form, bits: Sequence[int], *, memory_bytes: Sequence[float], train_flops: Sequence[float]
) -> PlanTable:
    """The bits of least loss for models whose quantized weights fill so many bytes, at equal training FLOPs.

    Args:
        form: to be relied on, with params and bits among its axes.
        bits: to choose from.
        memory_bytes: of the quantized weights.
        train_flops: 6 N D: the fewer bits, the more parameters, and the fewer tokens.
    """
    rows = [row for size in memory_bytes for flops in train_flops for row in _by_bits(form, bits, size, flops)]
    headings = ("weights, bytes", "training", "bits", "parameters", "QAT", "loss by the law", "made")
    return PlanTable(label="Bits under a memory limit, by the law", headings=headings, rows=tuple(rows))


def _by_bits(form: Form, bits: Sequence[int], size: float, flops: float) -> Iterator[tuple[str, ...]]:
    found = []
    for each in bits:
        params = 8 * size / each
        tokens = flops / (6 * params)
        share = best_fraction(form.fitted.parameters, params=params, tokens=tokens, bits=each)
        inside = min(max(share, 0.001), 0.999)
        columns = {"params": params, "bits": each, "fp_tokens": (1 - inside) * tokens, "qat_tokens": inside * tokens}
        told = form.fitted.predict(columns)
        found.append((float(told.value), each, params, share, told))
    least = min(value for value, *_ in found)
    for value, each, params, share, told in found:
        yield (
            f"{size:,.0f}",
            format_flops(flops),
            f"{each} (least)" if value == least else f"{each}",
            f"{params:,.0f}",
            format_share(share),
            f"{value:.3f} ({float(told.lo):.3f} to {float(told.hi):.3f})",
            str(told.made),
        )
