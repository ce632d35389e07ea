"""A sampler of vLLM in this process, for machines with a GPU.

Written against the public interface of vLLM 0.11 and later, which needs a GPU: the project's tests run it on a double
with the same signatures and the same rules for seeds and stop strings, never on vLLM itself.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from breakeven import check
from breakeven.errors import MissingExtraError, SamplerError, argument_error
from breakeven.records import Completion, Draw, Finish, Prefix, Problem, SegmentRule
from breakeven.sampling.prompts import PromptEncoder


class VLLMSampler:
    """A `SegmentSampler` of a `vllm.LLM`.

    vLLM seeds sample i of a request with the request's seed plus i, so a sample is the same whether 4 or 64 are drawn.
    Batches of another make-up may round otherwise, and then samples differ.

    Args:
        llm: the engine. Its prefix cache reads a prompt once for all samples.
        max_tokens: of one completion, end token included. The engine's `max_model_len` may allow fewer.
        stop: strings before which a completion ends; the tokens that spelt them are counted.
        chat: whether prompts go through the tokenizer's chat template; None: if it has one.
        system: the system message of the chat.
        lora_request: the adapter to use, as `vllm.lora.request.LoRARequest`.

    Raises:
        ArgumentError: a limit below 1, an empty stop string, or a chat without a chat template.
    """

    def __init__(
        self,
        llm: Any,
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        chat: bool | None = None,
        system: str | None = None,
        lora_request: Any = None,
    ) -> None:
        check.at_least("max_tokens", max_tokens, 1)
        if "" in stop:
            raise argument_error("stop", "hold no empty string", list(stop))
        self.llm = llm
        self.prompts = PromptEncoder(llm.get_tokenizer(), chat=chat, system=system)
        self.max_tokens = max_tokens
        self.stop = tuple(stop)
        self.lora_request = lora_request

    def sample(
        self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int, first: int = 0
    ) -> list[Draw]:
        """See `breakeven.records.protocols.NumberedSampler.sample`.

        Raises:
            SamplerError: a prompt fills the engine's context.
            MissingExtraError: vLLM is not installed.
        """
        prefixes = [Prefix(problem=each) for each in problems]
        limits = [(self.max_tokens, Finish.LENGTH)] * len(prefixes)
        return self._draw(prefixes, limits, num_samples, temperature, seed, (), first)

    def extend(
        self, prefixes: Sequence[Prefix], num_samples: int, *, segments: SegmentRule, temperature: float, seed: int
    ) -> list[Draw]:
        """See `breakeven.records.protocols.SegmentSampler`. A solution has `max_tokens` tokens, all its steps together.

        Raises:
            SamplerError, MissingExtraError: as `sample`.
        """
        limits = []
        for prefix in prefixes:
            spent = len(self.prompts.encode(prefix)) - len(self.prompts.encode(Prefix(problem=prefix.problem)))
            left = max(1, self.max_tokens - spent)
            whole = left <= segments.max_tokens
            limits.append((left, Finish.LENGTH) if whole else (segments.max_tokens, Finish.SEGMENT))
        return self._draw(prefixes, limits, num_samples, temperature, seed, segments.ends)

    def _draw(
        self,
        prefixes: Sequence[Prefix],
        limits: Sequence[tuple[int, Finish]],
        num_samples: int,
        temperature: float,
        seed: int,
        ends: tuple[str, ...],
        first: int = 0,
    ) -> list[Draw]:
        check.at_least("num_samples", num_samples, 1)
        check.at_least("temperature", temperature, 0)
        try:
            from vllm import SamplingParams
        except ImportError as error:
            raise MissingExtraError("VLLMSampler needs vLLM: pip install 'breakeven[vllm]'") from error
        number = num_samples if temperature else 1  # greedy samples are equal
        prompts, parameters, finishes = [], [], []
        for prefix, (max_tokens, finish) in zip(prefixes, limits, strict=True):
            tokens = self.prompts.encode(prefix)
            room = self._context_tokens() - len(tokens)
            if room < 1:
                raise SamplerError(
                    f"problem {prefix.problem.id!r} must leave room for an answer in the engine's {len(tokens) + room} "
                    f"tokens; its prompt has {len(tokens)}. Shorten it or raise max_model_len."
                )
            prompts.append({"prompt_token_ids": tokens})
            finishes.append(Finish.LENGTH if room < max_tokens else finish)
            parameters.append(
                SamplingParams(
                    n=number,
                    temperature=temperature,
                    seed=_request_seed(seed, prefix, bool(ends)) + first,
                    max_tokens=min(room, max_tokens),
                    stop=[*self.stop, *ends] or None,
                    include_stop_str_in_output=bool(ends),
                )
            )
        outputs = self.llm.generate(prompts, parameters, use_tqdm=False, lora_request=self.lora_request)
        return [
            Draw(
                prompt_tokens=len(prompt["prompt_token_ids"]),
                completions=tuple(
                    self._completion(each, limit, parameter.max_tokens, ends)
                    for each in sorted(output.outputs, key=lambda each: int(each.index))
                )
                * (num_samples // number),
            )
            for prompt, parameter, limit, output in zip(prompts, parameters, finishes, outputs, strict=True)
        ]

    def _completion(self, output: Any, limit: Finish, max_tokens: int, ends: tuple[str, ...]) -> Completion:
        text, num_tokens, finish = str(output.text), max(1, len(output.token_ids)), Finish.STOP
        if output.finish_reason == "length":
            finish = limit
        elif ends and isinstance(output.stop_reason, str):  # the stop string, which the text then includes
            if output.stop_reason in self.stop:
                text = text.removesuffix(output.stop_reason)
            else:
                finish = limit if num_tokens >= max_tokens else Finish.SEGMENT
        return Completion(text=text, output_tokens=num_tokens, finish=finish)

    def _context_tokens(self) -> int:
        return int(self.llm.llm_engine.model_config.max_model_len)


def _request_seed(seed: int, prefix: Prefix, extends: bool) -> int:
    """In 62 bits, so that adding the number of a sample stays within a signed 64-bit integer."""
    parts = [str(seed), prefix.problem.id, prefix.text] if extends else [str(seed), prefix.problem.id]
    return int.from_bytes(hashlib.sha256("\n".join(parts).encode()).digest()[:8], "big") >> 2
