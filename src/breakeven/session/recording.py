"""Beginning a run log: the first line, with all that decisions rest on besides the checkpoints."""

import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from breakeven._version import __version__
from breakeven.records import RunSpec
from breakeven.stopping.course import Policy
from breakeven.stopping.patience import policy_settings
from breakeven.store import LOG_NAME, Header, RunLog


def start_log(
    run_dir: str | Path, *, spec: RunSpec, policy: Policy, seed: int = 0, config: dict[str, Any] | None = None
) -> RunLog:
    """A new log in `run_dir`, open for this process alone.

    Args:
        run_dir: made if need be.
        spec: as given to the session.
        policy: as given to the session.
        seed: as given to the session.
        config: whatever else should be found with the run; only for people to read.

    Raises:
        ArgumentError: `run_dir` holds a log already. RunInUseError, RunStorageError: see `RunLog.create`.
    """
    versions = {
        "breakeven": __version__,
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
    }
    if "torch" in sys.modules:
        versions["torch"] = str(sys.modules["torch"].__version__)
    header = Header(versions=versions, config=config or {}, spec=spec, policy=policy_settings(policy), seed=seed)
    return RunLog.create(run_dir, header)


def open_log(
    run_dir: str | Path, *, spec: RunSpec, policy: Policy, seed: int = 0, config: dict[str, Any] | None = None
) -> RunLog:
    """The log in `run_dir`, started if there is none: a script that is run again resumes its own record.

    Args and errors as `start_log`, but that an existing log is opened; the session refuses one of another spec.
    """
    if (Path(run_dir) / LOG_NAME).exists():
        return RunLog.open(run_dir)
    return start_log(run_dir, spec=spec, policy=policy, seed=seed, config=config)
