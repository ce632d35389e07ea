"""The budgets of AgentTTS: its unit, its subtasks, and how many configurations it counts.

Published numbers, as labelled data: nothing here was measured, and nothing is chosen by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.plan.trials.stages import count_within, in_units
from breakeven.records.plans import PlanTable

UNIT_FLOPS: Final = 2 * 3e9 * 64
"""What B grows by: 64 tokens of a model of 3e9 parameters."""
FREE_UNITS: Final = 2
"""What is taken off a stage: the 128 tokens of prompt that the smallest call reads."""


def published_units(params: float, prompt_tokens: float, output_tokens: float, samples: int = 1) -> float:
    """B, the budget of a stage in the unit of AgentTTS: may be 0 or less, where a call costs less than the free prompt.

    Args:
        params: M, parameters of the model.
        prompt_tokens: N_p, read once.
        output_tokens: N_d, written for each sample.
        samples: S.

    Source:
        arXiv 2508.00890, appendix: B = 2 a b2 S / b1 + 2 (a b2 - 1) with a = M / 3e9, b1 = N_p / N_d, b2 = N_p / 128,
        here in its shorter form B = (M / 3e9) (N_p + S N_d) / 64 - 2.

    >>> published_units(3e9, 128, 64), published_units(72e9, 256, 64)
    (1.0, 118.0)
    """
    return params / 3e9 * (prompt_tokens + samples * output_tokens) / 64 - FREE_UNITS


def clamped_flops(flops: float) -> float:
    """FLOPs of a stage as its published budget has them, which is 0 where it would be less."""
    return max(flops, FREE_UNITS * UNIT_FLOPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtask:
    """A row of its table 5."""

    task: str
    name: str
    prompt_tokens: int
    output_tokens: int
    billions: int
    """Of the largest model."""

    @property
    def units(self) -> float:
        """One sample of the largest model: a stage's share of the default budget."""
        return published_units(self.billions * 1e9, self.prompt_tokens, self.output_tokens)


SUBTASKS: Final = (
    Subtask(task="2Wiki, HotpotQA", name="retrieval", prompt_tokens=2048, output_tokens=128, billions=72),
    Subtask(task="2Wiki, HotpotQA", name="question answering", prompt_tokens=256, output_tokens=64, billions=70),
    Subtask(task="CWQ, WebQSP", name="retrieval", prompt_tokens=1024, output_tokens=64, billions=72),
    Subtask(task="CWQ, WebQSP", name="question answering", prompt_tokens=128, output_tokens=64, billions=70),
    Subtask(task="Taskbench", name="tool selection", prompt_tokens=1024, output_tokens=256, billions=70),
    Subtask(task="Taskbench", name="parameter prediction", prompt_tokens=1024, output_tokens=2048, billions=70),
    Subtask(task="ChatDev", name="coding", prompt_tokens=1024, output_tokens=1024, billions=70),
    Subtask(task="ChatDev", name="static testing", prompt_tokens=1024, output_tokens=512, billions=70),
    Subtask(task="ChatDev", name="dynamic testing", prompt_tokens=1024, output_tokens=256, billions=70),
)
CHATDEV: Final = tuple(each for each in SUBTASKS if each.task == "ChatDev")
CHATDEV_BILLIONS: Final = (3, 70)


def count_configurations(subtasks: Sequence[Subtask], billions: Sequence[int]) -> int:
    """Configurations within the default budget, one sample of the largest model for each subtask: counted exactly.

    Samples begin at 0, as in the published listing: a prompt that is read and not answered.
    """
    budget = sum(_tokens(each, each.billions, 1) for each in subtasks)
    prices = []
    for each in subtasks:
        own = list[int]()
        for model in billions:
            most = (budget // model - each.prompt_tokens) // each.output_tokens
            own += [_tokens(each, model, samples) for samples in range(most + 1)]
        prices.append(own)
    whole, units = in_units(prices, budget)
    return count_within(whole, units)


def count_in_floats(subtasks: Sequence[Subtask], billions: Sequence[int]) -> int:
    """The same by the published formula in floating point, where sums that equal the budget may seem to exceed it."""

    def units(each: Subtask, model: int, samples: int) -> float:
        alpha, beta1, beta2 = model * 1e9 / 3e9, each.prompt_tokens / each.output_tokens, each.prompt_tokens / 128
        return 2 * alpha * beta2 * samples / beta1 + 2 * (alpha * beta2 - 1)

    budget = 0.0
    for each in subtasks:
        budget += units(each, each.billions, 1)
    sums = np.zeros(1)
    for each in subtasks:
        own = list[float]()
        for model in billions:
            samples = 0
            while (price := units(each, model, samples)) <= budget:
                own.append(price)
                samples += 1
        sums = (sums[:, None] + np.array(own)).ravel()
        sums = sums[sums <= budget + FREE_UNITS * len(subtasks)]
    return int((sums <= budget).sum())


def _tokens(subtask: Subtask, billions: int, samples: int) -> int:
    """Billions of parameters times tokens: the part of B that differs between configurations, as a whole number."""
    return billions * (subtask.prompt_tokens + samples * subtask.output_tokens)


def published_table() -> PlanTable:
    """Its subtasks and their budgets, and its count, both ways."""
    rows = [
        (
            f"{each.task}: {each.name}",
            f"{each.billions}B",
            f"{each.prompt_tokens} + {each.output_tokens}",
            f"{each.units:.2f}",
            f"{each.billions * 2e9 * (each.prompt_tokens + each.output_tokens):.3g}",
        )
        for each in SUBTASKS
    ]
    exact, floats = (count(CHATDEV, CHATDEV_BILLIONS) for count in (count_configurations, count_in_floats))
    return PlanTable(
        label=f"Published: budgets of arXiv 2508.00890, one sample of the largest model; of ChatDev's configurations "
        f"{floats:,} keep the budget in floating point, as published, and {exact:,} exactly",
        headings=("subtask", "model", "tokens read + written", "its unit B", "FLOPs"),
        rows=tuple(rows),
    )
