"""What holds for beam search, DVTS and REBASE alike: known truth, exact counts, and a tree that is a function of (seed,
problem).
"""

from functools import partial

import pytest

from breakeven.errors import ArgumentError, SamplerError
from breakeven.records import Finish, Prefix, Problem, Reward, SegmentRule
from breakeven.testing import NoisyReward, right_so_far
from breakeven.ttc.search.beam import beam_search
from breakeven.ttc.search.dvts import dvts
from breakeven.ttc.search.rebase import rebase
from breakeven.ttc.search.select import choose

SEARCHES = {
    "beam": lambda n: partial(beam_search, beams=n, width=min(4, n)),
    "dvts": lambda n: partial(dvts, num_candidates=n, width=min(4, n)),
    "rebase": lambda n: partial(rebase, num_candidates=n),
}
PROBLEM = Problem(id="p", prompt="12345", reference="secret")


@pytest.fixture(params=SEARCHES)
def search(request):
    return SEARCHES[request.param]


def accuracy(results, sampler, rule="best_of_n") -> float:
    chosen = [choose(each, rule).served for each in results]
    return sum(
        path is not None and sampler.check(each.problem, path.text) for each, path in zip(results, chosen, strict=True)
    ) / len(results)


# -- known truth ------------------------------------------------------------------------------------------------------


def test_with_an_oracle_accuracy_rises_with_the_candidates(search, digits, oracle, by_step) -> None:
    measured = [
        accuracy(search(n)(digits.problems, digits, oracle, segments=by_step, temperature=1.0, seed=0), digits)
        for n in (1, 4, 16)
    ]
    assert measured[0] == pytest.approx(0.6**4, abs=0.14)  # one candidate: nothing to choose from
    assert measured[1] > measured[0] + 0.4
    assert measured[2] > 0.97


def test_a_search_beats_choosing_among_as_many_whole_samples(search, digits, oracle, by_step) -> None:
    results = search(4)(digits.problems, digits, oracle, segments=by_step, temperature=1.0, seed=0)
    assert sum(each.cost.output_tokens for each in results) == len(results) * 4 * 8  # as many tokens as 4 samples
    pass_at_4 = 1 - (1 - 0.6**4) ** 4
    assert accuracy(results, digits) > pass_at_4 + 0.2


def test_a_reward_of_no_worth_is_worth_nothing(search, digits, by_step) -> None:
    noise = NoisyReward(right_so_far(digits), error=0.5)
    results = search(8)(digits.problems, digits, noise, segments=by_step, temperature=1.0, seed=0)
    assert accuracy(results, digits) == pytest.approx(0.6**4, abs=0.16)


def test_one_candidate_is_plain_sampling_step_by_step(search, digits, oracle, by_step) -> None:
    results = search(1)(digits.problems[:5], digits, oracle, segments=by_step, temperature=1.0, seed=3)
    for result in results:
        text, finish = "", Finish.SEGMENT
        while finish is Finish.SEGMENT:
            (draw,) = digits.extend(
                [Prefix(problem=result.problem, text=text)], 1, segments=by_step, temperature=1.0, seed=3
            )
            text, finish = text + draw.completions[0].text, draw.completions[0].finish
        assert [each.text for each in result.candidates] == [text]
        assert result.cost.num_rounds == 4
        assert result.cost.sequential_tokens == result.cost.output_tokens == 8


# -- a function of (seed, problem) ------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_search_and_another_does_not(search, digits, oracle, by_step) -> None:
    run = partial(search(8), digits.problems[:10], digits, oracle, segments=by_step, temperature=1.0)
    assert run(seed=1) == run(seed=1)
    assert run(seed=1) != run(seed=2)


def test_a_problem_does_not_depend_on_the_others(search, digits, oracle, by_step) -> None:
    run = partial(search(8), sampler=digits, reward_model=oracle, segments=by_step, temperature=1.0, seed=1)
    together = run(digits.problems[:10])
    assert run(digits.problems[9::-1]) == together[::-1]
    assert run(digits.problems[4:5]) == together[4:5]


def test_candidates_are_as_many_as_asked_for_and_scored(search, digits, oracle, by_step) -> None:
    for result in search(8)(digits.problems[:10], digits, oracle, segments=by_step, temperature=1.0, seed=0):
        assert len(result.candidates) == 8
        assert all(len(each.rewards) == 4 and each.output_tokens == 8 for each in result.candidates)


# -- how a tree ends --------------------------------------------------------------------------------------------------


def test_all_may_be_finished_in_the_first_round(search, scripted, scripted_reward, by_step) -> None:
    sampler = scripted({"": ["a.", "b.", "c.", "d."]})
    reward = scripted_reward({"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4})
    (result,) = search(4)([PROBLEM], sampler, reward, segments=by_step, temperature=1.0, seed=0)
    assert sorted(each.text for each in result.candidates) == ["a", "b", "c", "d"]
    assert result.cost.num_rounds == len(sampler.calls) == len(reward.calls) == 1


def test_the_last_round_runs_to_the_end(search, digits, oracle) -> None:
    segments = SegmentRule(ends=(";",), max_tokens=8, max_segments=2)
    results = search(4)(digits.problems[:5], digits, oracle, segments=segments, temperature=1.0, seed=0)
    for result in results:
        assert result.cost.num_rounds == 2
        assert result.cost.sequential_tokens == 2 + 6
        assert {each.finish for each in result.candidates} == {Finish.STOP}
        assert all(len(each.text) == 7 for each in result.candidates)


def test_what_does_not_finish_in_the_last_round_is_truncated(search, scripted, scripted_reward) -> None:
    sampler = scripted({"": ["a;"] * 4, "a;": ["b;"] * 4})
    segments = SegmentRule(ends=(";",), max_segments=2)
    (result,) = search(4)(
        [PROBLEM], sampler, scripted_reward({"a;": 0.5, "a;b;": 0.5}), segments=segments, temperature=1.0, seed=0
    )
    assert {(each.text, each.finish) for each in result.candidates} == {("a;b;", Finish.LENGTH)}
    assert [call[2].ends for call in sampler.calls] == [(";",), ()]
    assert sampler.calls[-1][2].max_tokens > 10**9


def test_a_step_that_adds_nothing_ends_its_path(search, scripted, scripted_reward, by_step) -> None:
    sampler = scripted({"": ["", "", "", ""]})
    (result,) = search(4)([PROBLEM], sampler, scripted_reward({"": 0.5}), segments=by_step, temperature=1.0, seed=0)
    assert {each.finish for each in result.candidates} == {Finish.LENGTH}
    assert len(sampler.calls) == 1


# -- one call a round, equal texts once, no reference -----------------------------------------------------------------


def test_each_round_is_one_call_of_each_for_all_problems(scripted, scripted_reward, by_step) -> None:
    sampler = scripted({"": ["a;", "b;"], "a;": ["x.", "y."], "b;": ["x.", "y."]})
    reward = scripted_reward({"a;": 0.9, "b;": 0.1, "a;x": 0.2, "a;y": 0.3})
    problems = [Problem(id=each, prompt=each) for each in ("p", "q", "r")]
    dvts(problems, sampler, reward, num_candidates=2, width=2, segments=by_step, temperature=1.0, seed=0)
    assert [[each.problem.id for each in prefixes] for prefixes, _, _ in sampler.calls] == [["p", "q", "r"]] * 2
    assert [len(each) for each in reward.calls] == [6, 6]


def test_paths_with_one_text_share_out_its_samples_and_are_scored_once(scripted, scripted_reward, by_step) -> None:
    sampler = scripted({"": ["a;", "a;", "a;", "a;"], "a;": ["1.", "2.", "3.", "4."]})
    reward = scripted_reward({"a;": 0.5, "a;1": 0.1, "a;2": 0.2, "a;3": 0.3, "a;4": 0.4})
    (result,) = dvts([PROBLEM], sampler, reward, num_candidates=4, width=2, segments=by_step, temperature=1.0, seed=0)
    assert [(each.text, each.group) for each in result.candidates] == [
        ("a;1", 0),
        ("a;2", 0),
        ("a;3", 1),
        ("a;4", 1),
    ]
    assert [num for _, num, _ in sampler.calls] == [4, 4]
    assert [len(each) for each in reward.calls] == [1, 4]


def test_nobody_is_shown_the_reference(search, scripted, scripted_reward, by_step) -> None:
    sampler, reward = scripted({"": ["a."] * 4}), scripted_reward({"a": 0.5})
    (result,) = search(4)([PROBLEM], sampler, reward, segments=by_step, temperature=1.0, seed=0)
    shown = [prefix for prefixes, _, _ in sampler.calls for prefix in prefixes] + reward.calls[0]
    assert {each.problem.reference for each in shown} == {None}
    assert result.problem is PROBLEM


def test_no_problems_give_no_results(search, scripted, scripted_reward, by_step) -> None:
    assert search(4)([], scripted({}), scripted_reward({}), segments=by_step, temperature=1.0, seed=0) == []


# -- what it took -----------------------------------------------------------------------------------------------------


def test_every_token_is_counted(scripted, scripted_reward, by_step) -> None:
    """One DVTS subtree of width 2, prompt of 5 tokens: `aa;` and `b;`, then of `b;` the steps `cc.` and `d.`."""
    sampler = scripted({"": ["aa;", "b;"], "b;": ["cc.", "d."]})
    reward = scripted_reward({"aa;": 0.1, "b;": 0.9, "b;cc": 0.2, "b;d": 0.3}, output_tokens=1)
    (result,) = dvts([PROBLEM], sampler, reward, num_candidates=2, width=2, segments=by_step, temperature=1.0, seed=0)
    cost = result.cost
    assert cost.num_samples == 4
    assert cost.output_tokens == (3 + 2) + (3 + 2)  # `aa;` was abandoned, and paid for
    assert cost.shared_prefill_tokens == 5
    assert cost.unshared_prefill_tokens == 2 * 5 + 2 * (5 + 2)
    assert cost.sequential_tokens == 3 + 3
    assert cost.num_rounds == 2
    assert cost.num_scored == 4
    assert cost.reward_tokens == 5 + (3 + 2) + (2 + 1)  # the problem once, then the new text; no end token is read
    assert cost.reward_reread_tokens == (8 + 7) + (9 + 8)
    assert cost.reward_output_tokens == 4
    assert [(each.text, each.rewards, each.output_tokens) for each in result.candidates] == [
        ("b;cc", (0.9, 0.2), 5),
        ("b;d", (0.9, 0.3), 4),
    ]
    assert result.cost.output_tokens == 10


def test_a_text_that_only_ended_is_not_scored_again(scripted, scripted_reward, by_step) -> None:
    sampler, reward = scripted({"": ["a;"], "a;": ["."]}), scripted_reward({"a;": 0.7})
    (result,) = rebase([PROBLEM], sampler, reward, num_candidates=1, segments=by_step, temperature=1.0, seed=0)
    assert result.candidates[0].rewards == (0.7, 0.7)
    assert (result.cost.num_scored, result.cost.output_tokens, len(reward.calls)) == (1, 3, 1)


def test_sequential_tokens_wait_for_the_longest_of_each_round(digits, oracle, search) -> None:
    """Steps end where they will: a round of 16 candidates takes no longer than one of 4."""
    segments = SegmentRule(ends=(), max_tokens=3)
    for n in (4, 16):
        (result,) = search(n)(digits.problems[:1], digits, oracle, segments=segments, temperature=1.0, seed=0)
        assert result.cost.sequential_tokens == 3 + 3 + 2


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_reward_that_is_no_number_is_refused(search, scripted, scripted_reward, by_step, value) -> None:
    with pytest.raises(SamplerError, match=r"finite number; got (nan|inf) for problem 'p' .* so far 'a'"):
        search(4)(
            [PROBLEM],
            scripted({"": ["a."] * 4}),
            scripted_reward({"a": value}),
            segments=by_step,
            temperature=1.0,
            seed=0,
        )


def test_missing_rewards_and_samples_are_refused(search, scripted, scripted_reward, by_step) -> None:
    class Forgetful:
        kind = "process"

        def score(self, prefixes):
            return [Reward(value=0.5)] * (len(prefixes) - 1)

    with pytest.raises(SamplerError, match="must return 1 rewards, one a text; got 0"):
        search(4)([PROBLEM], scripted({"": ["a."] * 4}), Forgetful(), segments=by_step, temperature=1.0, seed=0)
    with pytest.raises(SamplerError, match=r"must return 4 completions for each of 1 prompts; got .* \[3\]"):
        search(4)([PROBLEM], scripted({"": ["a."] * 3}), scripted_reward({}), segments=by_step, temperature=1.0, seed=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"problems": [PROBLEM, PROBLEM]}, "problems must have different ids; got 'p'"),
        ({"temperature": -1.0}, "temperature must be at least 0"),
        ({"temperature": float("nan")}, "temperature must be at least 0"),
        ({"segments": SegmentRule(max_tokens=0)}, "segments must allow at least 1 token"),
        ({"segments": SegmentRule(max_segments=0)}, "segments must allow at least 1 token"),
    ],
)
def test_bad_arguments_are_refused(search, digits, oracle, by_step, change, message) -> None:
    arguments = {"problems": digits.problems, "segments": by_step, "temperature": 1.0} | change
    with pytest.raises(ArgumentError, match=message):
        search(4)(sampler=digits, reward_model=oracle, seed=0, **arguments)


def test_an_outcome_reward_model_is_refused(search, digits, by_step) -> None:
    outcome = NoisyReward(right_so_far(digits), kind="outcome")
    with pytest.raises(ArgumentError, match=r'reward_model\.kind must be "process"'):
        search(4)(digits.problems, digits, outcome, segments=by_step, temperature=1.0, seed=0)
