"""breakeven: decide during training when a checkpoint served with K samples replaces the rest of the run.

TTC-aware training (arXiv 2601.01332), by a rule of its own (`CalibratedPolicy`) or the paper's (`PaperPolicy`). The one
call in a training loop is `Session.observe`. Importing this package imports no torch; `breakeven.train.loop` does, and
`breakeven.lightning`, `ray`, `torch` and `transformers`, the adapters, which are imported where they are first named.
"""

import typing as _typing
from importlib import import_module as _import_module

from breakeven._version import __version__
from breakeven.cost.tokens import ModelCost
from breakeven.records import (
    CheckpointRecord,
    Completion,
    Decision,
    Draw,
    Forecast,
    KCurve,
    Observation,
    Problem,
    RunSpec,
    ServingPoint,
)
from breakeven.session.joint import JointSession, Watched
from breakeven.session.recording import open_log
from breakeven.session.replay import replay
from breakeven.session.session import Session
from breakeven.stopping.break_even import break_even_bound, break_even_queries
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.decide import decide
from breakeven.stopping.forecast import forecast_accuracy
from breakeven.stopping.joint import joint_decision
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience
from breakeven.store import RunLog, read_log
from breakeven.ttc.k_curve import extrapolate_pass_at_k
from breakeven.ttc.strategies.pass_at_k import pass_at_k

__all__ = [
    "CalibratedPolicy",
    "CheckpointRecord",
    "Completion",
    "Decision",
    "Draw",
    "Forecast",
    "JointSession",
    "KCurve",
    "ModelCost",
    "Observation",
    "PaperPolicy",
    "Patience",
    "Problem",
    "RunLog",
    "RunSpec",
    "ServingPoint",
    "Session",
    "Watched",
    "__version__",
    "break_even_bound",
    "break_even_queries",
    "decide",
    "extrapolate_pass_at_k",
    "forecast_accuracy",
    "joint_decision",
    "open_log",
    "pass_at_k",
    "read_log",
    "replay",
]

if _typing.TYPE_CHECKING:
    from breakeven.adapters import lightning as lightning
    from breakeven.adapters import ray as ray
    from breakeven.adapters import torch as torch
    from breakeven.adapters import transformers as transformers
else:

    def __getattr__(name: str) -> object:
        """The adapter of a framework, imported where it is first named: `breakeven.transformers.EarlyStop`."""
        if name in ("lightning", "ray", "torch", "transformers"):
            return _import_module(f"breakeven.adapters.{name}")
        raise AttributeError(f"module 'breakeven' has no attribute {name!r}")
