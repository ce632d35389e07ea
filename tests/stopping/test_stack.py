"""The members weighed: by how much of the run was seen, and raised by what a decay ahead may bring."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.stopping.density import NODES, mixed, quantile
from breakeven.stopping.members import MEMBERS, Curve
from breakeven.stopping.stack import DECAY_GAINS, LEAST_LATE_RISE, STAGES, WEIGHTS, density_of, weights_at

PROPERTY = settings(derandomize=True, max_examples=60, deadline=None)

curves = st.builds(
    lambda accuracy, last, num_problems: Curve(
        share=np.linspace(last / len(accuracy), last, len(accuracy)),
        accuracy=np.array(accuracy),
        num_problems=num_problems,
    ),
    st.lists(st.floats(0.0, 1.0), min_size=4, max_size=20),
    st.floats(0.02, 1.0),
    st.sampled_from([None, 50, 1000]),
)


# -- weights ----------------------------------------------------------------------------------------------------------


def test_every_member_has_a_weight_at_every_stage() -> None:
    assert list(WEIGHTS) == list(MEMBERS)
    assert {len(row) for row in WEIGHTS.values()} == {len(STAGES)}
    assert list(STAGES) == sorted(STAGES)
    for stage in range(len(STAGES)):
        assert sum(row[stage] for row in WEIGHTS.values()) == pytest.approx(1.0, abs=0.005), "a table of three digits"


@PROPERTY
@given(st.floats(0.0, 1.0))
def test_weights_sum_to_1_at_any_share(used: float) -> None:
    weights = weights_at(used)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert min(weights.values()) > 0.0


def test_between_two_stages_weights_lie_between() -> None:
    for (low, high), place in zip(pairwise(STAGES), range(len(STAGES)), strict=False):
        middle = weights_at((low + high) / 2.0)
        for name, row in WEIGHTS.items():
            assert middle[name] == pytest.approx((row[place] + row[place + 1]) / 2.0, abs=0.005)


def test_beyond_the_stages_weights_are_kept() -> None:
    assert weights_at(0.0) == weights_at(STAGES[0])
    assert weights_at(1.0) == weights_at(STAGES[-1])


def test_a_late_rise_is_never_ruled_out() -> None:
    for used, weight in zip(STAGES, WEIGHTS["late_rise"], strict=True):
        assert weight >= LEAST_LATE_RISE * (1.0 - used) - 0.0005


# -- the density ------------------------------------------------------------------------------------------------------


@PROPERTY
@given(curves, st.floats(0.0, 1.0))
def test_a_density_is_one_of_an_accuracy(curve: Curve, ahead: float) -> None:
    cdf = density_of(curve, ahead)
    assert cdf.shape == NODES.shape
    assert cdf[0] >= 0.0
    assert cdf[-1] == pytest.approx(1.0)
    assert np.all(np.diff(cdf) >= -1e-12)


def test_it_is_the_members_mixture() -> None:
    curve = Curve(share=np.linspace(0.1, 0.4, 6), accuracy=np.array([0.1, 0.2, 0.25, 0.28, 0.3, 0.31]))
    weights = weights_at(0.4)
    assert density_of(curve) == pytest.approx(
        mixed(list(weights.values()), [member(curve) for member in MEMBERS.values()])
    )


@PROPERTY
@given(curves, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_decay_ahead_only_raises_and_more_of_it_more(curve: Curve, one: float, other: float) -> None:
    less, more = (density_of(curve, ahead) for ahead in (min(one, other), max(one, other)))
    assert np.all(less <= density_of(curve) + 1e-9)
    assert np.all(more <= less + 1e-9)


def test_a_decay_may_bring_nothing() -> None:
    """Its gains and their chances, which are no more than 1."""
    gains, chances = zip(*DECAY_GAINS, strict=True)
    assert gains[0] == 0.0
    assert sum(chances) == pytest.approx(1.0)


def test_a_flat_past_foretells_no_certain_end() -> None:
    """A tenth of the budget seen at .1: above .9 lies what may yet click; at nine tenths little of it is left."""
    early, late = (
        density_of(Curve(share=np.linspace(last / 10, last, 10), accuracy=np.full(10, 0.1), num_problems=1000))
        for last in (0.1, 0.9)
    )
    above = [1.0 - float(np.interp(0.9, NODES, cdf)) for cdf in (early, late)]
    assert above[0] > 0.1 > 0.05 > above[1]
    assert quantile(late, 0.5) == pytest.approx(0.1, abs=0.02)
