"""The sandbox proper: bubblewrap, that is Linux namespaces, with the limits of `Limits` inside them."""

import os
import platform
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from breakeven.checking.lent import PACKAGES, lent, shown
from breakeven.checking.memory import Group
from breakeven.checking.program import Limits, Outcome, Program, Verdict
from breakeven.checking.supervise import INTERPRETER_FLAGS, harness_source, lending, supervise
from breakeven.checking.system_calls import filter_for

NOBODY = "65534"
_FILE_BYTES = 4096
"""A /tmp holds a file or folder for each so many of its bytes: an empty one takes 1 kB of the kernel's memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubblewrap:
    """Runs each program in a `bwrap` of its own.

    No network; the interpreter and its standard library, of site-packages what is lent, all read-only; an empty
    environment; a /tmp in memory; namespaces of its own for users, processes, IPC, host name and cgroups; a session
    keyring of its own; a filter of system calls; no capabilities, no new ones.
    """

    bwrap: str
    version: tuple[int, ...]
    interpreter: str
    """Absolute path, symbolic links resolved."""
    setpriv: str | None = None
    """Where breakeven runs as root: the program that drops to an ordinary user first. The kernel does not limit the
    number of root's processes, not even of a root that calls itself another in a user namespace."""
    counts_files: bool = True
    """Whether the number of files in /tmp is limited, by a mount inside the sandbox, which some systems forbid."""
    group: Group | None = None
    """Where control groups can be made that bound the memory of a sandbox in all."""
    packages: Mapping[str, str] = field(default_factory=dict)
    """What of installed packages is lent, read-only: where it lies, by its name."""

    @property
    def description(self) -> str:
        """Name, version and interpreter; and what is missing."""
        gaps = []
        if os.geteuid() == 0 and not self.setpriv:
            gaps.append("any number of processes: root's are not limited, see setpriv")
        if not self.counts_files:
            gaps.append("any number of files in /tmp: this system lets a sandbox mount nothing")
        if filter_for(platform.machine()) is None:
            gaps.append(f"any system call: their numbers on {platform.machine()} are not known here")
        gap = f" ({'; '.join(gaps)})" if gaps else ""
        bound = ", memory bounded by control groups" if self.group else ""
        return f"bubblewrap {'.'.join(map(str, self.version))}, {self.interpreter}{bound}{gap}"

    @property
    def safe(self) -> bool:
        """True."""
        return True

    def run(self, program: Program) -> Outcome:
        """Run `program` and its test in a new sandbox, which is gone when this returns."""
        environment, command = lending(PACKAGES if self.packages else None), self.command(program.limits)
        if self.group is None:
            return supervise(command, program, environment=environment)
        try:
            with self.group.bounded(program.limits.group_bytes) as joining:
                return supervise([*joining, *command], program, environment=environment)
        except OSError as error:
            return Outcome(verdict=Verdict.CHECK_FAILED, reason=f"no control group for the sandbox: {error}")

    def command(self, limits: Limits) -> list[str]:
        """The command line."""
        command = [self.bwrap, "--unshare-user", "--uid", NOBODY, "--gid", NOBODY, "--cap-drop", "ALL"]
        if self.setpriv:
            command[:0] = [self.setpriv, "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]
        tmp, calls = "", filter_for(platform.machine()) or b""
        if self.counts_files and calls:
            # The checker mounts it before the program comes, and drops the capability.
            tmp = f"size={limits.file_bytes},nr_inodes={limits.file_bytes // _FILE_BYTES + 2},mode=700"
            command += ["--cap-add", "CAP_SYS_ADMIN"]
        if self.version >= (0, 8):
            command.append("--disable-userns")
        command += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        # As process 1 the checker cannot be killed from inside, and whatever a program started dies with it.
        command += ["--hostname", "sandbox", "--as-pid-1", "--new-session", "--die-with-parent"]
        command += shown(self.interpreter)
        if self.packages:
            command += lent(tuple(self.packages.items()))
        for device in ("/dev/null", "/dev/urandom"):  # --dev would add a writable /dev/shm, bounded by nothing
            command += ["--dev-bind", device, device]
        command += ["--size", str(limits.file_bytes), "--tmpfs", "/tmp", "--remount-ro", "/", "--chdir", "/tmp"]
        source = harness_source(self.interpreter, platform.machine(), calls, tmp)
        return [*command, "--", self.interpreter, *INTERPRETER_FLAGS, source]


def interpreter_for(user_is_root: bool) -> tuple[str, str] | None:
    """(interpreter, prefix): the running one, or where an ordinary user cannot read it, the system's; None: neither."""
    running = os.path.realpath(sys.executable), os.path.realpath(sys.base_prefix)
    if not user_is_root or all(map(_readable_by_all, running)):
        return running
    system = os.path.realpath("/usr/bin/python3")
    return (system, "/usr") if os.path.exists(system) and _readable_by_all(system) else None


def _readable_by_all(path: str) -> bool:
    """True if every user can get to `path` and execute it."""
    return all(os.stat(each).st_mode & stat.S_IXOTH for each in (path, *map(str, Path(path).parents)))
