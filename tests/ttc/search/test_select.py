"""Which candidate is served, and how likely it is right: ties fair in the measure, fixed when served."""

import math
from collections import Counter

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Finish, Problem, SearchCost
from breakeven.records.agree import SameText
from breakeven.ttc.search.select import SelectionRule, answers_of, chance_right, choose, select, winners
from breakeven.ttc.search.trees import Path, SearchResult

ANSWERS = ["8", "9", "9", None, "7"]
REWARDS = [0.9, 0.5, 0.6, 1.0, 0.9]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("best_of_n", [0, 4]), ("weighted_vote", [2]), ("majority_vote", [2]), ("last", [4])],
)
def test_each_rule_on_a_case_done_by_hand(rule, expected) -> None:
    assert winners(ANSWERS, REWARDS, rule) == expected


def test_tied_answers_are_represented_by_their_best_reward() -> None:
    assert winners(["a", "b", "b", "a"], [0.1, 0.2, 0.3, 0.9], "majority_vote") == [3, 2]
    assert winners(["a", "b", "b", "a"], [0.5, 0.25, 0.75, 0.5], "weighted_vote") == [0, 2]


def test_votes_need_no_rewards() -> None:
    assert winners(["a", "b", "b"], [math.nan] * 3, "majority_vote") == [1]
    assert winners(["a", "b", None], [math.nan] * 3, "last") == [1]


@pytest.mark.parametrize("rule", ["best_of_n", "weighted_vote", "majority_vote", "last"])
def test_without_answers_nothing_is_chosen(rule) -> None:
    assert winners([None, None], [0.5, 0.6], rule) == []
    assert select([None], [0.5], rule, problem_id="p") is None
    assert chance_right([None], [0.5], [True], rule) == 0.0
    assert select([], [], rule, problem_id="p") is None


def test_the_chance_is_the_mean_over_the_tied() -> None:
    assert chance_right(["a", "b", "c"], [0.5] * 3, [True, False, False], "majority_vote") == pytest.approx(1 / 3)
    assert chance_right(["a", "a", "b"], [0.5] * 3, [True, True, False], "best_of_n") == pytest.approx(2 / 3)
    assert chance_right(ANSWERS, REWARDS, [True, False, False, True, False], "best_of_n") == 0.5


@pytest.mark.parametrize("rule", ["best_of_n", "majority_vote"])
def test_over_the_problems_every_tied_candidate_is_served_as_often(rule) -> None:
    served = Counter(select(["a", "b", "c"], [0.5] * 3, rule, problem_id=f"problem {each}") for each in range(3000))
    assert all(abs(count - 1000) < 5 * 26 for count in served.values())
    assert len(served) == 3


def test_a_problem_is_served_the_same_answer_in_any_order_of_its_candidates() -> None:
    rng = np.random.default_rng(0)
    answers = ["a", "b", "c", "a", "b", "c"]
    orders = [rng.permutation(6) for _ in range(20)]
    for rule in ("majority_vote", "weighted_vote"):
        served = set()
        for order in orders:
            shuffled = [answers[at] for at in order]
            place = select(shuffled, [0.5] * 6, rule, problem_id="p")
            assert place is not None
            served.add(shuffled[place])
        assert len(served) == 1


def result_of(*paths: Path) -> SearchResult:
    return SearchResult(problem=Problem(id="p", prompt="?"), candidates=paths, cost=SearchCost())


def test_a_search_result_is_chosen_from_by_its_answers() -> None:
    result = result_of(
        Path(text="so 7", finish=Finish.STOP, rewards=(0.1, 0.6)),
        Path(text="or 8", finish=Finish.LENGTH, rewards=(0.9, 0.5)),
        Path(text="then 7", finish=Finish.STOP, rewards=(0.2,)),
        Path(text="ah 9", finish=Finish.SEGMENT, rewards=(1.0,)),
    )

    def last_word(text: str) -> str:
        return text.split()[-1]

    assert answers_of(result.candidates, SameText(last_word)) == ["7", "8", "7", None]
    rules: tuple[SelectionRule, ...] = ("best_of_n", "weighted_vote", "majority_vote")
    chosen = {rule: choose(result, rule, answers=SameText(last_word)).served for rule in rules}
    assert {rule: path and path.text for rule, path in chosen.items()} == dict.fromkeys(chosen, "so 7")
    assert choose(result_of(Path(text="x")), "majority_vote").served is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a"], [0.5, 0.6], "best_of_n"), "rewards must be one for each of the 1 answers; got 2"),
        ((["a"], [0.5], "best"), "rule must be one of best_of_n, weighted_vote, majority_vote, last; got 'best'"),
        ((["a"], [math.nan], "best_of_n"), "rewards must be finite numbers; got nan"),
        ((["a"], [-0.5], "weighted_vote"), "rewards must be at least 0 to be summed; got -0.5"),
    ],
)
def test_bad_arguments_are_refused(arguments, message) -> None:
    with pytest.raises(ArgumentError, match=message):
        winners(*arguments)


def test_negative_rewards_can_be_compared() -> None:
    assert winners(["a", "b"], [-2.0, -1.0], "best_of_n") == [1]


def test_a_candidate_whose_check_failed_takes_no_part() -> None:
    assert chance_right(["a", "a", "b"], [0.1, 0.2, 0.3], [None, None, True], "majority_vote") == 1.0
    assert chance_right(["a", "b"], [0.9, 0.3], [None, False], "best_of_n") == 0.0
    assert chance_right(["a"], [0.9], [None], "last") == 0.0


def test_verdicts_must_fit() -> None:
    with pytest.raises(ArgumentError, match="right must be one for each of the 2 answers; got 1"):
        chance_right(["a", "b"], [0.5, 0.5], [True], "majority_vote")
