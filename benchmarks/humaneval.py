"""HumanEval in the sandbox: every canonical solution passes, and no hostile program is anything but wrong.

    nice python benchmarks/humaneval.py

For each of the 164 problems five programs: the canonical solution, and in its place a sleeper, a forker, a collider and
a signaller, each of which kind comes in several forms. Prints how many passed, are wrong and are unknown; ends with 1
where a solution does not pass or a hostile program is not wrong.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from breakeven.checking import Limits, Program, Verdict, find_sandbox
from breakeven.data.sets.human_eval import HumanEval

_LIAR = """
class Liar(float):
    __slots__ = ()
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __gt__ = __le__ = __ge__ = __lt__
    def __hash__(self): return 0
"""
_SIGNALS = "import os, signal\n"
_IGNORING = _SIGNALS + "for number in range(1, 65):\n    try: signal.signal(number, signal.SIG_IGN)\n    except: pass\n"
HOSTILE: Mapping[str, tuple[tuple[str, str], ...]] = {
    # (what the program begins with, body of its function)
    "sleepers": (
        ("import time\n", "time.sleep(10**6)"),
        ("import time\ntime.sleep(10**6)\n", "pass"),
        ("import threading\n", "threading.Event().wait()"),
        (_IGNORING, "signal.pause()"),
        ("import select\n", "select.select([], [], [])"),
        ("import threading\nthreading.Thread(target=threading.Event().wait).start()\n", "threading.Lock().acquire(); "
         "lock = threading.Lock(); lock.acquire(); lock.acquire()"),
    ),
    "forkers": (
        ("import os\n", "while True:\n        try: os.fork()\n        except OSError: pass"),
        ("import os\nos.fork()\nos.fork()\n", "os._exit(0)"),
        ("import os, time\n", "[os.fork() or time.sleep(10**6) for _ in range(99)]"),
        ("import os, sys\nif os.fork(): os._exit(0)\n", "os.setsid(); os.fork(); sys.exit(0)"),
        ("import threading\n", "while True: threading.Thread(target=threading.Event().wait).start()"),
        ("import subprocess, sys\n", "return subprocess.Popen([sys.executable, '-c', 'while True: pass'])"),
    ),
    "colliders": (
        (_LIAR, "return Liar(0)"),
        (_LIAR, "return [Liar(0)] * 3"),
        (_LIAR + "import builtins\nbuiltins.bool = builtins.float = builtins.int = Liar\n", "return Liar(0)"),
        # Whole numbers that are equal modulo 2**61 - 1 have one hash: a set or dict of them takes quadratic time.
        ("", "return {each * (2**61 - 1) for each in range(1, 9000)}"),
        ("", "return {each * (2**61 - 1): each for each in range(1, 9000)}"),
        ("from unittest import mock\n", "return mock.ANY"),
    ),
    "signallers": (
        (_SIGNALS, "os.kill(os.getppid(), signal.SIGKILL)"),
        (_SIGNALS, "[os.kill(os.getppid(), number) for number in (1, 2, 3, 10, 12, 13, 14, 15, 19, 20, 24, 6)]"),
        (_SIGNALS, "os.kill(-1, signal.SIGKILL)"),
        (_SIGNALS, "os.kill(1, signal.SIGSTOP); os.kill(0, signal.SIGSTOP)"),
        (_SIGNALS + "os.kill(os.getpid(), signal.SIGSTOP)\n", "pass"),
        (_IGNORING, "while True:\n        for number in range(1, 65):\n            try: os.kill(1, number)\n"
         "            except OSError: pass"),
        (_SIGNALS, "os.killpg(os.getpgid(os.getppid()), signal.SIGTERM); os.kill(os.getpid(), signal.SIGSEGV)"),
    ),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take each N-th problem only")
    parser.add_argument("--threads", type=int, default=8, help="sandboxes at a time: sleepers wait without work")
    parser.add_argument(
        "--wall-seconds", type=int, default=8, help="the limit of hostile programs; solutions have 20 s"
    )
    asked = parser.parse_args()
    task, sandbox = HumanEval(), find_sandbox()
    problems = task.problems[:: asked.every]
    sys.stdout.write(f"{sandbox.description}\n")
    limits = Limits(cpu_seconds=1, wall_seconds=asked.wall_seconds)
    kinds = {"canonical": [task.program(problem, task.solution(problem)) for problem in problems]}
    for kind, forms in HOSTILE.items():
        kinds[kind] = [
            in_place_of(task.program(problem, ""), forms[number % len(forms)], limits)
            for number, problem in enumerate(problems)
        ]
    fell_short = 0
    for kind, programs in kinds.items():
        with ThreadPoolExecutor(asked.threads if kind != "canonical" else 2) as pool:
            outcomes = list(pool.map(sandbox.run, programs))
        found = Counter(each.verdict for each in outcomes)
        shown = (found[Verdict.PASSED], found[Verdict.FAILED], found[Verdict.CHECK_FAILED])
        sys.stdout.write(f"{kind:10} {shown[0]:4} passed, {shown[1]:4} wrong, {shown[2]:4} unknown\n")
        right = Verdict.PASSED if kind == "canonical" else Verdict.FAILED
        for number, outcome in enumerate(outcomes):
            if outcome.verdict is not right:
                fell_short += 1
                sys.stdout.write(f"  {problems[number].id}: {outcome.verdict}: {outcome.reason}\n")
        sys.stdout.flush()
    raise SystemExit(bool(fell_short))


def in_place_of(program: Program, form: tuple[str, str], limits: Limits) -> Program:
    """The program of a problem with a hostile one for its solution."""
    (name,) = program.functions
    before, body = form
    source = f"{before}\ndef {name}(*args, **kwargs):\n    {body}\n"
    return Program(source=source, setup=program.setup, test=program.test, functions=program.functions, limits=limits)


if __name__ == "__main__":
    main()
