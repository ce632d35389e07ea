"""Checks that may hang, crash or be attacked: each runs in a process of its own, which is killed at a deadline."""

import json
import os
import queue
import signal
import sys
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from breakeven import check
from breakeven.checking.child import Child
from breakeven.checking.worker_main import PATIENCE
from breakeven.errors import CheckFailedError

START_SECONDS = 120.0
"""For importing what the checks need, on a busy machine."""
_MAX_REPLY_BYTES = 64 << 20
_KEPT_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")
"""No more, so that a key or a password in the environment is out of a checker's reach."""
_MAIN = """
import sys
package = sys.modules["breakeven"] = type(sys)("breakeven")
package.__path__ = [sys.argv.pop(1)]
from breakeven.checking.worker_main import main
main()
"""
"""Without the package's own `__init__`, whose imports take a second and memory, and serve no check."""


class Workers:
    """Up to `num_workers` processes that answer calls, one at a time each; started when first needed.

    May be called from several threads. A process that crashes or is late is killed, and the next call starts another.
    Every process has the same hash seed, so that checkers that iterate over sets give the same on every run.

    Args:
        target: `package.module:function`. A process calls `function(settings)` once; what it returns answers the calls.
        settings: JSON.
        timeout_seconds: CPU time of one call. By the clock it may take four times that: a busy machine.
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
        check.above("timeout_seconds", timeout_seconds, 0)
        check.at_least("num_workers", num_workers, 1)
        self.timeout_seconds = timeout_seconds
        worker = [sys.executable, "-P", "-c", _MAIN, str(Path(__file__).parents[1])]
        self._command = [*worker, target, json.dumps(settings), str(memory_bytes)]
        self._idle = queue.LifoQueue[Child | None]()
        for _ in range(num_workers):
            self._idle.put(None)
        self._running = set[Child]()
        self._finalizer = weakref.finalize(self, _kill_all, self._running)

    def call(self, *arguments: Any, timeout_seconds: float | None = None) -> Any:
        """What the worker's function returns for `arguments`; both JSON.

        Raises:
            CheckBrokeError: it raised an exception, took too much CPU time, or its process died.
            CheckFailedError: its process could not be started, or got too little of the machine.
        """
        seconds = timeout_seconds or self.timeout_seconds
        process = self._idle.get()
        try:
            if process is not None and not process.alive:
                self._end(process)
                process = None
            process = process or self._start()
            body = json.dumps([seconds, *arguments]).encode()
            return _ask(process, len(body).to_bytes(4) + body, seconds, "for one check")
        except CheckFailedError:
            raise  # the check ended with an exception of its own, and the process is as good as before
        except BaseException as error:  # not only _BrokenError: after a Ctrl-C a reply may still be under way
            if process is not None:
                self._end(process)
            process = None
            if isinstance(error, _BrokenError):
                raise CheckBrokeError(str(error)) from None
            if isinstance(error, _StarvedError):
                raise CheckFailedError(str(error)) from None
            raise
        finally:
            self._idle.put(process)

    def _start(self) -> Child:
        process = Child(self._command, environment=_environment())
        self._running.add(process)
        try:
            _ask(process, b"", START_SECONDS, "to start")
        except BaseException as error:
            self._end(process)
            if not isinstance(error, Exception):
                raise
            raise _StarvedError(f"a checker's process could not be started: {error}") from None
        return process

    def _end(self, process: Child) -> None:
        process.kill()
        self._running.discard(process)

    def close(self) -> None:
        """End all processes. A later call starts new ones."""
        _kill_all(self._running)


class CheckBrokeError(CheckFailedError):
    """What was to be checked broke its check: it raised, crashed, or took more CPU time than it may.

    Where the same check bears the gold answer, the answer is to blame, and is wrong.
    """


class _BrokenError(Exception):
    """The process cannot be used any more, for what it was given."""


class _StarvedError(Exception):
    """The process cannot be used any more, whatever it was given."""


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


def _ask(process: Child, request: bytes, seconds: float, purpose: str) -> Any:
    """What the process answers. CheckBrokeError: its function raised; the other errors: it cannot be used any more."""
    said = process.said
    said.clear()

    def whole() -> bool:
        return len(said) >= 4 + min(int.from_bytes(said[:4]), _MAX_REPLY_BYTES)

    ended = process.exchange(request, time.monotonic() + PATIENCE * seconds, whole)
    size = int.from_bytes(said[:4])
    if size > _MAX_REPLY_BYTES:
        raise _BrokenError(f"the checker's reply must be at most {_MAX_REPLY_BYTES} bytes long; got {size}")
    if not whole():
        if not ended:
            raise _StarvedError(
                f"the checker took more than {seconds:g} s {purpose}, with CPU time left: a busy machine"
            )
        process.kill()
        if process.exit_status == -signal.SIGPROF:
            raise _BrokenError(f"the checker took more than {seconds:g} s {purpose}")
        raise _BrokenError(f"the checker's process died (exit code {process.exit_status})")
    try:
        outcome = json.loads(said[4:])
        if "error" not in outcome:
            return outcome["value"]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise _BrokenError("the checker's reply must be one value; got something else") from None
    raise CheckBrokeError(f"the checker raised {outcome['error']}")


def _kill_all(running: set[Child]) -> None:
    while running:
        running.pop().kill()
