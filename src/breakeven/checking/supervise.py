"""Outside a sandbox: start it, feed it one program, and read the verdict within the limits."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Final

from breakeven.checking.child import Child
from breakeven.checking.plain_data import encode
from breakeven.checking.program import Outcome, Program, Verdict

_VERDICTS: Final = {b"P": Verdict.PASSED, b"F": Verdict.FAILED, b"?": Verdict.CHECK_FAILED}
_MAX_VERDICT_BYTES: Final = 8192
_EXCERPT_BYTES: Final = 1000
INTERPRETER_FLAGS: Final = ("-S", "-s", "-B", "-u", "-X", "utf8", "-c")
"""Start fast, with the standard library only. -E and -I would hide PYTHONHASHSEED; the environment is ours anyway."""
ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/tmp", "PYTHONHASHSEED": "0"}
"""All that a program sees of an environment. Hashes are fixed: one program, one verdict, also where sets are walked."""


def lending(folder: str | None) -> Mapping[str, str]:
    """The environment of programs that may import what lies in `folder`; None: the standard library only."""
    if folder is None:
        return ENVIRONMENT
    # A library of linear algebra would start a thread for each CPU, and be killed by the limit of processes.
    return ENVIRONMENT | {"PYTHONPATH": folder, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@cache
def harness_source() -> str:
    """Text for `python -c` that judges one program read from standard input."""
    folder = Path(__file__).parent
    data, harness = ((folder / name).read_text(encoding="utf-8") for name in ("plain_data.py", "harness.py"))
    name = "breakeven.checking.plain_data"
    return (
        f"import sys; m = sys.modules[{name!r}] = type(sys)({name!r}); exec({data!r}, m.__dict__)\n"
        f"exec({harness!r}); main()\n"
    )


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
    deadline = time.monotonic() + limits.wall_seconds
    try:
        child = Child(command, environment=environment, folder=folder, listen=True)
    except OSError as error:
        return Outcome(verdict=Verdict.CHECK_FAILED, reason=f"{command[0]} did not start: {error}")
    try:
        ended = child.exchange(
            message,
            deadline,
            lambda: len(child.printed) > limits.output_bytes or len(child.said) > _MAX_VERDICT_BYTES,
            and_close=True,
        )
    finally:
        child.kill()
    verdict, printed = bytes(child.said), bytes(child.printed)
    output = printed[-_EXCERPT_BYTES:].decode("utf-8", "replace")
    if verdict[:16] == nonce and verdict[16:17] in _VERDICTS:
        reason = verdict[17:].decode("utf-8", "replace")
        return Outcome(verdict=_VERDICTS[verdict[16:17]], reason=reason, output=output)
    if len(printed) > limits.output_bytes:
        return Outcome(verdict=Verdict.FAILED, reason=f"printed more than {limits.output_bytes} bytes", output=output)
    if ended:
        reason = f"the sandbox ended without a verdict (exit status {child.exit_status})"
    else:
        reason = (
            f"no verdict after {limits.wall_seconds} s, with CPU time left: a busy machine, or a program that waits"
        )
    return Outcome(verdict=Verdict.CHECK_FAILED, reason=reason, output=output)
