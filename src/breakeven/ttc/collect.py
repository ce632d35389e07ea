"""From a sampler and a checker to a bank of graded samples: the only step of a decision that touches the model."""

from collections.abc import Sequence
from typing import Protocol

from breakeven.errors import argument_error
from breakeven.records import Draw, Problem, SampleBank


class Sampler(Protocol):
    """Draws completions for problems. Lists in, lists out."""

    def sample(self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        """`num_samples` completions for each problem, in the order of `problems`.

        Sample i of a problem must depend on (`seed`, problem, i) only, not on how many are drawn or of what else.
        Temperature 0 is greedy. The caller's training state (random generators, mode, gradients) stays untouched.
        """
        ...


class Verifier(Protocol):
    """Says whether a completion solves a problem."""

    def check(self, problem: Problem, completion: str) -> bool:
        """True if it does. Malformed completions are False, never an exception."""
        ...


def collect(
    sampler: Sampler,
    verifier: Verifier,
    problems: Sequence[Problem],
    *,
    num_samples: int,
    temperature: float,
    seed: int,
) -> SampleBank:
    """The graded bank of one checkpoint: `num_samples` at `temperature` and one greedy sample per problem.

    Raises:
        ArgumentError: no problems, fewer than 1 sample, a temperature that is not above 0, or a sampler that
            returned another number of samples than it was asked for.
    """
    if not problems:
        raise argument_error("problems", "hold at least one problem", list(problems))
    if num_samples < 1:
        raise argument_error("num_samples", "be at least 1", num_samples)
    if not temperature > 0:
        raise argument_error("temperature", "be above 0", temperature, "The greedy sample is drawn anyway.")
    draws = _sample(sampler, problems, num_samples, temperature, seed)
    greedy = _sample(sampler, problems, 1, 0.0, seed)
    return SampleBank(
        correct_PN=tuple(_verdicts(verifier, *each) for each in zip(problems, draws, strict=True)),
        greedy_correct_P="".join(_verdicts(verifier, *each) for each in zip(problems, greedy, strict=True)),
        temperature=temperature,
        seed=seed,
        prompt_tokens=sum(draw.prompt_tokens for draw in draws),
        output_tokens=_output_tokens(draws),
        greedy_output_tokens=_output_tokens(greedy),
        oracle=any(problem.reference is not None for problem in problems),
    )


def _sample(
    sampler: Sampler, problems: Sequence[Problem], num_samples: int, temperature: float, seed: int
) -> list[Draw]:
    draws = sampler.sample(problems, num_samples, temperature=temperature, seed=seed)
    counts = {len(draw.completions) for draw in draws}
    if len(draws) != len(problems) or counts != {num_samples}:
        raise argument_error(
            "sampler.sample(...)",
            f"return {num_samples} completions for each of the {len(problems)} problems",
            f"{len(draws)} problems with {sorted(counts)} completions",
        )
    return draws


def _verdicts(verifier: Verifier, problem: Problem, draw: Draw) -> str:
    return "".join("1" if verifier.check(problem, each.text) else "0" for each in draw.completions)


def _output_tokens(draws: Sequence[Draw]) -> int:
    counts = [each.output_tokens for draw in draws for each in draw.completions]
    if min(counts) < 1:
        raise argument_error("output_tokens", "be at least 1, the end token counted", min(counts))
    return sum(counts)
