"""What servers say when they refuse, told apart."""

import json

import pytest

from breakeven.sampling.served.endpoint import Answer
from breakeven.sampling.served.refusals import (
    is_about_count,
    is_context_too_long,
    is_unknown,
    passes,
    refused_fields,
    retry_after,
    said_by,
)

CONTEXT = (
    "request (1801 tokens) exceeds the available context size (512 tokens), try increasing it",
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
    "Input is too long for requested model",
    "prompt is too long: 210000 tokens > 200000 maximum",
    "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context length is 8192 tokens",
    "Too many input tokens",
)
COUNT = (
    "Field 'n': Value must be between 1 <= value <= 8, but got 12",
    "n must be at most 128",
    "This model does not support n > 1",
    "`best_of` must be 1",
    "too many: number of choices is limited to 4",
    "Only one completion choice is allowed",
)
OTHER = (
    "temperature must be below 2",
    "invalid message content",
    "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5 instead.",
    "stop sequence is too long",
)
FIELDS = ["max_tokens", "seed", "logprobs", "top_logprobs", "stop", "temperature"]


def refusal(body: object, status: int = 400) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status=status, headers={}, content=content)


def said(message: str, status: int = 400, **more: object) -> Answer:
    return refusal({"error": {"message": message, **more}}, status)


@pytest.mark.parametrize("message", CONTEXT)
def test_too_long_a_prompt(message: str) -> None:
    assert is_context_too_long(message)
    assert refused_fields(said(message), FIELDS) == []


@pytest.mark.parametrize("message", COUNT)
def test_too_many_choices(message: str) -> None:
    assert is_about_count(message)
    assert not is_context_too_long(message)


@pytest.mark.parametrize("message", OTHER)
def test_neither(message: str) -> None:
    assert not is_about_count(message)
    assert not is_context_too_long(message)


@pytest.mark.parametrize(
    ("answer", "fields"),
    [
        (said("Unknown field: seed"), ["seed"]),
        (said("logprobs are not supported with this model"), ["logprobs"]),
        (said("Argument not supported on this model: stop"), ["stop"]),
        (said("Unrecognized request argument supplied: topLogprobs"), ["top_logprobs"]),
        (said("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."), ["max_tokens"]),
        (said("array too long", param="stop"), ["stop"]),
        (said("too long", param="stop[4]"), ["stop"]),
        (said("it stops where the seed is"), ["seed"]),
        (said("please stop"), []),
        (said("no such user"), []),
        (refusal({"detail": [{"loc": ["body", "seed"]}, {"loc": ["body", "logprobs"]}]}, 422), ["seed", "logprobs"]),
        (refusal({"object": "error", "message": {"detail": [{"loc": ["body", "seed"]}]}}, 422), ["seed"]),
        (refusal(b"Extra inputs: seed", 422), ["seed"]),
        (said("logprobs is not supported for models created with logits_all=False", 500), ["logprobs"]),
        (said("seed node lost", 500), []),
        (said("unknown field seed", 503), []),
        (said("unknown field seed", 401), []),
    ],
)
def test_the_field_that_is_refused(answer: Answer, fields: list[str]) -> None:
    assert refused_fields(answer, FIELDS) == fields


def test_a_field_that_was_not_sent_is_not_refused() -> None:
    assert refused_fields(said("Unknown field: seed"), ["stop"]) == []


@pytest.mark.parametrize(
    ("message", "unknown"),
    [
        ("Unsupported value: 'temperature' does not support 0.8. Only the default (1) value is supported.", True),
        ("invalid temperature: only 1 is allowed for this model", True),
        ("`temperature` may only be set to 1 when thinking is enabled", True),
        ("Extra inputs are not permitted", True),
        ("temperature must be below 0.5", False),
        ("temperature must be strictly positive", False),
        ("temperature must be 1.5 at most", False),
    ],
)
def test_a_value_that_is_fixed_and_one_out_of_range(message: str, unknown: bool) -> None:
    assert is_unknown(message) is unknown


def test_an_empty_purse_does_not_pass() -> None:
    assert passes(said("slow down", 429))
    assert passes(said("busy", 503))
    assert not passes(said("You exceeded your quota", 429, code="insufficient_quota"))
    assert not passes(refusal({"code": "insufficient_quota"}, 429))
    assert not passes(said("no", 400))


@pytest.mark.parametrize("body", [b"", b"plain words", b"[1]", b"[" * 100_000, b'{"error": null}', b"\xff"])
def test_any_body_says_something(body: bytes) -> None:
    assert isinstance(said_by(refusal(body)), str)
    assert refused_fields(refusal(body), FIELDS) == []


@pytest.mark.parametrize("value", ["soon", "", "nan", "inf", "-inf", "1e400", "Mon, 99 Foo 2020", "Fri, 01 Jan 2100"])
def test_what_cannot_be_read_of_retry_after_is_no_wait(value: str) -> None:
    assert retry_after({"retry-after": value}) is None
    assert retry_after({}) is None


def test_what_is_read_of_retry_after_is_bounded() -> None:
    assert retry_after({"retry-after": "-3"}) == 0.0
    assert retry_after({"retry-after": "1e9"}) == 600.0
    assert retry_after({"retry-after": "Fri, 01 Jan 2100 00:00:00 GMT"}) == 600.0
    assert retry_after({"retry-after": "Fri, 01 Jan 2100 00:00:00"}) in (600.0, None)
