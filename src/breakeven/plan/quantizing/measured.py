"""The grid, measured: each training with its loss, and what it cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from breakeven.cost.evaluation import loss_flops
from breakeven.plan.cells import Cells
from breakeven.plan.quantizing.branches import Branches, Measured
from breakeven.plan.quantizing.grid import Course, Grid


def courses_of(grid: Grid, cells: Cells) -> dict[Course, Measured]:
    """Every training of the grid, in a fixed order."""
    found = dict[Course, Measured]()
    task = grid.config(grid.sizes[0], grid.seed).task
    problems = task.problems("test", grid.num_problems, seed=grid.seed)  # refused before anything is trained
    for size in grid.sizes:
        courses = list(grid.courses(size))
        for seed in sorted({each.seed for each in courses}):
            own = [each for each in courses if each.seed == seed]
            branches = Branches(cells=cells, config=grid.config(size, seed), courses=own, problems=problems)
            found |= zip(own, branches.measured(), strict=True)
    return found
