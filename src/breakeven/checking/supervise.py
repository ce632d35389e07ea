"""Outside a sandbox: start it, feed it one program, and read the verdict within the limits."""

import secrets
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Final

from breakeven.checking.child import Child
from breakeven.checking.plain_data import encode
from breakeven.checking.program import Limits, Outcome, Program, Verdict

_VERDICTS: Final = {b"P": Verdict.PASSED, b"F": Verdict.FAILED, b"?": Verdict.CHECK_FAILED}
_STARTED: Final = b"S"
_BEAT_SECONDS: Final = 0.5
_START_SECONDS: Final = 30.0
_MAX_VERDICT_BYTES: Final = 8192
_EXCERPT_BYTES: Final = 1000
INTERPRETER_FLAGS: Final = ("-S", "-s", "-B", "-u", "-X", "utf8", "-c")
"""Start fast, with the standard library only. -E and -I would hide PYTHONHASHSEED; the environment is ours anyway."""
ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/tmp", "PYTHONHASHSEED": "0"}
"""All that a program sees of an environment. Hashes are fixed: one program, one verdict, also where sets are walked."""

_HARNESS: Final = ("plain_data.py", "confine.py", "program_worker.py", "harness.py")
_COMPILE: Final = """
import binascii, marshal, os, sys
def compiled(path):
    with open(path, encoding="utf-8") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True, optimize=2)
    return os.path.basename(path)[:-3], binascii.b2a_base64(marshal.dumps(code)).decode()
print([compiled(path) for path in sys.argv[1:]])
"""
_LOAD: Final = """
import binascii, marshal, sys
def load(name, code):
    global m
    m = sys.modules["breakeven.checking." + name] = type(sys)(name)
    exec(marshal.loads(binascii.a2b_base64(code)), m.__dict__)
"""


def lending(folder: str | None) -> Mapping[str, str]:
    """The environment of programs that may import what lies in `folder`; None: the standard library only."""
    if folder is None:
        return ENVIRONMENT
    # A library of linear algebra would start a thread for each CPU, and be killed by the limit of processes.
    return ENVIRONMENT | {"PYTHONPATH": folder, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@cache
def harness_source(interpreter: str, *confinement: str | bytes) -> str:
    """Text for `interpreter -c` that judges one program read from standard input. Compiled, which halves its start.

    Args:
        interpreter: whose byte code it is to be.
        confinement: arguments of the harness's `main`.

    Raises:
        OSError, subprocess.SubprocessError: the interpreter does not run.
    """
    command = [interpreter, *INTERPRETER_FLAGS, _COMPILE, *map(str, map(Path(__file__).with_name, _HARNESS))]
    compiled = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True, env={}, cwd="/").stdout
    return f"{_LOAD}\nfor name, code in {compiled.strip()}: load(name, code)\nm.main(*{confinement!r})\n"


def supervise(
    command: Sequence[str], program: Program, *, folder: str = "/", environment: Mapping[str, str] = ENVIRONMENT
) -> Outcome:
    """What the harness that `command` starts says of `program`. Nothing of it is left running.

    Args:
        command: a full command line that ends in `harness_source()`.
        folder: its working directory.
        environment: all of its environment variables.
    """
    limits, nonce = program.limits, secrets.token_bytes(16)
    message = encode((nonce, program.source, program.setup, program.test, program.functions, asdict(limits)))
    try:
        child = Child(command, environment=environment, folder=folder, listen=True)
    except OSError as error:
        return Outcome(verdict=Verdict.CHECK_FAILED, reason=f"{command[0]} did not start: {error}")
    try:
        started, late_seconds, ended = _wait(child, message, nonce, limits)
    finally:
        child.kill()
    verdict, printed = bytes(child.said).removeprefix(nonce + _STARTED), bytes(child.printed)
    output = printed[-_EXCERPT_BYTES:].decode("utf-8", "replace")
    if verdict[:16] == nonce and verdict[16:17] in _VERDICTS:
        reason = verdict[17:].decode("utf-8", "replace")
        return Outcome(verdict=_VERDICTS[verdict[16:17]], reason=reason, output=output)
    if len(printed) > limits.output_bytes:
        return Outcome(verdict=Verdict.FAILED, reason=f"printed more than {limits.output_bytes} bytes", output=output)
    # Once the program was handed over, it is to blame, but for a machine that gave nobody any time.
    starved = late_seconds > limits.wall_seconds / 2
    if ended:
        reason = f"the sandbox ended without a verdict (exit status {child.exit_status})"
    elif starved:
        reason = f"the machine let the check wait for {late_seconds:.0f} s"
    else:
        reason = f"no verdict after {limits.wall_seconds} s" if started else "the sandbox did not start in time"
    wrong = started and (ended or not starved)
    return Outcome(verdict=Verdict.FAILED if wrong else Verdict.CHECK_FAILED, reason=reason, output=output)


def _wait(child: Child, message: bytes, nonce: bytes, limits: Limits) -> tuple[bool, float, bool]:
    """Feed a sandbox and wait for its verdict: whether the program was handed over, how late this woke, if it ended."""

    def enough() -> bool:
        return len(child.printed) > limits.output_bytes or len(child.said) > _MAX_VERDICT_BYTES

    def handed_over() -> bool:
        return child.said.startswith(nonce + _STARTED)

    start = time.monotonic() + _START_SECONDS
    ended = child.exchange(message, start, lambda: enough() or handed_over(), and_close=True)
    late_seconds, started = 0.0, handed_over()
    # A checker that gets any time says itself that the program is late.
    deadline = time.monotonic() + 1.25 * limits.wall_seconds + 1.0
    while started and not (ended or enough()) and (now := time.monotonic()) < deadline:
        ended = child.exchange(b"", min(now + _BEAT_SECONDS, deadline), enough)
        late_seconds += max(0.0, time.monotonic() - now - _BEAT_SECONDS)
    return started, late_seconds, ended
