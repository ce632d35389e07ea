"""A sampler of any causal language model of transformers: one prefill a prompt, equal beginnings computed once.

Every token is drawn by inverse transform from a hash of (seed, problem, sample, position): no random generator is
touched, and a sample does not depend on what it shares a batch with (up to the last bit of the logits).
"""

import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from breakeven import check
from breakeven.errors import SamplerError
from breakeven.records import Draw, Finish, Prefix, Problem, SegmentRule
from breakeven.sampling.causal import forward, is_sharded, max_positions, padded
from breakeven.sampling.completed import Endings, Job, Sample
from breakeven.sampling.loading import load_hf
from breakeven.sampling.modes import evaluating
from breakeven.sampling.picking import pick
from breakeven.sampling.prompts import PromptEncoder
from breakeven.sampling.uniforms import sample_keys, uniforms

__all__ = ["HFSampler", "load_hf"]

_MAX_LOGITS = 2**26
"""Most logits held at once by a loss: a large vocabulary at many positions fills a GPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """How tokens are chosen, and what ends a sample besides its length."""

    temperature: float
    ends: tuple[str, ...]
    end_tokens: frozenset[int]


@dataclass(slots=True)
class _State:
    """R distinct beginnings: the logits of their next tokens, their cache, and which of their tokens are no padding."""

    logits_RV: Tensor
    cache: Any
    mask_RT: Tensor


class HFSampler:
    """A `SegmentSampler` and `LossSampler` of a causal language model of transformers, a LoRA adapter on it included.

    Tokens are drawn from the model's own distribution at the temperature; top-p, top-k and penalties of its generation
    config are not applied.

    Args:
        model: used in evaluation mode without gradients, on its device and in its dtype, and left as it was.
        tokenizer: its own, left as it is.
        max_tokens: of one completion, end token included. The model's positions may allow fewer.
        stop: strings before which a completion ends, special tokens among them; what spelt them is counted.
        chat: whether prompts go through the tokenizer's chat template; None: if it has one.
        system: the system message of the chat.
        max_rows: samples decoded at once; halved where memory does not suffice.

    Raises:
        ArgumentError: a limit below 1, an empty stop string, or a chat without a chat template.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        chat: bool | None = None,
        system: str | None = None,
        max_rows: int = 64,
    ) -> None:
        check.at_least("max_tokens", max_tokens, 1)
        check.at_least("max_rows", max_rows, 1)
        self.model = model
        self.tokenizer = tokenizer
        self.prompts = PromptEncoder(tokenizer, chat=chat, system=system)
        self.max_tokens = max_tokens
        self.endings = Endings(self.prompts, stop)
        self.stop = self.endings.stop
        self.max_rows = max_rows

    def sample(
        self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int, first: int = 0
    ) -> list[Draw]:
        """See `breakeven.records.protocols.NumberedSampler.sample`.

        Raises:
            SamplerError: a prompt fills the model's positions.
        """
        jobs = [self._job(Prefix(problem=each), each.id, self.max_tokens, Finish.LENGTH) for each in problems]
        return self._draw(jobs, num_samples, temperature, seed, first=first)

    def extend(
        self, prefixes: Sequence[Prefix], num_samples: int, *, segments: SegmentRule, temperature: float, seed: int
    ) -> list[Draw]:
        """See `breakeven.records.protocols.SegmentSampler`. A solution has `max_tokens` tokens, all its steps together.

        Raises:
            SamplerError: a prompt with the text so far fills the model's positions.
        """
        jobs = []
        for prefix in prefixes:
            spent = len(self.prompts.encode(prefix)) - len(self.prompts.encode(Prefix(problem=prefix.problem)))
            left = max(1, self.max_tokens - spent)
            limit = Finish.LENGTH if left <= segments.max_tokens else Finish.SEGMENT
            key = f"{prefix.problem.id}\n{prefix.text}"
            jobs.append(self._job(prefix, key, min(left, segments.max_tokens), limit))
        return self._draw(jobs, num_samples, temperature, seed, segments.ends)

    def solution_losses(self, prefixes: Sequence[Prefix]) -> list[npt.NDArray[np.float64]]:
        """See `breakeven.records.protocols.LossSampler`.

        The end token is that of a turn of the chat, else the tokenizer's, and counts where no `stop` strings end
        completions. Tokens that a text shares with its prompt are the prompt's. What exceeds the model's positions does
        not fit.
        """
        last = self.tokenizer.eos_token_id if self.endings.turn_end is None else self.endings.turn_end
        end = [] if self.stop or last is None else [last]
        rows = [self.prompts.encode(each) + end for each in prefixes]
        prompts = [self.prompts.encode(Prefix(problem=each.problem)) for each in prefixes]
        new = [len(row) - _num_shared(prompt, row) for prompt, row in zip(prompts, rows, strict=True)]
        positions, vocabulary = max_positions(self.model), self.model.config.get_text_config().vocab_size
        losses = [np.empty(0)] * len(rows)
        fitting = [at for at, row in enumerate(rows) if new[at] and (positions is None or len(row) <= positions)]
        waiting = sorted(fitting, key=lambda index: len(rows[index]))  # little padding
        with evaluating(self.model, torch.no_grad):
            while waiting:
                longest = max(new[index] for index in waiting)
                size = max(1, min(self.max_rows, _MAX_LOGITS // (longest * vocabulary)))
                part, waiting = waiting[:size], waiting[size:]
                kept = max(new[index] for index in part) + 1
                tokens_PT, mask_PT, positions_PT = padded(self.model, [rows[index] for index in part])
                output = forward(self.model, tokens_PT, positions_PT, None, mask_PT, kept=kept, use_cache=False)
                logits_PTV = output.logits[:, -kept:-1].float()  # a model may ignore how many to keep
                targets_PT = tokens_PT[:, 1 - kept :]
                loss_PT = F.cross_entropy(logits_PTV.transpose(1, 2), targets_PT, reduction="none")
                for index, loss_T in zip(part, loss_PT.cpu().double().numpy(), strict=True):
                    losses[index] = loss_T[len(loss_T) - new[index] :]
        return losses

    def _job(self, prefix: Prefix, key: str, max_tokens: int, limit: Finish) -> Job:
        tokens = self.prompts.encode(prefix)
        positions = max_positions(self.model)
        room = max_tokens if positions is None else positions - len(tokens)
        if room < 1:
            raise SamplerError(
                f"problem {prefix.problem.id!r} must leave room for an answer in the model's {positions} positions; "
                f"its prompt has {len(tokens)} tokens. Shorten it or use a model with a longer context."
            )
        if room < max_tokens:
            return Job(key=key, tokens=tokens, max_tokens=room, limit=Finish.LENGTH)
        return Job(key=key, tokens=tokens, max_tokens=max_tokens, limit=limit)

    def _draw(
        self,
        jobs: list[Job],
        num_samples: int,
        temperature: float,
        seed: int,
        ends: tuple[str, ...] = (),
        first: int = 0,
    ) -> list[Draw]:
        """All samples; where memory does not suffice, anew with half as many at once, which are the same.

        Not of a sharded model: the other processes would go on with as many.
        """
        while True:
            try:
                return self._drawn(jobs, num_samples, temperature, seed, ends, first)
            except torch.OutOfMemoryError:
                if self.max_rows == 1 or is_sharded(self.model):
                    raise
            self.max_rows //= 2  # not in the except block, whose traceback would hold what is to be freed
            torch.cuda.empty_cache()  # nothing without CUDA
            logging.getLogger("breakeven").warning("out of memory while sampling: max_rows is now %d", self.max_rows)

    def _drawn(
        self, jobs: list[Job], num_samples: int, temperature: float, seed: int, ends: tuple[str, ...], first: int
    ) -> list[Draw]:
        check.at_least("num_samples", num_samples, 1)
        check.at_least("temperature", temperature, 0)
        rules = _Rules(temperature=temperature, ends=ends, end_tokens=self.endings.of(self.model))
        samples = [[Sample(job) for _ in range(num_samples)] for job in jobs]
        keys_PN = sample_keys(seed, [job.key for job in jobs], num_samples, first).reshape(len(jobs), num_samples)
        by_length = sorted(range(len(jobs)), key=lambda index: len(jobs[index].tokens))  # little padding
        num_prompts = max(1, self.max_rows // num_samples)
        # Not inference mode: what the model keeps for itself, such as rotary tables, must serve training afterwards.
        with evaluating(self.model, torch.no_grad):
            for start in range(0, len(jobs), num_prompts):
                part = by_length[start : start + num_prompts]
                prefilled = self._prefill([jobs[index].tokens for index in part])
                for begin in range(0, num_samples, self.max_rows):
                    last = begin + self.max_rows >= num_samples
                    piece = slice(begin, begin + self.max_rows)
                    rows = [each for index in part for each in samples[index][piece]]
                    keys_B = keys_PN[part, piece].ravel()
                    self._decode(prefilled if last else copy.deepcopy(prefilled), rows, keys_B, rules)
        return [
            Draw(prompt_tokens=len(job.tokens), completions=tuple(each.done for each in row if each.done))
            for job, row in zip(jobs, samples, strict=True)
        ]

    def _prefill(self, prompts: list[list[int]]) -> _State:
        tokens_PT, mask_PT, positions_PT = padded(self.model, prompts)
        return self._forward(tokens_PT, positions_PT, None, mask_PT)

    def _forward(self, tokens_RT: Tensor, positions_RT: Tensor, cache: Any, mask_RT: Tensor) -> _State:
        output = forward(self.model, tokens_RT, positions_RT, cache, mask_RT, kept=1, use_cache=True)
        return _State(output.logits[:, -1], output.past_key_values, mask_RT)

    def _decode(self, state: _State, samples: list[Sample], keys_B: npt.NDArray[np.uint64], rules: _Rules) -> None:
        """Complete the samples, those of the first prompt first, all prompts having as many."""
        device = state.logits_RV.device
        active = np.arange(len(samples))
        beginning_B = torch.arange(len(samples), device=device) // (len(samples) // len(state.logits_RV))
        for position in range(max(each.job.max_tokens for each in samples)):
            uniform_B = torch.from_numpy(uniforms(keys_B[active], position))
            next_B = pick(state.logits_RV, beginning_B, rules.temperature, uniform_B)
            for index, token in zip(active.tolist(), next_B.tolist(), strict=True):
                samples[index].tokens.append(token)
                samples[index].done = self.endings.completion(samples[index], rules.ends, rules.end_tokens)
            running = [samples[index].done is None for index in active]
            if not any(running):
                break
            active = active[running]
            kept = torch.tensor(running, device=device)
            beginning_B = self._step(state, beginning_B[kept], next_B[kept])

    def _step(self, state: _State, beginning_B: Tensor, next_B: Tensor) -> Tensor:
        """Feed each distinct beginning its next token; which of them each sample now has."""
        num_rows, vocabulary = state.logits_RV.shape
        after_B = beginning_B * vocabulary + next_B
        now_B: Tensor
        distinct, now_B = torch.unique(after_B, return_inverse=True)
        rows = distinct // vocabulary
        if len(rows) != num_rows or not torch.equal(rows, torch.arange(num_rows, device=rows.device)):
            state.cache.reorder_cache(rows)  # which may also repeat and drop rows, in every kind of cache
        mask_RT = torch.cat([state.mask_RT[rows], state.mask_RT.new_ones(len(rows), 1)], dim=1)
        positions_R1 = mask_RT.sum(dim=-1, keepdim=True) - 1
        after = self._forward((distinct % vocabulary)[:, None], positions_R1, state.cache, mask_RT)
        state.logits_RV, state.cache, state.mask_RT = after.logits_RV, after.cache, after.mask_RT
        return now_B


def _num_shared(prompt: list[int], row: list[int]) -> int:
    """Tokens with which both begin, one at least: where the text begins, a tokenizer may join it to the prompt."""
    differing = (at for at, (one, other) in enumerate(zip(prompt, row, strict=False)) if one != other)
    return max(1, next(differing, min(len(prompt), len(row))))
