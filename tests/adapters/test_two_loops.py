"""Two processes of a loop: both stop at the same step with equal weights; where they are not told, they part."""

import json
from pathlib import Path

import pytest

from breakeven.store import read_log

pytest.importorskip("accelerate")
pytest.importorskip("lightning")
LOOPS = Path(__file__).parent / "two_loops.py"


@pytest.fixture(scope="module")
def said(two_processes, tmp_path_factory: pytest.TempPathFactory):
    """Run directories, exit codes, and what each process said of each loop that it came to the end of."""
    place = tmp_path_factory.mktemp("loops")
    codes, said = two_processes(LOOPS, place)
    told = [[json.loads(line) for line in out.splitlines() if line.startswith("[")] for out, _ in said]
    assert min(map(len, told)) >= 2, said
    return place, codes, told


@pytest.mark.slow
@pytest.mark.parametrize("loop", ["lightning", "accelerate"])
def test_both_stop_at_the_same_step_with_equal_weights(said, loop: str) -> None:
    place, _, told = said
    first, second = (each[["lightning", "accelerate"].index(loop)] for each in told)
    assert first[0] == second[0] < 40
    assert first[1] == second[1]
    assert [first[2], second[2]] == [True, False]
    record = read_log(place / loop / "breakeven")
    stopped = record.checkpoints[-1].observation
    assert stopped.step == first[0]
    assert stopped.train_tokens == first[3] + second[3] == 2 * 4 * 5 * first[0]
    if loop == "lightning":
        assert (place / loop / "breakeven" / f"checkpoint-{first[0]}.ckpt").exists()
        assert (place / loop / "breakeven" / f"model-{first[0]}" / "model.safetensors").exists()
    else:
        assert record.header.spec.decay_share == pytest.approx(0.5)  # two steps of the scheduler at each


@pytest.mark.slow
def test_processes_that_are_not_told_fail(said) -> None:
    """The last of the loops: one process goes on where the other has stopped, and waits for its gradients."""
    _, codes, told = said
    assert any(codes)
    assert min(map(len, told)) == 2
