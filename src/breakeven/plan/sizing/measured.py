"""A model of a size after some training, measured at several numbers of samples, and the options that it offers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from breakeven.eval.intervals import mean_and_interval
from breakeven.plan.sizing.grid import Checkpoint, Grid
from breakeven.records import Made, Option, Quality
from breakeven.ttc.strategies.pass_at_k import pass_at_k_per_problem

PASS_AT_K = "pass@k"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """One strategy at one K."""

    strategy: str
    k: int
    accuracy: float
    value_P: tuple[float, ...] = ()
    """Of each problem; empty: only the mean is known."""
    lo: float | None = None
    """Lower end of the 90 % interval over problems, where `value_P` is empty."""
    hi: float | None = None
    query_flops: float
    made: Made = Made.MEASURED


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model of a size after some training."""

    name: str
    size: str
    """Its family: models of one size differ in their training alone."""
    params: float
    """Those that FLOPs are counted of."""
    train_tokens: float
    train_flops: float
    level: float
    """The duration that it stands for, in training FLOPs: models of one level are held against each other."""
    evaluation_flops: float = 0.0
    problems: str = ""
    """Which ones accuracies are of."""
    sampled: tuple[Sampled, ...]
    settings: dict[str, str | int | float] = field(default_factory=dict)
    """Further ones, of its options."""

    @property
    def tokens_per_param(self) -> float:
        """D / N."""
        return self.train_tokens / self.params

    @property
    def pass_at_k(self) -> dict[int, float]:
        """Accuracy by K, of samples at temperature."""
        return {each.k: each.accuracy for each in self.sampled if each.strategy == PASS_AT_K}


def model_of(checkpoint: Checkpoint, grid: Grid) -> Model:
    """A checkpoint of the grid."""
    counted, trained = checkpoint.counted, checkpoint.trained
    accuracy_PK = pass_at_k_per_problem(counted.correct_P, grid.num_samples, counted.k_values)
    greedy_P = tuple(float(verdict == "1") for verdict in counted.greedy_P)
    sampled = [_sampled("greedy", 1, greedy_P, counted.greedy_flops)]
    for k, column_P, flops in zip(counted.k_values, accuracy_PK.T.tolist(), counted.query_flops_K, strict=True):
        sampled.append(_sampled(PASS_AT_K, k, tuple(column_P), flops))
    return Model(
        name=f"{checkpoint.size} step {trained.step}",
        size=checkpoint.size,
        params=checkpoint.params,
        train_tokens=trained.train_tokens,
        train_flops=trained.train_flops,
        level=checkpoint.level,
        evaluation_flops=counted.evaluation_flops,
        problems=f"test problems of {grid.recipe}, seed {grid.seed}",
        sampled=tuple(sampled),
        settings={"step": trained.step},
    )


def _sampled(strategy: str, k: int, value_P: tuple[float, ...], flops: float) -> Sampled:
    return Sampled(strategy=strategy, k=k, accuracy=float(np.mean(value_P)), value_P=value_P, query_flops=flops)


def loss_options(models: Sequence[Model], losses: Mapping[str, float], tokens_per_sample: float) -> Iterator[Option]:
    """Models of which the loss alone is known, each queried once: the quality is minus the loss."""
    for model in models:
        if model.name in losses:
            yield Option(
                name=model.name,
                settings={
                    "size": model.size,
                    "params": model.params,
                    "train_tokens": model.train_tokens,
                    "tokens_per_param": round(model.tokens_per_param, 1),
                    "k": 1,
                },
                train_flops=model.train_flops,
                query_flops=2 * model.params * tokens_per_sample,
                quality=Quality(value=-losses[model.name]),
            )


def options_of(models: Sequence[Model]) -> Iterator[Option]:
    """Every model with every strategy and K that it was measured at."""
    for model in models:
        for each in model.sampled:
            lo, hi = each.lo, each.hi
            if each.value_P:
                _, _, lo, hi = mean_and_interval(np.array(each.value_P))
            yield Option(
                name=f"{model.name}, {each.strategy.replace('@k', f'@{each.k}')}",
                settings={
                    "size": model.size,
                    "params": model.params,
                    "train_tokens": model.train_tokens,
                    "tokens_per_param": round(model.tokens_per_param, 1),
                    "duration_flops": model.level,
                    "strategy": each.strategy,
                    "k": each.k,
                    **model.settings,
                },
                train_flops=model.train_flops,
                one_off={"evaluation": model.evaluation_flops} if model.evaluation_flops else {},
                query_flops=each.query_flops,
                quality=Quality(
                    value=each.accuracy,
                    lo=lo,
                    hi=hi,
                    made=each.made,
                    value_P=each.value_P,
                    problems=model.problems if each.value_P else "",
                ),
            )
