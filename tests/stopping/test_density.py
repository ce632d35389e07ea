"""Densities of an accuracy against laws known in closed form."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit, ndtr, ndtri

from breakeven.stopping.density import (
    NODES,
    Floats,
    chance_reached,
    evenly,
    mean_of,
    mixed,
    of_normals,
    quantile,
    raised,
)

PROPERTY = settings(derandomize=True, max_examples=100, deadline=None)
GAP = float(np.diff(NODES).max())
"""Widest distance of two nodes, within which a density is even."""


def normal(mean: float, sd: float, *, on_logits: bool = False) -> Floats:
    return of_normals(np.ones(1), np.array([mean]), np.array([sd]), on_logits=on_logits)


def is_cumulative(cdf: Floats) -> bool:
    return bool(cdf.shape == NODES.shape and cdf[0] >= 0.0 and cdf[-1] == 1.0 and np.all(np.diff(cdf) >= -1e-15))


def test_nodes_run_from_0_to_1_and_are_finer_at_the_ends() -> None:
    steps = np.diff(NODES)
    assert (NODES[0], NODES[-1]) == (0.0, 1.0)
    assert np.all(steps > 0.0)
    assert steps[0] < 1e-4 < 0.009 < GAP < 0.01
    with pytest.raises(ValueError, match="read-only"):
        NODES[0] = 0.5


# -- what is made -----------------------------------------------------------------------------------------------------

parts = st.lists(st.tuples(st.floats(1e-3, 1.0), st.floats(-3.0, 4.0), st.floats(1e-7, 10.0)), min_size=1, max_size=5)


@PROPERTY
@given(parts, st.booleans())
def test_a_mixture_of_normals_runs_from_0_to_1(members: list[tuple[float, float, float]], on_logits: bool) -> None:
    """Members outside of [0, 1], too, and however narrow."""
    weight, mean, sd = map(np.array, zip(*members, strict=True))
    cdf = of_normals(weight, mean, sd, on_logits=on_logits)
    assert cdf[0] == 0.0
    assert is_cumulative(cdf)


def test_a_normal_law_within_0_and_1_is_that_law() -> None:
    assert normal(0.4, 0.05) == pytest.approx(ndtr((NODES - 0.4) / 0.05), abs=1e-12)


def test_a_normal_law_is_cut_to_accuracies() -> None:
    """Half of it lies below 0: what is left is twice as dense."""
    assert normal(0.0, 0.1) == pytest.approx(2.0 * ndtr(NODES / 0.1) - 1.0, abs=1e-12)


def test_what_a_member_gives_to_impossible_accuracies_is_lost_to_it() -> None:
    """Of two members alike in weight, one has half of its mass above 1: its weight is half of the other's."""
    cdf = of_normals(np.ones(2), np.array([0.3, 1.0]), np.array([0.02, 0.02]))
    assert float(np.interp(0.6, NODES, cdf)) == pytest.approx(2.0 / 3.0, abs=1e-9)


def test_normals_on_the_logit_scale() -> None:
    inner = slice(1, -1)
    law = ndtr((logit(NODES[inner]) - 0.5) / 0.8)
    assert normal(0.5, 0.8, on_logits=True)[inner] == pytest.approx(law, abs=1e-12)
    assert quantile(normal(0.5, 0.8, on_logits=True), 0.5) == pytest.approx(expit(0.5), abs=GAP / 10)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.2, 0.9), (0.96, 1.0), (0.3, 0.3), (1.0, 1.0), (0.0, 0.0)])
def test_an_accuracy_that_is_anywhere_alike(low: float, high: float) -> None:
    cdf = evenly(low, high)
    assert is_cumulative(cdf)
    assert mean_of(cdf) == pytest.approx((low + high) / 2.0, abs=GAP)
    for level in (0.1, 0.5, 0.9):
        assert quantile(cdf, level) == pytest.approx(low + level * (high - low), abs=GAP)


def test_a_mixture_is_weighed() -> None:
    cdf = mixed([1.0, 3.0], [evenly(0.0, 0.2), evenly(0.8, 1.0)])
    assert is_cumulative(cdf)
    assert float(np.interp(0.5, NODES, cdf)) == pytest.approx(0.25)
    assert mean_of(cdf) == pytest.approx(0.25 * 0.1 + 0.75 * 0.9, abs=GAP / 10)
    assert mixed([2.0], [cdf]) == pytest.approx(cdf)


# -- what is done with it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("logits", [0.0, 0.25, 1.0, -0.5])
def test_raised_by_logits(logits: float) -> None:
    """A normal law on the logit scale stays one."""
    cdf = raised(normal(-0.4, 0.5, on_logits=True), logits)
    assert is_cumulative(cdf)
    assert cdf == pytest.approx(normal(-0.4 + logits, 0.5, on_logits=True), abs=2e-3)


@PROPERTY
@given(parts, st.floats(0.0, 3.0))
def test_to_be_raised_makes_nothing_lower(members: list[tuple[float, float, float]], logits: float) -> None:
    cdf = of_normals(*map(np.array, zip(*members, strict=True)))
    above = raised(cdf, logits)
    assert is_cumulative(above)
    assert np.all(above <= cdf + 1e-12)


def test_of_nothing_but_0_and_of_nothing_but_1_nothing_can_be_raised() -> None:
    sure = np.append(np.zeros(len(NODES) - 1), 1.0)
    assert raised(sure, 2.0) == pytest.approx(sure, abs=1e-4)
    assert raised(np.ones(len(NODES)), 2.0).tolist() == [1.0] * len(NODES)


@pytest.mark.parametrize("level", [0.01, 0.05, 0.5, 0.9, 0.95, 0.99])
def test_quantiles_of_a_normal_law(level: float) -> None:
    assert quantile(normal(0.4, 0.05), level) == pytest.approx(0.4 + 0.05 * ndtri(level), abs=GAP / 10)


@PROPERTY
@given(parts, st.floats(0.0, 1.0))
def test_a_quantile_undoes_the_distribution(members: list[tuple[float, float, float]], level: float) -> None:
    cdf = of_normals(*map(np.array, zip(*members, strict=True)))
    accuracy = quantile(cdf, level)
    assert 0.0 <= accuracy <= 1.0
    assert float(np.interp(accuracy, NODES, cdf)) == pytest.approx(level, abs=1e-4)


def test_quantiles_at_the_ends() -> None:
    assert quantile(evenly(0.2, 0.6), 0.0) == 0.0, "at least the least accuracy"
    assert quantile(evenly(0.2, 0.6), 1.0) == pytest.approx(0.6, abs=GAP)
    assert quantile(np.ones(len(NODES)), 0.5) == 0.0
    assert quantile(np.append(np.zeros(len(NODES) - 1), 1.0), 1.0) == 1.0


def test_means() -> None:
    assert mean_of(normal(0.4, 0.05)) == pytest.approx(0.4, abs=1e-4)
    assert mean_of(normal(0.0, 0.1)) == pytest.approx(0.1 * np.sqrt(2.0 / np.pi), abs=1e-4), "a half-normal law"


# -- the chance to reach it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [0.0, 1e-6, 0.01, 0.05, 0.2])
def test_a_normal_accuracy_against_a_normal_law(error: float) -> None:
    """The difference of two normals is one: its variance is the sum. A line between nodes is off by up to
    gap^2 / 8 times the steepest the density gets, 0.242 / sd^2."""
    accuracy = np.linspace(0.2, 0.6, 9)
    chance = chance_reached(normal(0.4, 0.05), accuracy, np.full(9, error))
    assert chance == pytest.approx(ndtr((accuracy - 0.4) / np.hypot(0.05, error)), abs=GAP**2 / 8 * 0.242 / 0.05**2)


@pytest.mark.parametrize("error", [0.0, 0.02, 0.3])
def test_against_an_even_law(error: float) -> None:
    """The mean of ndtr over the interval, by brute force; without an error the share of it that lies below."""
    accuracy = np.array([0.1, 0.35, 0.7, 0.95])
    places = np.linspace(0.2, 0.8, 200_001)
    brute: Callable[[float], float] = lambda a: float(  # noqa: E731
        np.mean(ndtr((a - places) / error) if error else a >= places)
    )
    chance = chance_reached(evenly(0.2, 0.8), accuracy, np.full(4, error))
    assert chance == pytest.approx([brute(a) for a in accuracy], abs=1e-3)


@PROPERTY
@given(parts, st.lists(st.floats(0.0, 1.1), min_size=1, max_size=6).map(sorted), st.floats(0.0, 0.5))
def test_more_accuracy_reaches_it_more_surely(
    members: list[tuple[float, float, float]], accuracy: list[float], error: float
) -> None:
    cdf = of_normals(*map(np.array, zip(*members, strict=True)))
    chance = chance_reached(cdf, np.array(accuracy), np.full(len(accuracy), error))
    assert np.all((chance >= 0.0) & (chance <= 1.0))
    assert np.all(np.diff(chance) >= -1e-9)


def test_known_exactly_it_is_the_distribution_itself() -> None:
    cdf, accuracy = normal(0.4, 0.002), np.array([0.395, 0.399, 0.4, 0.402, 0.41])
    assert chance_reached(cdf, accuracy, np.zeros(5)) == pytest.approx(np.interp(accuracy, NODES, cdf), abs=1e-9)
