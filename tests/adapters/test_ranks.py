"""Two processes of one run: the same counts, the same decision, the same error, and one log."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from breakeven.adapters.ranks import agreed, summed

pytest.importorskip("accelerate")
TWO = Path(__file__).parent / "two_ranks.py"


def test_alone_it_is_what_this_process_says() -> None:
    assert summed([3, 4], "cpu") == (3, 4)
    assert agreed(lambda: "stop") == "stop"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What two processes say, on gloo."""
    place = tmp_path_factory.mktemp("ranks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    surroundings = os.environ | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    running = [
        subprocess.Popen(
            [sys.executable, str(TWO), str(place)],
            env=surroundings | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [each.communicate(timeout=300) for each in running]
    assert [each.returncode for each in running] == [0, 0], said
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


@pytest.mark.slow
def test_an_error_of_the_first_process_reaches_both(told: list[dict]) -> None:
    assert [each["error"] for each in told] == ["no space"] * 2
