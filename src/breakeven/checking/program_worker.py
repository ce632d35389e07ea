"""The worker's side of a sandbox: holds the program, and answers calls of its functions.

From the first line of the program on, a hostile one may have changed anything here. Runs on Python 3.9 and later,
without breakeven, and starts for every program: imports little.
"""

import os
import resource
import sys

from breakeven.checking.plain_data import decode, encode


def send(descriptor: int, value: object, strict: bool = False) -> None:
    """Write `value` to a pipe, all of it."""
    body = encode(value, strict)
    left = len(body).to_bytes(8, "big") + body
    while left:
        left = left[os.write(descriptor, left) :]


def read(descriptor: int, size: int) -> bytes:
    """`size` bytes, fewer at the end of the stream."""
    parts = []
    while size > 0:
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def work(requests: int, replies: int) -> None:
    """Load the program, then answer calls until the checker is gone."""
    source, functions, limits = _request(requests)
    limit_itself(limits)
    module = type(sys)("program")
    sys.modules["program"] = module  # where dataclasses and pickle look it up
    try:
        exec(compile(source, "<program>", "exec"), module.__dict__)
        missing = [name for name in functions if not callable(module.__dict__.get(name))]
        send(replies, (not missing, ("", f"defines no function {', '.join(missing)}", 0) if missing else None, None))
    except BaseException as error:
        send(replies, (False, told(error), None))
    while True:
        name, args, kwargs = _request(requests)
        before = encode((args, kwargs))
        try:
            result = module.__dict__[name](*args, **kwargs)
            after = encode((args, kwargs))
            send(replies, (True, result, None if after == before else (args, kwargs)))
        except BaseException as error:
            send(replies, (False, told(error), None))


def _request(requests: int) -> tuple:  # type: ignore[type-arg]
    header = read(requests, 8)
    if len(header) < 8:
        os._exit(0)
    return tuple(decode(read(requests, int.from_bytes(header, "big"))))


def told(error: BaseException, source: str = "<program>") -> "tuple[str, str, int]":
    """Type, message, and last line of `source` (0: none) of an exception."""
    trace, line = error.__traceback__, 0
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == source else line
        trace = trace.tb_next
    return type(error).__name__, str(error)[:300], line


def limit_itself(limits: "dict[str, int]") -> None:
    """Set what this process and each that it starts may use; what a platform does not know is left out."""
    limit("RLIMIT_AS", limits["memory_bytes"])
    limit("RLIMIT_FSIZE", limits["file_bytes"])
    limit("RLIMIT_NPROC", limits["max_processes"])
    limit("RLIMIT_NOFILE", limits["max_files"])
    for name in ("RLIMIT_CORE", "RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE"):
        limit(name, 0)
    limit("RLIMIT_SIGPENDING", 64)
    limit("RLIMIT_CPU", limits["cpu_seconds"])


def limit(name: str, value: int) -> None:
    """Set one limit, or a lower one where a container has it: that cannot be raised."""
    kind = getattr(resource, name, None)
    if kind is None:
        return
    _, hard = resource.getrlimit(kind)
    # SIGXCPU can be caught: SIGKILL a second later.
    top = value + 1 if name == "RLIMIT_CPU" else value
    top = top if hard == resource.RLIM_INFINITY else min(top, hard)
    resource.setrlimit(kind, (min(value, top), top))
