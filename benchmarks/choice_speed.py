"""How long choosing takes: 100,000 options, and 1,000 resampled frontiers of 500 options on 500 problems.

    python benchmarks/choice_speed.py

The goals are 1 s for frontier, envelope and break-evens together, and 10 s for the resampled frontiers, on one core.
"""

import sys
import time
from collections.abc import Callable

import numpy as np

from breakeven.choice.break_even import break_even, lower_envelope
from breakeven.choice.frontier import frontier, frontier_shares
from breakeven.choice.prices import lifetime
from breakeven.records import Option, Quality

QUERIES = 1e6


def main() -> None:
    options = made(100_000)
    last = options[-1]
    spent = (
        timed("frontier of 100,000 options", lambda: frontier(options, lifetime(QUERIES)))
        + timed("their envelope", lambda: lower_envelope(options))
        + timed("their break-evens with the last", lambda: [break_even(each, last) for each in options])
    )
    sys.stdout.write(f"{'together':42} {spent:6.2f} CPU s\n")
    few = made(500, num_problems=500)
    timed("1,000 frontiers of 500 options x 500", lambda: frontier_shares(few, lifetime(QUERIES), draws=1000))


def made(number: int, num_problems: int = 0) -> list[Option]:
    """Options that are the better the more they cost, but for chance; on so many problems."""
    random = np.random.default_rng(0)
    train, query = random.lognormal(30.0, 2.0, number), random.lognormal(20.0, 2.0, number)
    rate = 1.0 / (1.0 + np.exp(-0.3 * (np.log(train * query) - 50.0) - random.normal(0.0, 0.5, number)))
    solved = [random.random(num_problems) < each for each in rate] if num_problems else []
    qualities = (
        [Quality(value=float(row.mean()), value_P=tuple(row.astype(float).tolist()), problems="made") for row in solved]
        if solved
        else [Quality(value=each) for each in rate.tolist()]
    )
    return [
        Option(name=str(place), train_flops=once, one_off={"search": 1.0}, query_flops=each, quality=quality)
        for place, (once, each, quality) in enumerate(zip(train.tolist(), query.tolist(), qualities, strict=True))
    ]


def timed(what: str, work: Callable[[], object]) -> float:
    """CPU seconds of some work, which are printed."""
    started = time.process_time()
    work()
    seconds = time.process_time() - started
    sys.stdout.write(f"{what:42} {seconds:6.2f} CPU s\n")
    return seconds


if __name__ == "__main__":
    main()
