"""Which sandbox this machine has."""

import itertools
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from breakeven.checking.bubblewrap import Bubblewrap, interpreter_for
from breakeven.checking.memory import own_group
from breakeven.checking.packages import installed_paths, modules
from breakeven.checking.program import Program, Sandbox, Verdict
from breakeven.checking.subprocess_backend import UnsafeSubprocess
from breakeven.errors import SandboxError, argument_error

_PROBE = Program(source="def one():\n    return 1\n", test="assert one() == 1", functions=("one",))
_REMEDY = (
    "Or run it unprotected, with --unsafe-exec: only where it may do all that you may, as in a container of its own."
)


def find_sandbox(unsafe: bool = False, packages: Sequence[str] = ()) -> Sandbox:
    """The sandbox to run model-written code in: bubblewrap where it works; a plain subprocess only if `unsafe`.

    The first call runs a trial program (some 0.1 s); its outcome holds for this process.

    Args:
        unsafe: take a subprocess where there is no sandbox.
        packages: installed ones that programs and tests may import, with what they need, read-only.

    Raises:
        ArgumentError: a package is not installed, or cannot be imported by the sandbox's Python.
        SandboxError: there is none, and `unsafe` is False. Says what is missing and what to do.
    """
    found = _bubblewrap()
    if not isinstance(found, Bubblewrap) and not unsafe:
        raise SandboxError(f"model-written code must run in a sandbox, and there is none: {found} {_REMEDY}")
    if not packages:
        return found if isinstance(found, Bubblewrap) else UnsafeSubprocess()
    paths = installed_paths(packages)
    lending = replace(found, packages=paths) if isinstance(found, Bubblewrap) else UnsafeSubprocess(packages=paths)
    for name in packages:
        outcome = lending.run(replace(_PROBE, setup="".join(f"import {each}\n" for each in modules(name))))
        if outcome.verdict is not Verdict.PASSED:
            got = f"{name}: {outcome.output.strip() or outcome.reason}"
            remedy = f"Packages are built for one Python and must be readable by all; this is {lending.description}."
            raise argument_error("--sandbox-package", "be importable there", got, remedy)
    return lending


@cache
def _bubblewrap() -> Bubblewrap | str:
    """Bubblewrap, tried out; or what is missing and what to do."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return "bwrap is not installed. Install it: apt-get install bubblewrap, or dnf install bubblewrap."
    answer = subprocess.run([bwrap, "--version"], capture_output=True, text=True, timeout=10, check=False)
    version = re.search(r"\d+(?:\.\d+)+", answer.stdout)
    if version is None:
        return f"{bwrap} --version says {answer.stdout.strip()!r}. Install bubblewrap again."
    numbers = tuple(int(each) for each in version[0].split("."))
    failures = []
    group = own_group()
    for setpriv, counts_files in itertools.product(
        (shutil.which("setpriv"), None) if os.geteuid() == 0 else (None,), (True, False)
    ):
        chosen = interpreter_for(setpriv is not None)
        if chosen is None:
            failures.append("no interpreter that an ordinary user can read: install python3 of the system")
            continue
        sandbox = Bubblewrap(
            bwrap=str(Path(bwrap).resolve()),
            version=numbers,
            interpreter=chosen[0],
            setpriv=setpriv,
            counts_files=counts_files,
            group=group,
        )
        try:
            outcome = sandbox.run(_PROBE)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            failures.append(f"{chosen[0]} does not run: {error}")
            continue
        if outcome.verdict is Verdict.PASSED:
            return sandbox
        failures.append((outcome.output.strip() or outcome.reason).splitlines()[-1])
    return (
        f"bwrap {version[0]} does not work here ({'; '.join(dict.fromkeys(failures))}). It needs version 0.6 and user "
        "namespaces: see `sysctl user.max_user_namespaces kernel.apparmor_restrict_unprivileged_userns`; a container "
        "must allow them."
    )
