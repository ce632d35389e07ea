"""Two problems in closed form, whose best configuration is known: what methods are tried and tested on.

Prices are published formulas; qualities are ours, made so that what the papers report is there: a stage that prefers a
large model and one that prefers many samples of a small one, a peak in samples, width and depth, and a quality upstream
that moves the best number of samples downstream. They are no claim on any real model.
"""

import math
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from breakeven.cost.tokens import ModelCost
from breakeven.plan.trials.archive import Archive, Evaluation, Trial
from breakeven.plan.trials.rules import Move, beside, scaled
from breakeven.plan.trials.space import Choice, Configuration, Space, boolean, categorical, integers
from breakeven.records import NORMAL_95
from breakeven.records.options import Option, Quality

_BILLIONS: Final = {"3B": 3, "8B": 8, "72B": 72}
_TOKENS: Final = {"retrieve": (2048, 128), "answer": (256, 64)}
"""Of a stage: read once, and written per sample."""
_UNIT_FLOPS: Final = 2 * 3e9 * 64
"""A budget of AgentTTS counts (M / 3e9) (N_p + S N_d) / 64 - 2 a stage: so many FLOPs a unit."""
_NODES: Final = 4
_NODE_COSTS: Final = {
    "1B": ModelCost(body_params=1e9, num_layers=16, attention_width=2048),
    "3B": ModelCost(body_params=3e9, num_layers=28, attention_width=3072),
}
_TASK_TOKENS, _NODE_TOKENS = 202, 275


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthetic:
    """A problem whose truth is known."""

    name: str
    space: Space
    truth: Callable[[Configuration], float]
    """The accuracy on infinitely many problems."""
    default: Configuration
    """What is served where nobody makes trials: the dearest models that the budget allows, one sample, a chain."""
    moves: tuple[Move, ...]
    """Of `Rules`."""
    stages: tuple[tuple[str, ...], ...] = ()
    """Of `Factorised`, as if they did; empty: there are none."""

    def evaluate(self, configuration: Configuration, *, num_problems: int | None = 128, seed: int = 0) -> Evaluation:
        """Its accuracy on some problems, each solved or not.

        Args:
            configuration: what is tried.
            num_problems: P; None: the truth, charged as 128 problems.
            seed: other seeds are other problems.
        """
        truth, price = self.truth(configuration), self.space.cost(configuration)
        if num_problems is None:
            return Evaluation(quality=Quality(value=truth), flops=128 * price)
        named = zlib.crc32(self.space.words(configuration).encode())
        solved = int(np.random.default_rng((seed, named)).binomial(num_problems, truth))
        value = solved / num_problems
        half = NORMAL_95 * math.sqrt(max(value * (1 - value), 1 / num_problems) / num_problems)
        quality = Quality(value=value, lo=max(0.0, value - half), hi=min(1.0, value + half))
        return Evaluation(quality=quality, flops=num_problems * price)

    def option(self, name: str, configuration: Configuration, quality: Quality) -> Option:
        """What serving it costs."""
        return Option(
            name=name, settings=dict(configuration), query_flops=self.space.cost(configuration), quality=quality
        )


def pipeline(*, budget_units: float = 900.0, most_samples: int = 64, coupling: float = 1.0) -> Synthetic:
    """A retrieval whose samples are fused, then an answer whose samples are fused: a model and samples for each.

    Args:
        budget_units: per query, in units of AgentTTS.
        most_samples: of a stage.
        coupling: how far the quality of the retrieval moves the best number of samples of the answer; 0: stages
            factorise.

    Source:
        Prices: arXiv 2508.00890, without its subtraction of what the smallest unit reads.
    """
    choices: tuple[Choice, ...] = tuple(
        choice
        for stage in _TOKENS
        for choice in (categorical(f"{stage}_model", *_BILLIONS), integers(f"{stage}_samples", 1, most_samples))
    )
    space = Space(choices=choices, price=_pipeline_price, budget=(budget_units + 2 * len(_TOKENS)) * _UNIT_FLOPS)
    default = space.dearest({"retrieve_samples": 1, "answer_samples": 1})
    return Synthetic(
        name="pipeline",
        space=space,
        truth=partial(_pipeline_truth, coupling=coupling),
        default=default,
        moves=(_models, *(scaled(f"{stage}_samples", factor) for stage in _TOKENS for factor in (2, 0.5)), beside()),
        stages=tuple((f"{stage}_model", f"{stage}_samples") for stage in _TOKENS),
    )


def _pipeline_price(configuration: Configuration) -> float:
    return sum(_stage_flops(configuration, stage) for stage in _TOKENS)


def _stage_flops(configuration: Configuration, stage: str) -> float:
    prompt, output = _TOKENS[stage]
    samples = float(configuration[f"{stage}_samples"])
    return 2e9 * _BILLIONS[str(configuration[f"{stage}_model"])] * (prompt + samples * output)


def _pipeline_truth(configuration: Configuration, *, coupling: float) -> float:
    """Each stage rises with the logarithm of its samples to a peak and falls beyond; large models peak early."""
    retrieved = _fused(
        {"3B": 0.50, "8B": 0.62, "72B": 0.86}[str(configuration["retrieve_model"])],
        {"3B": 0.14, "8B": 0.12, "72B": 0.03}[str(configuration["retrieve_model"])],
        float(configuration["retrieve_samples"]),
        peak={"3B": 24.0, "8B": 16.0, "72B": 4.0}[str(configuration["retrieve_model"])],
    )
    peak = {"3B": 48.0, "8B": 30.0, "72B": 8.0}[str(configuration["answer_model"])]
    answered = _fused(
        {"3B": 0.34, "8B": 0.55, "72B": 0.74}[str(configuration["answer_model"])],
        {"3B": 0.22, "8B": 0.33, "72B": 0.10}[str(configuration["answer_model"])],
        float(configuration["answer_samples"]),
        peak=max(2.0, peak * (1 - coupling * (0.86 - retrieved))),  # worse passages: more samples only confuse
    )
    return retrieved * answered


def _fused(single: float, most_gained: float, samples: float, *, peak: float) -> float:
    """Accuracy of `samples` fused: `single` for one, `single + most_gained` at the peak, a parabola in log samples."""
    return single + most_gained * (1 - (1 - math.log(samples) / math.log(peak)) ** 2)


def _models(at: Trial, archive: Archive) -> Iterable[Configuration]:
    """A few samples of a large model or many of a small one: each other model, with all samples that the rest pays."""
    for stage, (prompt, output) in _TOKENS.items():
        spent = at.price - _stage_flops(at.configuration, stage)
        for model, billions in _BILLIONS.items():
            paid = ((archive.space.budget - spent) / (2e9 * billions) - prompt) / output
            most = next(each for each in archive.space.choices if each.name == f"{stage}_samples").values[-1]
            samples = max(1, min(int(paid), int(most)))
            yield {**at.configuration, f"{stage}_model": model, f"{stage}_samples": samples}


def graph(*, budget_units: float = 12.0) -> Synthetic:
    """Four agents in a graph without cycles: which hands on to which, the role and the model of each. The last answers.

    Args:
        budget_units: per query, in units of one 1B node without parents.

    Source:
        Prices: arXiv 2511.00086, N_p = A + d_in B read and N_d = B written by a node; A = 202, B = 275.
    """
    edges = tuple(boolean(f"{first}->{then}") for then in range(_NODES) for first in range(then))
    roles = tuple(categorical(f"role_{node}", "assistant", "fuser") for node in range(_NODES))
    models = tuple(categorical(f"model_{node}", *_NODE_COSTS) for node in range(_NODES))
    unit = _node_flops("1B", 0)
    space = Space(choices=(*edges, *roles, *models), price=_graph_price, budget=budget_units * unit)
    chain = {f"{first}->{then}": then == first + 1 for then in range(_NODES) for first in range(then)}
    default = space.dearest({**chain, **{f"role_{node}": "assistant" for node in range(_NODES)}})
    names = [each.name for each in (*models, *edges, *roles)]
    return Synthetic(
        name="graph",
        space=space,
        truth=_graph_truth,
        default=default,
        moves=tuple(beside(name) for name in reversed(names)),
    )


def _parents(configuration: Configuration, node: int) -> list[int]:
    return [first for first in range(node) if configuration[f"{first}->{node}"]]


def _node_flops(model: str, parents: int) -> float:
    cost, read = _NODE_COSTS[model], _TASK_TOKENS + parents * _NODE_TOKENS
    return cost.prefill_flops(read) + cost.decode_flops(read, _NODE_TOKENS)


def _graph_price(configuration: Configuration) -> float:
    """Of all nodes: one whose answer nobody reads is paid for, too."""
    return sum(
        _node_flops(str(configuration[f"model_{node}"]), len(_parents(configuration, node))) for node in range(_NODES)
    )


def _graph_truth(configuration: Configuration) -> float:
    """Of the last node."""
    accuracies: list[float] = []
    for node in range(_NODES):
        read = [accuracies[each] for each in _parents(configuration, node)]
        large = configuration[f"model_{node}"] == "3B"
        accuracies.append(agent_accuracy(str(configuration[f"role_{node}"]), read, large=large))
    return accuracies[-1]


def agent_accuracy(role: str, read: Sequence[float], *, large: bool) -> float:
    """Of a node: an assistant mends some of its best parent's mistakes and undoes some work; a fuser gains by width.

    A further parent distracts an assistant; beyond two, it is of no use to a fuser either.

    Args:
        role: "assistant" or "fuser".
        read: the accuracies of its parents.
        large: whether its model is the larger one.
    """
    if not read:
        return (0.58 if large else 0.46) - (0.06 if role == "fuser" else 0.0)
    if role == "assistant":
        best, mended, undone = max(read), 0.30 if large else 0.20, 0.08 if large else 0.11
        return best * (1 - undone) + (1 - best) * mended - 0.02 * (len(read) - 1)
    mean, width = sum(read) / len(read), len(read)
    gain = (0.42 if large else 0.34) * (1 - 1 / width) - 0.05 * max(0, width - 2)
    return mean + gain * mean * (1 - mean)
