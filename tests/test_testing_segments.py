"""The doubles for searches: steps of known rates, and reward models of known quality."""

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Finish, Prefix, Problem, SegmentRule
from breakeven.records.protocols import SegmentSampler
from breakeven.testing import DigitSampler, NoisyReward, check_sampler, right_so_far

SAMPLER = DigitSampler({"a": 0.3, "b": 0.6, "c": 0.9}, num_steps=3)
A = SAMPLER.problems[0]
BY_STEP = SegmentRule(ends=(";",))


def test_it_keeps_what_every_sampler_promises() -> None:
    assert isinstance(SAMPLER, SegmentSampler)
    check_sampler(SAMPLER, SAMPLER.problems)


def test_digits_are_right_as_often_as_asked_for() -> None:
    for draw, (problem_id, rate) in zip(
        SAMPLER.sample(SAMPLER.problems, 2000, temperature=1.0, seed=0), SAMPLER.success.items(), strict=True
    ):
        right = SAMPLER.solution(problem_id)
        for at in (0, 2, 4):
            share = sum(each.text[at] == right[at] for each in draw.completions) / 2000
            assert share == pytest.approx(rate, abs=0.05)
        whole = sum(SAMPLER.check(Problem(id=problem_id, prompt=""), each.text) for each in draw.completions) / 2000
        assert whole == pytest.approx(rate**3, abs=0.05)


def test_wrong_digits_are_any_of_the_others() -> None:
    (draw,) = DigitSampler({"a": 0.0}, num_steps=1).sample([A], 400, temperature=1.0, seed=0)
    assert {each.text for each in draw.completions} == set("0123456789") - {SAMPLER.solution("a")[0]}


def test_steps_and_limits() -> None:
    (draw,) = SAMPLER.extend([Prefix(problem=A, text="1;")], 2, segments=BY_STEP, temperature=1.0, seed=0)
    assert draw.prompt_tokens == 1 + 2
    assert all(len(each.text) == 2 and each.finish is Finish.SEGMENT for each in draw.completions)
    (draw,) = SAMPLER.extend([Prefix(problem=A, text="1;2;")], 1, segments=BY_STEP, temperature=1.0, seed=0)
    assert (draw.completions[0].output_tokens, draw.completions[0].finish) == (2, Finish.STOP)
    (draw,) = SAMPLER.extend(
        [Prefix(problem=A)], 1, segments=SegmentRule(ends=(), max_tokens=3), temperature=1.0, seed=0
    )
    assert (len(draw.completions[0].text), draw.completions[0].finish) == (3, Finish.SEGMENT)


@pytest.mark.parametrize("error", [0.0, 0.2, 1.0])
def test_a_reward_model_is_wrong_as_often_as_asked_for(error: float) -> None:
    model = NoisyReward(right_so_far(SAMPLER), error=error)
    texts = [each.text for each in SAMPLER.sample([A], 3000, temperature=1.0, seed=0)[0].completions]
    texts = sorted({text[:length] for text in texts for length in (1, 2, 3, 4, 5)})
    rewards = model.score([Prefix(problem=A, text=text) for text in texts])
    right = [SAMPLER.solution("a").startswith(text.removesuffix(";")) for text in texts]
    mistaken = sum((each.value >= 0.5) != truth for each, truth in zip(rewards, right, strict=True)) / len(texts)
    assert mistaken == pytest.approx(error, abs=0.05)
    assert all(0.0 <= each.value <= 1.0 for each in rewards)
    assert [each.read_tokens for each in rewards] == [1 + len(text) for text in texts]


def test_what_makes_no_sense_is_refused() -> None:
    for make in (
        lambda: DigitSampler({}),
        lambda: DigitSampler({"a": 1.1}),
        lambda: DigitSampler({"a": 0.5}, num_steps=0),
        lambda: NoisyReward(right_so_far(SAMPLER), error=2.0),
        lambda: SAMPLER.sample([Problem(id="z", prompt="")], 1, temperature=1.0, seed=0),
    ):
        with pytest.raises(ArgumentError):
            make()
