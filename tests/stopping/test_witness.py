"""Earlier runs as witnesses: good ones are believed early, strangers are not, and short ones only show the way."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from breakeven.records import Forecast, Witness
from breakeven.stopping import witness as module
from breakeven.stopping.density import Floats, evenly, quantile
from breakeven.stopping.forecast import forecast_accuracy
from breakeven.stopping.members import Curve
from breakeven.stopping.witness import MOST, PRIOR, Heard, hear

PROPERTY = settings(derandomize=True, max_examples=60, deadline=None)
SHARE = np.linspace(0.04, 1.0, 25)
NEVER = evenly(0.0, 1.0)


def rising(share: Floats) -> Floats:
    """Up to 0.6, half of it at a tenth of the budget."""
    return 0.6 * share**2 / (share**2 + 0.01)


def late(share: Floats) -> Floats:
    """At 0.2 until three quarters of the budget, then up to 0.9."""
    return np.where(share < 0.75, 0.2, 0.9)


def flat(share: Floats) -> Floats:
    return np.full_like(share, 0.2)


def run(shape: Callable[[Floats], Floats], seed: int, *, to: float = 1.0, size: int = 500) -> Curve:
    share = SHARE[SHARE <= to + 1e-9]
    return Curve(
        share=share, accuracy=np.random.default_rng(seed).binomial(size, shape(share)) / size, num_problems=size
    )


def witness(
    shape: Callable[[Floats], Floats],
    seed: int,
    *,
    to: float = 1.0,
    decay_share: float | None = None,
    token_ratio: float | None = None,
) -> Witness:
    curve = run(shape, seed, to=to)
    return Witness(
        name="earlier",
        share=tuple(curve.share.tolist()),
        greedy_accuracy=tuple(curve.accuracy.tolist()),
        sampled_accuracy=(None,) * len(curve.share),
        num_problems=500,
        decay_share=decay_share,
        token_ratio=token_ratio,
    )


def heard(curve: Curve, *witnesses: Witness, decay_share: float | None = None) -> Heard:
    told = hear(curve, witnesses, lambda _: NEVER, baseline="greedy", decay_share=decay_share)
    assert told is not None
    return told


def forecast(curve: Curve, *witnesses: Witness) -> Forecast:
    return forecast_accuracy(
        curve.share, curve.accuracy, 1.0, num_problems=curve.num_problems, decay_share=0.0, like=witnesses
    )


# -- how far they are believed ----------------------------------------------------------------------------------------


def test_a_run_of_the_same_shape_is_believed_early_and_another_is_not() -> None:
    early = run(rising, 1, to=0.2)
    assert heard(early, witness(rising, 2)).weight > 0.85
    assert heard(early, witness(late, 3)).weight < 0.01


def test_no_number_of_witnesses_rules_out_what_none_of_them_did() -> None:
    told = heard(run(rising, 1, to=0.5), *(witness(rising, seed) for seed in range(2, 8)))
    assert (told.number, told.reach) == (6, 1.0)
    assert 0.89 < told.weight <= MOST


def test_a_good_witness_beside_a_bad_one_is_the_one_that_counts() -> None:
    curve = run(rising, 1, to=0.3)
    both, one = heard(curve, witness(rising, 2), witness(flat, 3)), heard(curve, witness(rising, 2))
    assert both.weight > 0.8
    assert quantile(both.cdf, 0.5) == pytest.approx(quantile(one.cdf, 0.5), abs=0.01)


def test_one_checkpoint_by_hand() -> None:
    """Of one checkpoint that a flat witness foretells exactly, at one speed and kinship, everything is a normal law."""
    curve = Curve(share=np.array([0.5]), accuracy=np.array([0.5]), num_problems=100)
    flat_witness = Witness(
        name="w", share=(0.1, 1.0), greedy_accuracy=(0.5, 0.5), sampled_accuracy=(None, None), num_problems=100
    )
    noise = 2 * module.NOISE / (100 * 0.25)
    spread = module.OFFSET**2 + module.WANDER**2
    kin = [prior * multivariate_normal.pdf(0.0, 0.0, spread * scale**2 + noise) for scale, prior in module.KINSHIP]
    alone = multivariate_normal.pdf(0.0, -2.0, 2.5**2 + noise / 2)
    odds = np.exp(PRIOR) * sum(kin) / alone
    told = heard(curve, flat_witness)
    assert told.weight == pytest.approx(MOST * odds / (1 + odds), rel=1e-9)
    assert quantile(told.cdf, 0.5) == pytest.approx(0.5, abs=1e-3)


# -- what they say ----------------------------------------------------------------------------------------------------


def test_a_lead_over_the_witness_is_kept_in_part() -> None:
    ahead = heard(run(lambda share: np.minimum(1.3 * rising(share), 1.0), 1, to=0.5), witness(rising, 2))
    level = heard(run(rising, 1, to=0.5), witness(rising, 2))
    assert quantile(level.cdf, 0.5) + 0.03 < quantile(ahead.cdf, 0.5) < 0.8


def test_a_late_rise_is_expected_where_witnesses_had_one_and_not_where_they_had_none() -> None:
    curve = run(flat, 1, to=0.5)
    rose, alone, stayed = forecast(curve, witness(late, 2)), forecast(curve), forecast(curve, witness(flat, 3))
    assert rose.mean > 0.8
    assert stayed.hi < alone.hi
    assert stayed.late_rise < 0.3 * alone.late_rise
    assert (rose.num_witnesses, alone.num_witnesses) == (1, 0)
    assert [each.name for each in rose.members][-1] == "witnesses"
    assert sum(each.weight for each in rose.members) == pytest.approx(1.0, abs=1e-3)


def test_two_witnesses_halve_the_error_of_early_forecasts() -> None:
    """Of a curve half way up at 30 % of its budget, seen until 20 %."""

    def slow(share: Floats) -> Floats:
        return 0.6 * share**3 / (share**3 + 0.027)

    end, error = slow(np.ones(1))[0], {True: 0.0, False: 0.0}
    for seed in range(10, 14):
        curve = run(slow, seed, to=0.2)
        for told in (True, False):
            made = forecast(curve, *([witness(slow, 2), witness(slow, 3)] if told else []))
            assert made.lo < end < made.hi
            error[told] += abs(made.mean - end)
    assert error[True] < error[False] / 2


# -- how far they reach -----------------------------------------------------------------------------------------------


def test_a_stopped_witness_shows_the_way_as_far_as_it_went() -> None:
    ways: list[Curve] = []

    def unseen(way: Curve) -> Floats:
        ways.append(way)
        return NEVER

    curve = run(rising, 1, to=0.2)
    told = hear(curve, [witness(rising, 2, to=0.6)], unseen, baseline="greedy")
    assert told is not None
    assert told.reach == pytest.approx(0.6)
    low, middle, high = ways
    assert middle.share[-1] == pytest.approx(0.6)
    assert np.all(np.diff(middle.share) > 0)
    assert middle.share[: len(curve.share)].tolist() == curve.share.tolist()
    assert low.accuracy[-1] < middle.accuracy[-1] < high.accuracy[-1]
    assert middle.accuracy[-1] == pytest.approx(rising(np.array([0.6]))[0], abs=0.04)
    assert hear(run(rising, 1, to=0.6), [witness(rising, 2, to=0.6)], unseen, baseline="greedy") is None


def test_the_late_rise_of_a_forecast_from_where_a_witness_leaves_off_counts_too() -> None:
    short, whole = (forecast(run(rising, 1, to=0.2), witness(rising, 2, to=to)) for to in (0.6, 1.0))
    assert short.late_rise > whole.late_rise


@pytest.mark.parametrize(
    ("theirs", "ours", "reach"), [(0.2, 0.2, 1.0), (0.2, 0.1, 0.8), (0.1, 0.2, 0.8), (None, 0.2, 1.0), (0.2, None, 1.0)]
)
def test_another_decay_is_not_taken_for_this_run_s(theirs: float | None, ours: float | None, reach: float) -> None:
    told = heard(run(rising, 1, to=0.2), witness(rising, 2, decay_share=theirs), decay_share=ours)
    assert told.reach == pytest.approx(reach)


def test_runs_of_another_size_are_matched_by_tokens_per_parameter_where_that_fits() -> None:
    """A run whose budget is half of the witness's, per parameter: it is at every share where that was at half of it."""
    half = run(lambda share: rising(share / 2), 1, to=0.4)
    by_share, by_tokens = (heard(half, witness(rising, 2, token_ratio=ratio)) for ratio in (None, 2.0))
    end = rising(np.array([0.5]))[0]
    assert by_tokens.weight > by_share.weight
    assert abs(quantile(by_tokens.cdf, 0.5) - end) < abs(quantile(by_share.cdf, 0.5) - end) + 0.005
    assert by_tokens.number == 1


# -- for any curve ----------------------------------------------------------------------------------------------------


@PROPERTY
@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=60),
    st.lists(st.floats(0.0, 1.0), min_size=2, max_size=20),
    st.floats(0.0, 0.99),
    st.sampled_from([None, 1, 10**9]),
)
def test_whatever_was_seen_it_is_a_distribution(
    accuracy: list[float], other: list[float], last: float, size: int | None
) -> None:
    curve = Curve(
        share=np.linspace(last / (2 * len(accuracy)), last, len(accuracy)),
        accuracy=np.array(accuracy),
        num_problems=size,
    )
    given_witness = Witness(
        name="w",
        share=tuple(np.linspace(0.0, 1.0, len(other)).tolist()),
        greedy_accuracy=tuple(other),
        sampled_accuracy=(None,) * len(other),
        num_problems=size or 100,
    )
    told = heard(curve, given_witness)
    assert 0.0 <= told.weight <= MOST
    assert np.all(np.diff(told.cdf) >= -1e-12)
    assert (told.cdf[0], told.cdf[-1]) == (0.0, pytest.approx(1.0))
