"""Every configuration within the budget, one after the other."""

from collections.abc import Iterator, Sequence
from typing import Final

from breakeven.errors import argument_error
from breakeven.plan.trials.archive import Archive, Trial
from breakeven.plan.trials.space import MOST_LISTED, Configuration, Space


class Exhaustive:
    """All there are, in the order of the space.

    Raises:
        ArgumentError: there are more than 100,000.
    """

    name: Final = "exhaustive"

    def __init__(self, space: Space) -> None:
        if space.size > MOST_LISTED:
            remedy = "Choose another method, or fewer values."
            raise argument_error("space", f"hold at most {MOST_LISTED} configurations", space.size, remedy)
        self._left: Iterator[Configuration] = filter(space.allows, space.iterate())

    def ask(self, archive: Archive) -> Sequence[Configuration] | None:
        """The next one."""
        return [following] if (following := next(self._left, None)) is not None else None

    def tell(self, configuration: Configuration, trial: Trial | None) -> None:
        """Nothing is learned."""
