"""The pool strategies select from: what each sample answered, how it was scored, and, apart from both, its verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from breakeven.errors import argument_error
from breakeven.records import CHECK_FAILED, NO_ANSWER, Reward, SampleBank

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int16]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """N samples of each of P problems. A rule of selection is given labels and scores; `correct_PN` only grades."""

    correct_PN: Flags
    """Whether each sample is right."""
    label_PN: Labels | None = None
    """Equal numbers from 0 up are equal answers within a problem; -1 is no answer. None: answers were not recorded."""
    score_PN: Floats | None = None
    """Reward of each sample, higher is better; -inf is chosen only where nothing else is there."""
    verdict_PNV: npt.NDArray[np.int8] | Floats | None = None
    """Verdicts of a generative verifier on each sample: 1 yes, 0 no, or the chance of yes; -1 could not be read."""
    greedy_P: Flags | None = None
    """Whether the greedy sample of the same problems is right."""

    def __post_init__(self) -> None:
        shape = self.correct_PN.shape
        if len(shape) != 2 or 0 in shape:
            raise argument_error("correct_PN", "have at least one problem and one sample", shape)
        for name in ("label_PN", "score_PN", "verdict_PNV"):
            values = getattr(self, name)
            if values is not None and values.shape[:2] != shape:
                raise argument_error(name, f"have the shape {shape} of correct_PN", values.shape)
        if self.label_PN is not None and self.label_PN.min() < -1:
            raise argument_error("label_PN", "hold numbers from 0 up, or -1", int(self.label_PN.min()))
        if self.score_PN is not None and not (self.score_PN < np.inf).all():
            raise argument_error("score_PN", "hold numbers below infinity", "NaN or infinity")
        if self.verdict_PNV is not None and self.verdict_PNV.ndim != 3:
            raise argument_error("verdict_PNV", "have three dimensions", self.verdict_PNV.shape)
        if self.greedy_P is not None and self.greedy_P.shape != shape[:1]:
            rule = f"have one verdict for each of the {shape[0]} problems"
            raise argument_error("greedy_P", rule, len(self.greedy_P))

    @property
    def num_problems(self) -> int:
        """P."""
        return len(self.correct_PN)

    @property
    def num_samples(self) -> int:
        """N."""
        return int(self.correct_PN.shape[1])

    @property
    def answered_PN(self) -> Flags:
        """Which samples hold an answer; all, where answers were not recorded."""
        return np.ones_like(self.correct_PN) if self.label_PN is None else self.label_PN >= 0


def require_labels(pool: Pool, strategy: str) -> Labels:
    """The labels, or the error that says who needs them."""
    if pool.label_PN is None:
        raise argument_error("pool.label_PN", f"be given for {strategy}", None, "Record answers: they are voted on.")
    return pool.label_PN


def require_scores(pool: Pool, strategy: str) -> Floats:
    """The scores, or the error that says who needs them."""
    if pool.score_PN is None:
        remedy = "Score the samples with a reward model."
        raise argument_error("pool.score_PN", f"be given for {strategy}", None, remedy)
    return pool.score_PN


def count_labels(label_PN: Labels) -> npt.NDArray[np.int64]:
    """Samples of each answer, shape (P, A), with A the most answers of any problem, at least 1.

    >>> count_labels(np.array([[0, 1, 0], [-1, 0, -1]], dtype=np.int16)).tolist()
    [[2, 1], [1, 0]]
    """
    num_labels = max(1, int(label_PN.max()) + 1)
    flat = label_PN + np.arange(len(label_PN))[:, None] * num_labels
    counts = np.bincount(flat[label_PN >= 0], minlength=len(label_PN) * num_labels)
    return counts.reshape(len(label_PN), num_labels)


def grade_labels(label_PN: Labels, correct_PN: Flags) -> Floats:
    """Share of the samples of each answer that are right, shape (P, A): several answers of a problem may be right.

    It is 0 or 1 but where samples with the same answer were judged differently; then it is the chance that one of
    them, served, is right.
    """
    counts = count_labels(label_PN)
    held = (label_PN >= 0) & correct_PN
    flat = label_PN + np.arange(len(label_PN))[:, None] * counts.shape[1]
    right = np.bincount(flat[held], minlength=counts.size).reshape(counts.shape)
    grade: Floats = right / np.maximum(counts, 1)
    return grade


def pool_of(bank: SampleBank) -> Pool | None:
    """The pool of a bank's sampled problems; where some have more samples than others, of the first ones of each.

    None where no sample was drawn, or neither answers nor scores are there to select by. A sample whose check failed
    keeps its place but does not vote, and is selected only where nothing else can be.
    """
    drawn = [problem for problem, row in enumerate(bank.correct_PN) if row.strip(CHECK_FAILED)]
    if not drawn or not (bank.answer_PN or bank.score_PN):
        return None
    size = min(len(bank.correct_PN[problem]) for problem in drawn)
    verdict_PN = np.array([list(bank.correct_PN[problem][:size]) for problem in drawn])
    failed_PN = verdict_PN == CHECK_FAILED
    label_PN = score_PN = None
    if bank.answer_PN:
        label_PN = np.full((len(drawn), size), -1, dtype=np.int16)
        for place, problem in enumerate(drawn):
            answers = bank.answer_PN[problem][:size]
            numbers = {label: number for number, label in enumerate(dict.fromkeys(answers.replace(NO_ANSWER, "")))}
            label_PN[place] = [numbers.get(label, -1) for label in answers]
        label_PN[failed_PN] = -1
    if bank.score_PN:
        score_PN = np.array([bank.score_PN[problem][:size] for problem in drawn], dtype=np.float64)
        score_PN[failed_PN] = -np.inf
    return Pool(
        correct_PN=verdict_PN == "1",
        label_PN=label_PN,
        score_PN=score_PN,
        greedy_P=np.array([bank.greedy_correct_P[problem] == "1" for problem in drawn])
        if bank.greedy_correct_P
        else None,
    )


def verdicts_of(rewards: Sequence[Sequence[Reward]]) -> npt.NDArray[np.int8]:
    """`Pool.verdict_PNV` of the rewards of P problems x N samples; rows with fewer verdicts end in -1.

    >>> verdicts_of([[Reward(value=0.5, verdicts="1?0"), Reward(value=1.0, verdicts="1")]]).tolist()
    [[[1, -1, 0], [1, -1, -1]]]
    """
    most = max((len(reward.verdicts) for row in rewards for reward in row), default=0)
    code = {"1": 1, "0": 0}
    return np.array(
        [[[code.get(each, -1) for each in reward.verdicts.ljust(most, "?")] for reward in row] for row in rewards],
        dtype=np.int8,
    ).reshape(len(rewards), -1, most)
