"""What is asked of models and checkers: samplers, verifiers, answers and reward models. Lists in, lists out."""

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from breakeven.records import Draw, Prefix, Problem, Reward, SegmentRule


class Sampler(Protocol):
    """Draws completions for problems."""

    def sample(self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        """`num_samples` completions for each problem, in the order of `problems`.

        Sample i of a problem must depend on (`seed`, problem, i) only, not on how many are drawn or of what else; a
        server, whose numbers depend on what else it computes, need only give independent samples for different seeds.
        Temperature 0 is greedy. The caller's training state (random generators, mode, gradients) stays untouched.

        Best it takes a keyword `first` besides, and is a `NumberedSampler`: then a bank does not depend on the pieces
        in which it is drawn. Without, every piece but the first is drawn by a seed of its own.
        """
        ...


class NumberedSampler(Sampler, Protocol):
    """A sampler that can be asked for the samples of a seed from any number on. All that come with breakeven are."""

    def sample(
        self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int, first: int = 0
    ) -> list[Draw]:
        """Samples `first`, `first + 1`, ... of `seed`: drawing 4 and then 12 from `first` = 4 on is drawing 16."""
        ...


@runtime_checkable
class SegmentSampler(Sampler, Protocol):
    """A sampler that can go on from the beginning of a solution, which is what search strategies need."""

    def extend(
        self, prefixes: Sequence[Prefix], num_samples: int, *, segments: SegmentRule, temperature: float, seed: int
    ) -> list[Draw]:
        """`num_samples` next segments for each prefix, in the order of `prefixes`.

        A completion's text is the new text alone. It ends with one of `segments.ends` (Finish.SEGMENT), where the
        solution ends (Finish.STOP), or at a limit: of `segments.max_tokens` (Finish.SEGMENT), or of the solution's
        length (Finish.LENGTH). Sample i depends on (`seed`, problem, text so far, i) only.
        """
        ...


@runtime_checkable
class LossSampler(Sampler, Protocol):
    """A sampler that can also say how its model rates a given solution, which is what the validation loss needs."""

    def solution_losses(self, prefixes: Sequence[Prefix]) -> list[npt.NDArray[np.float64]]:
        """Of each prefix the cross entropy of its text's tokens behind the prompt, in nats, end token last, in order.

        By one forward pass, without gradients and random numbers; training state stays untouched, as in `sample`. An
        empty array where the text does not fit the model.
        """
        ...


@runtime_checkable
class ProbabilitySampler(Sampler, Protocol):
    """A sampler of a classifier: each of its completions is a `ClassPass`."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of `ClassPass.probabilities`."""
        ...

    @property
    def snapshots(self) -> int:
        """How many of the last checkpoints are averaged; 1: none."""
        ...


class Verifier(Protocol):
    """Says whether a completion solves a problem."""

    def check(self, problem: Problem, completion: str) -> bool:
        """True if it does, else False: anything else is refused. Malformed completions are False, no exception.

        Raises:
            CheckFailedError: the checker itself crashed or timed out; the sample is then neither right nor wrong.
        """
        ...


@runtime_checkable
class Answers(Protocol):
    """What the answer of a completion is, and which answers mean the same: what votes rest on. Sees no reference."""

    def extract(self, completion: str) -> str | None:
        """The final answer, None where `completion` has none."""
        ...

    def canonical(self, answer: str) -> str:
        """The form in which equal answers are equal strings as far as that is cheap, of such a form itself."""
        ...

    def equivalent(self, answer: str, other: str) -> bool:
        """True if two canonical forms mean the same; asked in both directions before groups are merged.

        Raises:
            CheckFailedError: the comparison crashed or timed out.
        """
        ...


class RewardModel(Protocol):
    """Gives a solution a number, without the reference answer."""

    @property
    def kind(self) -> Literal["outcome", "process"]:
        """Whether it judges whole solutions only, or any beginning of one, too."""
        ...

    def score(self, prefixes: Sequence[Prefix]) -> list[Reward]:
        """One reward a prefix, in order. Of a beginning: how good the solution so far is (its last step included)."""
        ...
