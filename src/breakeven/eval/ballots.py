"""What each strategy averages of a classifier's recorded passes, and what it makes of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.readers.class_blocks import PassBlock
from breakeven.ttc.class_scores import Served, served_classes
from breakeven.ttc.strategies.measured import Measured, exact
from breakeven.ttc.strategies.soft_vote import SNAPSHOT_ENSEMBLE, SOFT_VOTE, snapshot_ensemble, soft_vote

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GREEDY: Final = "greedy"
MAJORITY_VOTE: Final = "majority_vote"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ballot:
    """What a strategy averages: votes of each pass for each class, all alike or in the order to take them in."""

    strategy: str
    vote_PNC: Floats
    k_values: Sequence[int]
    shuffled: bool

    def averaged(self, right_PC: Flags, seed: int) -> Measured:
        """Accuracy of the mean of K votes.

        Args:
            right_PC: which classes are right.
            seed: of subsets, where not all are counted.
        """
        if self.shuffled:
            return soft_vote(self.vote_PNC, right_PC, self.k_values, seed=seed)
        every = snapshot_ensemble(self.vote_PNC, right_PC)
        at_K = [every.k_values.index(k) for k in self.k_values]
        return exact(tuple(self.k_values), every.accuracy_PK[:, at_K])

    def served(self, seed: int) -> Iterator[Served]:
        """The classes that are served at each K, in random sets by `seed`."""
        class_KPD = served_classes(self.vote_PNC, self.k_values, shuffled=self.shuffled, seed=seed)
        for k, class_PD in zip(self.k_values, class_KPD, strict=True):
            yield Served(strategy=self.strategy, k=k, class_PD=class_PD)


def ballots_of(block: PassBlock, k_values: Sequence[int]) -> Iterator[Ballot]:
    """What each strategy averages, the plain pass first if there is one.

    Args:
        block: of problems.
        k_values: increasing; each strategy takes those that it has passes for.
    """
    plain_PC, passes_PNC, snapshot_PSC = block.plain_PC, block.probability_PNC, block.snapshot_PSC
    if plain_PC is None and snapshot_PSC is not None:
        plain_PC = snapshot_PSC[:, 0]
    if plain_PC is not None:
        yield Ballot(strategy=GREEDY, vote_PNC=plain_PC[:, None], k_values=[1], shuffled=False)
    if passes_PNC is not None and (noisy := [k for k in k_values if k <= passes_PNC.shape[1]]):
        yield Ballot(strategy=SOFT_VOTE, vote_PNC=passes_PNC, k_values=noisy, shuffled=True)
        one_hot_PNC = np.eye(passes_PNC.shape[2])[passes_PNC.argmax(axis=-1)]
        yield Ballot(strategy=MAJORITY_VOTE, vote_PNC=one_hot_PNC, k_values=noisy, shuffled=True)
    if snapshot_PSC is not None and (some := [k for k in k_values if k <= snapshot_PSC.shape[1]]):
        yield Ballot(strategy=SNAPSHOT_ENSEMBLE, vote_PNC=snapshot_PSC, k_values=some, shuffled=False)
