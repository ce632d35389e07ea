"""Diverse verifier tree search (DVTS): independent greedy searches under a reward model of steps."""

from collections.abc import Sequence

from breakeven.records import Problem, SegmentRule
from breakeven.records.protocols import RewardModel, SegmentSampler
from breakeven.ttc.search.beam import check_beams
from breakeven.ttc.search.forest import Forest
from breakeven.ttc.search.trees import Path, SearchResult, best_first


def dvts(
    problems: Sequence[Problem],
    sampler: SegmentSampler,
    reward_model: RewardModel,
    *,
    num_candidates: int,
    width: int,
    segments: SegmentRule,
    temperature: float,
    seed: int,
) -> list[SearchResult]:
    """`num_candidates` paths a problem, from `num_candidates / width` subtrees that do not know of each other.

    In each round a subtree draws `width` next steps and keeps the best. It ends when the best one ends its solution;
    all `width` siblings of that round are candidates, some of which may not be finished. Choose by `select`.

    Candidates come subtree by subtree, with its number as `Path.group`. Siblings share a beginning, so a smaller
    search is estimated without bias by sub-sampling whole subtrees: `width` x g candidates for g of them.

    Args:
        num_candidates: N, a multiple of `width`.
        width: M, next steps drawn in a round of a subtree. 1 is independent sampling.

    Raises:
        ArgumentError: `num_candidates` is not a positive multiple of `width`; or as `Forest`.
        SamplerError: as `Forest.grow`.

    Source:
        Beeching, Tunstall and Rush, Scaling test-time compute with open models (2024).
    """
    check_beams("num_candidates", num_candidates, width)
    num_groups = num_candidates // width
    forest = Forest(problems, sampler, reward_model, segments=segments, temperature=temperature, seed=seed)
    last: list[list[list[Path]]] = [[[] for _ in range(num_groups)] for _ in problems]
    wanted = [[(Path(group=group), width) for group in range(num_groups)] for _ in problems]
    while any(wanted):
        for index, rows in enumerate(forest.grow(wanted)):
            wanted[index] = []
            for siblings in rows:
                last[index][siblings[0].group] = siblings
                if not (best := best_first(siblings)[0]).finished:
                    wanted[index].append((best, width))
    return forest.results([[path for siblings in groups for path in siblings] for groups in last])
