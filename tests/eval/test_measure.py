"""Every strategy against numbers counted by hand, on two problems of four samples."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError
from breakeven.eval.measure import measurable, measure
from breakeven.eval.prices import Costs
from breakeven.eval.samples import DrawnSamples
from breakeven.records import Measurement, Problem, Reward, SampleBank
from breakeven.ttc.pool import pool_of
from breakeven.ttc.strategies.named import STRATEGIES
from breakeven.ttc.strategies.settled_vote import samples_until_safe
from breakeven.ttc.strategies.strategy import Basis, Need

COST = ModelCost(body_params=0.5)
"""Reading P tokens costs P, and each fed token 1: a completion of n tokens feeds n - 1."""
REWARDS_PN = (((0.9, "11"), (0.8, "10"), (0.95, "11"), (0.1, "00")), ((0.5, "0?"), (0.6, "?1"), (0.7, "11"), (1, "11")))


VOTED = {Need.ANSWERS, Need.VERIFIER}
SCORED = VOTED | {Need.REWARDS, Need.WEIGHTS}


def make_samples(
    correct_PN: tuple[str, ...] = ("1101", "0010"),
    *,
    greedy: str = "10",
    answer_PN: tuple[str, ...] = ("0010", "001-"),
    prompt_tokens_P: tuple[int, ...] = (10, 20),
    output_tokens_PN: tuple[tuple[int, ...], ...] = ((3, 5, 3, 5), (2, 2, 2, 6)),
    rewards_PN: Any = REWARDS_PN,
    verdicts: bool = True,
    **changes: Any,
) -> DrawnSamples:
    """Means per sample: 3 fed of 4 tokens in the first problem, 2 of 3 in the second; 12 and 22 tokens are read."""
    rewards = tuple(
        tuple(
            Reward(
                value=value,
                read_tokens=prompt + 2,
                output_tokens=6 if verdicts else 0,
                verdicts=said if verdicts else "",
            )
            for value, said in row
        )
        for row, prompt in zip(rewards_PN, prompt_tokens_P, strict=False)
    )
    bank = SampleBank(
        correct_PN=correct_PN,
        greedy_correct_P=greedy,
        temperature=0.8,
        seed=0,
        prompt_tokens=sum(prompt_tokens_P),
        output_tokens=sum(map(sum, output_tokens_PN)),
        greedy_output_tokens=6 + 2 * (len(correct_PN) - 2),
        prompt_tokens_P=prompt_tokens_P,
        greedy_tokens_P=(4, 2, *(2,) * (len(correct_PN) - 2)),
        output_tokens_PN=output_tokens_PN,
        answer_PN=answer_PN,
        score_PN=tuple(tuple(value for value, _ in row) for row in rewards_PN),
        **changes,
    )
    return DrawnSamples(
        problems=tuple(Problem(id=f"p{n}", prompt="?") for n in range(len(correct_PN))),
        bank=bank,
        rewards_PN=rewards,
        num_truncated=0,
        num_unanswered=1,
        num_uncompared=0,
    )


def by_k(
    strategy: str, *k_values: int, samples: DrawnSamples | None = None, costs: Costs | None = None
) -> dict[int, Measurement]:
    rows = measure(samples or make_samples(), [strategy], k_values, costs or Costs(model=COST, reward=COST))
    assert all(each.strategy == strategy for each in rows)
    return {each.k: each for each in rows}


def accuracies(rows: dict[int, Measurement]) -> list[float]:
    return [rows[k].accuracy for k in rows]


# -- by hand ----------------------------------------------------------------------------------------------------------


def test_greedy() -> None:
    (row,) = by_k("greedy", 1, 2).values()
    assert (row.accuracy, row.k, row.expected_samples, row.num_problems, row.deployable) == (0.5, 1, 1.0, 2, True)
    assert row.standard_error == pytest.approx(0.5)
    assert row.output_tokens == 3.0
    assert row.model_flops == row.model_flops_unshared == row.flops == (13 + 21) / 2
    assert row.reward_flops == 0.0


def test_pass_at_k_takes_the_expected_samples_up_to_the_first_right_one() -> None:
    rows = by_k("pass@k", 1, 2, 4)
    assert accuracies(rows) == [0.5, 0.75, 1.0]
    assert [rows[k].expected_samples for k in rows] == pytest.approx([1.0, (1.25 + 1.75) / 2, (1.25 + 2.5) / 2])
    assert rows[2].model_flops == pytest.approx((10 + 1.25 * 3 + 20 + 1.75 * 2) / 2)
    assert rows[2].model_flops_unshared == pytest.approx((1.25 * 13 + 1.75 * 22) / 2)
    assert rows[2].output_tokens == pytest.approx((1.25 * 4 + 1.75 * 3) / 2)
    assert rows[2].reward_flops == 0.0
    assert rows[2].standard_error == pytest.approx(0.25)
    assert 0.0 < rows[2].lo < 0.75 < rows[2].hi < 1.0


@pytest.mark.parametrize("oracle", [False, True])
def test_pass_at_k_is_deployable_where_no_reference_is_needed(oracle: bool) -> None:
    assert by_k("pass@k", 1, samples=make_samples(oracle=oracle))[1].deployable is not oracle
    assert by_k("majority_vote", 1, samples=make_samples(oracle=oracle))[1].deployable


def test_majority_vote() -> None:
    rows = by_k("majority_vote", 1, 2, 4)
    assert accuracies(rows) == pytest.approx([0.5, (3 / 4 + 1 / 3) / 2, 0.5])
    pool = pool_of(make_samples().bank)
    assert pool is not None
    in_turn_PK = samples_until_safe(pool, [1, 2, 4])[0]  # a vote is drawn in turn, until its lead cannot be lost
    assert [rows[k].expected_samples for k in rows] == pytest.approx(in_turn_PK.mean(axis=0))
    first, second = in_turn_PK[:, 2]
    assert first == 3.75, "in one of four orders the only 1 comes last, and three 0 are safe"
    assert rows[4].model_flops == pytest.approx((10 + first * 3 + 20 + second * 2) / 2)
    assert rows[4].model_flops_unshared == pytest.approx((first * 13 + second * 22) / 2)
    assert rows[4].flops == rows[4].model_flops
    assert rows[4].output_tokens == pytest.approx((first * 4 + second * 3) / 2)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_best_of_n_reads_every_sample_once(k: int) -> None:
    row = by_k("best_of_n", k, samples=make_samples(verdicts=False))[k]
    assert row.accuracy == pytest.approx(0.5)  # at K = 2 the best is right in three of six pairs of each problem
    assert row.model_flops == (10 + 3 * k + 20 + 2 * k) / 2
    assert row.reward_flops == (12 * k + 22 * k) / 2
    assert row.flops == row.model_flops + row.reward_flops
    assert row.deployable


def test_weighted_vote() -> None:
    rows = by_k("weighted_vote", 1, 4, samples=make_samples(verdicts=False))
    assert accuracies(rows) == [0.5, 0.5]  # 1.8 against 0.95 is right, 1.1 against 0.7 is wrong
    assert rows[4].reward_flops == (12 * 4 + 22 * 4) / 2
    assert rows[4].monte_carlo_error == 0.0


def test_generative_verification_for_each_number_of_verdicts() -> None:
    costs = Costs(model=COST, reward=COST, num_verdicts=2)
    rows = measure(make_samples(), ["generative_verification"], [2, 4], costs)
    assert [(each.num_verdicts, each.k) for each in rows] == [(1, 2), (1, 4), (2, 2), (2, 4)]
    one, two = rows[0], rows[2]
    assert rows[3].accuracy == 0.5  # a right and a wrong sample of each problem have the best verdicts
    assert one.reward_flops == 2 * (14 + 24) / 2  # a verdict of 3 tokens feeds 2
    assert two.reward_flops == 2 * (16 + 26) / 2  # its prompt is read once for both
    assert one.model_flops == two.model_flops == (10 + 6 + 20 + 4) / 2
    assert one.monte_carlo_error >= 0.0
    assert two.monte_carlo_error == 0.0


def test_best_of_n_by_a_judge_pays_for_all_its_verdicts() -> None:
    row = by_k("best_of_n", 2, costs=Costs(model=COST, reward=COST, num_verdicts=2))[2]
    assert row.reward_flops == 2 * (16 + 26) / 2
    assert row.num_verdicts == 0


def test_drawing_in_turn_is_priced_by_the_expected_samples() -> None:
    row = by_k("settled_vote", 4)[4]
    assert row.expected_samples <= 4.0
    assert row.model_flops is not None
    assert row.model_flops <= (10 + 12 + 20 + 8) / 2


def test_k_by_difficulty_leaves_out_a_k_below_its_probe() -> None:
    samples = make_samples(
        ("110111", "001000"),
        answer_PN=("001000", "001-11"),
        output_tokens_PN=((3,) * 6, (2,) * 6),
        rewards_PN=(((0.5, ""),) * 6,) * 2,
    )
    assert list(by_k("k_by_difficulty", 1, 2, 4, 6, samples=samples)) == [4, 6]


# -- what is not known ------------------------------------------------------------------------------------------------


def test_without_the_cost_of_the_policy_no_flops_are_known() -> None:
    for strategy in ("greedy", "pass@k", "majority_vote", "best_of_n"):
        row = by_k(strategy, 1, costs=Costs(model=None, reward=COST))[1]
        assert (row.model_flops, row.model_flops_unshared, row.flops) == (None, None, None)
        assert row.output_tokens > 0


def test_without_the_cost_of_the_verifier_only_what_needs_it_is_not_known() -> None:
    costs = Costs(model=COST)
    best, vote = by_k("best_of_n", 2, costs=costs)[2], by_k("majority_vote", 2, costs=costs)[2]
    assert (best.model_flops, best.reward_flops, best.flops) == (20.0, None, None)
    assert (vote.reward_flops, vote.flops) == (0.0, vote.model_flops)


# -- checks that failed -----------------------------------------------------------------------------------------------


def failed(*rows: str, greedy: str) -> DrawnSamples:
    size = len(rows)
    return make_samples(
        rows,
        greedy=greedy,
        answer_PN=("0010",) * size,
        prompt_tokens_P=tuple(10 * 10**n for n in range(size)),
        output_tokens_PN=((1,) * 4,) * size,
        rewards_PN=tuple(((0.9, "11"), (0.8, "11"), (0.7, "11"), (0.6, "11")) for _ in rows),
    )


def test_a_problem_whose_checks_all_failed_is_left_out_with_its_price() -> None:
    samples = failed("????", "1111", "0000", greedy="?10")
    costs = Costs(model=COST, reward=COST, num_verdicts=2)
    names = ["greedy", "pass@k", "majority_vote", "best_of_n", "weighted_vote", "generative_verification"]
    for row in measure(samples, names, [2], costs):
        assert (row.accuracy, row.num_problems) == (0.5, 2), row.strategy
        if row.strategy != "greedy":
            assert row.model_flops == (100 + 1000) / 2, row.strategy
        if row.strategy == "best_of_n":
            assert row.reward_flops == 2 * (102 + 4 + 1002 + 4) / 2


def test_pass_at_k_rests_on_problems_with_enough_verdicts() -> None:
    rows = by_k("pass@k", 1, 2, 3, 4, samples=failed("1?0?", "0001", greedy="11"))
    assert [(each.k, each.num_problems) for each in rows.values()] == [(1, 2), (2, 2), (3, 1), (4, 1)]
    assert accuracies(rows) == pytest.approx([(1 / 2 + 1 / 4) / 2, (1 + 1 / 2) / 2, 3 / 4, 1.0])


def test_a_k_for_which_no_problem_has_verdicts_is_left_out() -> None:
    samples = failed("1?0?", "0?01", greedy="11")
    assert list(by_k("pass@k", 1, 2, 3, 4, samples=samples)) == [1, 2, 3]
    with pytest.raises(ArgumentError, match=r"--k must be at most the 3 graded samples of a problem; got \[4\]"):
        by_k("pass@k", 4, samples=samples)


def test_a_failed_check_abstains_and_is_chosen_last() -> None:
    samples = failed("?111", "?000", greedy="11")
    assert by_k("best_of_n", 4, samples=samples)[4].accuracy == 0.5
    judged = by_k("generative_verification", 4, samples=samples, costs=Costs(model=COST, num_verdicts=2))
    assert judged[4].accuracy == 0.5
    assert accuracies(by_k("majority_vote", 1, 2, samples=samples)) == [0.75 / 2, 0.5]  # alone, it is no answer


def test_beside_each_accuracy_is_what_it_were_if_the_unknown_were_wrong() -> None:
    samples = failed("1???", "11??", "1111", "????", greedy="11??")
    costs = Costs(model=COST, num_verdicts=2)
    found = measure(samples, ["greedy", "pass@k", "majority_vote", "best_of_n"], [1], costs)
    beside = [(each.strategy, each.accuracy, each.accuracy_unknown_wrong) for each in found]
    assert beside == [
        ("greedy", 1.0, 2 / 4),
        ("pass@k", 1.0, (1 + 2 + 4 + 0) / 16),
        ("majority_vote", pytest.approx((1 + 2 + 4) / 12), (1 + 2 + 4 + 0) / 16),
        ("best_of_n", pytest.approx((1 + 2 + 4) / 12), (1 + 2 + 4 + 0) / 16),
    ]
    assert by_k("pass@k", 1, samples=failed("1111", "0000", greedy="10"))[1].accuracy_unknown_wrong is None


@pytest.mark.parametrize(
    ("strategy", "what"), [("greedy", "greedy sample"), ("pass@k", "sample"), ("best_of_n", "sam")]
)
def test_nothing_is_measured_where_all_checks_failed(strategy: str, what: str) -> None:
    with pytest.raises(ArgumentError, match=f"the checks must give a verdict on at least one {what}"):
        by_k(strategy, 1, samples=failed("????", "????", greedy="??"))


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "given", "message"),
    [
        ("majority", {}, r"--strategies must be among greedy, pass@k, majority_vote, .*; got 'majority'"),
        ("best_of_n", {"has": VOTED}, "--reward-model must be given for best_of_n; got None"),
        ("weighted_vote", {"has": VOTED}, "--reward-model must be given for weighted_vote"),
        ("generative_verification", {}, "--reward-model must be a judge for generative_verification"),
        ("k_by_difficulty", {"k_values": [1, 2]}, r"--k must hold one of at least 4 for k_by_difficulty; got \[1, 2\]"),
        ("k_by_difficulty", {"num_problems": 1}, "--num-problems must be at least 2 for k_by_difficulty; got 1"),
        ("dvts", {"has": VOTED}, "--reward-model must be given for dvts"),
        ("dvts", {}, "--reward-model must judge beginnings of solutions for dvts"),
        ("rebase", {"has": SCORED | {Need.BEGINNINGS}}, "search only models that can go on from a beginning; got 'reb"),
        ("dvts", {"has": set(Need), "width": 3}, r"--k must hold a multiple of --width 3 for dvts.*; got \[1, 4\]"),
        ("majority_vote", {"has": set()}, "--strategies must name none that needs answers; got 'majority_vote'"),
    ],
)
def test_what_cannot_be_measured_is_refused(strategy: str, given: dict[str, Any], message: str) -> None:
    options: dict[str, Any] = {"k_values": [1, 4], "num_problems": 2, "has": SCORED} | given
    with pytest.raises(ArgumentError, match=message):
        measurable(["greedy", strategy], options.pop("k_values"), **options)


def test_what_was_not_scored_is_refused_here_too() -> None:
    samples = replace(make_samples(), rewards_PN=())
    for strategy in ("best_of_n", "generative_verification"):
        with pytest.raises(ArgumentError, match="--reward-model must be"):
            by_k(strategy, 1, samples=samples, costs=Costs(model=COST, num_verdicts=2))
    with pytest.raises(ArgumentError, match="at most the 4 samples"):
        by_k("majority_vote", 8)


def test_a_strategy_that_is_named_twice_is_measured_once() -> None:
    rows = measure(make_samples(), ["greedy", "pass@k", "greedy"], [1], Costs(model=None))
    assert [each.strategy for each in rows] == ["greedy", "pass@k"]
    assert measure(make_samples(), [], [1], Costs(model=None)) == ()


# -- speed ------------------------------------------------------------------------------------------------------------


def test_no_sample_is_priced_anew_for_every_strategy_and_k(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, size, number = np.random.default_rng(0), 100, 64
    correct = tuple("".join(map(str, row)) for row in rng.integers(0, 2, (size, number)))
    answers = tuple("".join(map(str, row)) for row in rng.integers(0, 9, (size, number)))
    rewards = tuple(tuple((value, "1011") for value in row) for row in rng.random((size, number)).tolist())
    samples = make_samples(
        correct,
        greedy="1" * size,
        answer_PN=answers,
        prompt_tokens_P=(10,) * size,
        output_tokens_PN=tuple(map(tuple, rng.integers(5, 200, (size, number)).tolist())),
        rewards_PN=rewards,
    )
    costs = Costs(model=ModelCost(body_params=1e8, num_layers=10, attention_width=512), reward=COST, num_verdicts=4)
    price, calls = ModelCost.decode_flops, [0]

    def counted(*args: Any) -> float:
        calls[0] += 1
        return price(*args)

    monkeypatch.setattr(ModelCost, "decode_flops", counted)
    drawn = [each for each in STRATEGIES.values() if each.basis not in (Basis.SEARCH, Basis.PASSES)]
    rows = measure(samples, drawn, [1, 2, 4, 8, 16, 32, 64], costs)
    assert calls[0] < 5 * size * number  # not 7 K times each of 14 rules
    assert len(rows) == 1 + 5 * 7 + 5 + 3 * 7
    assert all(each.flops is not None and math.isfinite(each.flops) for each in rows)
