"""What each method chose, measured again: its luck, what it gains, and when its trials are paid back."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from breakeven.choice.break_even import break_even
from breakeven.choice.choose import cheapest
from breakeven.choice.prices import per_query
from breakeven.plan.trials.compared import Comparison
from breakeven.plan.trials.measured import OTHERS, Measured
from breakeven.plan.trials.outcome import Outcome, outcome_of
from breakeven.plan.trials.space import Configuration
from breakeven.records.options import TRAINING, Option
from breakeven.records.plans import Finding, PlanTable
from breakeven.report.format import format_flops, format_quality, format_queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Winner:
    """What one method chose at one budget, with its first seed, measured again."""

    method: str
    budget: float
    configuration: Configuration
    outcome: Outcome

    @property
    def name(self) -> str:
        """Of the option: what found it, and for how much a query."""
        return f"{self.method} for {format_flops(self.budget)}"

    @property
    def option(self) -> Option:
        """With its trials, their fresh measurement and the models that were trained for them."""
        found = self.outcome.winner
        return replace(found, name=self.name, settings=found.settings | {"method": self.method})


def winners_of(table: Measured, found: Sequence[Comparison]) -> tuple[Winner, ...]:
    """Of each method at each budget."""
    winners = []
    for each in found:
        for name, courses in each.courses.items():
            archive = courses[0].archive
            assert archive.best is not None
            winners.append(
                Winner(
                    method=name,
                    budget=each.budget,
                    configuration=archive.best.configuration,
                    outcome=outcome_of(archive, table.again, table.tried, default=table.default(each.budget)),
                )
            )
    return tuple(winners)


def winner_findings(winners: Sequence[Winner], method: str, budget: float, default: Option) -> Iterator[Finding]:
    """Of one method at one budget: its luck, what it gains; and when its trials are paid back."""
    own = next(each for each in winners if each.method == method and each.budget == budget)
    optimism, gain, made = own.outcome.optimism, own.outcome.gain, own.option.quality.made
    text = f"{own.name}: what its trials saw of the winner, less what it is on fresh problems"
    yield Finding(text=text, value=optimism.value, lo=optimism.lo, hi=optimism.hi, made=made)
    if gain is not None:
        text = f"{own.name}: on fresh problems, less the default for that budget"
        yield Finding(text=text, value=gain.value, lo=gain.lo, hi=gain.hi, made=made)
    text = f"{own.name}: queries that cost as much as its trials"
    yield Finding(text=text, value=own.outcome.search_queries, made=made)
    found, level = [each.option for each in winners if each.method == method], default.quality.value
    paid = cheapest(found, price=per_query, reaches=lambda each: each.quality.value >= level)
    for what, left_out in (("all models trained for it", ()), ("models being there already", (TRAINING, OTHERS))):
        text = f"queries until the trials of {method} are paid back against the default, {what}"
        if paid is None:
            yield Finding(text=f"{text} (never: nothing that it found is as good)", value=None, made=made)
            continue
        queries = break_even(default.without(*left_out), paid.without(*left_out))
        never = math.isinf(queries)
        how = f" (never: {paid.name} costs no less a query)" if never else f", by {paid.name}"
        yield Finding(text=f"{text}{how}", value=None if never else queries, made=made)


def winner_table(table: Measured, winners: Sequence[Winner]) -> PlanTable:
    """All of them."""
    rows = []
    for each in winners:
        found, quality = each.outcome, each.outcome.winner.quality
        gain = found.gain
        rows.append(
            (
                each.name,
                table.words(each.configuration),
                format_quality(found.seen.value),
                _within(quality.value, quality.lo, quality.hi),
                _points(found.optimism.value, found.optimism.lo, found.optimism.hi),
                "-" if gain is None else _points(gain.value, gain.lo, gain.hi),
                format_flops(found.search_flops),
                format_queries(found.search_queries),
            )
        )
    return PlanTable(
        label="What the first seed of each method chose, measured again on problems that no trial saw",
        headings=(
            "method and budget a query",
            "chosen",
            "seen",
            "fresh",
            "optimism, in points",
            "less the default for that budget, in points",
            "trials",
            "queries that cost as much",
        ),
        rows=tuple(rows),
    )


def _within(value: float, lo: float | None, hi: float | None) -> str:
    known = "" if lo is None or hi is None else f" ({format_quality(lo)} to {format_quality(hi)})"
    return f"{format_quality(value)}{known}"


def _points(value: float, lo: float | None, hi: float | None) -> str:
    known = "" if lo is None or hi is None else f" ({100 * lo:+.1f} to {100 * hi:+.1f})"
    return f"{100 * value:+.1f}{known}"
