"""What servers say when they refuse, told apart; and where a text ends."""

from dataclasses import replace

import pytest

from breakeven.records import Finish
from breakeven.sampling.served.completions import (
    Query,
    is_about_count,
    is_context_too_long,
    refused_field,
    request_seed,
)
from breakeven.sampling.served.endings import cut

CONTEXT = (
    "request (1801 tokens) exceeds the available context size (512 tokens), try increasing it",
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
    "Input is too long for requested model",
    "prompt is too long: 210000 tokens > 200000 maximum",
)
COUNT = (
    "Field 'n': Value must be between 1 <= value <= 8, but got 12",
    "n must be at most 128",
    "This model does not support n > 1",
    "`best_of` must be 1",
    "too many: number of choices is limited to 4",
)
OTHER = ("temperature must be below 2", "invalid message content")


@pytest.mark.parametrize("message", CONTEXT)
def test_too_long_a_prompt(message: str) -> None:
    assert is_context_too_long(message)


@pytest.mark.parametrize("message", COUNT)
def test_too_many_choices(message: str) -> None:
    assert is_about_count(message)
    assert not is_context_too_long(message)


@pytest.mark.parametrize("message", OTHER)
def test_neither(message: str) -> None:
    assert not is_about_count(message)
    assert not is_context_too_long(message)


def test_a_field_is_refused_once() -> None:
    assert refused_field("Unknown field: seed", set()) == "seed"
    assert refused_field("Unknown field: seed", {"seed"}) is None
    assert refused_field("Unknown field: temperature", set()) is None


def test_the_key_is_of_everything_but_a_greedy_seed() -> None:
    query = Query(problem_id="p", model="m", prompt="x", max_tokens=4, stop=(), temperature=0.8, seed=1)
    sampled = [query, replace(query, seed=2)]
    greedy = [replace(query, temperature=0.0, seed=seed) for seed in (1, 2)]
    assert len({query.key for query in (*sampled, *greedy)}) == 3
    assert greedy[0].key == greedy[1].key


def test_seeds_of_requests_fit_31_bits_and_differ() -> None:
    seeds = {request_seed(seed, key, first) for seed in range(10) for key in "abc" for first in range(100)}
    assert len(seeds) == 3000
    assert 0 <= min(seeds)
    assert max(seeds) < 2**31


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", None),
        ("", None),
        ("ab;c;", ("ab;", Finish.SEGMENT)),
        ("abENDc;", ("ab", Finish.STOP)),
        ("END", ("", Finish.STOP)),
        ("a;;END", ("a;", Finish.SEGMENT)),
    ],
)
def test_the_first_ending_counts(text: str, expected) -> None:
    assert cut(text, ["END"], [";"]) == expected


def test_a_stop_string_that_begins_where_a_step_ends_wins() -> None:
    assert cut("a\n\nQ: b", ["\n\nQ:"], ["\n\n"]) == ("a", Finish.STOP)
