"""Beam search under a reward model of steps."""

from collections.abc import Sequence

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records import Problem, SegmentRule
from breakeven.records.protocols import RewardModel, SegmentSampler
from breakeven.ttc.search.forest import Forest
from breakeven.ttc.search.trees import Path, SearchResult, best_first


def beam_search(
    problems: Sequence[Problem],
    sampler: SegmentSampler,
    reward_model: RewardModel,
    *,
    beams: int,
    width: int,
    segments: SegmentRule,
    temperature: float,
    seed: int,
    distinct: bool = False,
) -> list[SearchResult]:
    """`beams` whole solutions a problem: each round keeps the best `beams / width` beginnings, each with `width` steps.

    Solutions that end are collected, and the others filled up to `beams` again, until `beams` are collected; if the
    last round gives more, the best are returned. So more than `beams` whole solutions' tokens may be generated.

    Args:
        beams: N, paths that are active at once, and candidates returned; a multiple of `width`. Another N is another
            search: no part of a larger one stands for a smaller one.
        distinct: keep a beginning that was drawn several times only once. Its copies have equal rewards and may be all
            that is kept: more tries at one beginning, against more beginnings where steps are short or sure.
        width: M, next steps a beginning that is kept. 1 keeps all of them: the reward chooses nothing.

    Raises:
        ArgumentError: `beams` is not a positive multiple of `width`; or as `Forest`.
        SamplerError: as `Forest.grow`.

    Source:
        Snell et al., arXiv 2408.03314, section 5.1; that finished beams are replaced as in Beeching, Tunstall and Rush,
        Scaling test-time compute with open models (2024).
    """
    check_beams("beams", beams, width)
    forest = Forest(problems, sampler, reward_model, segments=segments, temperature=temperature, seed=seed)
    done: list[list[Path]] = [[] for _ in problems]
    wanted = [[(Path(), beams)] for _ in problems]
    while any(wanted):
        for index, rows in enumerate(forest.grow(wanted)):
            paths = [path for children in rows for path in children]
            done[index] += [path for path in paths if path.finished]
            active = [path for path in paths if not path.finished]
            if distinct:
                active = list({path.text: path for path in reversed(active)}.values())[::-1]
            kept = best_first(active)[: beams // width]
            wanted[index] = _shared_out(kept, beams) if len(done[index]) < beams else []
    return forest.results([best_first(paths)[:beams] for paths in done])


def check_beams(name: str, num: int, width: int) -> None:
    """Nothing, if `num` can be split into groups of `width`."""
    check.at_least("width", width, 1)
    if num < 1 or num % width:
        raise argument_error(name, f"be a positive multiple of width ({width})", num)


def _shared_out(paths: Sequence[Path], beams: int) -> list[tuple[Path, int]]:
    """`beams` children, as evenly as they go, the better paths first. Without paths all beams are collected."""
    each, left = divmod(beams, len(paths))
    return [(path, each + (rank < left)) for rank, path in enumerate(paths)]
