"""A causal language model as the `Subject` of a loop: problems are prompts, and completions are graded."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from breakeven.adapters.asked import Asked, asked_from
from breakeven.adapters.overlap import warn_of_overlap
from breakeven.adapters.ranks import agreed, everywhere, is_first
from breakeven.adapters.subject import Loop
from breakeven.adapters.tokens import TokenCount, end_tokens
from breakeven.adapters.trained import trained_cost
from breakeven.cost.families import cost_of_config
from breakeven.cost.tokens import ModelCost
from breakeven.data.task import TextTask
from breakeven.errors import ArgumentError, argument_error
from breakeven.records import Problem
from breakeven.sampling.hf import HFSampler
from breakeven.session.voice import warn


class Texts:
    """A `Subject`; arguments as of `Watching`."""

    kind = "a causal language model of transformers"

    def __init__(
        self,
        *,
        task: str | TextTask | None,
        problems: Sequence[Problem | Mapping[str, Any] | str],
        is_right: Callable[[Problem, str], bool] | None,
        extract: Callable[[str], str | None] | None,
        test_problems: Sequence[Problem | Mapping[str, Any] | str],
        num_problems: int,
        max_tokens: int | None,
        stop: Sequence[str],
        tokenizer: Any,
        chat: bool | None,
    ) -> None:
        self.count = TokenCount()
        self.session_settings: dict[str, Any] = {}
        self._asked_for: dict[str, Any] = {
            "task": task,
            "problems": problems,
            "is_right": is_right,
            "extract": extract,
            "test_problems": test_problems,
            "num_problems": num_problems,
        }
        self._max_tokens, self._stop = max_tokens, tuple(stop)
        self._tokenizer, self._chat = tokenizer, chat

    def fits(self, module: Any) -> bool:
        """See `Subject`; under PEFT too."""
        from transformers import PreTrainedModel

        inner = module.get_base_model() if hasattr(module, "get_base_model") else module
        return isinstance(inner, PreTrainedModel) and inner.can_generate()

    def begin(self, loop: Loop) -> tuple[Asked | None, HFSampler]:
        """See `Subject`; problems are known in the first process alone."""
        asked: Asked | None = None

        def ask() -> tuple[int, tuple[str, ...]]:
            nonlocal asked
            asked = asked_from(**self._asked_for, verified=loop.verified, seed=loop.seed)
            return asked.max_tokens, asked.stop

        limits = agreed(ask)
        sampler = everywhere(lambda: self._sampler(loop, *limits))
        if asked is not None:
            warn_of_overlap(asked.problems, loop.training_data, sampler.prompts)
        return asked, sampler

    def cost(self, loop: Loop) -> ModelCost:
        """See `Subject`; of training, by the weights that are trained as it begins."""
        try:
            cost = cost_of_config(loop.model.config)
        except ArgumentError as error:
            raise ArgumentError(f"{error} Or say what a token costs: EarlyStop(cost=ModelCost(...)).") from error
        try:
            return trained_cost(loop.model, cost)
        except ArgumentError as error:
            if is_first():
                warn(f"training is charged as if all weights were trained: {error}")
            return cost

    def attach(self, loop: Loop, references: Sequence[Any]) -> None:
        """See `Subject`."""
        ends = end_tokens(loop.model, self._tokenizer_of(loop))
        self.count.attach(loop.model, ends=ends, references=tuple(references))

    def _tokenizer_of(self, loop: Loop) -> Any:
        return loop.tokenizer if self._tokenizer is None else self._tokenizer

    def _sampler(self, loop: Loop, max_tokens: int, stop: tuple[str, ...]) -> HFSampler:
        tokenizer = self._tokenizer_of(loop)
        if not hasattr(tokenizer, "decode"):
            raise argument_error("tokenizer", "be given, for prompts are text", tokenizer)
        limit = max_tokens if self._max_tokens is None else self._max_tokens
        return HFSampler(loop.model, tokenizer, max_tokens=limit, stop=(*stop, *self._stop), chat=self._chat)
