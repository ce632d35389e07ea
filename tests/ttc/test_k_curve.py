"""The paper's sigmoid in K: exact on sigmoids, a stated status where there is none, never falling in K."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import betaln

from breakeven.errors import ArgumentError
from breakeven.records import FitStatus, KCurve, Made
from breakeven.testing import synthetic_bank
from breakeven.ttc.evaluate import evaluate
from breakeven.ttc.k_curve import extrapolate_pass_at_k, fit_sigmoid, sigmoid
from breakeven.ttc.strategies.pass_at_k import pass_at_k
from breakeven.ttc.tally import tally_of

PROPERTY = settings(derandomize=True, max_examples=60)
FITTED, NOT_CONVERGED = FitStatus.FITTED, FitStatus.NOT_CONVERGED

counts_of_4 = st.lists(st.integers(0, 4), min_size=1, max_size=30)


def curve_of(num_correct, num_samples, k_values, **settings) -> KCurve:
    """The paper's curve."""
    return extrapolate_pass_at_k(num_correct, num_samples, k_values, method="paper", **settings)


def at(k_values, parameters) -> list[float]:
    return [float(sigmoid(k, *parameters)) for k in k_values]


# -- the fit ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k_values", [(1, 2, 4), (2, 4, 8), (1, 2, 3), (1, 2, 4, 8), (1, 3, 9, 27)])
@pytest.mark.parametrize("truth", [(0.8, 1.0, 2.0), (0.3, 0.5, 1.0), (0.6, 0.9, 3.0)])
def test_known_sigmoid_is_recovered(k_values: tuple[int, ...], truth: tuple[float, ...]) -> None:
    status, parameters = fit_sigmoid(k_values, at(k_values, truth))
    assert status is FITTED
    assert parameters == pytest.approx(truth, rel=1e-5)


@PROPERTY
@given(st.floats(0.05, 0.99), st.floats(0.1, 2.0), st.floats(-1.0, 5.0))
def test_closed_form_recovers_any_sigmoid_from_three_points(ceiling: float, rate: float, midpoint: float) -> None:
    status, parameters = fit_sigmoid([1, 2, 4], at([1, 2, 4], (ceiling, rate, midpoint)))
    assert status is FITTED
    assert parameters == pytest.approx((ceiling, rate, midpoint), rel=1e-5, abs=1e-6)


@PROPERTY
@given(counts_of_4)
def test_closed_form_goes_exactly_through_pass_at_1_2_and_4(num_correct: list[int]) -> None:
    measured = [pass_at_k(num_correct, 4, k) for k in (1, 2, 4)]
    status, parameters = fit_sigmoid([1, 2, 4], measured)
    assume(status is FITTED and parameters[0] < 0.999)  # a ceiling held at 1 is a search, not the closed form
    assert at([1, 2, 4], parameters) == pytest.approx(measured, abs=1e-9)


def test_worked_example() -> None:
    """1/y = 16/7, 12/7, 4/3: q (1 + q) = 2/3, v = (4/7) / (q - q^2), u = 16/7 - v q, and the rest follows."""
    q = (math.sqrt(11 / 3) - 1) / 2
    v = (4 / 7) / (q - q * q)
    u = 16 / 7 - v * q
    status, (ceiling, rate, midpoint) = fit_sigmoid([1, 2, 4], [7 / 16, 7 / 12, 3 / 4])
    assert status is FITTED
    assert (ceiling, rate) == pytest.approx((1 / u, -math.log(q)))
    assert float(sigmoid(8, ceiling, rate, midpoint)) == pytest.approx(1 / (u + v * q**8))
    assert float(sigmoid(midpoint, ceiling, rate, midpoint)) == pytest.approx(ceiling / 2)


@pytest.mark.parametrize(
    ("k_values", "accuracy", "status"),
    [
        ([], [], FitStatus.TOO_FEW_POINTS),
        ([1], [0.5], FitStatus.TOO_FEW_POINTS),
        ([1, 2], [0.5, 0.6], FitStatus.TOO_FEW_POINTS),
        ([1], [0.0], FitStatus.NO_SIGNAL),
        ([1, 2, 4], [0.0, 0.0, 0.0], FitStatus.NO_SIGNAL),
        ([1, 2, 4], [0.0, 0.1, 0.2], NOT_CONVERGED),
        ([1, 2, 4], [1e-300, 1e-200, 0.5], NOT_CONVERGED),
        ([1, 2, 4], [0.3, 0.1, 0.1], NOT_CONVERGED),  # falling: the search runs to its limit
    ],
)
def test_no_fit_is_a_status(k_values: list[int], accuracy: list[float], status: FitStatus) -> None:
    assert fit_sigmoid(k_values, accuracy) == (status, ())


@pytest.mark.parametrize("k_values", [(1, 2, 4), (1, 2, 3), (1, 2, 4, 8)])
@pytest.mark.parametrize("level", [1e-9, 0.3, 1.0])
def test_flat_curve_is_flat_everywhere(k_values: tuple[int, ...], level: float) -> None:
    status, parameters = fit_sigmoid(k_values, [level] * len(k_values))
    assert status is FITTED
    assert at([1, 3, 1000], parameters) == [level] * 3


@pytest.mark.parametrize("k_values", [(1, 2, 4), (3, 6, 12), (1, 2, 3), (1, 2, 4, 8)])
@pytest.mark.parametrize(("low", "high"), [(0.5, 0.75), (0.75, 1.0), (0.001, 1.0), (0.4999, 0.5)])
def test_single_jump_has_its_ceiling_in_sight(k_values: tuple[int, ...], low: float, high: float) -> None:
    """Every problem is right in all but one of its samples, or in none: Pass@2 is the ceiling."""
    status, parameters = fit_sigmoid(k_values, [low] + [high] * (len(k_values) - 1))
    assert status is FITTED
    assert parameters[0] == high
    assert at([*k_values, 1000], parameters) == pytest.approx([low] + [high] * len(k_values), rel=1e-9)


@pytest.mark.parametrize(
    ("k_values", "accuracy"),
    [
        ((1, 2, 4), (0.1, 0.11, 0.135)),  # exact solution has a pole
        ((1, 2, 4), (0.1, 0.11, 0.9)),  # late growth beyond any sigmoid through three points
        ((1, 2, 4), (0.75, 0.9, 1.0)),  # exact ceiling above 1
        ((1, 2, 4), (0.5, 0.4, 0.3)),  # falling
        ((1, 2, 4), (0.5, 0.5, 0.6)),
        ((1, 2, 4), (0.6, 0.6, 0.59)),
        ((1, 2, 3, 4), (0.1, 0.2, 0.3, 0.4)),  # a line
        ((1, 2, 3, 4), (0.01, 0.02, 0.04, 0.08)),  # no ceiling in sight
        ((2000, 4000, 8000), (0.3, 0.5, 1.0)),
    ],
)
def test_search_stays_within_its_family_and_is_no_worse_than_a_constant(
    k_values: tuple[int, ...], accuracy: tuple[float, ...]
) -> None:
    status, parameters = fit_sigmoid(k_values, accuracy)
    assert status is FITTED
    assert 0.0 < parameters[0] <= 1.0
    assert parameters[1] > 0.0
    error = np.square(np.subtract(at(k_values, parameters), accuracy)).sum()
    assert error <= np.square(np.subtract(accuracy, np.mean(accuracy))).sum() + 1e-9


def test_structurally_low_beyond_4_samples() -> None:
    """On the exact curve of Beta(0.35, 2) success rates, E[1 - (1 - p)^K] = 1 - B(a, b + K) / B(a, b)."""

    def exact(k: int) -> float:
        return float(-np.expm1(betaln(0.35, 2 + k) - betaln(0.35, 2)))

    status, parameters = fit_sigmoid([1, 2, 4], [exact(k) for k in (1, 2, 4)])
    assert status is FITTED
    misses = [exact(k) - at([k], parameters)[0] for k in (8, 16, 32, 64, 1024)]
    assert misses == sorted(misses)
    assert misses[0] > 0.02


# -- the curve --------------------------------------------------------------------------------------------------------


def test_measured_entries_are_pass_at_k_and_the_rest_is_marked_extrapolated() -> None:
    curve = curve_of([1, 2, 4, 0], 4, [1, 2, 3, 4, 8])
    assert (curve.strategy, curve.deployable, curve.method, curve.status) == ("pass@k", False, "paper", FITTED)
    assert curve.k_values == (1, 2, 3, 4, 8)
    assert [k for k, made in zip(curve.k_values, curve.made_K, strict=True) if made is Made.MEASURED] == [1, 2, 4]
    assert set(curve.made_K) == {Made.MEASURED, Made.EXTRAPOLATED}
    measured = [pass_at_k([1, 2, 4, 0], 4, k) for k in (1, 2, 4)]
    assert [curve.accuracy_K[index] for index in (0, 1, 3)] == measured
    assert curve.accuracy_K[4] == at([8], curve.parameters)[0]
    assert curve.lo_K == curve.hi_K == curve.accuracy_K


@pytest.mark.parametrize(
    ("num_correct", "num_samples", "status", "accuracy"),
    [
        ([0, 0, 0], 4, FitStatus.NO_SIGNAL, [0.0, 0.0, 0.0, 0.0, 0.0]),
        ([4, 4, 4], 4, FITTED, [1.0, 1.0, 1.0, 1.0, 1.0]),
        ([4, 0], 4, FITTED, [0.5, 0.5, 0.5, 0.5, 0.5]),
        ([1, 0], 1, FitStatus.TOO_FEW_POINTS, [0.5, 0.5, 0.5, 0.5, 0.5]),
        ([1, 0], 2, FitStatus.TOO_FEW_POINTS, [0.25, 0.5, 0.5, 0.5, 0.5]),
        ([1, 0], [2, 9], FitStatus.TOO_FEW_POINTS, [0.25, 0.5, 0.5, 0.5, 0.5]),  # the fewest samples count
        ([3, 4], 4, FITTED, [0.875, 1.0, 1.0, 1.0, 1.0]),
    ],
)
def test_degenerate_banks(num_correct, num_samples, status: FitStatus, accuracy: list[float]) -> None:
    curve = curve_of(num_correct, num_samples, [1, 2, 3, 4, 100])
    assert curve.status is status
    assert list(curve.accuracy_K) == pytest.approx(accuracy, abs=1e-12)


def test_nothing_measured_reads_as_nothing_solved() -> None:
    curve = curve_of([1], 1, [1, 2], fit_k_values=[2, 4])
    assert (curve.status, curve.accuracy_K) == (FitStatus.TOO_FEW_POINTS, (0.0, 0.0))
    assert curve.made_K == (Made.EXTRAPOLATED,) * 2


@PROPERTY
@given(counts_of_4)
def test_curve_never_falls_and_stays_within_0_and_1(num_correct: list[int]) -> None:
    """Even where the fit misses a measured point, as where Pass@4 is 1."""
    curve = curve_of(num_correct, 4, range(1, 70))
    assert all(0.0 <= accuracy <= 1.0 for accuracy in curve.accuracy_K)
    assert all(later >= earlier for earlier, later in pairwise(curve.accuracy_K))


def test_curve_does_not_fall_below_what_was_measured() -> None:
    """Pass@4 is 1, so the fitted ceiling is 1 and the fitted curve at 5 is below it."""
    curve = curve_of([1, 1, 4, 4], 4, range(1, 9))
    assert at([5], curve.parameters)[0] < 1.0
    assert curve.accuracy_K[3:] == (1.0,) * 5


@PROPERTY
@given(counts_of_4, st.randoms(use_true_random=False))
def test_order_of_problems_changes_nothing(num_correct: list[int], random) -> None:
    def curve(counts: list[int]) -> KCurve:
        return curve_of(counts, 4, [1, 2, 3, 4, 64])

    assert curve(random.sample(num_correct, len(num_correct))) == curve(num_correct)


def test_a_bank_has_one_curve_read_from_1_to_max_k() -> None:
    bank = synthetic_bank([0.2] * 40, 4, seed=1)
    (curve,) = evaluate(tally_of(bank), max_k=16, method="paper")
    assert curve == replace(curve_of(bank.num_correct_P, 4, range(1, 17)), deployable=True)
    (upper_bound,) = evaluate(tally_of(replace(bank, oracle=True)), max_k=16, method="paper")
    assert upper_bound == replace(curve, deployable=False)
    (coarse,) = evaluate(tally_of(bank), fit_k_values=[1, 2, 3], max_k=2, method="paper")
    assert (coarse.k_values, coarse.made_K) == ((1, 2), (Made.MEASURED,) * 2)


# -- arguments --------------------------------------------------------------------------------------------------------


def test_counts_of_samples_come_back_as_plain_integers() -> None:
    values = extrapolate_pass_at_k([1], 4, list(np.array([1, 2, 4]))).k_values
    assert values == (1, 2, 4)
    assert {type(k) for k in values} == {int}


@pytest.mark.parametrize(
    ("k_values", "message"),
    [
        ([], "k_values must hold at least one K; got []. Try [1, 2, 4]."),
        ([0, 1], "k_values must be increasing whole numbers from 1 up; got [0, 1]."),
        ([2, 1], "k_values must be increasing whole numbers from 1 up; got [2, 1]."),
        ([1, 1], "k_values must be increasing whole numbers from 1 up; got [1, 1]."),
        ([1, 2.5], "k_values must be increasing whole numbers from 1 up; got [1, 2.5]."),
        ([1, math.nan], "k_values must be increasing whole numbers from 1 up; got [1, nan]."),
    ],
)
def test_sample_counts_that_are_none_are_refused(k_values, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        curve_of([1], 4, k_values)
    assert str(error.value) == message
    with pytest.raises(ArgumentError) as error:
        curve_of([1], 4, [1], fit_k_values=k_values)
    assert str(error.value) == "fit_" + message


def test_the_calibrated_curve_is_the_default() -> None:
    assert extrapolate_pass_at_k([1, 2, 4, 0], 4, [1, 4, 8]).method == "calibrated"


def test_unknown_method_is_refused() -> None:
    with pytest.raises(ArgumentError) as error:
        extrapolate_pass_at_k([1], 4, [1], method="magic")  # type: ignore[arg-type]
    assert str(error.value) == 'method must be "paper" or "calibrated"; got \'magic\'.'
