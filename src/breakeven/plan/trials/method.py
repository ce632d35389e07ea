"""A method proposes, the loop refuses or evaluates, and tells it what was found: one loop for all methods."""

import math
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeAlias

from breakeven import check
from breakeven.errors import argument_error
from breakeven.plan.cells import Cells
from breakeven.plan.trials.archive import Archive, Evaluation, Refusal, Trial
from breakeven.plan.trials.at_random import AtRandom
from breakeven.plan.trials.space import Configuration, Space

Evaluate: TypeAlias = Callable[[Configuration], Evaluation]
"""Deterministic: what it draws follows from the configuration and the settings of the row."""
FIRST: Final = "first"
"""What proposed the trials that were made before a method was asked."""
_MOST_IDLE: Final = 5
"""Times in a row that a method may be asked and have nothing new, before a random trial is made."""


class Method(Protocol):
    """A way to look for the best configuration. Deterministic, given its seed and what it is told."""

    @property
    def name(self) -> str:
        """As it is recorded with what it proposed."""
        ...

    def ask(self, archive: Archive) -> Sequence[Configuration] | None:
        """What to try next, in this order.

        Returns:
            Empty where it has nothing this time; None where it will have nothing more.
        """
        ...

    def tell(self, configuration: Configuration, trial: Trial | None) -> None:
        """What came of a configuration: its trial, an earlier one where it was proposed again, None: it was refused.

        Told too are trials that it did not ask for: those that came first, and random ones of the loop.
        """
        ...


def run_trials(
    space: Space,
    evaluate: Evaluate,
    method: Method,
    *,
    num_trials: int,
    first: Sequence[Configuration] = (),
    most_flops: float = math.inf,
    cells: Cells | None = None,
    name: str = "trial",
    seed: int = 0,
) -> Archive:
    """Look for the best configuration.

    What is invalid, repeated or over the budget is refused and counted: it costs no trial. A method that has nothing
    new for long gets a random trial, unless there is nothing left to try.

    Args:
        space: what there is to choose.
        evaluate: a configuration.
        method: what proposes them.
        num_trials: most trials.
        first: tried before the method is asked, and told to it: what is served today, what is thought to be good.
        most_flops: none begins once so many FLOPs are spent, the proposer's included.
        cells: where trials are kept, so that one that was killed goes on; None: nowhere.
        name: what their keys begin with. Methods that share it share the evaluations, and each is charged for all
            that it asked for.
        seed: of random trials.

    Raises:
        ArgumentError: no configuration is within the budget; the cheapest is named. Or one of `first` is none.
    """
    check.whole("num_trials", num_trials, 1)
    check.above("most_flops", most_flops, 0)
    space.cheapest()
    archive, at_random, idle = Archive(space=space), AtRandom(seed=seed), 0

    def has_room() -> bool:
        return len(archive.trials) < num_trials and archive.flops < most_flops

    def attempt(configuration: Configuration, proposed_by: str) -> Trial | None:
        reason = archive.refusal(configuration)
        if reason is not None:
            archive.refused[reason] += 1
            return archive.known(configuration) if reason is Refusal.REPEATED else None
        key = f"{name} {space.words(configuration)}"
        found = evaluate(configuration) if cells is None else cells.of(key, Evaluation, lambda: evaluate(configuration))
        return archive.add(configuration, found, proposed_by)

    for configuration in first:
        if fault := space.fault(configuration):
            raise argument_error("first", "hold configurations of the space", dict(configuration), fault)
        if has_room():
            method.tell(configuration, attempt(configuration, FIRST))
    while has_room() and (asked := method.ask(archive)) is not None:
        tried = len(archive.trials)
        for configuration in asked:
            if has_room():
                method.tell(configuration, attempt(configuration, method.name))
        idle = 0 if len(archive.trials) > tried else idle + 1
        if idle < _MOST_IDLE or not has_room():
            continue
        fill = at_random.ask(archive)
        if fill is None:
            break
        for configuration in fill:
            method.tell(configuration, attempt(configuration, at_random.name))
        idle = 0
    return archive
