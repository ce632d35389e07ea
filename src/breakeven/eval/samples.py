"""The samples of a task's problems, as the arrays that strategies and prices are computed from."""

from collections.abc import Sequence
from dataclasses import dataclass

from breakeven.records import Problem, Reward, SampleBank
from breakeven.sampling.collect import Collector


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnSamples:
    """All graded samples of P problems."""

    problems: tuple[Problem, ...]
    bank: SampleBank
    rewards_PN: tuple[tuple[Reward, ...], ...]
    """Empty where nothing scored them."""
    num_truncated: int
    """Samples cut off by the limit of tokens, greedy ones included, as in `num_unanswered`."""
    num_unanswered: int
    num_uncompared: int
    """Pairs of answers whose comparison failed."""


def drawn_samples(collector: Collector, problems: Sequence[Problem]) -> DrawnSamples:
    """All that `collector` has of `problems`, which are its own; graded, and scored where it has a reward model."""
    bank = collector.bank()
    return DrawnSamples(
        problems=tuple(problems),
        bank=bank,
        rewards_PN=collector.samples.rewards_PN if bank.score_PN else (),
        num_truncated=collector.samples.num_truncated,
        num_unanswered=collector.samples.num_unanswered,
        num_uncompared=collector.num_uncompared,
    )
