"""What servers say when they refuse, told apart."""

import pytest

from breakeven.sampling.served.refusals import is_about_count, is_context_too_long, refused_field, retry_after

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


def test_what_cannot_be_read_of_retry_after_is_no_wait() -> None:
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None
    assert retry_after({"retry-after": "-3"}) == 0.0
    assert retry_after({"retry-after": "1e9"}) == 600.0
