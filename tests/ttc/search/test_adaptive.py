"""Draw until it is enough: as many samples as known rates ask for, each of them counted."""

import numpy as np
import pytest

from breakeven.errors import ArgumentError, CheckFailedError, SamplerError
from breakeven.records import Completion, Draw, Problem
from breakeven.records.agree import SameText
from breakeven.testing import RateSampler, RateVerifier
from breakeven.ttc.search.adaptive import at_once, safe_vote, settled_vote, until_verified
from breakeven.ttc.strategies.settled_vote import is_settled

VERIFIER = RateVerifier()


def mean_samples(results) -> float:
    return float(np.mean([each.cost.num_samples for each in results]))


def rates(rate: float, num: int = 1) -> RateSampler:
    return RateSampler({f"problem {each}": rate for each in range(num)})


def verified(sampler, max_samples=16, verifier=VERIFIER, problems=None, **options):
    return until_verified(
        problems or sampler.problems, sampler, verifier, max_samples, temperature=1.0, seed=0, **options
    )


def voted(sampler, max_samples=16, extract=lambda text: text, problems=None, **options):
    return settled_vote(
        problems or sampler.problems, sampler, SameText(extract), max_samples, temperature=1.0, seed=0, **options
    )


# -- to the first verified success ------------------------------------------------------------------------------------


def test_a_sure_problem_takes_one_sample_and_a_hopeless_one_all() -> None:
    sure, hopeless = verified(RateSampler({"sure": 1.0, "hopeless": 0.0}), max_samples=5)
    assert (sure.chosen, sure.cost.num_samples) == (0, 1)
    assert (hopeless.chosen, hopeless.cost.num_samples) == (None, 5)
    assert (hopeless.cost.output_tokens, hopeless.cost.sequential_tokens, hopeless.cost.num_rounds) == (40, 40, 5)
    assert (hopeless.cost.shared_prefill_tokens, hopeless.cost.unshared_prefill_tokens) == (6, 30)
    assert all(each.text == "wrong" for each in hopeless.candidates)


def test_the_expected_samples_are_those_of_the_rate() -> None:
    results = verified(rates(0.3, 3000), max_samples=8)
    expected = sum(0.7**drawn for drawn in range(8))  # 1 + ... + 0.7^7: a further sample is drawn if all before failed
    assert mean_samples(results) == pytest.approx(expected, abs=4 * 2.3 / 3000**0.5)
    assert np.mean([each.chosen is not None for each in results]) == pytest.approx(1 - 0.7**8, abs=0.02)
    for result in results:
        assert result.chosen is None or result.chosen == len(result.candidates) - 1


def test_rounds_are_charged_whole_and_take_fewer_turns() -> None:
    (sure,) = verified(rates(1.0), max_samples=6, round_size=4)
    assert (sure.chosen, sure.cost.num_samples, sure.cost.sequential_tokens) == (0, 4, 8)
    (hopeless,) = verified(rates(0.0), max_samples=6, round_size=4)
    assert (hopeless.cost.num_samples, hopeless.cost.num_rounds) == (6, 2)


def test_a_problem_does_not_depend_on_the_others() -> None:
    sampler = rates(0.3, 20)
    together = verified(sampler)
    assert verified(sampler, problems=sampler.problems[::-1]) == together[::-1]
    assert verified(sampler, problems=sampler.problems[7:8]) == together[7:8]


def test_a_crashed_check_accepts_nothing_and_is_counted() -> None:
    class Crashing:
        def check(self, problem, completion):
            raise CheckFailedError("timeout")

    (result,) = verified(rates(1.0), max_samples=3, verifier=Crashing())
    assert (result.chosen, result.num_unchecked, len(result.candidates)) == (None, 3, 3)


def test_the_verifier_sees_the_problem_whole() -> None:
    class ByReference:
        def check(self, problem, completion):
            return completion == problem.reference

    problem = Problem(id="problem 0", prompt="", reference="right")
    assert verified(rates(1.0), verifier=ByReference(), problems=[problem])[0].chosen == 0


# -- until the vote is settled ----------------------------------------------------------------------------------------


def test_a_unanimous_vote_of_4_is_settled() -> None:
    (result,) = voted(rates(1.0))
    assert (result.cost.num_samples, result.cost.num_rounds, result.candidates[result.chosen].text) == (4, 1, "right")


def test_at_full_confidence_all_are_drawn() -> None:
    (result,) = voted(rates(1.0), confidence=1.0)
    assert result.cost.num_samples == 16


def test_every_vote_stops_when_the_rule_first_says_so() -> None:
    stopped, settled = set(), is_settled(16, 0.9)
    for result in voted(rates(0.7, 300), confidence=0.9):
        texts = [each.text for each in result.candidates]
        settled_at = [
            settled[tuple(sorted((texts[:drawn].count(each) for each in ("right", "wrong")), reverse=True))]
            for drawn in range(4, len(texts) + 1)
        ]
        assert not any(settled_at[:-1])
        assert settled_at[-1] or len(texts) == 16
        most = max(("right", "wrong"), key=texts.count)
        assert texts.count(most) == len(texts) / 2 or texts[result.chosen] == most
        stopped.add(len(texts))
    assert stopped == {4, 6, 8, 11, 13, 16}  # 4:0, 5:1, 6:2, 8:3, 9:4, and never


def test_a_settled_vote_is_nearly_as_good_as_the_whole_one() -> None:
    sampler = rates(0.7, 1000)
    accuracy = [
        np.mean([each.candidates[each.chosen].text == "right" for each in voted(sampler, confidence=confidence)])
        for confidence in (0.95, 1.0)
    ]
    assert accuracy[1] > 0.9
    assert accuracy[0] > accuracy[1] - 0.04
    assert mean_samples(voted(sampler)) < 11


def test_samples_without_an_answer_do_not_vote() -> None:
    (result,) = voted(rates(1.0), extract=lambda text: None, max_samples=7)
    assert (result.chosen, result.cost.num_samples) == (None, 7)


def test_rounds_are_cut_to_the_limit() -> None:
    (result,) = voted(rates(0.5), confidence=1.0, max_samples=9, first_round=4, round_size=3)
    assert (result.cost.num_samples, result.cost.num_rounds) == (9, 3)


# -- until the lead is safe, and all at once ---------------------------------------------------------------------------


def test_a_vote_stops_where_its_lead_is_safe_and_serves_what_all_would() -> None:
    sampler = rates(0.6, 200)
    safe = safe_vote(sampler.problems, sampler, SameText(str), 9, temperature=1.0, seed=0)
    for result in safe:
        texts = [each.text for each in result.candidates]
        margins = [abs(2 * texts[:drawn].count("right") - drawn) for drawn in range(5, len(texts) + 1)]
        assert [margin > 9 - drawn for drawn, margin in enumerate(margins, 5)] == [False] * (len(texts) - 5) + [True]
        assert result.chosen is not None
        assert texts[result.chosen] == max(("right", "wrong"), key=texts.count)
    assert {len(each.candidates) for each in safe} == {5, 6, 7, 8, 9}
    assert max(each.cost.num_rounds for each in safe) == 5


def test_samples_drawn_at_once_are_one_round_and_not_yet_chosen_from() -> None:
    sampler = rates(0.5, 3)
    for result in at_once(sampler.problems, sampler, 4, temperature=1.0, seed=0):
        assert (len(result.candidates), result.chosen, result.cost.num_rounds) == (4, None, 1)
        assert (result.cost.shared_prefill_tokens, result.cost.unshared_prefill_tokens) == (6, 24)
    assert at_once([], sampler, 4, temperature=1.0, seed=0) == []
    with pytest.raises(ArgumentError, match="num_samples must be at least 1"):
        at_once(sampler.problems, sampler, 0, temperature=1.0, seed=0)


def test_no_sampler_sees_a_reference() -> None:
    seen: list[Problem] = []

    class Noting(RateSampler):
        def sample(self, problems, num_samples, *, temperature, seed, first=0):
            seen.extend(problems)
            return super().sample(problems, num_samples, temperature=temperature, seed=seed, first=first)

    sampler = Noting({"p": 0.5})
    problems = [Problem(id="p", prompt="", reference="gold")]
    verified(sampler, problems=problems)
    voted(sampler, problems=problems)
    at_once(problems, sampler, 2, temperature=1.0, seed=0)
    assert {each.reference for each in seen} == {None}


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "options", "message"),
    [
        (verified, {"max_samples": 0}, "max_samples must be at least 1"),
        (verified, {"round_size": 0}, r"(first_round|round_size) must be at least 1"),
        (voted, {"first_round": 0}, "first_round must be at least 1"),
        (voted, {"confidence": 0.4}, "confidence must be from 0.5 to 1"),
        (voted, {"problems": [Problem(id="problem 0", prompt="")] * 2}, "problems must have different ids"),
    ],
)
def test_bad_arguments_are_refused(run, options, message) -> None:
    with pytest.raises(ArgumentError, match=message):
        run(rates(0.5), **options)


def test_greedy_samples_are_refused() -> None:
    with pytest.raises(ArgumentError, match="temperature must be above 0"):
        until_verified(rates(0.5).problems, rates(0.5), VERIFIER, 4, temperature=0.0, seed=0)


def test_too_few_samples_are_refused() -> None:
    class Short:
        def sample(self, problems, num_samples, *, temperature, seed):
            return [Draw(prompt_tokens=1, completions=(Completion(text="x", output_tokens=1),)) for _ in problems]

    with pytest.raises(SamplerError, match="must return 4 completions"):
        voted(Short(), problems=[Problem(id="p", prompt="")])


def test_no_problems_give_no_results() -> None:
    assert until_verified([], rates(0.5), VERIFIER, 4, temperature=1.0, seed=0) == []
