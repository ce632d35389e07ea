"""`breakeven flops`: what a run, an evaluation and a served query cost."""

from typing import Annotated

import typer
from rich.table import Table

from breakeven.cli.common import JsonOption, console, print_json
from breakeven.config import load_recipe
from breakeven.model.flops import ModelCost
from breakeven.report.format import format_flops


def flops(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe or the path of a TOML file.")] = "countdown",
    set_: Annotated[list[str] | None, typer.Option("--set", help="Override a setting: key=value.")] = None,
    samples: Annotated[int, typer.Option(help="K, samples per query.", min=1)] = 8,
    json: JsonOption = False,
) -> None:
    """Print the FLOPs of a recipe's full run, of one evaluation and of one query, before anything is spent."""
    config = load_recipe(recipe, set_ or [])
    task, evaluation = config.task, config.evaluate
    cost = ModelCost.of(config.model.shape_for(task))
    sequence = task.prompt_tokens + task.output_tokens - 1
    query = cost.query_flops(task.prompt_tokens, task.output_tokens)
    full_run = cost.train_flops(config.train.steps * config.train.batch_size, sequence)
    one_evaluation = evaluation.num_problems * (query.total(evaluation.num_samples) + query.total(1))
    numbers = {
        "matmul_params": cost.body_params + cost.head_params,
        "train_flops": full_run,
        "train_flops_per_token": cost.train_flops(1, sequence) / sequence,
        "evaluation_flops": one_evaluation,
        "evaluation_share_of_interval": one_evaluation * config.train.steps / evaluation.every_steps / full_run,
        "query_flops_one_sample": query.total(1),
        "samples": samples,
        "query_flops_shared_prefill": query.total(samples),
        "query_flops_unshared_prefill": query.total(samples, shared_prefill=False),
    }
    if json:
        print_json(numbers)
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("parameters in matrix multiplies", f"{numbers['matmul_params']:,.0f}")
    table.add_row(f"full run, {config.train.steps} steps", format_flops(full_run))
    table.add_row("one evaluation, longest completions", format_flops(one_evaluation))
    table.add_row("all evaluations over the full run", f"{numbers['evaluation_share_of_interval']:.1%} of training")
    table.add_row("one query, 1 sample", format_flops(query.total(1)))
    table.add_row(f"one query, {samples} samples, shared prefill", format_flops(query.total(samples)))
    table.add_row(
        f"one query, {samples} samples, unshared prefill", format_flops(query.total(samples, shared_prefill=False))
    )
    console.print(table)
    console.print(
        "Counted: matrix multiplies, attention over the context, output head. Not: norms, softmax, optimizer."
    )
