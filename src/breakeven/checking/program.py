"""The records of this room: a program with its test and its limits, and what became of it."""

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Protocol

from breakeven import check

MEBIBYTE = 2**20
_KERNEL_BYTES = 64 * MEBIBYTE
"""Of one process: a list of its mappings (26 MiB at most), and what waits in 64 pipes and sockets (half a MiB each)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one program may use. Whole numbers, all at least 1."""

    cpu_seconds: int = 3
    """CPU time of each of its processes. Beyond it the program is wrong."""
    wall_seconds: int = 20
    """Time for the program and its test from the moment it is handed over. Beyond it the program is wrong, unless the
    machine left the sandbox's own checker waiting for most of it."""
    memory_bytes: int = 512 * MEBIBYTE
    """Address space of each of its processes."""
    output_bytes: int = MEBIBYTE
    """What it prints in all, and each single value it returns."""
    max_processes: int = 8
    """Processes and threads at one time, the sandbox's own two included."""
    file_bytes: int = 16 * MEBIBYTE
    """Each file it writes, and all of them together where they lie in the sandbox's own /tmp."""
    max_files: int = 64
    """Open files, pipes and sockets of each of its processes."""

    @property
    def held_bytes(self) -> int:
        """The most memory that a sandbox may hold at a time where no control group bounds it, kernel memory included.

        Each process may map `memory_bytes`; pages that lie far apart take two pages of page tables each.
        """
        return self.max_processes * (3 * self.memory_bytes + _KERNEL_BYTES) + self.file_bytes

    @property
    def group_bytes(self) -> int:
        """The most memory of a control group: for the program with all that it starts, its test, and its files."""
        return 2 * self.memory_bytes + self.file_bytes

    def __post_init__(self) -> None:
        for each in fields(self):
            check.whole(each.name, getattr(self, each.name), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Python source that is not trusted, and a test that is.

    The test runs elsewhere than the source. There, each name of `functions` stands for the function of that name in
    `source`: a call carries the arguments over as plain data and the result back.
    """

    source: str
    test: str
    functions: tuple[str, ...]
    setup: str = ""
    """Trusted definitions that run before the test, in its namespace. They do not replace `functions`."""
    limits: Limits = field(default_factory=Limits)


class Verdict(StrEnum):
    """What running a program showed."""

    PASSED = "passed"
    """The test ran to its end on the values that the program returned."""
    FAILED = "failed"
    """The program is wrong: a value the test refuses, an exception, an early end, more time, memory, processes or
    output than it may use, or whatever else ends its check."""
    CHECK_FAILED = "check failed"
    """Nobody can tell: a sandbox that did not start, a test that is itself broken, a machine that gave the checker no
    time. Nothing of it can a program bring about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The verdict on one program, why, and the last of what it printed."""

    verdict: Verdict
    reason: str = ""
    output: str = ""


class Sandbox(Protocol):
    """Somewhere to run programs."""

    @property
    def description(self) -> str:
        """What it is, with versions, in a few words."""

    @property
    def safe(self) -> bool:
        """True if a hostile program can neither read nor change anything of the machine."""

    def run(self, program: Program) -> Outcome:
        """Run `program` and its test to an end. May be called from several threads at a time."""
