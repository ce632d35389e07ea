"""The lock of a directory: one process at a time writes in it, also where several machines share the disk.

`lock` is held with flock, which the kernel lets go of however a process ends. Some network file systems have no flock:
that is said, and nothing is written. Others keep it to one machine, without a word. So on every disk that another
machine may share, the holder also makes `lock.owner`, which can be made only once, and removes it at the end. One that
a process of this machine left, which then does not hold `lock`, is a dead process', and is removed. One of another
machine is respected, for whether that process lives cannot be known from here.
"""

import fcntl
import os
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Final

from breakeven.errors import RunInUseError
from breakeven.store.files import storage_errors, write_all

LOCK_NAME: Final = "lock"
OWNER_NAME: Final = "lock.owner"
_LOCAL: Final = frozenset(("btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "ramfs", "tmpfs", "xfs", "zfs"))
"""File systems that no two machines can write at once."""
_WRITING_SECONDS = 1.0
"""For which another machine's new `lock.owner` may be empty."""


def lock_directory(directory: Path) -> int:
    """An open file that holds the directory until it is unlocked or the process ends, however it ends.

    Raises:
        RunInUseError: another process holds it; the message names it.
        RunStorageError: the disk refused, or has no locks.
    """
    path = directory / LOCK_NAME
    remedy = "Choose a directory that is writable and on a disk that supports locks."
    with storage_errors(f"{path} cannot be locked", remedy):
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_local(directory):
                _own(directory)
        except BlockingIOError as error:
            holder = os.read(fd, 200).decode(errors="replace")
            os.close(fd)
            raise _in_use(directory, holder) from error
        except BaseException:
            os.close(fd)
            raise
    with suppress(OSError):  # it only helps whoever is refused
        os.ftruncate(fd, 0)
        os.write(fd, _me().encode())
    return fd


def holder_of(directory: Path) -> str | None:
    """Which process holds a directory, as "PID on HOST"; None where none does. Holds and writes nothing itself."""
    owner = ""
    with suppress(OSError):
        owner = (directory / OWNER_NAME).read_text(encoding="utf-8", errors="replace")
    if owner and not {_host(), _machine()} & set(owner.split()):
        return owner.partition("\n")[0]
    try:
        fd = os.open(directory / LOCK_NAME, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(fd, 200).decode(errors="replace").partition("\n")[0] or "(unknown)"
    except OSError:  # a disk without locks, on which no run goes on
        return None
    finally:
        os.close(fd)
    return None


def unlock(directory: Path, fd: int) -> None:
    """Let go of a directory that `lock_directory` holds."""
    owner = directory / OWNER_NAME
    with suppress(OSError):
        if owner.read_text(encoding="utf-8") == _me():
            owner.unlink()
    fcntl.flock(fd, fcntl.LOCK_UN)  # closing alone would leave the lock to forked children
    os.close(fd)


def _own(directory: Path) -> None:
    """Make `lock.owner`, or say who has; called with `lock` held."""
    path = directory / OWNER_NAME
    while True:
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            break
        except FileExistsError:
            owner = _read_owner(path)
            if owner and not {_host(), _machine()} & set(owner.split()):
                remedy = f"If it has died, or its machine has, delete {path} and start again."
                raise _in_use(directory, owner, remedy) from None
            path.unlink(missing_ok=True)
    try:
        write_all(fd, _me().encode())
        os.fsync(fd)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)


def _read_owner(path: Path) -> str:
    """What it says; empty if whoever made it died before a word was written, or it is gone."""
    with suppress(OSError):
        for wait in (_WRITING_SECONDS, 0.0):
            if owner := path.read_text(encoding="utf-8", errors="replace").strip():
                return owner
            time.sleep(wait)
    return ""


def _in_use(directory: Path, owner: str, remedy: str = "") -> RunInUseError:
    holder = owner.partition("\n")[0] or "(unknown)"
    rule = f"run directory {directory} is in use by process {holder}"
    return RunInUseError(f"{rule}. Wait for it to end, or choose another directory. {remedy}".rstrip())


def _me() -> str:
    return f"{os.getpid()} on {_host()}\n{_machine()}\n"


def _host() -> str:
    return os.uname().nodename


def _machine() -> str:
    """Equal for all processes that one kernel runs, also in containers, whose host names differ."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:  # not Linux
        return f"{uuid.getnode():012x}"


def _is_local(directory: Path) -> bool:
    """Whether it is surely on a disk of this machine alone, where flock is enough."""
    device = directory.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    with suppress(OSError):
        for mount in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if mount.split()[2] == number:
                return mount.partition(" - ")[2].split()[0] in _LOCAL
    return False
