"""What is asked and drawn: problems, completions, and the graded bank of one checkpoint."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from breakeven.errors import argument_error
from breakeven.records.soft_votes import SoftVote

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One question, and what is known of its answer: no selection rule and no sampler that draws ever sees either."""

    id: str
    prompt: str
    reference: str | None = None
    """The gold answer, where the checker needs one."""
    solution: str | None = None
    """A right completion as training text has it, where one is known: the validation loss is measured on it."""

    @property
    def hidden(self) -> "Problem":
        """Without reference and solution: as samplers and reward models see it."""
        return replace(self, reference=None, solution=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """A problem with the beginning of a solution, which may be empty or whole. `text` goes on without a separator."""

    problem: Problem
    text: str = ""


class Finish(StrEnum):
    """Why a completion ends where it does."""

    STOP = "stop"
    """The model ended it, or a stop string did."""
    LENGTH = "length"
    """The limit of tokens did: the sample is truncated, and stays in every denominator."""
    BROKEN_OFF = "broken_off"
    """Who serves the model did, by a filter for instance: like a truncated one it stays in every denominator."""
    SEGMENT = "segment"
    """A segment of a solution is complete; the solution goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One generated sample: its text and the tokens it took, end token included."""

    text: str
    output_tokens: int
    finish: Finish = Finish.STOP


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassPass(Completion):
    """A pass of a classifier: its text names the likeliest class."""

    probabilities: npt.NDArray[np.float32] = field(compare=False)
    """Of all classes, shape (C,), in the order of `ProbabilitySampler.classes`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """All samples drawn for one problem (or one prefix) from one prefill of its prompt."""

    prompt_tokens: int
    """Tokens of the prompt; of a prefix, with the text so far."""
    completions: tuple[Completion, ...]
    own_temperature: bool = False
    """Whether they were drawn at the server's own temperature, since it takes no other; greedy ones too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRule:
    """Where one segment of a solution ends (most papers: one of its steps), for strategies that search."""

    ends: tuple[str, ...] = ("\n\n",)
    """Strings that end a segment; they belong to it."""
    max_tokens: int = 256
    """Most tokens of one segment."""
    max_segments: int = 40
    """Most segments of a solution; the last one runs to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """What a reward model says of one solution, and what saying so took."""

    value: float
    """Higher is better. In [0, 1] where it is to be summed or averaged (weighted votes, REBASE)."""
    read_tokens: int = 0
    """Tokens the reward model read: problem and solution so far."""
    output_tokens: int = 0
    """Tokens it generated, over all its verdicts."""
    verdicts: str = ""
    """Of a generative verifier, one character a verdict: `1` yes, `0` no, `?` neither could be read."""


NO_ANSWER = "-"
"""In `SampleBank.answer_PN`: the completion holds no answer."""
CHECK_FAILED = "?"
"""In `SampleBank.correct_PN`: the checker crashed or timed out, so that nobody knows whether the sample is right."""


def answer_label(number: int) -> str:
    """The character of a problem's answer number 0, 1, ...: printable, and never NO_ANSWER.

    >>> answer_label(0), answer_label(78), answer_label(79)
    ('0', '~', '¡')
    """
    return chr(48 + number if number < 79 else 82 + number)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleBank:
    """The graded samples of one checkpoint: P problems x N samples, and mostly one greedy sample per problem.

    Rows are strings, one character a sample, so that a log line stays readable: `1` right, `0` wrong, `?` the checker
    failed (CHECK_FAILED). A failed check is never taken for wrong: the sample is left out of every estimate, and how
    many there are is shown. Where samples were drawn as the decision needed them, rows differ in length, and may be
    empty.
    """

    correct_PN: tuple[str, ...]
    """Verdicts of the samples drawn at `temperature`, one row a problem."""
    greedy_correct_P: str
    """Verdicts of the greedy (temperature 0) sample of each problem; empty where none was drawn, as of a trainer's own
    evaluation."""
    temperature: float
    seed: int
    prompt_tokens: int
    """Prompt tokens summed over the problems, each prompt counted once."""
    output_tokens: int
    """Output tokens summed over all P x N samples at `temperature`."""
    greedy_output_tokens: int
    """Output tokens summed over the P greedy samples."""
    oracle: bool = False
    """True if grading used gold answers, which serving does not have: Pass@K is then an upper bound."""
    num_prefills: int | None = None
    """Prompts read in all; None: one per problem for the greedy sample, if there is one, and one for the others."""
    answer_PN: tuple[str, ...] = ()
    """Which samples of a problem agree, shaped as `correct_PN`: equal characters are equal answers, `-` is none. Empty
    where answers are not voted on."""
    score_PN: tuple[tuple[float, ...], ...] = ()
    """Reward of each sample, shaped as `correct_PN`; higher is better. Empty where no reward model scored them."""
    reward_read_tokens: int = 0
    """Tokens that the reward model read, over all samples."""
    reward_output_tokens: int = 0
    """Tokens that it generated."""
    prompt_tokens_P: tuple[int, ...] = ()
    """Tokens of each prompt. This and the next two are empty in logs of before, where their sums alone are known."""
    greedy_tokens_P: tuple[int, ...] = ()
    """Output tokens of each greedy sample."""
    output_tokens_PN: tuple[tuple[int, ...], ...] = ()
    """Output tokens of each sample, shaped as `correct_PN`."""
    soft_votes: tuple[SoftVote, ...] | None = None
    """Of a classifier's passes; None, and then not written, of every other model's samples."""

    def __post_init__(self) -> None:
        if not self.correct_PN:
            raise argument_error("correct_PN", "hold at least one row", list(self.correct_PN))
        for name, one in (("answer_PN", "character"), ("score_PN", "number"), ("output_tokens_PN", "count")):
            rows = getattr(self, name)
            if rows and list(map(len, rows)) != list(map(len, self.correct_PN)):
                raise argument_error(name, f"have one {one} for each sample of correct_PN", "other lengths")
        for name, counts_P, total in (
            ("prompt_tokens_P", self.prompt_tokens_P, self.prompt_tokens),
            ("greedy_tokens_P", self.greedy_tokens_P, self.greedy_output_tokens),
            ("output_tokens_PN", tuple(map(sum, self.output_tokens_PN)), self.output_tokens),
        ):
            if counts_P and (len(counts_P), sum(counts_P)) != (self.num_problems, total):
                rule = f"be of {self.num_problems} problems, {total} tokens in all"
                raise argument_error(name, rule, f"{len(counts_P)} problems, {sum(counts_P)} tokens")
        if not all(math.isfinite(score) for row in self.score_PN for score in row):
            raise argument_error("score_PN", "hold finite numbers", "NaN or infinity")
        others = set("".join(self.correct_PN) + self.greedy_correct_P) - {"0", "1", CHECK_FAILED}
        if others:
            rule = f"hold only the characters 0, 1 and {CHECK_FAILED}"
            raise argument_error("correct_PN and greedy_correct_P", rule, "".join(sorted(others)))
        if len(self.greedy_correct_P) not in (0, len(self.correct_PN)):
            rule = f"have one character for each of the {len(self.correct_PN)} problems, or none at all"
            raise argument_error("greedy_correct_P", rule, len(self.greedy_correct_P))
        if not self.greedy_correct_P and not self.num_drawn:
            raise argument_error("correct_PN", "hold a sample where no greedy one was drawn", list(self.correct_PN))

    def of(self, places: Sequence[int]) -> "SampleBank":
        """The bank of some of the problems. A sum of tokens stays that of all where their own are not known."""

        def kept(rows: Sequence[_Row]) -> tuple[_Row, ...]:
            return tuple(rows[place] for place in places) if rows else ()

        prompt_P, greedy_P = kept(self.prompt_tokens_P), kept(self.greedy_tokens_P)
        output_PN = kept(self.output_tokens_PN)
        return replace(
            self,
            correct_PN=kept(self.correct_PN),
            greedy_correct_P="".join(kept(self.greedy_correct_P)),
            answer_PN=kept(self.answer_PN),
            score_PN=kept(self.score_PN),
            prompt_tokens_P=prompt_P,
            greedy_tokens_P=greedy_P,
            output_tokens_PN=output_PN,
            prompt_tokens=sum(prompt_P) if prompt_P else self.prompt_tokens,
            greedy_output_tokens=sum(greedy_P) if greedy_P else self.greedy_output_tokens,
            output_tokens=sum(map(sum, output_PN)) if output_PN else self.output_tokens,
            soft_votes=None if self.soft_votes is None else tuple(each.of(places) for each in self.soft_votes),
        )

    @property
    def num_problems(self) -> int:
        """P."""
        return len(self.correct_PN)

    @property
    def num_samples(self) -> int:
        """N, the most samples drawn for any problem."""
        return max(map(len, self.correct_PN))

    @property
    def num_drawn(self) -> int:
        """Samples at `temperature`, over all problems: P x N where every problem got as many."""
        return sum(map(len, self.correct_PN))

    @property
    def num_correct_P(self) -> tuple[int, ...]:
        """Samples per problem that are known to be right, each in 0..N."""
        return tuple(row.count("1") for row in self.correct_PN)

    @property
    def num_graded_P(self) -> tuple[int, ...]:
        """Samples per problem that have a verdict, each in 0..N."""
        return tuple(len(row) - row.count(CHECK_FAILED) for row in self.correct_PN)

    @property
    def num_failed(self) -> int:
        """Samples without a verdict, over all problems, greedy ones included."""
        return self.num_drawn - sum(self.num_graded_P) + self.greedy_correct_P.count(CHECK_FAILED)

    @property
    def greedy_accuracy(self) -> float:
        """Share of problems that the greedy sample solves, of those where it has a verdict; NaN where none has."""
        graded = len(self.greedy_correct_P) - self.greedy_correct_P.count(CHECK_FAILED)
        return self.greedy_correct_P.count("1") / graded if graded else math.nan

    @property
    def sampled_accuracy(self) -> float:
        """Pass@1 at `temperature`: share of correct samples among those with a verdict; NaN where there is none."""
        graded = sum(self.num_graded_P)
        return sum(self.num_correct_P) / graded if graded else math.nan
