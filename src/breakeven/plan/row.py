"""What a row of `breakeven plan` is, and all of them by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from breakeven.check import did_you_mean
from breakeven.errors import argument_error
from breakeven.plan.cells import Cells
from breakeven.records.plans import PlanAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a row is run with."""

    settings: Any
    """An instance of the row's own `settings`."""
    files: tuple[Path, ...] = ()
    """Of --from."""
    cells: Cells
    queries: float | None = None
    """Declared workload, where a row's own findings depend on it."""
    sure: bool = False
    """Whether options are held against a target by the lower end of their interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One question."""

    name: str
    settings: type
    """A frozen dataclass with a default for each field: what --set may set. The defaults are the CPU recipe."""
    answer: Callable[[Asked], PlanAnswer]
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Other settings by name: "gpu" is larger, and written without having been run."""
    free: tuple[str, ...] = ()
    """Settings that change no cell: a plan that was begun with others may be asked anew with these."""
    takes_files: str = ""
    """What --from may be, in words; empty: the row reads no file."""


ROWS: Final[Mapping[str, tuple[str, str]]] = {
    "options": ("options", "Options of your own: a table, evaluations, run logs. Which is the cheapest, from when on?"),
    "train-vs-infer": ("train_vs_infer", "How many parameters and tokens, if queries are answered with K samples?"),
    "difficulty": ("difficulty", "A setting of test-time compute for each difficulty, or a larger model?"),
    "solve-or-verify": ("solve_or_verify", "More solutions, verdicts on them, or more training of the solver?"),
    "pipeline": ("pipeline", "A model and samples for each subtask of a pipeline: which, and do trials of them pay?"),
    "graph": ("graph", "A graph of agents: which models, roles and edges, and do trials of them pay?"),
    "frozen-teacher": ("frozen_teacher", "How much training for a frozen teacher, how much for its student?"),
    "think-or-search": ("think_or_search", "A hidden thought before each answer, a search among answers, or both?"),
    "quantization": ("quantization", "Which share of a training with quantized weights, and at how few bits?"),
}
"""By name: module of this room, whose `ROW` it is, and its question."""


def row_of(name: str) -> Row:
    """The row of that name.

    Raises:
        ArgumentError: there is none.
    """
    if name not in ROWS:
        remedy = did_you_mean(name, ROWS) or f"Known: {', '.join(ROWS)}."
        raise argument_error("NAME", "be a row of breakeven plan", name, remedy)
    row: Row = import_module(f"breakeven.plan.{ROWS[name][0]}").ROW
    return row
