"""How samplers are asked for samples from some number on, and what is refused of what they, and others, return."""

import math
from typing import Any

import pytest

from breakeven.errors import ArgumentError, SamplerError
from breakeven.records import Completion, Draw, Prefix, Problem, Reward
from breakeven.records.asking import check_draws, check_rewards, draw_from, takes_first
from breakeven.seeds import batch_seed
from breakeven.testing import RateSampler

PROBLEM = Problem(id="a", prompt="?")
SAMPLER = RateSampler({"a": 0.5})


class Plain:
    """Without numbers; notes the seeds."""

    def __init__(self) -> None:
        self.seeds: list[int] = []

    def sample(self, problems: Any, num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        self.seeds.append(seed)
        return SAMPLER.sample(problems, num_samples, temperature=temperature, seed=seed)


class Anything:
    """Takes what it is given, and hands it on."""

    def sample(self, problems: Any, num_samples: int, **options: Any) -> list[Draw]:
        return Plain().sample(problems, num_samples, **options)


def test_whether_it_takes_first_is_seen_from_its_signature() -> None:
    assert takes_first(SAMPLER)
    assert not takes_first(Plain())
    assert not takes_first(Anything()), "what it hands on to may not"


def test_samples_from_any_number_on() -> None:
    options: dict[str, Any] = {"temperature": 1.0, "seed": 5}
    (whole,) = draw_from(SAMPLER, [PROBLEM], 20, **options)
    (rest,) = draw_from(SAMPLER, [PROBLEM], 12, first=8, **options)
    assert rest.completions == whole.completions[8:]
    plain = Plain()
    for first in (0, 8):
        draw_from(plain, [PROBLEM], 12, first=first, **options)
    assert plain.seeds == [5, batch_seed(5, 8)]
    (other,) = draw_from(Anything(), [PROBLEM], 12, first=8, **options)
    assert other.completions != rest.completions


def test_texts_in_place_of_draws_are_a_mistake_of_the_user() -> None:
    with pytest.raises(ArgumentError, match=r"^sampler.sample\(...\) must return Draws; got \['right'\]"):
        check_draws([["right"]], 1, 1)


def test_too_many_draws_are_too_many() -> None:
    draw = Draw(prompt_tokens=1, completions=(Completion(text="", output_tokens=1),))
    check_draws([draw], 1, 1)
    check_draws([], 0, 3)
    with pytest.raises(SamplerError, match=r"1 completions for each of 1 prompts; got 2 prompts with \[1\]"):
        check_draws([draw, draw], 1, 1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_rewards_must_be_finite(value: float) -> None:
    prefix = Prefix(problem=PROBLEM, text="so far")
    check_rewards([prefix], [Reward(value=0.5)])
    with pytest.raises(SamplerError, match=r"must be a finite number; got .* for problem 'a' .*'so far'"):
        check_rewards([prefix], [Reward(value=value)])
