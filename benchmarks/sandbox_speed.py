"""How many programs a sandbox judges in a second: the 164 canonical solutions of HumanEval, on one and two threads.

    python benchmarks/sandbox_speed.py

The goal is more than 20 programs a second on two cores. The programs run in processes of their own, so that two threads
keep two cores busy; a machine with other work shows in the load average.
"""

import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from breakeven.checking import Program, Sandbox, Verdict, find_sandbox
from breakeven.checking.subprocess_backend import UnsafeSubprocess
from breakeven.data.sets.human_eval import HumanEval
from breakeven.errors import SandboxError


def main() -> None:
    task = HumanEval()
    programs = [task.program(problem, task.solution(problem)) for problem in task.problems]
    empty = [Program(source="def f(): pass", test="f()", functions=("f",))] * len(programs)
    backends: list[Sandbox] = [UnsafeSubprocess()]
    try:
        backends.append(find_sandbox())
    except SandboxError as error:
        sys.stdout.write(f"{error}\n")
    for backend in backends:
        sys.stdout.write(f"{backend.description}\n")
        for name, work in (("HumanEval", programs), ("empty program", empty)):
            for threads in (1, 2):
                rate, median = measured(backend, work, threads)
                load = os.getloadavg()[0]
                shown = f"{rate:6.1f} programs/s, median {median * 1e3:4.0f} ms, load {load:.1f}"
                sys.stdout.write(f"  {name:14} {threads} thread{'s'[: threads - 1]:1}  {shown}\n")


def measured(sandbox: Sandbox, programs: list[Program], threads: int) -> tuple[float, float]:
    """(programs a second, median seconds of one). All of them must pass."""

    def timed(program: Program) -> float:
        started = time.perf_counter()
        outcome = sandbox.run(program)
        if outcome.verdict is not Verdict.PASSED:
            raise SystemExit(f"a right program did not pass: {outcome}")
        return time.perf_counter() - started

    timed(programs[0])
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        seconds = list(pool.map(timed, programs))
    return len(programs) / (time.perf_counter() - started), statistics.median(seconds)


if __name__ == "__main__":
    main()
