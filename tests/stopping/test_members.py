"""Each account of how a learning curve goes on, on curves that go on in a known way; and none falls on odd ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.stopping.density import Floats, mean_of, quantile
from breakeven.stopping.members import MEMBERS, Curve, hills, late_rise, level, log_line, logit_shapes, shapes

PROPERTY = settings(derandomize=True, max_examples=60, deadline=None)
FIRST_HALF = np.linspace(0.05, 0.5, 10)


def curve(accuracy: Floats | list[float], share: Floats = FIRST_HALF, num_problems: int | None = 1000) -> Curve:
    return Curve(share=share, accuracy=np.array(accuracy), num_problems=num_problems)


def interval(cdf: Floats) -> tuple[float, float, float]:
    return quantile(cdf, 0.05), quantile(cdf, 0.5), quantile(cdf, 0.95)


# -- what each foretells ----------------------------------------------------------------------------------------------


def test_members_go_by_their_names() -> None:
    assert list(MEMBERS) == ["shapes", "logit_shapes", "hills", "level", "log_line", "late_rise"]
    assert MEMBERS["hills"] is hills


@pytest.mark.parametrize("member", [shapes, logit_shapes, hills])
def test_a_curve_that_saturates(member) -> None:
    low, middle, high = interval(member(curve(0.6 * -np.expm1(-8.0 * FIRST_HALF))))
    assert low < 0.6 * -np.expm1(-8.0) < high
    assert middle == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize("power", [1.2, 2.0, 3.5])
def test_hills_foretell_a_curve_that_bends_upward(power: float) -> None:
    """c x^p, of which what is level or a line in log FLOPs sees a part."""
    convex = curve(0.7 * FIRST_HALF**power)
    low, middle, high = interval(hills(convex))
    assert low < 0.7 < high
    assert middle > 1.5 * convex.now()
    assert quantile(level(convex), 0.95) < 0.7


def test_hills_foretell_an_s_curve_from_beyond_its_middle() -> None:
    def hill(x: Floats) -> Floats:
        return 0.02 + 0.8 * x**4 / (x**4 + 0.2**4)

    low, middle, high = interval(hills(curve(hill(FIRST_HALF))))
    assert low < hill(np.array(1.0)) < high
    assert middle == pytest.approx(0.82, abs=0.06)


def test_logit_shapes_bend_upward_at_first_and_level_off_at_1() -> None:
    """An accuracy whose logit rises evenly in log FLOPs: from .02 at the start over .32 now to .55."""

    def sigmoid(x: Floats) -> Floats:
        return 1.0 / (1.0 + np.exp(-(0.2 + 1.4 * np.log(x))))

    low, middle, high = interval(logit_shapes(curve(sigmoid(FIRST_HALF))))
    assert low < sigmoid(np.array(1.0)) < high
    assert middle == pytest.approx(0.55, abs=0.03)
    assert quantile(logit_shapes(curve(1.0 / (1.0 + np.exp(-(4.0 + np.log(FIRST_HALF)))))), 0.95) < 1.0


def test_level_is_what_the_last_three_reached() -> None:
    cdf = level(curve([0.1] * 7 + [0.40, 0.43, 0.46]))
    assert quantile(cdf, 0.5) == pytest.approx(0.43, abs=1e-3)
    assert mean_of(cdf) == pytest.approx(0.43, abs=1e-3)


def test_level_is_less_sure_further_from_the_end_and_of_fewer_problems() -> None:
    def width(last: float, num_problems: int) -> float:
        low, _, high = interval(level(curve([0.4] * 10, np.linspace(last / 10, last, 10), num_problems)))
        return high - low

    assert width(1.0, 1000) < width(0.5, 1000) < width(0.1, 1000)
    assert width(0.5, 1000) < width(0.5, 50)
    noise = 2 * 1.645 * np.sqrt(0.24 / 1000)
    assert width(1.0, 1000) == pytest.approx(noise, rel=0.04), "the measurement's, and the width of a node"


def test_a_line_in_log_flops() -> None:
    """The last half of the checkpoints alone: what was before may be anything."""
    line = 0.5 + 0.1 * np.log(FIRST_HALF)
    whole = log_line(curve(line))
    assert quantile(whole, 0.5) == pytest.approx(0.5, abs=2e-3)
    assert log_line(curve([0.9] * 5 + line[5:].tolist())).tolist() == whole.tolist()
    assert mean_of(log_line(curve(line[::-1].tolist()))) < 0.35, "falls on"


def test_a_late_rise_lies_between_now_and_1() -> None:
    cdf = late_rise(curve([0.2] * 10))
    assert quantile(cdf, 1e-6) == pytest.approx(0.2, abs=0.01)
    assert quantile(cdf, 0.3) == pytest.approx(0.2 + 0.8 * 0.5, abs=0.01), "0.6 of it even from now to 1"
    assert quantile(cdf, 0.7) > 0.96, "and 0.4 near 1"
    near = late_rise(curve([0.99] * 10))
    assert quantile(near, 1e-6) == pytest.approx(0.99, abs=2e-3)


# -- the curve --------------------------------------------------------------------------------------------------------


def test_what_a_curve_says_of_itself() -> None:
    known = curve([0.1] * 7 + [0.3, 0.4, 0.5])
    assert known.now() == pytest.approx(0.4)
    assert known.unit(0.2) == pytest.approx(0.4)
    assert known.log_left == pytest.approx(np.log(2.0))
    assert (known.trials, curve([0.1] * 10, num_problems=None).trials) == (1000, 400)
    assert curve([0.0] * 10).now() == 0.001, "kept off 0 by one answer"
    assert curve([1.0] * 10).now() == 0.999


# -- odd curves -------------------------------------------------------------------------------------------------------

ODD = {
    "constant": [0.3] * 8,
    "all right": [1.0] * 8,
    "nothing until now": [0.0] * 7 + [0.5],
    "one answer": [0.0] * 7 + [0.01],
    "back and forth": [0.0, 1.0] * 4,
    "fallen to nothing": [0.9] * 5 + [0.0] * 3,
    "4 checkpoints": [0.1, 0.2, 0.4, 0.3],
    "4 alike": [0.5] * 4,
}
SHARES: dict[str, Callable[[int], Any]] = {
    "even": lambda n: np.linspace(0.1, 0.6, n),
    "from the untrained model on": lambda n: np.linspace(0.0, 0.6, n),
    "to the end": lambda n: np.linspace(0.3, 1.0, n),
    "hardly begun": lambda n: np.arange(1, n + 1) * 1e-300,
    "all at once": lambda n: 0.001 + np.arange(n) * 2.2e-19,
    "at the very end": lambda n: 1.0 - np.arange(n)[::-1] * 1.2e-16,
}


@pytest.mark.parametrize("num_problems", [None, 10, 200, 10**9])
@pytest.mark.parametrize("shares", SHARES)
@pytest.mark.parametrize("accuracy", ODD)
def test_odd_curves_have_a_distribution(accuracy: str, shares: str, num_problems: int | None) -> None:
    """Warnings are errors."""
    measured = ODD[accuracy]
    odd = curve(measured, SHARES[shares](len(measured)), num_problems)
    for name, member in MEMBERS.items():
        cdf = member(odd)
        assert np.all(np.isfinite(cdf)), name
        assert np.all(np.diff(cdf) >= -1e-12), name
        assert cdf[-1] == 1.0, name


@PROPERTY
@given(
    st.lists(st.floats(0.0, 1.0), min_size=4, max_size=30),
    st.sampled_from([None, 10, 400, 10**6]),
    st.floats(0.01, 1.0),
)
def test_any_curve_has_a_distribution(accuracy: list[float], num_problems: int | None, last: float) -> None:
    some = curve(accuracy, np.linspace(last / len(accuracy), last, len(accuracy)), num_problems)
    for name, member in MEMBERS.items():
        cdf = member(some)
        assert np.all(np.isfinite(cdf)), name
        assert np.all(np.diff(cdf) >= -1e-12), name
        assert (0.0 <= cdf[0], cdf[-1]) == (True, 1.0), name


def test_hills_of_accuracies_known_almost_exactly() -> None:
    """10^9 problems: the sums of squares would lose every digit; the mean is that of a million problems."""
    rising = 0.6 * FIRST_HALF / (FIRST_HALF + 0.2)
    exact, well = (quantile(hills(curve(rising, num_problems=size)), 0.5) for size in (10**9, 10**6))
    assert exact == pytest.approx(well, abs=0.02)
