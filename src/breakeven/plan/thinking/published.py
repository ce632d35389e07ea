"""What arXiv 2412.16260 has of Quiet-STaR and REBASE, Mistral-7B on GSM8K: its abstract, as labelled data.

Its accuracies are those of 128 questions: 41, 14 and 12 of them. The baseline is not given, nor FLOPs of the
combination, nor which questions each solved.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from breakeven.eval.intervals import wilson
from breakeven.records import Made
from breakeven.records.plans import Finding, PlanTable
from breakeven.report.format import format_flops

NUM_QUESTIONS: Final = 128
"""The least number that gives all three accuracies to their two decimals."""
PARAMS: Final = 7.24e9
"""Of Mistral-7B, for the tokens that the published FLOPs are at 2 N each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A line of the abstract."""

    name: str
    percent: float
    num_right: int
    seconds: float
    flops: float | None
    """As printed; None: not given. By their size they are of one question, which the paper does not say."""

    @property
    def rate(self) -> float:
        """Share of the questions that are right."""
        return self.num_right / NUM_QUESTIONS

    @property
    def tokens(self) -> float | None:
        """Tokens that cost as many FLOPs, at 2 N each."""
        return None if self.flops is None else self.flops / (2 * PARAMS)


THOUGHT: Final = Published(name="Quiet-STaR", percent=32.03, num_right=41, seconds=554.66, flops=12.73e12)
REBASE: Final = Published(name="REBASE", percent=10.94, num_right=14, seconds=8.47, flops=2.35e12)
BOTH: Final = Published(name="Quiet-STaR with REBASE", percent=9.38, num_right=12, seconds=143.66, flops=None)


def difference(first: Published, second: Published) -> tuple[float, float, float]:
    """The second accuracy less the first, with its 90 % interval.

    Estimator:
        Of independent shares, since which questions each solved is not published: pairing them could only be guessed.

    Source:
        Newcombe, Statistics in Medicine 17 (1998) 873, method 10, on Wilson's intervals.

    >>> [round(each, 3) for each in difference(REBASE, BOTH)]
    [-0.016, -0.079, 0.048]
    """
    value = second.rate - first.rate
    (lo_1, hi_1), (lo_2, hi_2) = wilson(first.rate, NUM_QUESTIONS), wilson(second.rate, NUM_QUESTIONS)
    below = math.hypot(second.rate - lo_2, hi_1 - first.rate)
    above = math.hypot(hi_2 - second.rate, first.rate - lo_1)
    return value, value - below, value + above


def published_findings() -> Iterator[Finding]:
    """What these numbers can bear: one lead, and no harm of the combination."""
    for first, second in ((REBASE, THOUGHT), (REBASE, BOTH)):
        value, lo, hi = difference(first, second)
        count = second.num_right - first.num_right
        text = f"Published (arXiv 2412.16260): {second.name} less {first.name}, {count:+d} of {NUM_QUESTIONS} questions"
        chance = "; no difference beyond chance" if lo <= 0 <= hi else ""
        yield Finding(text=f"{text}{chance}", value=value, lo=lo, hi=hi, made=Made.PUBLISHED)


def published_table() -> PlanTable:
    """The three lines, each with its interval."""
    rows = []
    for each in (THOUGHT, REBASE, BOTH):
        lo, hi = wilson(each.rate, NUM_QUESTIONS)
        rows.append(
            (
                each.name,
                f"{each.num_right} of {NUM_QUESTIONS}, {each.percent} %",
                f"{100 * lo:.1f} to {100 * hi:.1f} %",
                "not given" if each.flops is None else format_flops(each.flops),
                "-" if each.tokens is None else f"{each.tokens:.0f}",
                f"{each.seconds:g}",
            )
        )
    return PlanTable(
        label="Published (arXiv 2412.16260, abstract): Mistral-7B on GSM8K; the count and the interval are ours",
        headings=("way", "right", "90 % interval", "FLOPs, as printed", "tokens at 2 N each", "seconds"),
        rows=tuple(rows),
    )
