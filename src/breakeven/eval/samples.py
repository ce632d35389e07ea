"""The samples of a task's problems, as the arrays that strategies and prices are computed from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from breakeven.records import Problem, Reward, SampleBank
from breakeven.sampling.collect import Collector
from breakeven.store import Texts


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
    num_broken_off: int = 0
    """Samples that a server broke off."""
    num_copied: int = 0
    """Problems whose samples are copies (see `num_copied`)."""
    own_temperature: bool = False
    """Whether any was drawn at the server's own temperature."""


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
        num_broken_off=collector.samples.num_broken_off,
        num_copied=num_copied([text for batch in row for text in batch.texts] for row in collector.samples.sampled),
        own_temperature=any(each.draw.own_temperature for each in collector.samples.batches),
    )


_MOST_TEXTS = 200
"""Problems whose texts are held at once."""


def first_texts(collector: Collector) -> Texts:
    """What the model wrote on the first problems, of which a report shows some."""
    samples = collector.samples
    greedy, sampled = samples.greedy[:_MOST_TEXTS], samples.sampled[:_MOST_TEXTS]
    return Texts(
        step=0,
        greedy_P=tuple(text for row in greedy for batch in row for text in batch.texts),
        texts_PN=tuple(tuple(text for batch in row for text in batch.texts) for row in sampled),
        num_left_out=len(samples.greedy) - len(greedy),
    )


_FEW_CHARACTERS = 40
"""A text of fewer may well be drawn twice."""


def num_copied(texts_PN: Iterable[Sequence[str]]) -> int:
    """Problems in which nothing was sampled: half of the samples or more repeat another, too long for it to be chance.

    Short ones count where no problem has two that differ.

    >>> num_copied([["yes"] * 4, ["yes", "no"]]), num_copied([["yes"] * 4, ["no"] * 4])
    (0, 2)
    """
    number = copied = alike = 0
    for number, row in enumerate(texts_PN, 1):  # noqa: B007, how many there are
        alike += len(row) > 1 and len(set(row)) == 1
        long = [each for each in row if len(each) >= _FEW_CHARACTERS]
        copied += 2 * len(long) > len(row) > 1 and 2 * len(set(long)) <= len(long)
    return number if alike == number else copied
