"""What runs in a sandbox: a checker, which is trusted, and the worker it forks, which holds the program.

The order of events is what makes a verdict unforgeable. (1) The checker forks the worker while it knows nothing yet.
(2) It reads test and nonce from its standard input. (3) It bars other processes from its memory and its descriptors.
(4) Only now does it hand the program over. So neither test nor nonce was ever in the worker's memory, the channel of
the verdict is closed there, and all a program can do about its verdict is to return values. They arrive as plain data:
an object that claims to equal everything arrives as one that equals nothing.

Runs on Python 3.9 and later, without breakeven, and starts for every program: imports little.
"""

import builtins
import os
import select
import sys

from breakeven.checking.plain_data import decode, encode

PASSED, FAILED, CHECK_FAILED = b"P", b"F", b"?"
"""First byte of a verdict, after the nonce; then the reason."""
_PR_SET_DUMPABLE = 4
_BROKEN_TEST = (NameError, ImportError, SyntaxError, MemoryError)
"""What a returned value does not make a test raise: the test itself is broken, or the checker has no memory left."""


class _Over(BaseException):
    """The verdict is known: (first byte, reason). No `except Exception` of a test may swallow it."""


def _send(descriptor: int, value: object, strict: bool = False) -> None:
    body = encode(value, strict)
    left = len(body).to_bytes(8, "big") + body
    while left:
        left = left[os.write(descriptor, left) :]


def _read(descriptor: int, size: int) -> bytes:
    """`size` bytes, fewer at the end of the stream."""
    parts = []
    while size > 0:
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


# -- the worker: from here on a hostile program may have changed anything ---------------------------------------------


def _work(requests: int, replies: int) -> None:
    """Load the program, then answer calls until the checker is gone."""
    source, functions, limits = _request(requests)
    _limit_itself(limits)
    module = type(sys)("program")
    sys.modules["program"] = module  # where dataclasses and pickle look it up
    try:
        exec(compile(source, "<program>", "exec"), module.__dict__)
        missing = [name for name in functions if not callable(module.__dict__.get(name))]
        _send(replies, (not missing, ("", f"defines no function {', '.join(missing)}", 0) if missing else None, None))
    except BaseException as error:
        _send(replies, (False, _told(error), None))
    while True:
        name, args, kwargs = _request(requests)
        before = encode((args, kwargs))
        try:
            result = module.__dict__[name](*args, **kwargs)
            after = encode((args, kwargs))
            _send(replies, (True, result, None if after == before else (args, kwargs)))
        except BaseException as error:
            _send(replies, (False, _told(error), None))


def _request(requests: int) -> tuple:  # type: ignore[type-arg]
    header = _read(requests, 8)
    if len(header) < 8:
        os._exit(0)
    return tuple(decode(_read(requests, int.from_bytes(header, "big"))))


def _told(error: BaseException, source: str = "<program>") -> "tuple[str, str, int]":
    """Type, message, and last line of `source` (0: none) of an exception."""
    trace, line = error.__traceback__, 0
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == source else line
        trace = trace.tb_next
    return type(error).__name__, str(error)[:300], line


def _limit_itself(limits: "dict[str, int]") -> None:
    import resource

    for name, limit in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NPROC, limits["max_processes"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
    ):
        _, hard = resource.getrlimit(name)
        # A container may have limits of its own, which cannot be raised. SIGXCPU can be caught: SIGKILL a second later.
        top = limit + 1 if name == resource.RLIMIT_CPU else limit
        top = top if hard == resource.RLIM_INFINITY else min(top, hard)
        resource.setrlimit(name, (min(limit, top), top))


# -- the checker ------------------------------------------------------------------------------------------------------


class _Worker:
    """The checker's end of a worker."""

    def __init__(self, process: int, requests: int, replies: int) -> None:
        self.process, self.requests, self.replies = process, requests, replies
        self.limits: dict[str, int] = {}
        self.over: _Over | None = None
        self.raised: Exception | None = None
        self.line = 0
        self.poll = select.poll()
        self.poll.register(replies, select.POLLIN)

    def ask(self, request: object) -> object:
        """What the program answers; what it raises is raised here, as the built-in exception of that name."""
        try:
            _send(self.requests, request, strict=True)
        except BrokenPipeError:
            self.end()
        except (TypeError, RecursionError) as error:
            self.stop(CHECK_FAILED, f"the test cannot call the program: {error}")
        size = int.from_bytes(self.receive(8), "big")
        if size > self.limits["output_bytes"]:
            self.stop(FAILED, f"returned a value of more than {self.limits['output_bytes']} bytes")
        try:
            good, value, changed = decode(self.receive(size))
            if not good:
                kind, message, self.line = value
                self.raised = _made(str(kind), str(message))
            elif changed is not None:
                for old, new in zip(request[1], changed[0]):  # type: ignore[index]  # noqa: B905
                    _update(old, new)
        except (ArithmeticError, TypeError, ValueError, RecursionError):
            self.stop(FAILED, "returned a value that cannot be read")
        if not good:
            raise self.raised or AssertionError
        return value

    def receive(self, size: int) -> bytes:
        """`size` bytes of an answer."""
        parts = []
        while size > 0:
            # A worker's end may go unnoticed, since processes it forked hold its descriptors: look for it now and then.
            if not self.poll.poll(200):
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
        if signal == 9:
            self.stop(CHECK_FAILED, "was killed, perhaps because the machine has no memory left")
        if signal:
            self.stop(FAILED, f"ended by signal {signal}")
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


def _bar_others() -> None:
    """No process of the same user may read this one's memory or take its descriptors from now on."""
    if sys.platform == "linux":
        import ctypes

        if ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            raise _Over(CHECK_FAILED, "the kernel does not protect the checker's memory")


def _check(worker: _Worker, source: str, setup: str, test: str, functions: "tuple[str, ...]") -> "tuple[bytes, str]":
    """The verdict and its reason."""
    proxies = {name: _proxy(worker, name) for name in functions}
    namespace: dict[str, object] = {"__name__": "test"}
    try:
        _bar_others()
        codes = compile(setup, "<setup>", "exec"), compile(test, "<test>", "exec")
        exec(codes[0], namespace)
        worker.ask((source, functions, worker.limits))
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
    name, message, line = _told(error, "<test>")
    if error is worker.raised:
        where = f" (line {worker.line})" if worker.line else ""
        return _Over(FAILED, (f"{name}: " if name != "Exception" else "") + message + where)
    reason = f"{name}: {message}" if message else name
    reason += f" (line {line} of the test)" if line else ""
    if isinstance(error, _BROKEN_TEST) or not isinstance(error, Exception):
        return _Over(CHECK_FAILED, f"the test is broken: {reason}")
    return _Over(FAILED, reason)


def main() -> None:
    """One program, from standard input to the verdict on standard output."""
    sys.path[:] = [each for each in sys.path if each]  # else the test imports what the program left lying around
    request_end, requests = os.pipe()
    replies, reply_end = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            nothing = os.open("/dev/null", os.O_RDONLY)
            os.dup2(nothing, 0)
            os.dup2(2, 1)
            for each in (nothing, requests, replies):
                os.close(each)
            _work(request_end, reply_end)
        finally:
            os._exit(1)
    os.close(request_end)
    os.close(reply_end)
    nonce, source, setup, test, functions, limits = decode(_read(0, 1 << 40))
    worker = _Worker(process, requests, replies)
    worker.limits = limits
    verdict, reason = _check(worker, source, setup, test, functions)
    os.write(1, nonce + verdict + reason[:1000].encode("utf-8", "replace"))
    os._exit(0)
