"""What runs in a sandbox: a checker, which is trusted, and the worker it forks, which holds the program.

The order of events is what makes a verdict unforgeable. (1) The checker forks the worker while it knows nothing yet.
(2) It reads test and nonce from its standard input. (3) It bars other processes from its memory and its descriptors.
(4) Only now does it hand the program over. So neither test nor nonce was ever in the worker's memory, the channel of
the verdict is closed there, and all a program can do about its verdict is to return values. They arrive as plain data:
an object that claims to equal everything arrives as one that equals nothing.

Nor does the program decide whether it is judged: once it was handed over, whatever ends the check is its doing, but a
test that is broken by itself, and a machine that gave the checker no time.

Runs on Python 3.9 and later, without breakeven, and starts for every program: imports little.
"""

import builtins
import os
import select
import sys
import time

from breakeven.checking.confine import bar_others, confine
from breakeven.checking.plain_data import decode
from breakeven.checking.program_worker import limit, read, send, told, work

PASSED, FAILED, CHECK_FAILED, STARTED = b"P", b"F", b"?", b"S"
"""First byte after the nonce: of a verdict, which goes on with its reason; or that the program was handed over."""
_BROKEN_TEST = (NameError, ImportError, SyntaxError, MemoryError)
"""What ends a test that has seen nothing of the program yet, and that no program brings about: the test is broken. Not
OSError: of files and processes, a program that is loaded may have taken or spoilt what the test was to have."""
_BEAT_SECONDS = 0.2
"""How often the checker looks up while it waits: what it wakes late by, it was starved."""


class _Over(BaseException):
    """The verdict is known: (first byte, reason). No `except Exception` of a test may swallow it."""


class _Worker:
    """The checker's end of a worker."""

    def __init__(self, process: int, requests: int, replies: int, limits: "dict[str, int]") -> None:
        self.process, self.requests, self.replies, self.limits = process, requests, replies, limits
        self.over: _Over | None = None
        self.raised: Exception | None = None
        self.loaded = self.answered = False
        self.line = 0
        self.late_seconds, self.deadline = 0.0, 0.0
        self.poll = select.poll()
        self.poll.register(replies, select.POLLIN)

    def load(self, source: str, functions: "tuple[str, ...]") -> None:
        """Hand the program over."""
        self.deadline = time.monotonic() + self.limits["wall_seconds"]
        self.ask((source, functions, self.limits))
        self.loaded = True

    def ask(self, request: object) -> object:
        """What the program answers; what it raises is raised here, as the built-in exception of that name."""
        try:
            send(self.requests, request, strict=True)
        except BrokenPipeError:
            self.end()
        except (TypeError, RecursionError) as error:
            self.stop(FAILED if self.answered else CHECK_FAILED, f"the test cannot call the program: {error}")
        size = int.from_bytes(self.receive(8), "big")
        if size > self.limits["output_bytes"]:
            self.stop(FAILED, f"returned a value of more than {self.limits['output_bytes']} bytes")
        try:
            good, value, changed = decode(self.receive(size))
            if not good:
                kind, message, line = value
                self.raised, self.line = _made(str(kind), str(message)), line if 0 < line < 1 << 31 else 0
            elif changed is not None:
                for old, new in zip(request[1], changed[0]):  # type: ignore[index]  # noqa: B905
                    _update(old, new)
        except Exception:
            self.stop(FAILED, "returned a value that cannot be read")
        self.answered = self.loaded
        if not good:
            raise self.raised or AssertionError
        return value

    def receive(self, size: int) -> bytes:
        """`size` bytes of an answer."""
        parts = []
        while size > 0:
            asked = time.monotonic()
            if asked > self.deadline:
                self.late()
            # A worker's end may go unnoticed, since processes it forked hold its descriptors: look for it now and then.
            if not self.poll.poll(1000 * _BEAT_SECONDS):
                self.late_seconds += time.monotonic() - asked - _BEAT_SECONDS
                if os.waitid(os.P_PID, self.process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                    continue
                if not self.poll.poll(0):
                    self.end()
            part = os.read(self.replies, min(size, 1 << 20))
            if not part:
                self.end()
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def late(self) -> None:
        """The time is up: the program's fault, unless the checker was not served either."""
        seconds = self.limits["wall_seconds"]
        if self.late_seconds > seconds / 2:
            self.stop(CHECK_FAILED, f"the machine let the check wait for {self.late_seconds:.0f} of {seconds} s")
        self.stop(FAILED, f"gave no answer within {seconds} s")

    def end(self) -> None:
        """Say how the worker ended."""
        for _ in range(100):
            process, status, usage = os.wait4(self.process, os.WNOHANG)
            if process:
                break
            select.select([], [], [], 0.01)
        else:
            self.stop(FAILED, "closed the channel on which it answers")
        signal, seconds = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, usage.ru_utime + usage.ru_stime
        if signal in (9, 24) and seconds >= 0.9 * self.limits["cpu_seconds"]:  # SIGKILL, SIGXCPU
            self.stop(FAILED, f"used more than {self.limits['cpu_seconds']} s of CPU time")
        if signal:
            self.stop(FAILED, f"ended by signal {signal}" + (", perhaps for want of memory" if signal == 9 else ""))
        self.stop(FAILED, f"ended with exit status {os.WEXITSTATUS(status)} in place of an answer")

    def stop(self, verdict: bytes, reason: str) -> None:
        """End the check, even if the test catches everything."""
        self.over = self.over or _Over(verdict, reason)
        raise self.over


def _made(name: str, message: str) -> Exception:
    kind = getattr(builtins, name, None)
    try:
        if isinstance(kind, type) and issubclass(kind, Exception):
            return kind(message)
    except TypeError:  # UnicodeDecodeError and its like are not made of a message
        pass
    return Exception(f"{name}: {message}" if name else message)


def _update(old: object, new: object) -> None:
    """Give a list, set or dict of the test the contents that the program gave its copy."""
    if isinstance(old, list) and isinstance(new, list):
        old[:] = new
    elif isinstance(old, (dict, set)) and type(old) is type(new):
        old.clear()
        old.update(new)


def _proxy(worker: _Worker, name: str) -> object:
    def call(*args: object, **kwargs: object) -> object:
        return worker.ask((name, list(args), kwargs))

    call.__name__ = name
    return call


def _limit_checker(worker: _Worker) -> None:
    """What a program returns may keep its test busy, or fill its memory: twice the CPU time, and the same memory."""
    import _signal  # type: ignore[import-not-found]  # the module `signal` without what takes a while to load

    seconds = 2 * worker.limits["cpu_seconds"]
    reason = f"keeps its test busy: more than {seconds} s of CPU time"
    _signal.signal(_signal.SIGXCPU, lambda *_: worker.stop(FAILED, reason))
    limit("RLIMIT_CPU", seconds)
    limit("RLIMIT_AS", worker.limits["memory_bytes"])
    limit("RLIMIT_CORE", 0)


def _check(
    worker: _Worker, nonce: bytes, source: str, setup: str, test: str, functions: "tuple[str, ...]"
) -> "tuple[bytes, str]":
    """The verdict and its reason."""
    proxies = {name: _proxy(worker, name) for name in functions}
    namespace: dict[str, object] = {"__name__": "test"}
    try:
        if sys.platform == "linux":
            bar_others()
        codes = compile(setup, "<setup>", "exec"), compile(test, "<test>", "exec")
        exec(codes[0], namespace)
        _limit_checker(worker)
        os.write(1, nonce + STARTED)
        worker.load(source, functions)
        namespace.update(proxies)
        exec(codes[1], namespace)
        over = worker.over
    except _Over as error:
        over = error
    except BaseException as error:
        over = worker.over or _judged(error, worker)
    return (over.args[0], over.args[1]) if over else (PASSED, "")


def _judged(error: BaseException, worker: _Worker) -> _Over:
    """What an exception that ended the test says of the program."""
    name, message, line = told(error, "<test>")
    if error is worker.raised:
        where = f" (line {worker.line})" if worker.line else ""
        return _Over(FAILED, (f"{name}: " if name != "Exception" else "") + message + where)
    reason = f"{name}: {message}" if message else name
    reason += f" (line {line} of the test)" if line else ""
    # Whatever comes after an answer, the answer may have brought about.
    broken = _BROKEN_TEST if worker.loaded else (*_BROKEN_TEST, OSError)
    if not worker.answered and (isinstance(error, broken) or not isinstance(error, Exception)):
        return _Over(CHECK_FAILED, f"the test is broken: {reason}")
    return _Over(FAILED, reason)


def main(machine: str = "", calls: bytes = b"", tmp: str = "") -> None:
    """One program, from standard input to the verdict on standard output.

    Args:
        machine, calls, tmp: as `confine` takes them; no `calls`: it confines nothing.
    """
    import _signal

    sys.path[:] = [each for each in sys.path if each]  # else the test imports what the program left lying around
    if calls:
        confine(machine, calls, tmp)
    interrupt = _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
    request_end, requests = os.pipe()
    replies, reply_end = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            _signal.signal(_signal.SIGINT, interrupt)
            nothing = os.open("/dev/null", os.O_RDONLY)
            os.dup2(nothing, 0)
            os.dup2(2, 1)
            for each in (nothing, requests, replies):
                os.close(each)
            work(request_end, reply_end)
        finally:
            os._exit(1)
    os.close(request_end)
    os.close(reply_end)
    nonce, source, setup, test, functions, limits = decode(read(0, 1 << 40))
    verdict, reason = _check(_Worker(process, requests, replies, limits), nonce, source, setup, test, functions)
    os.write(1, nonce + verdict + reason[:1000].encode("utf-8", "replace"))
    os._exit(0)
