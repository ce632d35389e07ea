"""How long deciding takes: checkpoints of 10,000 problems with 4 samples each, in memory.

    python benchmarks/decide_speed.py

The goal is 1,000 checkpoints in under 10 s on one core, growing linearly.
"""

import sys
import time

import numpy as np

from breakeven.records import QueryFlops, RunSpec
from breakeven.session.step import Measured, conclude, see
from breakeven.stopping.course import Course
from breakeven.stopping.decide import default_policy
from breakeven.ttc.tally import Tally, point_of

NUM_PROBLEMS, NUM_SAMPLES = 10_000, 4
QUERY = QueryFlops(prefill_flops=1e-6, decode_flops=1e-6)


def main() -> None:
    for num_checkpoints in (250, 500, 1000):
        tallies = [made(share) for share in np.arange(1, num_checkpoints + 1) / num_checkpoints]
        started = time.perf_counter()
        decide_all(tallies)
        seconds = time.perf_counter() - started
        sys.stdout.write(f"{num_checkpoints:5} checkpoints x {NUM_PROBLEMS} problems: {seconds:.1f} s\n")


def made(share: float) -> Tally:
    """A checkpoint of a run that saturates."""
    rng = np.random.default_rng(round(share * 1e6))
    rate = np.linspace(0.0, 1.0, NUM_PROBLEMS) ** 2 * (1.0 - np.exp(-4.0 * share))
    return Tally(
        correct_P=rng.binomial(NUM_SAMPLES, rate),
        samples_P=np.full(NUM_PROBLEMS, NUM_SAMPLES),
        greedy_P=rate > rng.uniform(0.4, 0.6, NUM_PROBLEMS),
    )


def decide_all(tallies: list[Tally]) -> None:
    """Decide at every checkpoint, as `breakeven decide` does."""
    course = Course(spec=RunSpec(budget_flops=float(len(tallies)), decay_share=0.1), policy=default_policy())
    for step, tally in enumerate(tallies, 1):
        flops = float(step)
        point = point_of(tally, step=step, train_flops=flops, evaluation_flops=0.0, query_flops=QUERY)
        course, _, _ = conclude(course, see(course, Measured(tally=tally, point=point)))


if __name__ == "__main__":
    main()
