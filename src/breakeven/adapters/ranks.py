"""Several processes of one run: counts are summed over them, and all are told what the first one decides."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
import torch.distributed as dist

_T = TypeVar("_T")


def is_alone() -> bool:
    """Whether there is no other process."""
    return not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1)


def is_first() -> bool:
    """Whether this process is the one that measures, decides and writes."""
    return is_alone() or dist.get_rank() == 0


def summed(counts: Sequence[float], device: Any) -> tuple[float, ...]:
    """Counts of all processes; every one of them has to ask.

    Args:
        counts: of this process.
        device: of its model, which the processes' backend can send from.
    """
    if is_alone():
        return tuple(counts)
    total = torch.tensor(list(counts), device=device, dtype=torch.float64)  # counts are exact up to 2^53
    dist.all_reduce(total)
    return tuple(total.tolist())


def gathered(rows: list[_T]) -> list[_T]:
    """The rows of all processes, those of the first one first; every process has to ask."""
    if is_alone():
        return rows
    told: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(told, rows)
    return [row for each in told for row in each]


def agreed(decide: Callable[[], _T]) -> _T:
    """What `decide` returns in the first process, where alone it is called; every process has to ask.

    Raises:
        Exception: what `decide` raised, in every process.
    """
    if is_alone():
        return decide()
    told: list[Any] = [None, None]
    if dist.get_rank() == 0:
        try:
            told[0] = decide()
        except Exception as error:
            told[1] = error
    dist.broadcast_object_list(told, src=0)
    if told[1] is not None:
        raise told[1]
    result: _T = told[0]
    return result
