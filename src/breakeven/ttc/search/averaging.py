"""Serve a classifier by the mean of several passes' class probabilities."""

from collections.abc import Sequence

import numpy as np

from breakeven import check
from breakeven.errors import SamplerError
from breakeven.records import ClassPass, Draw, Problem
from breakeven.records.asking import draw_from
from breakeven.records.protocols import ProbabilitySampler
from breakeven.ttc.search.adaptive import round_cost
from breakeven.ttc.search.trees import Path, SearchResult, check_problems, path_of


def soft_vote(
    problems: Sequence[Problem], sampler: ProbabilitySampler, num_passes: int, *, temperature: float, seed: int
) -> list[SearchResult]:
    """The likeliest class of the mean of `num_passes` noisy passes over each problem; of tied ones the first.

    `chosen` is a pass that names it, or, where none does, a last candidate that is none of the passes.

    Raises:
        ArgumentError: fewer than 1 pass, or two problems with one id.
        SamplerError: another number of passes than asked for, or one without probabilities.
    """
    check.at_least("num_passes", num_passes, 1)
    check_problems(problems)
    if not problems:
        return []
    shown = [problem.hidden for problem in problems]
    draws = draw_from(sampler, shown, num_passes, temperature=temperature, seed=seed)
    return [_served(problem, draw, sampler.classes) for problem, draw in zip(problems, draws, strict=True)]


def _served(problem: Problem, draw: Draw, classes: tuple[str, ...]) -> SearchResult:
    given = [each.probabilities for each in draw.completions if isinstance(each, ClassPass)]
    if len(given) != len(draw.completions):
        raise SamplerError(f"a pass over problem {problem.id!r} came without the probabilities of its classes.")
    text = classes[int(np.mean(given, axis=0, dtype=np.float64).argmax())]
    passes = tuple(map(path_of, draw.completions))
    named = next((place for place, each in enumerate(passes) if each.text == text), None)
    candidates = passes if named is not None else (*passes, Path(text=text, finish=passes[0].finish))
    return SearchResult(
        problem=problem,
        candidates=candidates,
        cost=round_cost(draw, first=True),
        chosen=len(passes) if named is None else named,
    )
