"""What a configured run will cost. No torch: `breakeven flops` asks before anything is spent.

Counted and not counted: see `breakeven.cost.tokens`.
"""

from breakeven.config import RunConfig
from breakeven.cost.tokens import ModelCost
from breakeven.data.task import Task
from breakeven.errors import argument_error
from breakeven.records import QueryFlops, RunSpec


def sequence_tokens(task: Task) -> int:
    """Tokens the model reads per training sequence: all but the last, which is only predicted."""
    return task.prompt_tokens + task.output_tokens - 1


def cost_of(config: RunConfig) -> ModelCost:
    """FLOPs per token of the configured model."""
    return ModelCost.of(config.model.shape_for(config.task))


def longest_query(config: RunConfig) -> QueryFlops:
    """One query whose completions use all the tokens they may."""
    return cost_of(config).query_flops(config.task.prompt_tokens, config.task.output_tokens - 1)


def longest_evaluation_flops(config: RunConfig) -> float:
    """One evaluation whose completions use all the tokens they may."""
    query = longest_query(config)
    return config.evaluate.num_problems * (query.total(config.evaluate.num_samples) + query.total(1))


def spec_for(config: RunConfig) -> RunSpec:
    """The full budget of the configured run.

    Raises:
        ArgumentError: the budget does not even pay for one evaluation.
    """
    train = config.train
    budget_flops = cost_of(config).train_flops(train.steps * train.batch_size, sequence_tokens(config.task))
    one_evaluation = longest_evaluation_flops(config)
    if budget_flops <= one_evaluation:
        rule = f"make a budget above one evaluation, {one_evaluation:.4g} FLOPs"
        remedy = "Train longer, or evaluate fewer problems (evaluate.num_problems) or samples (evaluate.num_samples)."
        raise argument_error("train.steps", rule, f"{train.steps} steps, {budget_flops:.4g} FLOPs", remedy)
    return RunSpec(
        budget_flops=budget_flops,
        baseline=config.baseline,
        shared_prefill=config.shared_prefill,
        queries=config.queries,
        decay_share=train.decay_share,
        max_query_flops=config.max_query_flops,
        max_sequential_tokens=config.max_sequential_tokens,
        target=config.target,
        min_accuracy=config.min_accuracy,
        checker=config.checker,
        hours=config.hours,
        price_per_hour=config.price_per_hour,
        max_evaluation_seconds_share=config.max_evaluation_seconds_share,
    )
