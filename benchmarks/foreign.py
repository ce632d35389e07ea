"""Models of transformers, built from scratch, in the place of the reference transformer: for record.py."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from torch import Tensor, nn
from transformers import DynamicCache, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from breakeven.cost.families import cost_of_config
from breakeven.cost.tokens import ModelCost
from breakeven.records import TransformerShape


def gpt2(shape: TransformerShape) -> GPT2LMHeadModel:
    """Learned positions, LayerNorm, GELU, biases, and a head tied to the embedding."""
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=shape.vocab_size,
            n_positions=shape.max_tokens,
            n_embd=shape.embedding,
            n_layer=shape.num_layers,
            n_head=shape.num_heads,
            n_inner=shape.feed_forward,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=None,
            eos_token_id=None,
        )
    )


def llama(shape: TransformerShape) -> LlamaForCausalLM:
    """With half as many key and value heads as query heads."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=shape.vocab_size,
            max_position_embeddings=shape.max_tokens,
            hidden_size=shape.embedding,
            num_hidden_layers=shape.num_layers,
            num_attention_heads=shape.num_heads,
            num_key_value_heads=shape.num_heads // 2,
            intermediate_size=shape.feed_forward,
            bos_token_id=None,
            eos_token_id=None,
        )
    )


CLASSES: Final[dict[str, Callable[[TransformerShape], Any]]] = {"gpt2": gpt2, "llama": llama}


class Foreign(nn.Module):
    """A model of transformers, asked as the reference transformer is: tokens (B, T) to logits (B, T, V)."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, tokens_BT: Tensor, cache: "ForeignCache | None" = None, *, last_only: bool = False) -> Tensor:
        output = self.inner(
            input_ids=tokens_BT,
            past_key_values=None if cache is None else cache.inner,
            use_cache=cache is not None,
            logits_to_keep=1 if last_only else 0,
        )
        logits: Tensor = output.logits
        return logits

    @property
    def cost(self) -> ModelCost:
        """FLOPs per token."""
        return cost_of_config(self.inner.config)


@dataclass
class ForeignCache:
    """Its keys and values."""

    inner: DynamicCache

    def select(self, rows: Tensor) -> "ForeignCache":
        """The cache of the given rows, in place: the sampler needs the one before no more."""
        self.inner.reorder_cache(rows)
        return self
