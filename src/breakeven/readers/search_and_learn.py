"""Completions as huggingface/search-and-learn writes them: a JSONL file, a problem with all its completions a line.

`problem`, `answer`, `completions` (texts), `scores` (a list of step rewards for each), `completion_tokens` (a number
for each). A file whose name says beam_search or dvts holds the ends of searches, which are served together; any other
independent samples, which may be voted on in any number. Its own `pred_...@n` are of one subset each, and not read.
"""

import math
from pathlib import Path
from typing import Any, Final

from breakeven.data.answers.math_find import math_answer
from breakeven.errors import LogError
from breakeven.jsonl import json_rows
from breakeven.readers.attempts import MAX_ATTEMPTS, Attempt, Attempts, Found, Ran, canonical, refused
from breakeven.records import Reward
from breakeven.ttc.search.select import SelectionRule, chance_right

REWARD_MODEL: Final = "its"
"""The name of the reward model, of which such a file says nothing."""
_SEARCHES: Final = ("beam_search", "dvts")
_RULES: Final[tuple[SelectionRule, ...]] = ("best_of_n", "weighted_vote", "majority_vote")


def is_search_and_learn(row: dict[str, Any]) -> bool:
    """Whether the first row of a file is of that layout."""
    return {"problem", "answer", "completions", "completion_tokens"} <= set(row)


def read_search_and_learn(path: Path) -> Attempts:
    """The attempts, or the ends of searches, in a file.

    Answers are compared in canonical form, as text: those that only a symbolic checker equates count as different.

    Raises:
        LogError: not such a file, a value that is none of its kind, or a problem that is there twice.
    """
    rows = dict[str, tuple[Attempt, ...]]()
    for number, row in json_rows(path, LogError):
        where = f"line {number}"
        problem, gold = row.get("problem"), row.get("answer")
        if not isinstance(problem, str) or not isinstance(gold, str):
            raise refused(path, where, "hold the texts problem and answer", [problem, gold])
        if problem in rows:
            raise refused(path, where, "hold a problem that is not there before", problem)
        rows[problem] = _attempts(path, where, row, gold)
    if not rows:
        raise refused(path, "", "hold at least one problem", "none")
    note = f"{path}: the tokens of prompts are not in the file, and not counted; nor is attention"
    search = next((each for each in _SEARCHES if each in path.name), None)
    if search is None:
        return Attempts(path=path, attempts=rows, notes=(note,))
    pruned = f"{path}: the tokens of beams that were given up are not in the file, and not counted"
    return Attempts(
        path=path, attempts={}, ran=tuple(_ran(search, rule, rows) for rule in _RULES), notes=(note, pruned)
    )


def _attempts(path: Path, where: str, row: dict[str, Any], gold: str) -> tuple[Attempt, ...]:
    texts: Any = row.get("completions")
    tokens: Any = row.get("completion_tokens")
    scores: Any = row.get("scores")
    if not isinstance(texts, list) or not 1 <= len(texts) <= MAX_ATTEMPTS:
        raise refused(path, where, f"have completions, a list of 1 to {MAX_ATTEMPTS} texts", texts)
    for name, values in (("completion_tokens", tokens), *((("scores", scores),) if scores is not None else ())):
        if not isinstance(values, list) or len(values) != len(texts):
            got = len(values) if isinstance(values, list) else values
            raise refused(path, where, f"have {name}, one for each of the {len(texts)} completions", got)
    expected, attempts = canonical(gold), []
    for place, text in enumerate(texts):
        at = f"{where}, completion {place}"
        if not isinstance(text, str):
            raise refused(path, at, "be a text", text)
        if type(tokens[place]) is not int or tokens[place] < 1:
            raise refused(path, at, "have completion_tokens of at least 1", tokens[place], "They are its price.")
        answer = math_answer(text)
        answer = None if answer is None else canonical(answer)
        rewards = {}
        if scores is not None:
            rewards[REWARD_MODEL] = Reward(value=_last(path, at, scores[place]), read_tokens=tokens[place])
        attempts.append(Attempt(answer=answer, right=answer == expected, output_tokens=tokens[place], rewards=rewards))
    return tuple(attempts)


def _last(path: Path, where: str, scores: Any) -> float:
    """The last step's reward, which is what the tool's own aggregation takes."""
    value = scores[-1] if isinstance(scores, list) and scores else scores
    if type(value) not in (int, float) or not math.isfinite(value):
        raise refused(path, where, "have scores that are finite numbers", scores, "NaN and null are none.")
    return float(value)


def _ran(search: str, rule: SelectionRule, rows: dict[str, tuple[Attempt, ...]]) -> Ran:
    def found(attempts: tuple[Attempt, ...]) -> Found:
        tokens = sum(each.output_tokens for each in attempts)
        return Found(
            accuracy=chance_right(
                [each.answer for each in attempts],
                [each.rewards[REWARD_MODEL].value if each.rewards else math.nan for each in attempts],
                [each.right for each in attempts],
                rule,
            ),
            output_tokens=tokens,
            read_tokens=tokens,
        )

    return Ran(
        strategy=f"{search}/{rule}",
        k=max(map(len, rows.values())),
        reward_model=REWARD_MODEL,
        found={problem: found(attempts) for problem, attempts in rows.items()},
    )
