"""Beginning a run log: the first line, with all that decisions rest on besides the checkpoints."""

import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from breakeven._version import __version__
from breakeven.records import Parent, RunSpec, Start
from breakeven.session.machine import machine_words
from breakeven.stopping.course import Policy
from breakeven.stopping.decide import default_policy
from breakeven.stopping.patience import policy_settings
from breakeven.store import LOG_NAME, Header, RunLog


def start_log(
    run_dir: str | Path,
    *,
    spec: RunSpec,
    policy: Policy | None = None,
    seed: int = 0,
    config: dict[str, Any] | None = None,
    parent: Parent | None = None,
    start: Start | None = None,
) -> RunLog:
    """A new log in `run_dir`, open for this process alone.

    Args:
        run_dir: made if need be.
        spec: as given to the session.
        policy: as given to the session; None: the default one.
        seed: as given to the session.
        config: whatever else should be found with the run; only for people to read.
        parent: of a cooldown: the run that it branches off.
        start: of continued training: the model that it begins with.

    Raises:
        ArgumentError: `run_dir` holds a run already. RunInUseError, RunStorageError: see `RunLog.create`.
    """
    versions = {
        "breakeven": __version__,
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
    }
    if "torch" in sys.modules:
        versions["torch"] = str(sys.modules["torch"].__version__)
    header = Header(
        versions=versions,
        config=config or {},
        spec=spec,
        policy=policy_settings(policy or default_policy()),
        seed=seed,
        parent=parent,
        start=start,
        machine=machine_words(),
    )
    return RunLog.create(run_dir, header)


def open_log(
    run_dir: str | Path,
    *,
    spec: RunSpec,
    policy: Policy | None = None,
    seed: int = 0,
    config: dict[str, Any] | None = None,
    parent: Parent | None = None,
    resume: bool = False,
) -> RunLog:
    """The log of a new run in `run_dir`; or where `resume` asks for it, of the run that is there, if there is one.

    Args and errors as `start_log`. Whether an existing log is of the same run, the session says.
    """
    if resume and (Path(run_dir) / LOG_NAME).exists():
        return RunLog.open(run_dir)
    return start_log(run_dir, spec=spec, policy=policy, seed=seed, config=config, parent=parent)
