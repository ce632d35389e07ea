"""The reference model's sampler: K samples from one prefill, by inverse transform with counter-based uniforms.

Every uniform is a hash of (seed, problem, sample, position). No random generator is touched, so sampling cannot
disturb training, and sample i is the same whether 4 or 64 are drawn (up to the last bit of the logits, which a
matrix multiply may round differently for another number of rows).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from breakeven import check
from breakeven.records import Completion, Draw, Finish, Prefix, Problem, SegmentRule
from breakeven.sampling.modes import evaluating
from breakeven.sampling.picking import pick
from breakeven.sampling.uniforms import sample_keys, uniforms


class EncodingTask(Protocol):
    """A task whose prompts and solutions can be written in tokens."""

    def encode_prompt(self, problem: Problem) -> list[int]:
        """Token ids of the prompt."""

    def encode_text(self, text: str) -> list[int]:
        """Token ids of a solution, or of the beginning of one, as `decode` writes it."""


class TokenTask(EncodingTask, Protocol):
    """What the sampler must know of a task besides: when a completion ends, and how it reads."""

    @property
    def output_tokens(self) -> int:
        """Longest completion, end token included."""

    @property
    def end_token(self) -> int:
        """Id of the token that ends a completion."""

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of a completion: one word a token, with spaces between."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What to go on from. `key` and the number of the sample give its randomness."""

    key: str
    prompt: tuple[int, ...]
    text: tuple[int, ...]


class TransformerSampler:
    """A `SegmentSampler` and `LossSampler` of a live `breakeven.model.transformer.Transformer`.

    Args:
        model: the model under training; used in evaluation mode without gradients, and left as it was.
        new_cache: makes an empty KV cache for it.
        task: encodes prompts and decodes completions.
        max_rows: samples decoded at once; more problems go in chunks.
    """

    def __init__(
        self, model: nn.Module, task: TokenTask, *, new_cache: Callable[[], "Cache"], max_rows: int = 4096
    ) -> None:
        self.model = model
        self.task = task
        self.new_cache = new_cache
        self.max_rows = max_rows

    def sample(
        self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int, first: int = 0
    ) -> list[Draw]:
        """See `breakeven.records.protocols.NumberedSampler.sample`."""
        jobs = [_Job(each.id, tuple(self.task.encode_prompt(each)), ()) for each in problems]
        rule = SegmentRule(ends=(), max_tokens=self.task.output_tokens)
        return self._draw(jobs, num_samples, temperature, seed, rule, first)

    def extend(
        self, prefixes: Sequence[Prefix], num_samples: int, *, segments: SegmentRule, temperature: float, seed: int
    ) -> list[Draw]:
        """See `breakeven.records.protocols.SegmentSampler.extend`.

        Words are tokens here: a segment ends behind a word that is one of `segments.ends`, spaces around it aside. From
        the empty text on, and without such ends, samples are those of `sample`. A solution that fills `output_tokens`
        already gets an empty completion (Finish.LENGTH).
        """
        check.at_least("segments.max_tokens", segments.max_tokens, 1)
        jobs = [
            _Job(
                f"{each.problem.id}\n{each.text}" if each.text else each.problem.id,
                tuple(self.task.encode_prompt(each.problem)),
                tuple(self.task.encode_text(each.text)) if each.text else (),
            )
            for each in prefixes
        ]
        return self._draw(jobs, num_samples, temperature, seed, segments)

    def solution_losses(self, prefixes: Sequence[Prefix]) -> list[npt.NDArray[np.float64]]:
        """See `breakeven.records.protocols.LossSampler`. What exceeds `output_tokens` does not fit."""
        losses = [np.empty(0)] * len(prefixes)
        by_length: dict[tuple[int, int], list[tuple[int, list[int]]]] = {}
        for index, each in enumerate(prefixes):
            prompt, text = self.task.encode_prompt(each.problem), self.task.encode_text(each.text)
            if len(text) < self.task.output_tokens:
                row = [*prompt, *text, self.task.end_token]
                by_length.setdefault((len(prompt), len(row)), []).append((index, row))
        with evaluating(self.model):
            for (prompt_tokens, _), rows in by_length.items():
                for start in range(0, len(rows), self.max_rows):
                    part = rows[start : start + self.max_rows]
                    tokens_BT = torch.tensor([row for _, row in part])
                    logits_BTV = self.model(tokens_BT[:, :-1])[:, prompt_tokens - 1 :]
                    targets_BT = tokens_BT[:, prompt_tokens:]
                    loss_BT = F.cross_entropy(logits_BTV.transpose(1, 2), targets_BT, reduction="none")
                    for (index, _), loss_T in zip(part, loss_BT.double().numpy(), strict=True):
                        losses[index] = loss_T
        return losses

    def _draw(
        self,
        jobs: Sequence[_Job],
        num_samples: int,
        temperature: float,
        seed: int,
        segments: SegmentRule,
        first: int = 0,
    ) -> list[Draw]:
        check.at_least("num_samples", num_samples, 1)
        check.at_least("temperature", temperature, 0)
        by_length: dict[tuple[int, int], list[int]] = {}
        for index, job in enumerate(jobs):
            by_length.setdefault((len(job.prompt), len(job.text)), []).append(index)
        completions: list[tuple[Completion, ...]] = [()] * len(jobs)
        chunk = max(1, self.max_rows // num_samples)
        with evaluating(self.model):
            for (_, text_tokens), indices in by_length.items():
                for start in range(0, len(indices), chunk):
                    part = indices[start : start + chunk]
                    keys_B = sample_keys(seed, [jobs[i].key for i in part], num_samples, first)
                    drawn = self._complete([jobs[i] for i in part], text_tokens, keys_B, temperature, segments)
                    for at, index in enumerate(part):
                        completions[index] = tuple(drawn[at * num_samples : (at + 1) * num_samples])
        return [
            Draw(prompt_tokens=len(job.prompt) + len(job.text), completions=each)
            for job, each in zip(jobs, completions, strict=True)
        ]

    def _complete(
        self,
        jobs: Sequence[_Job],
        text_tokens: int,
        keys_B: npt.NDArray[np.uint64],
        temperature: float,
        segments: SegmentRule,
    ) -> list[Completion]:
        """Completions of jobs of one length, as many for each, those of the first job first."""
        left = self.task.output_tokens - text_tokens
        if left < 1:
            return [Completion(text="", output_tokens=0, finish=Finish.LENGTH)] * len(keys_B)
        distinct = dict.fromkeys((job.prompt, job.text) for job in jobs)
        row_of = {each: row for row, each in enumerate(distinct)}
        row_P = [row_of[job.prompt, job.text] for job in jobs]
        tokens_BT, lengths_B = self._decode(
            torch.tensor([[*prompt, *text] for prompt, text in distinct]),
            torch.tensor(row_P).repeat_interleave(len(keys_B) // len(jobs)),
            keys_B,
            temperature,
            min(left, segments.max_tokens),
            {end.strip() for end in segments.ends} - {""},
        )
        completions: list[Completion] = []
        for row, length in zip(tokens_BT, lengths_B.tolist(), strict=True):
            tokens = row[:length].tolist()
            if tokens[-1] == self.task.end_token:
                finish = Finish.STOP
            else:
                finish = Finish.LENGTH if length == left else Finish.SEGMENT
            text = self.task.decode(tokens)
            joint = " " if text_tokens and text else ""
            completions.append(Completion(text=joint + text, output_tokens=length, finish=finish))
        return completions

    def _decode(
        self,
        prefixes_RT: Tensor,
        beginning_B: Tensor,
        keys_B: npt.NDArray[np.uint64],
        temperature: float,
        max_tokens: int,
        segment_ends: set[str],
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Tokens, shape (B, max_tokens), and lengths of B completions, each of its row `beginning_B` of R prefixes.

        Rows that are equal so far have equal logits, so each distinct beginning goes through the model once.
        """
        tokens_BT = np.full((len(keys_B), max_tokens), self.task.end_token, np.int64)
        active_B = torch.arange(len(keys_B))
        cache = self.new_cache()
        logits = self.model(prefixes_RT, cache, last_only=True)[:, -1]
        ends_V = self._ending(logits.shape[1], segment_ends)
        for position in range(max_tokens):
            uniform_B = torch.from_numpy(uniforms(keys_B[active_B.numpy()], position))
            next_B = pick(logits, beginning_B, temperature, uniform_B)
            tokens_BT[active_B.numpy(), position] = next_B.numpy()
            running = ~ends_V[next_B]
            if position + 1 == max_tokens or not running.any():
                break
            active_B = active_B[running]
            longer_B = beginning_B[running] * logits.shape[1] + next_B[running]
            distinct, beginning_B = longer_B.unique(return_inverse=True)
            cache = cache.select(distinct // logits.shape[1])
            logits = self.model((distinct % logits.shape[1])[:, None], cache, last_only=True)[:, -1]
        ended = ends_V.numpy()[tokens_BT]
        lengths_B = np.where(ended.any(axis=1), ended.argmax(axis=1) + 1, max_tokens)
        return tokens_BT, lengths_B

    def _ending(self, vocab_size: int, segment_ends: set[str]) -> Tensor:
        """Which of the V tokens end a completion: the end token, and those that write the end of a step."""
        ends_V = torch.zeros(vocab_size, dtype=torch.bool)
        if self.task.end_token < vocab_size:
            ends_V[self.task.end_token] = True
        for token in range(vocab_size) if segment_ends else ():
            ends_V[token] |= token != self.task.end_token and self.task.decode([token]) in segment_ends
        return ends_V


class Cache(Protocol):
    """The keys and values of a running generation."""

    def select(self, rows: Tensor) -> "Cache":
        """The cache of some rows, by index (repeats allowed) or by mask."""
