"""The reference model's sampler going on from the beginning of a solution: where a step ends, what it depends on."""

from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from breakeven.data.made.chain import Chain
from breakeven.data.made.countdown import Countdown
from breakeven.data.made.latin import Latin
from breakeven.data.made.rules import Rules
from breakeven.errors import ArgumentError
from breakeven.model.transformer import KVCache, Transformer
from breakeven.records import Completion, Finish, Prefix, SegmentRule, TransformerShape
from breakeven.records.protocols import SegmentSampler
from breakeven.sampling.transformer import TransformerSampler
from breakeven.testing import NoisyReward
from breakeven.ttc.search.dvts import dvts
from breakeven.ttc.search.rebase import rebase

TASK = Chain(num_terms=3, num_digits=1)
PROBLEMS = TASK.problems("validation", 5)
TO_THE_END = SegmentRule(ends=(), max_tokens=10**9)
BY_TERM = SegmentRule(ends=("+",), max_tokens=10**9)


def make_sampler(task, spread: float = 0.3, **options) -> TransformerSampler:
    shape = TransformerShape(
        num_layers=2,
        embedding=16,
        num_heads=2,
        feed_forward=24,
        vocab_size=task.vocab_size,
        max_tokens=task.prompt_tokens + task.output_tokens,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Transformer(shape)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=spread)
    return TransformerSampler(model, task, new_cache=lambda: KVCache([], []), **options)


@pytest.fixture(scope="module")
def sampler() -> TransformerSampler:
    return make_sampler(TASK)


def prefixes(text: str = "") -> list[Prefix]:
    return [Prefix(problem=each, text=text) for each in PROBLEMS]


def step_by_step(sampler, prefix: Prefix, segments: SegmentRule, **options) -> list[Completion]:
    """The completions of the steps of one solution."""
    drawn: list[Completion] = []
    while not drawn or drawn[-1].finish is Finish.SEGMENT:
        (draw,) = sampler.extend([prefix], 1, segments=segments, **options)
        drawn.append(draw.completions[0])
        prefix = Prefix(problem=prefix.problem, text=prefix.text + drawn[-1].text)
    return drawn


def test_it_is_a_step_sampler(sampler) -> None:
    assert isinstance(sampler, SegmentSampler)


def test_from_the_start_to_the_end_it_is_sample(sampler) -> None:
    drawn = sampler.extend(prefixes(), 4, segments=TO_THE_END, temperature=0.8, seed=3)
    assert drawn == sampler.sample(PROBLEMS, 4, temperature=0.8, seed=3)


@pytest.mark.parametrize("segments", [BY_TERM, SegmentRule(ends=(), max_tokens=1), SegmentRule(ends=(), max_tokens=4)])
def test_greedy_steps_join_to_the_greedy_solution(sampler, segments) -> None:
    whole = sampler.sample(PROBLEMS, 1, temperature=0.0, seed=0)
    for prefix, draw in zip(prefixes(), whole, strict=True):
        drawn = step_by_step(sampler, prefix, segments, temperature=0.0, seed=0)
        assert "".join(each.text for each in drawn) == draw.completions[0].text
        assert sum(each.output_tokens for each in drawn) == draw.completions[0].output_tokens
        assert drawn[-1].finish is draw.completions[0].finish


@pytest.mark.parametrize(
    "task",
    [TASK, Countdown(num_numbers=3, max_number=9, max_target=20), Latin(size=3, num_clues=3), Rules(depth=3)],
    ids=lambda task: task.kind,
)
def test_texts_join_without_a_separator_and_encode_back(task) -> None:
    """Whatever words the model writes, in any step."""
    sampler = make_sampler(task, spread=0.05)
    for number, problem in enumerate(task.problems("validation", 5)):
        drawn = step_by_step(
            sampler, Prefix(problem=problem), SegmentRule(ends=(), max_tokens=2), temperature=2.0, seed=number
        )
        text = "".join(each.text for each in drawn)
        num_tokens = sum(each.output_tokens for each in drawn)
        tokens = task.encode_text(text)
        assert task.decode(tokens) == text
        assert len(tokens) == num_tokens - (drawn[-1].finish is Finish.STOP)
        assert num_tokens <= task.output_tokens
        assert task.encode_text(problem.prompt) == task.encode_prompt(problem)


def test_a_step_ends_behind_its_word(sampler) -> None:
    draws = sampler.extend(prefixes("0 6 +"), 40, segments=BY_TERM, temperature=1.0, seed=0)
    seen = set()
    for draw in draws:
        for each in draw.completions:
            seen.add(each.finish)
            assert each.text == "" or each.text.startswith(" ")
            assert "+" not in each.text[:-1]
            if each.finish is Finish.SEGMENT:
                assert each.text.endswith(" +")
            assert each.output_tokens == len(each.text.split()) + (each.finish is Finish.STOP)
    assert {Finish.SEGMENT, Finish.STOP} <= seen


def test_the_ends_may_be_written_with_spaces_and_unknown_ones_never_come(sampler) -> None:
    plain = sampler.extend(prefixes(), 4, segments=BY_TERM, temperature=0.8, seed=3)
    for ends in ((" + ",), ("+", "\n\n", "never")):
        spaced = SegmentRule(ends=ends, max_tokens=10**9)
        assert sampler.extend(prefixes(), 4, segments=spaced, temperature=0.8, seed=3) == plain


def test_limits_of_a_step_and_of_the_solution(sampler) -> None:
    short = SegmentRule(ends=(), max_tokens=3)
    greedy = {"temperature": 0.0, "seed": 0}
    for each in sampler.extend(prefixes("1 2 +"), 1, segments=short, **greedy):
        assert each.prompt_tokens == TASK.prompt_tokens + 3
        assert each.completions[0].finish in (Finish.SEGMENT, Finish.STOP)
    nearly = " ".join(["1"] * (TASK.output_tokens - 2))
    for draw in sampler.extend(prefixes(nearly), 8, segments=short, temperature=1.0, seed=0):
        for each in draw.completions:
            assert each.output_tokens <= 2
            assert each.finish is (Finish.STOP if len(each.text.split()) < each.output_tokens else Finish.LENGTH)
    full = " ".join(["1"] * TASK.output_tokens)
    (draw,) = sampler.extend(prefixes(full)[:1], 2, segments=short, **greedy)
    assert [(each.text, each.output_tokens, each.finish) for each in draw.completions] == [("", 0, Finish.LENGTH)] * 2


def test_samples_that_reach_the_limit_are_truncated(sampler) -> None:
    finishes = set()
    for draw in sampler.sample(PROBLEMS, 40, temperature=1.0, seed=0):
        for each in draw.completions:
            ended = len(each.text.split()) < each.output_tokens
            assert each.finish is (Finish.STOP if ended else Finish.LENGTH)
            finishes.add(each.finish)
    assert finishes == {Finish.STOP, Finish.LENGTH}


def test_a_sample_depends_on_seed_problem_text_and_number_only(sampler) -> None:
    texts = ["", "0 6 +", "0 6 + 1 8 = 0 2 4 +", "0 7 +"]
    mixed = [Prefix(problem=problem, text=text) for text in texts for problem in PROBLEMS]
    options: dict[str, Any] = {"segments": BY_TERM, "temperature": 1.0, "seed": 3}
    draws = sampler.extend(mixed, 4, **options)
    assert sampler.extend(mixed[::-1], 4, **options) == draws[::-1]
    assert sampler.extend(mixed[7:8], 4, **options) == draws[7:8]
    more = sampler.extend(mixed, 9, **options)
    assert [each.completions[:4] for each in more] == [each.completions for each in draws]
    assert sampler.extend(mixed, 4, **{**options, "seed": 4}) != draws
    chunked = make_sampler(TASK, max_rows=7)
    assert chunked.extend(mixed, 4, **options) == draws


def test_equal_prefixes_are_computed_once_and_get_equal_samples(sampler) -> None:
    rows = []

    class Counting(torch.nn.Module):
        def forward(self, tokens_BT, cache, *, last_only):
            rows.append(len(tokens_BT))
            return sampler.model(tokens_BT, cache, last_only=last_only)

    counting = TransformerSampler(Counting(), TASK, new_cache=lambda: KVCache([], []))
    twice = [*prefixes("0 6 +")[:1] * 3, *prefixes("0 6 +")[1:2]]
    draws = counting.extend(twice, 4, segments=BY_TERM, temperature=1.0, seed=0)
    assert rows[0] == 2
    assert draws[0] == draws[1] == draws[2] != draws[3]


def test_searches_run_on_it(sampler) -> None:
    reward = NoisyReward(lambda prefix: not prefix.text.startswith("0"))
    options: dict[str, Any] = {"segments": BY_TERM, "temperature": 1.0, "seed": 0}
    for results in (
        dvts(PROBLEMS, sampler, reward, num_candidates=8, width=4, **options),
        rebase(PROBLEMS, sampler, reward, num_candidates=8, **options),
    ):
        for result in results:
            assert len(result.candidates) == 8
            for each in result.candidates:
                num_words = len(TASK.encode_text(each.text))
                assert each.output_tokens == num_words + (each.finish is Finish.STOP)
            assert result.cost.shared_prefill_tokens == TASK.prompt_tokens


def test_bad_arguments_are_refused(sampler) -> None:
    with pytest.raises(ArgumentError, match="num_samples must be at least 1"):
        sampler.extend(prefixes(), 0, segments=BY_TERM, temperature=1.0, seed=0)
    with pytest.raises(ArgumentError, match=r"segments.max_tokens must be at least 1"):
        sampler.extend(prefixes(), 1, segments=SegmentRule(max_tokens=0), temperature=1.0, seed=0)
    with pytest.raises(ArgumentError, match="temperature must be at least 0"):
        sampler.extend(prefixes(), 1, segments=BY_TERM, temperature=-1.0, seed=0)
    assert sampler.extend([], 1, segments=BY_TERM, temperature=1.0, seed=0) == []
