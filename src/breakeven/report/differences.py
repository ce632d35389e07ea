"""What two runs differ by in accuracy: in rows, sentences and numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, starmap
from typing import Final

from breakeven.records import CheckpointRecord, Reason
from breakeven.report.charts.overlaid import ComparedRun
from breakeven.report.document import Fact, Row
from breakeven.report.format import format_accuracy, format_samples, format_share
from breakeven.report.paired import Difference, accuracy_of, difference
from breakeven.report.words import baseline_words, strategy_words

_SHOWN: Final = 0.0005
"""Difference of accuracies below which three decimals show none."""
_ROUNDING: Final = 1e-9
"""Of a share of the budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One way of serving of two runs, held against each other."""

    what: str
    first: str
    other: str
    where: str
    """Steps, and what is measured."""
    told: Difference | None

    @property
    def row(self) -> Row:
        """Of the table."""
        if self.told is not None:
            interval = self.told.interval
            ends = "-" if interval is None else f"{interval[0]:+.3f} to {interval[1]:+.3f}"
            numbers = (self.told.first, self.told.second)
            return (self.what, self.other, *map(format_accuracy, numbers), f"{self.told.mean:+.3f}", ends, self._how)
        return (self.what, self.other, "-", "-", "-", "-", self._how)

    @property
    def sentence(self) -> str:
        """What it means."""
        if self.told is None:
            return f"{self.what}: {self.other} and {self.first} cannot be held against each other ({self._how})."
        interval, mean = self.told.interval, self.told.mean
        if interval is None and mean == 0:
            return f"{self.what}: {self.other} and {self.first} are equal on every problem ({self._how})."
        ends = "" if interval is None else f"90 % interval {interval[0]:+.3f} to {interval[1]:+.3f}; "
        way = f"{abs(mean):.3f} {'more' if mean > 0 else 'less'} accurate than"
        if abs(mean) < _SHOWN:
            way = "as accurate as"
        apart = ""
        if interval is not None and interval[0] <= 0 <= interval[1]:
            apart = " They cannot be told apart at this number of problems."
        return f"{self.what}: {self.other} is {way} {self.first} ({ends}{self._how}).{apart}"

    @property
    def fact(self) -> Fact:
        """Of the few numbers at the top."""
        ends = ""
        if self.told is not None and (interval := self.told.interval) is not None:
            ends = f"90 % interval {interval[0]:+.3f} to {interval[1]:+.3f}; "
        number = "unknown" if self.told is None else f"{self.told.mean:+.3f}"
        return Fact(what=f"{self.what}, {self.other} less {self.first}", number=number, how=f"{ends}{self._how}")

    @property
    def _how(self) -> str:
        if self.told is None:
            return f"{self.where}; not measured problem by problem"
        mine, others = self.told.num_problems
        over = f"paired over {mine} problems" if self.told.paired else f"not paired, {mine} and {others} problems"
        return f"{self.where}; measured, {over}"


def against(first: ComparedRun, other: ComparedRun) -> Iterator[Found]:
    """Every difference of two runs; that of what is served comes last, if both serve something."""
    runs = (first, other)
    leads = tuple(run.lead for run in runs)
    greedy = all(lead.observation.bank.greedy_correct_P for lead in leads)
    one = ("greedy", 1) if greedy else ("pass@k", 1)
    words = baseline_words("greedy" if greedy else "sampled").capitalize()

    def found(what: str, of: Sequence[CheckpointRecord], ways: Sequence[tuple[str, int]], where: str) -> Found:
        each_P = [accuracy_of(each.observation, *way) for each, way in zip(of, ways, strict=True)]
        told = difference(*each_P, paired=same_problems(*runs) and len(each_P[0]) == len(each_P[1]))
        return Found(what=what, first=first.name, other=other.name, where=where, told=told)

    yield found(words, leads, (one, one), _steps(leads))
    common = min(run.checkpoints[-1].decision.used for run in runs) + _ROUNDING
    last = [[each for each in run.checkpoints if each.decision.used <= common][-1:] for run in runs]
    both = tuple(chain.from_iterable(last))
    if len(both) == 2 and both != leads:
        shares = " and ".join(dict.fromkeys(format_share(each.decision.used) for each in both))
        yield found(f"{words} at {shares} of the budget", both, (one, one), _steps(both))
    ways = [_way(lead) for lead in leads]
    if None not in ways and ways != [one, one]:
        served = [way for way in ways if way is not None]
        drawn = [
            (name, min(k, lead.observation.bank.num_samples or 1))
            for lead, (name, k) in zip(leads, served, strict=True)
        ]
        said = " and ".join(starmap(_way_words, zip(leads, served, drawn, strict=True)))
        what = "What is served" if drawn == served else "What is served, with as many samples as were drawn"
        yield found(what, leads, drawn, f"{_steps(leads)}; {said}")


def _way(lead: CheckpointRecord) -> tuple[str, int] | None:
    """Strategy and K that a run serves; one sample where the budget is used; None while it trains on."""
    point, greedy = lead.decision.serving, lead.observation.bank.greedy_correct_P
    if not lead.decision.stop:
        return None
    if point is not None and lead.decision.reason is not Reason.BUDGET_SPENT:
        return point.strategy, point.k
    return ("greedy", 1) if greedy and lead.decision.baseline != "sampled" else ("pass@k", 1)


def _way_words(lead: CheckpointRecord, served: tuple[str, int], drawn: tuple[str, int]) -> str:
    (strategy, k), point = served, lead.decision.serving
    if strategy == "greedy":
        return baseline_words("greedy")
    oracle = " (an oracle)" if point is not None and not point.deployable else ""
    of = format_samples(k) if drawn == served else f"{drawn[1]} of its {format_samples(k)}"
    return f"{strategy_words(strategy)}{oracle} of {of}"


def _steps(of: Sequence[CheckpointRecord]) -> str:
    return "steps " + " and ".join(str(each.decision.step) for each in of)


def same_problems(first: ComparedRun, other: ComparedRun) -> bool:
    """Whether both are known to be evaluated on the same problems."""
    return first.problems is not None and first.problems == other.problems
