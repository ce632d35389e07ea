"""The row think-or-search from end to end: the gate, what is claimed behind it, and the same bytes after a kill."""

import shutil
from dataclasses import asdict

import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.row import row_of
from breakeven.plan.run import run_plan
from breakeven.plan.think_or_search import Settings
from breakeven.settings import as_record
from breakeven.store import CELLS_NAME

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
