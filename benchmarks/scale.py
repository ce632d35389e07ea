"""What grows and what starts up: CPU seconds and peak memory of commands on many checkpoints and many rows, one table.

    python benchmarks/scale.py

Each line is a process of its own, but for the votes; beside it is what was asked for. What an eval bank holds in memory
is measured by bank_memory.py. About 5 minutes.
"""

import math
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from breakeven.evenly import evenly
from breakeven.records import CheckpointRecord, RunSpec
from breakeven.session.replay import replay
from breakeven.stopping.decide import default_policy
from breakeven.stopping.patience import policy_settings
from breakeven.store import Header, RunLog
from breakeven.testing import synthetic_run
from breakeven.ttc.pool import Pool
from breakeven.ttc.strategies.majority_vote import majority_vote

BARE = "import typer; app = typer.Typer(); app.command('a')(lambda: None); app.command('b')(lambda: None); app()"
SIZES = {
    "400 rows": (20, 20, "0.6 s"),
    "2,000 x 20": (2_000, 20, ""),
    "100,000 x 20": (100_000, 20, "60 s, 500 MB"),
    "1,000 x 10,000": (1_000, 10_000, "10 s"),
}
OPTIONS = ("--params", "1B", "--prompt-tokens", "100", "--output-tokens", "100", "--decay-share", "0.1")


def main() -> None:
    table("", "CPU s", "peak MB", "asked for")
    measured("a bare app of typer: --help", "-c", BARE, "--help")
    measured("breakeven --help", "-m", "breakeven", "--help", goal="1.3 x the bare app")
    measured("import scipy.special", "-c", "import scipy.special")
    measured("import breakeven", "-c", "import breakeven")
    votes()
    with tempfile.TemporaryDirectory() as directory:
        for size, (checkpoints, problems, goal) in SIZES.items():
            for suffix in ("csv", "jsonl"):
                log = Path(directory, f"log.{suffix}")
                write(log, checkpoints, problems)
                command = ("decide", str(log), "--budget-steps", str(checkpoints), *OPTIONS)
                measured(f"decide, {size}, {suffix}", "-m", "breakeven", *command, goal=goal)
                log.unlink()
        write_run(Path(directory, "run"), 10_000)
        for command in ("replay", "report"):
            run = str(Path(directory, "run"))
            measured(f"{command}, 10,000 checkpoints", "-m", "breakeven", command, run, goal="20 s")
        page = Path(directory, "run", "report.html").stat().st_size / 1e6
        table("  its page", "", f"{page:.1f}", "5 MB")


def measured(what: str, *arguments: str, goal: str = "") -> None:
    """A line on a call of Python in a process of its own; what starts up is called twice, and the second one counts."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # modules are compiled once, as on anybody's machine
    for _ in range(2 if "-c" in arguments or "--help" in arguments or "400" in what else 1):
        with tempfile.TemporaryFile() as said:
            child = subprocess.Popen([sys.executable, *arguments], stdout=said, stderr=said, env=environment)
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            if child.returncode not in (0, 10):
                sys.exit(said.read().decode())
    table(what, f"{used.ru_utime + used.ru_stime:.2f}", f"{used.ru_maxrss / 1024:.0f}", goal)


def votes() -> None:
    """Majority votes of 1,000 problems beside a plain count of the same answers by `collections.Counter`."""
    for num_samples in (64, 256, 1024):
        label_PN = np.random.default_rng(0).zipf(1.5, (1_000, num_samples)).clip(max=20).astype(np.int16) - 1
        pool, rows = Pool(label_PN=label_PN, correct_PN=label_PN == 0), label_PN.tolist()
        plain = seconds(lambda rows=rows: [Counter(row).most_common(1) for row in rows])
        table(f"plain count of {num_samples}", f"{plain:.3f}", "")
        table(
            f"vote of all {num_samples}",
            f"{seconds(lambda pool=pool: majority_vote(pool, (pool.num_samples,))):.3f}",
            "",
            "3 x the plain count",
        )
        every = range(1, num_samples + 1)
        table(f"vote of every K to {num_samples}", f"{seconds(lambda: majority_vote(pool, every)):.3f}", "")  # noqa: B023


def seconds(call: Callable[[], object]) -> float:
    """CPU seconds of a call, the best of two."""
    started = [time.process_time()]
    for _ in range(2):
        call()
        started.append(time.process_time())
    return min(later - earlier for earlier, later in pairwise(started))


def table(*cells: str) -> None:
    what, cpu, peak, goal = (*cells, "")[:4]
    sys.stdout.write(f"{what:42}{cpu:>8}{peak:>9}   {goal}\n")
    sys.stdout.flush()


def write_run(directory: Path, checkpoints: int) -> None:
    """The log of a run whose decisions were taken at a tenth of the checkpoints, and stand for those between."""
    observations = synthetic_run(
        lambda share: 0.6 * (1 - math.exp(-4 * share)),
        num_checkpoints=checkpoints,
        num_problems=20,
        num_samples=4,
        seed=0,
    )
    spec, policy = RunSpec(budget_flops=observations[-1].train_flops, decay_share=0.1), default_policy()
    places = evenly(checkpoints, checkpoints // 10)
    decided = dict(zip(places, replay(observations, spec, policy, at=frozenset(places)), strict=True))
    header = Header(versions={}, config={}, spec=spec, policy=policy_settings(policy), seed=0)
    with RunLog.create(directory, header) as log:
        for place, observation in enumerate(observations):
            decision = decided[place] = decided.get(place) or replace(decided[place - 1], step=observation.step)
            log.append(CheckpointRecord(observation=observation, decision=decision))


def write(log: Path, checkpoints: int, problems: int) -> None:
    """The log of a run that saturates."""
    rng, rate_P = np.random.default_rng(0), np.linspace(0.0, 1.0, problems) ** 0.5
    rows = "{},{}e15,p{},4,{},{}\n"
    if log.suffix == ".jsonl":
        rows = '{{"step":{},"train_flops":{}e15,"problem":"p{}","n":4,"c":{},"greedy":{}}}\n'
    with log.open("w") as file:
        if log.suffix == ".csv":
            file.write("step,train_flops,problem,n,c,greedy\n")
        for step in range(1, checkpoints + 1):
            now_P = rate_P * (1.0 - np.exp(-4.0 * step / checkpoints))
            right_P, greedy_P = rng.binomial(4, now_P).tolist(), (now_P > 0.5).astype(int).tolist()
            file.writelines(rows.format(step, step, each, right_P[each], greedy_P[each]) for each in range(problems))


if __name__ == "__main__":
    main()
