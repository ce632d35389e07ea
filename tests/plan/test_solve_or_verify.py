"""The row solve-or-verify from end to end, small: families, findings, and the same bytes after a kill."""

import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.row import row_of
from breakeven.plan.run import run_plan
from breakeven.plan.solve_or_verify import Settings
from breakeven.plan.verifying.compared import compared
from breakeven.plan.verifying.families import Family
from breakeven.settings import as_record
from breakeven.store import CELLS_NAME

ROOT = Path(__file__).parents[2]
ROW = row_of("solve-or-verify")
TINY = Settings(
    num_layers=1,
    embedding=32,
    num_heads=2,
    feed_forward=64,
    batch_size=32,
    learning_rate=1e-2,
    solver_steps=150,
    brief_steps=4,
    well_steps=8,
    trained_on_steps=160,
    label_problems=400,
    label_samples=4,
    scorer_epochs=1,
    num_problems=16,
    num_samples=4,
    num_verdicts=2,
    draws=100,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A finished plan: its directory and its result."""
    directory = tmp_path_factory.mktemp("whole")
    return directory, run_plan(ROW, directory, settings=TINY)


@pytest.mark.slow
def test_every_family_is_there_with_every_cost(whole):
    _, found = whole
    options = {each.name: each for each in found.answer.options}
    voted, judged = options["solver, vote of 4"], options["verifier of 4 steps, best of 4 x 2"]
    assert judged.train_flops == voted.train_flops > 0
    assert [*judged.one_off] == ["labelled samples", "verifier"]
    assert judged.query_flops == voted.query_flops
    assert judged.reward_flops > options["verifier of 4 steps, best of 4 x 1"].reward_flops > voted.reward_flops == 0
    longer = options["verifier of 8 steps, weighted vote of 4 x 2"]
    assert longer.one_off["verifier"] == pytest.approx(2 * judged.one_off["verifier"])
    assert options["scorer, best of 4"].reward_flops < judged.reward_flops
    on = options["solver trained on to 160 steps, greedy"]
    assert on.train_flops == pytest.approx(voted.train_flops * 160 / 150)
    assert not on.one_off
    for each in options.values():
        assert len(each.quality.value_P) == 16
        assert np.mean(each.quality.value_P) == pytest.approx(each.quality.value)
    assert len(found.shares) == len(options)


@pytest.mark.slow
def test_each_question_has_its_finding(whole):
    _, found = whole
    texts = " ".join(each.text for each in found.answer.findings)
    for question in ("as good as solver, vote", "paid back", "exponent", "any verdicts", "spent once", "beyond chance"):
        assert question in texts
    assert [each.name for each in found.answer.pictures] == ["accuracy", "gap"]
    assert any("seeds" in each.lower() for each in found.answer.notes)
    assert found.answer.not_counted


@pytest.mark.slow
def test_a_plan_that_was_killed_goes_on_to_the_same_bytes(whole, tmp_path):
    directory, found = whole
    shutil.copytree(directory, tmp_path / "killed")
    cells = tmp_path / "killed" / CELLS_NAME
    lines = cells.read_bytes().splitlines(keepends=True)
    cells.write_bytes(b"".join(lines[:6]) + lines[6][:20])
    again = run_plan(ROW, tmp_path / "killed", settings=TINY)
    assert cells.read_bytes() == (directory / CELLS_NAME).read_bytes()
    assert again == found


@pytest.mark.slow
def test_finished_cells_need_no_weights(whole, tmp_path):
    directory, found = whole
    shutil.copy(directory / CELLS_NAME, tmp_path)
    assert run_plan(ROW, tmp_path, settings=TINY) == found
    assert {each.name for each in tmp_path.iterdir()} <= {CELLS_NAME, "plan.json", "lock"}


# -- the run that is recorded ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The plan of the recorded cells, of which none is computed anew."""
    directory = tmp_path_factory.mktemp("recorded")
    shutil.copy(ROOT / "benchmarks/plans/solve-or-verify" / CELLS_NAME, directory)
    anew = []
    found = run_plan(
        ROW, directory, settings=Settings(), on_cell=lambda key, known: None if known else anew.append(key)
    )
    assert not anew
    return found


@pytest.mark.slow
def test_what_the_recorded_run_says(recorded):
    """A weak verifier loses to the vote; a good one loses below a crossover and wins above; training on beats both."""
    options = {each.name: each for each in recorded.answer.options}
    families = {
        name: Family(name=name, options=tuple(each for each in options.values() if each.name.startswith(name)))
        for name in (
            "solver, ",
            "verifier of 350 steps, best",
            "verifier of 350 steps, weighted",
            "verifier of 1600 steps, best",
            "scorer, best",
        )
    }
    weak, weighted, good, scorer = (
        compared(families["solver, "], each, draws=400, seed=0) for each in list(families.values())[1:]
    )
    assert weak.behind == len(weak.gaps)
    assert weak.crossover is None
    assert weighted.gaps[-1].value > 0 > weighted.gaps[0].value  # but its weighted vote wins where it is dearest
    assert scorer.behind == len(scorer.gaps)
    assert good.crossover == pytest.approx(26.8e6, rel=0.01)
    assert good.gaps[0].hi is not None
    assert good.gaps[0].hi < 0
    assert all(each.lo is not None and each.lo > 0 for each in good.gaps if each.price > 30e6)
    on, best = (
        options["solver trained on to 1000 steps, greedy"],
        options["verifier of 1600 steps, weighted vote of 32 x 8"],
    )
    assert on.quality.value > best.quality.value
    assert best.per_query > 200 * on.per_query
    assert best.once > 3 * on.once


@pytest.mark.slow
def test_the_page_is_that_of_the_recorded_run(recorded):
    page = (ROOT / "docs/plan/solve-or-verify.md").read_text("utf-8")
    assert page.startswith(f"# {recorded.verdict.split(',')[0]}")
    for each in recorded.answer.findings:
        assert each.text.replace("|", "\\|") in page


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trained_on_steps": 440}, r"trained_on_steps must be above solver_steps, 440; got 440\. It is the solver"),
        ({"brief_steps": 1600}, "brief_steps must be below well_steps, 1600; got 1600"),
        ({"num_samples": 1}, "num_samples must be at least 2; got 1"),
        ({"temperature": 0.0}, "temperature must be finite and above 0"),
        ({"verdict_ratio": float("nan")}, "verdict_ratio must be finite and above 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        Settings(**settings)


def test_presets_are_settings():
    for preset in ROW.presets.values():
        assert as_record(asdict(Settings()) | dict(preset), Settings).recipe.num_samples == 128


def test_a_solver_that_is_never_right_cannot_be_learned_from(tmp_path):
    small = asdict(TINY) | {"solver_steps": 1, "label_problems": 3, "trained_on_steps": 2, "num_problems": 2}
    with pytest.raises(ArgumentError, match="solver_steps must leave right and wrong solutions"):
        run_plan(ROW, tmp_path, settings=Settings(**small))
