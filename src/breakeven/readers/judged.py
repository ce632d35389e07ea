"""Solutions with verdicts on them, in files of others: sc-genrm-scaling's folders of YAML, or one JSON file.

SOLUTIONS/I.yaml                             samples, gt_answer
VERDICTS/problem_I/solution_J.yaml           verifications, each with its text, p(yes) and p(no), -1 where unknown
FILE.json or .json.gz                        answers (P x N), gold (P), scores (P x N x V)
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from breakeven.errors import LogError
from breakeven.readers.graded import Grader
from breakeven.readers.lines import json_value, lines_of
from breakeven.readers.option_table import check_readable
from breakeven.readers.safe_yaml import yaml_value
from breakeven.ttc.pool import Pool

_SAID: Final = re.compile(r"is the (?:answer|solution) correct\s*(?:\(yes/no\))?\W*(yes|no)\b", re.IGNORECASE)
_UNKNOWN: Final = -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedSolutions:
    """Solutions of P problems, and verdicts on the first ones of each."""

    voted: Pool
    """All solutions."""
    judged: Pool
    """Those with verdicts: `verdict_PNV` holds the chance of yes, -1 where there is none."""
    notes: tuple[str, ...]
    """What was left out, and how answers were compared."""


@dataclass(slots=True)
class _Problem:
    """As it was read, and where."""

    where: Path
    answers: list[str | None]
    right: list[bool]
    scores: list[list[float]]
    """Of each judged solution, NaN where there is no verdict."""


def read_judged(paths: Sequence[Path]) -> JudgedSolutions:
    """The solutions and verdicts of some files.

    Args:
        paths: a JSON file; or two folders, or one that has both in it.

    Raises:
        LogError: neither, or with a fault: the message names the file, what is wrong and the value.
        MissingExtraError: PyYAML is not installed.
    """
    for path in paths:
        if not path.is_dir():
            check_readable(path, "a folder of YAML files, or a JSON file with answers, gold and scores")
    if len(paths) == 1 and paths[0].is_file():
        return _joined(_json_problems(paths[0]), [])
    grader = Grader()
    with grader:
        problems, left_out = _yaml_problems(paths, grader)
    return _joined(problems, [*left_out, *grader.notes])


def _json_problems(path: Path) -> list[_Problem]:
    try:
        content = json_value("".join(lines_of(path)))
    except (ValueError, RecursionError) as error:
        raise LogError(f"{path} must be JSON: {error}.") from None
    lists = [content.get(name) for name in ("answers", "gold", "scores")] if isinstance(content, dict) else []
    sizes = [len(each) if isinstance(each, list) else type(each).__name__ for each in lists] or type(content).__name__
    if not lists or 0 in sizes or len({*sizes}) != 1 or isinstance(sizes[0], str):
        raise LogError(f"{path} must hold lists answers, gold and scores of as many problems; got {sizes}.")
    problems = []
    for number, (answers, gold, scores) in enumerate(zip(*lists, strict=True)):
        where = path / f"problem {number}"
        if not _texts(answers) or not isinstance(gold, str) or not isinstance(scores, list):
            raise LogError(f"{where} must have texts as answers, a text as gold, and a list of scores.")
        rows = [
            [_chance(each, where / f"solution {place}") for each in _list(row, where)]
            for place, row in enumerate(scores)
        ]
        answered = [each or None for each in answers]
        problems.append(_Problem(where, answered, [each == gold for each in answers], rows))
    return problems


def _yaml_problems(paths: Sequence[Path], grader: Grader) -> tuple[list[_Problem], list[str]]:
    folders = [each for path in paths for each in (path, *sorted(path.iterdir() if path.is_dir() else ()))]
    solved = _only([each for each in folders if _numbered(each, "*.yaml", "")], paths, "samples as I.yaml")
    verified = _only([each for each in folders if _numbered(each, "problem_*", "problem_")], paths, "problem_I")
    solutions, verdicts = _numbered(solved, "*.yaml", ""), _numbered(verified, "problem_*", "problem_")
    if missing := sorted(verdicts.keys() - solutions.keys()):
        raise LogError(f"{solved / f'{missing[0]}.yaml'} must be there, for {verdicts[missing[0]]} judges its samples.")
    unjudged = len(solutions.keys() - verdicts.keys())
    notes = [f"{unjudged} problems without verdicts are left out."] if unjudged else []
    return [_yaml_problem(solutions[each], verdicts[each], grader) for each in sorted(verdicts)], notes


def _only(found: Sequence[Path], paths: Sequence[Path], what: str) -> Path:
    if len(found) != 1:
        got = ", ".join(map(str, found)) or "none"
        raise LogError(f"{', '.join(map(str, paths))} must hold one folder with {what}; got {got}.")
    return found[0]


def _numbered(folder: Path, pattern: str, before: str) -> dict[int, Path]:
    """What has a number for its name, by number."""
    names = {each: each.name.removesuffix(".yaml").removeprefix(before) for each in folder.glob(pattern)}
    return {int(name): each for each, name in names.items() if name.isdecimal() and name.isascii()}


def _yaml_problem(solved: Path, verified: Path, grader: Grader) -> _Problem:
    content = yaml_value(solved)
    samples, gold = (
        (content.get(name) for name in ("samples", "gt_answer")) if isinstance(content, dict) else (None, None)
    )
    if not _texts(samples) or not samples:
        raise LogError(f"{solved} must hold samples, a list of texts; got {type(samples).__name__}.")
    if not isinstance(gold, str | int | float) or isinstance(gold, bool):
        remedy = "Quote it, where YAML takes it for something else."
        raise LogError(f"{solved} must hold gt_answer, a text or a number; got {gold!r}. {remedy}")
    files = _numbered(verified, "solution_*.yaml", "solution_")
    if not files:
        raise LogError(f"{verified} must hold solution_0.yaml and so on; it holds none.")
    for number in range(max(files) + 1):
        if number not in files:
            raise LogError(f"{verified / f'solution_{number}.yaml'} must be there, for {files[max(files)].name} is.")
    if len(files) > len(samples):
        raise LogError(
            f"{files[len(samples)]} must be of one of the {len(samples)} samples of {solved}; it has no number in it."
        )
    answers = [grader.extract(each) for each in samples]
    right = grader.right(str(gold), answers, solved)
    return _Problem(solved, answers, right, [_yaml_verdicts(files[number]) for number in range(len(files))])


def _yaml_verdicts(path: Path) -> list[float]:
    content = yaml_value(path)
    said = content.get("verifications") if isinstance(content, dict) else None
    if not isinstance(said, list) or not all(isinstance(each, dict) for each in said):
        raise LogError(f"{path} must hold verifications, a list of mappings; got {type(said).__name__}.")
    verdicts = []
    for number, each in enumerate(said):
        where = path / f"verification {number}"
        yes, no = (_chance(each.get(name), where, name) for name in ("p(yes)", "p(no)"))
        word = _SAID.findall(text) if isinstance(text := each.get("verification"), str) else []
        spoken = float(word[-1].lower() == "yes") if word else math.nan
        verdicts.append(yes if not math.isnan(yes) else spoken if math.isnan(no) else 1.0 - no)
    return verdicts


def _chance(value: Any, where: Path, name: str = "a score") -> float:
    """A chance of yes; NaN where it is not known."""
    if value is None or value == _UNKNOWN or value != value:  # NaN is not itself
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise LogError(f"{where}, {name}, must be from 0 to 1, or -1 or null where it is not known; got {value!r}.")
    return float(value)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _list(value: Any, where: Path) -> list[Any]:
    if not isinstance(value, list):
        raise LogError(f"{where} must have a list of scores for each solution; got {value!r}.")
    return value


def _joined(problems: Sequence[_Problem], notes: list[str]) -> JudgedSolutions:
    """As arrays: of what is unequal, as many as all have."""
    sizes = {
        "solutions": [len(each.answers) for each in problems],
        "judged solutions": [len(each.scores) for each in problems],
        "verdicts": [len(row) for each in problems for row in each.scores],
    }
    for what, counts in sizes.items():
        if not counts or min(counts) < 1:
            place = min(
                (each.where for each in problems if not each.scores or not all(each.scores)), default="a problem"
            )
            raise LogError(f"{place} must have at least one of its {what}; got none.")
        if min(counts) < max(counts):
            notes.append(
                f"Unequal numbers of {what}, {min(counts)} to {max(counts)}: the first {min(counts)} are taken."
            )
    size, judged, verdicts = (min(counts) for counts in sizes.values())
    if judged > size:
        raise LogError(f"{problems[0].where} must have a solution for each judged one; got {size} for {judged}.")
    label_PN = np.full((len(problems), size), -1, dtype=np.int16)
    for row, each in zip(label_PN, problems, strict=True):
        numbers = {answer: number for number, answer in enumerate(dict.fromkeys(filter(None, each.answers)))}
        row[:] = [-1 if answer is None else numbers[answer] for answer in each.answers[:size]]
    score_PNV = np.array([[row[:verdicts] for row in each.scores[:judged]] for each in problems])
    if unread := int(np.isnan(score_PNV).sum()):
        notes.append(
            f"{unread:,} of {score_PNV.size:,} verdicts are not known, and left out of their solution's score."
        )
    voted = Pool(correct_PN=np.array([each.right[:size] for each in problems]), label_PN=label_PN)
    return JudgedSolutions(
        voted=voted,
        judged=Pool(
            correct_PN=voted.correct_PN[:, :judged],
            label_PN=label_PN[:, :judged],
            verdict_PNV=np.where(np.isnan(score_PNV), -1.0, score_PNV),
        ),
        notes=tuple(notes),
    )
