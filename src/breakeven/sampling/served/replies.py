"""What servers answer: the text of each sample, how it ended, and how many tokens it took.

Servers differ. `usage` of llama.cpp counts one of n choices, and its completions carry logprobs in the shape of chats;
some ignore n; lists of logprobs leave out the token of a stop string, or the end token, or neither, and llama.cpp lists
the tokens that make up one character as one. xAI counts reasoning beside `completion_tokens`, OpenAI in them. Mistral's
reasoning models answer in parts.
"""

import json
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from breakeven.records import Finish
from breakeven.store import Choice

# fmt: off
_STOPS = frozenset({
    "stop", "eos", "eos_token", "end_turn", "end_of_turn", "stop_sequence", "stop_token", "complete",
    "completed", "finished", "finish", "end", "tool_calls", "tool_call", "tool_use", "function_call",
})
_LENGTHS = frozenset({
    "length", "max_tokens", "max_length", "max_output_tokens", "max_new_tokens", "token_limit", "model_length",
    "context_length", "context_length_exceeded", "model_context_window_exceeded",
})
_FAULTS = frozenset({
    "error", "insufficient_system_resource", "network_error", "server_error", "internal_error", "abort",
    "aborted", "cancel", "cancelled", "canceled", "timeout", "unknown", "interrupted",
})
# fmt: on
_NO_CHANCE = 16
"""A limit of so many tokens is hardly met by an answer that ends by itself; one of a verdict is."""
_NO_TEXT = ("refusal", "tool", "image", "audio", "reference", "citation")
"""Kinds of part that hold nothing of the answer."""
_MOST_TOKENS = 1 << 31
"""A server that counts more cannot count."""


class MalformedReplyError(Exception):
    """The server answered something that is no completion, or broke it off through a fault of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a server answered."""

    choices: tuple[Choice, ...]
    prompt_tokens: int | None
    was_broken: bool = False
    """Further choices are left out, since a fault of the server broke one off: they are to be asked for again."""


def ending(finish: str) -> Finish | None:
    """How a sample ended, by the server's word for it; None for a fault of the server: it is no sample.

    A word that is not known is that of a filter, or of something else that broke off what the model would have said.

    >>> ending("content_filter")
    <Finish.BROKEN_OFF: 'broken_off'>
    """
    word = finish.lower()
    if word in _STOPS or word in _LENGTHS:
        return Finish.STOP if word in _STOPS else Finish.LENGTH
    return None if word in _FAULTS else Finish.BROKEN_OFF


def read_reply(content: bytes, num_samples: int, max_tokens: int, *, own_temperature: bool = False) -> Reply:
    """The choices of an answer, at most as many as were asked for.

    Args:
        content: of the answer.
        num_samples: asked for.
        max_tokens: limit of each.
        own_temperature: marks the choices.

    Raises:
        MalformedReplyError: it is no JSON, or holds no choice with a text that a fault did not break off.
    """
    try:
        data = json.loads(content)
        ordered = sorted(data["choices"], key=lambda each: each.get("index") or 0)[:num_samples]
        if not ordered:
            raise ValueError("no choices")
        usage = data.get("usage")
        prompt, tokens = _counted(usage if isinstance(usage, dict) else {})
        if len(ordered) > 1:
            tokens = None  # of all of them, or of one: servers differ
        choices = [_choice(each, tokens, max_tokens, own_temperature=own_temperature) for each in ordered]
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        begins = content[:1000].decode(errors="replace")  # shown shorter, but a key in it is hidden only if whole
        raise MalformedReplyError(f"an answer that is no completion ({error!r}): {begins!r}") from error
    whole = tuple(takewhile(lambda each: ending(each.finish) is not None, choices))
    if not whole:
        raise MalformedReplyError(f"an answer that it broke off itself (finish_reason {choices[0].finish!r})")
    return Reply(choices=whole, prompt_tokens=prompt, was_broken=len(whole) < len(choices))


def _counted(usage: dict[str, Any]) -> tuple[int | None, int | None]:
    """Tokens of the prompt, and of the completions with what was reasoned before them."""
    prompt = _positive(usage.get("prompt_tokens", usage.get("input_tokens")))
    completion = _positive(usage.get("completion_tokens", usage.get("output_tokens")))
    cached = _detail(usage, ("prompt_tokens_details", "input_tokens_details"), "cached_tokens")
    if cached > (prompt or 0):  # then they are not among them
        prompt = (prompt or 0) + cached
    total = _positive(usage.get("total_tokens"))
    reasoning = _detail(usage, ("completion_tokens_details", "output_tokens_details"), "reasoning_tokens")
    if completion is not None:
        if total is not None and prompt is not None and total - prompt - completion >= max(1, reasoning):
            completion = total - prompt
        elif reasoning > completion:
            completion += reasoning
    elif total is not None and prompt is not None:
        completion = _positive(total - prompt)
    else:
        completion = reasoning or None
    if prompt is None and total is not None and completion is not None:
        prompt = _positive(total - completion)
    return prompt, completion


def _detail(usage: dict[str, Any], groups: tuple[str, ...], name: str) -> int:
    details = next((usage[each] for each in groups if isinstance(usage.get(each), dict)), usage)
    return _positive(details.get(name)) or 0


def _choice(data: dict[str, Any], usage_tokens: int | None, max_tokens: int, *, own_temperature: bool) -> Choice:
    """`usage_tokens` is the server's count, where there was one choice only."""
    text, reasoning = _texts(data)
    finish = _finish(data, usage_tokens, max_tokens)
    logprobs = data.get("logprobs")
    listed = _listed_tokens(logprobs if isinstance(logprobs, dict) else {})
    tokens = usage_tokens
    if tokens is None and listed and len("".join(listed)) < 0.9 * len(text + reasoning) and reasoning:
        tokens = None  # what was reasoned is not listed
    elif tokens is None and listed:
        # An end token that is listed is no part of the text; where the last one is, the end was left out.
        unlisted = finish == "stop" and listed[-1] != "" and text.endswith(listed[-1])
        merged = finish == "length" and not all(map(str.isascii, listed))
        tokens = max_tokens if merged else len(listed) + unlisted
    elif tokens is None and not text and not reasoning and finish == "stop":
        tokens = 1  # ended at once, which llama.cpp lists no logprobs of
    stopped: bool | None = None
    stop_string = data.get("stop_reason")
    if finish != "stop":
        stopped = False
    elif "stop_reason" in data:  # vLLM: the stop string, the id of a stop token, or null for the end token
        stopped = isinstance(stop_string, str)
    elif usage_tokens is not None and listed:  # llama.cpp lists the end token, but not that of a stop string
        stopped = usage_tokens > len(listed)
    return Choice(
        text=text,
        finish=finish,
        tokens=tokens,
        stopped=stopped,
        stop_string=stop_string if isinstance(stop_string, str) else None,
        own_temperature=own_temperature,
    )


def _finish(data: dict[str, Any], usage_tokens: int | None, max_tokens: int) -> str:
    """How it ended, as "stop", "length" or the server's own word for another end."""
    said = data.get("finish_reason") or ""
    native = data.get("native_finish_reason")  # OpenRouter: that of whom it asked
    if data.get("error") or (isinstance(native, str) and native.lower() in _FAULTS | _LENGTHS):
        said = native or "error"
    if not said and usage_tokens is not None and usage_tokens >= max_tokens:
        return "length"
    known = ending(_string(said) or "stop")
    if known is Finish.STOP and usage_tokens == max_tokens >= _NO_CHANCE and "stop_reason" not in data:
        return "length"  # some say "stop" of all
    return known.value if known in (Finish.STOP, Finish.LENGTH) else _storable(said)


def _texts(data: dict[str, Any]) -> tuple[str, str]:
    """The answer, and what was reasoned before it."""
    message = data.get("message")
    if not message:  # of plain text; some servers give chats so too
        return _joined(data["text"]), ""
    reasoning = message.get("reasoning_content") or message.get("reasoning") or ""
    content = message.get("content")
    if isinstance(content, list):
        thought = [each for each in content if isinstance(each, dict) and _is(each, "think", "reason")]
        reasoning = reasoning or "".join(_joined(each.get("thinking") or each.get("text")) for each in thought)
        content = [each for each in content if each not in thought]
    return _joined(content), reasoning if isinstance(reasoning, str) else ""


def _joined(content: object) -> str:
    """The text of a content: itself, or that of its parts of text. What cannot be read is not taken for silence."""
    if content is None or (isinstance(content, dict) and _is(content, "think", "reason", *_NO_TEXT)):
        return ""
    if isinstance(content, dict):
        return _joined(content["text"] if "text" in content else content["value"])
    if isinstance(content, list):
        return "".join(map(_joined, content))
    return _storable(_string(content))


def _is(part: dict[str, Any], *kinds: str) -> bool:
    return any(each in str(part.get("type")) for each in kinds)


def _listed_tokens(logprobs: dict[str, Any]) -> list[str]:
    content = logprobs.get("content")
    if content:
        return [_string(each.get("token") or "") for each in content]
    return [_string(each) for each in logprobs.get("tokens") or []]


def _positive(count: Any) -> int | None:
    whole = type(count) in (int, float) and 0 < count < _MOST_TOKENS and count % 1 == 0
    return int(count) if whole else None


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _storable(text: str) -> str:
    r"""The text with lone surrogates, which no file can hold, as escapes: "\\ud800"."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
