"""The grid, trained and measured: each split of it with what it cost, and those that diverged."""

from breakeven.cost.evaluation import loss_flops
from breakeven.plan.cells import Cells
from breakeven.plan.quantizing.branches import Branches, Measured
from breakeven.plan.quantizing.grid import Course, Grid
from breakeven.plan.quantizing.serving import query_bytes, weight_bytes
from breakeven.plan.quantizing.splits import Split
from breakeven.train.costs import cost_of, longest_query, sequence_tokens


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


def splits_of(grid: Grid, measured: dict[Course, Measured]) -> tuple[list[Split], list[str]]:
    """Courses by what they have in common but for the seed; and in words those that diverged, which are in no split.

    A split of which any seed diverged is left out, so that seeds are paired.
    """
    alike: dict[tuple[str, int, int, float, str], list[Course]] = {}
    for course in measured:
        alike.setdefault((course.size, course.level, course.bits, course.fraction, course.schedule), []).append(course)
    splits, diverged = list[Split](), list[str]()
    for courses in alike.values():
        split = _split(grid, courses, measured)
        lost = {each.seed: at for each in courses if (at := measured[each].diverged_at) is not None}
        if not lost:
            splits.append(split)
        for seed, step in lost.items():
            diverged.append(f"{split.name}, diverged at step {step} (seed {seed}), and is in no comparison.")
    return splits, diverged


def _split(grid: Grid, courses: list[Course], measured: dict[Course, Measured]) -> Split:
    first = courses[0]
    config = grid.config(first.size, first.seed)
    task, cost, shape = config.task, cost_of(config), config.model.shape_for(config.task)
    sequences, read = first.steps * grid.batch_size, sequence_tokens(task)
    level = cost_of(grid.config(grid.sizes[0], first.seed)).train_flops(first.level * grid.batch_size, read)
    prompts, solutions = [task.prompt_tokens] * grid.num_problems, [task.output_tokens] * grid.num_problems
    return Split(
        model=f"{first.size}, {first.steps} steps",
        size=first.size,
        params=cost.body_params,
        bits=first.bits,
        tokens=sequences * read,
        fraction=first.fraction,
        schedule=first.schedule,
        level=level,
        loss_SP=tuple(measured[each].loss_P for each in courses),
        problems=f"chain {grid.num_terms}x{grid.num_digits}, {grid.num_problems} of test, seed {grid.seed}",
        train_flops=cost.train_flops(sequences, read),
        evaluation_flops=loss_flops(prompts, solutions, cost),
        query_flops=longest_query(config).total(1),
        weight_bytes=weight_bytes(shape, first.bits),
        query_bytes=query_bytes(shape, first.bits, task.prompt_tokens, task.output_tokens),
    )
