"""Checks that may hang, crash or be attacked: each runs in a process of its own, which is killed at a deadline."""

import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping
from typing import Any

from breakeven.errors import CheckFailedError, argument_error

START_SECONDS = 120.0
"""For importing what the checks need, on a busy machine."""
_MAX_REPLY_BYTES = 64 << 20
_KEPT_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")
"""No more, so that a key or a password in the environment is out of a checker's reach."""


class Workers:
    """Up to `num_workers` processes that answer calls, one at a time each; started when first needed.

    May be called from several threads. A process that crashes or is late is killed, and the next call starts another.
    Every process has the same hash seed, so that checkers that iterate over sets give the same on every run.

    Args:
        target: `package.module:function`. A process calls `function(settings)` once; what it returns answers the calls.
        settings: JSON.
        timeout_seconds: of one call.
        num_workers: calls at once; others wait.
        memory_bytes: address space of one process.
    """

    def __init__(
        self,
        target: str,
        settings: Mapping[str, Any],
        *,
        timeout_seconds: float,
        num_workers: int = 1,
        memory_bytes: int = 4 << 30,
    ) -> None:
        if not timeout_seconds > 0:
            raise argument_error("timeout_seconds", "be above 0", timeout_seconds)
        if num_workers < 1:
            raise argument_error("num_workers", "be at least 1", num_workers)
        self.timeout_seconds = timeout_seconds
        self._arguments = [target, json.dumps(settings), str(memory_bytes)]
        self._idle = queue.LifoQueue[_Process | None]()
        for _ in range(num_workers):
            self._idle.put(None)
        self._running = set[_Process]()
        self._finalizer = weakref.finalize(self, _kill_all, self._running)

    def call(self, *arguments: Any, timeout_seconds: float | None = None) -> Any:
        """What the worker's function returns for `arguments`; both JSON.

        Raises:
            CheckFailedError: it raised an exception, was late, or its process died.
        """
        seconds = timeout_seconds or self.timeout_seconds
        process = self._idle.get()
        try:
            if process is None or not process.alive:
                process = self._start()
            return process.ask([seconds, *arguments], seconds)
        except CheckFailedError:
            raise  # the check ended with an exception of its own, and the process is as good as before
        except BaseException as error:  # not only _BrokenError: after a Ctrl-C a reply may still be under way
            if process is not None:
                self._end(process)
            process = None
            if isinstance(error, _BrokenError):
                raise CheckFailedError(str(error)) from None
            raise
        finally:
            self._idle.put(process)

    def _start(self) -> "_Process":
        process = _Process(self._arguments)
        self._running.add(process)
        try:
            process.reply(START_SECONDS, "to start")
        except BaseException as error:
            self._end(process)
            if not isinstance(error, Exception):
                raise
            raise _BrokenError(f"a checker's process could not be started: {error}") from None
        return process

    def _end(self, process: "_Process") -> None:
        process.kill()
        self._running.discard(process)

    def close(self) -> None:
        """End all processes. A later call starts new ones."""
        _kill_all(self._running)


class _BrokenError(Exception):
    """The process cannot be used any more."""


class _Process:
    def __init__(self, arguments: list[str]) -> None:
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-m", "breakeven.checking.worker_main", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment | single | {"PYTHONHASHSEED": "0"},
            start_new_session=True,  # Ctrl-C is for the parent, and the group can be killed as one
        )

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def ask(self, request: list[Any], seconds: float) -> Any:
        """What the process answers. CheckFailedError: its function raised; _BrokenError: it cannot be used any more."""
        body = json.dumps(request).encode()
        frame = len(body).to_bytes(4) + body
        stdin = self._popen.stdin
        try:
            while frame and stdin is not None:
                frame = frame[stdin.write(frame) :]
        except OSError as error:
            raise _BrokenError(f"the checker's process is gone ({error.strerror})") from None
        return self.reply(seconds, "for one check")

    def reply(self, seconds: float, purpose: str) -> Any:
        """The next reply, as `ask` gives it."""
        deadline = time.monotonic() + seconds
        size = int.from_bytes(self._read(4, deadline, seconds, purpose))
        if size > _MAX_REPLY_BYTES:
            raise _BrokenError(f"the checker's reply must be at most {_MAX_REPLY_BYTES} bytes long; got {size}")
        outcome = json.loads(self._read(size, deadline, seconds, purpose))
        if "error" in outcome:
            raise CheckFailedError(f"the checker raised {outcome['error']}")
        return outcome["value"]

    def _read(self, size: int, deadline: float, seconds: float, purpose: str) -> bytes:
        stdout = self._popen.stdout
        if stdout is None:
            raise _BrokenError("the checker's process has no output")
        poll = select.poll()
        poll.register(stdout, select.POLLIN)
        parts: list[bytes] = []
        while size:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise _BrokenError(f"the checker took more than {seconds:g} s {purpose}")
            part = os.read(stdout.fileno(), size)
            if not part:
                raise _BrokenError(f"the checker's process died (exit code {self._popen.wait()})")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()


def _kill_all(running: set[_Process]) -> None:
    while running:
        running.pop().kill()
