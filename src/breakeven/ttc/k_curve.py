"""Accuracy against K beyond the samples drawn: the paper's sigmoid, or the calibrated curve.

Pure. The calibrated curve has a module of its own. What the paper leaves open (how the fit is made, what happens at its
edges) is chosen here and argued in docs/design/paper-mode.md.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.records import FitStatus, KCurve, Made
from breakeven.ttc.calibrated_curve import calibrated_curve
from breakeven.ttc.strategies.pass_at_k import Counts, check_counts, pass_at_k

PAPER_K_VALUES = (1, 2, 4)


def extrapolate_pass_at_k(
    num_correct: Counts,
    num_samples: Counts | int,
    k_values: Sequence[int],
    *,
    method: Literal["paper", "calibrated"] = "calibrated",
    fit_k_values: Sequence[int] = PAPER_K_VALUES,
    problems: Literal["these", "new"] = "these",
) -> KCurve:
    """Pass@K at each of `k_values`, measured where the fit rests on it, else read from the fitted curve.

    Args:
        num_correct: right samples per problem, shape (P,).
        num_samples: samples drawn per problem, shape (P,) or one count for all.
        k_values: sample counts to report, each at least 1, in increasing order.
        method: "paper", a sigmoid in K by least squares; "calibrated", solve rates that follow a Beta law.
        fit_k_values: of method "paper" only: sample counts at which Pass@K is measured and fitted; those above the
            fewest samples drawn for any problem are left out.
        problems: of method "calibrated" only: what its interval is about. "these" is Pass@K of these very problems,
            so that only the draws are uncertain: right where the level to reach was measured on them too. "new" is
            Pass@K of problems of the same kind, as queries are at serving time. The estimate is the same.

    Returns:
        A KCurve over `k_values`, marked as not deployable, since counts do not tell how they were graded; `evaluate`
        knows. `made_K` says which entries were measured. Pass@K never falls in K.

        Method "paper": `lo_K` and `hi_K` equal `accuracy_K`, since three points through three parameters have no
        error bar. An entry read from the curve is held between the measured ones beside it; with a status other
        than FITTED it carries the last measured value forward, a lower bound.

        Method "calibrated": measured at every K up to the fewest samples drawn. `lo_K` to `hi_K` is a 90 % interval
        at each K alone, not of the curve as a whole; `lo_K` never falls in K. With no right sample at all the status is
        NO_SIGNAL and the estimate 0; `hi_K` still is an upper bound.

    Raises:
        ArgumentError: an unknown `method` or `problems`; counts that are no counts; `k_values` or `fit_k_values`
            empty, unsorted, below 1 or no whole numbers.

    Estimator:
        "paper": fitted. Structurally low above K of about 6, where a sigmoid through K = 1, 2, 4 is flat.
        "calibrated": Bayesian; unbiased where measured. Beyond about 4 times the samples drawn it rests on the
        shape of the law of solve rates near 0, which so few samples do not show: where many problems are just short
        of unsolvable, or wholly so, it is off by more than its interval says.

    Source:
        "paper": arXiv 2601.01332, Algorithm 1, step 3. "calibrated": ours, docs/design/calibrated-estimators.md.

    >>> curve = extrapolate_pass_at_k([1, 2, 4, 0], 4, [1, 4, 8])
    >>> [round(a, 3) for a in curve.accuracy_K], [str(m) for m in curve.made_K]
    ([0.438, 0.75, 0.812], ['measured', 'measured', 'extrapolated'])
    >>> [round(a, 3) for a in extrapolate_pass_at_k([1, 2, 4, 0], 4, [1, 4, 8], method="paper").accuracy_K]
    [0.438, 0.75, 0.808]
    """
    check.either("method", method, "paper", "calibrated")
    check.either("problems", problems, "these", "new")
    correct_P, samples_P = check_counts(num_correct, num_samples)
    read_K = check.increasing("k_values", k_values, "Try [1, 2, 4].")
    if method == "calibrated":
        return calibrated_curve(correct_P, samples_P, read_K, problems=problems)
    fit_K = [k for k in check.increasing("fit_k_values", fit_k_values, "Try [1, 2, 4].") if k <= samples_P.min()]
    measured = {k: pass_at_k(correct_P, samples_P, k) for k in fit_K}
    status, parameters = fit_sigmoid(fit_K, list(measured.values()))

    def read(k: int) -> float:
        if k in measured:
            return measured[k]
        least = max([accuracy for at, accuracy in measured.items() if at < k], default=0.0)
        if status is not FitStatus.FITTED:
            return least
        most = min([accuracy for at, accuracy in measured.items() if at > k], default=1.0)
        return min(max(float(sigmoid(k, *parameters)), least), most)

    accuracy_K = tuple(map(read, read_K))
    return KCurve(
        strategy="pass@k",
        deployable=False,
        k_values=read_K,
        accuracy_K=accuracy_K,
        lo_K=accuracy_K,
        hi_K=accuracy_K,
        made_K=tuple(Made.MEASURED if k in measured else Made.EXTRAPOLATED for k in read_K),
        status=status,
        method=method,
        until_right=True,
        parameters=parameters,
    )


def sigmoid(
    k: float | npt.NDArray[np.float64], ceiling: float, rate: float, midpoint: float
) -> np.float64 | npt.NDArray[np.float64]:
    """L / (1 + exp(-k (K - x0))) with L, k, x0 = `ceiling`, `rate`, `midpoint` (arXiv 2601.01332, Algorithm 1).

    >>> float(sigmoid(3.0, 0.8, 1.0, 3.0))
    0.4
    """
    exponent = np.clip(-rate * (np.asarray(k, dtype=np.float64) - midpoint), -700.0, 700.0)
    value: np.float64 | npt.NDArray[np.float64] = ceiling / (1.0 + np.exp(exponent))
    return value


def fit_sigmoid(k_values: Sequence[int], accuracy: Sequence[float]) -> tuple[FitStatus, tuple[float, ...]]:
    """Least-squares (L, k, x0) with 0 < L <= 1 and k > 0, and whether there is such a fit.

    Three points at K, 2K, 4K have an exact solution in closed form; it is used where its ceiling is within 1.
    Otherwise there is a bounded least-squares search. Parameters are empty unless the status is FITTED.
    """
    y = np.asarray(accuracy, dtype=np.float64)
    if len(y) == 0 or y.max() <= 0.0:
        return (FitStatus.NO_SIGNAL if len(y) else FitStatus.TOO_FEW_POINTS), ()
    if len(y) < 3:
        return FitStatus.TOO_FEW_POINTS, ()
    if y.max() == y.min():  # always or never right on each problem: the curve is flat
        return FitStatus.FITTED, (float(y[0]), 1.0, -1000.0)
    if y.min() < 1e-12:  # no share of counted samples is so low; its inverse would only overflow
        return FitStatus.NOT_CONVERGED, ()
    k_K = np.asarray(k_values, dtype=np.float64)
    if y[0] < y[1] and y[1:].min() == y.max():  # at its ceiling from the second K on: a step, which no search finds
        rate = 40.0 / (k_K[1] - k_K[0])
        return FitStatus.FITTED, (float(y[1]), float(rate), float(k_K[0] + np.log(y[1] / y[0] - 1.0) / rate))
    exact = _through_three(k_values, y) if len(y) == 3 else None
    if exact is not None and exact[0] <= 1.0:
        return FitStatus.FITTED, exact

    from scipy.optimize import least_squares  # a third of what `import breakeven` would take

    unit = k_K[0]
    start = np.array([min(1.0, 1.05 * y.max()), 0.5, 1.0])
    fit = least_squares(
        lambda p: sigmoid(k_K / unit, *p) - y,
        start,
        bounds=([0.0, 1e-6, -1e3], [1.0, 1e2, 1e3]),
        x_scale=[0.1, 0.1, 1.0],
        xtol=1e-12,
        ftol=1e-12,
        gtol=1e-12,
        max_nfev=2_000,
    )
    if not fit.success or fit.x[1] <= 2e-6:
        return FitStatus.NOT_CONVERGED, ()
    ceiling, rate, midpoint = map(float, fit.x)
    return FitStatus.FITTED, (ceiling, rate / float(unit), midpoint * float(unit))


def _through_three(k_values: Sequence[int], y: npt.NDArray[np.float64]) -> tuple[float, ...] | None:
    """The sigmoid through three points at K, 2K and 4K, or None where those are not the K or there is none.

    With q = exp(-k K1), 1 / y is u + v q^(K / K1), so (1/y1 - 1/y2) q (1 + q) = 1/y2 - 1/y4.
    """
    first = k_values[0]
    if tuple(k_values) != (first, 2 * first, 4 * first):
        return None
    early, late = 1 / y[0] - 1 / y[1], 1 / y[1] - 1 / y[2]
    if early <= 0 or late <= 0 or late >= (2 - 1e-9) * early:  # at 2, q is 1 and v infinite
        return None
    q = 2 * late / early / (1 + np.sqrt(1 + 4 * late / early))
    v = early / (q - q * q)
    u = 1 / y[0] - v * q
    if u <= 0:
        return None
    rate = -np.log(q) / first
    return float(1 / u), float(rate), float(np.log(v / u) / rate)
