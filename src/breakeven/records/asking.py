"""How samplers, reward models and checkers are asked, and what they may answer: said once, for all who ask."""

import inspect
import math
from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from breakeven.errors import SamplerError, argument_error
from breakeven.records.protocols import NumberedSampler, Sampler, Verifier
from breakeven.records.samples import Draw, Prefix, Problem, Reward
from breakeven.seeds import batch_seed


def takes_first(sampler: Sampler) -> bool:
    """Whether it is a `NumberedSampler`: `sample` has a parameter named `first`."""
    try:
        return "first" in inspect.signature(sampler.sample).parameters
    except (TypeError, ValueError):  # callables without a signature
        return False


def draw_from(
    sampler: Sampler, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int, first: int = 0
) -> list[Draw]:
    """Samples `first`, `first + 1`, ... of the bank of `seed`.

    A sampler that cannot be asked for them is asked for the first ones of another seed, a hash of `seed` and `first`.

    Raises:
        SamplerError: it returned another number than asked for, or a sample without a token.
        ArgumentError: it returned something other than draws.
    """
    if first and takes_first(sampler):
        numbered = cast(NumberedSampler, sampler)
        draws = numbered.sample(problems, num_samples, temperature=temperature, seed=seed, first=first)
    else:
        draws = sampler.sample(problems, num_samples, temperature=temperature, seed=batch_seed(seed, first))
    check_draws(draws, len(problems), num_samples)
    for problem, draw in zip(problems, draws, strict=True):
        if (fewest := min(each.output_tokens for each in draw.completions)) < 1:
            raise SamplerError(
                f"output_tokens must be at least 1, the end token counted; got {fewest} for problem {problem.id!r}."
            )
    return draws


def check_draws(draws: Sequence[object], num_prompts: int, num_samples: int) -> None:
    """Nothing, if a sampler returned what it was asked for.

    Raises:
        SamplerError: another number.
        ArgumentError: something other than draws.
    """
    counts = set[int]()
    for draw in draws:
        if not isinstance(draw, Draw):
            raise argument_error("sampler.sample(...)", "return Draws", draw, "See breakeven.records.Draw.")
        counts.add(len(draw.completions))
    if len(draws) != num_prompts or counts - {num_samples}:
        raise SamplerError(
            f"The sampler must return {num_samples} completions for each of {num_prompts} prompts; "
            f"got {len(draws)} prompts with {sorted(counts)} completions."
        )


def check_rewards(prefixes: Sequence[Prefix], rewards: Sequence[Reward]) -> None:
    """Nothing, if a reward model gave a finite reward for each prefix.

    Raises:
        SamplerError: another number, or NaN or infinity.
    """
    if len(rewards) != len(prefixes):
        raise SamplerError(f"The reward model must return {len(prefixes)} rewards, one a text; got {len(rewards)}.")
    for prefix, reward in zip(prefixes, rewards, strict=True):
        if not math.isfinite(reward.value):
            raise SamplerError(
                f"A reward must be a finite number; got {reward.value} for problem {prefix.problem.id!r} with the "
                f"solution so far {prefix.text[-80:]!r}. Mend the reward model: nothing can be ranked by it."
            )


def check_losses(prefixes: Sequence[Prefix], losses: Sequence[npt.NDArray[np.float64]]) -> None:
    """Nothing, if a sampler gave each solution its token losses.

    Raises:
        SamplerError: another number, something other than a list of numbers, or NaN, infinity or a negative loss.
    """
    if len(losses) != len(prefixes):
        raise SamplerError(f"The sampler must return the losses of {len(prefixes)} solutions; got {len(losses)}.")
    for prefix, loss in zip(prefixes, losses, strict=True):
        if loss.ndim != 1 or not np.isfinite(loss).all() or (loss < 0).any():
            raise SamplerError(
                f"The losses of a solution must be one finite number of at least 0 a token; got {loss.tolist()} for "
                f"problem {prefix.problem.id!r}."
            )


def is_right(verifier: Verifier, problem: Problem, completion: str) -> bool:
    """The verdict of a checker.

    Raises:
        CheckFailedError: it has none.
        ArgumentError: it gave something other than True or False, such as a reward.
    """
    verdict: object = verifier.check(problem, completion)
    if not isinstance(verdict, bool | np.bool_):
        raise argument_error(
            f"verifier.check(...) on problem {problem.id!r}",
            "return True or False",
            verdict,
            f"It is of type {type(verdict).__name__}. Turn a reward into a verdict, as in `return reward > 0.5`.",
        )
    return bool(verdict)
