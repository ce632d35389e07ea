"""What a generative verifier learns from: graded samples of the solver, right and wrong ones half and half."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from breakeven.config import RunConfig
from breakeven.data.made.verification import Verification, without_end
from breakeven.data.splits import PAD
from breakeven.data.task import Task
from breakeven.errors import argument_error

if TYPE_CHECKING:
    import torch

    from breakeven.train.reward_model.train import GradedSample


def graded_batches(graded: "Sequence[GradedSample]", task: Task, config: RunConfig) -> "Callable[[int], torch.Tensor]":
    """Half of each batch right samples, half wrong ones: a function of (seed, step).

    Args:
        graded: samples of problems whose `solution` is known: what the verifier writes before its verdict.
        task: that is solved.
        config: of the verifier.

    Raises:
        ArgumentError: all are right, or none is.
    """
    import torch

    right_N = np.array([right for _, _, right in graded])
    if right_N.all() or not right_N.any():
        rule = "leave right and wrong solutions among its samples, for a verifier to learn from"
        got = f"{right_N.mean():.0%} of {len(right_N)} right"
        raise argument_error("solver_steps", rule, got)
    task_rows = np.array(
        [task.encode_prompt(each) + task.encode_text(each.solution or "") + [task.end_token] for each, _, _ in graded]
    )
    proposed_NT = np.full((len(graded), task.output_tokens), PAD)
    for row, (_, text, _) in zip(proposed_NT, graded, strict=True):
        tokens = task.encode_text(text)
        row[: len(tokens)] = tokens
    rows_NT = Verification(solved=task).rows(task_rows, without_end(proposed_NT, task.end_token), right_N)
    kinds, half = (np.flatnonzero(right_N), np.flatnonzero(~right_N)), config.train.batch_size // 2

    def batch(step: int) -> torch.Tensor:
        rng = np.random.default_rng((config.seed, step))
        sizes = half, config.train.batch_size - half
        chosen = [rng.choice(places, size) for places, size in zip(kinds, sizes, strict=True)]
        return torch.from_numpy(rows_NT[np.concatenate(chosen)])

    return batch
