"""The member that reads the loss: a falling loss foretells a rise, unless accuracy is seen not to follow it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from breakeven.errors import ArgumentError
from breakeven.records import Forecast
from breakeven.stopping.density import NODES, quantile
from breakeven.stopping.forecast import forecast_accuracy
from breakeven.stopping.loss_line import LEAST_POINTS, loss_known, loss_line, overfitted
from breakeven.stopping.members import Curve
from breakeven.stopping.stack import DECAY_GAINS, OVERFITTED_GAINS, density_of, weights_at

PROPERTY = settings(derandomize=True, max_examples=60, deadline=None)
SHARE = np.linspace(0.04, 0.4, 10)
FLAT = np.full(10, 0.3)


def curve(accuracy: np.ndarray, loss: np.ndarray) -> Curve:
    return Curve(share=SHARE, accuracy=accuracy, num_problems=500, loss=loss)


def median(accuracy: np.ndarray, loss: np.ndarray) -> float:
    return quantile(loss_line(curve(accuracy, loss)), 0.5)


def test_a_law_that_holds_is_gone_on_with() -> None:
    """log loss falls by half an e-fold for one of training, and the logit of accuracy rises by 2 for one of loss."""
    log_loss = -0.5 * np.log(SHARE)
    accuracy = expit(-1.0 - 2.0 * log_loss)
    assert median(accuracy, np.exp(log_loss)) == pytest.approx(float(expit(-1.0)), abs=0.02)


def test_a_falling_loss_forbids_a_confident_level() -> None:
    falling, level = loss_line(curve(FLAT, SHARE**-0.4)), loss_line(curve(FLAT, np.full(10, 1.4)))
    assert quantile(falling, 0.95) > quantile(level, 0.95) + 0.05
    assert quantile(falling, 0.5) >= quantile(level, 0.5)


def test_accuracy_that_does_not_follow_the_loss_is_not_drawn_down_by_it() -> None:
    """As on a training set learnt by heart: the loss on other problems rises, and what is solved stays."""
    rising = median(FLAT, SHARE**0.5)
    assert 0.2 < rising < 0.35


@PROPERTY
@given(
    st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 20.0)), min_size=4, max_size=12),
    st.floats(0.05, 1.0),
    st.sampled_from([None, 20, 1000]),
)
def test_it_is_a_distribution_of_an_accuracy(
    points: list[tuple[float, float]], last: float, problems: int | None
) -> None:
    accuracy, loss = np.array(points).T
    share = np.linspace(last / len(points), last, len(points))
    cdf = loss_line(Curve(share=share, accuracy=accuracy, num_problems=problems, loss=loss))
    assert cdf.shape == NODES.shape
    assert np.all(np.isfinite(cdf))
    assert np.all(np.diff(cdf) >= -1e-12)
    assert (cdf[0], cdf[-1]) == (0.0, 1.0)


def test_a_training_set_learnt_by_heart_shows_in_a_loss_that_rises() -> None:
    fallen, risen = np.linspace(1.0, 0.5, 6), np.linspace(0.52, 0.6, 4)
    assert overfitted(curve(FLAT, np.concatenate([fallen, risen])))
    assert not overfitted(curve(FLAT, np.linspace(1.0, 0.5, 10)))  # falls
    assert not overfitted(curve(FLAT, np.full(10, 0.5)))  # is level
    assert not overfitted(curve(FLAT, np.concatenate([np.linspace(1.0, 0.5, 8), [0.9, 0.9]])))  # jumped just now
    assert not overfitted(curve(FLAT, np.concatenate([fallen, [0.9, 0.9, 0.9, 0.4]])))  # and fell again
    assert not overfitted(Curve(share=SHARE, accuracy=FLAT))
    assert not overfitted(curve(FLAT, np.concatenate([np.full(6, np.nan), risen])))  # hardly known


def test_of_a_decay_little_is_hoped_for_where_the_loss_rises() -> None:
    falling, rising = (curve(FLAT, np.concatenate([np.linspace(1.0, 0.5, 6), loss])) for loss in ([0.4] * 4, [0.6] * 4))
    gained = [np.abs(density_of(each, 1.0) - density_of(each)).sum() for each in (falling, rising)]
    assert gained[1] < gained[0] / 2
    means = [sum(gain * weight for gain, weight in gains) for gains in (DECAY_GAINS, OVERFITTED_GAINS)]
    assert means[1] < means[0] / 2


# -- in the forecast --------------------------------------------------------------------------------------------------


def test_it_speaks_where_the_last_losses_are_known() -> None:
    losses = np.full(10, 0.5)
    for unknown, known in ((None, 10), (0, 9), (5, 4), (6, 3), (9, 0)):
        with_gap = losses.copy()
        if unknown is not None:
            with_gap[unknown] = np.nan
        assert loss_known(curve(FLAT, with_gap)) == known
    assert loss_known(Curve(share=SHARE, accuracy=FLAT)) == 0
    assert LEAST_POINTS == 4


def test_all_others_share_the_rest_of_the_weight() -> None:
    alone, beside = weights_at(0.3), weights_at(0.3, loss=True)
    heard = beside.pop("loss_line")
    assert 0.0 < heard < 1.0
    assert beside == pytest.approx({name: (1.0 - heard) * weight for name, weight in alone.items()})


def test_a_curve_without_losses_is_foretold_as_ever() -> None:
    nowhere = density_of(Curve(share=SHARE, accuracy=FLAT, num_problems=500))
    assert np.array_equal(density_of(curve(FLAT, np.full(10, np.nan))), nowhere)
    assert not np.array_equal(density_of(curve(FLAT, np.full(10, 0.5))), nowhere)


def forecast(losses: list[float | None]) -> Forecast:
    return forecast_accuracy(SHARE.tolist(), FLAT.tolist(), 1.0, num_problems=500, validation_loss=losses)


def test_it_is_named_among_the_members() -> None:
    assert "loss_line" in {each.name for each in forecast([0.5] * 10).members}
    assert "loss_line" not in {each.name for each in forecast([0.5] * 9 + [None]).members}
    assert forecast([None] * 10).cdf == forecast([]).cdf


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ([0.5] * 9, "validation_loss must have one value for each of the 10 train_flops; got 9"),
        ([0.5] * 9 + [-1.0], "finite losses of at least 0; got -1.0"),
        ([0.5] * 9 + [float("inf")], "finite losses of at least 0; got inf"),
    ],
)
def test_bad_losses_are_named(losses: list[float | None], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        forecast(losses)
