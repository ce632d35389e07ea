"""What real runs in shadow mode share: what is recorded of one, and the tally of their stops."""

import gzip
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from scipy.stats import binomtest

from breakeven import CalibratedPolicy, Session
from breakeven.records import NORMAL_95, ServingPoint, Verification
from breakeven.store import LOG_NAME, RunRecord, read_log

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


def seen_by(run: Session | RunRecord) -> dict[str, Any]:
    """The fields of `Shadowed` that the session or the log of a run knows, once it has come to its end."""
    last = run.checkpoints[-1]
    decision = None if run.stopped_at is None else run.stopped_at.decision
    forecast = None if decision is None else decision.forecast
    return {
        "stop": None if decision is None else decision.step,
        "serving": None if decision is None else decision.serving,
        "forecast": None if forecast is None else (forecast.mean, forecast.lo, forecast.hi),
        "verification": run.verification,
        "evaluation_share": (last.decision.evaluation_flops or 0.0) / last.observation.train_flops,
        "curve": [(each.observation.step, each.observation.bank.greedy_accuracy) for each in run.checkpoints],
    }


def read(folder: Path, kind: type[_Run]) -> list[_Run]:
    """All runs of a folder."""
    lines = (line for path in sorted(folder.glob("*.jsonl")) for line in path.read_bytes().splitlines())
    return [msgspec.json.decode(line, type=kind) for line in lines]


def packed_log(path: Path) -> RunRecord:
    """What a run log holds that was kept as gzip."""
    with scratch() as place:
        (place / LOG_NAME).write_bytes(gzip.decompress(path.read_bytes()))
        return read_log(place)


def tally(runs: Sequence[Shadowed]) -> str:
    """How often the margin was violated, against the risk that all these runs declare, the default one."""
    stopped = [each.verification for each in runs if each.verification is not None]
    worse = [each for each in stopped if each.difference < -MARGIN]
    sure = [each for each in worse if each.difference + NORMAL_95 * each.difference_standard_error < -MARGIN]
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
