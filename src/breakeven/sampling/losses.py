"""From a sampler and problems with known solutions to the validation loss, with what measuring it takes."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from breakeven.cost.evaluation import loss_flops
from breakeven.cost.tokens import ModelCost
from breakeven.records import Prefix, Problem, ValidationLoss
from breakeven.records.asking import check_losses
from breakeven.records.protocols import LossSampler, Sampler

LOSS_PROBLEMS: Final = 125
"""Most problems whose solutions are read. A mean over tokens is sure with fewer of them than an accuracy, and reading
all would nearly double what an evaluation takes that draws few samples."""


def validation_loss(
    sampler: Sampler, problems: Sequence[Problem], *, prompt_tokens_P: Sequence[int], cost: ModelCost
) -> ValidationLoss | None:
    """The loss of the first solutions of `problems`; None where none is known, or the sampler cannot tell.

    Args:
        sampler: of the live model. It sees a problem without reference and solution, and beside it the text to judge.
        problems: of which some may have a solution; the first `LOSS_PROBLEMS` solutions are read.
        prompt_tokens_P: tokens of their prompts.
        cost: FLOPs per token of the model.

    Raises:
        SamplerError: the sampler returned another number of losses, or one that is negative or not finite.
    """
    known = [place for place, each in enumerate(problems) if each.solution is not None][:LOSS_PROBLEMS]
    if not known or not isinstance(sampler, LossSampler):
        return None
    prefixes = [Prefix(problem=problems[place].hidden, text=problems[place].solution or "") for place in known]
    told = [np.asarray(each, np.float64) for each in sampler.solution_losses(prefixes)]
    check_losses(prefixes, told)
    losses = [np.empty(0)] * len(problems)
    for place, each in zip(known, told, strict=True):
        losses[place] = each
    if not any(map(len, losses)):
        return None
    return ValidationLoss.of(losses, flops=loss_flops(prompt_tokens_P, list(map(len, losses)), cost))
