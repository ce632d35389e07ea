"""DVTS alone: subtrees that do not know of each other, and the siblings they end with."""

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Finish, Problem
from breakeven.ttc.search.dvts import dvts
from breakeven.ttc.search.select import answers_of

PROBLEM = Problem(id="p", prompt="12345")


def run(sampler, reward, segments, num_candidates=4, width=2):
    (result,) = dvts(
        [PROBLEM],
        sampler,
        reward,
        num_candidates=num_candidates,
        width=width,
        segments=segments,
        temperature=1.0,
        seed=0,
    )
    return result


def test_each_subtree_keeps_its_own_best(scripted, scripted_reward, by_step) -> None:
    """A beam search would keep `a;` and `b;`, both of the first subtree."""
    ends = ["x.", "y."]
    sampler = scripted({"": ["a;", "b;", "c;", "d;"], "a;": ends, "d;": ends})
    rewards = {"a;": 0.9, "b;": 0.8, "c;": 0.1, "d;": 0.2} | dict.fromkeys(["a;x", "a;y", "d;x", "d;y"], 0.5)
    result = run(sampler, scripted_reward(rewards), by_step)
    assert [(each.text, each.group) for each in result.candidates] == [
        ("a;x", 0),
        ("a;y", 0),
        ("d;x", 1),
        ("d;y", 1),
    ]


def test_a_subtree_ends_with_all_siblings_of_a_finished_best(scripted, scripted_reward, by_step) -> None:
    sampler = scripted({"": ["a.", "b;", "c;", "d."], "c;": ["x.", "y."]})
    rewards = {"a": 0.9, "b;": 0.1, "c;": 0.8, "d": 0.2, "c;x": 0.5, "c;y": 0.5}
    result = run(sampler, scripted_reward(rewards), by_step)
    assert [each.text for each in result.candidates] == ["a", "b;", "c;x", "c;y"]  # `d` ended, but was not the best
    assert [each.finish for each in result.candidates][:2] == [Finish.STOP, Finish.SEGMENT]
    assert answers_of(result.candidates) == ["a", None, "c;x", "c;y"]  # what is not finished has no answer


def test_groups_are_whole_subtrees(digits, oracle, by_step) -> None:
    for result in dvts(
        digits.problems[:5], digits, oracle, num_candidates=12, width=4, segments=by_step, temperature=1.0, seed=0
    ):
        assert [each.group for each in result.candidates] == [0] * 4 + [1] * 4 + [2] * 4
        for group in range(3):  # siblings differ in their last step alone
            assert len({each.text[:-1] for each in result.candidates if each.group == group}) == 1


@pytest.mark.parametrize(("num_candidates", "width"), [(0, 1), (4, 0), (4, 3)])
def test_candidates_must_be_a_multiple_of_the_width(scripted, scripted_reward, by_step, num_candidates, width) -> None:
    with pytest.raises(ArgumentError, match=r"^(num_candidates|width) must be"):
        run(scripted({}), scripted_reward({}), by_step, num_candidates=num_candidates, width=width)
