"""What grows and what starts up: CPU seconds and peak memory of commands on many checkpoints and many rows, one table.

    python benchmarks/scale.py

Each line is a process of its own. The goals: 100,000 checkpoints of 20 problems in 60 s and 500 MB, 1,000 of 10,000 in
10 s, `--help` within 1.3 times a bare app of typer, 400 rows in 0.6 s. About 3 minutes.
"""

import math
import os
import resource
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
    "400 rows": (20, 20),
    "3,000 x 20": (3_000, 20),
    "100,000 x 20": (100_000, 20),
    "1,000 x 10,000": (1_000, 10_000),
}
OPTIONS = ("--params", "1B", "--prompt-tokens", "100", "--output-tokens", "100", "--decay-share", "0.1")


def main() -> None:
    table("", "CPU s", "peak MB")
    measured("a bare app of typer: --help", "-c", BARE, "--help")
    measured("breakeven --help", "-m", "breakeven", "--help")
    measured("import scipy.special", "-c", "import scipy.special")
    measured("import breakeven", "-c", "import breakeven")
    votes()
    with tempfile.TemporaryDirectory() as directory:
        for size, (checkpoints, problems) in SIZES.items():
            for suffix in ("csv", "jsonl"):
                log = Path(directory, f"log.{suffix}")
                write(log, checkpoints, problems)
                budget = ("--budget-steps", str(checkpoints))
                measured(f"decide, {size}, {suffix}", "-m", "breakeven", "decide", str(log), *budget, *OPTIONS)
                log.unlink()
        write_run(Path(directory, "run"), 10_000)
        measured("replay, 10,000 checkpoints", "-m", "breakeven", "replay", str(Path(directory, "run")))
        measured("report, 10,000 checkpoints", "-m", "breakeven", "report", str(Path(directory, "run")))
        table("  the page, in kB", "", f"{Path(directory, 'run', 'report.html').stat().st_size / 1000:.0f}")


def measured(what: str, *arguments: str) -> None:
    """A line on a call of Python; the peak is the largest of all children so far, and so has a meaning as they grow."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # modules are compiled once, as on anybody's machine
    if "-c" in arguments or "--help" in arguments or "400" in what:
        subprocess.run([sys.executable, *arguments], capture_output=True, env=environment, check=False)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, *arguments], capture_output=True, env=environment, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 10):
        sys.exit(done.stderr.decode())
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    table(what, f"{seconds:.2f}", f"{after.ru_maxrss / 1024:.0f}")


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
    sys.stdout.write(f"{cells[0]:42}{cells[1]:>8}{cells[2]:>9}\n")
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
