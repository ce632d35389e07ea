"""Beam search alone: what is kept, what is filled up, and what is returned."""

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Problem
from breakeven.ttc.search.beam import beam_search

PROBLEM = Problem(id="p", prompt="12345")


def run(sampler, reward, segments, beams=4, width=2, **options):
    (result,) = beam_search(
        [PROBLEM], sampler, reward, beams=beams, width=width, segments=segments, temperature=1.0, seed=0, **options
    )
    return result


def test_the_best_of_the_unfinished_are_kept_with_width_steps_each(scripted, scripted_reward, by_step) -> None:
    ends = ["x.", "y."]
    sampler = scripted({"": ["a;", "b;", "c;", "d;"], "b;": ends, "d;": ends})
    rewards = {"a;": 0.1, "b;": 0.8, "c;": 0.2, "d;": 0.9, "b;x": 0.3, "b;y": 0.4, "d;x": 0.5, "d;y": 0.6}
    result = run(sampler, scripted_reward(rewards), by_step)
    assert [each.text for each in sampler.calls[1][0]] == ["d;", "b;"]
    assert sampler.calls[1][1] == 2
    assert [each.text for each in result.candidates] == ["d;y", "d;x", "b;y", "b;x"]


def test_finished_beams_are_collected_and_the_others_filled_up(scripted, scripted_reward, by_step) -> None:
    sampler = scripted({"": ["a.", "b;", "c.", "d."], "b;": ["1.", "2.", "3.", "4."]})
    rewards = {"a": 0.9, "b;": 0.1, "c": 0.2, "d": 0.3, "b;1": 0.4, "b;2": 0.5, "b;3": 0.6, "b;4": 0.7}
    result = run(sampler, scripted_reward(rewards), by_step)
    assert sampler.calls[1][1] == 4  # all four beams go on from the one that is left
    assert [each.text for each in result.candidates] == ["a", "b;4", "b;3", "b;2"]  # the best 4 of 7
    assert result.cost.output_tokens == 8 + 8


def test_a_beginning_drawn_twice_can_be_kept_once(scripted, scripted_reward, by_step) -> None:
    ends = ["1.", "2.", "3.", "4."]
    sampler = scripted({"": ["a;", "b;", "a;", "c;"], "a;": ends, "b;": ends})
    rewards = {"a;": 0.9, "b;": 0.2, "c;": 0.1} | {f"{a};{b}": 0.5 for a in "ab" for b in "1234"}
    result = run(sampler, scripted_reward(rewards), by_step, distinct=True)
    assert [(each.text, num) for prefixes, num, _ in sampler.calls for each in prefixes] == [
        ("", 4),
        ("a;", 2),
        ("b;", 2),
    ]
    assert [each.text for each in result.candidates] == ["a;1", "a;2", "b;1", "b;2"]


def test_kept_twice_it_is_one_prefix_with_all_its_steps(scripted, scripted_reward, by_step) -> None:
    sampler = scripted({"": ["a;", "b;", "a;", "b;"], "a;": ["1.", "2.", "3.", "4."]})
    rewards = {"a;": 0.9, "b;": 0.1, "a;1": 0.1, "a;2": 0.2, "a;3": 0.3, "a;4": 0.4}
    result = run(sampler, scripted_reward(rewards), by_step)
    assert [(len(prefixes), num) for prefixes, num, _ in sampler.calls] == [(1, 4), (1, 4)]
    assert len({each.text for each in result.candidates}) == 4


def test_enough_finished_end_the_search(scripted, scripted_reward, by_step) -> None:
    sampler = scripted({"": ["a.", "b;"], "b;": ["1.", "2;"]})
    rewards = {"a": 0.9, "b;": 0.1, "b;1": 0.4, "b;2;": 1.0}
    result = run(sampler, scripted_reward(rewards), by_step, beams=2, width=2)
    assert [each.text for each in result.candidates] == ["a", "b;1"]
    assert result.cost.num_rounds == 2


def test_equal_rewards_keep_the_order_of_drawing(scripted, scripted_reward, by_step) -> None:
    sampler = scripted({"": ["b;", "a;", "c;", "d;"], "b;": ["1.", "2."], "a;": ["1.", "2."]})
    rewards = dict.fromkeys(["a;", "b;", "c;", "d;", "b;1", "b;2", "a;1", "a;2"], 0.5)
    result = run(sampler, scripted_reward(rewards), by_step)
    assert [each.text for each in result.candidates] == ["b;1", "b;2", "a;1", "a;2"]


@pytest.mark.parametrize(("beams", "width"), [(0, 1), (4, 0), (4, 3), (-4, 4)])
def test_beams_must_be_a_multiple_of_the_width(scripted, scripted_reward, by_step, beams, width) -> None:
    with pytest.raises(ArgumentError, match=r"^(beams|width) must be"):
        run(scripted({}), scripted_reward({}), by_step, beams=beams, width=width)
