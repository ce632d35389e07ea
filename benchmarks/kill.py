"""Kill the commands of victims.py at random moments; every end is compared with an undisturbed one.

    nice python benchmarks/kill.py --kills 1000 --seed 0

About half of the attempts come after a random time, half inside a random call that changes the disk: after part of a
write, before or after an fsync, a rename, a truncation or a removal. Ends with 1 if any file differs by a byte
(locks and leftovers ending in .partial apart), or a command ends otherwise than killed or with 0. A long campaign may
be cut in parts, each with a seed of its own: its attempts share nothing with those of another.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import victims

_CALLS = ("write", "fsync", "replace", "rename", "truncate", "ftruncate", "unlink", "mkdir")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000, metavar="N", help="in all, shared by the commands")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and calls")
    parser.add_argument("--only", nargs="*", choices=victims.NAMES, default=victims.NAMES, metavar="COMMAND")
    parser.add_argument("--seconds", type=float, default=900.0, help="begin no further command after so long")
    asked = parser.parse_args()
    moments, killed, ends, faults = random.Random(asked.seed), Counter[str](), Counter[str](), list[str]()
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder, "whole")
        seconds = {}
        whole = victims.prepare(base)
        for name in victims.NAMES:
            started = time.monotonic()
            victims.finish(
                victims.start(victims.victim(name, Path(folder, f"timed-{name}"), base), Path(folder, "said"))
            )
            seconds[name] = time.monotonic() - started
        began = time.monotonic()
        for number in count():
            left = asked.kills - killed.total()
            if left <= 0 or time.monotonic() - began > asked.seconds:
                break
            victim = victims.victim(asked.only[number % len(asked.only)], Path(folder, f"killed-{number}"), base)
            most = min(left, 12)
            killed[victim.name] += kill_until_done(
                victim, most, seconds[victim.name], moments, Path(folder, "said"), faults
            )
            faults += victims.differences(victim.name, victim.files(), whole[victim.name])
            ends[victim.name] += 1
            if victim.name == asked.only[-1]:
                so_far = f"{killed.total()} kills, {ends.total()} ends, {len(faults)} faults"
                sys.stderr.write(f"{so_far} in {time.monotonic() - began:.0f} s\n")
            shutil.rmtree(victim.directory, ignore_errors=True)
        spent = time.monotonic() - began
    for name in asked.only:
        sys.stdout.write(f"{name:12} {killed[name]:4} kills, {ends[name]:3} ends compared\n")
    sys.stdout.write(f"{killed.total()} kills in {spent:.0f} s, {len(faults)} faults\n")
    sys.stdout.writelines(f"  {each}\n" for each in faults[:20])
    raise SystemExit(bool(faults))


def kill_until_done(
    victim: victims.Victim, most: int, seconds: float, moments: random.Random, said: Path, faults: list[str]
) -> int:
    """Start a command, and kill it up to `most` times; then it comes to its end. How often it was killed."""
    kills = 0
    while not victim.is_done():
        by_time = moments.random() < 0.5
        fault = None if by_time or kills == most else inside(moments.randint(1, 25), moments.random())
        number = victims.start(victim, said, fault)
        if by_time and kills < most:
            time.sleep(moments.uniform(0.0, seconds))
            os.kill(number, signal.SIGKILL)  # one that is over waits to be asked for, so its number is still its own
        code = victims.finish(number)
        if code == -signal.SIGKILL:
            kills += 1
            continue
        if code:
            faults.append(
                f"{victim.name}: ended with {code}: {said.read_text(encoding='utf-8', errors='replace')[-300:]}"
            )
        break
    return kills


def inside(which: int, share: float) -> victims.Fault:
    """A child that kills itself in its `which`-th call that changes the disk.

    Args:
        share: of the bytes that a write still writes; of other calls below a half: before it, else after it.
    """

    def arm() -> None:
        calls = count(1)

        def patched(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **options: Any) -> Any:
                if next(calls) != which:
                    return real(*arguments, **options)
                if name == "write":
                    real(arguments[0], arguments[1][: int(share * len(arguments[1]))])
                elif share > 0.5:
                    real(*arguments, **options)
                os.kill(os.getpid(), signal.SIGKILL)
                raise SystemExit(70)

            return call

        for name in _CALLS:
            setattr(os, name, patched(name, getattr(os, name)))

    return arm


if __name__ == "__main__":
    main()
