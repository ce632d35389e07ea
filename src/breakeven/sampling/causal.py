"""One pass of a causal language model of transformers over rows of tokens, whatever its class takes and ignores."""

import inspect
from typing import Any

import torch
from torch import Tensor


def max_positions(model: Any) -> int | None:
    """Most tokens of a text that the model can read; None: it does not say."""
    positions: int | None = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return positions


def is_sharded(model: Any) -> bool:
    """Whether no process holds it whole, so that each pass needs all of them: FSDP2, tensor parallel, or ZeRO-3."""
    return any(hasattr(each, "device_mesh") or hasattr(each, "ds_id") for each in model.parameters())


def padded(model: Any, rows: list[list[int]]) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, mask and positions, padded on the left so that each text's last token is in the last column."""
    longest = max(map(len, rows))
    device = model.get_input_embeddings().weight.device
    tokens_PT = torch.tensor([[row[0]] * (longest - len(row)) + row for row in rows], device=device)
    mask_PT = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=device)
    positions_PT = (mask_PT.cumsum(dim=-1) - 1).clamp(min=0)
    return tokens_PT, mask_PT, positions_PT


def forward(
    model: Any, tokens_RT: Tensor, positions_RT: Tensor, cache: Any, mask_RT: Tensor, *, kept: int, use_cache: bool
) -> Any:
    """The model's output; `kept` logits of each row from its end, or all where the model takes no such number.

    The loss of a router that balances its experts is for training alone: it does not fit a mask longer than the tokens.
    """
    options: dict[str, Any] = {"position_ids": positions_RT, "logits_to_keep": kept, "output_router_logits": False}
    base = model.get_base_model() if hasattr(model, "get_base_model") else model  # under an adapter
    known = inspect.signature(base.forward).parameters
    return model(
        input_ids=tokens_RT,
        attention_mask=mask_RT,
        past_key_values=cache,
        use_cache=use_cache,
        return_dict=True,
        **{name: value for name, value in options.items() if name in known},
    )
