"""A decision in two sentences, for whoever prints one, and a classifier's words; `breakeven.report` says more."""

import re
from typing import TYPE_CHECKING, Final

from breakeven.records.curves import FitStatus, Forecast

if TYPE_CHECKING:
    from breakeven.records.decisions import Decision

GOING_ON = {
    "not_due": "no evaluation is due",
    "evaluated_enough": "the share allowed for evaluations is spent",
    "evaluation_failed": "the evaluation failed",
    "too_few_checkpoints": "there are too few checkpoints to project full training",
    "too_few_problems": "there are too few problems to decide on",
    "too_early": "it is too early to trust a projection",
    "no_signal": "too little is solved yet",
    "no_projection": "the learning curve shows no ceiling yet",
    "no_k_curve": "accuracy against K has no shape yet",
    "out_of_reach": "no number of samples reaches the projection",
    "too_costly": "what reaches the projection costs as much as full training",
    "unsure": "what may reach the projection is not sure enough",
    "cheaper_later": "training on a little and serving with less is cheaper",
    "waiting": "what reaches the projection has not held for long enough",
    "reached": "a stop is advised, and this run goes on all the same",
    "budget_spent": "the budget is spent",
    "by_hand": "a stop was asked for by hand",
}
"""Why one trains on, by reason."""


def witness_words(forecast: Forecast) -> str:
    """How much earlier runs count in a forecast; empty where none was heard."""
    runs = "1 earlier run" if forecast.num_witnesses == 1 else f"{forecast.num_witnesses} earlier runs"
    return "".join(f", {runs} with weight {each.weight:.2f}" for each in forecast.members if each.name == "witnesses")


_PASSES: Final = {
    "greedy sample": "plain pass",
    "greedy samples": "plain passes",
    "greedy answer": "plain pass",
    "greedy answers": "plain passes",
    "greedy": "plain pass",
    "sample": "pass",
    "samples": "passes",
    "problem": "example",
    "problems": "examples",
    "nats per token": "nats per example",
    "tokens seen": "examples seen",
}
_SAMPLES: Final = re.compile(
    rf"(?<![\w./-])({'|'.join(sorted(_PASSES, key=len, reverse=True))})(?![\w/-]|\.\w)|,? at temperature [\d.]*\d",
    re.IGNORECASE,
)


def in_passes(text: str) -> str:
    """A sentence on samples of problems, as one says it of a classifier's passes over examples.

    Names with a dot, a slash or a hyphen at the word, as paths have them, stay as they are.

    >>> in_passes("Stop and serve one greedy sample per query; 4 samples at temperature 1 of runs/samples.")
    'Stop and serve one plain pass per query; 4 passes of runs/samples.'
    """

    def said(found: re.Match[str]) -> str:
        word = _PASSES.get(found[0].lower(), "")
        return word.capitalize() if found[0][:1].isupper() else word

    return _SAMPLES.sub(said, text)


def told(decision: "Decision", text: str) -> str:
    """A text on a decision, in the words of the model that it is on."""
    return in_passes(text) if decision.of_passes else text


def two_sentences(decision: "Decision") -> str:
    """What to do and why; then what it rests on. One sentence where nothing was measured."""
    return told(decision, _two_sentences(decision))


def _two_sentences(decision: "Decision") -> str:
    where = f"step {decision.step} ({decision.used:.0%} of the budget)"
    point, forecast = decision.serving, decision.forecast
    if decision.stop and point is not None:
        samples = "one greedy sample" if point.strategy == "greedy" else f"up to {point.k} samples"
        rule = "" if point.strategy == "greedy" else f" with {point.strategy.replace('_', ' ')}"
        first = f"Stop at {where} and serve {samples} per query{rule}: accuracy {point.accuracy:.3f} ({point.made})."
    elif decision.stop:
        first = f"Stop at {where}{', asked for by hand' if decision.reason == 'by_hand' else ''}."
    else:
        first = f"Train on at {where}: {GOING_ON.get(decision.reason, decision.reason)}."
    if forecast is None or forecast.status is not FitStatus.FITTED:
        measured = decision.baseline_accuracy
        return first if measured is None else f"{first} One sample has accuracy {measured:.3f} (measured)."
    interval = f", 90 % interval {forecast.lo:.3f} to {forecast.hi:.3f}" if forecast.lo < forecast.hi else ""
    full = f"{forecast.mean:.3f} (forecast{interval}{witness_words(forecast)}) for the fully trained model"
    if forecast.method == "target":
        full = f"the {forecast.mean:.3f} asked for"
    if decision.confidence is None or point is None:
        return f"{first} The {'accuracy to reach' if forecast.method == 'target' else 'projection'} is {full}."
    margin = f", less a margin of {decision.margin:.3g}" if decision.margin else ""
    return f"{first} With probability {decision.confidence:.2f} that reaches {full}{margin}."
