"""One's own hidden steps that led to right answers, to be learnt from.

Source: STaR, arXiv 2203.14465, without hints: nothing is written for problems that were not solved.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from breakeven.config import RunConfig
from breakeven.data.task import Task
from breakeven.records import Problem

if TYPE_CHECKING:
    import torch

    from breakeven.sampling.collect import Collector

GradedText = tuple[Problem, str, bool]
"""A problem, a completion, and whether it was right."""


def graded_texts(collector: "Collector", problems: tuple[Problem, ...]) -> Iterator[GradedText]:
    """All samples that a collector has drawn and graded."""
    for batch in collector.samples.batches:
        for text, verdict in zip(batch.texts, batch.verdicts or "", strict=True):
            yield problems[batch.place], text, verdict == "1"


def kept_batches(samples: list[GradedText], config: RunConfig, num_written: int) -> "Callable[[int], torch.Tensor]":
    """Rows of right samples, each text of a problem once, among those that somebody wrote: a function of (seed, step).

    Args:
        samples: of training problems.
        config: of the training that learns from them.
        num_written: rows that the training before it learnt from; they are learnt further.
    """
    import torch

    task, train, seed = config.task, config.train, config.seed
    right = dict.fromkeys((problem.prompt, text) for problem, text, is_right in samples if is_right)
    own = [_row(task, prompt, text) for prompt, text in right]
    rows_NT = np.concatenate([task.train_batch(num_written, (seed, 0)), *([np.array(own)] if own else [])])

    def batch(step: int) -> torch.Tensor:
        chosen = np.random.default_rng((seed, step)).integers(0, len(rows_NT), train.batch_size)
        return torch.from_numpy(rows_NT[chosen])

    return batch


def _row(task: Task, prompt: str, text: str) -> list[int]:
    """Prompt and completion, filled up with end tokens where it is shorter than the longest."""
    solution = task.encode_text(text)
    return task.encode_text(prompt) + solution + [task.end_token] * (task.output_tokens - len(solution))
