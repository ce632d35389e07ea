"""What would change a decision is said where it is known, and that it cannot be known where it is not."""

import dataclasses
from typing import Any

import pytest

from breakeven.records import Decision, Member, Outlook, Reason
from breakeven.report.outlook import member_rows, outlook_words

WIDE = {"mean": 0.525, "lo": 0.2, "hi": 0.98, "late_rise": 0.11}


@pytest.fixture
def decided(calibrated):
    def make(reason: Reason = Reason.UNSURE, forecast: dict[str, float] | None = None, **outlook: Any) -> Decision:
        decision = calibrated(reason=reason).decision
        known: dict[str, Any] = {"enough": 0.61, "k": 8, "exact_confidence": 0.94, **outlook}
        return dataclasses.replace(
            decision,
            confidence=0.8,
            forecast=dataclasses.replace(decision.forecast, **(forecast or {})),
            outlook=Outlook(**known),
        )

    return make


def test_what_is_lacking_and_what_more_samples_bring(decided):
    assert outlook_words(decided()) == [
        "An accuracy of 0.610 would be sure enough now.",
        "More samples of this checkpoint could bring pass@k at K = 8 to probability 0.94, as it is estimated.",
    ]
    assert "the forecast is what is in doubt" in outlook_words(decided(exact_confidence=0.81))[1]
    assert outlook_words(decided(k=None, exact_confidence=None)) == ["An accuracy of 0.610 would be sure enough now."]


def test_what_cannot_be_known_is_said_in_those_words(decided):
    sentences = outlook_words(decided(forecast=WIDE))
    assert sentences[0] == (
        "Where full training ends cannot be known from this curve yet: anywhere from 0.200 to 0.980."
    )
    assert sentences[-1] == "The forecast holds 11 % for a rise that nothing has announced."


def test_what_a_checker_at_serving_time_would_allow(decided):
    sentences = outlook_words(decided(checker_k=4, checker_confidence=0.96))
    assert sentences[-1] == (
        "If a checker ran at serving time (checker = true), K = 4 would suffice with probability 0.96 (forecast)."
    )
    assert len(outlook_words(decided(checker_k=4, checker_confidence=0.81))) == 2


def test_a_stop_says_what_going_on_would_cost(decided):
    decision = decided(reason=Reason.REACHED)
    assert outlook_words(decision)[-1].endswith("to the end it costs the other 76 % of the budget.")


def test_nothing_is_said_of_a_decision_without_a_density(decided, checkpoint):
    assert outlook_words(checkpoint().decision) == []
    assert outlook_words(dataclasses.replace(decided(), forecast=None)) == []


def test_members_come_by_weight(decided):
    members = (Member(name="level", weight=0.2, median=0.4), Member(name="hills", weight=0.8, median=0.5))
    forecast = dataclasses.replace(decided().forecast, members=members)
    assert member_rows(forecast) == [
        ("slow, then fast, then level (Hill curves)", "80 %", "0.500"),
        ("it stays where it is", "20 %", "0.400"),
    ]
    assert member_rows(None) == []
