"""When a sample drawn token by token is complete, and what it says: end tokens, stop strings, ends of segments."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from breakeven.errors import argument_error
from breakeven.records import Completion, Finish
from breakeven.sampling.prompts import PromptEncoder
from breakeven.sampling.served.endings import cut

_CONTEXT_TOKENS = 4
"""Tokens before the new ones that are decoded with them: some tokenizers drop the space that a text begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to go on from, and for how long."""

    key: str
    tokens: list[int]
    max_tokens: int
    limit: Finish
    """What reaching `max_tokens` means."""


@dataclass(slots=True)
class Sample:
    """One completion of a job, as far as it has come."""

    job: Job
    tokens: list[int] = field(default_factory=list)
    done: Completion | None = None


class Endings:
    """What ends a completion besides its length.

    Args:
        prompts: with the tokenizer, which is left as it is, and the chat template, whose end of a turn ends a sample.
        stop: strings before which a completion ends. A special token among them ends it as a token: it is no part of
            the text in which the others are looked for.

    Raises:
        ArgumentError: an empty stop string.
    """

    def __init__(self, prompts: PromptEncoder, stop: Sequence[str]) -> None:
        if "" in stop:
            raise argument_error("stop", "hold no empty string", list(stop))
        self.tokenizer = prompts.tokenizer
        self.stop = tuple(stop)
        added = self.tokenizer.get_added_vocab()
        self.turn_end = prompts.turn_end()
        own = (self.tokenizer.eos_token_id, self.turn_end, *(added.get(each.strip()) for each in stop))
        self.tokens = frozenset(each for each in own if each is not None)

    def of(self, model: Any) -> frozenset[int]:
        """Tokens that end a completion of `model`: those of its generation config, too, which may differ."""
        configured = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
        listed = configured if isinstance(configured, list) else [configured]
        return self.tokens | {each for each in listed if each is not None}

    def completion(self, sample: Sample, ends: tuple[str, ...], end_tokens: frozenset[int]) -> Completion | None:
        """The sample as it ends with its last token; None if it goes on.

        Args:
            sample: one token longer than when it was last asked about.
            ends: strings behind which a segment ends.
            end_tokens: see `of`.
        """
        tokens, strings = sample.tokens, (*self.stop, *ends)
        if tokens[-1] in end_tokens:
            return Completion(text=self._text(sample.job, tokens[:-1]), output_tokens=len(tokens))
        if strings:
            # A new ending is within the tail: a token is a byte or more, but for the few that print nothing.
            read = sample.job.tokens[-_CONTEXT_TOKENS:] + tokens
            tail = self._decoded(read[-max(len(each.encode()) for each in strings) - 8 :])
            if any(each in tail for each in strings):
                ended = cut(self._text(sample.job, tokens), self.stop, ends)
                if ended is not None:
                    full = ended[1] is Finish.SEGMENT and len(tokens) >= sample.job.max_tokens
                    finish = sample.job.limit if full else ended[1]
                    return Completion(text=ended[0], output_tokens=len(tokens), finish=finish)
        if len(tokens) < sample.job.max_tokens:
            return None
        return Completion(text=self._text(sample.job, tokens), output_tokens=len(tokens), finish=sample.job.limit)

    def _text(self, job: Job, tokens: list[int]) -> str:
        context = job.tokens[-_CONTEXT_TOKENS:]
        before, whole = self._decoded(context), self._decoded(context + tokens)
        return whole[len(before) :] if whole.startswith(before) else self._decoded(tokens)

    def _decoded(self, tokens: list[int]) -> str:
        text: str = self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text
