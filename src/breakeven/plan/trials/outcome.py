"""What trials come to: the winner measured again on problems they did not see, and when they are paid back."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

import numpy as np

from breakeven.choice.break_even import break_even
from breakeven.errors import argument_error
from breakeven.plan.cells import Cells
from breakeven.plan.trials.archive import Archive, Evaluation, Proposer, Refusal
from breakeven.plan.trials.method import Evaluate
from breakeven.plan.trials.space import Configuration
from breakeven.records import NORMAL_95
from breakeven.records.options import EVALUATION, Option, Quality
from breakeven.records.plans import Finding, Line, PlanTable

SEARCH: Final = "search"
"""The line of the trials, with what proposed them; measuring again what they chose is `EVALUATION`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Of two qualities."""

    value: float
    lo: float | None = None
    """Lower end of the 90 % interval over problems; None where the noise of either is not known."""
    hi: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The best configuration that the trials found, as it is without their luck."""

    winner: Option
    """With its quality on problems that the trials did not see; they are charged in `one_off`."""
    seen: Quality
    """What the trials saw of it."""
    optimism: Difference
    """What they saw, less what was measured again: over both sets of problems, given the winner."""
    default: Option | None
    """What is served without trials, measured on the same fresh problems; None: nothing was named."""
    gain: Difference | None
    """The winner less the default on the fresh problems, paired where both are known problem by problem."""
    paid_back_queries: float | None
    """After how many queries the winner has saved what the trials cost, against the default; infinity where it saves no
    FLOPs per query; None without a default."""
    num_trials: int
    refused: dict[Refusal, int]
    proposer: Proposer

    @property
    def search_flops(self) -> float:
        """Of the trials, and of what proposed them where that is known."""
        return self.winner.one_off[SEARCH]

    @property
    def search_queries(self) -> float:
        """How many queries of the winner cost as much as the trials."""
        return self.search_flops / self.winner.per_query if self.winner.per_query else math.inf

    def findings(self) -> tuple[Finding, ...]:
        """For a row's answer."""
        rows = [
            Finding(
                text=f"quality of {self.winner.name} on fresh problems (interval over problems)",
                value=self.winner.quality.value,
                lo=self.winner.quality.lo,
                hi=self.winner.quality.hi,
            ),
            _finding("optimism: what the trials saw of the winner, less what was measured again", self.optimism),
        ]
        if self.default is not None and self.gain is not None:
            rows.append(_finding(f"{self.winner.name} less {self.default.name}, on fresh problems", self.gain))
        if math.isfinite(queries := self.search_queries):
            rows.append(Finding(text="queries of the winner that cost as much as the trials", value=queries))
        if self.default is not None and self.paid_back_queries is not None:
            paid = self.paid_back_queries
            never = ": never, for the winner saves no FLOPs per query" if math.isinf(paid) else ""
            text = f"queries after which the trials are paid back against {self.default.name}{never}"
            rows.append(Finding(text=text, value=None if math.isinf(paid) else paid))
        return tuple(rows)

    def not_counted(self) -> tuple[str, ...]:
        """FLOPs that are in no line, for a row's answer."""
        if self.proposer.flops is not None:
            return ()
        tokens = f"{self.proposer.prompt_tokens} tokens read and {self.proposer.output_tokens} written"
        return (f"the language model that proposed configurations: {tokens}, what a token of it costs not being known",)

    def notes(self) -> tuple[str, ...]:
        """Whether there is a gain at all, what was refused, and how often nothing came, for a row's answer."""
        said = [f"{count} {reason.value}" for reason, count in self.refused.items() if count]
        notes = [f"Of the proposals were refused, at no trial: {', '.join(said)}."] if said else []
        if self.proposer.failed_calls:
            failed = f"{self.proposer.failed_calls} of {self.proposer.calls} calls"
            notes.append(f"The language model that proposes gave nothing that could be used in {failed}.")
        if self.gain is not None and self.default is not None and self.winner.settings != self.default.settings:
            if self.gain.value <= 0:
                notes.append(
                    "On fresh problems the best trial is no better than the default: it was picked for its luck."
                )
            elif self.gain.lo is None or self.gain.lo <= 0:
                notes.append("On fresh problems the best trial is better than the default by less than the noise.")
        return tuple(notes)


def outcome_of(
    archive: Archive,
    measure: Evaluate,
    option: Callable[[str, Configuration, Quality], Option],
    *,
    default: Configuration | None = None,
    cells: Cells | None = None,
    name: str = "again",
) -> Outcome:
    """The best trial, measured again.

    Args:
        archive: with at least one trial.
        measure: a configuration, on problems that no trial saw: always the same ones.
        option: from a name, a configuration and its quality, without the trials.
        default: what is served where nobody makes trials; it is measured too, to say what they gained.
        cells: where what was measured is kept; None: nowhere.
        name: what its keys begin with.

    Raises:
        ArgumentError: there is no trial, or the default is no configuration.

    Counted:
        All trials and what proposed them (`search`); measuring the winner again, and the default (`evaluation`).
    """
    best = archive.best
    if default is not None and (fault := archive.space.fault(default)):
        raise argument_error("default", "be a configuration of the space", dict(default), fault)
    if best is None:
        raise argument_error("archive", "hold at least one trial", 0)

    def measured(configuration: Configuration) -> Evaluation:
        if cells is None:
            return measure(configuration)
        return cells.of(f"{name} {archive.space.words(configuration)}", Evaluation, lambda: measure(configuration))

    again = measured(best.configuration)
    found = option(f"best of {len(archive.trials)} trials", best.configuration, again.quality)
    usual, flops = None, again.flops
    if default is not None:
        same = archive.space.key(default) == archive.space.key(best.configuration)
        other = again if same else measured(default)
        usual = option("default", default, other.quality)
        flops += 0.0 if same else other.flops
    winner = replace(found, one_off={**found.one_off, SEARCH: archive.flops, EVALUATION: flops})
    return Outcome(
        winner=winner,
        seen=best.quality,
        optimism=difference(best.quality, again.quality),
        default=usual,
        gain=None if usual is None else difference(again.quality, usual.quality),
        paid_back_queries=None if usual is None else break_even(usual, winner),
        num_trials=len(archive.trials),
        refused=dict(archive.refused),
        proposer=archive.proposer,
    )


def table_of(archive: Archive, *, most: int = 10) -> PlanTable:
    """The best trials, as they were seen, for a row's answer."""
    ranked = sorted(archive.trials, key=lambda each: (-each.quality.value, each.price))[:most]
    return PlanTable(
        label=f"The best of {len(archive.trials)} trials, as they were seen",
        headings=("configuration", "quality", "FLOPs per query", "FLOPs of the trial", "proposed by"),
        rows=tuple(
            (
                archive.space.words(each.configuration),
                f"{each.quality.value:.3f}",
                f"{each.price:.3g}",
                f"{each.flops:.3g}",
                each.proposed_by,
            )
            for each in ranked
        ),
    )


def course_of(archive: Archive, label: str) -> Line:
    """The best that was seen against FLOPs of the trials so far, for a picture of several methods.

    Not counted:
        What proposed them.
    """
    flops = accumulate(each.flops for each in archive.trials)
    seen = accumulate((each.quality.value for each in archive.trials), max)
    return Line(label=label, points=tuple(zip(flops, seen, strict=True)))


def difference(first: Quality, second: Quality) -> Difference:
    """`first` less `second`, with its 90 % interval over problems.

    Estimator:
        Paired where both are known on the same problems; else as of two independent sets. Normal.
    """
    value = first.value - second.value
    if first.pairs_with(second):
        gaps_P = np.array(first.value_P) - np.array(second.value_P)
        error = float(gaps_P.std(ddof=1)) / math.sqrt(len(gaps_P)) if len(gaps_P) > 1 else None
    else:
        errors = (_error(first), _error(second))
        error = None if None in errors else math.hypot(*(each or 0.0 for each in errors))
    if error is None:
        return Difference(value=value)
    return Difference(value=value, lo=value - NORMAL_95 * error, hi=value + NORMAL_95 * error)


def _error(quality: Quality) -> float | None:
    """Standard error; None where nothing says it."""
    if len(quality.value_P) > 1:
        return float(np.std(quality.value_P, ddof=1)) / math.sqrt(len(quality.value_P))
    if quality.lo is None or quality.hi is None:
        return None
    return (quality.hi - quality.lo) / (2 * NORMAL_95)


def _finding(text: str, found: Difference) -> Finding:
    return Finding(text=text, value=found.value, lo=found.lo, hi=found.hi)
