"""No sandbox: a child process with limits, for `--unsafe-exec`."""

import os
import sys
import tempfile
from dataclasses import dataclass

from breakeven.checking.program import Outcome, Program
from breakeven.checking.supervise import ENVIRONMENT, INTERPRETER_FLAGS, harness_source, supervise


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsafeSubprocess:
    """Runs each program as an ordinary child process: it can do whatever the user can.

    CPU time, memory, file size and output are limited, processes too unless the user is root. It gets an empty
    environment and folder. But it reads and writes the user's files, uses the network, can kill or, as root, read any
    process (breakeven included, so that its verdict can be forged), and what it starts in a new session survives it.
    """

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
            command = [os.path.realpath(sys.executable), *INTERPRETER_FLAGS, harness_source()]
            return supervise(command, program, folder=folder, environment=ENVIRONMENT | {"HOME": folder})
