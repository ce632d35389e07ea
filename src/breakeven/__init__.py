"""breakeven: decide during training when a checkpoint served with K samples replaces the rest of the run.

TTC-aware training (arXiv 2601.01332), by a rule of its own (`CalibratedPolicy`) or the paper's (`PaperPolicy`). The one
call in a training loop is `Session.observe`. Importing this package imports no torch; `breakeven.train.loop` does, and
`breakeven.lightning`, `ray`, `torch` and `transformers`, the adapters, which are imported where they are first named.
"""

import typing as _typing
from importlib import import_module as _import_module
from importlib.util import find_spec as _find_spec

from breakeven._version import __version__

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

_HOMES = {
    "CalibratedPolicy": "stopping.calibrated",
    "CheckpointRecord": "records",
    "Completion": "records",
    "Decision": "records",
    "Draw": "records",
    "Forecast": "records",
    "JointSession": "session.joint",
    "KCurve": "records",
    "ModelCost": "cost.tokens",
    "Observation": "records",
    "PaperPolicy": "stopping.paper",
    "Patience": "stopping.patience",
    "Problem": "records",
    "RunLog": "store",
    "RunSpec": "records",
    "ServingPoint": "records",
    "Session": "session.session",
    "Watched": "session.joint",
    "break_even_bound": "choice.break_even",
    "break_even_queries": "choice.break_even",
    "decide": "stopping.decide",
    "extrapolate_pass_at_k": "ttc.k_curve",
    "forecast_accuracy": "stopping.forecast",
    "joint_decision": "stopping.joint",
    "open_log": "session.recording",
    "pass_at_k": "ttc.strategies.pass_at_k",
    "read_log": "store",
    "replay": "session.replay",
}
"""In which module each is: it is imported where it is first named, and with it NumPy and SciPy."""

if _typing.TYPE_CHECKING:
    from breakeven import lightning as lightning
    from breakeven import ray as ray
    from breakeven import torch as torch
    from breakeven import transformers as transformers
    from breakeven.choice.break_even import break_even_bound, break_even_queries
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
    from breakeven.stopping.calibrated import CalibratedPolicy
    from breakeven.stopping.decide import decide
    from breakeven.stopping.forecast import forecast_accuracy
    from breakeven.stopping.joint import joint_decision
    from breakeven.stopping.paper import PaperPolicy
    from breakeven.stopping.patience import Patience
    from breakeven.store import RunLog, read_log
    from breakeven.ttc.k_curve import extrapolate_pass_at_k
    from breakeven.ttc.strategies.pass_at_k import pass_at_k
else:

    def __getattr__(name: str) -> object:
        """A name of ours, a room, or the adapter of a framework (`breakeven.transformers.EarlyStop`), now imported."""
        if name in _HOMES:
            value = globals()[name] = getattr(_import_module(f"breakeven.{_HOMES[name]}"), name)
            return value
        if not name.startswith("_") and _find_spec(f"breakeven.{name}") is not None:
            return _import_module(f"breakeven.{name}")
        raise AttributeError(f"module 'breakeven' has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *_HOMES})
