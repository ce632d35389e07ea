"""The row frozen-teacher from end to end, small: its options, the same bytes after a kill; what was recorded."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.frozen_teacher import Settings
from breakeven.plan.row import row_of
from breakeven.plan.run import run_plan
from breakeven.plan.wanted import Wanted
from breakeven.records.plans import PlanResult
from breakeven.settings import as_record
from breakeven.store import CELLS_NAME

ROOT = Path(__file__).parents[2]
ROW = row_of("frozen-teacher")
TINY = Settings(
    width=12,
    layers=1,
    heads=2,
    predictor_width=8,
    batch_size=8,
    steps=10,
    shares=(0.3, 0.6),
    seeds=2,
    labelled_clips=60,
    test_clips=40,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PlanResult]:
    """A finished plan: its directory and its result."""
    pytest.importorskip("sklearn")
    directory = tmp_path_factory.mktemp("whole")
    return directory, run_plan(ROW, directory, settings=TINY)


@pytest.mark.slow
def test_all_options_cost_the_same_and_are_charged_their_teacher(whole: tuple[Path, PlanResult]) -> None:
    _, found = whole
    options = {each.name: each for each in found.answer.options}
    untrained = options.pop("untrained")
    assert untrained.train_flops == 0
    assert {*options} == {"own average", "pixels alone", "frozen teacher of 30 %", "frozen teacher of 60 %"}
    step = TINY.sizes.student_step_flops
    for each in options.values():
        assert TINY.steps * step - step <= each.train_flops + each.one_off.get("teacher", 0.0) <= TINY.steps * step
        assert each.query_flops == untrained.query_flops == TINY.sizes.query_flops
        assert len(each.quality.value_P) == 2 * 40
    assert options["frozen teacher of 60 %"].one_off["teacher"] > options["frozen teacher of 30 %"].one_off["teacher"]
    assert "teacher" not in options["own average"].one_off
    assert [each.name for each in found.answer.pictures] == ["digit", "direction", "published"]
    assert len(found.answer.tables) == 3
    assert found.answer.not_counted


@pytest.mark.slow
def test_so_few_steps_pass_no_gate_and_nothing_is_said_of_teachers(whole: tuple[Path, PlanResult]) -> None:
    _, found = whole
    gates = [each for each in found.answer.findings if "the gate" in each.text]
    assert len(gates) == 2
    assert any("does not hold, so nothing is compared" in each.text for each in gates)
    is_clear = "does not hold" not in gates[0].text
    assert any("the gate does not hold" in each for each in found.answer.notes) is not is_clear


@pytest.mark.slow
def test_a_teacher_that_is_there_already_is_left_out(whole: tuple[Path, PlanResult], tmp_path: Path) -> None:
    shutil.copy(whole[0] / CELLS_NAME, tmp_path)
    found = run_plan(ROW, tmp_path, settings=TINY, wanted=Wanted(target=0.0, without=("teacher", "training")))
    assert found.without == ("teacher", "training")
    assert found.full is not None


@pytest.mark.slow
def test_a_plan_killed_in_the_middle_of_a_student_goes_on_to_the_same_bytes(
    whole: tuple[Path, PlanResult], tmp_path: Path
) -> None:
    """With SIGKILL while a frozen teacher teaches; then half a line, as if it had been killed while it wrote."""
    directory, found = whole
    code = """
import json, sys
from pathlib import Path
from breakeven.plan.frozen_teacher import ROW, Settings
from breakeven.plan.run import run_plan
from breakeven.plan.teaching.lessons import Frozen
from breakeven.settings import as_record
taken, real = [0], Frozen.follow
def follow(self, student):
    taken[0] += type(self) is Frozen
    if taken[0] == 3:
        print("in cell 4", flush=True)
        sys.stdin.read()
    return real(self, student)
Frozen.follow = follow
run_plan(ROW, Path(sys.argv[1]), settings=as_record(json.loads(sys.argv[2]), Settings))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path, json.dumps(asdict(TINY))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in cell 4\n"
        process.send_signal(signal.SIGKILL)
    lines = (tmp_path / CELLS_NAME).read_bytes().splitlines(keepends=True)
    assert len(lines) == 4  # the header, untrained, own average, pixels alone
    with (tmp_path / CELLS_NAME).open("ab") as file:
        file.write(lines[-1][:40])
    assert run_plan(ROW, tmp_path, settings=TINY) == found
    for name in (CELLS_NAME, "plan.json"):
        assert (tmp_path / name).read_bytes() == (directory / name).read_bytes()


@pytest.mark.slow
def test_more_shares_and_seeds_train_what_is_missing_alone(whole: tuple[Path, PlanResult], tmp_path: Path) -> None:
    shutil.copy(whole[0] / CELLS_NAME, tmp_path)
    anew: list[str] = []
    told: Callable[[str, bool], None] = lambda key, known: None if known else anew.append(key)  # noqa: E731
    run_plan(ROW, tmp_path, settings=replace(TINY, shares=(0.3, 0.5, 0.6)), on_cell=told)
    assert anew == ["frozen share=0.5 seed=0", "frozen share=0.5 seed=1"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shares": ()}, r"shares must be increasing, at least one; got \[\]"),
        ({"shares": (0.5, 0.2)}, r"shares must be increasing, at least one; got \[0\.5, 0\.2\]"),
        ({"shares": (0.5, 1.0)}, r"shares must be above 0 and below 1; got 1\.0\. Pixels alone are an option anyway"),
        ({"seeds": 1}, r"seeds must be at least 2; got 1\. One seed has no interval"),
        ({"steps": 0}, "steps must be at least 1; got 0"),
        ({"noise": -0.1}, "noise must be finite and at least 0"),
        ({"momentum": 1.0}, "momentum must be"),
        ({"learning_rate": 0.0}, "learning_rate must be finite and above 0"),
        ({"labelled_clips": 1}, "labelled_clips must be at least 2"),
        ({"test_clips": 0}, "test_clips must be at least 1"),
        ({"width": 13}, "width must be even, at least 6 and a multiple of 4 heads"),
        ({"canvas": 10}, "canvas must be at least 11"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Settings(**settings)


def test_a_share_without_a_step_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"shares must leave a step to teacher and student; got 0\.01"):
        run_plan(ROW, tmp_path, settings=replace(TINY, shares=(0.01,)))


def test_presets_are_settings() -> None:
    for preset in ROW.presets.values():
        assert as_record(asdict(Settings()) | dict(preset), Settings).sizes.layers == 8


# -- the run that is recorded ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> PlanResult:
    """The plan of the recorded cells, of which none is computed anew: neither torch nor scikit-learn is needed."""
    directory = tmp_path_factory.mktemp("recorded")
    shutil.copy(ROOT / "benchmarks/plans/frozen-teacher" / CELLS_NAME, directory)
    anew: list[str] = []
    told: Callable[[str, bool], None] = lambda key, known: None if known else anew.append(key)  # noqa: E731
    found = run_plan(ROW, directory, settings=Settings(), on_cell=told)
    assert not anew
    return found


def test_what_the_recorded_run_says(recorded: PlanResult) -> None:
    """The gate holds; no frozen teacher beats the average, which reads directions better; pixels read digits better."""
    found = {each.text: each for each in recorded.answer.findings}

    def sign(text: str) -> int:
        (own,) = (each for name, each in found.items() if name.startswith(text))
        assert own.lo is not None
        assert own.hi is not None
        return 1 if own.lo > 0 else -1 if own.hi < 0 else 0

    assert sign("digit: mean of all trained less untrained") == 1
    assert sign("direction: mean of all trained less untrained") == 1
    assert not any("does not hold" in text for text in found)
    assert sign("digit: frozen teachers of all shares less own average") == 0
    assert sign("digit: frozen teachers of all shares less pixels alone") == -1
    assert sign("digit: frozen teacher of 67 % less frozen teacher of 5 %") == -1
    assert sign("direction: frozen teachers of all shares less own average") == -1
    assert sign("direction: frozen teachers of all shares less pixels alone") == 0
    assert sign("direction: students less their own teachers") == 1
    assert recorded.chosen == "pixels alone"


def test_the_page_is_that_of_the_recorded_run(recorded: PlanResult) -> None:
    page = (ROOT / "docs/plan/frozen-teacher.md").read_text("utf-8")
    assert page.startswith(f"# {recorded.verdict.split(',')[0]}")
    for each in recorded.answer.findings:
        assert each.text.replace("|", "\\|") in page
