"""Rows of any number of files as flat arrays, and the tallies made of them. About 20 bytes a row are held."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from breakeven.errors import LogError
from breakeven.readers.log import EvalCheckpoint, EvalLog, in_order
from breakeven.readers.plain import Column, texts_of
from breakeven.readers.votes import votes_of
from breakeven.ttc.tally import Tally

NO_ANSWER = 0
"""Fingerprint of a sample that holds no answer."""
GREEDY_ONLY, SAMPLED = 1, 0
_ARRAYS = ("code_R", "problem_R", "samples_R", "correct_R", "greedy_R", "answer_R", "row_R")


@dataclass(slots=True, kw_only=True)
class Rows:
    """Some rows of one file, as arrays of shape (R,). A row holds either counts of samples, or one sample."""

    path: Path
    code_R: npt.NDArray[Any]
    """Which checkpoint, in the order they were met."""
    problem_R: npt.NDArray[Any]
    """Which problem, in the order they were met."""
    samples_R: npt.NDArray[Any]
    correct_R: npt.NDArray[Any]
    greedy_R: npt.NDArray[Any]
    """Counts: whether the greedy sample is right, -1 where none was drawn. Single samples: whether it is greedy."""
    row_R: npt.NDArray[Any]
    answer_R: npt.NDArray[Any] | None = None
    """Fingerprints of the answers."""


@dataclass(slots=True)
class Table:
    """Rows as they are met; `log` makes the tallies.

    Args:
        source: what messages call the log.
        single: whether each row is one sample.
    """

    source: Path
    single: bool
    flops_at: dict[int, float] = field(default_factory=dict)
    """By step, in the order they were met."""
    problems: defaultdict[str, int] = field(default_factory=defaultdict)
    blocks: list[Rows] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    codes: dict[int, int] = field(default_factory=dict)
    _order: list[str] = field(default_factory=list)
    _order_texts: npt.NDArray[np.bytes_] | None = None

    def __post_init__(self) -> None:
        self.problems.default_factory = self.problems.__len__

    def code_of(self, step: int, train_flops: float, where: object) -> int:
        """The number of a checkpoint.

        Raises:
            LogError: the step was met with other FLOPs before.
        """
        known = self.flops_at.setdefault(step, train_flops)
        if known != train_flops:
            raise LogError(
                f"{where}, column train_flops, must be the same in all rows of step {step}; got {train_flops:.6g} "
                f"after {known:.6g}."
            )
        return self.codes.setdefault(step, len(self.codes))

    def problem_codes(self, names: Sequence[str]) -> npt.NDArray[np.int32]:
        """The numbers of problems, shape (R,)."""
        first, number = self.problems.get(names[0]) if names else None, len(self.problems)
        if first is not None and self.problems.get(names[-1]) == (first + len(names) - 1) % number:
            # As a rule all checkpoints have their problems in one order, and comparing is cheaper than looking up.
            if len(self._order) != number:
                self._order = list(self.problems)
                self._order_texts = texts_of(self._order)
            code_R = np.arange(first, first + len(names), dtype=np.int32) % number
            if isinstance(names, Column):
                if self._order_texts is not None and (names.text_R == self._order_texts[code_R]).all():
                    return code_R
            else:
                order = self._order * (1 + (first + len(names)) // number)
                if names == order[first : first + len(names)]:
                    return code_R
        return np.fromiter(map(self.problems.__getitem__, names), dtype=np.int32, count=len(names))

    def log(self, kind: str, *, oracle: bool) -> EvalLog:
        """The log of all rows.

        Raises:
            LogError: no row, a problem twice at a checkpoint, or no problem that all checkpoints share.
        """
        if not self.blocks:
            raise LogError(f"{self.source} must hold at least one row; it is empty.")
        order = in_order(self.source, self.flops_at)
        rows, ends = self._sorted()
        checkpoints = [slice(int(ends[code]), int(ends[code + 1])) for code in order.codes]
        notes = [*self.notes, *order.notes]
        twice = self._twice(rows, checkpoints)
        if twice is not None:
            raise twice
        common, note = self._common(rows, checkpoints, order.steps)
        notes += note
        drawn = rows.samples_R if not self.single else 1 - rows.greedy_R
        has_samples = any(bool(drawn[part].any()) for part in checkpoints)
        has_greedy, note = self._greedy_everywhere(rows, checkpoints, common, order.steps)
        notes += note
        if not has_samples and not has_greedy:
            raise LogError(f"{self.source} must hold samples or greedy samples of its problems; it has neither.")

        def build(index: int) -> EvalCheckpoint:
            tally, remarks = _tally(rows, checkpoints[index], common, self.single, has_greedy)
            return EvalCheckpoint(
                step=order.steps[index],
                train_flops=order.train_flops[index],
                tally=replace(tally, oracle=oracle),
                notes=remarks,
            )

        return EvalLog(
            format=kind,
            steps=order.steps,
            train_flops=order.train_flops,
            num_problems=len(common),
            has_greedy=has_greedy,
            has_samples=has_samples,
            notes=tuple(notes),
            build=build,
        )

    def _sorted(self) -> tuple[Rows, npt.NDArray[np.intp]]:
        """All rows, those of a checkpoint together, and where each checkpoint begins."""
        code_R = np.concatenate([block.code_R for block in self.blocks])
        order = None if bool((np.diff(code_R) >= 0).all()) else np.argsort(code_R, kind="stable")

        def whole(name: str) -> npt.NDArray[Any]:
            array = np.concatenate([getattr(block, name) for block in self.blocks])
            return array if order is None else array[order]

        voted = all(block.answer_R is not None for block in self.blocks)
        arrays = {name: whole(name) for name in _ARRAYS if voted or name != "answer_R"}
        ends = np.searchsorted(arrays["code_R"], np.arange(len(self.codes) + 1))
        return Rows(path=self.source, **arrays), ends

    def _twice(self, rows: Rows, checkpoints: list[slice]) -> LogError | None:
        """The error for a problem with two rows of counts, or two greedy samples, at one checkpoint."""
        for part in checkpoints:
            own = np.flatnonzero(rows.greedy_R[part]) if self.single else slice(None)
            problem_R = rows.problem_R[part][own]
            if len(problem_R) and np.bincount(problem_R).max() > 1:
                order = np.argsort(problem_R, kind="stable")
                again = order[1:][np.diff(problem_R[order]) == 0].min()
                row = int(rows.row_R[part][own][again])
                name = list(self.problems)[int(problem_R[again])]
                what = "have one greedy sample" if self.single else "stand in one row"
                step = list(self.codes)[int(rows.code_R[part.start])]
                path = self._file_of(rows, part, row, step)
                return LogError(
                    f"{path}, row {row}, column problem, must {what} a checkpoint; {name!r} is there twice."
                )
        return None

    def _file_of(self, rows: Rows, part: slice, row: int, step: int) -> Path:
        code = self.codes[step]
        return next(
            (each.path for each in self.blocks if ((each.code_R == code) & (each.row_R == row)).any()), rows.path
        )

    def _common(
        self, rows: Rows, checkpoints: list[slice], steps: tuple[int, ...]
    ) -> tuple[npt.NDArray[np.intp], list[str]]:
        """The problems that every checkpoint has, and a note on those left out."""
        met = np.zeros(len(self.problems), dtype=np.int64)
        fewest, at = len(self.problems) + 1, 0
        for part, step in zip(checkpoints, steps, strict=True):
            present = np.zeros(len(self.problems), dtype=bool)
            if self.single:
                present[rows.problem_R[part]] = True
            else:
                present[rows.problem_R[part][(rows.samples_R[part] > 0) | (rows.greedy_R[part] >= 0)]] = True
            met += present
            if present.sum() < fewest:
                fewest, at = int(present.sum()), step
        common = np.flatnonzero(met == len(checkpoints))
        dropped = int((met > 0).sum()) - len(common)
        if not len(common):
            raise LogError(
                f"{self.source} must have problems that all {len(steps)} checkpoints share; it has none. "
                f"Step {at} has the fewest, {fewest}."
            )
        if not dropped:
            return common, []
        return common, [
            f"{dropped} of {dropped + len(common)} problems are missing at some checkpoint and were left out "
            f"(step {at} has the fewest, {fewest}); decided on the {len(common)} that all share."
            + (" Without that checkpoint there would be more." if fewest < 0.9 * (dropped + len(common)) else "")
        ]

    def _greedy_everywhere(
        self, rows: Rows, checkpoints: list[slice], common: npt.NDArray[np.intp], steps: tuple[int, ...]
    ) -> tuple[bool, list[str]]:
        """Whether every common problem has a greedy sample at every checkpoint, and a note where only some have."""
        lacking, some = None, False
        for part, step in zip(checkpoints, steps, strict=True):
            held = np.zeros(len(self.problems), dtype=bool)
            held[rows.problem_R[part][rows.greedy_R[part] >= (1 if self.single else 0)]] = True
            number = int(held[common].sum())
            some |= number > 0
            if number < len(common) and lacking is None:
                lacking = f"step {step} has them for {number} of {len(common)} problems"
        if lacking is None or not some:
            return some, []
        return False, [f"Greedy samples were left out: {lacking}."]


def _tally(
    rows: Rows, part: slice, common: npt.NDArray[np.intp], single: bool, has_greedy: bool
) -> tuple[Tally, tuple[str, ...]]:
    """The tally of one checkpoint's rows, and notes."""
    problem_R, size = rows.problem_R[part], int(max(common[-1], rows.problem_R[part].max())) + 1
    correct_R, greedy_R = rows.correct_R[part], rows.greedy_R[part]
    greedy_P = np.zeros(size, dtype=bool)
    if not single:
        samples_P, correct_P = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        samples_P[problem_R], correct_P[problem_R] = rows.samples_R[part], correct_R
        greedy_P[problem_R] = greedy_R == 1
        return Tally(
            correct_P=correct_P[common],
            samples_P=samples_P[common],
            greedy_P=greedy_P[common] if has_greedy else None,
        ), ()
    drawn_R = greedy_R == SAMPLED
    greedy_P[problem_R[~drawn_R]] = correct_R[~drawn_R] == 1
    samples_P = np.bincount(problem_R[drawn_R], minlength=size)[common]
    correct_P = np.bincount(problem_R[drawn_R], correct_R[drawn_R], minlength=size).astype(np.int64)[common]
    greedy_common = greedy_P[common] if has_greedy else None
    tally = Tally(correct_P=correct_P, samples_P=samples_P, greedy_P=greedy_common)
    if rows.answer_R is None or not samples_P.any() or not rows.answer_R[part][drawn_R].any():
        return tally, ()
    kept_R = drawn_R & np.isin(problem_R, common)
    pool, notes = votes_of(problem_R[kept_R], rows.answer_R[part][kept_R], correct_R[kept_R] == 1)
    if greedy_common is not None:
        pool = replace(pool, greedy_P=greedy_common[samples_P > 0])
    return replace(tally, pool=pool), notes
