"""Single samples of one checkpoint, as they are collected from a file."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from breakeven.errors import LogError
from breakeven.readers.table import Rows, Table
from breakeven.readers.votes import fingerprint


@dataclass(slots=True)
class Lines:
    """The samples of one file."""

    problem: list[str] = field(default_factory=list)
    correct: list[int] = field(default_factory=list)
    greedy: list[int] = field(default_factory=list)
    answer: list[int] = field(default_factory=list)
    row: list[int] = field(default_factory=list)

    def add(self, problem: object, correct: int, *, greedy: bool, answer: object, row: int) -> None:
        """One sample; an answer of None does not vote."""
        self.problem.append(str(problem))
        self.correct.append(correct)
        self.greedy.append(int(greedy))
        self.answer.append(fingerprint(answer))
        self.row.append(row)

    def into(self, table: Table, path: Path, code: int) -> None:
        """Add the samples to a table, as those of the checkpoint with this number."""
        size = len(self.row)
        table.blocks.append(
            Rows(
                path=path,
                code_R=np.full(size, code, dtype=np.int32),
                problem_R=table.problem_codes(self.problem),
                samples_R=np.ones(size, dtype=np.int32),
                correct_R=np.array(self.correct, dtype=np.int32),
                greedy_R=np.array(self.greedy, dtype=np.int8),
                row_R=np.array(self.row, dtype=np.int32),
                answer_R=np.array(self.answer, dtype=np.int64),
            )
        )


def choose_score(names: list[str], asked: str | None, path: Path) -> str:
    """The score asked for with --metric, or the only one there is.

    Raises:
        LogError: no such score, or several to choose from.
    """
    listed = ", ".join(names)
    if asked is not None and asked not in names:
        raise LogError(f"{path} must have the score {asked} (--metric); it has {listed}.")
    if asked is None and len(names) > 1:
        raise LogError(f"{path} has several scores: {listed}. Choose one with --metric.")
    return names[0] if asked is None else asked
