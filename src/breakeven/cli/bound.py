"""`breakeven bound`: how many served queries until full training would have been cheaper."""

import math
from functools import partial
from typing import Annotated

import typer

from breakeven.choice.break_even import break_even_bound, break_even_queries
from breakeven.cli.common import JsonOption, console, print_json
from breakeven.errors import argument_error

_tokens, _flops = (partial(typer.Option, rich_help_panel=f"From {each}") for each in ("token counts", "FLOPs"))


def bound(
    train_tokens: Annotated[float | None, _tokens(help="D, tokens of the full run.")] = None,
    output_tokens: Annotated[float | None, _tokens(help="T, tokens generated per sample.")] = None,
    used: Annotated[float | None, _tokens(help="r, share of the budget used.")] = None,
    cost_ratio: Annotated[
        float | None, _tokens(help="lambda, FLOPs per query with K samples over one sample's.")
    ] = None,
    train_to_inference: Annotated[
        float | None,
        _tokens(help="rho, FLOPs of a trained token over a generated one; default 6 as in the paper (6N over 2N: 3)."),
    ] = None,
    budget_flops: Annotated[float | None, _flops(help="C_B, training FLOPs of the full run.")] = None,
    train_flops: Annotated[float | None, _flops(help="C_t, training FLOPs at the stop.")] = None,
    evaluation_flops: Annotated[float, _flops(help="E, FLOPs of all evaluations.")] = 0.0,
    query_flops: Annotated[float | None, _flops(help="I_t, FLOPs per query with K samples.")] = None,
    baseline_query_flops: Annotated[float | None, _flops(help="I_B, FLOPs per query with one sample.")] = None,
    json: JsonOption = False,
) -> None:
    """Print the break-even in served queries; "never" where serving the checkpoint costs no more per query.

    Give either the four token options (the paper's bound) or the FLOPs options (every FLOP charged).
    """
    from_tokens = {
        "--train-tokens": train_tokens,
        "--output-tokens": output_tokens,
        "--used": used,
        "--cost-ratio": cost_ratio,
    }
    from_flops = {
        "--budget-flops": budget_flops,
        "--train-flops": train_flops,
        "--query-flops": query_flops,
        "--baseline-query-flops": baseline_query_flops,
    }
    if any(value is not None for value in from_flops.values()):
        without = from_tokens | {"--train-to-inference": train_to_inference}
        budget, train, query, baseline_query = _given(from_flops, without=without)
        queries = break_even_queries(
            budget_flops=budget,
            train_flops=train,
            evaluation_flops=evaluation_flops,
            query_flops=query,
            baseline_query_flops=baseline_query,
        )
    else:
        train, output, share, ratio = _given(from_tokens, without={"--evaluation-flops": evaluation_flops or None})
        queries = break_even_bound(
            train_tokens=train,
            output_tokens=output,
            used=share,
            cost_ratio=ratio,
            train_to_inference=6.0 if train_to_inference is None else train_to_inference,
        )
    if json:
        print_json({"break_even_queries": queries if math.isfinite(queries) else None})
    else:
        console.print("never" if math.isinf(queries) else f"{_scientific(queries)} queries")


def _scientific(value: float) -> str:
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def _given(options: dict[str, float | None], *, without: dict[str, float | None]) -> list[float]:
    """The values of `options`, all of which must be given, and none of `without`."""
    missing = [name for name, value in options.items() if value is None]
    if missing:
        given = [name for name in options if name not in missing]
        remedy = f"Together with {', '.join(given)}." if given else ""
        raise argument_error(", ".join(missing), "be given", "none", remedy)
    mixed = [name for name, value in without.items() if value is not None]
    if mixed:
        raise argument_error(mixed[0], f"be left out when {next(iter(options))} is given", without[mixed[0]])
    return [value for value in options.values() if value is not None]
