"""Evaluation logs people already have, read into tallies.

One module a layout; `read_evals` finds out which it is. No torch, and nothing is decided here. May import `ttc`,
`records` and `errors`; never `train`, `report` or `cli`.
"""

from breakeven.readers.log import EvalCheckpoint, EvalLog, thinned
from breakeven.readers.options import ReadOptions
from breakeven.readers.read import read_evals, tasks_in

__all__ = ["EvalCheckpoint", "EvalLog", "ReadOptions", "read_evals", "tasks_in", "thinned"]
