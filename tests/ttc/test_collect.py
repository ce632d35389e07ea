"""Collecting a bank: what is asked of the sampler, how verdicts and tokens end up in it, what is refused."""

import math

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Completion, Draw, Problem
from breakeven.testing import RateSampler, RateVerifier
from breakeven.ttc.collect import collect

PROBLEMS = tuple(Problem(id=each, prompt=each, reference=answer) for each, answer in (("a", "1"), ("b", "2")))


class Scripted:
    """Returns the given texts, each with as many output tokens as it has characters, and notes what it was asked."""

    def __init__(self, sampled: list[list[str]], greedy: list[list[str]]) -> None:
        self.sampled = sampled
        self.greedy = greedy
        self.asked: list[tuple] = []

    def sample(self, problems, num_samples, *, temperature, seed):
        self.asked.append((tuple(problems), num_samples, temperature, seed))
        return [
            Draw(prompt_tokens=5, completions=tuple(Completion(text=t, output_tokens=len(t)) for t in texts))
            for texts in (self.sampled if temperature > 0 else self.greedy)
        ]


class Exact:
    """Right if the completion is the problem's reference."""

    def check(self, problem: Problem, completion: str) -> bool:
        return completion == problem.reference


def collected(sampler, problems=PROBLEMS, num_samples=3, temperature=0.8):
    return collect(sampler, Exact(), problems, num_samples=num_samples, temperature=temperature, seed=7)


def test_every_sample_is_graded_against_its_own_problem_and_all_tokens_are_counted() -> None:
    sampler = Scripted([["1", "2", "12"], ["2", "2", "333"]], [["1"], ["22"]])
    bank = collected(sampler)
    assert bank.correct_PN == ("100", "110")
    assert bank.greedy_correct_P == "10"
    assert (bank.prompt_tokens, bank.output_tokens, bank.greedy_output_tokens) == (10, 9, 3)
    assert (bank.temperature, bank.seed) == (0.8, 7)
    assert sampler.asked == [(PROBLEMS, 3, 0.8, 7), (PROBLEMS, 1, 0.0, 7)]


def test_bank_of_known_rates() -> None:
    sampler = RateSampler({"never": 0.0, "half": 0.5, "always": 1.0})
    bank = collect(sampler, RateVerifier(), sampler.problems, num_samples=400, temperature=0.8, seed=1)
    never, half, always = bank.num_correct_P
    assert (never, always) == (0, 400)
    assert abs(half - 200) < 4 * 10  # four standard deviations
    assert bank.greedy_correct_P == "001"
    again = collect(sampler, RateVerifier(), sampler.problems, num_samples=400, temperature=0.8, seed=1)
    assert again == bank


def test_more_samples_extend_a_bank() -> None:
    sampler = RateSampler({"a": 0.4, "b": 0.7})
    banks = [
        collect(sampler, RateVerifier(), sampler.problems, num_samples=n, temperature=0.8, seed=1) for n in (4, 16)
    ]
    for short, long in zip(banks[0].correct_PN, banks[1].correct_PN, strict=True):
        assert long.startswith(short)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"problems": ()}, "problems must hold at least one problem; got []."),
        ({"num_samples": 0}, "num_samples must be at least 1; got 0."),
        ({"temperature": 0.0}, "temperature must be above 0; got 0.0. The greedy sample is drawn anyway."),
        ({"temperature": math.nan}, "temperature must be above 0; got nan. The greedy sample is drawn anyway."),
    ],
)
def test_what_cannot_be_collected_is_refused(changed: dict, message: str) -> None:
    sampler = Scripted([], [])
    with pytest.raises(ArgumentError) as error:
        collected(sampler, **changed)
    assert str(error.value) == message
    assert sampler.asked == []


@pytest.mark.parametrize(
    ("sampled", "greedy", "message"),
    [
        ([["1"] * 3], [], "return 3 completions for each of the 2 problems; got '1 problems with [3] completions'."),
        (
            [["1"] * 3, ["1"] * 2],
            [],
            "return 3 completions for each of the 2 problems; got '2 problems with [2, 3] completions'.",
        ),
        ([], [], "return 3 completions for each of the 2 problems; got '0 problems with [] completions'."),
        (
            [["1"] * 3] * 2,
            [["1"] * 3] * 2,
            "return 1 completions for each of the 2 problems; got '2 problems with [3] completions'.",
        ),
    ],
)
def test_a_sampler_that_miscounts_is_refused(sampled, greedy, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        collected(Scripted(sampled, greedy))
    assert str(error.value) == "sampler.sample(...) must " + message


def test_a_gold_answer_in_grading_marks_the_bank_as_an_oracle() -> None:
    rates = RateSampler({"a": 0.5})
    assert collected(rates, PROBLEMS[:1]).oracle
    assert not collect(rates, RateVerifier(), rates.problems, num_samples=1, temperature=0.8, seed=0).oracle


def test_a_completion_without_a_token_is_refused() -> None:
    with pytest.raises(ArgumentError, match="output_tokens must be at least 1, the end token counted; got 0"):
        collected(Scripted([["x", "y", ""], ["x", "y", "z"]], [["x"], ["y"]]))
