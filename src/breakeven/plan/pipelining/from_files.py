"""Pipelines of the user's own: a table of stages, or one of configurations."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from breakeven.errors import argument_error
from breakeven.plan.cells import Cells
from breakeven.plan.pipelining.from_configurations import Found, of_configurations
from breakeven.plan.pipelining.from_stages import of_stages
from breakeven.plan.pipelining.table import Table


def table_of_files(files: Sequence[Path], cells: Cells, *, num_problems: int) -> tuple[Table, tuple[float, ...]]:
    """All configurations, and the budgets that the files name.

    Args:
        files: one table of stages, TOML, or one of configurations.
        cells: of the plan.
        num_problems: that measuring again is charged for where problems are not told apart.

    Raises:
        ArgumentError: more than one file. LogError: it cannot be read, or its parts do not fit.
    """
    if len(files) != 1:
        raise argument_error("--from", "be one table, of stages or of configurations", [str(each) for each in files])
    (path,) = files
    found = cells.of("files", Found, lambda: of_stages(path) if path.suffix == ".toml" else of_configurations(path))
    accuracy_CP = np.array(found.accuracy_CP)
    count = accuracy_CP.shape[1]
    split = count // 2  # half for the trials, half to measure again; a single column is both
    table = Table(
        stages=found.stages,
        trial_CP=accuracy_CP[:, :split] if split else accuracy_CP,
        fresh_CP=accuracy_CP[:, split:],
        problems=found.problems,
        made=found.made,
        fresh_problems=None if split else num_problems,
        notes=found.notes,
        not_counted=("finding out the accuracies that the files hold",),
    )
    return table, found.budgets
