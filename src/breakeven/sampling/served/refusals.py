"""What a server that speaks the OpenAI protocol means by an answer that is no completion."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from breakeven.errors import MissingExtraError

OPTIONAL = ("logprobs", "seed")
"""Fields that some servers refuse, and without which samples can still be had."""
_LONGEST_RETRY_AFTER = 600.0
"""Seconds for which a server may ask to be left alone."""
_PASSING = (408, 409, 429)
"""HTTP statuses besides 5xx after which the same request may succeed."""
_CONTEXT = re.compile(
    r"context|too long|too many tokens|maximum.{0,20}(length|tokens)|exceed.{0,40}token", re.IGNORECASE
)
_COUNT = re.compile(r"""['"`]?\bn\b['"`]?|\bn_cmpl\b|\bbest_of\b|number of (choices|completions|samples)""")


def openai_package() -> Any:
    """The client library.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import openai
    except ImportError as error:
        raise MissingExtraError("servers need the openai package: pip install 'breakeven[openai]'") from error
    return openai


def passes(error: Any) -> bool:
    """Whether the same request may succeed later."""
    return error.code != "insufficient_quota" and bool(error.status_code in _PASSING or error.status_code >= 500)


def is_context_too_long(message: str) -> bool:
    """True if the prompt, or the prompt with its answer, is what does not fit."""
    return bool(_CONTEXT.search(message))


def is_about_count(message: str) -> bool:
    """True if the server wants another n.

    >>> is_about_count("Field 'n': Value must be between 1 <= value <= 8, but got 12")
    True
    """
    return bool(_COUNT.search(message))


def refused_field(message: str, without: set[str]) -> str | None:
    """The optional field that the server does not know, if it says so and was sent it.

    >>> refused_field("logprobs are not supported with this model", set())
    'logprobs'
    """
    return next((each for each in OPTIONAL if each not in without and each in message), None)


def said_by(error: Any) -> str:
    """The server's own words, in one short line without a full stop."""
    body = error.body
    for name in ("error", "message", "detail"):
        if isinstance(body, dict) and body.get(name):
            body = body[name]
    return " ".join(str(body or error.message).split())[:300].removesuffix(".")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from a number or a date (RFC 9110); None where the header is missing or cannot be read."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)
