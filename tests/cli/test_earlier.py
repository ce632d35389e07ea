"""`breakeven decide --like`: earlier runs as witnesses, and what cannot be one."""

import json
import math
from pathlib import Path

import pytest

OPTIONS = ["--budget-steps", "20", "--num-problems", "1000"]


def late(step: int) -> float:
    """Flat until the middle, then up to 0.9."""
    return round(0.1 + 0.8 / (1.0 + math.exp(-(step - 13) / 1.5)), 3)


@pytest.fixture
def curve(tmp_path: Path):
    """Writes the accuracies of some steps and returns the path."""

    def write(name: str, steps, column: str = "accuracy") -> Path:
        path = tmp_path / name
        path.write_text("\n".join([f"step,{column}", *(f"{each},{late(each)}" for each in steps)]), encoding="utf-8")
        return path

    return write


@pytest.fixture
def log(curve) -> Path:
    """Half of a run that rises in its second half."""
    return curve("log.csv", range(1, 11))


def answer(cli, *arguments: object) -> dict:
    return json.loads(cli("decide", *arguments, *OPTIONS, "--json").stdout)


def test_an_earlier_run_shows_the_rise_that_is_still_ahead(cli, log: Path, curve) -> None:
    whole = curve("whole.csv", range(1, 21))
    alone, told = answer(cli, log), answer(cli, log, "--like", whole)
    assert abs(told["forecast"]["mean"] - late(20)) < 0.05 < abs(alone["forecast"]["mean"] - late(20))
    assert (alone["forecast"]["num_witnesses"], alone["forecast"]["witness_weight"]) == (0, 0.0)
    assert told["forecast"]["num_witnesses"] == 1
    weight = told["forecast"]["witness_weight"]
    assert 0.5 < weight <= 0.9
    assert f"The earlier run went further than this one: weight {weight:.2f} in today's forecast." in told["notes"]
    assert (
        f"Earlier run {whole}: 20 checkpoints, 1000 problems, 100 % of its budget, as its last checkpoint is taken "
        "for its end (--like LOG@BUDGET to say otherwise)."
    ) in told["notes"]
    text = cli("decide", log, *OPTIONS, "--like", whole).stdout
    assert f", 1 earlier run with weight {weight:.2f}) at the end" in " ".join(text.split())


def test_several_earlier_runs_count_as_far_as_they_went_further(cli, log: Path, curve) -> None:
    paths = [curve("a.csv", range(1, 21)), curve("b.csv", range(2, 21, 2)), curve("c.csv", range(1, 9))]
    told = answer(cli, log, "--like", paths[0], "--like", paths[1], "--like", paths[1], "--like", f"{paths[2]}@20")
    assert told["forecast"]["num_witnesses"] == 2
    assert any(note.startswith("2 of the 3 earlier runs went further than this one: ") for note in told["notes"])
    assert f"Earlier run {paths[2]}: 8 checkpoints, 1000 problems, 40 % of its budget." in told["notes"]
    behind = answer(cli, log, "--like", f"{paths[2]}@20")
    assert "The earlier run does not count today: it did not go further than this one." in behind["notes"]


def test_a_budget_is_in_the_unit_of_this_run(cli, log: Path, curve) -> None:
    path = curve("a@b.csv", range(1, 16))
    for written, share in ((path, "100 %"), (f"{path}@0.02K", "75 %"), (f"{path}@30", "50 %")):
        notes = answer(cli, log, "--like", written)["notes"]
        assert any(note.startswith(f"Earlier run {path}: 15 checkpoints, 1000 problems, {share}") for note in notes)


def test_a_run_directory_is_an_earlier_run(cli, recorded: Path, curve) -> None:
    log = curve("log.csv", range(1, 6))
    told = json.loads(cli("decide", log, *OPTIONS, "--like", recorded, "--json", "--baseline", "greedy").stdout)
    note = next(note for note in told["notes"] if note.startswith(f"Earlier run {recorded}:"))
    assert "checkpoints, 20 problems, 100 % of its budget." in note
    assert told["forecast"]["num_witnesses"] == 1


def test_trainer_state_says_how_long_it_was_to_be(cli, log: Path, tmp_path: Path) -> None:
    history = [{"step": each, "eval_accuracy": late(each)} for each in range(1, 16)]
    state = {"global_step": 15, "max_steps": 20, "log_history": history}
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps(state, indent=2), encoding="utf-8")
    notes = answer(cli, log, "--like", path)["notes"]
    assert f"Earlier run {path}: 15 checkpoints, 1000 problems, 75 % of its 20 steps." in notes
    assert f'{path}: Accuracy: column "eval_accuracy" (--column accuracy=... for another).' in notes


def test_where_nothing_is_projected_that_is_said(cli, log: Path, curve) -> None:
    whole = curve("whole.csv", range(1, 21))
    notes = answer(cli, log, "--like", whole, "--target", "0.5")["notes"]
    assert "Nothing is projected from the earlier run today." in notes


def test_what_cannot_be_an_earlier_run_is_refused_by_name(refused, log: Path, curve, recorded: Path) -> None:
    def message(written: object, *more: object) -> str:
        return refused("decide", log, *OPTIONS, "--like", written, *more)

    one = curve("one.csv", [3])
    rule = "must have two checkpoints at least at which the greedy accuracy was measured; got 1. Leave it out."
    assert message(one) == f"--like {one} {rule}"
    assert message("nowhere") == "there is no log at nowhere."
    assert message(log) == f"--like {log}: it must be an earlier run; got 'the log that is decided on'."
    assert message(f"{one}@2") == f"--like {one}@2: BUDGET must be at least the last checkpoint's 3 steps; got 2.0."
    assert message(f"{one}@x").startswith(f"--like {one}@x: BUDGET must be a number; got 'x'.")
    assert message(f"{recorded}@2").startswith(f"--like {recorded}@2: a run directory must be given without @BUDGET")
    samples = log.with_name("samples.csv")
    samples.write_text("\n".join(["step,problem,n,c", "1,a,4,1", "2,a,4,2"]), encoding="utf-8")
    assert message(samples) == f"--like {samples} {rule.replace('got 1', 'got 0')}"
