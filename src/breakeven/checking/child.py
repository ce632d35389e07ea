"""A child process that is spoken to through its pipes, within a time, and killed with all that it started."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

_PIECE_BYTES = 1 << 16


class Child:
    """A process in a session of its own: Ctrl-C is for the parent, and the group can be killed as one.

    What it says may have been written by an attacker: no more is kept than `exchange` is told to wait for, and a piece.

    Args:
        command: its command line.
        environment: all of its environment variables.
        folder: its working directory; this one's by default.
        listen: keep what it writes to standard error, in `printed`; else it is thrown away.

    Raises:
        OSError: it does not start.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: str | None = None,
        listen: bool = False,
    ) -> None:
        self.said, self.printed = bytearray(), bytearray()
        """Standard output and error, as read so far."""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if listen else subprocess.DEVNULL,
            bufsize=0,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
        )
        self._pipes = [each for each in (self._process.stdin, self._process.stdout, self._process.stderr) if each]
        for pipe in self._pipes:
            os.set_blocking(pipe.fileno(), False)
        self._stdin, self._stdout, *self._stderr = (pipe.fileno() for pipe in self._pipes)

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """Its exit status, minus the signal that killed it; None before its end was seen, by `alive` or `kill`."""
        return self._process.returncode

    def exchange(self, message: bytes, deadline: float, enough: Callable[[], bool], *, and_close: bool = False) -> bool:
        """Feed `message` and read on until `enough`, the end of its output, or the deadline; True if it was the end.

        Args:
            message: to its standard input; what it does not read is dropped.
            deadline: as of `time.monotonic`.
            enough: asked whenever something was read.
            and_close: close its standard input after `message`.
        """
        left = memoryview(message)
        with selectors.DefaultSelector() as selector:
            if left:
                selector.register(self._stdin, selectors.EVENT_WRITE)
            for descriptor in (self._stdout, *self._stderr):
                selector.register(descriptor, selectors.EVENT_READ)
            while (seconds := deadline - time.monotonic()) > 0:
                for key, _ in selector.select(seconds):
                    if key.fd == self._stdin:
                        left = _fed(key.fd, left)
                        if not left:
                            selector.unregister(key.fd)
                            if and_close:
                                self._pipes[0].close()
                    elif part := os.read(key.fd, _PIECE_BYTES):
                        (self.said if key.fd == self._stdout else self.printed).extend(part)
                    elif key.fd == self._stdout:
                        for descriptor in self._stderr:
                            with contextlib.suppress(BlockingIOError):  # what was printed last may wait in the pipe
                                self.printed += os.read(descriptor, _PIECE_BYTES)
                        return True
                    else:
                        selector.unregister(key.fd)
                if enough():
                    break
        return False

    def kill(self) -> None:
        """Kill what is left of the group, and reap it. What it said stays."""
        if self._pipes[-1].closed:  # killed before: its number may be another's by now
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in self._pipes:
            pipe.close()


def _fed(descriptor: int, left: memoryview) -> memoryview:
    """What of `left` is still to be written; nothing where nobody reads it any more."""
    try:
        return left[os.write(descriptor, left) :]
    except BlockingIOError:
        return left
    except BrokenPipeError:
        return left[:0]
