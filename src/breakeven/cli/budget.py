"""The budget of the full run in what people know of it: FLOPs, steps, tokens or hours."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from breakeven import check
from breakeven.cost.tokens import ModelCost
from breakeven.errors import argument_error
from breakeven.readers import EvalLog

_SUFFIXES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def amount(name: str, text: str | None) -> float | None:
    """A number as people write it, with K, M, B or T for thousands to trillions; None stays None.

    Raises:
        ArgumentError: it is no number.

    >>> amount("--budget-tokens", "300B"), amount("--params", "1.6e8"), amount("--params", "70m")
    (300000000000.0, 160000000.0, 70000000.0)
    """
    if text is None:
        return None
    digits, factor = text.strip(), _SUFFIXES.get(text.strip()[-1:].upper())
    try:
        return float(digits) if factor is None else float(digits[:-1]) * factor
    except ValueError:
        raise argument_error(name, "be a number", text, "For example 20000, 1.7e21 or 300B.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long the full run is, as declared."""

    unit: str
    """"flops", "steps", "tokens" or "hours"."""
    amount: float
    written: str | None = None
    """What the user wrote in place of an option that is named for the unit."""

    def flops(self, log: EvalLog, tokens_per_step: float | None) -> float:
        """The budget in the unit of `log.train_flops`: as much more than at its last checkpoint as in its own unit.

        Raises:
            ArgumentError: the log does not say how much of the unit was used, or that is more than the budget.
        """
        used = {"flops": log.train_flops[-1], "steps": float(log.steps[-1]), "hours": log.train_hours}.get(self.unit)
        if self.unit == "tokens":
            used = log.train_tokens
            if used is None and tokens_per_step is not None:
                used = log.steps[-1] * tokens_per_step
        if not used:
            raise argument_error(self.name, f"have a log that says {self.unit}", self.amount, _REMEDIES[self.unit])
        check.positive(self.name, self.amount)
        if used > self.amount * (1 + 1e-9):
            unit = "FLOPs" if self.unit == "flops" else self.unit
            raise argument_error(self.name, f"be at least the last checkpoint's {used:.6g} {unit}", self.amount)
        flops = self.amount if self.unit == "flops" else log.train_flops[-1] * (self.amount / used)
        if flops == math.inf:
            raise argument_error(self.name, "come to FLOPs that a float can hold", self.amount)
        return flops

    @property
    def name(self) -> str:
        """The option."""
        return self.written or f"--budget-{self.unit}"


_REMEDIES = {
    "tokens": "Give --tokens-per-step, or --budget-steps.",
    "hours": "Give --budget-steps, or name a column with --column hours=... (or seconds=...).",
}


def chosen_budget(given: Mapping[str, str | None]) -> Budget | None:
    """The one budget that was declared; None where none was.

    Args:
        given: what was written, by unit.

    Raises:
        ArgumentError: several, or no number.
    """
    named = {unit: text for unit, text in given.items() if text is not None}
    budgets = [Budget(unit=unit, amount=amount(f"--budget-{unit}", text) or 0.0) for unit, text in named.items()]
    if len(budgets) > 1:
        first, second = budgets[:2]
        raise argument_error(second.name, f"be left out when {first.name} is given", named[second.unit])
    return budgets[0] if budgets else None


def budget_of(log: EvalLog, declared: Budget | None) -> tuple[Budget, str | None]:
    """The budget, and a note where it is the log that says it.

    Raises:
        ArgumentError: neither a budget was declared nor does the log say how long the full run is.
    """
    if declared is not None:
        return declared, None
    if log.budget_steps is None:
        name = "--budget-steps (or --budget-tokens, --budget-flops, --budget-hours)"
        raise argument_error(name, "be given", "none", "What is left to save depends on how long the full run is.")
    note = f"Budget: {log.budget_steps} steps, as the log says (--budget-steps to say otherwise)."
    return Budget(unit="steps", amount=log.budget_steps), note


def share_note(log: EvalLog, budget: Budget) -> str | None:
    """A note on what the share of the budget rests on, where that is not plain: hours, or steps of unequal FLOPs."""
    if budget.unit == "hours" and log.train_hours is not None:
        how = "as it says, or at the pace of its clock from its first to its last checkpoint"
        return f"Up to step {log.steps[-1]} the log has {log.train_hours:.3g} hours: {how}."
    first, last = (log.train_flops[place] / max(1, log.steps[place]) for place in (0, -1))
    if budget.unit != "steps" or abs(first / last - 1.0) <= 0.05:
        return None
    return (
        f"A step up to {log.steps[0]} took {first / last:.2f} of the FLOPs of one up to {log.steps[-1]}: the budget "
        "was taken at the latter (--budget-flops to say otherwise)."
    )


def flops_units(
    declared: Budget | None, model: ModelCost | None, tokens_per_step: float | None, *, priced: bool
) -> tuple[float | None, float | None]:
    """Training FLOPs of a token, 6 a parameter, and of a step; None where they are needed and nobody said.

    Args:
        declared: the budget.
        model: what a token costs on it, as far as that was declared.
        tokens_per_step: training tokens.
        priced: whether queries have a price. Where they have none, and the budget is not in FLOPs, only shares of it
            are asked for, and any unit will do.
    """
    share_only = not priced and (declared is None or declared.unit != "flops")
    per_token = 1.0 if share_only else None
    if model is not None:
        per_token = 6.0 * (model.body_params + model.head_params)
    if per_token is not None and tokens_per_step is not None:
        return per_token, per_token * tokens_per_step
    return per_token, 1.0 if share_only else None
