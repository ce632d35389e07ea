"""What is asked of a server: a query, the seeds of its requests."""

import hashlib
import json
from dataclasses import dataclass


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


def request_seed(seed: int, key: str, first: int) -> int:
    """The server's seed for a request, in 31 bits. Servers add 0, 1, ... to it for the n samples of one request."""
    digest = hashlib.sha256(f"{seed} {key} {first}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
