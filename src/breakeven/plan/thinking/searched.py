"""REBASE on a model: a scorer that is trained on its samples, and the trees that it guides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from breakeven.config import RunConfig
from breakeven.cost.query import mean_flops, search_flops
from breakeven.data.made.hidden_chain import HiddenChain
from breakeven.data.task import answers_of
from breakeven.errors import argument_error
from breakeven.plan.models import sampler_of
from breakeven.plan.thinking.kept import GradedText
from breakeven.records import Problem, SegmentRule
from breakeven.train.costs import cost_of
from breakeven.ttc.search import select
from breakeven.ttc.search.rebase import rebase

if TYPE_CHECKING:
    from breakeven.model.transformer import Transformer
    from breakeven.train.reward_model.train import TrainedRewardModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """REBASE to so many whole solutions, on every test problem."""

    size: int
    right_P: tuple[float, ...]
    """Chance that the weighted vote of its solutions is right, ties split evenly."""
    model_flops: float
    """Per query."""
    reward_flops: float
    num_leaks: int
    """Solutions in which a thought was shown. They have no vote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """A scorer of a model, and the trees that it guides."""

    label_flops: float
    """Of the samples that it was trained on."""
    train_flops: float
    """Held-out passes included."""
    auc: float | None
    """Chance that a right sample is scored above a wrong one, on held-out training problems."""
    trees: tuple[Tree, ...]


def scorer_of(model: "Transformer", config: RunConfig, samples: list[GradedText], epochs: int) -> "TrainedRewardModel":
    """A scorer of unfinished solutions that goes on from the model itself.

    Args:
        model: whose samples they are.
        config: of its training.
        samples: of training problems.
        epochs: at most; it ends where held-out problems gain no more.

    Raises:
        ArgumentError: all samples are right, or none is.
    """
    from breakeven.train.reward_model.fit import RewardModelSettings
    from breakeven.train.reward_model.train import train_reward_model

    num_right = sum(is_right for _, _, is_right in samples)
    if not 0 < num_right < len(samples):
        rule = "leave right and wrong answers among its samples, for a scorer to learn from"
        raise argument_error("kept_steps", rule, f"{num_right} of {len(samples)} right")
    return train_reward_model(
        samples,
        config.task,
        config.model.shape_for(config.task),
        start=model.state_dict(),
        settings=RewardModelSettings(epochs=epochs, learning_rate=config.train.learning_rate / 3),
        seed=config.seed,
    )


def trees(
    model: "Transformer",
    config: RunConfig,
    scorer: "TrainedRewardModel",
    problems: Sequence[Problem],
    *,
    sizes: Sequence[int],
    segments: SegmentRule,
    seed: int,
) -> tuple[Tree, ...]:
    """REBASE of each size on the same problems, chosen from by a vote that is weighted by the scorer."""
    task = config.task
    assert isinstance(task, HiddenChain)
    answers, grown = answers_of(task), []
    for size in sizes:
        results = rebase(
            problems,
            sampler_of(model, config),
            scorer.reward_model(task),
            num_candidates=size,
            segments=segments,
            temperature=config.evaluate.temperature,
            seed=seed,
        )
        right = [
            select.chance_right(
                select.answers_of(each.candidates, answers),
                [path.reward for path in each.candidates],
                [task.check(problem, path.text) for path in each.candidates],
                "weighted_vote",
            )
            for problem, each in zip(problems, results, strict=True)
        ]
        spent = mean_flops([search_flops(cost_of(config), scorer.cost, each.cost) for each in results])
        grown.append(
            Tree(
                size=size,
                right_P=tuple(right),
                model_flops=spent.model_flops,
                reward_flops=spent.reward_flops,
                num_leaks=sum(task.leaks(path.text) for each in results for path in each.candidates),
            )
        )
    return tuple(grown)
