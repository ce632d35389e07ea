"""Tokens that a model is trained on, counted at its batches; and those that it generates and reads to be trained on."""

from collections import Counter
from functools import partial
from typing import Any, Literal, TypeGuard

import torch

from breakeven.cost.tokens import ModelCost

_Read = tuple[Literal["generated", "scored"], int, int]
"""Whether the head was wanted at the last token alone, or at all; tokens cached before, and new ones."""


class TokenCount:
    """Counts what a torch module is given in training mode: tokens, padding left out, and the sequences they are in.

    Micro-batches of an accumulated gradient add up. Without an attention mask no token is padding, and where positions
    are given besides, each 0 among them begins a sequence packed into its row. What is given without gradients is
    counted apart: samples to be trained on, drawn token by token, and whole ones that are only scored.
    """

    def __init__(self) -> None:
        self._tokens: Any = 0  # on the module's device, so that counting does not wait for it
        self._sequences: Any = 0
        self._rows = 0
        self._reads = Counter[_Read]()
        self._ends = frozenset[int]()
        self._has_ended: list[bool] = []
        self._hooks: list[Any] = []

    @property
    def so_far(self) -> tuple[int, int, int]:
        """Tokens, sequences and rows in this process since `attach`."""
        return int(self._tokens), int(self._sequences), self._rows

    def rollout_flops(self, cost: ModelCost, generated_elsewhere: float = 0.0) -> float:
        """FLOPs of what this process gave the model without gradients since `attach`.

        Args:
            cost: of a token, on the reference models too.
            generated_elsewhere: tokens of samples with their prompts, as the loop counts them itself. They count where
                the model has generated none, as if read once in sequences as long as those trained on.
        """
        flops = 0.0
        for (kind, before, new), rows in self._reads.items():
            if kind == "scored":
                flops += cost.forward_flops(rows, new)
            else:
                flops += rows * (cost.decode_flops(before, new) if before else cost.prefill_flops(new))
        tokens, sequences, _ = self.so_far
        if generated_elsewhere and sequences and not any(kind == "generated" for kind, _, _ in self._reads):
            flops += cost.forward_flops(generated_elsewhere * sequences / tokens, tokens / sequences)
        return flops

    def attach(self, module: Any, *, ends: frozenset[int] = frozenset(), references: tuple[Any, ...] = ()) -> None:
        """Count from now on, from 0.

        Args:
            module: that is trained.
            ends: tokens that end a sample; what it is fed from then on, in wait for others of its batch, is padding.
            references: further modules that score samples for the training of this one.
        """
        self.detach()
        self._tokens = self._sequences = self._rows = 0
        self._reads, self._ends = Counter(), ends
        hooks = [(module, self._count)]
        inner = module.get_base_model() if hasattr(module, "get_base_model") else module
        if inner is not module:  # PEFT, which goes past one of them to train, and past the other to generate
            hooks.append((inner, partial(self._count_unlearnt, "generated", module)))
        hooks += [(each, partial(self._count_unlearnt, "scored", module)) for each in references]
        self._hooks = [each.register_forward_pre_hook(hook, with_kwargs=True) for each, hook in hooks]

    def detach(self) -> None:
        """Count no more; what was counted stays."""
        while self._hooks:
            self._hooks.pop().remove()

    def _count(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = _tokens_in(args, kwargs)
        if not module.training or given is None:
            return
        if not torch.is_grad_enabled():
            self._read(given, kwargs)
            return
        mask, positions = kwargs.get("attention_mask"), kwargs.get("position_ids")
        rows, length = given.shape[:2]
        self._rows += rows
        if _has_rows(mask):
            self._tokens = self._tokens + mask.sum()
            self._sequences = self._sequences + rows
            return
        self._tokens = self._tokens + rows * length
        self._sequences = self._sequences + (rows if positions is None else (positions == 0).sum())

    def _count_unlearnt(
        self, kind: str, trained: Any, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Of another module, while `trained` is not being evaluated."""
        given = _tokens_in(args, kwargs)
        if given is None or not trained.training or torch.is_grad_enabled() or (kind == "generated") != _caches(kwargs):
            return
        self._read(given, kwargs)

    def _read(self, given: Any, kwargs: dict[str, Any]) -> None:
        """Here counting waits for the device, as generation does after each token anyway."""
        mask, cache = kwargs.get("attention_mask"), kwargs.get("past_key_values")
        rows, length = given.shape[:2]
        before = 0 if cache is None else int(cache.get_seq_length())
        if _has_rows(mask):
            new = mask[:, -length:].sum(dim=1).tolist()
            pairs = [(whole - own, own) for whole, own in zip(mask.sum(dim=1).tolist(), new, strict=True)]
        else:
            pairs = [(before, length)] * rows
        if not before or len(self._has_ended) != rows:
            self._has_ended = [False] * rows
        elif length == 1 and given.dim() == 2:
            fed = zip(self._has_ended, given[:, 0].tolist(), strict=True)
            self._has_ended = [ended or token in self._ends for ended, token in fed]
            pairs = [pair for pair, ended in zip(pairs, self._has_ended, strict=True) if not ended]
        kind: Literal["generated", "scored"] = "generated" if _caches(kwargs) else "scored"
        self._reads.update((kind, *pair) for pair in pairs)


def _has_rows(mask: Any) -> TypeGuard[torch.Tensor]:
    """Whether it says of each row which tokens are none of it; a model may make masks of layers of it before."""
    return getattr(mask, "ndim", 0) == 2


def end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Tokens that end a sample where the loop itself generates."""
    configured = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(each for each in (*listed, getattr(tokenizer, "eos_token_id", None)) if each is not None)


def _tokens_in(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Ids or embeddings; None where a call has none.

    DDP of Lightning calls a module with (batch, batch_idx), which then calls itself with tokens.
    """
    given: Any = kwargs.get("input_ids", args[0] if args else kwargs.get("inputs_embeds"))
    return None if not hasattr(given, "shape") or (len(args) > 1 and isinstance(args[1], int)) else given


def _caches(kwargs: dict[str, Any]) -> bool:
    """Whether keys and values are kept, as where a sample is drawn token by token."""
    return kwargs.get("past_key_values") is not None or bool(kwargs.get("use_cache"))
