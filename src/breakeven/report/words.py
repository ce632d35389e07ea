"""What sentences, tables, charts and the page share: which checkpoint leads, its numbers, and their words."""

import math
from collections.abc import Sequence

from breakeven.errors import argument_error
from breakeven.records import Decision, FitStatus, Forecast, KCurve, Made, SampleBank, ServingPoint
from breakeven.records.options import Option
from breakeven.report.format import (
    format_accuracy,
    format_flops,
    format_hours,
    format_queries,
    format_samples,
    format_share,
)
from breakeven.report.shown import Evaluated, Shown


def headline(checkpoints: Sequence[Shown], run: str = "this run") -> int:
    """Index of the checkpoint a report leads with: the first that stops, else the last.

    Raises:
        ArgumentError: there is no checkpoint.
    """
    if not checkpoints:
        remedy = f"{run} has no evaluations to report: train on until the first evaluation."
        raise argument_error("checkpoints", "hold at least one evaluation", 0, remedy)
    stops = (index for index, checkpoint in enumerate(checkpoints) if checkpoint.decision.stop)
    return next(stops, len(checkpoints) - 1)


_BASELINES = {
    "greedy": "one greedy sample",
    "sampled": "one sample at temperature (Pass@1)",
    "best": "one sample, greedy or at temperature, whichever is better",
}


def baseline_words(baseline: str) -> str:
    """How the one-sample baseline decodes, in words."""
    return _BASELINES.get(baseline, baseline)


def strategy_words(strategy: str) -> str:
    """A strategy's name as one reads it."""
    return strategy.replace("_", " ")


def samples_words(point: ServingPoint) -> str:
    """How many samples a query takes: K, or at most K where serving stops early."""
    if point.strategy == "greedy":
        return "one greedy sample"
    early = point.expected_samples is not None and point.expected_samples < point.k
    return f"{'at most ' if early else ''}{format_samples(point.k)}"


def serving_words(point: ServingPoint) -> str:
    """What to serve: samples a query, how many of them are expected, strategy, and whether it can be deployed."""
    kind = kind_words(point.deployable)
    if point.strategy == "greedy":
        return f"one greedy sample per query ({kind})"
    expected = ""
    if point.expected_samples is not None and point.expected_samples < point.k:
        expected = f", {point.expected_samples:.3g} expected ({point.made}),"
    return f"{samples_words(point)} per query{expected} with {strategy_words(point.strategy)} ({kind})"


def unmeasured(option: Option) -> str:
    """How an option's quality was made, to stand behind a name or a number; nothing where it was measured."""
    return "" if option.quality.made is Made.MEASURED else f" ({option.quality.made})"


def kind_words(deployable: bool) -> str:
    """Whether a strategy can be served as it was measured."""
    return "deployable" if deployable else "oracle, an upper bound"


def baseline_accuracy(checkpoint: Shown) -> float:
    """The measured one-sample accuracy: as the decision recorded it, else the bank's under the same decoding."""
    if checkpoint.decision.baseline_accuracy is not None:
        return checkpoint.decision.baseline_accuracy
    if isinstance(checkpoint, Evaluated):
        return math.nan
    return bank_baseline(checkpoint.observation.bank, checkpoint.decision.baseline)


def bank_baseline(bank: SampleBank, baseline: str) -> float:
    """The one-sample accuracy of a bank under a baseline decoding."""
    if not bank.greedy_correct_P:
        return bank.sampled_accuracy
    if baseline == "best" and bank.num_drawn:
        return max(bank.greedy_accuracy, bank.sampled_accuracy)
    return bank.sampled_accuracy if baseline == "sampled" else bank.greedy_accuracy


def largest_measured(curve: KCurve | None) -> tuple[int, float] | None:
    """The largest measured K with its accuracy, if any."""
    if curve is None:
        return None
    measured = [(k, a) for k, a, made in zip(curve.k_values, curve.accuracy_K, curve.made_K, strict=True)
                if made is Made.MEASURED]  # fmt: skip
    return max(measured, default=None)


def projection(decision: Decision) -> Forecast | None:
    """The forecast, unless it is only a fallback that nothing was decided on."""
    forecast = decision.forecast
    return forecast if forecast is not None and forecast.status is FitStatus.FITTED else None


def interval_words(lo: float, hi: float) -> str:
    """The 90 % interval in words; empty where the method has none."""
    return f", 90 % interval {format_accuracy(lo)} to {format_accuracy(hi)}" if lo < hi else ""


def break_even_words(decision: Decision) -> str:
    """Up to how many served queries stopping stays cheaper, as a sentence without its full stop."""
    if decision.serving is not None and decision.serving.flops_per_query is None:
        return "At how many served queries full training would have been cheaper is unknown"
    if decision.break_even_queries is None or math.isinf(decision.break_even_queries):
        return "Cheaper than full training however many queries are served"
    if decision.break_even_queries <= 0:
        return "Not cheaper than full training for any number of served queries, evaluation included"
    return f"Cheaper than full training until {format_queries(decision.break_even_queries)} served queries"


def break_even_number(decision: Decision) -> str:
    """The number of break-even queries."""
    if decision.serving is not None and decision.serving.flops_per_query is None:
        return "unknown"
    return format_queries(decision.break_even_queries)


def break_even_note(decision: Decision) -> str:
    """What the number of break-even queries means, to stand beside it."""
    if decision.serving is not None and decision.serving.flops_per_query is None:
        return "nobody said what a token costs"
    if decision.break_even_queries is None or math.isinf(decision.break_even_queries):
        return "full training would not become cheaper by serving more"
    if decision.break_even_queries <= 0:
        return "full training is cheaper from the first one on"
    return "from then on full training would have been cheaper"


def lifetime_words(decision: Decision) -> str:
    """What training, evaluation and the declared queries cost beside full training; empty where none were declared."""
    mine, full = decision.lifetime_flops, decision.full_lifetime_flops
    if mine is None or full is None or full <= 0:
        return ""
    change = f"{format_share(abs(1 - mine / full))} {'less' if mine < full else 'more'}"
    return f"{format_flops(mine)} in all against {format_flops(full)} after full training, {change} (forecast)"


def wall_words(decision: Decision) -> str:
    """Hours and money that stopping saves, or that they are unknown; empty where nobody asked for them."""
    wall = decision.wall
    if wall is None:
        return ""
    if wall.saved_hours is None or wall.full_hours is None:
        return "Hours saved are unknown, for no seconds were recorded and none declared"
    net = "net of evaluation" if wall.evaluation_seconds is not None else "evaluation not charged, its seconds unknown"
    money = "" if wall.saved_money is None else f" and {wall.saved_money:.4g} at {wall.price_per_hour:g} an hour"
    of = f"the {format_hours(wall.full_hours)} of full training ({wall.full_hours_are})"
    return f"Saves {format_hours(wall.saved_hours)}{money} of {of}, {net}"


def wall_rows(decision: Decision) -> list[tuple[str, str, str]]:
    """(item, time, what it is) of the wall time; none where nobody asked for it."""
    wall = decision.wall
    if wall is None:
        return []
    rows: list[tuple[str, float | None, str]] = [
        ("Wall time of full training", wall.full_hours, wall.full_hours_are or ""),
        ("Wall time of training up to here", _hours(wall.train_seconds), "measured"),
        ("Wall time of evaluation up to here", _hours(wall.evaluation_seconds), "measured"),
    ]
    saved = "Saved" if decision.stop else "Would be saved by stopping here"
    net = "net of evaluation" if wall.evaluation_seconds is not None else "evaluation not charged"
    rows.append((f"{saved}, wall time", wall.saved_hours, net))
    shown = [(item, "-" if n is None else format_hours(n), "unknown" if n is None else how) for item, n, how in rows]
    if wall.price_per_hour is not None:
        money = "-" if wall.saved_money is None else f"{wall.saved_money:.4g}"
        shown.append((f"{saved}, money", money, f"at {wall.price_per_hour:g} an hour"))
    return shown


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 3600
