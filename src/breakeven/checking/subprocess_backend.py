"""No sandbox: a child process with limits, for `--unsafe-exec`."""

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from breakeven.checking.program import Outcome, Program
from breakeven.checking.supervise import INTERPRETER_FLAGS, harness_source, lending, supervise


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsafeSubprocess:
    """Runs each program as an ordinary child process: it can do whatever the user can.

    CPU time, memory, file size and output are limited, processes too unless the user is root. It gets an empty
    environment and folder. But it reads and writes the user's files, uses the network, can kill or, as root, read any
    process (breakeven included, so that its verdict can be forged), and what it starts in a new session survives it.
    """

    packages: Mapping[str, str] = field(default_factory=dict)
    """What of installed packages is lent: where it lies, by its name."""

    @property
    def description(self) -> str:
        """Says that it is none."""
        return f"none: a plain subprocess, {os.path.realpath(sys.executable)}"

    @property
    def safe(self) -> bool:
        """False."""
        return False

    def run(self, program: Program) -> Outcome:
        """Run `program` and its test, with every right of the user."""
        with tempfile.TemporaryDirectory(prefix="breakeven-", ignore_cleanup_errors=True) as folder:
            interpreter = os.path.realpath(sys.executable)
            command = [interpreter, *INTERPRETER_FLAGS, harness_source(interpreter)]
            lent = Path(folder) / "packages"
            lent.mkdir()
            for name, path in self.packages.items():
                (lent / name).symlink_to(path)
            environment = lending(str(lent) if self.packages else None)
            return supervise(command, program, folder=folder, environment={**environment, "HOME": folder})
