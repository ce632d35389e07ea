"""Simulated runs: the truth they state is what many problems and samples show, and all of it follows from the seed."""

from dataclasses import replace

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Reason
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience
from breakeven.testing.simulated_curves import FAMILIES
from breakeven.testing.simulated_runs import SimulatedRun, follow, random_run

MANY = 40_000


@pytest.mark.parametrize("checkpoint", [1, 10, 20])
def test_truth_is_what_many_problems_show(checkpoint: int) -> None:
    run = SimulatedRun(
        lambda share: 0.1 + 0.4 * share,
        seed=3,
        num_problems=MANY,
        num_checkpoints=20,
        unsolvable=0.1,
        decay_share=0.2,
        decay_gain=0.5,
    )
    rate_P = run.rates(checkpoint)
    error = 5 * 0.5 / np.sqrt(MANY)
    for k in (1, 4, 32):
        assert run.pass_at_k(checkpoint, k) == pytest.approx((1 - (1 - rate_P) ** k).mean(), abs=error)
        assert run.accuracy(checkpoint, "pass@k", k) == run.pass_at_k(checkpoint, k)
    assert run.greedy_accuracy(checkpoint) == pytest.approx(run.greedy(checkpoint).mean(), abs=error)
    assert run.accuracy(checkpoint, "greedy", 1) == run.greedy_accuracy(checkpoint)
    assert run.samples(checkpoint, 2).mean() == pytest.approx(rate_P.mean(), abs=error)


def test_full_accuracy_is_that_of_the_last_checkpoint_decay_included() -> None:
    run = random_run("plateau", seed=0, decayed=True)
    assert run.full_accuracy == run.greedy_accuracy(run.num_checkpoints)
    assert run.decay_gain > 0
    assert run.full_accuracy > replace(run, decay_gain=0.0).full_accuracy


def test_all_follows_from_the_seed() -> None:
    first, again, other = (random_run("power_law", seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(first.samples(7, 4), again.samples(7, 4))
    assert np.array_equal(first.greedy(7), again.greedy(7))
    assert first.full_accuracy == again.full_accuracy != other.full_accuracy
    assert np.array_equal(first.samples(7, 9)[:, :4], first.samples(7, 4))
    policy = CalibratedPolicy()
    assert follow(first, policy, first.spec()) == follow(again, policy, again.spec())


def test_problems_keep_their_place_among_the_others() -> None:
    run = SimulatedRun(lambda share: 0.4, seed=0, num_problems=5000)
    near = np.corrcoef(run.rates(20), run.rates(21))[0, 1]
    far = np.corrcoef(run.rates(1), run.rates(50))[0, 1]
    assert 0.5 < far < near < 0.9


@pytest.mark.parametrize("family", FAMILIES)
def test_rates_are_rates(family: str) -> None:
    for seed in range(20):
        run = random_run(family, seed=seed, num_problems=20, decayed=True)
        for checkpoint in (1, 25, 50):
            rate_P = run.rates(checkpoint)
            assert np.all((rate_P >= 0) & (rate_P <= 1))


def test_follow_ends_at_the_stop_or_with_the_budget() -> None:
    run = random_run("saturating", seed=1)
    stopped = follow(run, CalibratedPolicy(), run.spec())
    assert stopped[-1].stop
    assert not any(each.stop for each in stopped[:-1])
    never = follow(replace(run, num_checkpoints=8), CalibratedPolicy(margin=0.0, max_k=1), run.spec())
    assert len(never) == 8
    assert never[-1].reason is Reason.BUDGET_SPENT


def test_samples_are_drawn_as_the_policy_needs_them() -> None:
    run = random_run("saturating", seed=1)
    sparing = follow(run, CalibratedPolicy(), run.spec())
    full = follow(run, Patience(PaperPolicy(), 50), run.spec())
    assert sparing[0].evaluation_flops == pytest.approx(2e-4 * run.spec().budget_flops)
    assert full[0].evaluation_flops == pytest.approx(500 * 4e-7 * (2 * 0.3 + 17 * 0.7) * run.spec().budget_flops)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"num_problems": 0}, "num_problems"),
        ({"num_checkpoints": 0}, "num_checkpoints"),
        ({"spread": (0.0, 0.5)}, "spread"),
        ({"wobble": -0.1}, "wobble"),
        ({"unsolvable": 1.0}, "unsolvable"),
        ({"decay_share": 1.5}, "decay_share"),
    ],
)
def test_values_out_of_range_are_refused(changed: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        SimulatedRun(lambda share: share, seed=0, **changed)


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(ArgumentError, match="saturating"):
        random_run("quadratic", seed=0)
