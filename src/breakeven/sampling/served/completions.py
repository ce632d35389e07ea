"""The OpenAI protocol: what is asked for K samples of one prompt, and what servers answer.

Servers differ. `usage` of llama.cpp counts one of n choices, and its completions carry logprobs in the shape of chats;
some ignore n; lists of logprobs leave out the token of a stop string, or the end token, or neither, and llama.cpp lists
the tokens that make up one character as one.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from breakeven.store import Choice


class MalformedReplyError(Exception):
    """The server answered something that is no completion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A prompt and everything else that its samples depend on besides their number."""

    problem_id: str
    model: str
    prompt: str | tuple[tuple[str, str], ...]
    """Text, or (role, content) of each message of a chat."""
    temperature: float
    seed: int
    max_tokens: int
    stop: tuple[str, ...]
    extra: tuple[tuple[str, str], ...] = ()
    """Further fields of the request, each with its value as JSON."""
    one_by_one: bool = False
    """Ask for one sample a request, and for what says how it ended."""

    @property
    def key(self) -> str:
        """Equal for equal queries. The seed of a greedy one does not matter."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "one_by_one"}
        fields["seed"] = self.seed if self.temperature else None
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()

    def body(self, first: int, num_samples: int, without: set[str]) -> dict[str, Any]:
        """The request for samples `first`, `first + 1`, ..., but for the fields the server refuses."""
        chat = not isinstance(self.prompt, str)
        body: dict[str, Any] = {"model": self.model, "temperature": self.temperature, "max_tokens": self.max_tokens}
        if isinstance(self.prompt, str):
            body["prompt"] = self.prompt
        else:
            body["messages"] = [{"role": role, "content": content} for role, content in self.prompt]
        if num_samples > 1:
            body["n"] = num_samples
        if self.stop:
            body["stop"] = list(self.stop)
        if self.temperature and "seed" not in without:
            body["seed"] = request_seed(self.seed, self.key, first)
        if (num_samples > 1 or self.one_by_one) and "logprobs" not in without:
            body |= {"logprobs": True, "top_logprobs": 1} if chat else {"logprobs": 1}
        return body


def request_seed(seed: int, key: str, first: int) -> int:
    """The server's seed for a request, in 31 bits. Servers add 0, 1, ... to it for the n samples of one request."""
    digest = hashlib.sha256(f"{seed} {key} {first}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a server answered."""

    choices: tuple[Choice, ...]
    prompt_tokens: int | None


def read_reply(content: bytes, num_samples: int, max_tokens: int) -> Reply:
    """The choices of an answer, at most as many as were asked for.

    Raises:
        MalformedReplyError: it is no JSON, or holds no choice with a text.
    """
    try:
        data = json.loads(content)
        choices = data["choices"]
        usage = data.get("usage") or {}
        if not choices:
            raise ValueError("no choices")
        completion_tokens = _positive(usage.get("completion_tokens")) if num_samples == 1 else None
        ordered = sorted(choices, key=lambda each: each.get("index") or 0)[:num_samples]
        return Reply(
            choices=tuple(_choice(each, completion_tokens, max_tokens) for each in ordered),
            prompt_tokens=_positive(usage.get("prompt_tokens")),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        begins = content[:120].decode(errors="replace")
        raise MalformedReplyError(f"an answer that is no completion ({error!r}): {begins!r}") from error


def _choice(data: dict[str, Any], completion_tokens: int | None, max_tokens: int) -> Choice:
    """`completion_tokens` is the server's count, where there was one choice only."""
    text = data["message"]["content"] if "message" in data else data["text"]
    finish = data.get("finish_reason") or "stop"
    listed = _listed_tokens(data.get("logprobs") or {})
    tokens = completion_tokens
    if tokens is None and listed:
        # An end token that is listed is no part of the text; where the last one is, the end was left out.
        unlisted = finish == "stop" and listed[-1] != "" and (text or "").endswith(listed[-1])
        merged = finish == "length" and not all(map(str.isascii, listed))
        tokens = max_tokens if merged else len(listed) + unlisted
    elif tokens is None and not text and finish == "stop":
        tokens = 1  # ended at once, which llama.cpp lists no logprobs of
    stopped: bool | None = None
    stop_string = data.get("stop_reason")
    if finish != "stop":
        stopped = False
    elif "stop_reason" in data:  # vLLM: the stop string, the id of a stop token, or null for the end token
        stopped = isinstance(stop_string, str)
    elif completion_tokens is not None and listed:  # llama.cpp lists the end token, but not that of a stop string
        stopped = completion_tokens > len(listed)
    return Choice(
        text=_string(text or ""),
        finish=_string(finish),
        tokens=tokens,
        stopped=stopped,
        stop_string=stop_string if isinstance(stop_string, str) else None,
    )


def _listed_tokens(logprobs: dict[str, Any]) -> list[str]:
    content = logprobs.get("content")
    if content:
        return [_string(each.get("token") or "") for each in content]
    return [_string(each) for each in logprobs.get("tokens") or []]


def _positive(count: object) -> int | None:
    return count if isinstance(count, int) and count > 0 else None


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
