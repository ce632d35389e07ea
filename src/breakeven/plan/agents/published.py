"""What Agent-REINFORCE charges a node: tokens of its tasks, shapes of its models, the unit of its budgets.

Source:
    arXiv 2511.00086 and its authors' code. A node with d parents reads N_p = A + d B tokens and writes N_d = B.
"""

from typing import Final

from breakeven.cost.tokens import ModelCost
from breakeven.records.plans import PlanTable

MODELS: Final = {
    "1B": ModelCost(body_params=1e9, num_layers=16, attention_width=2048),
    "3B": ModelCost(body_params=3e9, num_layers=28, attention_width=3072),
    "8B": ModelCost(body_params=8e9, num_layers=32, attention_width=4096),
    "70B": ModelCost(body_params=70e9, num_layers=80, attention_width=8192),
}
TASKS: Final = {"MATH": (202, 275), "MMLU": (213, 215), "HumanEval": (180, 115)}
"""A, read of the task, and B, written by a node."""
_UNITS: Final = {"MATH": 9.710e11, "MMLU": 8.680e11, "HumanEval": 5.957e11}
"""As the authors' code has them."""


def node_flops(model: str, num_parents: int, *, task: str = "MATH") -> float:
    """FLOPs of a node: reading the task and its parents' answers, writing its own.

    2 M N_p + 2 L d N_p (N_p + 1) + 2 M N_d + 2 L d N_d (2 N_p + N_d + 1), for M parameters, L layers of width d.

    >>> f"{node_flops('1B', 0):.4g}"
    '9.689e+11'
    """
    (read, written), cost = TASKS[task], MODELS[model]
    read += num_parents * written
    return cost.prefill_flops(read) + cost.decode_flops(read, written)


def unit_table() -> PlanTable:
    """The unit of each task, published and recomputed."""
    rows = []
    for task, (read, written) in TASKS.items():
        rows.append((task, f"{read}", f"{written}", f"{_UNITS[task]:.4g}", f"{node_flops('1B', 0, task=task):.4g}"))
    return PlanTable(
        label="The unit of the budgets of arXiv 2511.00086, one node of 1B without parents, published and recomputed; "
        "that of MATH was computed with 203 tokens of the task",
        headings=("task", "tokens of the task", "tokens of an answer", "FLOPs, published", "FLOPs, recomputed"),
        rows=tuple(rows),
    )
