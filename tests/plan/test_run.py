"""A plan from end to end: its settings, its cells through a kill and a full disk, and what is refused of one begun."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import util
from pathlib import Path
from types import ModuleType

import pytest

from breakeven.errors import ArgumentError, LogError, MissingExtraError, RunInUseError, RunStorageError
from breakeven.plan.row import Asked, Row
from breakeven.plan.run import held_by, run_plan, settings_of
from breakeven.plan.wanted import Wanted
from breakeven.readers.eval_results import RESULTS_NAME
from breakeven.records.plans import PlanAnswer
from breakeven.store import CELLS_NAME, LOG_NAME, SAMPLES_NAME

TOY = Path(__file__).with_name("toy_row.py")


@pytest.fixture
def toy() -> ModuleType:
    spec = util.spec_from_file_location("toy_row", TOY)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    sys.modules["toy_row"] = module  # dataclasses look up their annotations there
    spec.loader.exec_module(module)
    return module


def test_a_plan_is_its_cells_and_what_was_concluded(toy: ModuleType, tmp_path: Path) -> None:
    told: list[tuple[str, bool]] = []
    result = run_plan(toy.ROW, tmp_path, wanted=Wanted(target=0.3), on_cell=lambda *each: told.append(each))
    assert (result.chosen, result.settings) == ("size 3", {"sizes": [1, 2, 3, 4], "scale": 1.0, "wait": False})
    assert {"breakeven", "numpy", "python"} <= {*result.versions}
    plain = json.loads((tmp_path / "plan.json").read_text())
    assert (plain["format"], plain["row"], plain["chosen"]) == (1, "toy", "size 3")
    assert plain["answer"]["findings"][0]["value"] == 4.0
    assert [key for key, known in told if not known] == [f"size={size}" for size in (1, 2, 3, 4)]
    told.clear()
    toy.computed.clear()
    again = run_plan(toy.ROW, tmp_path, wanted=Wanted(target=0.4), on_cell=lambda *each: told.append(each))
    assert (again.chosen, toy.computed, [known for _, known in told]) == ("size 4", [], [True] * 4)


def test_settings_come_from_the_row_a_preset_and_the_call_in_that_order(toy: ModuleType) -> None:
    assert settings_of(toy.ROW) == toy.Settings()
    assert settings_of(toy.ROW, preset="small").sizes == (1,)
    assert settings_of(toy.ROW, ["sizes=[5, 6]", "scale=2"], preset="small").sizes == (5, 6)
    assert settings_of(toy.ROW, ["scale=2"], held={"sizes": [7], "scale": 3}) == toy.Settings(sizes=(7,), scale=2.0)
    for given, message in (
        (["sise=1"], "sise must be a setting or section; got 'sise'. Did you mean sizes?"),
        (["scale=big"], "scale must be of its type: expected float, got str; got 'big'."),
        (["scale"], "--set must be key=value; got 'scale'."),
    ):
        with pytest.raises(ArgumentError) as caught:
            settings_of(toy.ROW, given)
        assert str(caught.value).startswith(message)
    with pytest.raises(ArgumentError, match="--preset must be one of small; got 'gpu'"):
        settings_of(toy.ROW, preset="gpu")


def test_a_plan_killed_in_the_middle_of_a_cell_is_resumed_to_the_same_bytes(toy: ModuleType, tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    with subprocess.Popen(
        [sys.executable, TOY, killed, "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in cell 3\n"
        with pytest.raises(RunInUseError, match=str(process.pid)):
            held_by(killed)
        process.send_signal(signal.SIGKILL)
    lines = (killed / CELLS_NAME).read_bytes().splitlines(keepends=True)
    assert len(lines) == 3  # the header and two cells
    assert not (killed / "plan.json").exists()
    with (killed / CELLS_NAME).open("ab") as file:
        file.write(lines[-1][:40])  # as if it had been killed while it wrote
    for directory in (killed, whole):
        run_plan(toy.ROW, directory)
    for name in (CELLS_NAME, "plan.json"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize("room", [0, 100, 500, 1000])
def test_a_full_disk_keeps_whole_cells_and_says_how_to_go_on(
    toy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_after, room: int
) -> None:
    run_plan(toy.ROW, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full_after(room))
        with pytest.raises(RunStorageError, match="No space left on device"):
            run_plan(toy.ROW, tmp_path / "full")
    run_plan(toy.ROW, tmp_path / "full")
    for name in (CELLS_NAME, "plan.json"):
        assert (tmp_path / "full" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_other_settings_files_and_rows_are_not_mixed_with_what_was_begun(toy: ModuleType, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("one")
    plan = tmp_path / "plan"
    run_plan(toy.ROW, plan, files=(table,))
    with pytest.raises(ArgumentError, match=r"settings\.scale must be 1\.0, as in .*cells\.jsonl; got 2\.0\."):
        run_plan(toy.ROW, plan, settings=toy.Settings(scale=2.0), files=(table,))
    other = Row(name="other", settings=toy.Settings, answer=toy.answer)
    with pytest.raises(ArgumentError, match="row must be 'toy', as in"):
        run_plan(other, plan, files=(table,))
    table.write_text("two")
    with pytest.raises(ArgumentError, match=r"files\..*t\.csv must be '[0-9a-f]{8}', as in .*; got '[0-9a-f]{8}'\."):
        run_plan(toy.ROW, plan, files=(table,))
    table.unlink()
    assert run_plan(toy.ROW, plan, files=(table,)).chosen == "size 4"  # its cells are there
    assert held_by(plan).row == "toy"
    with pytest.raises(LogError, match="there is no plan at"):
        held_by(tmp_path / "none")


def test_what_changes_no_cell_may_be_asked_anew(toy: ModuleType, tmp_path: Path) -> None:
    row = replace(toy.ROW, free=("scale",))
    run_plan(row, tmp_path)
    assert held_by(tmp_path).settings == {"sizes": [1, 2, 3, 4], "wait": False}
    assert run_plan(row, tmp_path, settings=toy.Settings(scale=2.0)).settings["scale"] == 2.0


def test_of_a_run_its_log_is_what_counts_and_of_another_folder_all(toy: ModuleType, tmp_path: Path) -> None:
    run, folder = tmp_path / "run", tmp_path / "folder"
    for each, name in ((run, LOG_NAME), (folder, "a.yaml")):
        each.mkdir()
        (each / name).write_text("one")
    run_plan(toy.ROW, tmp_path / "plan", files=(run, folder))
    (run / "weights").write_text("later")
    run_plan(toy.ROW, tmp_path / "plan", files=(run, folder))
    (folder / "b.yaml").write_text("later")
    with pytest.raises(ArgumentError, match=r"files\..*folder must be"):
        run_plan(toy.ROW, tmp_path / "plan", files=(run, folder))
    evaluation = tmp_path / "evaluation"
    evaluation.mkdir()
    for name in (RESULTS_NAME, SAMPLES_NAME):
        (evaluation / name).write_text("one")
    run_plan(toy.ROW, tmp_path / "other", files=(evaluation,))
    (evaluation / SAMPLES_NAME).write_text("later")  # which some rows read in place of the results
    with pytest.raises(ArgumentError, match=r"files\..*evaluation must be"):
        run_plan(toy.ROW, tmp_path / "other", files=(evaluation,))
    with pytest.raises(LogError, match=r"--from .*none must be a file that can be read; got No such file"):
        run_plan(toy.ROW, tmp_path / "new", files=(tmp_path / "none",))


def test_a_package_that_is_missing_is_named_with_its_extra(tmp_path: Path, toy: ModuleType) -> None:
    def lacks(name: str) -> Callable[[Asked], PlanAnswer]:
        def answer(asked: Asked) -> PlanAnswer:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        return answer

    for name, extra in (("torch", "torch"), ("optuna", "plan"), ("yaml", "plan")):
        with pytest.raises(MissingExtraError) as caught:
            run_plan(Row(name="toy", settings=toy.Settings, answer=lacks(name)), tmp_path)
        assert str(caught.value) == f"breakeven plan toy needs {name}: pip install 'breakeven[{extra}]'"
    with pytest.raises(ModuleNotFoundError):
        run_plan(Row(name="toy", settings=toy.Settings, answer=lacks("else")), tmp_path)
