"""Reading the past: the checkpoints so far, and the learning curve that a decision projects."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Self, overload

import numpy as np
import numpy.typing as npt

from breakeven.errors import argument_error
from breakeven.records import FitStatus, LearningPoint, Reason

NO_FORECAST = {
    FitStatus.TOO_FEW_POINTS: Reason.TOO_FEW_CHECKPOINTS,
    FitStatus.NO_SIGNAL: Reason.NO_SIGNAL,
    FitStatus.NOT_CONVERGED: Reason.NO_PROJECTION,
}
"""Why a decision goes on where there is no projection."""


def baseline_accuracy(point: LearningPoint, baseline: str) -> float:
    """One-sample accuracy of a checkpoint under the declared baseline decoding, "greedy", "sampled" or "best".

    Raises:
        ArgumentError: the checkpoint has no sample of that kind.
    """
    known = {"greedy": point.greedy_accuracy, "sampled": point.sampled_accuracy}
    if baseline == "best":
        measured = [accuracy for accuracy in known.values() if accuracy is not None]
        if measured:
            return max(measured)
    elif (accuracy := known[baseline]) is not None:
        return accuracy
    raise argument_error(
        "baseline", f"be measured at every checkpoint; step {point.step} has none", baseline, "Choose the other one."
    )


def check_history(history: Sequence[LearningPoint], k_curves: Sequence[object]) -> None:
    """Refuse a decision on nothing.

    Raises:
        ArgumentError: `history` or `k_curves` is empty.
    """
    if not history:
        raise argument_error("history", "hold at least one checkpoint", list(history))
    if not k_curves:
        raise argument_error("k_curves", "hold at least one curve", list(k_curves))


Floats = npt.NDArray[np.float64]
_COLUMNS: Final = ("train_flops", "greedy_accuracy", "sampled_accuracy", "validation_loss")
"""What is at hand as arrays; NaN for None."""
_SUMMED: Final = ("evaluation_flops", "evaluation_seconds")
"""What is at hand as a sum."""


class _Held:
    """What the histories of one run share: one row a checkpoint, only ever appended to."""

    def __init__(self) -> None:
        self.points: list[LearningPoint] = []
        self.columns = np.empty((len(_COLUMNS), 16))
        self.parts: dict[str, list[tuple[float, ...] | None]] = {name: [()] for name in _SUMMED}
        """By the number of checkpoints: floats whose exact sum is that of theirs; None where some are unknown."""
        self.fewest: list[tuple[int, int]] = []
        """Problems, and samples drawn, of the checkpoint up to here that has the fewest."""

    def append(self, point: LearningPoint) -> None:
        number = len(self.points)
        if number == self.columns.shape[1]:
            self.columns = np.concatenate([self.columns, np.empty_like(self.columns)], axis=1)
        self.columns[:, number] = [np.nan if (each := getattr(point, name)) is None else each for name in _COLUMNS]
        problems, drawn = self.fewest[-1] if number else (point.num_problems, point.num_drawn)
        self.fewest.append((min(problems, point.num_problems), min(drawn, point.num_drawn)))
        for name, parts in self.parts.items():
            parts.append(_added(parts[-1], getattr(point, name)))
        self.points.append(point)


class History(Sequence[LearningPoint]):
    """Checkpoints in their order, which never change: `plus` gives another history, in constant time.

    >>> list(History())
    []
    """

    __slots__ = ("_held", "_length")

    def __init__(self, points: Iterable[LearningPoint] = ()) -> None:
        self._held = _Held()
        for point in points:
            self._held.append(point)
        self._length = len(self._held.points)

    def plus(self, point: LearningPoint) -> Self:
        """This history with one checkpoint more; all that is known of those before is shared."""
        held = self._held
        if self._length == len(held.points):
            held.append(point)
        elif held.points[self._length] != point:  # another history went on from here otherwise
            return type(self)((*self, point))
        return self._upto(self._length + 1)

    def _upto(self, length: int) -> Self:
        made = type(self).__new__(type(self))
        made._held, made._length = self._held, length
        return made

    def column(self, name: str, last: float | None) -> Floats:
        """A field of every checkpoint and its value at the next one, NaN for None, shape (C + 1,)."""
        held_C = self._held.columns[_COLUMNS.index(name), : self._length]
        return np.append(held_C, np.nan if last is None else last)

    def accuracy(self, baseline: str, last: float) -> Floats:
        """`baseline_accuracy` of every checkpoint and that of the next one, shape (C + 1,).

        Raises:
            ArgumentError: as `baseline_accuracy`.
        """
        names = ("greedy_accuracy", "sampled_accuracy") if baseline == "best" else (f"{baseline}_accuracy",)
        found = self.column(names[0], last)
        for name in names[1:]:
            found = np.fmax(found, self.column(name, last))
        for place in np.flatnonzero(np.isnan(found)).tolist():
            baseline_accuracy(self[place], baseline)
        return found

    def fewest(self, point: LearningPoint) -> tuple[int, int]:
        """Problems, and samples drawn, of the checkpoint with the fewest; the next one, `point`, included."""
        own = point.num_problems, point.num_drawn
        if not self._length:
            return own
        problems, drawn = self._held.fewest[self._length - 1]
        return min(problems, own[0]), min(drawn, own[1])

    def evaluation_flops(self, *later: LearningPoint) -> float | None:
        """Evaluation FLOPs of all checkpoints and `later` ones, to the last bit; None where those of some are unknown.

        >>> History().evaluation_flops()
        0.0
        """
        return self._total("evaluation_flops", later)

    def evaluation_seconds(self, *later: LearningPoint) -> float | None:
        """Wall time of all evaluations, and `later` ones, likewise."""
        return self._total("evaluation_seconds", later)

    def _total(self, name: str, later: Sequence[LearningPoint]) -> float | None:
        parts = self._held.parts[name][self._length]
        for point in later:
            parts = _added(parts, getattr(point, name))
        return None if parts is None else math.fsum(parts)

    @overload
    def __getitem__(self, place: int) -> LearningPoint: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[LearningPoint]: ...
    def __getitem__(self, place: int | slice) -> LearningPoint | Sequence[LearningPoint]:
        """A checkpoint, or some of them; the first ones as a history."""
        if isinstance(place, slice):
            start, stop, step = place.indices(self._length)
            if start == 0 and step == 1:
                return self._upto(max(stop, 0))
            return [self._held.points[each] for each in range(self._length)[place]]
        return self._held.points[range(self._length)[place]]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[LearningPoint]:
        return iter(self._held.points[: self._length])

    def __eq__(self, other: object) -> bool:
        if isinstance(other, History) and other._held is self._held:
            return self._length == other._length
        return isinstance(other, History | tuple) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash((self._length, self[-1].step if self._length else 0))

    def __repr__(self) -> str:
        return f"History({list(self)!r})"


def _added(parts: tuple[float, ...] | None, value: float | None) -> tuple[float, ...] | None:
    """Floats with the exact sum of `parts` and `value`, few of them: what each addition rounds off is kept.

    Source:
        Shewchuk, Adaptive Precision Floating-Point Arithmetic (1997), as in `math.fsum`.

    >>> _added((1e16,), 1.0)
    (1.0, 1e+16)
    """
    if parts is None or value is None:
        return None
    kept = []
    for part in parts:
        small, large = sorted((value, part), key=abs)
        high = value + part
        if low := small - (high - large):
            kept.append(low)
        value = high
    return (*kept, value)
