"""The forms of a law, each fitted to measured models and held to models that the fit did not see, in several ways."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from breakeven.plan.laws.fit import Fitted, LawStatus, fit_law
from breakeven.plan.laws.law import Law, Points, points_of
from breakeven.plan.laws.t2 import MODEL, t2_additive, t2_beta, t2_product
from breakeven.plan.sizing.measured import Model
from breakeven.records.plans import PlanTable

LONGEST = "the longest third of each size's trainings"
FORMS: tuple[Callable[..., Law], ...] = (t2_additive, t2_product, t2_beta)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a law was held to."""

    what: str
    """Which models were left out of the fit."""
    error: float
    """Mean absolute error on them, in the unit of the value; NaN: too few points were left."""
    mean_error: float
    """The same of the mean of the points that the fit saw."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Form:
    """A law fitted to all models, and what it was held to."""

    fitted: Fitted
    held: tuple[Held, ...]
    """The longest trainings first: what an extrapolation to more training rests on."""

    @property
    def is_usable(self) -> bool:
        """Whether it is the better prediction of longer training than the mean is."""
        return self.fitted.status is LawStatus.FITTED


def fit_forms(
    models: Sequence[Model], points: Points, laws: Sequence[Law], *, draws: int = 60, num_starts: int = 8
) -> list[Form]:
    """Laws fitted to the same points, each held to the longest trainings of every size, then to each size left out.

    Args:
        models: in any order.
        points: of theirs, the group of each being the name of its model.
        laws: with columns of the points.
        draws: resamplings of the models.
        num_starts: of each fit.
    """
    longest = _longest(models)
    mask = np.array([name in longest for name in points.groups])
    size_of = {each.name: each.size for each in models}
    by_size = replace(points, groups=tuple(size_of[name] for name in points.groups))
    found = []
    for law in laws:
        fitted = fit_law(law, points, held_out=mask if mask.any() else None, draws=draws, num_starts=num_starts)
        held = [Held(what=LONGEST if mask.any() else fitted.held_out, error=fitted.error, mean_error=fitted.mean_error)]
        if len({*by_size.groups}) > 2:
            other = fit_law(law, by_size, draws=1, num_starts=num_starts)
            held.append(Held(what="each size in turn", error=other.error, mean_error=other.mean_error))
        found.append(Form(fitted=fitted, held=tuple(held)))
    return found


def best_form(forms: Sequence[Form]) -> Form | None:
    """The one that misses the longest trainings by least, of those that may be relied on; None: none may."""
    return min((each for each in forms if each.is_usable), key=lambda each: each.held[0].error, default=None)


def accuracy_points(models: Sequence[Model], k_values: Sequence[int] = ()) -> tuple[Points | None, int]:
    """Pass@K of the models, and how many points were left out because nothing was right, which has no logarithm.

    None where nothing is left.

    Args:
        models: measured at one K at least.
        k_values: those wanted; empty: all.
    """
    rows, lacking = [], 0
    for model in models:
        for k, accuracy in model.pass_at_k.items():
            if k_values and k not in k_values:
                continue
            lacking += accuracy <= 0
            if accuracy > 0:
                rows.append((model.name, model.params, model.train_tokens, float(k), accuracy))
    if not rows:
        return None, lacking
    names, params, tokens, ks, values = zip(*rows, strict=True)
    return points_of({"params": params, "train_tokens": tokens, "k": ks}, values, groups=names), lacking


def t2_laws(points: Points | None) -> list[Law]:
    """T^2's forms in the axes that differ among the points: of one size, or of one duration, without that axis."""
    if points is None or len(np.unique(points.columns["k"])) == 1:
        return []
    axes = tuple(name for name in MODEL if len(np.unique(points.columns[name])) > 1)
    return [form(*axes) for form in FORMS] if axes else []


def _longest(models: Sequence[Model]) -> set[str]:
    """By name, the longest third of each size's trainings; of a size that was trained once, none."""
    longest = set[str]()
    for size in {each.size for each in models}:
        family = sorted((each for each in models if each.size == size), key=lambda each: each.train_tokens)
        cut = len(family) - max(1, len(family) // 3)
        longest |= {each.name for each in family[cut:]} if len(family) > 1 else set()
    return longest


def forms_table(forms: Sequence[Form], *, label: str, scale: float = 100.0, unit: str = "accuracy points") -> PlanTable:
    """Each law's error on each part that was held out, beside that of the mean; no prediction goes without it.

    Args:
        forms: fitted to the same points.
        label: of the table.
        scale: of errors, in `unit`.
        unit: in words.
    """

    def cell(held: Held) -> str:
        if np.isnan(held.error):
            return "too few points"
        return f"{scale * held.error:.3g} (mean: {scale * held.mean_error:.3g})"

    parts = [each.what for each in forms[0].held] if forms else []
    return PlanTable(
        label=label,
        headings=("law", "outcome", *(f"error on {part}, {unit}" for part in parts)),
        rows=tuple(
            (each.fitted.law.name, each.fitted.status.value, *(cell(held) for held in each.held)) for each in forms
        ),
    )
