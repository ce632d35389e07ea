"""What a server that speaks the OpenAI protocol means by an answer that is no completion."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from breakeven.sampling.served.endpoint import Answer

_LONGEST_RETRY_AFTER = 600.0
"""Seconds for which a server may ask to be left alone."""
_PASSING = (408, 409, 425, 429)
"""HTTP statuses besides 5xx after which the same request may succeed."""
_FAULTY = (400, 413, 422)
"""HTTP statuses that are about this request, not about all."""
_CONTEXT = re.compile(
    r"context|(input|prompt|request|message|(?<!stop[ _])sequence)s?\b.{0,40}\btoo (long|large)|too many (\w+ )?tokens"
    r"|maximum (\w+ )?(input|sequence|prompt|model|total)\W.{0,20}(length|tokens)|tokens?\b.{0,40}\bexceed"
    r"|exceed.{0,40}\btoken",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"""['"`]?\bn\b['"`]?|\bn_cmpl\b|\bbest_of\b|(number of|multiple|one) (\w+ )?(choices?|completions?|samples?)"""
    r"|candidate_?count",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"not (be )?(support|permitted|allowed|implemented|available)|unsupported|unknown|unrecogni[sz]ed|unexpected"
    r"|forbidden|extra (inputs|fields)|deprecated"
    r"|(only|must|should|has to) (\w+ ){0,3}(the default|1(\.0)?\b(?!\.?\d| or))|only \d[.\d]* is",
    re.IGNORECASE,
)


def passes(answer: Answer) -> bool:
    """Whether the same request may succeed later."""
    if _field(_said(answer), "code") == "insufficient_quota":
        return False
    return answer.status in _PASSING or answer.status >= 500


def is_faulty(answer: Answer) -> bool:
    """Whether it is this request that the server refuses, and not all."""
    return answer.status in _FAULTY


def is_unknown(said: str) -> bool:
    """True if the server has no such field, or takes no value but its own.

    >>> is_unknown("'temperature' does not support 0.8 with this model. Only the default (1) value is supported.")
    True
    >>> is_unknown("temperature must be strictly positive")
    False
    """
    return bool(_UNKNOWN.search(said))


def is_context_too_long(said: str) -> bool:
    """True if the prompt, or the prompt with its answer, is what does not fit.

    >>> is_context_too_long("Invalid 'stop': array too long. Expected an array with maximum length 4")
    False
    """
    return bool(_CONTEXT.search(said))


def is_about_count(said: str) -> bool:
    """True if the server wants another n.

    >>> is_about_count("Field 'n': Value must be between 1 <= value <= 8, but got 12")
    True
    """
    return bool(_COUNT.search(said))


def refused_fields(answer: Answer, names: list[str]) -> list[str]:
    """Those of `names` that a refusal is about: as it points them out, or else the one that it mentions first.

    A server's own fault (5xx) is about a field only if it says that there is none.
    """
    said = said_by(answer)
    if answer.status not in (*_FAULTY, 404, 500, 501) or (answer.status not in _FAULTY and not is_unknown(said)):
        return []
    pointed = [each for each in _pointed(_said(answer)) if each in names]
    if pointed or is_context_too_long(said):
        return pointed
    found = {each: place.start() for each in names if (place := _mention(each).search(said))}
    return [min(found, key=found.__getitem__)] if found else []


def _mention(name: str) -> re.Pattern[str]:
    """The field's name as a word; `stop` only as a name, since it is a word too."""
    word = name.replace("_", "_?")
    if name == "stop":
        word = r"""['"`]stop['"`\[.]|\bstop(?=[ _]?(sequence|string|word|param|field|is not|are not))|[:=] ?stop\b"""
        return re.compile(word, re.IGNORECASE)
    return re.compile(rf"(?<![A-Za-z0-9_]){word}(?![A-Za-z0-9_])", re.IGNORECASE)


def _pointed(said: object) -> Iterator[str]:
    """Names that the parts of a refusal hold which are made for it: `param`, and `loc` of pydantic."""
    if isinstance(said, list):
        for each in said:
            yield from _pointed(each)
    elif isinstance(said, dict):
        if isinstance(param := said.get("param"), str):
            yield re.split(r"[.\[]", param)[0]
        if isinstance(place := said.get("loc"), list):
            yield from (each for each in place if isinstance(each, str))
        for name in ("error", "message", "detail", "errors"):
            yield from _pointed(said.get(name))


def _said(answer: Answer) -> Any:
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        return None


def _field(said: object, name: str) -> object:
    if not isinstance(said, dict):
        return None
    return said.get(name) or _field(said.get("error"), name)


def said_by(answer: Answer) -> str:
    """The server's own words. They may hold anything: `Endpoint.quoted` is what may be shown."""
    body = _said(answer)
    for name in ("error", "message", "detail"):
        if isinstance(body, dict) and body.get(name):
            body = body[name]
    return str(body) if body else answer.content.decode(errors="replace")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from a number or a date (RFC 9110); None where the header is missing or cannot be read."""
    value, milliseconds = headers.get("retry-after", "").strip(), headers.get("retry-after-ms", "").strip()
    try:
        seconds = float(milliseconds) / 1000 if milliseconds else float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER) if math.isfinite(seconds) else None
