"""The sandbox proper: bubblewrap, that is Linux namespaces, with the limits of `Limits` inside them."""

import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from breakeven.checking.program import Outcome, Program
from breakeven.checking.supervise import INTERPRETER_FLAGS, harness_source, lending, supervise

NOBODY = "65534"
_PACKAGES = "/packages"
_SYSTEM_FOLDERS = ("/lib", "/lib64", "/lib32", "/bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubblewrap:
    """Runs each program in a `bwrap` of its own.

    No network; a read-only system of /usr and the interpreter, of site-packages what is lent; an empty environment;
    a /tmp in memory; namespaces of its own for users, processes, IPC, host name and cgroups; no capabilities, no new
    ones.
    """

    bwrap: str
    version: tuple[int, ...]
    interpreter: str
    """Absolute path, symbolic links resolved."""
    prefix: str
    """The folder that holds the interpreter and its standard library."""
    setpriv: str | None = None
    """Where breakeven runs as root: the program that drops to an ordinary user first. The kernel does not limit the
    number of root's processes, not even of a root that calls itself another in a user namespace."""
    packages: Mapping[str, str] = field(default_factory=dict)
    """What of installed packages is lent, read-only: where it lies, by its name."""

    @property
    def description(self) -> str:
        """Name, version and interpreter; and what is missing."""
        gap = "" if self.setpriv or os.geteuid() else " (any number of processes: root's are not limited, see setpriv)"
        return f"bubblewrap {'.'.join(map(str, self.version))}, {self.interpreter}{gap}"

    @property
    def safe(self) -> bool:
        """True."""
        return True

    def run(self, program: Program) -> Outcome:
        """Run `program` and its test in a new sandbox, which is gone when this returns."""
        environment = lending(_PACKAGES if self.packages else None)
        return supervise(self.command(program.limits.file_bytes), program, environment=environment)

    def command(self, file_bytes: int) -> list[str]:
        """The command line."""
        command = [self.bwrap, "--unshare-user", "--uid", NOBODY, "--gid", NOBODY, "--cap-drop", "ALL"]
        if self.setpriv:
            command[:0] = [self.setpriv, "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]
        if self.version >= (0, 8):
            command.append("--disable-userns")
        command += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        # As process 1 the checker cannot be killed from inside, and whatever a program started dies with it.
        command += ["--hostname", "sandbox", "--as-pid-1", "--new-session", "--die-with-parent"]
        command += ["--ro-bind", "/usr", "/usr", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
        for folder in _SYSTEM_FOLDERS:
            if os.path.islink(folder):
                command += ["--symlink", os.readlink(folder), folder]
            elif os.path.isdir(folder):
                command += ["--ro-bind", folder, folder]
        if not Path(self.prefix).is_relative_to("/usr"):
            command += ["--ro-bind", self.prefix, self.prefix]
        for hidden in self._hidden():
            command += ["--tmpfs", hidden, "--remount-ro", hidden]
        for name, path in self.packages.items():
            command += ["--ro-bind", path, f"{_PACKAGES}/{name}"]
        for device in ("/dev/null", "/dev/urandom"):  # --dev would add a writable /dev/shm, bounded by nothing
            command += ["--dev-bind", device, device]
        command += ["--size", str(file_bytes), "--tmpfs", "/tmp", "--remount-ro", "/", "--chdir", "/tmp"]
        return [*command, "--", self.interpreter, *INTERPRETER_FLAGS, harness_source()]

    def _hidden(self) -> list[str]:
        """Folders of installed packages: benchmarks with their solutions may lie there."""
        prefixes = {"/usr", "/usr/local", self.prefix}
        patterns = ("lib*/python3*/site-packages", "lib*/python3*/dist-packages")
        found = {
            str(path.resolve()) for prefix in prefixes for pattern in patterns for path in Path(prefix).glob(pattern)
        }
        return sorted(found)


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
