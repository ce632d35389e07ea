"""How a server wants to be asked, as far as it has refused to be asked otherwise.

Learned from refusals, for all requests from then on; what was under way and is refused too is asked again.
"""

import re
from collections.abc import Mapping
from typing import Any

from breakeven.sampling.served.completions import Query, request_seed
from breakeven.sampling.served.endpoint import Answer
from breakeven.sampling.served.refusals import is_unknown, refused_fields, said_by

_SPELLINGS: dict[str, tuple[str | None, ...]] = {
    "max_tokens": ("max_tokens", "max_completion_tokens"),  # OpenAI's reasoning models take the second
    "seed": ("seed", "random_seed", None),  # Mistral's
    "logprobs": ("logprobs", None),
    "top_logprobs": ("top_logprobs", None),
}
"""Names of a field, in the order in which they are tried; None: it is left out."""
_MANY_STOPS = 4
"""Stop strings that OpenAI takes; a server that takes fewer than it was sent, and says no number, may take as many."""
_LEAST_TEMPERATURE = 0.01
"""For servers that take none of 0: the likeliest token wins unless another is nearly as likely."""


class Dialect:
    """Requests in the words that one server takes.

    Args:
        extra: further fields of every request; they go before ours.
        own_temperature: whether to leave the temperature out where the server takes none but its own. The samples are
            marked then.
    """

    def __init__(self, extra: Mapping[str, object], *, own_temperature: bool = False) -> None:
        self.extra, self._may_leave_temperature = dict(extra), own_temperature
        self._tried = dict.fromkeys(_SPELLINGS, 0)
        self.always_logprobs = False  # where `usage` counts nothing, of single samples too
        self._most_stops: int | None = None
        self._least_temperature: float | None = 0.0
        """None: the server has one of its own."""
        self._own_temperature: float | None = None  # as far as it says so

    @property
    def has_logprobs(self) -> bool:
        """Whether the server may be asked for them."""
        return self._name("logprobs") is not None

    def body(self, query: Query, first: int, num_samples: int) -> dict[str, Any]:
        """The request for samples `first`, `first + 1`, ..."""
        chat = not isinstance(query.prompt, str)
        body: dict[str | None, Any] = {"model": query.model, self._name("max_tokens"): query.max_tokens}
        if isinstance(query.prompt, str):
            body["prompt"] = query.prompt
        else:
            body["messages"] = [{"role": role, "content": content} for role, content in query.prompt]
        if self._least_temperature is not None:
            body["temperature"] = max(query.temperature, self._least_temperature)
        if num_samples > 1:
            body["n"] = num_samples
        if stop := query.stop[: self._most_stops]:
            body["stop"] = list(stop)
        if query.temperature:
            body[self._name("seed")] = request_seed(query.seed, query.key, first)
        if num_samples > 1 or query.one_by_one or self.always_logprobs:
            body[self._name("logprobs")] = True if chat else 1
            if chat and self.has_logprobs:
                body[self._name("top_logprobs")] = 1
        return {name: value for name, value in (body | self.extra).items() if name is not None}

    def is_own_temperature(self, query: Query, sent: Mapping[str, Any]) -> bool:
        """Whether samples of this request may be of another temperature than was asked for."""
        return "temperature" not in sent and query.temperature != self._own_temperature

    def learn(self, refusal: Answer, sent: Mapping[str, Any]) -> None:
        """Take from a refusal what the server would have otherwise of a request."""
        said = said_by(refusal)
        ours = {each: self._spelt(each, sent) for each in (*_SPELLINGS, "stop", "temperature")}
        names = {spelt: each for each, spelt in ours.items() if spelt is not None and spelt not in self.extra}
        for spelt in refused_fields(refusal, list(names)):
            field = names[spelt]
            if field == "stop":
                self._most_stops = min(self._most_stops or len(sent["stop"]), _fewer(said, len(sent["stop"])))
            elif field == "temperature":
                self._learn_temperature(said, sent["temperature"])
            elif field == "max_tokens" and not is_unknown(said):
                pass  # it is the number that is refused
            elif self._name(field) == spelt:  # else another request has learned it already
                self._tried[field] = min(self._tried[field] + 1, len(_SPELLINGS[field]) - 1)

    def _learn_temperature(self, said: str, sent: float) -> None:
        if is_unknown(said):
            if self._may_leave_temperature:
                self._least_temperature = None
                self._own_temperature = 1.0 if sent != 1.0 and re.search(r"\b1(\.0+)?\b(?!\.\d)", said) else None
        elif sent == 0 and self._least_temperature == 0:
            self._least_temperature = _LEAST_TEMPERATURE

    def _name(self, field: str) -> str | None:
        return _SPELLINGS[field][self._tried[field]]

    def _spelt(self, field: str, sent: Mapping[str, Any]) -> str | None:
        """The name by which a request holds a field."""
        return next((each for each in _SPELLINGS.get(field, (field,)) if each in sent), None)


def _fewer(said: str, num_sent: int) -> int:
    """Stop strings to send after so many were refused, 0 where there is nothing to be hoped for.

    >>> _fewer("array too long. Expected an array with maximum length 4, but got an array with length 5", 5)
    4
    >>> _fewer("'stop' is not supported with this model", 5)
    0
    """
    named = [int(each) for each in re.findall(r"(?<![\w.-])\d{1,3}(?![\w.-]|\.\d)", said)]
    allowed = [each for each in named if 0 < each < num_sent]
    if allowed:
        return max(allowed)
    return _MANY_STOPS if num_sent > _MANY_STOPS and not re.search("support|unknown|permitted", said) else 0
