"""How long all strategies on a pool take: 10,000 problems x 64 samples, at every K from 1 to 64.

    OMP_NUM_THREADS=1 python benchmarks/pool_speed.py

The goal is under 10 s in all, and under 1 GB, on one core; seconds are of the processor. Answers follow Zipf laws of
many exponents, up to 30 distinct ones a problem, a tenth of the samples without any; scores go with being right; a
generative verifier gave 8 verdicts on each sample. Resampled strategies draw their default of random orders.
"""

import resource
import sys
import time
from collections.abc import Callable

import numpy as np

from breakeven.ttc.pool import Pool
from breakeven.ttc.strategies.generative_verification import generative_verification
from breakeven.ttc.strategies.named import STRATEGIES
from breakeven.ttc.strategies.on_pool import measure
from breakeven.ttc.strategies.settled_vote import samples_until_safe

NUM_PROBLEMS, NUM_SAMPLES, NUM_ANSWERS, NUM_VERDICTS = 10_000, 64, 30, 8
EVERY_K = tuple(range(1, NUM_SAMPLES + 1))


def main() -> None:
    pool = made()
    before = peak()
    jobs: dict[str, Callable[[], object]] = {}
    for name, strategy in STRATEGIES.items():
        if strategy.measure is not None:
            jobs[name] = lambda strategy=strategy: measure(pool, strategy, strategy.sizes(EVERY_K))
    jobs["majority_vote, expected samples"] = lambda: samples_until_safe(pool, EVERY_K)
    for number in (0, 1, 2, 4):
        jobs[f"generative_verification, V={number} of {NUM_VERDICTS}"] = lambda number=number: generative_verification(
            pool, EVERY_K, [number]
        )
    begun, total = time.perf_counter(), 0.0
    for name, job in jobs.items():
        started = time.process_time()
        job()
        seconds = time.process_time() - started
        total += seconds
        sys.stdout.write(f"{name:50} {seconds:6.2f} s\n")
    elapsed = time.perf_counter() - begun
    sys.stdout.write(
        f"{'all':50} {total:6.2f} s, {elapsed:.2f} s by the clock; peak {peak():.0f} MB, {before:.0f} MB before\n"
    )


def made() -> Pool:
    """A pool as a model of middling strength draws it."""
    rng = np.random.default_rng(0)
    exponent_P = rng.uniform(0.2, 3.0, NUM_PROBLEMS)
    weight_PA = np.arange(1, NUM_ANSWERS + 1) ** -exponent_P[:, None]
    upto_PA = (weight_PA / weight_PA.sum(axis=1, keepdims=True)).cumsum(axis=1)
    uniform_PN = rng.random((NUM_PROBLEMS, NUM_SAMPLES))
    label_PN = np.stack([np.searchsorted(upto, row) for upto, row in zip(upto_PA, uniform_PN, strict=True)])
    label_PN = np.minimum(label_PN, NUM_ANSWERS - 1).astype(np.int16)
    right_P = rng.choice(4, NUM_PROBLEMS, p=[0.6, 0.2, 0.1, 0.1])  # mostly the most frequent answer
    correct_PN = label_PN == right_P[:, None]
    label_PN[rng.random(label_PN.shape) < 0.1] = -1
    correct_PN &= label_PN >= 0
    chance_PN = 1.0 / (1.0 + np.exp(-(rng.normal(size=label_PN.shape) + 1.5 * correct_PN - 0.5)))
    verdict_PNV = (rng.random((*label_PN.shape, NUM_VERDICTS)) < chance_PN[:, :, None]).astype(np.int8)
    return Pool(label_PN=label_PN, correct_PN=correct_PN, score_PN=chance_PN, verdict_PNV=verdict_PNV)


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
