"""Branches of one run: the same as each training by itself, quantized where they should be, and divergence stated."""

import pytest

from breakeven.errors import LogError
from breakeven.plan.cells import Cells
from breakeven.plan.quantizing.branches import Branches
from breakeven.plan.quantizing.grid import Grid
from breakeven.plan.quantizing.measured import splits_of
from breakeven.store import CellFile, PlanHeader

pytest.importorskip("torch")
pytest.importorskip("torchao", reason="torchao is not installed: breakeven[quantization]")
GRID = Grid(
    sizes=("1x16",),
    num_heads=2,
    steps=(10, 20),
    bits=(2,),
    seeds=(1,),
    fractions=(0.0, 0.1, 0.2, 0.5, 1.0),
    batch_size=8,
    warmup_steps=3,
    learning_rate=1e-2,
    num_problems=5,
)


def measured(folder, courses, grid=GRID):
    config = grid.config("1x16", grid.seed)
    with CellFile(folder, PlanHeader(versions={}, row="quantization", settings={})) as file:
        branches = Branches(
            cells=Cells(file=file),
            config=config,
            courses=courses,
            problems=config.task.problems("test", grid.num_problems),
        )
        found = dict(zip(courses, branches.measured(), strict=True))
        assert not list(folder.glob("size=*"))  # states are gone
        return found, [*file]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return measured(tmp_path_factory.mktemp("whole"), list(GRID.courses("1x16")))


@pytest.mark.parametrize("place", [1, 4, 5, 6, 7, 8, 9, 10, -1])
def test_a_branch_is_what_that_training_would_be_by_itself(whole, tmp_path, place):
    """In full precision and quantized, on either schedule, before, at and after the beginning of the decay."""
    found, _ = whole
    course = list(found)[place]
    alone, _ = measured(tmp_path, [course])
    assert alone[course] == found[course]


def test_steps_that_are_shared_are_taken_once(whole):
    _, keys = whole
    assert len({*keys}) == len(keys)
    assert [each for each in keys if "trunk" in each] == [
        f"size=1x16 seed=0 trunk step={step}" for step in (4, 5, 6, 7, 8, 10, 12, 14, 16)
    ]


def test_shares_differ_and_two_bits_cost_something(whole):
    found, _ = whole
    losses = {(each.steps, each.bits, each.fraction, each.schedule): told.loss_P for each, told in found.items()}
    assert len({*losses.values()}) == len(losses)
    assert all(len(each) == GRID.num_problems for each in losses.values())


def test_a_training_that_diverges_is_an_outcome_and_in_no_comparison(tmp_path):
    grid = Grid(
        sizes=("1x16",),
        num_heads=2,
        steps=(5,),
        bits=(2,),
        seeds=(1,),
        fractions=(0.0, 0.4, 1.0),
        batch_size=8,
        learning_rate=1e30,
        warmup_steps=0,
        num_problems=5,
    )
    found, _ = measured(tmp_path, list(grid.courses("1x16")), grid)
    assert all(each.diverged_at is not None and each.loss_P == () for each in found.values())
    splits, notes = splits_of(grid, found)
    assert splits == []
    assert f"1x16, 5 steps, 2 bits, QAT for 40 %, fused, diverged at step {_at(found, 0.4)} (seed 0)" in " ".join(notes)


def _at(found: dict, fraction: float) -> int:
    return next(told.diverged_at for each, told in found.items() if each.fraction == fraction)


def test_cells_without_the_states_that_others_go_on_from_are_refused(whole, tmp_path):
    courses = list(GRID.courses("1x16"))
    measured(tmp_path, courses[:1])
    with pytest.raises(LogError, match=r"is not there, and cells that are missing go on from it\. Begin the plan anew"):
        measured(tmp_path, courses[:2])
