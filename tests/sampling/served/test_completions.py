"""What a query's samples depend on; and where a text ends."""

from dataclasses import replace

import pytest

from breakeven.records import Finish
from breakeven.sampling.served.completions import Query, request_seed
from breakeven.sampling.served.endings import cut


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
