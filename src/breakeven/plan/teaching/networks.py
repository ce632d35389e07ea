"""A vision transformer over patches of clips, and a predictor of what was hidden from it."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from breakeven.plan.teaching.sizes import Sizes

_LONGEST = 10.0
"""Wavelengths of positions are from 2 pi patches to about so many times that."""


class Encoder(nn.Module):
    """Patches (P, n, D) and their places in the clip (P, n) to features (P, n, E)."""

    position_NE: Tensor

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.stem = nn.Linear(sizes.scene.patch_pixels, sizes.width)
        self.register_buffer("position_NE", _positions(sizes.scene.grid, sizes.width), persistent=False)
        self.layers = nn.ModuleList(_Layer(sizes.width, sizes.heads) for _ in range(sizes.layers))
        self.norm = nn.LayerNorm(sizes.width)
        self.apply(_start)

    def forward(self, patch_PnD: Tensor, place_Pn: Tensor | None = None) -> Tensor:
        """Features of these patches; of all where no places are given."""
        place = slice(None) if place_Pn is None else place_Pn
        x = self.stem(patch_PnD) + self.position_NE[place]
        for layer in self.layers:
            x = layer(x)
        feature_PnE: Tensor = self.norm(x)
        return feature_PnE


class Predictor(nn.Module):
    """Features of what is seen, and the places that are hidden, to what is there: pixels or features."""

    position_NE: Tensor

    def __init__(self, sizes: Sizes, outputs: int) -> None:
        super().__init__()
        width = sizes.predictor_width
        self.enter = nn.Linear(sizes.width, width)
        self.unknown = nn.Parameter(torch.zeros(width))
        self.register_buffer("position_NE", _positions(sizes.scene.grid, width), persistent=False)
        self.layers = nn.ModuleList(_Layer(width, sizes.heads) for _ in range(sizes.predictor_layers))
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, outputs)
        self.apply(_start)

    def forward(self, feature_PnE: Tensor, seen_Pn: Tensor, hidden_Pm: Tensor) -> Tensor:
        """What is at the hidden places, (P, m, outputs)."""
        seen = self.enter(feature_PnE) + self.position_NE[seen_Pn]
        hidden = self.unknown + self.position_NE[hidden_Pm]
        x = torch.cat([seen, hidden], 1)
        for layer in self.layers:
            x = layer(x)
        predicted_PmO: Tensor = self.leave(self.norm(x[:, seen.shape[1] :]))
        return predicted_PmO


class _Layer(nn.Module):
    """Attention of all to all, and a feed-forward of four times the width, each after a norm."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.feed_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        qkv = self.qkv(self.attention_norm(x)).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, width)
        x = x + self.out(mixed)
        fed: Tensor = self.down(F.gelu(self.up(self.feed_norm(x))))
        return x + fed


def _start(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


def _positions(grid: tuple[int, int, int], width: int) -> Tensor:
    """Fixed sines and cosines of time, row and column, side by side, (N, width)."""
    pairs = [width // 2 // 3] * 3
    pairs[0] += width // 2 - sum(pairs)
    place_NA = np.stack(np.meshgrid(*map(np.arange, grid), indexing="ij"), -1).reshape(-1, 3)
    waves = []
    for count, place_N in zip(pairs, place_NA.T, strict=True):
        angle = place_N[:, None] * _LONGEST ** -(np.arange(count) / count)
        waves += [np.sin(angle), np.cos(angle)]
    return torch.from_numpy(np.concatenate(waves, 1).astype(np.float32))
