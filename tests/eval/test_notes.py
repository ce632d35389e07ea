"""What a reader of an evaluation is told besides its table."""

from dataclasses import replace
from typing import Any

import pytest

from breakeven.eval.notes import first_line, notes
from breakeven.eval.run import Evaluation
from breakeven.records import Measurement


def measured(strategy: str = "pass@k", **changes: Any) -> Measurement:
    values: dict[str, Any] = {
        "strategy": strategy,
        "deployable": True,
        "k": 4,
        "accuracy": 0.5,
        "standard_error": 0.1,
        "lo": 0.4,
        "hi": 0.6,
        "num_problems": 10,
        "expected_samples": 4.0,
        "output_tokens": 8.0,
        "model_flops": 1.0,
    }
    return Measurement(**(values | changes))


PLAIN = Evaluation(
    model="m",
    task="t",
    temperature=0.8,
    num_problems=10,
    num_samples=4,
    num_drawn=50,
    num_failed=0,
    num_truncated=0,
    num_unanswered=0,
    num_uncompared=0,
    oracle=False,
    measurements=(measured(),),
)


def test_where_nothing_is_amiss_there_is_one_note() -> None:
    (note,) = notes(PLAIN)
    assert note.startswith(
        "10 problems, 4 samples each at temperature 0.8 and one greedy. Intervals are 90 %, for new "
    )


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        (
            {"measurements": (measured(deployable=False),)},
            "Checking needs the reference answers, so pass@k is an oracle",
        ),
        ({"num_failed": 1, "num_drawn": 200}, "1 checks (0.5 %) crashed or timed out: neither right nor wrong."),
        (
            {"num_truncated": 25},
            "25 samples (50 %) were cut off by the limit of tokens; they stay in every denominator.",
        ),
        ({"num_broken_off": 5}, "5 samples (10 %) were broken off by the server, as by a content filter; they stay in"),
        ({"num_copied": 3}, "In 3 of 10 problems the samples are copies, the same text again and again: either"),
        ({"temperature": None}, "The server takes no temperature but its own, whatever --temperature says"),
        ({"num_unanswered": 1}, "1 samples (2 %) hold no answer."),
        ({"num_uncompared": 3}, "3 comparisons of answers failed; those answers count as different."),
        ({"measurements": (measured(model_flops=None),)}, "FLOPs are not known: give --params or --model-config"),
        (
            {"measurements": (measured(num_problems=7),)},
            "Problems with enough graded samples: 7 at K = 4, at the fewest;",
        ),
        (
            {"measurements": tuple(measured(each, monte_carlo_error=0.00123) for each in ("weighted_vote", "k_vote"))},
            "Random subsets of the samples stand for all: weighted_vote, k_vote, with a standard error of 0.0012 at ",
        ),
    ],
)
def test_what_a_reader_must_know_is_noted(changes: dict[str, Any], note: str) -> None:
    found = notes(replace(PLAIN, **changes))
    assert len(found) == 2
    assert found[1].startswith(note)


def test_many_unknown_samples_are_said_first_and_not_again() -> None:
    many = replace(PLAIN, num_failed=1)
    assert first_line(many).startswith("1 checks (2 %) crashed or timed out: neither right nor wrong.")
    assert "if all were wrong" in first_line(many)
    assert notes(many) == notes(PLAIN)
    assert first_line(PLAIN) == first_line(replace(PLAIN, num_failed=1, num_drawn=100)) == ""
