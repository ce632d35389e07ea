"""What would change a decision, in sentences, and the members that spoke in its forecast."""

from typing import Final

from breakeven.records import Decision, Forecast, Reason
from breakeven.records.words import told
from breakeven.report.format import format_accuracy, format_probability, format_share
from breakeven.report.words import projection, strategy_words

_OPEN: Final = (Reason.UNSURE, Reason.OUT_OF_REACH)
"""Reasons for which more certainty would do."""
_WIDE: Final = 0.5
"""Width of an interval from which on the end of training cannot be told."""
_MUCH: Final = 0.02
"""Probability by which something must change for it to be said."""
_ANNOUNCED: Final = 0.05
"""Weight of a late rise from which on it is named."""
_MEMBERS: Final = {
    "shapes": "powers and saturating curves",
    "logit_shapes": "the same on the logit scale",
    "hills": "slow, then fast, then level (Hill curves)",
    "level": "it stays where it is",
    "log_line": "a line in log FLOPs",
    "late_rise": "a rise that nothing has announced",
    "witnesses": "as earlier runs went on",
}


def outlook_words(decision: Decision) -> list[str]:
    """Sentences on what would change the decision; none where it rests on no density."""
    outlook, forecast = decision.outlook, projection(decision)
    if outlook is None or forecast is None:
        return []
    sentences = []
    if decision.reason in _OPEN:
        if forecast.hi - forecast.lo > _WIDE:
            sentences.append(
                f"Where full training ends cannot be known from this curve yet: anywhere from "
                f"{format_accuracy(forecast.lo)} to {format_accuracy(forecast.hi)}."
            )
        sentences.append(f"An accuracy of {format_accuracy(outlook.enough)} would be sure enough now.")
        sentences += _more_samples(decision)
    checked, now = outlook.checker_confidence, decision.confidence or 0.0
    if checked is not None and checked > now + _MUCH:
        sentences.append(
            f"If a checker ran at serving time (checker = true), K = {outlook.checker_k} would suffice with "
            f"probability {format_probability(checked)} (forecast)."
        )
    if forecast.late_rise >= _ANNOUNCED:
        sentences.append(
            f"The forecast holds {format_share(forecast.late_rise)} for a rise that nothing has announced."
        )
    if decision.stop and decision.reason is Reason.REACHED:
        sentences.append(again_words(decision))
    return [told(decision, each) for each in sentences]


def again_words(decision: Decision) -> str:
    """That a stop is not the end, and what going on would cost."""
    return (
        f"Training can be taken up again where it stopped; to the end it costs the other "
        f"{format_share(1.0 - decision.used)} of the budget."
    )


def _more_samples(decision: Decision) -> list[str]:
    outlook, curve = decision.outlook, decision.k_curve
    if outlook is None or outlook.exact_confidence is None or decision.confidence is None or curve is None:
        return []
    how = "one greedy sample" if curve.strategy == "greedy" else f"{strategy_words(curve.strategy)} at K = {outlook.k}"
    if outlook.exact_confidence > decision.confidence + _MUCH:
        most = format_probability(outlook.exact_confidence)
        return [f"More samples of this checkpoint could bring {how} to probability {most}, as it is estimated."]
    return [f"More samples of this checkpoint would not make {how} surer: the forecast is what is in doubt."]


def member_rows(forecast: Forecast | None) -> list[tuple[str, str, str]]:
    """(account, weight, what it foretells) of each member of a forecast, the weightiest first."""
    members = () if forecast is None else forecast.members
    return [
        (_MEMBERS.get(each.name, each.name.replace("_", " ")), format_share(each.weight), format_accuracy(each.median))
        for each in sorted(members, key=lambda each: -each.weight)
    ]
