"""One checkpoint problem by problem: which gain from more samples, which flipped, and what the model wrote."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.records import CheckpointRecord, SampleBank
from breakeven.report.document import Block, Completions, Paragraphs, Row, Table
from breakeven.report.format import format_accuracy, readable
from breakeven.report.shown import Shown
from breakeven.store.texts import Texts
from breakeven.ttc.strategies.pass_at_k import pass_at_k_per_problem

_MOST: Final = 1000
"""Problems in the table."""
_EXAMPLES: Final = 3
"""Problems of each kind whose completions are shown."""
_CHARACTERS: Final = 600
"""Of a completion, at most."""
HEADINGS: Final[Row] = ("problem", "greedy sample", "samples right", "any of 1", "any of K", "gain", "since then")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Problem:
    """Verdicts of one problem: `1`, `0`, `?`; an empty string where there are none."""

    place: int
    greedy: str
    samples: str
    one: float
    """Chance that one sample is right; NaN where none was graded."""
    several: float
    """Chance that one of `k` is; NaN where fewer were graded."""
    before: str
    """Of the greedy sample at the checkpoint it is held against."""

    @property
    def gain(self) -> float:
        return self.several - self.one

    @property
    def flipped(self) -> str:
        return {"01": "newly right", "10": "lost"}.get(self.before + self.greedy, "")


def problem_blocks(
    checkpoints: Sequence[Shown], at: int, texts: Texts | None
) -> tuple[Paragraphs, Table, Completions | None] | None:
    """Sentences, a row a problem, and some completions of the checkpoint `at`; None where others counted its samples.

    Args:
        checkpoints: all.
        at: the one shown, held against the one before it.
        texts: what the model wrote there, where it was kept.
    """
    shown = checkpoints[at]
    if not isinstance(shown, CheckpointRecord):
        return None
    before = checkpoints[at - 1] if at else None
    earlier = before if isinstance(before, CheckpointRecord) else None
    bank = shown.observation.bank
    problems = _problems(bank, None if earlier is None else earlier.observation.bank)
    since = "since then" if earlier is None else f"since step {earlier.decision.step}"
    sentences = [_summary(problems, f"validation problems at step {shown.decision.step}")]
    if earlier is not None and any(each.before and each.greedy for each in problems):
        newly = sum(each.flipped == "newly right" for each in problems)
        lost = sum(each.flipped == "lost" for each in problems)
        sentences.append(f"Since step {earlier.decision.step}, {newly} are newly right with one and {lost} are lost.")
    wrote = None if texts is None else _completions(problems, texts)
    return Paragraphs(texts=tuple(sentences)), _table(problems, _least(bank), since), wrote


def sampled_blocks(bank: SampleBank, texts: Texts) -> list[Block]:
    """The same of samples that belong to no run: a sentence, some completions, a row a problem."""
    problems = _problems(bank, None)
    wrote = _completions(problems, texts)
    return [
        Paragraphs(texts=(_summary(problems, "problems"),)),
        *([] if wrote is None else [wrote]),
        _table(problems, _least(bank)),
    ]


def _least(bank: SampleBank) -> int:
    """The fewest samples of a problem that was sampled: K of "any of K"."""
    return max(1, min((len(row) for row in bank.correct_PN if row), default=1))


def _table(problems: Sequence[_Problem], k: int, since: str | None = None) -> Table:
    """Those that gain most first; what changed where there is something before it."""
    ordered = sorted(problems, key=lambda each: (math.isnan(each.gain), -each.gain, each.place))[:_MOST]
    headings = (*HEADINGS[:4], f"any of {k}", HEADINGS[5], *([] if since is None else [since]))
    rows = tuple(_row(each)[: len(headings)] for each in ordered)
    return Table(label="Every problem", headings=headings, rows=rows, kind="checkpoints")


def _problems(bank: SampleBank, earlier: SampleBank | None) -> list[_Problem]:
    k = _least(bank)
    before = earlier.greedy_correct_P if earlier is not None and earlier.num_problems == bank.num_problems else ""
    right_P, graded_P = np.array(bank.num_correct_P), np.array(bank.num_graded_P)
    one_P, several_P = np.full(len(right_P), math.nan), np.full(len(right_P), math.nan)
    for chance_P, of in ((one_P, 1), (several_P, k)):
        enough_P = graded_P >= of
        if enough_P.any():
            chance_P[enough_P] = pass_at_k_per_problem(right_P[enough_P], graded_P[enough_P], [of])[:, 0]
    return [
        _Problem(
            place=place,
            greedy=bank.greedy_correct_P[place] if bank.greedy_correct_P else "",
            samples=row,
            one=float(one_P[place]),
            several=float(several_P[place]),
            before=before[place] if before else "",
        )
        for place, row in enumerate(bank.correct_PN)
    ]


def _row(problem: _Problem) -> Row:
    words = {"1": "right", "0": "wrong", "?": "check failed", "": "-"}
    drawn = f"{problem.samples.count('1')} of {len(problem.samples)}" if problem.samples else "-"
    shares = tuple("-" if math.isnan(each) else format_accuracy(each) for each in (problem.one, problem.several))
    gain = "-" if math.isnan(problem.gain) else f"{problem.gain:+.3f}"
    return (str(problem.place + 1), words[problem.greedy], drawn, *shares, gain, problem.flipped or "-")


def _summary(problems: Sequence[_Problem], what: str) -> str:
    if not any(each.greedy for each in problems):
        right = sum("1" in each.samples for each in problems)
        return f"Of {len(problems)} {what}, {right} are right with some sample of those drawn."
    greedy = sum(each.greedy == "1" for each in problems)
    sampled = [each for each in problems if each.samples and each.greedy != "1"]
    some, none = sum("1" in each.samples for each in sampled), sum("1" not in each.samples for each in sampled)
    unknown = len(problems) - greedy - some - none
    sentence = (
        f"Of {len(problems)} {what}, {greedy} are right with one greedy sample, {some} more with some sample of those "
        f"drawn, {none} with none"
    )
    return sentence + (f"; of {unknown} no sample was drawn." if unknown else ".")


def _completions(problems: Sequence[_Problem], texts: Texts) -> Completions | None:
    kept = [each for each in problems if each.place < len(texts.greedy_P) and each.samples and each.greedy != "1"]
    gaining = sorted((each for each in kept if each.gain > 0), key=lambda each: -each.gain)
    failing = [each for each in kept if "1" not in each.samples]
    shown = [*gaining[:_EXAMPLES], *failing[:_EXAMPLES]]
    if not shown:
        return None
    return Completions(of=tuple((_named(each), _written(each, texts)) for each in shown))


def _named(problem: _Problem) -> str:
    what = "right in some samples" if "1" in problem.samples else "right in none"
    return f"Problem {problem.place + 1}: {what} ({problem.samples.count('1')} of {len(problem.samples)})"


def _written(problem: _Problem, texts: Texts) -> tuple[tuple[str, str], ...]:
    samples = texts.texts_PN[problem.place]
    greedy = {"0": "greedy, wrong", "?": "greedy, its check failed"}.get(problem.greedy)
    written = [] if greedy is None else [(greedy, texts.greedy_P[problem.place])]
    for verdict, word in (("1", "a sample, right"), ("0", "a sample, wrong")):
        at = problem.samples.find(verdict)
        if 0 <= at < len(samples):
            written.append((word, samples[at]))
    return tuple((what, readable(text, _CHARACTERS)) for what, text in written)
