"""Two processes of one run: the same counts, the same decision, the same error, and one log."""

import json
from pathlib import Path

import pytest

from breakeven.adapters.ranks import agreed, summed

pytest.importorskip("accelerate")
TWO = Path(__file__).parent / "two_ranks.py"


def test_alone_it_is_what_this_process_says() -> None:
    assert summed([3, 4], "cpu") == (3, 4)
    assert agreed(lambda: "stop") == "stop"


@pytest.fixture(scope="module")
def told(two_processes, tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What two processes say, on gloo."""
    place = tmp_path_factory.mktemp("ranks")
    codes, said = two_processes(TWO, place)
    assert codes == [0, 0], said
    return [json.loads(out.splitlines()[-1]) for out, _ in said]


@pytest.mark.slow
def test_a_stop_is_at_the_same_step_everywhere_with_equal_weights(told: list[dict]) -> None:
    first, second = told
    assert first["step"] == second["step"] < 40
    assert first["weights"] == second["weights"]


@pytest.mark.slow
def test_only_the_first_process_measures_and_writes(told: list[dict]) -> None:
    assert [each["has_session"] for each in told] == [True, False]


@pytest.mark.slow
def test_counts_are_of_both(told: list[dict]) -> None:
    assert told[0]["summed"] == told[1]["summed"] == [1, 20]
    assert told[0]["gathered"] == told[1]["gathered"] == ["of 0", "of 1"]


@pytest.mark.slow
def test_an_error_of_the_first_process_reaches_both(told: list[dict]) -> None:
    assert [each["error"] for each in told] == ["no space"] * 2
