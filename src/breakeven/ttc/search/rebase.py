"""REBASE: a tree whose nodes get as many children as their reward calls for, within a budget that is kept exactly."""

import math
from collections.abc import Sequence
from itertools import pairwise

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records import Problem, SegmentRule
from breakeven.records.protocols import RewardModel, SegmentSampler
from breakeven.ttc.search.forest import Forest
from breakeven.ttc.search.trees import Path, SearchResult, best_first


def rebase(
    problems: Sequence[Problem],
    sampler: SegmentSampler,
    reward_model: RewardModel,
    *,
    num_candidates: int,
    segments: SegmentRule,
    temperature: float,
    seed: int,
    balance_temperature: float = 0.2,
) -> list[SearchResult]:
    """Exactly `num_candidates` whole solutions a problem.

    The width starts at `num_candidates`; every solution that ends takes one off. The children of each round are
    allocated to the paths that go on by `allocate`. Choose by `select`.

    Args:
        num_candidates: N, at least 1.
        balance_temperature: divides the rewards: the lower, the more of the width goes to the best path. Above 0.

    Raises:
        ArgumentError: fewer than 1 candidate, a `balance_temperature` that is not above 0; or as `Forest`.
        SamplerError: as `Forest.grow`.

    Source:
        Wu et al., arXiv 2408.00724, section 3.2.
    """
    check.at_least("num_candidates", num_candidates, 1)
    check.positive("balance_temperature", balance_temperature)
    forest = Forest(problems, sampler, reward_model, segments=segments, temperature=temperature, seed=seed)
    done: list[list[Path]] = [[] for _ in problems]
    wanted = [[(Path(), num_candidates)] for _ in problems]
    while any(wanted):
        for index, rows in enumerate(forest.grow(wanted)):
            paths = [path for children in rows for path in children]
            done[index] += [path for path in paths if path.finished]
            active = best_first([path for path in paths if not path.finished])
            counts = allocate([path.reward for path in active], num_candidates - len(done[index]), balance_temperature)
            wanted[index] = [(path, count) for path, count in zip(active, counts, strict=True) if count]
    return forest.results(done)


def allocate(rewards: Sequence[float], width: int, temperature: float = 0.2) -> list[int]:
    """Children of each path, highest reward first: `width` in all, shared out by softmax(rewards / temperature).

    Each path in turn gets its share of what is left, rounded up, so that the best are served before the width is gone.

    Args:
        rewards: in descending order; empty gives an empty list.

    Raises:
        ArgumentError: rewards out of order or not finite, a negative width, a temperature that is not above 0.

    Estimator:
        Exact: the counts add up to `width`. The shares of the paths that are left are summed anew from the last one
        on, not by subtraction, whose residue would round 5.000000000000001 up to 6.

    Source:
        Wu et al., arXiv 2408.00724, section 3.2; the exact sum is ours.

    >>> allocate([0.9, 0.8, 0.5, 0.1], 16), allocate([0.5, 0.5, 0.5], 16)
    ([10, 5, 1, 0], [6, 5, 5])
    """
    check.positive("balance_temperature", temperature)
    check.at_least("width", width, 0)
    if not all(map(math.isfinite, rewards)) or any(a < b for a, b in pairwise(rewards)):
        raise argument_error("rewards", "be finite and in descending order", list(rewards))
    inverse_shares: list[float] = []  # of each path in what is left when its turn comes, from the last one on
    for rank in reversed(range(len(rewards))):
        later = (
            inverse_shares[-1] * math.exp((rewards[rank + 1] - rewards[rank]) / temperature) if inverse_shares else 0.0
        )
        inverse_shares.append(1.0 + later)
    counts: list[int] = []
    for inverse_share in reversed(inverse_shares):
        share = width / inverse_share
        counts.append(min(width, math.ceil(share - 1e-9 * width)))
        width -= counts[-1]
    return counts
