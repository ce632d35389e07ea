"""FLOPs of operations that PyTorch's counter leaves out (as of 2.13) or has wrong."""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils import flop_counter


def _conv_backward(grad: Any, given: Any, weight: Any, *rest: Any, out_shape: Any = None, **options: Any) -> int:
    """As the forward pass for each gradient that is wanted: torch's own takes a grouped convolution for a whole one."""
    *_, transposed, _, _, mask = rest
    forward: int = flop_counter.conv_flop_count(given, weight, grad, transposed=transposed)
    return forward * (int(mask[0]) + int(mask[1]))


def _grouped(first: Any, second: Any, *rest: Any, out_shape: Any = None, **options: Any) -> int:
    """Experts: rows, or what is summed over, are split into one group an expert."""
    matrices = first[0] if len(first) == len(second) == 3 else 1
    flops: int = 2 * matrices * first[-2] * first[-1] * second[-1]
    return flops


def _attention(query: Any, key: Any, value: Any, *rest: Any, out_shape: Any = None, **options: Any) -> int:
    flops: int = flop_counter.sdpa_flop_count(query, key, value)  # type: ignore[no-untyped-call]
    return flops


def _attention_backward(grad: Any, q: Any, k: Any, v: Any, *rest: Any, out_shape: Any = None, **options: Any) -> int:
    """Twice the forward pass: the scores that the kernel computes anew are no part of it."""
    return 2 * _attention(q, k, v)


def op_flops() -> dict[Any, Callable[..., int]]:
    """FLOPs of operations that torch's counter leaves out or has wrong: its `custom_mapping`."""
    aten = torch.ops.aten
    mapping: dict[Any, Callable[..., int]] = {aten.convolution_backward: _conv_backward}
    if hasattr(aten, "_grouped_mm"):
        mapping[aten._grouped_mm] = _grouped
    if hasattr(aten, "_scaled_dot_product_flash_attention_for_cpu"):
        mapping[aten._scaled_dot_product_flash_attention_for_cpu] = _attention
        mapping[aten._scaled_dot_product_flash_attention_for_cpu_backward] = _attention_backward
    return mapping
