"""A classifier's passes: combined at each checkpoint, and kept beside the log for whoever wants more of them.

RUN/probabilities holds plain arrays of NumPy, class probabilities in single precision: plain-STEP.npy, shape (P, C),
and passes-STEP.npy, shape (P, N, C), of the first problems, as many as were given noisy passes; and right.npy, shape
(P, C), which classes are right. A snapshot ensemble reads those of earlier checkpoints; decisions rest on what the log
holds of it, so that a replay needs no other file.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self

import numpy as np
import numpy.typing as npt

from breakeven.errors import LogError, SamplerError
from breakeven.records import ClassPass, Draw, Problem, SoftVote
from breakeven.records.protocols import ProbabilitySampler, Verifier
from breakeven.sampling.samples import Samples
from breakeven.store.files import make_directory, write_whole
from breakeven.ttc.strategies.measured import Measured
from breakeven.ttc.strategies.soft_vote import SNAPSHOT_ENSEMBLE, SOFT_VOTE, snapshot_ensemble, soft_vote

if TYPE_CHECKING:
    from breakeven.session.session import Session

Probabilities = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
FOLDER: Final = "probabilities"
_DIGITS: Final = 12
"""Of an accuracy that is recorded: the same subsets, summed in another order, differ in the last ones."""


class Passes:
    """What one set of problems was given: the plain passes of the last checkpoints, and the noisy ones of this.

    Args:
        sampler: whose classes they are.
        verifier: says which class is right.
        problems: in their order.
        directory: of the run; None: nothing is kept, and earlier checkpoints are those of this object.
        of: what the problems are, in the names of files: "" for those that are decided on.
    """

    def __init__(
        self,
        sampler: ProbabilitySampler,
        verifier: Verifier,
        problems: Sequence[Problem],
        *,
        directory: Path | None,
        of: str = "",
    ) -> None:
        self.snapshots = sampler.snapshots
        self._right_PC = np.array([[verifier.check(each, name) for name in sampler.classes] for each in problems])
        self._directory, self._of = None if directory is None else directory / FOLDER, of
        self._plain: dict[int, Probabilities] = {}

    @classmethod
    def of(cls, session: "Session", problems: Sequence[Problem], name: str = "") -> Self:
        """Of a session whose sampler is of a classifier."""
        assert isinstance(session.sampler, ProbabilitySampler), "whoever asks has seen it"
        directory = None if session.log is None else session.log.directory
        return cls(session.sampler, session.verifier, problems, directory=directory, of=name)

    def soft_votes(self, samples: Samples, before: Sequence[int]) -> tuple[SoftVote, ...]:
        """What averaging makes of the passes of a checkpoint, and of the plain ones of it and those before it.

        Args:
            samples: all passes of the checkpoint, one plain one of each problem among them.
            before: steps of the earlier checkpoints, in order.

        Raises:
            SamplerError: a pass came without probabilities, or with those of another number of classes.
            LogError: an earlier checkpoint's plain passes are missing.
        """
        plain_PC, passes_PNC = self._arrays(samples)
        found = []
        if passes_PNC is not None:
            size = passes_PNC.shape[1]
            k_values = sorted({*(k for k in (1, 2, 4, 8, 16, 32, 64, 128) if k <= size), size})
            measured = soft_vote(passes_PNC, self._right_PC[: len(passes_PNC)], k_values)
            found.append(_recorded(SOFT_VOTE, measured, size))
        if self.snapshots > 1:
            earlier = [self._read(step) for step in reversed(before[-(self.snapshots - 1) :])]
            stacked_PSC = np.stack([plain_PC, *earlier], axis=1)
            found.append(_recorded(SNAPSHOT_ENSEMBLE, snapshot_ensemble(stacked_PSC, self._right_PC), 1 + len(earlier)))
        return tuple(found)

    def keep(self, step: int, samples: Samples) -> None:
        """Leave the passes of a checkpoint beside the log that has not got it yet, and at hand for the next ones.

        Raises:
            RunStorageError: the disk refused.
        """
        plain_PC, passes_PNC = self._arrays(samples)
        self._plain[step] = plain_PC
        for gone in sorted(self._plain)[: -self.snapshots]:
            del self._plain[gone]
        if self._directory is not None:
            make_directory(self._directory)
            _write(self._directory / f"{self._of}right.npy", self._right_PC)
            _write(self._path("plain", step), plain_PC)
            if passes_PNC is not None:
                _write(self._path("passes", step), passes_PNC)

    def _arrays(self, samples: Samples) -> tuple[Probabilities, Probabilities | None]:
        """Of the plain passes, shape (P, C), and of the noisy ones, shape (P, N, C) of the problems that have N."""
        plain_PC = np.concatenate([self._of_draws([batch.draw for batch in row]) for row in samples.greedy])
        rows = [self._of_draws([batch.draw for batch in row]) for row in samples.sampled if row]
        size = min(map(len, rows), default=0)
        return plain_PC, np.stack([row[:size] for row in rows]) if size else None

    def _of_draws(self, draws: Sequence[Draw]) -> Probabilities:
        """Of some passes over one problem, shape (N, C)."""
        num_classes = self._right_PC.shape[1]
        drawn = [each for draw in draws for each in draw.completions]
        given = [each.probabilities for each in drawn if isinstance(each, ClassPass)]
        if len(given) < len(drawn) or any(each.shape != (num_classes,) for each in given):
            raise SamplerError(f"the sampler returned a pass without the probabilities of its {num_classes} classes.")
        return np.array(given, dtype=np.float32)

    def _read(self, step: int) -> Probabilities:
        if step in self._plain:
            return self._plain[step]
        path = self._path("plain", step)
        try:
            found: Probabilities = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as error:
            remedy = "Restore it from a copy, or start the run anew."
            raise LogError(f"{path}, which a snapshot ensemble needs, cannot be read: {error}. {remedy}") from error
        if found.shape != self._right_PC.shape:
            raise LogError(f"{path} is of {found.shape} problems and classes, not of {self._right_PC.shape}.")
        self._plain[step] = found
        return found

    def _path(self, kind: str, step: int) -> Path:
        assert self._directory is not None, "without one all are at hand"
        return self._directory / f"{self._of}{kind}-{step}.npy"


def _recorded(strategy: Literal["soft_vote", "snapshot_ensemble"], measured: Measured, num_passes: int) -> SoftVote:
    return SoftVote(
        strategy=strategy,
        k_values=measured.k_values,
        num_passes=num_passes,
        accuracy_PK=tuple(map(tuple, measured.accuracy_PK.round(_DIGITS).tolist())),
        monte_carlo_error_K=tuple(measured.monte_carlo_error_K.round(_DIGITS).tolist()),
    )


def _write(path: Path, array: Probabilities | Flags) -> None:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    write_whole(path, content.getvalue(), remedy="Free space, then go on with the run.")
