"""A witness: which curve of an earlier run is read, and what is none."""

from typing import Any

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import RunSpec, Witness


def witness(**changes: Any) -> Witness:
    settings: dict[str, Any] = {
        "name": "countdown-1",
        "share": (0.1, 0.5, 1.0),
        "greedy_accuracy": (0.2, None, 0.5),
        "sampled_accuracy": (None, 0.3, 0.6),
        "num_problems": 100,
    }
    return Witness(**settings | changes)


def test_each_baseline_has_its_own_curve() -> None:
    assert witness().curve("greedy") == ((0.1, 0.2), (1.0, 0.5))
    assert witness().curve("sampled") == ((0.5, 0.3), (1.0, 0.6))
    assert witness().curve("best") == ((0.1, 0.2), (0.5, 0.3), (1.0, 0.6))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"share": (0.1, 0.1, 1.0)}, "share must increase from one checkpoint to the next; got [0.1, 0.1, 1.0]."),
        ({"share": (-0.1, 0.1, 1.0)}, "share must hold finite numbers of at least 0; got -0.1."),
        ({"greedy_accuracy": (0.1,)}, "greedy_accuracy must have one value for each of the 3 shares; got 1."),
        ({"sampled_accuracy": (0.1, 1.5, None)}, "sampled_accuracy must be a share from 0 to 1; got 1.5."),
        ({"num_problems": 0}, "num_problems must be a whole number of at least 1; got 0."),
        ({"decay_share": 2.0}, "decay_share must be a share from 0 to 1; got 2.0."),
        ({"token_ratio": 0.0}, "token_ratio must be finite and above 0; got 0.0."),
    ],
)
def test_what_is_no_curve_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        witness(**changes)
    assert str(caught.value) == message


def test_a_spec_wants_witnesses_that_measured_its_baseline() -> None:
    assert RunSpec(budget_flops=1.0, baseline="best", like=(witness(),)).like[0].name == "countdown-1"
    once = witness(sampled_accuracy=(None, None, 0.6))
    with pytest.raises(ArgumentError, match="like must hold runs whose sampled accuracy was measured at two checkp"):
        RunSpec(budget_flops=1.0, baseline="sampled", like=(once,))
    with pytest.raises(ArgumentError, match=r"like must hold Witness records; got 'runs/a'\. Name runs to a session"):
        RunSpec(budget_flops=1.0, like=("runs/a",))  # type: ignore[arg-type]
