"""Every trial: what was tried, what it found, what that cost and what proposed it; and what was refused."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from breakeven import check
from breakeven.choice.choose import best
from breakeven.plan.trials.space import Configuration, Key, Space
from breakeven.records.options import Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What trying a configuration gave."""

    quality: Quality
    flops: float
    """What finding it out cost, all problems and reward models together."""

    def __post_init__(self) -> None:
        check.finite("flops of an evaluation", self.flops)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One evaluated configuration."""

    number: int
    """From 1."""
    configuration: Configuration
    price: float
    """FLOPs per query."""
    quality: Quality
    flops: float
    """Of its evaluation."""
    proposed_by: str
    """The method's name; "first" of what it was given, "random" where it had nothing new."""


class Refusal(StrEnum):
    """Why a proposal was not tried."""

    INVALID = "invalid"
    """It is no configuration of the space, or cannot be read as one."""
    REPEATED = "repeated"
    OVER_BUDGET = "over budget"
    """Or cannot be built."""


@dataclass(slots=True, kw_only=True)
class Proposer:
    """What a language model that proposes has taken."""

    calls: int = 0
    failed_calls: int = 0
    """The server was down or answered nothing that could be used."""
    prompt_tokens: int = 0
    output_tokens: int = 0
    flops: float | None = 0.0
    """None: there were calls, and nobody said what a token costs, so they are in no line."""


@dataclass(slots=True, kw_only=True)
class Archive:
    """The trials of one method, with all that they cost."""

    space: Space
    trials: list[Trial] = field(default_factory=list)
    refused: Counter[Refusal] = field(default_factory=Counter)
    proposer: Proposer = field(default_factory=Proposer)
    _known: dict[Key, Trial] = field(default_factory=dict)
    _trial_flops: float = 0.0

    def known(self, configuration: Configuration) -> Trial | None:
        """The trial of a configuration, if it was tried."""
        return self._known.get(self.space.key(configuration))

    def refusal(self, configuration: Configuration) -> Refusal | None:
        """Why it is not to be tried; None: it is."""
        if self.space.fault(configuration):
            return Refusal.INVALID
        if self.known(configuration) is not None:
            return Refusal.REPEATED
        return None if self.space.allows(configuration) else Refusal.OVER_BUDGET

    def add(self, configuration: Configuration, evaluation: Evaluation, proposed_by: str) -> Trial:
        """Take a trial in."""
        trial = Trial(
            number=len(self.trials) + 1,
            configuration=dict(configuration),
            price=self.space.cost(configuration),
            quality=evaluation.quality,
            flops=evaluation.flops,
            proposed_by=proposed_by,
        )
        self.trials.append(trial)
        self._known[self.space.key(configuration)] = trial
        self._trial_flops += trial.flops
        return trial

    @property
    def best(self) -> Trial | None:
        """The best so far within the budget; of equals the cheaper to serve.

        Chosen for its noise too, so that it is measured again.
        """
        return best(
            self.trials, budget=self.space.budget, price=lambda each: each.price, value=lambda each: each.quality.value
        )

    @property
    def flops(self) -> float:
        """FLOPs of all trials, and of what proposed them where that is known."""
        return self._trial_flops + (self.proposer.flops or 0.0)
