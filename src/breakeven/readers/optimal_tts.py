"""Results as RyanLiu112/compute-optimal-tts writes them: SAVE/TASK_method/MODEL/RM/setting/question_I/record_J.jsonl.

An object a line: `question`, `groundtruth`, `result` (0 or 1 by rule of choice, an aggregator) and `output`, the paths,
each with `extracted_answer`, `value`, `completion_tokens` and `tree_completion_tokens`. What a setting served is read
from `result`; its paths tell difficulty where it is the setting that is kept for that.

A reward call that failed twice has a reward of 0 there, and no file says which.
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from breakeven.errors import LogError
from breakeven.jsonl import json_rows
from breakeven.readers.attempts import MAX_ATTEMPTS, MAX_FILES, Attempt, Attempts, Found, Ran, canonical, refused
from breakeven.records import Reward

_QUESTION: Final = "question_"
_SAMPLED: Final = ("best_of_n", "cot")
"""Methods whose paths are independent samples, so that a vote asks no reward model."""
_VOTE: Final = "majority_vote"


def holds_questions(directory: Path) -> bool:
    """Whether a folder holds results of that layout."""
    return next(_folders(directory), None) is not None


@dataclass(frozen=True, slots=True)
class _Record:
    """One object of a file."""

    question: str
    result: dict[str, float]
    attempts: tuple[Attempt, ...]
    tokens: int


def read_optimal_tts(directory: Path) -> list[Attempts]:
    """Of each setting in a folder, its paths, and what each aggregator served; in the order of their names.

    Raises:
        LogError: a file that is not of that layout, or aggregators that some records of a setting lack.
    """
    settings = dict[Path, dict[str, list[_Record]]]()
    for folder in _folders(directory):
        for path in sorted(folder.glob("*.jsonl")):
            for number, row in json_rows(path, LogError):
                record = _record(path, f"line {number}", row, folder.parent)
                questions = settings.setdefault(folder.parent, {})
                first = next(iter(questions.values()), [record])[0]
                if set(record.result) != set(first.result):
                    rule = f"have a result by each of {', '.join(sorted(first.result))}, as others of its setting"
                    remedy = "Evaluate all records of a setting by the same aggregators."
                    raise refused(path, f"line {number}", rule, sorted(record.result), remedy)
                questions.setdefault(record.question, []).append(record)
    if not settings:
        raise refused(directory, "", "hold records, question_I/record_J.jsonl", "none")
    return [_setting(directory, folder, questions) for folder, questions in sorted(settings.items())]


def _folders(directory: Path) -> Iterator[Path]:
    """The folders of questions, in the order of their names; links are not followed."""
    seen = 0
    for root, folders, files in os.walk(directory):
        folders.sort()
        seen += len(files) + len(folders)
        if seen > MAX_FILES:
            raise refused(directory, "", f"hold at most {MAX_FILES} files", f"more, up to {root}", "Give a part of it.")
        if Path(root).name.startswith(_QUESTION):
            yield Path(root)


def _record(path: Path, where: str, row: dict[str, Any], setting: Path) -> _Record:
    question, gold, result, output = (row.get(key) for key in ("question", "groundtruth", "result", "output"))
    if not isinstance(question, str) or not isinstance(gold, str):
        raise refused(path, where, "hold the texts question and groundtruth", [question, gold])
    if not isinstance(result, dict) or not result:
        raise refused(path, where, "hold result, an object with a number for each aggregator", result)
    for name, value in result.items():
        if type(value) not in (int, float, bool) or not 0 <= value <= 1:
            raise refused(path, f"{where}, result {name}", "be from 0 to 1", value)
    if not isinstance(output, list) or not 1 <= len(output) <= MAX_ATTEMPTS:
        raise refused(path, where, f"hold output, a list of 1 to {MAX_ATTEMPTS} paths", output)
    reward_model = setting.parent.name
    attempts = tuple(
        _attempt(path, f"{where}, path {place}", each, canonical(gold), reward_model)
        for place, each in enumerate(output)
    )
    tree = [each.get("tree_completion_tokens") or 0 for each in output]
    if not all(type(each) is int and each >= 0 for each in tree):
        raise refused(path, where, "have tree_completion_tokens that are counts", tree)
    return _Record(
        question=question,
        result={name: float(value) for name, value in result.items()},
        attempts=attempts,
        tokens=sum(tree) or sum(each.output_tokens for each in attempts),
    )


def _attempt(path: Path, where: str, row: Any, gold: str, reward_model: str) -> Attempt:
    if not isinstance(row, dict):
        raise refused(path, where, "be an object", row)
    tokens, value, answer = (row.get(key) for key in ("completion_tokens", "value", "extracted_answer"))
    if type(tokens) is not int or tokens < 1:
        raise refused(path, where, "have completion_tokens of at least 1", tokens, "They are its price.")
    rewards = {}
    if value is not None:
        if type(value) not in (int, float) or not math.isfinite(value):
            raise refused(path, where, "have a value that is a finite number, or null", value)
        rewards[reward_model] = Reward(value=float(value), read_tokens=tokens)
    form = canonical(answer) if isinstance(answer, str) and answer.strip() else None
    return Attempt(answer=form, right=form == gold, output_tokens=tokens, rewards=rewards)


def _setting(directory: Path, folder: Path, questions: dict[str, list[_Record]]) -> Attempts:
    name = folder.relative_to(directory).as_posix() if folder != directory else folder.name
    first = next(iter(questions.values()))[0]
    k = max(len(each.attempts) for records in questions.values() for each in records)
    sampled = any(each in part for part in folder.parts for each in _SAMPLED)

    def found(records: list[_Record], aggregator: str) -> Found:
        tokens = round(sum(each.tokens for each in records) / len(records))
        right = sum(each.result[aggregator] for each in records) / len(records)
        return Found(accuracy=right, output_tokens=tokens, read_tokens=tokens)

    return Attempts(
        path=folder,
        attempts={
            question: tuple(attempt for each in records for attempt in each.attempts)
            for question, records in questions.items()
        },
        ran=tuple(
            Ran(
                strategy=f"{name} {aggregator}",
                k=k,
                reward_model="" if sampled and aggregator == _VOTE else folder.parent.name,
                found={question: found(records, aggregator) for question, records in questions.items()},
            )
            for aggregator in sorted(first.result)
        ),
        notes=(f"{directory}: the tokens of prompts are not in the files, and not counted; nor is attention",),
    )
