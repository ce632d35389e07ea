"""What one pass of a classifier costs, counted at examples of its own."""

import math
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from breakeven.adapters.counting import count_module
from breakeven.cost.tokens import ModelCost
from breakeven.evenly import evenly
from breakeven.sampling.modes import evaluating
from breakeven.sampling.one_pass import Inputs

_MOST_SHAPES = 16
_Shape = tuple[tuple[Any, ...], ...]


def pass_cost(model: Any, examples: Iterable[Inputs]) -> ModelCost:
    """Of a token that is an example: feeding it is a forward pass over it, training on it takes three of them.

    Where some weights are not trained, training on it takes what PyTorch executes instead.

    Args:
        model: stays as it is.
        examples: each alone in its batch, so that nothing is padded. Where they have many shapes, as texts have
            lengths, some are counted, evenly chosen by size.

    Raises:
        ArgumentError: as of `breakeven.adapters.counting.count_module`.

    Counted:
        As of `count_module`, mean over the examples.
    """
    first, shapes = dict[_Shape, Inputs](), list[_Shape]()
    for each in examples:
        shapes.append(shape := tuple((name, *tensor.shape) for name, tensor in _tensors(each.named).items()))
        first.setdefault(shape, each)
    if len(first) > _MOST_SHAPES:
        by_size = sorted(shapes, key=_size)
        shapes = [by_size[place] for place in evenly(len(shapes), _MOST_SHAPES)]
    with evaluating(model, nullcontext):  # a single example has no statistics of a batch
        flops = {
            shape: count_module(model, *each.positional, **_tensors(each.by_name))
            for shape, each in first.items()
            if shape in shapes
        }
    forward, trained = (sum(flops[shape][of] for shape in shapes) / len(shapes) for of in (0, 1))
    cost = ModelCost(body_params=forward / 2)
    if all(each.requires_grad for each in model.parameters()):
        return cost
    return replace(cost, backward_weights=trained / forward - 1.0)


def _tensors(named: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in named.items() if hasattr(each, "shape")}


def _size(shape: _Shape) -> tuple[int, _Shape]:
    return sum(math.prod(sizes) for _, *sizes in shape), shape
