"""The few numbers a report opens with, each an answer: what to deploy, what it saves, how sure that is, until when."""

import math

from breakeven.records import Decision, Reason
from breakeven.records.words import told, witness_words
from breakeven.report.charts.workload import Workload
from breakeven.report.document import Fact
from breakeven.report.explain import explain
from breakeven.report.format import (
    format_accuracy,
    format_hours,
    format_probability,
    format_queries,
    format_share,
)
from breakeven.report.outlook import again_words, outlook_words
from breakeven.report.shown import Evaluated, Shown
from breakeven.report.words import (
    baseline_accuracy,
    baseline_words,
    break_even_note,
    break_even_number,
    interval_words,
    kind_words,
    lifetime_words,
    projection,
    samples_words,
    strategy_words,
)


def verdict_words(decision: Decision) -> str:
    """The decision as a headline."""
    if decision.reason is Reason.BUDGET_SPENT:
        return f"The full budget is used at step {decision.step}"
    if decision.stop and decision.serving is not None:
        return told(decision, f"Stop at step {decision.step}, serve {samples_words(decision.serving)} per query")
    return f"Stop at step {decision.step}" if decision.stop else f"Train on after step {decision.step}"


def lead_words(decision: Decision) -> str:
    """The decision in one sentence."""
    if not decision.stop or decision.reason is not Reason.REACHED or decision.serving is None:
        return explain(decision)
    like = "as accurate as the fully trained model with one"
    if (forecast := projection(decision)) is not None and forecast.method == "target":
        like = f"at the accuracy of {format_accuracy(forecast.mean)} that was asked for"
    sure = " (forecast)"
    if decision.confidence is not None:
        sure = f", with probability {format_probability(decision.confidence)} (forecast)"
    served = samples_words(decision.serving)
    return told(decision, f"Training may stop: this checkpoint, with {served} per query, is {like}{sure}.")


def wrong_words(decision: Decision) -> str:
    """What it means if the decision is wrong, and what can be done then; empty where nothing was staked."""
    left = f"the other {format_share(1.0 - decision.used)} of the budget"
    if decision.stop and decision.reason is Reason.REACHED:
        again = again_words(decision)
        if decision.confidence is None:
            return f"If it is wrong: this method gives no probability of that. {again}"
        doubt = format_probability(1.0 - decision.confidence)
        above = f" by more than {format_accuracy(decision.margin)}" if decision.margin > 0 else ""
        return (
            f"If it is wrong, which has probability {doubt} (forecast), the fully trained model would have been more "
            f"accurate than what is served{above}. {again}"
        )
    if decision.stop:
        return ""
    return f"If training on is wrong, it costs FLOPs and no accuracy: {left} at most."


def change_words(decision: Decision, required: float | None) -> list[str]:
    """Conditions under which the decision would be another one, with what the record says would change it.

    Args:
        decision: on which all of this is.
        required: probability that the policy asks for; None where it asks for none, or that is not known.
    """
    sentences = [] if decision.stop else list(outlook_words(decision))
    if not decision.stop or decision.reason is not Reason.REACHED:
        return sentences
    if decision.break_even_queries is not None and 0 < decision.break_even_queries < math.inf:
        queries = format_queries(decision.break_even_queries)
        sentences.append(f"If more than {queries} queries will be served, full training is the cheaper choice.")
    if decision.confidence is not None and required is not None:
        sure, asked = format_probability(decision.confidence), format_probability(required)
        sentences.append(f"If a probability above {sure} were required in place of {asked}, training would go on.")
    if needs_checker(decision):
        sentences.append("If no checker can run at serving time, this way to serve is not there.")
    again = again_words(decision)
    return [*sentences, *(each for each in outlook_words(decision) if each != again)]


def fact_rows(checkpoint: Shown, load: Workload | None, required: float | None = None) -> tuple[Fact, ...]:
    """What to deploy, what it saves, how sure that is, until how many queries; of a run that goes on, where it stands.

    Args:
        checkpoint: the one that the report leads with.
        load: its workload, for the interval of the break-even.
        required: probability that the policy asks for, where that is known.
    """
    decision = checkpoint.decision
    if decision.serving is not None:
        sure = _sure(decision, required)
        facts = [_deployed(decision), _saved(decision), *sure, _until(decision, load), *_lifetime(decision)]
    else:
        how = "of the declared budget" if isinstance(checkpoint, Evaluated) else "training FLOPs, counted"
        used = Fact(what="Budget used", number=format_share(decision.used), how=how)
        facts = [_accuracy(checkpoint), *_full(decision), *_sure(decision, required), used]
    return tuple(
        Fact(what=each.what, number=told(decision, each.number), how=told(decision, each.how)) for each in facts
    )


def _deployed(decision: Decision) -> Fact:
    point = decision.serving
    assert point is not None
    how = f"per query, {strategy_words(point.strategy)} ({kind_words(point.deployable)})"
    if needs_checker(decision):
        how += ": the first that a checker accepts, which must run at serving time too"
    if point.expected_samples is not None and point.expected_samples < point.k:
        how += f"; {point.expected_samples:.3g} expected"
    how += f"; accuracy {format_accuracy(point.accuracy)} ({point.made}{interval_words(*_interval(decision))})"
    what = "What to deploy" if decision.stop else "What would be deployed"
    return Fact(what=what, number=samples_words(point), how=how)


def needs_checker(decision: Decision) -> bool:
    """Whether what is served is drawn until a checker accepts it."""
    point, curve = decision.serving, decision.k_curve
    return point is not None and curve is not None and curve.strategy == point.strategy and curve.until_right


def _interval(decision: Decision) -> tuple[float, float]:
    """The 90 % interval of what is served; empty where it has none."""
    point, curve = decision.serving, decision.k_curve
    if point is None or curve is None or curve.strategy != point.strategy or point.k not in curve.k_values:
        return 0.0, 0.0
    at = curve.k_values.index(point.k)
    return curve.lo_K[at], curve.hi_K[at]


def _saved(decision: Decision) -> Fact:
    what = "What it saves" if decision.stop else "Saved if stopped here"
    net, gross = decision.net_saving, decision.gross_saving
    if net is None:
        number = "unknown" if gross is None else format_share(gross)
        return Fact(what=what, number=number, how="of the training FLOPs; evaluation not charged, its FLOPs unknown")
    how = "of the training FLOPs, net of evaluation"
    how += "" if gross is None or format_share(gross) == format_share(net) else f"; {format_share(gross)} before it"
    wall = decision.wall
    if wall is not None and wall.saved_hours is not None:
        how += f"; {format_hours(wall.saved_hours)}"
        how += "" if wall.saved_money is None else f", {wall.saved_money:.4g} in money"
    return Fact(what=what, number=format_share(net), how=how)


def _sure(decision: Decision, required: float | None) -> list[Fact]:
    if decision.confidence is None:
        return _full(decision) if decision.serving is not None else []
    forecast, rests = projection(decision), ""
    if forecast is not None:
        full = "the accuracy asked for" if forecast.method == "target" else "the fully trained model"
        rests = f" {full}, {format_accuracy(forecast.mean)}{interval_words(forecast.lo, forecast.hi)}"
        rests += witness_words(forecast)
    margin = f", less {format_accuracy(decision.margin)}" if decision.margin > 0 else ""
    ahead = forecast is not None and forecast.decay == "unknown"
    decay = "; a learning-rate decay still ahead is not in it" if ahead else ""
    asked = "" if required is None else f"{format_probability(required)} was required; "
    how = f"{asked}probability to reach{rests}{margin} (forecast){decay}"
    return [Fact(what="How sure", number=format_probability(decision.confidence), how=how)]


def _until(decision: Decision, load: Workload | None) -> Fact:
    how = f"served queries; {break_even_note(decision)}"
    if load is not None and load.break_even_lo is not None:
        hi = "never" if load.break_even_hi is None else format_queries(load.break_even_hi)
        how += f"; 90 % interval {format_queries(load.break_even_lo)} to {hi}"
    return Fact(what="Cheaper until", number=break_even_number(decision), how=how)


def _lifetime(decision: Decision) -> list[Fact]:
    mine, full = decision.lifetime_flops, decision.full_lifetime_flops
    if not lifetime_words(decision) or mine is None or full is None:
        return []
    number, how = format_share(1 - mine / full), "forecast; all FLOPs, training to last query"
    return [Fact(what="Saved over the declared queries", number=number, how=how)]


def _accuracy(checkpoint: Shown) -> Fact:
    how = f"measured; {baseline_words(checkpoint.decision.baseline)}"
    return Fact(what="Accuracy now", number=format_accuracy(baseline_accuracy(checkpoint)), how=how)


def _full(decision: Decision) -> list[Fact]:
    forecast = projection(decision)
    if forecast is None:
        return []
    how = f"forecast; {baseline_words(decision.baseline)}{interval_words(forecast.lo, forecast.hi)}"
    return [Fact(what="Fully trained model", number=format_accuracy(forecast.mean), how=how)]
