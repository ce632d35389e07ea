"""What is recorded of averaged class probabilities."""

from dataclasses import replace
from typing import Any

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import SoftVote

VOTE = SoftVote(
    strategy="soft_vote",
    k_values=(1, 4),
    num_passes=4,
    accuracy_PK=((0.5, 1.0), (0.25, 0.0)),
    monte_carlo_error_K=(0.0, 0.0),
)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strategy": "own.module:vote"}, 'strategy must be "soft_vote" or "snapshot_ensemble"'),
        ({"k_values": (4, 1)}, "k_values must be increasing"),
        ({"num_passes": 3}, "num_passes must be a whole number of at least 4; got 3"),
        ({"accuracy_PK": ((0.5,),)}, "accuracy_PK must have one number for each of 2 K; got 1"),
        ({"accuracy_PK": ((0.5, 1.5),)}, "accuracy_PK must hold shares from 0 to 1; got 1.5"),
        ({"monte_carlo_error_K": (0.0, -0.5)}, "monte_carlo_error_K must hold shares from 0 to 1; got -0.5"),
        ({"monte_carlo_error_K": ()}, "monte_carlo_error_K must have one number for each of 2 K; got 0"),
    ],
)
def test_what_fits_nothing_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        replace(VOTE, **changes)


def test_some_of_the_problems_keep_their_rows() -> None:
    assert VOTE.of([1]).accuracy_PK == ((0.25, 0.0),)
    assert VOTE.of([0, 7]).accuracy_PK == ((0.5, 1.0),), "the last ones had no passes"
