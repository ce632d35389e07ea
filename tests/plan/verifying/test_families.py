"""Families of a pool: by brute force, at V = 0, and what they cost."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.choice.prices import per_query
from breakeven.plan.verifying.families import Base, powers, scored, together, verified, votes
from breakeven.ttc.pool import Pool

RNG = np.random.default_rng(3)
CORRECT = RNG.random((12, 6)) < 0.5
LABELS = np.where(CORRECT, 0, RNG.integers(1, 3, CORRECT.shape)).astype(np.int16)
VERDICTS = (RNG.random((12, 6, 2)) < np.where(CORRECT, 0.8, 0.3)[:, :, None]).astype(np.int8)
GREEDY = RNG.random(12) < 0.5
POOL = Pool(correct_PN=CORRECT, label_PN=LABELS, verdict_PNV=VERDICTS, greedy_P=GREEDY)
BASE = Base(
    train_flops=100.0,
    one_off={"verifier": 7.0},
    problems="made here",
    solution_flops=lambda k: 5.0 + 2.0 * k,
    reward_flops=lambda v: 1.0 + 3.0 * v,
)


def of_size(family, k, v=0):
    (found,) = (each for each in family.options if each.settings["k"] == k and each.settings["num_verdicts"] == v)
    return found


def test_the_best_of_s_is_that_of_all_subsets_ties_broken_evenly():
    family = verified("verifier", POOL, BASE, "best_of_n")
    score = VERDICTS.mean(axis=2)
    for k in (2, 4, 6):
        found = of_size(family, k, 2)
        for problem in range(12):
            chances = []
            for subset in combinations(range(6), k):
                most = max(score[problem, each] for each in subset)
                tied = [each for each in subset if score[problem, each] == most]
                chances.append(np.mean([CORRECT[problem, each] for each in tied]))
            assert found.quality.value_P[problem] == pytest.approx(np.mean(chances))


def test_the_weighted_vote_of_all_is_the_answer_with_the_highest_sum():
    found = of_size(verified("verifier", POOL, BASE, "weighted_vote"), 6, 2)
    score = VERDICTS.mean(axis=2)
    for problem in range(12):
        sums = {label: score[problem, LABELS[problem] == label].sum() for label in {*LABELS[problem].tolist()}}
        led = [label for label, total in sums.items() if total > max(sums.values()) - 1e-9]
        assert found.quality.value_P[problem] == pytest.approx(np.mean([label == 0 for label in led]))


def test_without_verdicts_it_is_one_solution_or_the_plain_vote():
    voted = votes("solver", POOL, BASE)
    assert of_size(voted, 2).quality.value_P == pytest.approx(CORRECT.mean(axis=1))  # a tie of two is broken evenly
    one = next(each for each in voted.options if each.name == "solver, one solution")
    assert one.quality.value_P == pytest.approx(CORRECT.mean(axis=1))
    same = Pool(correct_PN=CORRECT, label_PN=LABELS, verdict_PNV=np.ones((12, 6, 1), dtype=np.int8))
    alike = of_size(verified("all yes", same, BASE, "weighted_vote"), 6, 1)
    assert alike.quality.value_P == pytest.approx(of_size(voted, 6).quality.value_P)
    assert of_size(verified("all yes", same, BASE, "best_of_n"), 4, 1).quality.value_P == pytest.approx(
        CORRECT.mean(axis=1)
    )


def test_one_solution_has_one_verdict_which_chooses_nothing():
    family = verified("verifier", POOL, BASE, "best_of_n")
    assert [each.name for each in family.options if each.settings["k"] == 1] == ["verifier, best of 1 x 1"]
    assert of_size(family, 1, 1).quality.value_P == pytest.approx(CORRECT.mean(axis=1))


def test_greedy_is_there_where_it_is_known():
    assert votes("solver", POOL, BASE).options[0].quality.value_P == tuple(map(float, GREEDY))
    bare = Pool(correct_PN=CORRECT, label_PN=LABELS)
    assert [each.name for each in votes("solver", bare, BASE).options][:2] == [
        "solver, one solution",
        "solver, vote of 2",
    ]


def test_what_a_query_costs():
    dearest = of_size(verified("verifier", POOL, BASE, "best_of_n"), 6, 2)
    assert (dearest.query_flops, dearest.reward_flops) == (5 + 2 * 6, 6 * (1 + 3 * 2))
    assert dearest.once == 107.0
    plain = of_size(votes("solver", POOL, BASE), 6)
    assert (plain.query_flops, plain.reward_flops) == (17.0, 0.0)
    with_scores = Pool(correct_PN=CORRECT, label_PN=LABELS, score_PN=RNG.random((12, 6)))
    for rule in ("best_of_n", "weighted_vote"):
        assert of_size(scored("scorer", with_scores, BASE, rule), 4, 1).reward_flops == 4 * (1 + 3)


@settings(derandomize=True, max_examples=8, deadline=None)
@given(st.floats(0, 1e3), st.floats(1e-3, 1e3), st.floats(0, 1e3), st.floats(1e-3, 1e3))
def test_more_solutions_and_more_verdicts_cost_more(prompt, solution, reading, verdict):
    base = Base(
        problems="", solution_flops=lambda k: prompt + k * solution, reward_flops=lambda v: reading + v * verdict
    )
    options = verified("verifier", POOL, base, "best_of_n").options
    grid = {(int(each.settings["k"]), int(each.settings["num_verdicts"])): per_query(each) for each in options}
    for (k, v), price in grid.items():
        assert all(price < other for (more, same), other in grid.items() if more > k and same == v)
        assert all(price < other for (same, more), other in grid.items() if more > v and same == k)


def test_chances_of_yes_count_as_they_are():
    chances = np.where(VERDICTS == 1, 0.9, 0.2)
    pool = Pool(correct_PN=CORRECT, label_PN=LABELS, verdict_PNV=chances)
    found = of_size(verified("verifier", pool, BASE, "best_of_n"), 6, 2)
    assert found.quality.value_P == pytest.approx(of_size(verified("v", POOL, BASE, "best_of_n"), 6, 2).quality.value_P)
    unknown = chances.copy()
    unknown[:, :, 1] = -1.0
    alone = Pool(correct_PN=CORRECT, label_PN=LABELS, verdict_PNV=chances[:, :, :1])
    left = Pool(correct_PN=CORRECT, label_PN=LABELS, verdict_PNV=unknown)
    assert (
        of_size(verified("v", left, BASE, "best_of_n"), 4, 2).quality
        == of_size(verified("v", alone, BASE, "best_of_n"), 4, 1).quality
    )


def test_sizes_are_powers_of_two_and_the_largest():
    assert powers(32) == (1, 2, 4, 8, 16, 32)
    assert len(together([votes("a", POOL, BASE), votes("b", POOL, BASE)]).options) == 2 * (1 + len(powers(6)))
