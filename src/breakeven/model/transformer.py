"""A small decoder-only transformer: rotary positions, RMSNorm, SwiGLU, scaled-dot-product attention, KV cache.

Knows nothing about tasks, training or sampling. Dimensions: B rows, T tokens, H heads, E embedding, V vocabulary.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from breakeven.records import TransformerShape


@dataclass
class KVCache:
    """Keys and values of the tokens seen so far, per layer, each (B, H, T, E/H)."""

    keys: list[Tensor]
    values: list[Tensor]

    @property
    def num_tokens(self) -> int:
        """Tokens already in the cache."""
        return self.keys[0].shape[2] if self.keys else 0

    def select(self, rows: Tensor) -> "KVCache":
        """The cache of the given rows; a row may be picked many times (K samples from one prefill) or dropped."""
        return KVCache([key[rows] for key in self.keys], [value[rows] for value in self.values])


class Attention(nn.Module):
    """Causal multi-head self-attention with rotary positions."""

    def __init__(self, shape: TransformerShape) -> None:
        super().__init__()
        self.num_heads = shape.num_heads
        self.qkv = nn.Linear(shape.embedding, 3 * shape.embedding, bias=False)
        self.out = nn.Linear(shape.embedding, shape.embedding, bias=False)

    def forward(self, x_BTE: Tensor, rotation: Tensor, cache: KVCache | None, layer: int) -> Tensor:
        B, T, E = x_BTE.shape
        q, k, v = self.qkv(x_BTE).view(B, T, 3, self.num_heads, E // self.num_heads).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, rotation), rotate(k, rotation)
        if cache is not None:
            if len(cache.keys) > layer:
                k, v = torch.cat([cache.keys[layer], k], 2), torch.cat([cache.values[layer], v], 2)
                cache.keys[layer], cache.values[layer] = k, v
            else:
                cache.keys.append(k)
                cache.values.append(v)
        # With a cache, T is either the whole prompt (nothing cached) or one new token that may see everything.
        y = F.scaled_dot_product_attention(q, k, v, is_causal=T == k.shape[2] and T > 1)
        return self.out(y.transpose(1, 2).reshape(B, T, E))


class Block(nn.Module):
    """Attention and SwiGLU feed-forward, each behind an RMSNorm and added to the residual stream."""

    def __init__(self, shape: TransformerShape) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(shape.embedding)
        self.attention = Attention(shape)
        self.feed_forward_norm = nn.RMSNorm(shape.embedding)
        self.gate_up = nn.Linear(shape.embedding, 2 * shape.feed_forward, bias=False)
        self.down = nn.Linear(shape.feed_forward, shape.embedding, bias=False)

    def forward(self, x: Tensor, rotation: Tensor, cache: KVCache | None, layer: int) -> Tensor:
        x = x + self.attention(self.attention_norm(x), rotation, cache, layer)
        gate, up = self.gate_up(self.feed_forward_norm(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


class Transformer(nn.Module):
    """Token ids (B, T) to logits (B, T, V), or (B, 1, V) with `last_only`."""

    rotation: Tensor

    def __init__(self, shape: TransformerShape) -> None:
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(shape.vocab_size, shape.embedding)
        blocks = [Block(shape) for _ in range(shape.num_layers)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.RMSNorm(shape.embedding)
        self.head = nn.Linear(shape.embedding, shape.vocab_size, bias=False)
        self.register_buffer("rotation", rotary_table(shape), persistent=False)
        self.apply(self._init)
        for block in blocks:  # residual branches start small, so depth does not change the initial scale
            for linear in (block.attention.out, block.down):
                nn.init.normal_(linear.weight, std=0.02 / (2 * shape.num_layers) ** 0.5)

    @staticmethod
    def _init(module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)

    def forward(self, tokens_BT: Tensor, cache: KVCache | None = None, *, last_only: bool = False) -> Tensor:
        start = cache.num_tokens if cache is not None else 0
        rotation = self.rotation[start : start + tokens_BT.shape[1]]
        x = self.embed(tokens_BT)
        for layer, block in enumerate(self.blocks):
            x = block(x, rotation, cache, layer)
        return self.head(self.norm(x[:, -1:] if last_only else x))


def rotary_table(shape: TransformerShape, base: float = 10_000.0) -> Tensor:
    """Cosines and sines per position, shape (max_tokens, 2, head/2) (RoFormer, arXiv 2104.09864)."""
    half = shape.embedding // shape.num_heads // 2
    angles = torch.outer(torch.arange(shape.max_tokens).float(), base ** (-torch.arange(half).float() / half))
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def rotate(x_BHTD: Tensor, rotation: Tensor) -> Tensor:
    """Rotate each (first half, second half) pair of coordinates by its position's angle."""
    cos, sin = rotation[:, 0], rotation[:, 1]
    first, second = x_BHTD.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)
