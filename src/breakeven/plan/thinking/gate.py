"""Whether a thought beats none, whatever it costs a query: nothing is compared at equal FLOPs where it does not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Final

from breakeven.plan.thinking.arms import AT_ONCE, Arm
from breakeven.plan.thinking.recipe import Model
from breakeven.records.plans import Finding
from breakeven.report.format import format_difference

ERRORS: Final = 2.0
"""Standard errors over seeds by which a thought has to be better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The gain of a thought with one greedy sample, seed by seed, on the same problems."""

    arm: Arm
    gain_S: tuple[float, ...]
    """Accuracy less that of answering at once, with each seed."""

    @property
    def gain(self) -> float:
        """Mean over seeds."""
        return fmean(self.gain_S)

    @property
    def standard_error(self) -> float:
        """Of that mean, over seeds."""
        return stdev(self.gain_S) / math.sqrt(len(self.gain_S))

    @property
    def holds(self) -> bool:
        """Whether the gain is above 0 by `ERRORS` standard errors.

        >>> Gate(arm=AT_ONCE, gain_S=(0.2, 0.3, 0.25)).holds, Gate(arm=AT_ONCE, gain_S=(0.0, 0.3, 0.1)).holds
        (True, False)
        """
        return self.gain > 0 and self.gain >= ERRORS * self.standard_error

    @property
    def finding(self) -> Finding:
        """It in words, without an interval: two standard errors of a few seeds are no 90 % interval."""
        seeds = ", ".join(map(format_difference, self.gain_S))
        verdict = "holds" if self.holds else "does not hold"
        text = (
            f"Gate {verdict}: {self.arm.name} less {AT_ONCE.name}, one greedy sample each, FLOPs a query unequal "
            f"(seeds {seeds}; standard error {self.standard_error:.3f})"
        )
        return Finding(text=text, value=self.gain)


def gates(models: Sequence[Model]) -> tuple[Gate, ...]:
    """Of each thought, in the order of the arms."""
    arms = dict.fromkeys(each.arm for each in models if each.arm != AT_ONCE)
    none_S = _greedy(models, AT_ONCE)
    return tuple(
        Gate(
            arm=arm,
            gain_S=tuple(some - none for some, none in zip(_greedy(models, arm), none_S, strict=True)),
        )
        for arm in arms
    )


def _greedy(models: Sequence[Model], arm: Arm) -> list[float]:
    banks = [each.answered.bank for each in models if each.arm == arm]
    return [bank.greedy_correct_P.count("1") / bank.num_problems for bank in banks]
