"""The promises of the sampler protocols, as checks that any sampler can be put through."""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records import Draw, Finish, Prefix, Problem, SegmentRule
from breakeven.records.asking import draw_from, takes_first
from breakeven.records.protocols import Sampler, SegmentSampler

_NUM_SAMPLES = 8
"""Samples per problem: enough that two seeds agree by accident only if nearly nothing varies."""
_OTHER_SEEDS = 3


def check_sampler(
    sampler: Sampler, problems: Sequence[Problem], *, temperature: float = 0.8, seed: int = 0, exact: bool = True
) -> None:
    """Nothing, if `sampler` keeps what `breakeven.records.protocols.Sampler` promises.

    Draws some hundred samples: give it a small model. Where it takes `first`, samples from a number on are checked too.
    That the caller's training state stays untouched is not checked.

    Args:
        sampler: to be checked.
        problems: at least two, with different ids.
        temperature: of the sampled draws, above 0.
        seed: at least 0; the three after it are used too.
        exact: False for a server, whose numbers depend on what else it computes: all promises but that equal calls give
            equal samples.

    Raises:
        ArgumentError: fewer than two different problems, or a temperature that is not above 0.
        AssertionError: a promise is broken; the message says which one.

    >>> from breakeven.testing import RateSampler
    >>> sampler = RateSampler({"a": 0.3, "b": 0.6})
    >>> check_sampler(sampler, sampler.problems)
    """
    if len({each.id for each in problems}) != len(problems) or len(problems) < 2:
        raise argument_error("problems", "be at least two, with different ids", [each.id for each in problems])

    def drawn(at: Sequence[int], num: int, temperature: float, seed: int) -> list[Draw]:
        return sampler.sample([problems[index] for index in at], num, temperature=temperature, seed=seed)

    _check(drawn, [f"problem {each.id!r}" for each in problems], "problem", temperature, seed, exact)
    if takes_first(sampler):
        draw = partial(draw_from, sampler, problems, temperature=temperature, seed=seed)
        begun, rest, whole = draw(4), draw(12, first=4), draw(16)
        _require(
            not exact
            or [one.completions + other.completions for one, other in zip(begun, rest, strict=True)]
            == [each.completions for each in whole],
            "samples from number `first` on must be those of the seed, but 4 and then 12 from 4 on are not 16",
        )


def check_segment_sampler(
    sampler: SegmentSampler,
    prefixes: Sequence[Prefix],
    segments: SegmentRule,
    *,
    temperature: float = 0.8,
    seed: int = 0,
    exact: bool = True,
) -> None:
    """Nothing, if `sampler.extend` keeps what `breakeven.records.protocols.SegmentSampler` promises.

    Args:
        sampler: to be checked; `sample` is for `check_sampler`.
        prefixes: at least two different ones.
        segments: where a step ends.
        temperature: of the sampled draws, above 0.
        seed: at least 0; the three after it are used too.
        exact: as of `check_sampler`.

    Raises:
        ArgumentError: fewer than two different prefixes, or a temperature that is not above 0.
        AssertionError: a promise is broken; the message says which one.
    """
    named = [f"prefix {each.text!r} of {each.problem.id!r}" for each in prefixes]
    if len(set(named)) != len(named) or len(named) < 2:
        raise argument_error("prefixes", "be at least two different ones", named)

    def drawn(at: Sequence[int], num: int, temperature: float, seed: int) -> list[Draw]:
        chosen = [prefixes[index] for index in at]
        draws = sampler.extend(chosen, num, segments=segments, temperature=temperature, seed=seed)
        for index, draw in zip(at, draws, strict=False):  # their number is checked where all draws are
            _check_steps(draw, named[index], segments)
        return draws

    _check(drawn, named, "prefix", temperature, seed, exact)


class _Drawn(Protocol):
    """Draws of the items at some places."""

    def __call__(self, at: Sequence[int], num: int, temperature: float, seed: int) -> list[Draw]: ...


def _check(draw: _Drawn, named: list[str], item: str, temperature: float, seed: int, exact: bool) -> None:
    check.above("temperature", temperature, 0, "Greedy sampling is checked anyway.")
    everything = range(len(named))
    items = "prefixes" if item == "prefix" else f"{item}s"

    def drawn(
        of: Sequence[int] = everything, num: int = _NUM_SAMPLES, at: float = temperature, by: int = seed
    ) -> list[Draw]:
        draws = draw(of, num, at, by)
        _check_shape(draws, [named[index] for index in of], items, num)
        return draws

    full = drawn()
    if exact:
        _require(drawn() == full, "the same seed must give the same samples, but a second call gave others")
        _require(
            drawn(of=everything[::-1]) == full[::-1],
            f"draws must come in the order of the {items} and not depend on it, but reversed {items} gave other draws",
        )
        _require(
            drawn(of=everything[1:]) == full[1:],
            f"a {item}'s samples must not depend on the other {items}, but leaving one out changed them",
        )
        for num in (1, _NUM_SAMPLES // 2):
            _require(
                [each.completions for each in drawn(num=num)] == [each.completions[:num] for each in full],
                f"sample i must not depend on num_samples, but {num} samples are not the first {num} of {_NUM_SAMPLES}",
            )
        _check_greedy(drawn(num=1, at=0.0), drawn(num=2, at=0.0), drawn(num=1, at=0.0, by=seed + 1), full, item)
    else:
        counts = [each.prompt_tokens for each in full]
        _require(
            [each.prompt_tokens for each in drawn(of=everything[::-1], num=1)] == counts[::-1],
            f"draws must come in the order of the {items}, but reversed {items} gave other prompt tokens",
        )
        _require(
            [each.prompt_tokens for each in drawn(num=2, at=0.0)] == counts,
            f"a {item}'s prompt tokens must not depend on the temperature",
        )
    _check_seeds(full, [drawn(by=seed + other) for other in range(1, _OTHER_SEEDS + 1)], item)


def _check_shape(draws: list[Draw], named: Sequence[str], items: str, num_samples: int) -> None:
    _require(len(draws) == len(named), f"{len(named)} {items} must give as many draws, got {len(draws)}")
    for name, draw in zip(named, draws, strict=True):
        got = len(draw.completions)
        _require(got == num_samples, f"{name} must have {num_samples} completions, got {got}")
        _require(draw.prompt_tokens >= 1, f"{name} must have 1 prompt token or more, got {draw.prompt_tokens}")
        fewest = min(each.output_tokens for each in draw.completions)
        _require(
            fewest >= 1,
            f"a completion must take 1 output token or more (its end token counts), got {fewest} for "
            f"{name.removeprefix('problem ')}",
        )


def _check_steps(draw: Draw, name: str, segments: SegmentRule) -> None:
    for each in draw.completions:
        _require(
            each.output_tokens <= segments.max_tokens,
            f"a step must take {segments.max_tokens} tokens or fewer, got {each.output_tokens} for {name}",
        )
        _require(
            each.finish is not Finish.SEGMENT
            or each.text.endswith(segments.ends)
            or each.output_tokens == segments.max_tokens,
            f"a step must end with one of {segments.ends!r} or at its limit of tokens, got {each.text!r} for {name}",
        )


def _check_greedy(one: list[Draw], two: list[Draw], other_seed: list[Draw], sampled: list[Draw], item: str) -> None:
    _require(
        one == other_seed,
        "temperature 0 must be greedy, but another seed gave another completion",
    )
    _require(
        all(draw.completions == 2 * single.completions for draw, single in zip(two, one, strict=True)),
        f"temperature 0 must be greedy, but two completions of one {item} differ",
    )
    _require(
        [each.prompt_tokens for each in one] == [each.prompt_tokens for each in sampled],
        f"a {item}'s prompt tokens must not depend on the temperature",
    )


def _check_seeds(full: list[Draw], others: list[list[Draw]], item: str) -> None:
    varies_within = any(len(set(draw.completions)) > 1 for draws in (full, *others) for draw in draws)
    varies_between = any(draws != full for draws in others)
    _require(
        varies_between or not varies_within,
        f"another seed must give other samples, but {1 + len(others)} seeds gave the same",
    )
    _require(
        varies_within or not varies_between,
        f"the samples of one {item} must be drawn independently, but all {_NUM_SAMPLES} are equal for every seed",
    )


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(f"{message}.")
