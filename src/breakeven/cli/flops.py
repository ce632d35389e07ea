"""`breakeven flops`: what a run, an evaluation and a served query cost."""

from typing import Annotated

import typer
from rich.table import Table

from breakeven.cli.common import JsonOption, console, print_json
from breakeven.config import load_recipe
from breakeven.records import NOT_COUNTED
from breakeven.report.format import format_flops
from breakeven.train.costs import cost_of, longest_evaluation_flops, longest_query, sequence_tokens, spec_for


def flops(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe or the path of a TOML file.")] = "countdown",
    set_: Annotated[list[str] | None, typer.Option("--set", help="Override a setting: key=value.")] = None,
    samples: Annotated[int, typer.Option(help="K, samples per query.", min=1)] = 8,
    json: JsonOption = False,
) -> None:
    """Print the FLOPs of a recipe's full run, of one evaluation and of one query, before anything is spent."""
    config = load_recipe(recipe, set_ or [])
    cost, query, sequence = cost_of(config), longest_query(config), sequence_tokens(config.task)
    full_run = spec_for(config).budget_flops
    one_evaluation = longest_evaluation_flops(config)
    numbers = {
        "matmul_params": cost.body_params + cost.head_params,
        "train_flops": full_run,
        "train_flops_per_token": cost.train_flops(1, sequence) / sequence,
        "evaluation_flops": one_evaluation,
        "evaluation_share_of_interval": one_evaluation * config.train.steps / config.evaluate.every_steps / full_run,
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
    console.print("Counted: matrix multiplies, attention over the context, the output head.")
    console.print(f"Not counted: {NOT_COUNTED}.")
