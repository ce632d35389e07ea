"""The row quantization from end to end, small: killed, on a full disk, asked wrongly, on tables; what was recorded."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from breakeven.errors import ArgumentError, MissingExtraError, RunStorageError
from breakeven.plan.quantization import Settings
from breakeven.plan.row import row_of
from breakeven.plan.run import run_plan, settings_of
from breakeven.records.plans import PlanResult
from breakeven.settings import as_record
from breakeven.store import CELLS_NAME

ROOT = Path(__file__).parents[2]
ROW = row_of("quantization")
TINY = Settings(
    sizes=("2x16", "1x16"),
    num_heads=2,
    steps=(10, 20),
    seeds=(2, 1),
    fractions=(0.0, 0.2, 0.5, 1.0),
    batch_size=8,
    warmup_steps=3,
    num_problems=10,
    law_draws=2,
    law_starts=1,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PlanResult]:
    """A finished plan: its directory and its result."""
    pytest.importorskip("torchao", reason="torchao is not installed: breakeven[quantization]")
    directory = tmp_path_factory.mktemp("whole")
    return directory, run_plan(ROW, directory, settings=TINY)


# -- the real run, small -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_split_is_an_option_with_what_it_took(whole: tuple[Path, PlanResult]) -> None:
    _, found = whole
    options = {each.name: each for each in found.answer.options}
    # Of the first size 1 + 2 x (2 + 2 x 2) a duration, of the second 1 + 2 x (2 + 2).
    assert len(options) == 2 * 13 + 2 * 9
    assert len(found.shares) == len(options)
    few, many = (options[f"2x16, 20 steps, {bits} bits, QAT from the start"] for bits in (2, 4))
    assert few.query_flops == many.query_flops
    assert few.bytes_moved is not None
    assert many.bytes_moved is not None
    assert few.bytes_moved < many.bytes_moved
    assert sum("other shares" in each.one_off for each in options.values()) == 8
    assert all(len(each.quality.value_P) == 10 for each in options.values())
    assert found.target == few.quality.value
    texts = " ".join(each.text for each in found.answer.findings)
    for said in (
        "quantized after training loses",
        "QAT from the start loses",
        "fused less classic",
        "best share inside",
    ):
        assert said in texts
    assert any(each.startswith("Nothing is foretold by the law of the loss") for each in found.answer.notes)
    assert not list(whole[0].glob("size=*"))


@pytest.mark.slow
def test_a_plan_killed_in_the_middle_of_a_cell_goes_on_to_the_same_bytes(
    whole: tuple[Path, PlanResult], tmp_path: Path
) -> None:
    """With SIGKILL while it trains; then half a line, as if it had been killed while it wrote."""
    directory, found = whole
    code = """
import json, sys
from pathlib import Path
import breakeven.train.step as step
from breakeven.plan.quantization import ROW, Settings
from breakeven.plan.run import run_plan
from breakeven.settings import as_record
taken, real = [0], step.train_step
def train_step(*given):
    taken[0] += 1
    if taken[0] == 30:
        print("in a cell", flush=True)
        sys.stdin.read()
    return real(*given)
step.train_step = train_step
run_plan(ROW, Path(sys.argv[1]), settings=as_record(json.loads(sys.argv[2]), Settings))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path, json.dumps(asdict(TINY))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in a cell\n"
        process.send_signal(signal.SIGKILL)
    lines = (tmp_path / CELLS_NAME).read_bytes().splitlines(keepends=True)
    assert len(lines) > 3
    with (tmp_path / CELLS_NAME).open("ab") as file:
        file.write(lines[-1][:40])
    assert run_plan(ROW, tmp_path, settings=TINY) == found
    for name in (CELLS_NAME, "plan.json"):
        assert (tmp_path / name).read_bytes() == (directory / name).read_bytes()


@pytest.mark.slow
def test_a_full_disk_keeps_whole_cells(
    whole: tuple[Path, PlanResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_after
) -> None:
    """Full in the middle of a line, and later while a state is written that others go on from."""
    directory, found = whole
    for room in (3000, 200_000):
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full_after(room))
            with pytest.raises(RunStorageError, match="No space left on device"):
                run_plan(ROW, tmp_path, settings=TINY)
        assert (directory / CELLS_NAME).read_bytes().startswith((tmp_path / CELLS_NAME).read_bytes())
    assert run_plan(ROW, tmp_path, settings=TINY) == found
    assert (tmp_path / CELLS_NAME).read_bytes() == (directory / CELLS_NAME).read_bytes()


@pytest.mark.slow
def test_finished_cells_need_no_torchao_and_other_plans_are_asked_anew(
    whole: tuple[Path, PlanResult], tmp_path: Path
) -> None:
    shutil.copy(whole[0] / CELLS_NAME, tmp_path)
    anew: list[str] = []
    told: Callable[[str, bool], None] = lambda key, known: None if known else anew.append(key)  # noqa: E731
    planned = replace(TINY, planned_params=1e8, planned_tokens=1e10, memory_bytes=(3000.0,))
    found = run_plan(ROW, tmp_path, settings=planned, on_cell=told)
    assert not anew
    tables = {each.label: each for each in found.answer.tables}
    # S is 400 and 200: exp(-6.7297 / log S).
    assert [row[1:3] for row in tables["Planned: 1e+08 parameters on 1e+10 tokens"].rows] == [
        ("400", "33 %"),
        ("200", "28 %"),
    ]
    assert [row[0] for row in tables["Least loss under a memory limit"].rows] == ["3,000"]


def test_without_torchao_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    for name in [each for each in sys.modules if each.startswith("torchao.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torchao", None)
    with pytest.raises(MissingExtraError, match=r"quantization needs torchao.*pip install 'breakeven\[quantization\]'"):
        run_plan(ROW, tmp_path, settings=replace(TINY, sizes=("1x16",), fractions=(0.0, 1.0)))


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("bits=[1, 2]", "bits must be from 2 to 8; got 1. With 1 bit all weights are 0"),
        ("bits=[2, 16]", "bits must be from 2 to 8; got 16"),
        ("bits=[2.5, 4]", r"bits\[0\] must be of its type: expected int"),
        ("fractions=[0.1, 1.1]", "fractions must be .* 0 quantizes after training, 1 trains with quantized weights"),
        ("planned_params=1e8", "planned_tokens must be given beside the other of planned_params and planned_tokens"),
        ("planned_tokens=1e8", "planned_params must be given beside the other of planned_params and planned_tokens"),
        ("planned_params=-1", "planned_params must be finite and at least 0"),
        ("memory_bytes=[0]", "memory_bytes must hold finite numbers of at least 1"),
        ("planned_flops=[0]", "planned_flops must hold finite FLOPs of at least 1"),
        ("law_draws=0", "law_draws must be"),
    ],
)
def test_settings_that_cannot_be_are_refused(given: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        settings_of(ROW, [given])


@pytest.mark.parametrize("tokens", [1e8, 0.5e8])
def test_a_plan_of_a_token_a_byte_or_less_is_refused_before_anything_is_trained(tmp_path: Path, tokens: float) -> None:
    settings = replace(TINY, planned_params=4e8, planned_tokens=tokens)
    with pytest.raises(ArgumentError) as caught:
        run_plan(ROW, tmp_path, settings=settings)
    assert str(caught.value) == (
        f"planned_tokens per byte of planned_params must be above 1; got {tokens / 1e8}. At 2 bits that takes more "
        "than 1e+08 tokens."
    )


def test_presets_are_settings() -> None:
    for preset in ROW.presets.values():
        assert as_record(asdict(Settings()) | dict(preset), Settings).steps[-1] == 32000


# -- tables ------------------------------------------------------------------------------------------------------------


def table(path: Path, rows: list[tuple[float, float, float, int, float]]) -> Path:
    path.write_text("N,D_fp,D_qat,bits,loss\n" + "".join(f"{','.join(map(str, each))}\n" for each in rows))
    return path


def rows_of(losses: dict[float, float], *, bits: int = 2) -> list[tuple[float, float, float, int, float]]:
    return [(1e8, (1 - share) * 1e10, share * 1e10, bits, loss) for share, loss in losses.items()]


def test_a_table_of_trainings_is_compared_without_training(tmp_path: Path) -> None:
    losses = {0.0: 3.4, 0.1: 2.9, 0.3: 2.8, 0.6: 2.85, 1.0: 3.0}
    path = table(tmp_path / "mine.csv", rows_of(losses) + rows_of({0.0: 2.9, 0.3: 2.7, 1.0: 2.75}, bits=4))
    found = run_plan(ROW, tmp_path / "plan", settings=Settings(law_draws=2, law_starts=1), files=[path])
    values = {each.text: each.value for each in found.answer.findings}
    first = "1e+08 parameters on 1e+10 tokens at 2 bits: nats that"
    assert values[f"{first} quantized after training loses against the best share inside (one number alone)"] == (
        pytest.approx(0.6)
    )
    assert values[f"{first} QAT from the start loses against the best share inside (one number alone)"] == (
        pytest.approx(0.2)
    )
    shares = next(each for each in found.answer.tables if each.label.startswith("Best share of QAT"))
    assert shares.rows[0] == ("1e+08 parameters on 1e+10 tokens at 2 bits", "400", "30 % (30)", "33 %")
    assert any(each.startswith("No law of the loss was fitted") for each in found.answer.notes)
    options = {each.name: each for each in found.answer.options}
    best = options["1e+08 parameters on 1e+10 tokens, 2 bits, QAT for 30 %"]
    assert (best.train_flops, best.query_flops, best.bytes_moved) == (6e18, 2e8, 2.5e7)
    assert best.one_off == {"other shares": 1.2e19}


def test_rows_of_one_split_are_its_seeds(tmp_path: Path) -> None:
    losses = {0.0: 3.4, 0.3: 2.8, 1.0: 3.0}
    again = rows_of({share: loss + 0.02 for share, loss in losses.items()})
    path = table(tmp_path / "mine.csv", rows_of(losses) + again)
    found = run_plan(ROW, tmp_path / "plan", settings=Settings(law_draws=2, law_starts=1), files=[path])
    lost = next(each for each in found.answer.findings if "quantized after training loses" in each.text)
    assert lost.text.endswith("(2 seeds)")
    assert lost.value == pytest.approx(0.6)


def test_a_law_worse_than_the_mean_is_said_and_not_used(tmp_path: Path) -> None:
    import numpy as np

    random = np.random.default_rng(3)
    rows = [
        (1e8, (1 - share) * tokens, share * tokens, 2, float(random.uniform(1, 9)))
        for tokens in (1e9, 1e10, 1e11)
        for share in (0.05, 0.1, 0.2, 0.4, 0.7)
    ]
    path = table(tmp_path / "mine.csv", rows)
    settings = Settings(law_draws=2, law_starts=2, planned_params=1e8, planned_tokens=1e10)
    found = run_plan(ROW, tmp_path / "plan", settings=settings, files=[path])
    (note,) = (each for each in found.answer.notes if each.startswith("Nothing is foretold by the law"))
    assert "by the mean of the others" in note
    planned = next(each for each in found.answer.tables if each.label.startswith("Planned"))
    assert planned.headings == ("bits", "S", "share of QAT, published formula")
    assert not any("by the law" in each.label for each in found.answer.tables)


# -- the run that is recorded ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> PlanResult:
    """The plan of the recorded cells, of which none is computed anew: neither torch nor torchao is needed."""
    directory = tmp_path_factory.mktemp("recorded")
    shutil.copy(ROOT / "benchmarks/plans/quantization" / CELLS_NAME, directory)
    anew: list[str] = []
    told: Callable[[str, bool], None] = lambda key, known: None if known else anew.append(key)  # noqa: E731
    found = run_plan(ROW, directory, settings=Settings(), on_cell=told)
    assert not anew
    return found


@pytest.mark.slow
def test_what_the_recorded_run_says(recorded: PlanResult) -> None:
    found = {each.text: each for each in recorded.answer.findings}

    def at(text: str) -> tuple[float, float, float]:
        (own,) = (each for name, each in found.items() if name.startswith(text))
        assert own.value is not None
        assert own.lo is not None
        assert own.hi is not None
        return own.value, own.lo, own.hi

    after = [at(f"2x64, {steps} steps at 2 bits: nats that quantized after training") for steps in (200, 400, 800)]
    assert [round(value, 3) for value, _, _ in after] == [0.079, 0.206, 0.385]
    assert all(lo > 0 for _, lo, _ in after)
    start = [at(f"2x64, {steps} steps at 2 bits: nats that QAT from the start loses") for steps in (200, 400, 800)]
    assert [round(value, 3) for value, _, _ in start] == [0.023, 0.035, 0.029]
    assert [lo > 0 for _, lo, _ in start] == [True, True, False]
    value, lo, hi = at(
        "2x64 at 2 bits: nats of fused less classic (two decays) at equal tokens; fused is below in 15 of 15"
    )
    assert (round(value, 3), round(lo, 3), round(hi, 3)) == (-0.025, -0.026, -0.024)
    _, lo, hi = at("2x64 at 2 bits: best share inside at 42.5 tokens a byte less that at 10.6")
    assert lo < 0 < hi
    notes = " ".join(recorded.answer.notes)
    assert "2x64, 800 steps at 4 bits: all shares of QAT, from none to all, are within 0.029 nats" in notes
    assert "no more than the standard deviation over seeds in full precision, 0.031" in notes
    assert "Nothing is foretold by the law of the loss" in notes


@pytest.mark.slow
def test_the_page_is_that_of_the_recorded_run(recorded: PlanResult) -> None:
    page = (ROOT / "docs/plan/quantization.md").read_text("utf-8")
    assert page.startswith(f"# {recorded.verdict.split('.')[0]}")
    for each in recorded.answer.findings:
        assert each.text in page
