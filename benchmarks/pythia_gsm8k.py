"""The calibrated policy on public samples of Pythia checkpoints: GSM8K, six model sizes and more.

    python benchmarks/pythia_gsm8k.py DATA_DIR

DATA_DIR holds pythia_samples_gsm8k.csv.gz: right and drawn samples per problem and checkpoint, from the public
repository of "How Do Large Language Monkeys Get Their Power". They are not shipped. 16 of the recorded samples are
drawn for every problem, the target is Pass@1 of the last checkpoint, and the truth comes from all samples recorded. No
greedy samples were recorded, so the baseline is Pass@1. Accuracies are about 1 %, so the margin is 0;
the nine checkpoints are far apart, so patience is 1.
"""

import csv
import gzip
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from breakeven.records import QueryFlops, RunSpec
from breakeven.session.step import Measured, conclude, see
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.course import Course
from breakeven.ttc.strategies.pass_at_k import pass_at_k
from breakeven.ttc.tally import Tally, point_of

NUM_SAMPLES = 16
POLICY = CalibratedPolicy(margin=0.0, max_k=100, max_evaluation_share=1.0)
Counts = dict[str, tuple[int, int]]
"""By problem: samples drawn, samples right."""


def main() -> None:
    grid: dict[float, dict[float, Counts]] = defaultdict(lambda: defaultdict(dict))
    with gzip.open(Path(sys.argv[1]) / "pythia_samples_gsm8k.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            counts = int(row["n"]), int(row["c"])
            grid[float(row["params"])][float(row["tokens"])][row["problem"]] = counts
    sys.stdout.write("| parameters | checkpoints | decision | K | accuracy there, true | Pass@1 at the end, true |\n")
    sys.stdout.write("|---|---|---|---|---|---|\n")
    for params, checkpoints in sorted(grid.items()):
        line = replayed(params, checkpoints)
        if line:
            sys.stdout.write(line + "\n")


def replayed(params: float, checkpoints: dict[float, Counts]) -> str:
    """One row: where the policy stops, and what is true there; empty where the problems differ too much."""
    shared = set.intersection(*(set(counts) for counts in checkpoints.values()))
    if len(shared) < 50 or len(checkpoints) < 5:
        return ""
    problems = sorted(shared)
    budget = 6 * params * max(checkpoints)
    course = Course(spec=RunSpec(budget_flops=budget, baseline="sampled"), policy=POLICY)
    for tokens, counts in sorted(checkpoints.items()):
        drawn, right = np.array([counts[problem] for problem in problems]).T
        rng = np.random.default_rng(int(tokens) % 2**32)
        tally = Tally(
            correct_P=rng.hypergeometric(right, drawn - right, NUM_SAMPLES),
            samples_P=np.full(len(problems), NUM_SAMPLES),
        )
        query = QueryFlops(prefill_flops=2 * params * 1024, decode_flops=2 * params * 512)
        point = point_of(
            tally,
            step=int(tokens / 2**21),
            train_flops=6 * params * tokens,
            evaluation_flops=0.0,
            query_flops=query,
            output_tokens=512,
        )
        course, _, decision = conclude(course, see(course, Measured(tally=tally, point=point)))
        if decision.stop:
            break
    last_drawn, last_right = np.array([checkpoints[max(checkpoints)][problem] for problem in problems]).T
    full = f"{pass_at_k(last_right, last_drawn, 1):.4f}"
    name = f"{params / 1e6:.0f} M" if params < 1e9 else f"{params / 1e9:.1f} B"
    if not decision.stop or decision.serving is None:
        return f"| {name} | {len(checkpoints)} | train on: {decision.reason} | - | - | {full} |"
    true = pass_at_k(right, drawn, decision.serving.k)
    return f"| {name} | {len(checkpoints)} | stop at {decision.used:.0%} | {decision.serving.k} | {true:.4f} | {full} |"


if __name__ == "__main__":
    main()
