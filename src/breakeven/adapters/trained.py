"""What training costs where not all weights are trained: an adapter, or some layers of a model."""

from dataclasses import replace

import torch

from breakeven.adapters.counting import counted_network
from breakeven.cost.tokens import ModelCost
from breakeven.errors import argument_error
from breakeven.sampling.causal import is_sharded
from breakeven.sampling.modes import evaluating


def trained_cost(model: torch.nn.Module, cost: ModelCost) -> ModelCost:
    """What a token costs where those weights of a model are trained that require gradients.

    Queries stay as they are, for an adapter can be merged into the weights. Of training, the backward pass is what
    PyTorch executes: the gradient of an input only behind a trained weight, that of a weight only where it is trained.

    Args:
        model: takes token ids; stays as it is. Where all its weights are trained nothing is counted.
        cost: of a token on it, without adapters.

    Raises:
        ArgumentError: no weight is trained, or the model cannot be counted: it is sharded, or as of
            `breakeven.adapters.counting.counted_network`.

    Counted:
        As of `counted_network`; an adapter's own FLOPs are among those of the backward pass.
    """
    trained = [each.requires_grad for each in model.parameters()]
    if all(trained):
        return cost
    if not any(trained):
        raise argument_error("model", "have weights that are trained", "none that requires a gradient")
    if is_sharded(model):
        raise argument_error("model", "be whole to be counted", "a sharded one")
    with evaluating(model, torch.enable_grad):  # not with dropout, nor recomputing layers
        counted = counted_network(model)
    forward, whole = counted.network.token_cost(), counted.trained.token_cost()
    own = cost.body_params + cost.head_params
    attention = whole.attention_width / forward.attention_width - 1.0 if forward.attention_width else 0.0
    return replace(cost, backward_weights=whole.body_params / own - 1.0, backward_attention=attention)
