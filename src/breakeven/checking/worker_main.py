"""A worker process: called with TARGET SETTINGS MEMORY_BYTES. Started by `workers`.

Requests come in on stdin and replies go out on the descriptor that was stdout, as frames: 4 bytes of length, then JSON.
What a checker prints goes nowhere, so that it cannot forge a reply.
"""

import importlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any

PATIENCE = 4.0
"""Seconds by the clock that a call may take for each of CPU time."""
_REFUSED = (
    "ctypes.dlopen",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.kill",
    "os.link",
    "os.mkdir",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.system",
    "shutil.",
    "socket.",
    "subprocess.",
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def main() -> None:
    """Serve requests until stdin ends."""
    target, settings, memory_bytes = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
    replies = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    module, _, function = target.partition(":")
    try:
        call = getattr(importlib.import_module(module), function)(settings)
    except Exception as error:
        _write(replies, _failure(error))
        return
    _write(replies, b'{"value": null}')
    sys.addaudithook(_refuse)
    while (header := _read(4)) is not None and (body := _read(int.from_bytes(header))) is not None:
        seconds, *arguments = json.loads(body)
        # Should the parent be gone, nobody else would end a check that hangs: the default action kills even C code.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE * seconds + 1.0)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        _write(replies, _outcome(call, arguments))
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.setitimer(signal.ITIMER_PROF, 0.0)


def _outcome(call: Callable[..., Any], arguments: list[Any]) -> bytes:
    try:
        return json.dumps({"value": call(*arguments)}).encode()
    except Exception as error:
        return _failure(error)


def _failure(error: Exception) -> bytes:
    return json.dumps({"error": f"{type(error).__name__}: {str(error)[:300]}"}).encode()


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook. A second line of defence, no sandbox: a checker neither writes files nor starts programs."""
    if event == "open":
        mode, flags = arguments[1], arguments[2]
        refused = bool(isinstance(flags, int) and flags & _WRITING) or bool(set(str(mode or "")) & set("wax+"))
    else:
        refused = event.startswith(_REFUSED)
    if refused:
        raise PermissionError(f"a checker may not do {event}")


def _read(size: int) -> bytes | None:
    parts = b""
    while len(parts) < size:
        part = os.read(0, size - len(parts))
        if not part:
            return None
        parts += part
    return parts


def _write(descriptor: int, body: bytes) -> None:
    frame = len(body).to_bytes(4) + body
    while frame:
        frame = frame[os.write(descriptor, frame) :]
