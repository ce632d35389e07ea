"""A run log as a whole: read back, or open to be extended by this process alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from breakeven.errors import LogError, argument_error
from breakeven.records import (
    BudgetChange,
    CheckpointRecord,
    Cooldown,
    Failure,
    Fingerprint,
    RunSpec,
    Steering,
    StopTest,
    Verification,
)
from breakeven.store.append import AppendLog, Layout, View
from breakeven.store.files import make_directory, storage_errors
from breakeven.store.kinds import LOG_FORMAT, Header, Line
from breakeven.store.lines import LineError, encode

LOG_NAME: Final = "log.jsonl"
_LAYOUT: Final = Layout(
    name="run log",
    header=Header,
    records=(CheckpointRecord, Verification, Fingerprint, BudgetChange, Failure, Steering, StopTest, Cooldown),
    when_full="Free space, then go on with --resume.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """All that a run log holds."""

    header: Header
    checkpoints: tuple[CheckpointRecord, ...]
    """In the order of their steps, each step once."""
    verification: Verification | None
    """The last one recorded."""
    recovered: bool
    """True if a torn last line was left out: a write was cut short, or is under way right now."""
    failures: tuple[Failure, ...] = ()
    """Evaluations that were due and failed, in the order of their steps."""
    budget_changes: tuple[BudgetChange, ...] = ()
    """Other budgets that were declared when the run was gone on with, in their order."""
    fingerprint: Fingerprint | None = None
    """What its session was given; None in older logs."""
    steering: tuple[Steering, ...] = ()
    """What was asked of it from outside, in its order."""
    cooldown: Cooldown | None = None
    """The last one recorded."""

    @property
    def stopped_at(self) -> CheckpointRecord | None:
        """The first checkpoint at which the decision was to stop, under the budget declared last."""
        after = self.budget_changes[-1].step if self.budget_changes else -1
        return next((each for each in self.checkpoints if each.decision.stop and each.observation.step > after), None)


def read_log(path: str | Path) -> RunRecord:
    """All that a run log holds, read without a lock and without writing.

    Args:
        path: A run directory, or the log file itself.

    Raises:
        LogError: There is no log, or it has no header.
        CorruptLogError: A line is damaged, and it is not just a torn last one.
        NewerLogError: A later version of breakeven wrote it.
    """
    run = RunLog(_find(path))
    run._log.read(run._take)
    return RunRecord(
        header=run.header,
        checkpoints=run.checkpoints,
        verification=run.verification,
        failures=tuple(run.failures.values()),
        budget_changes=tuple(run.budget_changes),
        fingerprint=run.fingerprint,
        steering=tuple(run.steering),
        cooldown=run.cooldown,
        recovered=run.recovered,
    )


class RunLog(View):
    """An open run log, which this process alone may extend; made by `RunLog.create` or `RunLog.open`.

    `header`, `checkpoints`, `failures` (by step), `budget_changes`, `steering`, and the last `fingerprint`,
    `stop_test`, `cooldown` and `verification`, if any, are as they read back from disk; `recovered` says that opening
    cut off a torn last line.

    >>> import tempfile
    >>> from breakeven.records import RunSpec
    >>> header = Header(versions={}, config={}, spec=RunSpec(budget_flops=1e18), policy={}, seed=0)
    >>> with tempfile.TemporaryDirectory() as run_dir:
    ...     with RunLog.create(run_dir, header) as log:
    ...         print(log.checkpoints)
    ...     print(read_log(run_dir).header.spec.budget_flops)
    ()
    1e+18
    """

    header: Header

    def __init__(self, path: Path) -> None:
        """Not yet read."""
        self.verification: Verification | None = None
        self.fingerprint: Fingerprint | None = None
        self.stop_test: StopTest | None = None
        self.cooldown: Cooldown | None = None
        self.failures: dict[int, Failure] = {}
        self.budget_changes: list[BudgetChange] = []
        self.steering: list[Steering] = []
        self._checkpoints: dict[int, CheckpointRecord] = {}
        self._log = AppendLog(path, _LAYOUT)

    @classmethod
    def create(cls, run_dir: str | Path, header: Header) -> Self:
        """A new log that holds `header`; makes the directory if need be.

        Raises:
            ArgumentError: `run_dir` holds a log already or is no directory, or `header` cannot be stored.
            RunInUseError: Another process holds the directory.
            RunStorageError: The disk refused; no log is left behind.
        """
        if header.format != LOG_FORMAT:
            raise argument_error("header.format", f"be {LOG_FORMAT}", header.format, "Leave it out.")
        line, _ = encode(header)
        directory = Path(run_dir)
        with storage_errors(f"run directory {directory} cannot be made", "Choose another path."):
            try:
                make_directory(directory)
            except (FileExistsError, NotADirectoryError) as error:
                raise argument_error("run_dir", "be a directory", str(run_dir), "Choose another path.") from error
        run = cls(directory / LOG_NAME)
        try:
            run._log.open(run._take, line, must_be_new=True)
        except FileExistsError as error:
            remedy = "To go on with that run pass resume=True (--resume), else choose another directory."
            raise argument_error("run_dir", f"not hold a {LOG_NAME} yet", str(directory), remedy) from error
        return run

    @classmethod
    def open(cls, run_dir: str | Path) -> Self:
        """The log of an earlier run, ready to be extended; a torn last line is cut off on disk.

        Raises:
            LogError: There is no log, or it cannot be read; see `read_log`.
            RunInUseError: Another process holds the directory.
            RunStorageError: The disk refused.
        """
        run = cls(_find(run_dir))
        run._log.open(run._take)
        return run

    @property
    def checkpoints(self) -> tuple[CheckpointRecord, ...]:
        """The recorded checkpoints, in the order of their steps."""
        return tuple(self._checkpoints.values())

    @property
    def spec(self) -> RunSpec:
        """What is declared of the run by now."""
        return self.budget_changes[-1].spec if self.budget_changes else self.header.spec

    def find(self, step: int) -> CheckpointRecord | None:
        """The checkpoint recorded at `step`, in constant time."""
        return self._checkpoints.get(step)

    @property
    def directory(self) -> Path:
        """The run directory."""
        return self._log.path.parent

    def append(
        self,
        record: (
            CheckpointRecord | Verification | Fingerprint | BudgetChange | Failure | Steering | StopTest | Cooldown
        ),
    ) -> None:
        """Record one line. Once this returns, it survives a crash of the process and of the machine.

        Args:
            record: Of a kind that a run log holds; a checkpoint at a later step than every recorded one.

        Raises:
            ArgumentError: `record` cannot be stored (it holds NaN, say, which JSON lacks); nothing was written.
            RunStorageError: The disk refused; the log is as before, and the call may be repeated.
        """
        if isinstance(record, CheckpointRecord) and self._checkpoints:
            step, last = record.observation.step, next(reversed(self._checkpoints))
            if step <= last:
                rule = f"be greater than the last recorded step {last}"
                raise argument_error("observation.step", rule, step, "Use find(step) where a step may be recorded.")
        for stored in self._log.append([record]):
            self._take(stored)

    def _take(self, record: Line) -> None:
        match record:
            case Header():
                self.header = record
            case Verification():
                self.verification = record
            case Fingerprint():
                self.fingerprint = record
            case StopTest():
                self.stop_test = record
            case Cooldown():
                self.cooldown = record
            case BudgetChange():
                self.budget_changes.append(record)
            case Steering():
                self.steering.append(record)
            case Failure():
                self.failures[record.step] = record
            case CheckpointRecord():
                step = record.observation.step
                if self._checkpoints and step <= next(reversed(self._checkpoints)):
                    raise LineError(f"its step {step} was passed before")
                self._checkpoints[step] = record


def _find(run: str | Path) -> Path:
    """The path of the log in a run directory, or of the log itself."""
    path = Path(run)
    if path.is_dir():
        path /= LOG_NAME
    if not path.exists():
        raise LogError(
            f"there is no run log at {path}. Give a run directory, that is one where a run left its {LOG_NAME}."
        )
    return path
