"""What real runs in shadow mode share: what is recorded of one, and the tally of their stops.

Used by shadow.py and families.py.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from scipy.stats import binomtest

from breakeven import CalibratedPolicy
from breakeven.records import CheckpointRecord, ServingPoint, Verification

MARGIN = 0.01
_Run = TypeVar("_Run", bound="Shadowed")


class Shadowed(msgspec.Struct, frozen=True, kw_only=True):
    """One run to its end in shadow mode."""

    task: str
    family: str
    seed: int
    parameters: int
    steps: int
    stop: int | None
    serving: ServingPoint | None
    """At the stop, as measured on the validation problems."""
    forecast: tuple[float, float, float] | None
    """At the stop, of the end: its middle and its 90 % interval."""
    verification: Verification | None
    evaluation_share: float
    """FLOPs of all evaluations to the end, over those of training."""
    curve: list[tuple[int, float]]
    """Steps, and greedy accuracy on the validation problems."""


def seen_by(session: Any) -> dict[str, Any]:
    """The fields of `Shadowed` that a session knows, once its run has come to its end."""
    last: CheckpointRecord = session.checkpoints[-1]
    decision = None if session.stopped_at is None else session.stopped_at.decision
    forecast = None if decision is None else decision.forecast
    return {
        "stop": None if decision is None else decision.step,
        "serving": None if decision is None else decision.serving,
        "forecast": None if forecast is None else (forecast.mean, forecast.lo, forecast.hi),
        "verification": session.verification,
        "evaluation_share": (last.decision.evaluation_flops or 0.0) / last.observation.train_flops,
        "curve": [(each.observation.step, each.observation.bank.greedy_accuracy) for each in session.checkpoints],
    }


def read(folder: Path, kind: type[_Run]) -> list[_Run]:
    """All runs of a folder."""
    lines = (line for path in sorted(folder.glob("*.jsonl")) for line in path.read_bytes().splitlines())
    return [msgspec.json.decode(line, type=kind) for line in lines]


def tally(runs: Sequence[Shadowed]) -> str:
    """How often the margin was violated, against the risk that all these runs declare, the default one."""
    stopped = [each.verification for each in runs if each.verification is not None]
    worse = [each for each in stopped if each.difference < -MARGIN]
    sure = [each for each in worse if each.difference + 1.645 * each.difference_standard_error < -MARGIN]
    lost = sum(each.evaluation_share for each in runs if each.verification is None)
    mean = (sum(each.net_saving for each in stopped) - lost) / len(runs)
    found = binomtest(len(worse), len(runs))
    lo, hi = found.proportion_ci(0.9, method="exact")
    return (
        f"{len(stopped)} of {len(runs)} runs stop; mean net saving of all {mean:.0%}; {len(worse)} violations of the "
        f"margin of one point, {len(sure)} by more than 1.645 standard errors: {found.statistic:.1%} of the runs "
        f"(exact binomial interval, 90 %: {lo:.1%} to {hi:.1%}), at a declared risk of {CalibratedPolicy().risk:.0%}."
    )


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory for what a loop writes, which goes with it."""
    place = Path(tempfile.mkdtemp())
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
