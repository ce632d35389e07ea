"""Draw until it is enough: all at once, to the first sample that a verifier accepts, or until a vote is settled.

Samples are drawn in rounds, one call of the sampler for all problems that are still open: the first ones of the bank of
`seed`, so that no sample is drawn twice.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeAlias

from breakeven import check
from breakeven.errors import CheckFailedError
from breakeven.records import Draw, Problem, SearchCost
from breakeven.records.asking import draw_from, is_right
from breakeven.records.protocols import Answers, RewardModel, Sampler, Verifier
from breakeven.ttc.search.select import answers_of, select
from breakeven.ttc.search.trees import Path, SearchResult, check_problems, path_of, with_rewards
from breakeven.ttc.strategies.settled_vote import is_settled


def until_verified(
    problems: Sequence[Problem],
    sampler: Sampler,
    verifier: Verifier,
    max_samples: int,
    *,
    temperature: float,
    seed: int,
    round_size: int = 1,
) -> list[SearchResult]:
    """Samples of each problem until one is accepted; that one is `chosen`. None is, where all `max_samples` fail.

    Args:
        verifier: must be at hand when serving, too: one that compares with a gold answer makes this an oracle.
        round_size: samples of a problem drawn at once, all of them charged. 1 draws fewest, one after another.

    Returns:
        A sample whose check crashed is not accepted, and counted in `num_unchecked`.

    Raises:
        ArgumentError: a count below 1, a temperature that is not above 0, or two problems with one id.
        SamplerError: the sampler returned another number of samples than asked for.
    """

    def stop(problem: Problem, paths: Sequence[Path]) -> tuple[int | None, bool]:
        place = next((place for place, path in enumerate(paths) if verdict(problem, path.text)), None)
        return place, place is not None

    verdicts: dict[tuple[str, str], bool | None] = {}

    def verdict(problem: Problem, text: str) -> bool | None:
        key = problem.id, text
        if key not in verdicts:
            try:
                verdicts[key] = is_right(verifier, problem, text)
            except CheckFailedError:
                verdicts[key] = None
        return verdicts[key]

    def unchecked(problem: Problem, paths: Sequence[Path]) -> int:
        return sum(verdicts.get((problem.id, path.text), False) is None for path in paths)

    return draw_until(
        problems,
        sampler,
        stop,
        max_samples=max_samples,
        first_round=round_size,
        round_size=round_size,
        temperature=temperature,
        seed=seed,
        unchecked=unchecked,
    )


def at_once(
    problems: Sequence[Problem],
    sampler: Sampler,
    num_samples: int,
    *,
    temperature: float,
    seed: int,
    reward_model: RewardModel | None = None,
) -> list[SearchResult]:
    """`num_samples` samples of each problem, scored where there is a reward model; nothing is chosen yet.

    Raises:
        ArgumentError: fewer than 1 sample, or two problems with one id.
        SamplerError: the sampler or the reward model returned another number of results than asked for.
    """
    check.at_least("num_samples", num_samples, 1)
    check_problems(problems)
    if not problems:
        return []
    shown = [problem.hidden for problem in problems]
    draws = draw_from(sampler, shown, num_samples, temperature=temperature, seed=seed)
    results = [
        SearchResult(
            problem=problem, candidates=tuple(map(path_of, draw.completions)), cost=round_cost(draw, first=True)
        )
        for problem, draw in zip(problems, draws, strict=True)
    ]
    return results if reward_model is None else with_rewards(results, reward_model)


def settled_vote(
    problems: Sequence[Problem],
    sampler: Sampler,
    answers: Answers,
    max_samples: int,
    *,
    temperature: float,
    seed: int,
    confidence: float = 0.95,
    first_round: int = 4,
    round_size: int = 1,
) -> list[SearchResult]:
    """Samples of each problem until their vote is settled, or `max_samples` are drawn; `chosen` has the most votes.

    Args:
        answers: what a sample answers, and which answers agree; one without an answer does not vote.
        confidence: stop when the leader is ahead with this chance (`strategies.settled_vote.is_settled`). From 0.5 to
            1; at 1 all are drawn.
        first_round: samples before the first look; unanimous, 4 are enough for 0.95, and 6 for 0.99.
        round_size: samples between later looks.

    Raises:
        ArgumentError: a count below 1, a confidence out of range, a temperature that is not above 0, or two problems
            with one id.
        SamplerError: the sampler returned another number of samples than asked for.

    Source:
        Aggarwal et al., arXiv 2305.11860 (Adaptive-Consistency).
    """
    settled = is_settled(max(1, max_samples), confidence)  # a wrong confidence is refused before anything is drawn
    return draw_until(
        problems,
        sampler,
        _vote(answers, lambda first, second, drawn: bool(settled[first, second])),
        max_samples=max_samples,
        first_round=first_round,
        round_size=round_size,
        temperature=temperature,
        seed=seed,
    )


def safe_vote(
    problems: Sequence[Problem],
    sampler: Sampler,
    answers: Answers,
    max_samples: int,
    *,
    temperature: float,
    seed: int,
    round_size: int = 1,
) -> list[SearchResult]:
    """What `max_samples` samples would vote for, drawn only until the leader cannot be caught up with any more.

    Args and errors as `settled_vote`. The first round is the least that can be safe: more than half.
    """
    return draw_until(
        problems,
        sampler,
        _vote(answers, lambda first, second, drawn: first - second > max_samples - drawn),
        max_samples=max_samples,
        first_round=max_samples // 2 + 1,
        round_size=round_size,
        temperature=temperature,
        seed=seed,
    )


Stop: TypeAlias = Callable[[Problem, Sequence[Path]], tuple[int | None, bool]]
"""The place of the chosen sample among those drawn, if any, and whether that is final."""


def _vote(answers: Answers, enough: Callable[[int, int, int], bool]) -> Stop:
    """By the most votes; final once it is `enough`, given the votes of the first two answers and the samples drawn."""

    def stop(problem: Problem, paths: Sequence[Path]) -> tuple[int | None, bool]:
        given = answers_of(paths, answers)
        votes = sorted(Counter(answer for answer in given if answer is not None).values(), reverse=True)
        first, second = [*votes, 0, 0][:2]
        place = select(given, [path.reward for path in paths], "majority_vote", problem_id=problem.id)
        return place, enough(first, second, len(paths))

    return stop


def draw_until(
    problems: Sequence[Problem],
    sampler: Sampler,
    stop: Stop,
    *,
    max_samples: int,
    temperature: float,
    seed: int,
    first_round: int = 1,
    round_size: int = 1,
    unchecked: Callable[[Problem, Sequence[Path]], int] = lambda problem, paths: 0,
) -> list[SearchResult]:
    """Samples of each problem until `stop` says that its choice is final, or `max_samples` are drawn.

    Args and errors as `settled_vote`; one's own strategies that draw in turn are a `stop`.
    """
    for name, count in (("max_samples", max_samples), ("first_round", first_round), ("round_size", round_size)):
        check.at_least(name, count, 1)
    check.above("temperature", temperature, 0, "Greedy samples are all the same.")
    check_problems(problems)
    shown = [problem.hidden for problem in problems]
    paths: list[list[Path]] = [[] for _ in problems]
    chosen: list[int | None] = [None] * len(problems)
    cost = [SearchCost() for _ in problems]
    active = list(range(len(problems)))
    drawn = rounds = 0
    while active and drawn < max_samples:
        size = min(first_round if rounds == 0 else round_size, max_samples - drawn)
        draws = draw_from(
            sampler, [shown[index] for index in active], size, temperature=temperature, seed=seed, first=drawn
        )
        still: list[int] = []
        for index, draw in zip(active, draws, strict=True):
            paths[index] += map(path_of, draw.completions)
            cost[index] += round_cost(draw, first=rounds == 0)
            chosen[index], final = stop(problems[index], paths[index])
            still += [] if final else [index]
        active = still
        drawn, rounds = drawn + size, rounds + 1
    return [
        SearchResult(
            problem=problem,
            candidates=tuple(drawn_paths),
            cost=spent,
            chosen=place,
            num_unchecked=unchecked(problem, drawn_paths),
        )
        for problem, drawn_paths, spent, place in zip(problems, paths, cost, chosen, strict=True)
    ]


def round_cost(draw: Draw, *, first: bool) -> SearchCost:
    """What one draw of samples at once took; `first`: it reads the prompt, which later ones of its query share."""
    lengths = [each.output_tokens for each in draw.completions]
    return SearchCost(
        num_samples=len(lengths),
        output_tokens=sum(lengths),
        shared_prefill_tokens=draw.prompt_tokens if first else 0,
        unshared_prefill_tokens=len(lengths) * draw.prompt_tokens,
        sequential_tokens=max(lengths),
        num_rounds=1,
    )
