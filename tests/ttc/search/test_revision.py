"""Sequential revision: what each attempt is shown, what it costs, and when it ends."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from breakeven.errors import ArgumentError, SamplerError
from breakeven.records import Completion, Draw, Problem
from breakeven.ttc.search.revision import revise
from breakeven.ttc.search.select import choose

PROBLEMS = [Problem(id="p", prompt="2+2=", reference="4"), Problem(id="q", prompt="3+3=", reference="6")]


@dataclass
class Scripted:
    """Answers by prompt; a character is a token, and the end is one."""

    answers: dict[str, str]
    calls: list[list[Problem]] = field(default_factory=list)

    def sample(self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        assert num_samples == 1
        self.calls.append(list(problems))
        texts = [self.answers[each.prompt] for each in problems]
        return [
            Draw(prompt_tokens=len(each.prompt), completions=(Completion(text=text, output_tokens=len(text) + 1),))
            for each, text in zip(problems, texts, strict=True)
        ]


def again(problem: Problem, attempts: Sequence[str]) -> str:
    assert problem.reference is None
    return problem.prompt + "".join(f"{each}? no: " for each in attempts)


SCRIPT = {"2+2=": "5", "2+2=5? no: ": "4", "2+2=5? no: 4? no: ": "4", "3+3=": "6", "3+3=6? no: ": "8"}
SCRIPT["3+3=6? no: 8? no: "] = "9"


def right(problem: Problem, text: str) -> bool:
    return text == problem.reference


def text_of(path):
    return path and path.text


def run(sampler, attempts=3, **options):
    return revise(PROBLEMS, sampler, attempts=attempts, prompt=again, temperature=1.0, seed=0, **options)


def test_each_attempt_reads_those_before_it() -> None:
    sampler = Scripted(SCRIPT)
    results = run(sampler)
    assert [[each.text for each in result.candidates] for result in results] == [["5", "4", "4"], ["6", "8", "9"]]
    assert [[each.prompt for each in call] for call in sampler.calls] == [
        ["2+2=", "3+3="],
        ["2+2=5? no: ", "3+3=6? no: "],
        ["2+2=5? no: 4? no: ", "3+3=6? no: 8? no: "],
    ]
    assert [call[0].id for call in sampler.calls] == ["p", "p (attempt 2)", "p (attempt 3)"]  # other questions
    assert all(each.reference is None for call in sampler.calls for each in call)
    assert [result.problem for result in results] == PROBLEMS


def test_the_growing_prompt_is_charged() -> None:
    cost = run(Scripted(SCRIPT))[0].cost
    assert cost.unshared_prefill_tokens == 4 + 11 + 18
    assert cost.shared_prefill_tokens == 4 + 7 + 7  # each prompt goes on from the one before
    assert (cost.num_samples, cost.num_rounds, cost.output_tokens, cost.sequential_tokens) == (3, 3, 6, 6)


def test_a_prompt_that_starts_anew_is_read_whole() -> None:
    sampler = Scripted({"2+2=": "5", "Not 5. 2+2=": "4"})
    (result,) = revise(
        PROBLEMS[:1],
        sampler,
        attempts=2,
        prompt=lambda problem, attempts: f"Not {attempts[-1]}. {problem.prompt}",
        temperature=1.0,
        seed=0,
    )
    assert result.cost.shared_prefill_tokens == result.cost.unshared_prefill_tokens == 4 + 11


def test_enough_ends_a_chain() -> None:
    sampler = Scripted(SCRIPT)
    results = run(sampler, enough=right)
    assert [[each.text for each in result.candidates] for result in results] == [["5", "4"], ["6"]]
    assert [len(call) for call in sampler.calls] == [2, 1]
    assert [result.cost.num_samples for result in results] == [2, 1]


def test_the_final_answer_may_be_the_last_the_most_frequent_or_the_best(scripted_reward) -> None:
    reward = scripted_reward({"5": 0.7, "4": 0.2, "6": 0.1, "8": 0.9, "9": 0.5}, output_tokens=3)
    results = run(Scripted(SCRIPT), reward_model=reward)
    assert [[text_of(choose(each, rule).served) for each in results] for rule in ("last", "best_of_n")] == [
        ["4", "9"],
        ["5", "8"],
    ]
    assert text_of(choose(results[0], "majority_vote").served) == "4"
    assert len(reward.calls) == 1
    assert all(each.problem.reference is None for each in reward.calls[0])
    cost = results[0].cost
    assert cost.reward_tokens == cost.reward_reread_tokens == 3 * 5
    assert (cost.num_scored, cost.reward_output_tokens) == (3, 9)


def test_an_outcome_reward_model_will_do(scripted_reward) -> None:
    reward = scripted_reward(dict.fromkeys("56489", 0.5), kind="outcome")
    assert run(Scripted(SCRIPT), reward_model=reward)[0].candidates[0].reward == 0.5


def test_no_problems_give_no_results(scripted_reward) -> None:
    assert revise([], Scripted({}), attempts=2, prompt=again, temperature=1.0, seed=0) == []
    reward = scripted_reward({})
    assert revise([], Scripted({}), attempts=2, prompt=again, temperature=1.0, seed=0, reward_model=reward) == []


def test_bad_arguments_are_refused(scripted_reward) -> None:
    with pytest.raises(ArgumentError, match="attempts must be at least 1; got 0"):
        run(Scripted(SCRIPT), attempts=0)
    with pytest.raises(ArgumentError, match="problems must have different ids"):
        revise(PROBLEMS[:1] * 2, Scripted(SCRIPT), attempts=1, prompt=again, temperature=1.0, seed=0)
    with pytest.raises(SamplerError, match="finite number; got nan"):
        run(Scripted(SCRIPT), reward_model=scripted_reward(dict.fromkeys("56489", float("nan"))))
