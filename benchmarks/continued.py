"""Continued training, decided: a task from a base model of four tasks, and the same task from scratch.

    python benchmarks/continued.py                  the tables, from benchmarks/continued
    python benchmarks/continued.py --record RUNS    train what is missing there first, in the directory RUNS

One base model, `pretrain-mixture` with seed 0; three runs of `continue-countdown` from it, and three of the same
recipe from random weights, each to its end in shadow mode, so that the stop is held against the end on test problems.
The base model as it is answers the same problems with K samples. About 15 minutes of one core in all. Kept are the logs
as `breakeven run` left them, and the results of `breakeven eval`.
"""

import argparse
import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shadowed import packed_log

from breakeven.records import NORMAL_95
from breakeven.report import start_words
from breakeven.report.format import format_flops
from breakeven.report.words import baseline_accuracy
from breakeven.store import RunRecord

FOLDER: Final = Path(__file__).parent / "continued"
SEEDS: Final = (0, 1, 2)
BEGINNINGS: Final = ("continued", "scratch")
RUNS: Final = tuple(f"{beginning}-seed{seed}" for beginning in BEGINNINGS for seed in SEEDS)
BASE: Final = "base"
ALONE: Final = FOLDER / "base-countdown.json"
"""What `breakeven eval` says of the base model on the task that is gone on with."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", metavar="RUNS", type=Path, help="a directory for the runs, weights included")
    asked = parser.parse_args()
    if asked.record is not None:
        for name in (BASE, *RUNS):
            if not path_of(name).exists():
                record(name, asked.record)
        if not ALONE.exists():
            evaluate_base(asked.record)
    for line in (*spent(), "", *table(), "", *levels()):
        sys.stdout.write(f"{line}\n")


def record(name: str, runs: Path) -> None:
    """Train a run in `runs` to its end, and keep its log."""
    command = [sys.executable, "-m", "breakeven", "run"]
    if name == BASE:
        command += ["pretrain-mixture"]
    else:
        beginning, _, seed = name.partition("-seed")
        start = str(runs / BASE) if beginning == "continued" else ""
        command += ["continue-countdown", "--to-end", "--set", f"seed={seed}", "--set", f"model.start={start}"]
    if not (runs / name / "full").is_dir():
        subprocess.run([*command, "--out", str(runs / name)], check=True)
    with open(path_of(name), "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed:
        packed.write((runs / name / "log.jsonl").read_bytes())


def evaluate_base(runs: Path) -> None:
    """Sample the base model on the test problems of the continued runs, and keep the results."""
    command = [sys.executable, "-m", "breakeven", "eval", str(runs / BASE / "full"), "--task", "countdown"]
    out = runs / f"{BASE}-countdown"
    how = ["--num-problems", "500", "-n", "64", "--strategies", "greedy,pass@k", "--out", str(out)]
    subprocess.run([*command, *how], check=True)
    shutil.copy(out / "results.json", ALONE)


def path_of(name: str) -> Path:
    """Where the log of a run is kept."""
    return FOLDER / f"{name}.jsonl.gz"


def load(name: str) -> RunRecord:
    """A recorded run."""
    return packed_log(path_of(name))


def spent() -> Iterator[str]:
    """What the base model cost, and how that compares with a continued run's budget."""
    base, run = load(BASE).checkpoints[-1], load(RUNS[0])
    yield f"Base model: {format_flops(base.observation.train_flops)} of training, {base.observation.step:,} steps."
    yield f"Budget of each run below: {format_flops(run.header.spec.budget_flops)}."
    yield from start_words(run.header.start)


def table() -> Iterator[str]:
    """A line a run, in Markdown: the decision, and what it was worth on test problems."""
    yield (
        "| begins with | seed | stop at | serve | test accuracy: served (foretold) | the end, one sample "
        "| difference, points (90 % interval) | net saving | evaluation, of training FLOPs |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for name in RUNS:
        beginning, _, seed = name.partition("-seed")
        begins = "the base model" if beginning == "continued" else "random weights"
        yield f"| {begins} | {seed} | {outcome(load(name))} |"


def outcome(run: RunRecord) -> str:
    """The cells of one run."""
    stop, last = run.stopped_at, run.checkpoints[-1]
    if stop is None or run.verification is None:
        share = (last.decision.evaluation_flops or 0.0) / last.observation.train_flops
        return f"never | - | - | {baseline_accuracy(last):.3f} (validation) | - | {-share:.0%} | {share:.1%}"
    found, point = run.verification, stop.decision.serving
    assert point is not None, "a stop serves something"
    half = 100 * NORMAL_95 * found.difference_standard_error
    difference = 100 * found.difference
    return (
        f"{stop.decision.used:.0%} | {point.strategy}, K = {point.k} "
        f"| {found.stopped_accuracy:.3f} ({point.accuracy:.3f}) | {found.full_accuracy:.3f} "
        f"| {difference:+.1f} ({difference - half:+.1f} to {difference + half:+.1f}) "
        f"| {found.net_saving:.0%} | {found.evaluation_share:.1%}"
    )


def levels() -> Iterator[str]:
    """The base model as it is, on the test problems; and greedy accuracy on the validation problems, early and late."""
    found = json.loads(ALONE.read_text(encoding="utf-8"))["measurements"]
    said = ", ".join(f"{each['accuracy']:.3f} with {each['strategy']}, K = {each['k']}" for each in found)
    yield f"base model, not trained on (test): {said}."
    for beginning in BEGINNINGS:
        curves = [load(f"{beginning}-seed{seed}").checkpoints for seed in SEEDS]
        first, last = (sum(baseline_accuracy(each[at]) for each in curves) / len(curves) for at in (0, -1))
        steps = [f"{min(each[at].observation.step for each in curves):,}" for at in (0, -1)]
        yield f"{beginning}: greedy {first:.3f} at step {steps[0]}, {last:.3f} at step {steps[1]} (validation)."


if __name__ == "__main__":
    main()
