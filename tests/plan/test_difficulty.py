"""The row `difficulty` from end to end, tiny: trained, measured, answered, killed and resumed, and read from files."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.cells import Cells
from breakeven.plan.difficulty import ROW, Settings
from breakeven.plan.row import Asked
from breakeven.plan.run import run_plan, settings_of
from breakeven.records.plans import Finding, PlanResult
from breakeven.store import CellFile

RECIPE = """
[task]
kind = "sorting"
length = 3
num_values = 12
[model]
num_layers = 1
embedding = 16
num_heads = 2
feed_forward = 32
[train]
batch_size = 32
learning_rate = 2e-2
"""


def tiny(folder: Path) -> Settings:
    path = folder / "tiny.toml"
    path.write_text(RECIPE)
    return Settings(
        recipe=str(path),
        overrides=(),
        steps=80,
        small=(),
        large=("model.embedding=48",),
        num_problems=20,
        num_samples=8,
        large_samples=2,
        held=4,
        probe=2,
        k_values=(1, 4),
        searches=("dvts/weighted_vote",),
        search_k=(4,),
        reward_problems=30,
        reward_samples=4,
        reward_epochs=1,
        budgets=(1, 8),
        num_bins=2,
        splits=2,
    )


class KilledError(Exception):
    """Stands for a kill."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Settings, PlanResult]:
    folder = tmp_path_factory.mktemp("row")
    settings = tiny(folder)
    return folder, settings, run_plan(ROW, folder / "whole", settings=settings)


def test_killed_and_resumed_it_leaves_the_same_bytes(found: tuple[Path, Settings, PlanResult]) -> None:
    """Killed where the reward models are trained: the models before are read back, with the weights beside them."""
    folder, settings, _ = found

    def kill(key: str, known: bool) -> None:
        if key == "reward models":
            raise KilledError(key)

    with pytest.raises(KilledError):
        run_plan(ROW, folder / "killed", settings=settings, on_cell=kill)
    run_plan(ROW, folder / "killed", settings=settings)
    for name in ("cells.jsonl", "plan.json"):
        assert (folder / "killed" / name).read_bytes() == (folder / "whole" / name).read_bytes()


def test_cells_alone_are_enough(found: tuple[Path, Settings, PlanResult]) -> None:
    """Nothing is trained where all cells are there: no weights appear, and the answer is the same."""
    folder, settings, whole = found
    (folder / "copied").mkdir()
    shutil.copy(folder / "whole" / "cells.jsonl", folder / "copied")
    assert run_plan(ROW, folder / "copied", settings=settings) == whole
    assert {each.name for each in (folder / "copied").iterdir()} <= {"cells.jsonl", "plan.json", "lock"}


def test_every_flop_is_a_line_of_the_options(found: tuple[Path, Settings, PlanResult]) -> None:
    _, _, result = found
    options = {each.name: each for each in result.answer.options}
    greedy, large = options["small greedy"], options["large greedy"]
    assert large.train_flops > greedy.train_flops > 0
    assert set(greedy.one_off) == {"evaluation"}
    best = options["small best_of_n K=4 (large reward model)"]
    assert set(best.one_off) == {"evaluation", "large reward model", "reward models' samples"}
    assert min(best.one_off.values()) > 0
    assert best.reward_flops > options["small best_of_n K=4 (small reward model)"].reward_flops > 0
    assert options["small dvts/weighted_vote K=4 (small reward model)"].reward_flops > 0
    assert "small pass@k K=4" in options  # sorting has a checker that needs no gold answer
    for each in options.values():  # who asks a reward model at a query has trained it before
        assert (each.reward_flops > 0) <= ("reward models' samples" in each.one_off), each.name
    told = {each.settings["difficulty"] for each in options.values() if "difficulty" in each.settings}
    assert told  # and none that needs the gold answer
    assert all(str(each).startswith("mean reward") for each in told)
    assert result.target == pytest.approx(large.quality.value - 0.01)
    assert {each.quality.problems for each in options.values()} == {greedy.quality.problems}


def test_findings_say_what_they_are_of(found: tuple[Path, Settings, PlanResult]) -> None:
    _, _, result = found
    findings = {each.text: each for each in result.answer.findings}
    cross = [text for text in findings if text.startswith("accuracy by difficulty minus the best single setting")]
    assert any("true, an oracle" in each for each in cross)
    exchanged = [each for text, each in findings.items() if "D_inf / D_pre = 0.08" in text]
    assert len(exchanged) == 1
    assert all(each.lo is None or each.lo <= (each.value or 0.0) <= (each.hi or 0.0) for each in findings.values())
    assert any("Intervals are over problems" in each for each in result.answer.notes)
    assert any("gold answers" in each for each in result.answer.not_counted)
    labels = [each.label for each in result.answer.tables]
    (exchange,) = [each for each in result.answer.tables if each.label.startswith("Small minus large, by solve rate")]
    assert [row[0] for row in exchange.rows] == ["0.08"] * 4 + ["0.4"] * 4 + ["11"] * 4  # four accountings each
    assert labels[0] == "By difficulty, minus the best single setting"
    assert "2502.06703" in labels[-1]
    assert {each.name for each in result.answer.pictures} >= {"by-difficulty", "exchange"}


def test_published_points_are_options_if_asked_for(found: tuple[Path, Settings, PlanResult]) -> None:
    """Another setting is another plan; the answer is made of the same cells."""
    folder, settings, whole = found
    lines = (folder / "whole" / "cells.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["data"]["settings"]["published"] is False
    with CellFile(folder / "whole", None) as file:
        answer = ROW.answer(Asked(settings=replace(settings, published=True), cells=Cells(file=file)))
    assert {each.name for each in answer.options} - {each.name for each in whole.answer.options} == {
        "Llama-3.2-3B, TTS (published)",
        "Llama-3.1-405B, CoT (published)",
        "DeepSeek-R1-Distill-7B, TTS (published)",
        "DeepSeek-R1, CoT (published)",
    }


def test_from_files(tmp_path: Path) -> None:
    """Half of the problems are solved by every sample, half by none; no large model is spoken of."""
    rows = [
        {
            "problem": str(place),
            "answer": "2",
            "completions": [rf"\boxed{{{2 + place % 2}}}"] * 8,
            "scores": [[0.5]] * 8,
            "completion_tokens": [5] * 8,
        }
        for place in range(10)
    ]
    path = tmp_path / "best_of_n_completions.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    given = ["params=1e9", "reward_params=7e9", "held=4", "k_values=[1, 4]", "budgets=[4, 16]", "splits=2"]
    result = run_plan(ROW, tmp_path / "plan", settings=settings_of(ROW, given), files=[path])
    assert {each.quality.value for each in result.answer.options if "by" not in each.name} == {0.5}
    assert not any("large" in each.name for each in result.answer.options)
    assert any("which the files do not tell" in each for each in result.answer.not_counted)
    assert result.chosen == "majority_vote K=1"


def test_presets_are_settings() -> None:
    gpu = settings_of(ROW, preset="gpu")
    assert gpu.steps > Settings().steps
    assert gpu.num_problems > Settings().num_problems


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ("num_problems=1", "num_problems must be at least 2; got 1"),
        ("k_values=[1, 128]", "k_values must be from 1 to 64; got 128"),
        ("k_values=[]", "k_values must hold at least one K"),
        ("probe=33", "probe must be from 1 to held, 32; got 33"),
        ("budgets=[-1.0]", "budgets must be finite and above 0"),
        ("splits=0", "splits must be at least 1"),
    ],
)
def test_settings_out_of_range(given: str, rule: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        settings_of(ROW, [given])
    assert rule in str(caught.value)


ROOT = Path(__file__).parents[2]
CELLS = ROOT / "benchmarks" / "plans" / "difficulty" / "cells.jsonl"


def test_the_recorded_plan_is_of_the_defaults_and_says_what_its_page_does(tmp_path: Path) -> None:
    """Its page is made of these cells alone; one budget and one D_inf / D_pre of it are recomputed here."""
    shutil.copy(CELLS, tmp_path)
    computed = list[str]()
    with CellFile(tmp_path, None) as file:
        assert file.header.settings == msgspec.json.decode(msgspec.json.encode(Settings()))
        settings = replace(Settings(), budgets=(32,), ratios=(0.4,), thresholds=())
        cells = Cells(file=file, on_cell=lambda key, known: None if known else computed.append(key))
        answer = ROW.answer(Asked(settings=settings, cells=cells))
    assert computed == []
    options = {each.name: each for each in answer.options}
    assert len(options["small greedy"].quality.value_P) == 360
    *by_difficulty, exchanged = answer.findings
    page = (ROOT / "docs" / "difficulty.md").read_text()
    (row,) = [line for line in page.splitlines() if line.startswith("| 32 | .")]
    for place, each in enumerate(by_difficulty[:2]):  # the true one, and agreement
        assert row.split("|")[3 + 2 * place].strip() == shown(each)
    assert f"{exchanged.value:.3f}".replace("-0", "-") in page
    assert all(each.lo is not None and each.lo < 0 for each in by_difficulty[1:])
    assert exchanged.hi is not None
    assert exchanged.hi < 0


def shown(found: Finding) -> str:
    value, lo, hi = (f"{each:+.3f}".replace("0.", ".", 1) for each in (found.value, found.lo, found.hi))
    return f"{value} ({lo} to {hi})"
