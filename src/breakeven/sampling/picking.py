"""Next tokens from logits by inverse transform: with uniforms given, no random generator is needed."""

import torch
from torch import Tensor


def pick(logits_RV: Tensor, row_B: Tensor, temperature: float, uniform_B: Tensor) -> Tensor:
    """The next token of each of B samples, whose logits are those of row `row_B` of R distinct ones.

    Greedy at temperature 0, else the token at which the cumulative probability of the row passes the sample's uniform.
    """
    if temperature == 0:
        return logits_RV.argmax(dim=-1)[row_B]
    dtype = torch.float32 if logits_RV.device.type == "mps" else torch.float64  # Apple's GPUs have no doubles
    cumulative_BV = (logits_RV.to(dtype) / temperature).softmax(dim=-1).cumsum(dim=-1)[row_B]
    threshold_B1 = uniform_B.to(cumulative_BV)[:, None] * cumulative_BV[:, -1:]
    return torch.searchsorted(cumulative_BV, threshold_B1, right=True)[:, 0].clamp(max=logits_RV.shape[1] - 1)
