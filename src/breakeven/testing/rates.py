"""A sampler of known success rates, and the checker that goes with it."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from breakeven.errors import argument_error
from breakeven.records import Completion, Draw, Problem


@dataclass(frozen=True, slots=True)
class RateSampler:
    """A `Sampler` whose samples say "right" with a known rate and "wrong" otherwise.

    Sample i of a problem is a function of (seed, problem id, i). The greedy sample is right where the rate is above
    0.5. The temperature, if above 0, changes nothing.

    Args:
        success: each problem's chance that one sample is right, in [0, 1], by problem id.
        prompt_tokens: tokens of each prompt.
        output_tokens: tokens of each sample.

    Raises:
        ArgumentError: no problems, or a rate outside [0, 1].

    >>> sampler = RateSampler({"easy": 1.0, "hard": 0.0})
    >>> for draw in sampler.sample(sampler.problems, 3, temperature=0.8, seed=0):
    ...     print([each.text for each in draw.completions])
    ['right', 'right', 'right']
    ['wrong', 'wrong', 'wrong']
    """

    success: Mapping[str, float]
    prompt_tokens: int = 6
    output_tokens: int = 8

    def __post_init__(self) -> None:
        check_rates("success", list(self.success.values()))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems it knows, in the order of `success`; each prompt is the problem's id."""
        return tuple(Problem(id=each, prompt=each) for each in self.success)

    def sample(
        self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int, first: int = 0
    ) -> list[Draw]:
        """See `breakeven.records.protocols.NumberedSampler.sample`.

        Raises:
            ArgumentError: a problem without a rate.
        """
        draws = []
        for problem in problems:
            if problem.id not in self.success:
                raise argument_error("problems", "be among those with a success rate", problem.id)
            rate = self.success[problem.id]
            if temperature == 0:
                right_N = np.full(num_samples, rate > 0.5)
            else:
                rng = np.random.default_rng((seed, zlib.crc32(problem.id.encode())))
                right_N = rng.random(first + num_samples)[first:] < rate
            completions = tuple(
                Completion(text="right" if right else "wrong", output_tokens=self.output_tokens) for right in right_N
            )
            draws.append(Draw(prompt_tokens=self.prompt_tokens, completions=completions))
        return draws


@dataclass(frozen=True, slots=True)
class RateVerifier:
    """The `Verifier` that goes with `RateSampler`."""

    def check(self, problem: Problem, completion: str) -> bool:
        """True for the text "right"."""
        return completion == "right"


def check_rates(name: str, rates: Sequence[float] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`rates` as an array of shape (P,), each in [0, 1]."""
    rates_P = np.asarray(rates, dtype=np.float64)
    if rates_P.ndim != 1 or len(rates_P) == 0:
        raise argument_error(name, "be a list of at least one rate", rates)
    outside = rates_P[~((rates_P >= 0.0) & (rates_P <= 1.0))]
    if len(outside):
        raise argument_error(name, "be rates from 0 to 1", float(outside[0]), "Divide percentages by 100.")
    return rates_P
