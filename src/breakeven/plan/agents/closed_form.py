"""Graphs in closed form: published prices of nodes, and an accuracy by formula, which is ours.

Quick, and with a truth that is exact: what methods of looking are held against without training anything.
"""

from typing import Final

import numpy as np

from breakeven.plan.agents.dag import Dag
from breakeven.plan.agents.published import TASKS, node_flops
from breakeven.plan.agents.space import all_dags
from breakeven.plan.agents.table import Agent, Graphs
from breakeven.plan.trials.synthetic import agent_accuracy
from breakeven.records.curves import Made

MODELS: Final = ("1B", "3B")
_TRIAL_PROBLEMS: Final = 512
"""Of each graph; a trial sees some of them."""


def closed_form(num_nodes: int, *, tokens_per_second: tuple[float, ...] = (), seed: int = 0) -> Graphs:
    """All graphs of at most so many nodes of 1B and 3B models.

    Args:
        num_nodes: at most.
        tokens_per_second: of each model; none: not known.
        seed: of the problems that trials see.
    """
    dags = tuple(all_dags(num_nodes, MODELS, fusers_vote=False))
    truth_C1 = np.array([[accuracy(each)] for each in dags])
    random = np.random.default_rng(seed)
    trial_CP = (random.random((len(dags), _TRIAL_PROBLEMS)) < truth_C1).astype(np.float64)
    agents = tuple(
        Agent(
            name=model,
            node_flops_D=tuple(node_flops(model, count) for count in range(num_nodes)),
            run=model,
            train_flops=0.0,
            output_tokens=TASKS["MATH"][1],
            tokens_per_second=tokens_per_second[place] if tokens_per_second else None,
        )
        for place, model in enumerate(MODELS)
    )
    return Graphs(
        agents=agents,
        dags=dags,
        num_nodes=num_nodes,
        trial_CP=trial_CP,
        fresh_CP=truth_C1,
        made=Made.EXTRAPOLATED,
        fresh_problems=_TRIAL_PROBLEMS,
        notes=(
            "Prices of nodes are those of arXiv 2511.00086 for MATH. Accuracies are by a formula of ours and no claim "
            "on any real model: an assistant mends some mistakes of its best parent and undoes some of its work, and "
            "each further parent distracts it; a fuser gains by its width up to two. Measured again, a winner is known "
            "exactly.",
        ),
        not_counted=("training the models",),
    )


def accuracy(dag: Dag) -> float:
    """Of the last node."""
    found: list[float] = []
    for node in dag.nodes:
        read = [found[at] for at in node.parents]
        found.append(agent_accuracy(node.role, read, large=node.model == "3B"))
    return found[-1]
