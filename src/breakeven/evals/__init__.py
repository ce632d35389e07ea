"""Evaluation logs people already have, read into tallies.

One module a layout; `read_evals` finds out which it is. No torch, and nothing is decided here. May import `ttc`,
`records` and `errors`; never `train`, `report` or `cli`.
"""

from breakeven.evals.log import EvalCheckpoint, EvalLog
from breakeven.evals.options import ReadOptions
from breakeven.evals.read import read_evals

__all__ = ["EvalCheckpoint", "EvalLog", "ReadOptions", "read_evals"]
