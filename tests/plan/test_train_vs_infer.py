"""The row train-vs-infer: a small grid trained for real, through a cut; tables whose optimum is known; a run beside."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from breakeven.errors import ArgumentError, LogError
from breakeven.plan.cells import Cells
from breakeven.plan.laws.chinchilla import HOFFMANN, sardana
from breakeven.plan.row import Asked, row_of
from breakeven.plan.run import run_plan, settings_of
from breakeven.plan.sizing.grid import Grid
from breakeven.plan.sizing.settings import Settings
from breakeven.plan.train_vs_infer import ROW, answer
from breakeven.records.plans import PlanAnswer
from breakeven.store import CELLS_NAME, CellFile, PlanHeader

TINY = Settings(
    recipe="countdown",
    overrides=(
        "task.num_numbers=2",
        "task.max_number=12",
        "task.max_target=30",
        "train.num_sequences=0",
        "train.batch_size=16",
        "train.decay_share=0.0",
        "train.learning_rate=2e-2",
        "train.warmup_steps=5",
    ),
    sizes=("1x16", "1x24"),
    train_flops=(2e7, 4e7, 8e7),
    durations=2,
    num_problems=12,
    num_samples=4,
    law_draws=8,
    law_starts=3,
)
COUNTDOWN = Path(__file__).parents[2] / "examples" / "runs" / "countdown-1"


def asked(tmp_path: Path, settings: Settings = TINY, *files: Path) -> Asked:
    header = PlanHeader(versions={}, row=ROW.name, settings={})
    return Asked(settings=settings, files=files, cells=Cells(file=CellFile(tmp_path / "cells", header)))


def test_a_small_grid_is_trained_and_a_cut_in_the_middle_leaves_the_same_bytes(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    result = run_plan(ROW, whole, settings=TINY)
    assert row_of("train-vs-infer") is ROW
    per_model = 1 + 3  # greedy, and K = 1, 2, 4
    assert len(result.answer.options) == 4 * per_model
    for option in result.answer.options:
        assert option.train_flops == pytest.approx(float(option.settings["duration_flops"]), rel=0.1)
        assert option.one_off["evaluation"] > 0
        assert option.query_flops > 0
        assert len(option.quality.value_P) == 12
    shared = [each for each in result.answer.options if each.settings["duration_flops"] == 4e7]
    assert {each.settings["size"] for each in shared} == {"1x16", "1x24"}
    written = (whole / CELLS_NAME).read_bytes()
    shutil.copytree(whole, cut)
    lines = written.splitlines(keepends=True)
    (cut / CELLS_NAME).write_bytes(b"".join(lines[:4]) + lines[4][:20])  # within the fourth cell
    shutil.rmtree(cut / "size-1x24")
    run_plan(ROW, cut, settings=TINY)
    assert (cut / CELLS_NAME).read_bytes() == written
    (cut / CELLS_NAME).write_bytes(written)
    shutil.rmtree(cut / "size-1x16")
    shutil.rmtree(cut / "size-1x24")
    again = run_plan(
        ROW, cut, settings=replace(TINY, planned_queries=(0, 10), targets=(0.1,))
    )  # no weights, no training
    assert again.answer.options == result.answer.options
    assert (cut / CELLS_NAME).read_bytes() == written


def test_durations_lie_on_one_ladder_so_that_sizes_meet_at_equal_training() -> None:
    grid = Grid()
    assert [grid.levels(size)[0] for size in grid.sizes] == list(grid.train_flops[:5])
    assert grid.levels(grid.sizes[-1])[-1] == grid.train_flops[-1]
    assert all(len(grid.steps(size)) == grid.durations for size in grid.sizes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sizes": ("2by32",)}, "sizes must hold layers x embedding each, such as 2x32; got '2by32'."),
        ({"sizes": ()}, "sizes must hold at least one size"),
        ({"train_flops": (2e8, 1e8, 3e8)}, "train_flops must ascend"),
        ({"train_flops": (1e8,)}, "be at least the durations of a size, 2"),
        ({"num_samples": 1}, "num_samples must be a whole number of at least 2"),
        ({"planned_k": (4, 1)}, "planned_k must be increasing"),
        ({"targets": (1.5,)}, "targets must hold shares from 0 to 1"),
        ({"tokens_per_sample": 0.0}, "tokens_per_sample must be finite and above 0"),
    ],
)
def test_settings_are_held_to_their_rules(change: dict[str, object], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        replace(TINY, **change)  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_the_larger_preset_can_be_planned() -> None:
    large = settings_of(ROW, preset="gpu")
    assert all(large.steps(size)[-1] > 10_000 for size in large.sizes)


def test_durations_closer_than_a_step_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="lie further apart than a step of 1x16"):
        answer(asked(tmp_path, replace(TINY, train_flops=(2e7, 2.0001e7, 1e8))))
    assert not list((tmp_path / "cells").glob("size-*"))


def losses(tmp_path: Path) -> Path:
    """Losses by Hoffmann's law, without noise."""
    rows = [
        f"{params:.0f},{tokens:.0f},{HOFFMANN.loss(params, tokens):.9f}"
        for params in np.geomspace(1e8, 1e11, 6)
        for tokens in np.geomspace(1e9, 1e12, 6)
    ]
    path = tmp_path / "losses.csv"
    path.write_text("N,D,loss\n" + "\n".join(rows) + "\n")
    return path


def test_a_table_of_losses_gives_back_the_size_that_its_law_would_serve(tmp_path: Path) -> None:
    tokens = HOFFMANN.optimal_tokens(30e9)
    goal = HOFFMANN.loss(30e9, tokens)
    settings = replace(TINY, target_loss=goal, planned_queries=(0, 1e10), tokens_per_sample=1000.0)
    found = answer(asked(tmp_path, settings, losses(tmp_path)))
    assert found.quality == "minus loss"
    assert len(found.options) == 36
    table = next(each for each in found.tables if each.label.startswith("Cheapest size at loss"))
    compute_optimal, served = ([float(cell.split()[0]) for cell in row[1:4]] for row in table.rows)
    assert compute_optimal[0] == pytest.approx(30e9, rel=0.02)
    known = sardana(HOFFMANN, loss=goal, inference_tokens=1e13)  # 13.9B on 2.74 times the data
    assert served[0] == pytest.approx(known.params, rel=0.02)
    assert served[2] == pytest.approx(known.more_data, rel=0.02)
    beyond = ["extrapolated" if each > 4e12 else "forecast" for each in (tokens, known.train_tokens)]  # 4 times 1e12
    assert [row[5] for row in table.rows] == beyond
    optimal = next(each for each in found.tables if each.label.startswith("Compute-optimal size"))
    for row, flops in zip(optimal.rows, (6e23, 2.4e24), strict=True):  # the most in the table, and four times as many
        params, tokens = HOFFMANN.compute_optimal(flops)
        assert float(row[1].split()[0]) == pytest.approx(params, rel=0.02)
        assert row[4] == ("extrapolated" if tokens > 4e12 else "forecast")
    ratios = {each.text.partition(" of the cheapest")[0]: each.value for each in found.findings}
    assert (ratios["Ratio of the parameters"] or 1) < 1 < (ratios["Ratio of the tokens per parameter"] or 1)


def accuracies(tmp_path: Path) -> Path:
    """By T^2's additive form: the best size at equal training follows from its constants."""
    rows = []
    for params in (1e5, 3e5, 1e6):
        for tokens in (1e6, 4e6, 1.6e7):
            for k in (1, 16):
                accuracy = np.exp(-(0.05 + 30 * params**-0.4 + 60 * tokens**-0.4 + 0.5 * k**-0.5))
                rows.append(f"{params:.0f},{tokens:.0f},{k},{accuracy:.6f}")
    path = tmp_path / "accuracies.csv"
    path.write_text("N,D,k,accuracy\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> PlanAnswer:
    folder = tmp_path_factory.mktemp("joined")
    settings = replace(TINY, planned_k=(1, 16), planned_queries=(0, 1e9), rl_flops=1e21, law_draws=4, law_starts=6)
    return answer(asked(folder, settings, accuracies(folder), COUNTDOWN))


def test_the_laws_of_a_table_are_held_to_what_they_did_not_see(joined: PlanAnswer) -> None:
    table = next(each for each in joined.tables if each.label.startswith("Laws of Pass@K"))
    errors = {row[0]: float(row[2].split()[0]) for row in table.rows}
    assert errors["T^2 additive"] < 0.5  # accuracy points: it is the form of the table
    assert errors["T^2 additive"] < min(errors["T^2 product"], errors["T^2 Beta"])
    told = [each for each in joined.findings if each.text.startswith("Mean error of")]
    assert len(told) == 3
    planned = next(each for each in joined.tables if each.label.startswith("Best size by T^2 additive"))
    same = [row for row in planned.rows if row[1] == "K = 1"]
    # alpha A N^-alpha = beta B D^-beta with equal exponents: N / D = (A / B)^(1 / .4) = (1 / 2)^2.5
    for row in same:
        assert float(row[3].split()[0]) == pytest.approx(2**2.5, rel=0.05)


def test_a_run_stands_beside_the_table_with_its_own_law(joined: PlanAnswer) -> None:
    names = [each.name for each in joined.options]
    assert any(name.startswith("countdown-1 step") for name in names)
    standing = next(each for each in joined.tables if each.label == "Where countdown-1 stands")
    assert [row[0] for row in standing.rows] == ["1", "16"]
    assert any(each.label.startswith("Laws of countdown-1 alone") for each in joined.tables)
    assert any("countdown-1" in note for note in joined.notes)


def test_where_rl_follows_its_share_is_told_and_named_as_near(joined: PlanAnswer) -> None:
    table = next(each for each in joined.tables if "between pretraining and RL" in each.label)
    assert "not equal" in table.label
    assert any("other models and another task" in note for note in joined.notes)


def test_a_run_of_another_task_is_not_held_to_the_law_of_the_grid(tmp_path: Path) -> None:
    found = answer(asked(tmp_path, replace(TINY, planned_k=(1, 4)), COUNTDOWN))
    assert "countdown-1 is of another task than the grid, whose law says nothing of it." in found.notes


def test_a_table_of_one_model_has_options_and_no_law(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("N,D,problem,n,c\n1e6,2e7,a,4,3\n1e6,2e7,b,4,0\n")
    found = answer(asked(tmp_path, replace(TINY, tokens_per_sample=10.0), path))
    assert [(each.settings["k"], each.quality.value) for each in found.options] == [(1, 0.375), (2, 0.5), (4, 0.5)]
    assert found.options[0].query_flops == 2 * 1e6 * 10
    assert found.options[1].query_flops == pytest.approx(2 * 1e6 * 10 * (1.25 + 2) / 2)
    assert any(note.startswith("No law of accuracy was fitted") for note in found.notes)


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="must be a table of options; got nothing"):
        answer(asked(tmp_path, TINY, tmp_path / "missing.csv"))


RECORDED = Path(__file__).parents[2] / "benchmarks" / "plans" / "train-vs-infer"


def test_the_recorded_plan_is_asked_anew_without_training_and_its_page_says_the_same(tmp_path: Path) -> None:
    shutil.copy(RECORDED / CELLS_NAME, tmp_path)
    result = run_plan(ROW, tmp_path, settings=Settings(planned_k=(1,)))  # at one K no law is fitted
    assert (tmp_path / CELLS_NAME).read_bytes() == (RECORDED / CELLS_NAME).read_bytes()
    grid = Grid()
    assert len(result.answer.options) == len(grid.sizes) * grid.durations * 7
    page = (Path(__file__).parents[2] / "docs" / "plan" / "train-vs-infer.md").read_text()
    assert page.startswith(f"# {result.verdict}\n")
    for table in result.answer.tables:
        assert all(" | ".join(row) in page for row in table.rows)
