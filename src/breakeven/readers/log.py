"""A log of evaluations, read: its checkpoints in order of training FLOPs, each with a tally of the same problems."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from breakeven.errors import LogError
from breakeven.evenly import evenly
from breakeven.ttc.tally import Tally

MOST_CHECKPOINTS: Final = 2000
"""Of a log with more of them so many are decided on: a decision takes milliseconds."""
MOST_COUNTS: Final = 2_000_000
"""Checkpoints times problems that are decided on at most: more problems take longer, and tell more at each."""
LEAST_CHECKPOINTS: Final = 200
"""So many are decided on however many problems there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalCheckpoint:
    """One evaluated checkpoint."""

    step: int
    train_flops: float
    tally: Tally
    validation_loss: float | None = None
    """Mean, in nats a token; None where the log does not say."""
    notes: tuple[str, ...] = ()
    """What was handled in its rows, in sentences."""
    stands_for: int = 1
    """Checkpoints whose evaluations it is charged with: itself, and those left out before it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EvalLog:
    """Checkpoints of one run. Iterating builds one tally after the other, so that not all are in memory."""

    format: str
    """What kind of log it was taken for."""
    steps: tuple[int, ...]
    train_flops: tuple[float, ...]
    num_problems: int
    has_greedy: bool
    has_samples: bool
    loss_column: str | None = None
    """Which column was taken for the validation loss; None where there is none."""
    notes: tuple[str, ...] = ()
    """What was handled, in sentences."""
    train_tokens: float | None = None
    """Training tokens up to the last checkpoint; None where the log does not say."""
    train_hours: float | None = None
    """Hours of training up to the last checkpoint; None likewise."""
    budget_steps: int | None = None
    """Steps of the full run; None likewise."""
    build: Callable[[int], EvalCheckpoint] = field(repr=False)
    """The checkpoint at an index of `steps`."""

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[EvalCheckpoint]:
        return map(self.build, range(len(self)))


def thinned(log: EvalLog, most: int = MOST_CHECKPOINTS) -> EvalLog:
    """The log with at most so many checkpoints, evenly chosen, the first and the last among them; a note says so.

    Fewer where problems are many: at most MOST_COUNTS of them in all, but LEAST_CHECKPOINTS in any case.
    """
    most = min(most, max(LEAST_CHECKPOINTS, MOST_COUNTS // log.num_problems))
    if len(log) <= most:
        return log
    kept = evenly(len(log), most)
    note = (
        f"{len(log)} checkpoints are many: decided on {most} of them, evenly chosen, the first and the last included."
    )
    return replace(
        log,
        steps=tuple(map(log.steps.__getitem__, kept)),
        train_flops=tuple(map(log.train_flops.__getitem__, kept)),
        notes=(*log.notes, note),
        build=lambda place: replace(
            log.build(kept[place]), stands_for=kept[place] - kept[place - 1] if place else kept[0] + 1
        ),
    )


def listed(steps: Iterable[int]) -> str:
    """Steps in their order, for a note: the first of them where there are many.

    >>> listed([3, 1]), listed(range(20))
    ('1, 3', '0, 1, 2, 3, 4, 5, 6, 7 and 12 more')
    """
    shown = sorted(steps)
    return ", ".join(map(str, shown[:8])) + (f" and {len(shown) - 8} more" if len(shown) > 8 else "")


@dataclass(frozen=True, slots=True)
class Order:
    """Which recorded checkpoints to decide on, in which order."""

    steps: tuple[int, ...]
    train_flops: tuple[float, ...]
    codes: tuple[int, ...]
    """Places of the checkpoints in what was read."""
    notes: tuple[str, ...]


def in_order(source: object, flops_at: dict[int, float]) -> Order:
    """Checkpoints by training FLOPs, given those of each step in the order they were read.

    A checkpoint from before training, at 0 FLOPs, is left out: no share of the budget is behind it.

    Raises:
        LogError: two steps of equal FLOPs, or a later step of fewer.
    """
    read = list(flops_at)
    place_of = {step: place for place, step in enumerate(read)}
    steps = sorted(read)
    notes = []
    if steps != read:
        notes.append("Rows were not in order of steps and have been sorted by step.")
    for earlier, later in pairwise(steps):
        if flops_at[later] <= flops_at[earlier]:
            raise LogError(
                f"{source}: train_flops must grow with the step; got {flops_at[earlier]:.6g} at step {earlier} and "
                f"{flops_at[later]:.6g} at step {later}."
            )
    if steps and flops_at[steps[0]] <= 0:
        notes.append(f"Step {steps[0]} was left out: it comes before any training.")
        steps = steps[1:]
    if not steps:
        raise LogError(f"{source} must hold at least one trained checkpoint; it has none.")
    return Order(
        tuple(steps), tuple(flops_at[step] for step in steps), tuple(map(place_of.__getitem__, steps)), tuple(notes)
    )
