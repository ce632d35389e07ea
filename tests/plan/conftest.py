"""What tests of several rows do to a plan."""

import errno
import os
from collections.abc import Callable

import pytest

FullAfter = Callable[[int], Callable[[int, bytes], int]]


@pytest.fixture
def full_after() -> FullAfter:
    """Of so many bytes of room, what `os.write` does on such a disk."""

    def full(room: int) -> Callable[[int, bytes], int]:
        real, left = os.write, [room]

        def write(fd: int, data: bytes) -> int:
            if not left[0]:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written = real(fd, bytes(data)[: left[0]])
            left[0] -= written
            return written

        return write

    return full
