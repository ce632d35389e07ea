"""Files written so that neither a crash nor a full disk leaves half of one."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeAlias

from breakeven.errors import RunStorageError

_CANNOT: Final = frozenset((errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EISDIR))
"""What file systems say that cannot sync a directory: then a name is as safe as they keep it without being asked."""
Content: TypeAlias = str | bytes | Callable[[Path], object]


@contextmanager
def storage_errors(what: str, remedy: str) -> Iterator[None]:
    """Reword what the disk refuses."""
    try:
        yield
    except RunStorageError:  # reworded already
        raise
    except OSError as error:
        raise RunStorageError(f"{what}: {error.strerror or error}. {remedy}") from error


def write_whole(path: Path, content: Content, *, remedy: str) -> None:
    """Write a file that others see whole or not at all; one of that name is replaced.

    Args:
        path: in a directory that exists. What is no file (a pipe, /dev/stdout) is written to as it is.
        content: text (UTF-8), bytes, or what writes the file at the path that it is called with.
        remedy: what to do where the disk refuses.

    Raises:
        RunStorageError: the disk refused; the file that was there before still is, and nothing else.
    """

    def write(place: Path) -> None:
        if callable(content):
            content(place)
        else:
            with place.open("wb", buffering=0) as file:
                # Half a character, as names of files may hold, is written as JSON has it: \udcff.
                data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
                write_all(file.fileno(), data)

    with storage_errors(f"{path} could not be written", remedy):
        if path.exists() and not path.is_file():
            write(path)
            return
        path = Path(os.path.realpath(path))  # of a link, what it stands for is replaced
        partial = path.with_name(f"{path.name}.partial")
        try:
            write(partial)
            sync(partial)
            partial.replace(path)
            sync(path.parent)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise


def make_directory(path: Path) -> None:
    """Make a directory with those above it, and return when the disk has them all."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for each in reversed(missing):
        sync(each.parent)


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data`, however many calls it takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def sync(path: Path) -> None:
    """Wait until the disk has what a file holds, or which files a directory does."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _CANNOT or not path.is_dir():  # some network file systems cannot do it for directories
            raise
    finally:
        os.close(fd)
