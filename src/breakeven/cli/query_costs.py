"""What queries and evaluations cost, from the options of a command: nothing is assumed that was not declared."""

from dataclasses import dataclass
from pathlib import Path

from breakeven import check
from breakeven.cost.tokens import ModelCost
from breakeven.errors import argument_error
from breakeven.readers.model_config import cost_from_config
from breakeven.records import QueryFlops
from breakeven.ttc.tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryCosts:
    """What a query costs, as declared."""

    query_flops: QueryFlops
    output_tokens: float

    def evaluation_flops(self, tally: Tally) -> float:
        """Greedy and other samples of every problem, the prompt read once for each of the two."""
        greedy = 0 if tally.greedy_P is None else tally.num_problems
        prefills = greedy + int((tally.samples_P > 0).sum())
        samples = greedy + int(tally.samples_P.sum())
        return prefills * self.query_flops.prefill_flops + samples * self.query_flops.decode_flops


def model_cost(params: float | None, model_config: Path | None) -> ModelCost | None:
    """The model's cost per token, as far as it was declared: from --params alone, attention is not counted."""
    if params is not None and model_config is not None:
        raise argument_error("--params", "be left out when --model-config is given", params)
    if model_config is not None:
        return cost_from_config(model_config)
    if params is None:
        return None
    check.positive("--params", params, "For example 1.6e8.")
    return ModelCost(body_params=params)


def query_costs(
    model: ModelCost | None, prompt_tokens: float | None, output_tokens: float | None, queries: float | None
) -> QueryCosts | None:
    """FLOPs of a query where model and token counts are declared, else None: unknown.

    Raises:
        ArgumentError: some of them but not all that are needed together.
    """
    given = {"--prompt-tokens": prompt_tokens, "--output-tokens": output_tokens}
    for (name, value), least in zip(given.items(), (0, 1), strict=True):
        if value is not None:
            check.finite(name, value, least)
    if prompt_tokens is not None and output_tokens is not None and model is not None:
        return QueryCosts(query_flops=model.query_flops(prompt_tokens, output_tokens - 1), output_tokens=output_tokens)
    wanted = {"--params or --model-config": model, **given}
    missing = [name for name, value in wanted.items() if value is None]
    asking = "--queries" if queries is not None else next((name for name, each in given.items() if each), None)
    if asking is not None:
        raise argument_error(", ".join(missing), f"be given with {asking}", "none", "Queries have no price without.")
    return None


def query_cap(
    max_query_flops: float | None,
    max_query_cost: float | None,
    hour_price: float | None,
    peak_flops: float | None,
    efficiency: float | None,
) -> float | None:
    """Most FLOPs a query may cost, declared as such or as money: cost / hour_price x 3600 x peak_flops x efficiency.

    Args:
        max_query_flops: FLOPs per query.
        max_query_cost: money per query, in the unit of `hour_price`.
        hour_price: what one accelerator costs per hour.
        peak_flops: its peak, in FLOPs per second.
        efficiency: share of the peak that serving reaches, in (0, 1].

    Raises:
        ArgumentError: both caps, a price without what turns it into FLOPs, or a value out of range.

    >>> round(query_cap(None, 1e-6, 3.6, 1e15, 0.5) or 0.0)
    500000000000
    """
    money = {"--hour-price": hour_price, "--peak-flops": peak_flops, "--efficiency": efficiency}
    if max_query_cost is None:
        if given := next((name for name, value in money.items() if value is not None), None):
            raise argument_error(given, "be given with --max-query-cost", money[given], "Or leave it out.")
        return max_query_flops
    if max_query_flops is not None:
        raise argument_error("--max-query-flops", "be left out when --max-query-cost is given", max_query_flops)
    for name, value in {"--max-query-cost": max_query_cost, **money}.items():
        check.positive(name, value, "Prices and efficiency are never assumed.")
    assert hour_price is not None
    assert peak_flops is not None
    assert efficiency is not None
    if efficiency > 1:
        raise argument_error("--efficiency", "be a share up to 1", efficiency, "Divide percentages by 100.")
    return max_query_cost / hour_price * 3600.0 * peak_flops * efficiency
