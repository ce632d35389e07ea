"""A control group for each sandbox, where this system gives one: memory of every kind in it is bounded as one sum."""

import contextlib
import itertools
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CGROUPS: Final = Path("/sys/fs/cgroup")
_NUMBER: Final = itertools.count()
_JOIN: Final = ("/bin/sh", "-c", 'echo 0 >"$0/cgroup.procs" && exec "$@"')
"""Joins a group before the sandbox starts, so that nothing of it was ever outside."""


@dataclass(frozen=True, slots=True)
class Group:
    """A folder of control groups (version 2) in which this process may make further ones, with a limit of memory."""

    parent: Path

    @contextlib.contextmanager
    def bounded(self, memory_bytes: int) -> Iterator[Sequence[str]]:
        """The beginning of a command line that runs the rest within `memory_bytes`; at the end the group is gone.

        Raises:
            OSError: this process may not make groups here.
        """
        folder = self.parent / f"breakeven-{os.getpid()}-{next(_NUMBER)}"
        folder.mkdir()
        try:
            (folder / "memory.max").write_text(str(memory_bytes))
            with contextlib.suppress(OSError):  # a kernel without swap has no such file
                (folder / "memory.swap.max").write_text("0")
            (folder / "memory.oom.group").write_text("1")
            yield [*_JOIN, str(folder)]
        finally:
            for _ in range(100):  # the last of its processes may still be ending
                with contextlib.suppress(OSError):
                    folder.rmdir()
                    break
                time.sleep(0.01)


def own_group(of: Path = Path("/proc/self/cgroup"), root: Path = CGROUPS) -> Group | None:
    """Where this process may make groups beside its own; None: nowhere, or their memory is not bounded there.

    A group that holds processes has no bounded groups below it, so that they are made beside it.
    """
    try:
        [path] = [line[3:] for line in of.read_text().splitlines() if line.startswith("0::/")]
        group = Group((root / path.strip("/")).parent if path != "/" else root)
        if "memory" not in (group.parent / "cgroup.subtree_control").read_text().split():
            return None
        with group.bounded(1 << 30):
            return group
    except (OSError, ValueError):
        return None
