"""The classification tasks of GLUE, in the layout of its own archives, and as exported from Hugging Face's datasets.

Source: A. Wang et al., GLUE: a multi-task benchmark and analysis platform for natural language understanding,
arXiv:1804.07461. Order of classes: that of the Hugging Face dataset `glue`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from breakeven import check
from breakeven.data.labelled.examples import Examples
from breakeven.data.labelled.given import Given
from breakeven.data.labelled.rows import ENDS, table_rows
from breakeven.errors import argument_error
from breakeven.jsonl import line_fault

_ENTAILED: Final = ("entailment", "not_entailment")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One task: its classes, and the columns of its texts, in each layout."""

    classes: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    label: tuple[str, ...] = ("label",)
    metrics: tuple[str, ...] = ("accuracy",)
    headerless: tuple[str, ...] = ()
    validation: tuple[str, ...] = ("dev", "validation")
    broken_rows: bool = False
    """Whether the published file has rows that are cut in two or lack a label, which its users leave out."""


TASKS: Final = {
    "cola": _Task(
        classes=("unacceptable", "acceptable"),
        texts=(("sentence",),),
        metrics=("matthews",),
        headerless=("source", "label", "mark", "sentence"),
    ),
    "sst2": _Task(classes=("negative", "positive"), texts=(("sentence",),)),
    "mrpc": _Task(
        classes=("not_equivalent", "equivalent"),
        texts=(("#1 String", "#2 String"), ("sentence1", "sentence2")),
        label=("Quality", "label"),
        metrics=("accuracy", "f1"),
    ),
    "qqp": _Task(
        classes=("not_duplicate", "duplicate"),
        texts=(("question1", "question2"),),
        label=("is_duplicate", "label"),
        metrics=("accuracy", "f1"),
        broken_rows=True,
    ),
    "mnli": _Task(
        classes=("entailment", "neutral", "contradiction"),
        texts=(("sentence1", "sentence2"), ("premise", "hypothesis")),
        label=("gold_label", "label"),
        validation=("dev_matched", "validation_matched"),
    ),
    "qnli": _Task(classes=_ENTAILED, texts=(("question", "sentence"),)),
    "rte": _Task(classes=_ENTAILED, texts=(("sentence1", "sentence2"),)),
    "wnli": _Task(classes=("not_entailment", "entailment"), texts=(("sentence1", "sentence2"),)),
}
_UNLABELLED: Final = (
    "GLUE does not publish the labels of its test sets: take the validation file (dev.tsv), or name the folder, whose "
    "test split is made of training rows."
)


def glue(task: str, path: str) -> Given:
    """Training and validation rows of a task's folder, or the rows of one file.

    Args:
        task: one of `TASKS`.
        path: the folder with `train.tsv` and `dev.tsv` (of MNLI `dev_matched.tsv`), or `train` and `validation` as
            TSV, CSV or JSONL; or one such file, plain or gzip.

    Raises:
        ArgumentError: no such task, or one without classes; no such files; when they are read, rows that lack a column
            or a label.
    """
    if task in ("stsb", "sts-b"):
        remedy = f"Tasks with classes: {', '.join(TASKS)}."
        raise argument_error("task", "have classes; STS-B rates similarity from 0 to 5, a regression", task, remedy)
    check.one_of("task", task, TASKS, check.did_you_mean(task, TASKS))
    name, where = f"glue:{task}:{path}", Path(path)
    if not where.is_dir():
        return {"train": lambda: _examples(name, TASKS[task], where)}
    train, validation = _file(where, ("train",)), _file(where, TASKS[task].validation)
    return {
        "train": lambda: _examples(name, TASKS[task], train),
        "validation": lambda: _examples(name, TASKS[task], validation),
    }


def _file(folder: Path, stems: tuple[str, ...]) -> Path:
    tried = [folder / f"{stem}{end}" for stem in stems for end in ENDS]
    found = next((each for each in tried if each.is_file()), None)
    if found is None:
        raise argument_error(str(folder), f"hold {' or '.join(stems)} as TSV, CSV or JSONL", "none of them")
    return found


def _examples(name: str, task: _Task, path: Path) -> Examples:
    ids: list[str] = []
    labels: list[int] = []
    texts: list[tuple[str, ...]] = []
    broken = 0
    for number, row in table_rows(path, task.headerless, may_break=task.broken_rows):
        pair = next((each for each in task.texts if set(each) <= set(row)), None)
        label = next((each for each in task.label if each in row), None)
        if task.broken_rows and (not row or (label and row[label] == "")):
            broken += 1
            continue
        if pair is None:
            rule = f"must have {' or '.join(map(' and '.join, task.texts))}"
            raise line_fault(path, number, rule, sorted(row), "Is it a file of this task?")
        if label is None:
            raise line_fault(path, number, f"must have {' or '.join(task.label)}", sorted(row), _UNLABELLED)
        ids.append(str(number))
        labels.append(_label(path, number, task, row[label]))
        texts.append(tuple(_text(path, number, row, each) for each in pair))
    return Examples(
        name=name,
        classes=task.classes,
        label_P=np.array(labels, dtype=np.int64),
        texts=tuple(texts),
        ids=tuple(ids),
        metrics=task.metrics,
        left_out=(f"{broken:,} broken rows",) if broken else (),
    )


def _label(path: Path, number: int, task: _Task, label: object) -> int:
    """A class as its number, or as its name."""
    written = str(label).strip()
    if written in ("-1", "-", ""):
        raise line_fault(path, number, "must have a label", label, _UNLABELLED)
    if written in task.classes:
        return task.classes.index(written)
    if written not in map(str, range(len(task.classes))):
        known = f"must have a label of 0 to {len(task.classes) - 1}, or of {', '.join(task.classes)}"
        raise line_fault(path, number, known, label, "Is it a file of this task?")
    return int(written)


def _text(path: Path, number: int, row: Mapping[str, Any], column: str) -> str:
    if not isinstance(row[column], str):
        raise line_fault(path, number, f"must have text in {column}", row[column], "Put it in quotes.")
    return str(row[column]).strip()
