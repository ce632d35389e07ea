"""A classifier of known logits, whose noisy passes add noise to them."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from breakeven.errors import argument_error
from breakeven.records import ClassPass, Draw, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class PassSampler:
    """A `ProbabilitySampler` whose plain pass has known logits, and whose noisy passes add normal noise to each.

    Pass i of a problem is a function of (seed, problem id, i).

    Args:
        classes: names of classes 0..C-1.
        logits: of each problem, C of them, by its id.
        labels: each problem's right class.
        noise: standard deviation; 0: every pass is the plain one.
        snapshots: as of `ProbabilitySampler`.

    >>> sampler = PassSampler(classes=("cat", "dog"), logits={"a": [0.0, 9.0]}, labels={"a": "dog"})
    >>> [each.text for each in sampler.sample(sampler.problems, 2, temperature=1.0, seed=0)[0].completions]
    ['dog', 'dog']
    """

    classes: tuple[str, ...]
    logits: Mapping[str, Sequence[float]]
    labels: Mapping[str, str]
    noise: float = 1.0
    snapshots: int = 1

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Those it knows, in the order of `logits`."""
        return tuple(Problem(id=each, prompt=each, reference=self.labels[each]) for each in self.logits)

    def check(self, problem: Problem, completion: str) -> bool:
        """See `breakeven.records.protocols.Verifier`."""
        return completion == problem.reference

    def sample(
        self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int, first: int = 0
    ) -> list[Draw]:
        """See `breakeven.records.protocols.NumberedSampler.sample`.

        Raises:
            ArgumentError: a problem without logits.
        """
        return [self._draw(each.id, range(first, first + num_samples), seed, temperature) for each in problems]

    def _draw(self, problem: str, numbers: range, seed: int, temperature: float) -> Draw:
        if problem not in self.logits:
            raise argument_error("problems", f"have ids among {', '.join(list(self.logits)[:5])}", problem)
        passes = []
        for number in numbers:
            logits_C = np.asarray(self.logits[problem], dtype=np.float64)
            if temperature > 0.0:
                rng = np.random.default_rng((seed, zlib.crc32(problem.encode()), number))
                logits_C = logits_C + rng.normal(scale=self.noise, size=len(logits_C))
            odds_C = np.exp(logits_C - logits_C.max())
            probabilities = (odds_C / odds_C.sum()).astype(np.float32)
            text = self.classes[int(probabilities.argmax())]
            passes.append(ClassPass(text=text, output_tokens=2, probabilities=probabilities))
        return Draw(prompt_tokens=0, completions=tuple(passes))
