"""What is known of serving as options: a measurement of `eval`, and what a checkpoint of a log offers.

They are converted and stay records of their own: each holds what an option has no place for, and may lack the prices
that an option must have (docs/design/plan.md).
"""

from collections.abc import Mapping

from breakeven.errors import ArgumentError, argument_error
from breakeven.records.decisions import ServingPoint
from breakeven.records.measurements import Measurement
from breakeven.records.options import Option, Quality, Setting


def option_of_measurement(
    measured: Measurement, *, name: str, train_flops: float = 0.0, settings: Mapping[str, Setting] | None = None
) -> Option:
    """What `eval` measured of one strategy at one K, as an option; the prompt is read once for all samples.

    Args:
        measured: with its price.
        name: of the option.
        train_flops: of the model, which an evaluation does not know.
        settings: besides strategy, K and number of verdicts.

    Raises:
        ArgumentError: nobody said what a token costs.
    """
    if measured.model_flops is None or measured.reward_flops is None:
        raise _unpriced(name)
    verdicts: dict[str, Setting] = {"num_verdicts": measured.num_verdicts} if measured.num_verdicts else {}
    return Option(
        name=name,
        settings={**(settings or {}), **_way(measured), **verdicts},
        train_flops=train_flops,
        query_flops=measured.model_flops,
        reward_flops=measured.reward_flops,
        quality=Quality(value=measured.accuracy, lo=measured.lo, hi=measured.hi, made=measured.made),
    )


def option_of_serving(point: ServingPoint, *, name: str, train_flops: float, one_off: Mapping[str, float]) -> Option:
    """What a checkpoint offers, as an option; FLOPs of reward models are among those of the model.

    Args:
        point: with its price.
        name: of the option.
        train_flops: up to the checkpoint.
        one_off: further FLOPs by line, of evaluations say.

    Raises:
        ArgumentError: nobody said what a token costs.
    """
    if point.flops_per_query is None:
        raise _unpriced(name)
    return Option(
        name=name,
        settings={"step": point.step, **_way(point)},
        train_flops=train_flops,
        one_off=dict(one_off),
        query_flops=point.flops_per_query,
        quality=Quality(value=point.accuracy, made=point.made),
    )


def _way(each: Measurement | ServingPoint) -> dict[str, Setting]:
    return {"strategy": each.strategy, "k": each.k, "deployable": each.deployable}


def _unpriced(name: str) -> ArgumentError:
    remedy = "Say what a token costs: --params of a served model, for one."
    return argument_error(f"option {name}", "have FLOPs per query", None, remedy)
