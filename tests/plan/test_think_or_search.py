"""The row think-or-search from end to end: the gate, what is claimed behind it, and the same bytes after a kill."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.row import row_of
from breakeven.plan.run import held_by, run_plan
from breakeven.plan.think_or_search import Settings
from breakeven.plan.thinking.searched import Searched, Tree
from breakeven.settings import as_record
from breakeven.store import CELLS_NAME, CellFile

ROOT = Path(__file__).parents[2]
ROW = row_of("think-or-search")
TINY = Settings(
    num_pauses=(2,),
    num_layers=1,
    embedding=16,
    num_heads=2,
    feed_forward=16,
    batch_size=8,
    written_problems=20,
    written_steps=3,
    kept_problems=6,
    kept_samples=2,
    kept_steps=2,
    scorer_problems=20,
    num_problems=8,
    num_samples=4,
    tree_sizes=(2, 4),
    seeds=2,
    draws=50,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A finished plan, whose models know nothing yet: its directory and its result."""
    directory = tmp_path_factory.mktemp("whole")
    return directory, run_plan(ROW, directory, settings=TINY)


def test_nothing_is_claimed_behind_a_gate_that_does_not_hold(whole):
    directory, found = whole
    texts = [each.text for each in found.answer.findings]
    assert texts[1].startswith("Gate does not hold: hidden steps less at once")
    assert any(each.startswith("Seeds that hidden steps would take") for each in texts)
    assert not any("Effect of" in each for each in texts)
    assert any("nothing is claimed of REBASE" in each for each in found.answer.notes)
    assert b"search " not in (directory / CELLS_NAME).read_bytes()
    assert all(each.name.startswith("at once") for each in found.answer.options)
    assert any("Published" in each.label for each in found.answer.tables)


def test_behind_an_open_gate_all_four_ways_are_compared(whole, tmp_path):
    """Cells in which hidden steps are always right, and REBASE half as often."""
    directory, _ = whole
    lines = [json.loads(line)["data"] for line in (directory / CELLS_NAME).read_bytes().splitlines()[1:]]
    with CellFile(tmp_path, held_by(directory)) as file:
        for each in lines:
            key, value = each["key"], each["value"]
            if key.startswith("answer hidden-steps"):
                bank = value["bank"]
                bank |= {"greedy_correct_P": "1" * 8, "correct_PN": ["1" * 4] * 8, "answer_PN": ["0" * 4] * 8}
            file.put(key, value)
        for arm, seed in (("at-once", 0), ("at-once", 1), ("hidden-steps", 0), ("hidden-steps", 1)):
            trees = [
                Tree(size=size, right_P=(0.5,) * 8, model_flops=size * 1e4, reward_flops=size * 1e4, num_leaks=0)
                for size in (2, 4)
            ]
            searched = Searched(label_flops=3e6, train_flops=4e6, auc=0.7, trees=tuple(trees))
            file.put(f"search {arm}-seed-{seed}", asdict(searched))
    anew = []
    found = run_plan(ROW, tmp_path, settings=TINY, on_cell=lambda key, known: None if known else anew.append(key))
    assert not anew
    texts = [each.text for each in found.answer.findings]
    assert texts[1].startswith("Gate holds: hidden steps less at once")
    effects = {each.text.split(" on accuracy")[0]: each for each in found.answer.findings if "Effect of" in each.text}
    assert [*effects] == ["Effect of thought", "Effect of REBASE", "Effect of both beyond their sum"]
    harm = effects["Effect of both beyond their sum"].value  # REBASE brings something at once, and harms a thought
    assert harm is not None
    assert harm < 0
    options = {each.name: each for each in found.answer.options}
    tree = options["hidden steps, REBASE 4"]
    assert (tree.one_off["labelled samples"], tree.one_off["scorer"]) == (3e6, 4e6)
    assert tree.one_off["own steps drawn"] > 0
    assert tree.reward_flops == 4e4
    assert not any(each.name.startswith("2 pauses") for each in options.values() if "REBASE" in each.name)
    assert any("At equal FLOPs a query" in each.label for each in found.answer.tables)
    assert len(found.shares) == len(options)


def test_a_plan_that_was_killed_goes_on_to_the_same_bytes(whole, tmp_path):
    directory, found = whole
    shutil.copytree(directory, tmp_path / "killed")
    cells = tmp_path / "killed" / CELLS_NAME
    lines = cells.read_bytes().splitlines(keepends=True)
    cells.write_bytes(b"".join(lines[:7]) + lines[7][:20])
    again = run_plan(ROW, tmp_path / "killed", settings=TINY)
    assert cells.read_bytes() == (directory / CELLS_NAME).read_bytes()
    assert again == found


def test_finished_cells_need_no_weights(whole, tmp_path):
    directory, found = whole
    shutil.copy(directory / CELLS_NAME, tmp_path)
    assert run_plan(ROW, tmp_path, settings=TINY) == found


# -- the run that is recorded ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The plan of the recorded cells, of which none is computed anew."""
    directory = tmp_path_factory.mktemp("recorded")
    shutil.copy(ROOT / "benchmarks/plans/think-or-search" / CELLS_NAME, directory)
    anew = []
    found = run_plan(
        ROW, directory, settings=Settings(), on_cell=lambda key, known: None if known else anew.append(key)
    )
    assert not anew
    return found


def test_what_the_recorded_run_says(recorded):
    """The gate holds; thought brings much at equal FLOPs, REBASE costs more than it brings, less so with a thought."""
    gate, *effects = recorded.answer.findings[:7]
    assert gate.text.startswith("Gate holds: hidden steps less at once")
    assert "seeds +0.453, +0.130, +0.243; standard error 0.095" in gate.text
    assert gate.value == pytest.approx(0.276, abs=5e-4)
    assert [round(each.value, 3) for each in effects] == [0.353, -0.128, 0.156, 0.298, -0.028, 0.046]
    for each in effects:
        assert each.value * each.lo > 0
        assert each.value * each.hi > 0
        assert "3 of 3 seeds" in each.text
    (table,) = (each for each in recorded.answer.tables if each.label.startswith("Ways to answer"))
    assert [row[2] for row in table.rows] == ["0.483, 0.783, 0.683", "0.937, 0.913, 0.927"]
    assert table.rows[1][4] == "9 of 58,500"
    options = {each.name: each for each in recorded.answer.options}
    votes, tree = options["hidden steps, vote of 4"], options["hidden steps, REBASE 2"]
    assert votes.per_query < tree.per_query
    assert votes.quality.value > tree.quality.value


def test_the_page_is_that_of_the_recorded_run(recorded):
    page = (ROOT / "docs/plan/think-or-search.md").read_text("utf-8")
    assert page.startswith(f"# {recorded.verdict.split(',')[0]}")
    for each in recorded.answer.findings:
        assert each.text.replace("|", "\\|") in page


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_pauses": (0, 4)}, r"num_pauses must hold numbers from 1; got \[0, 4\]\. No pauses are no thought"),
        ({"num_pauses": (4, 4)}, r"num_pauses must hold each number once; got \[4, 4\]"),
        ({"seeds": 1}, "seeds must be at least 2; got 1"),
        ({"kept_steps": 0}, "kept_steps must be at least 1; got 0"),
        ({"tree_sizes": (4, 2)}, "tree_sizes must"),
        ({"temperature": 0.0}, "temperature must be finite and above 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        Settings(**settings)


def test_presets_are_settings():
    for preset in ROW.presets.values():
        assert as_record(asdict(Settings()) | dict(preset), Settings).recipe.seeds == 5
