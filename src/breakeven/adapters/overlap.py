"""Problems that are trained on as well, found in the rows of the training data before a step is trained.

Looked at is what is read without running anybody's code: lists, and data sets of `datasets`, their transforms left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from breakeven.records import Prefix, Problem
from breakeven.sampling.prompts import PromptEncoder
from breakeven.session.voice import warn

_MOST_ROWS = 10_000
_MOST_COMPARED = 2_000_000
"""Rows times problems."""
_MOST_READ = 5_000_000
"""Characters and tokens of all rows. Each of the three is about a second."""
_SLICE = 500
_WHOLE_QUESTION = 20
"""Characters of a cell that a prompt must be around to be the same question: shorter ones are in many prompts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Of how many problems the prompts were found, and in how many rows they were looked for."""

    num_found: int
    num_problems: int
    num_rows: int
    is_whole: bool
    """Whether these are all rows."""

    def __str__(self) -> str:
        where = "the training data" if self.is_whole else f"the first {self.num_rows} rows of the training data"
        return (
            f"{self.num_found} of the {self.num_problems} problems that are decided on are in {where}, word for word: "
            "what is measured on them is no forecast for other problems. Evaluate on some that are not trained on."
        )


def warn_of_overlap(problems: Sequence[Problem], dataset: Any, prompts: PromptEncoder | None) -> None:
    """Say so where problems are trained on; rows that cannot be read are in nobody's way."""
    try:
        found = overlap(problems, dataset, prompts)
    except Exception as error:
        warn(f"the problems were not looked for in the training data: {type(error).__name__}: {error}")
        return
    if found.num_found:
        warn(str(found))


def overlap(problems: Sequence[Problem], dataset: Any, prompts: PromptEncoder | None) -> Overlap:
    """How many problems are in the first rows of a data set.

    A row holds a problem if a text of it, or a message in it, is the prompt or begins with it; if the prompt is the
    only one that is written around such a text; or if its `input_ids` begin with the prompt's.

    Args:
        problems: that are decided on.
        dataset: of the training; one of another kind has no rows.
        prompts: writes them as token ids; None where rows have texts.
    """
    texts = _Beginnings((place, each.prompt.strip()) for place, each in enumerate(problems))
    ids = None
    if prompts is not None:
        ids = _Beginnings((place, tuple(prompts.encode(Prefix(problem=each)))) for place, each in enumerate(problems))
    most_rows = min(_MOST_ROWS, _MOST_COMPARED // len(problems))
    found, num_rows, read = set[int](), 0, 0
    for row in _rows(dataset):
        if num_rows >= most_rows or read > _MOST_READ:
            break
        num_rows += 1
        for text in _texts(row):
            read += len(text)
            found.update(texts.of(text))
            if len(text) >= _WHOLE_QUESTION:
                around = [place for place, each in enumerate(problems) if text in each.prompt]
                found.update(around if len(around) == 1 else ())
        tokens = row.get("input_ids") if isinstance(row, Mapping) else None
        if ids is not None and tokens is not None:
            whole = tuple(tokens.tolist() if hasattr(tokens, "tolist") else tokens)
            read += len(whole)
            found.update(ids.of(whole))
    is_whole = num_rows == (len(dataset) if num_rows else 0)
    return Overlap(num_found=len(found), num_problems=len(problems), num_rows=num_rows, is_whole=is_whole)


class _Beginnings:
    """Texts, or rows of tokens, told by how they begin."""

    def __init__(self, given: Iterator[tuple[int, Any]]) -> None:
        known = [(place, each) for place, each in given if each]
        self._length = min((len(each) for _, each in known), default=0)
        self._by_head: dict[Any, list[tuple[int, Any]]] = {}
        for place, each in known:
            self._by_head.setdefault(each[: self._length], []).append((place, each))

    def of(self, whole: Any) -> Iterator[int]:
        """The places of those that `whole` is or begins with; no word is cut."""
        for place, each in self._by_head.get(whole[: self._length], ()):
            size = len(each)
            is_cut = isinstance(whole, str) and len(whole) > size and whole[size - 1 : size + 1].isalnum()
            if whole[:size] == each and not is_cut:
                yield place


def _rows(dataset: Any) -> Iterator[Any]:
    if isinstance(dataset, list | tuple):
        yield from dataset
    elif hasattr(dataset, "with_format") and hasattr(dataset, "select_columns") and hasattr(dataset, "__len__"):
        plain = dataset.with_format(None)
        first = plain[0] if len(plain) else {}
        names = [name for name, cell in first.items() if name == "input_ids" or next(_texts({name: cell}), None)]
        plain = plain.select_columns(names)
        for start in range(0, len(plain) if names else 0, _SLICE):
            columns = plain[start : start + _SLICE]
            yield from (dict(zip(names, cells, strict=True)) for cells in zip(*map(columns.get, names), strict=True))


def _texts(row: Any) -> Iterator[str]:
    """All cells of text, and the messages of a chat."""
    for cell in row.values() if isinstance(row, Mapping) else (row,):
        parts = cell if isinstance(cell, list) and cell and isinstance(cell[0], Mapping) else (cell,)
        for part in parts:
            text = part.get("content") if isinstance(part, Mapping) else part
            if isinstance(text, str) and text.strip():
                yield text.strip()
