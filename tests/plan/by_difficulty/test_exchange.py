"""A small model with more samples, or a large one: by samples, by all FLOPs, and where the small one is ahead."""

import pytest

from breakeven.plan.by_difficulty.exchange import COUNTED, Exchange, Model, ahead, counted_exchange, exchange
from breakeven.plan.by_difficulty.population import Difficulty, Population, Setting
from breakeven.plan.by_difficulty.worth import Bins, Gain

HALVES = Bins(name="at 0.5", num_bins=2, thresholds=(0.5,))
SIZE = 40
EASY = tuple(float(place % 2) for place in range(SIZE))


def small() -> Population:
    """One sample solves half of the easy problems, a vote of 8 all of them, and nothing solves a hard one."""
    votes = {1: tuple(0.5 * each for each in EASY), 8: EASY}
    return Population(
        of="made problems",
        ids=tuple(map(str, range(SIZE))),
        settings=tuple(
            Setting(
                strategy="judged",
                k=k,
                reward_model="small",
                accuracy_P=accuracy,
                model_flops_P=(2.0 * k,) * SIZE,
                reward_flops_P=(1.0 * k,) * SIZE,
            )
            for k, accuracy in votes.items()
        ),
        difficulties=(
            Difficulty(name="solve rate", num_samples=32, score_P=EASY, oracle=True),
            Difficulty(name="agreement", num_samples=4, score_P=EASY, model_flops=8.0),
        ),
        sample_flops=2.0,
    )


def model(*, params: int, train: float, one_off: float = 0.0, query: float, accuracy: float) -> Model:
    return Model(
        params=params,
        train_tokens=1000,
        train_flops=train,
        one_off={"small reward model": one_off} if one_off else {},
        query_flops=query,
        query_tokens=10,
        greedy_P=(accuracy,) * SIZE,
    )


LARGE = model(params=14, train=6 * 14 * 1000.0, query=28.0, accuracy=0.75)


def by_samples(difficulty: Difficulty, samples: float, *, bins: Bins = HALVES) -> Exchange:
    found = exchange(small(), LARGE, difficulty, bins, ratio=0.4, accounting="fair", samples=samples)
    assert found is not None
    return found


def counted(own: Model, difficulty: Difficulty, *, ratio: float) -> Exchange:
    found = counted_exchange(small(), own, LARGE, difficulty, HALVES, ratio=ratio)
    assert found is not None
    return found


def test_by_samples_settings_cost_their_k() -> None:
    """8 allowed: easy problems +.25, hard ones -.75; 7 allowed leave one sample, -.25 and -.75."""
    true = small().difficulties[0]
    for samples, most, easy in ((8.9, 8, 0.25), (7.0, 1, -0.25)):
        found = by_samples(true, samples)
        assert (found.allowed, found.most, found.accounting) == (samples, most, "fair")
        assert [gain and gain.value for gain in found.gain_B] == [-0.75, easy]
        assert found.gain.value == pytest.approx((easy - 0.75) / 2)


def test_a_predicted_difficulty_takes_its_samples_out_of_those_allowed() -> None:
    predicted = small().difficulties[1]
    assert by_samples(predicted, 11.0).most == 5
    assert by_samples(predicted, 12.0).most == 12
    assert exchange(small(), LARGE, predicted, HALVES, ratio=0.4, accounting="fair", samples=4.5) is None


def test_counted_lives_cost_the_same() -> None:
    """By hand: 40 queries; the large model costs 84,000 and 28 a query, the small one 6,000, so that a query of it may
    cost 28 + 78,000 / 40 = 1,978 FLOPs, 989 of its samples; the reward model adds 2,000 / 40 to the 24 of K = 8."""
    own = model(params=1, train=6000.0, one_off=2000.0, query=2.0, accuracy=0.25)
    found = counted(own, small().difficulties[0], ratio=0.4)
    assert (found.accounting, found.allowed, found.most) == (COUNTED, 989.0, 37.0)
    assert [gain and gain.value for gain in found.gain_B] == [-0.75, 0.25]


def test_at_many_queries_the_small_model_may_cost_what_a_large_answer_does() -> None:
    """28 FLOPs pay 8 samples with their rewards, 24, and not with 4 samples before that tell difficulty, 32."""
    own = model(params=1, train=6000.0, query=2.0, accuracy=0.25)
    true, predicted = small().difficulties
    found = counted(own, true, ratio=1e9)
    assert found.allowed == pytest.approx(14, rel=1e-4)
    assert found.most == pytest.approx(12)
    assert counted(own, predicted, ratio=1e9).most == pytest.approx((3.0 + 8.0) / 2)


def test_an_empty_bin_has_no_gain() -> None:
    thirds = Bins(name="at 0.5, 2", num_bins=3, thresholds=(0.5, 2.0))
    found = by_samples(small().difficulties[0], 8.0, bins=thirds)
    assert found.gain_B[2] is None
    assert ahead(found.gain_B) == ()  # every problem of a bin differs by the same, which shows no spread


def test_ahead_where_the_interval_leaves_out_0() -> None:
    gains = [
        Gain(value=0.1, lo=0.05, hi=0.15),
        None,
        Gain(value=0.1, lo=-0.05, hi=0.25),
        Gain(value=-1, lo=-2, hi=-0.5),
    ]
    assert ahead(gains) == (0,)
