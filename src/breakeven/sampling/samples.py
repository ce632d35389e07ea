"""The samples of one model as they come in: batches by problem, with what is known of each so far."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from breakeven.records import Completion, Draw, Finish, Reward


@dataclass(slots=True, kw_only=True)
class Batch:
    """Samples of one problem that were drawn together, and what is known of them so far."""

    place: int
    """Of the problem among those that are sampled."""
    greedy: bool
    first: int
    """Number of the first sample; greedy ones count apart."""
    draw: Draw
    """As it came in; without texts once these were let go of."""
    verdicts: str | None = None
    """One character a sample; None: not graded yet."""
    answers: tuple[str | None, ...] = ()
    """In canonical form, read when it is graded; empty where samples are not voted on."""
    rewards: tuple[Reward, ...] | None = None
    """None: not scored yet. Greedy samples never are."""
    read_again: Callable[[], Draw] | None = None
    """Where the texts are to be had, once they were let go of."""

    @property
    def texts(self) -> list[str]:
        """The completions."""
        draw = self.draw if self.read_again is None else self.read_again()
        return [each.text for each in draw.completions]

    def let_go(self, read_again: Callable[[], Draw]) -> None:
        """Hold no texts any more: of millions of samples they are almost all of the memory."""
        bare = tuple(_without_text(each.output_tokens, each.finish) for each in self.draw.completions)
        self.draw, self.read_again = replace(self.draw, completions=bare), read_again

    def __len__(self) -> int:
        """Samples."""
        return len(self.draw.completions)


@lru_cache(maxsize=1 << 14)
def _without_text(output_tokens: int, finish: Finish) -> Completion:
    """One object for all samples of a length."""
    return Completion(text="", output_tokens=output_tokens, finish=finish)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """Samples of one problem that are to be drawn."""

    place: int
    greedy: bool
    first: int
    num_samples: int

    def __len__(self) -> int:
        """Samples."""
        return self.num_samples


class Samples:
    """All that was drawn of `num_problems` problems. Names end in dimensions as the fields of `SampleBank` do.

    Args:
        num_problems: P.
        batches: those that are there: of each problem from number 0 on, in order.
    """

    def __init__(self, num_problems: int, batches: Iterable[Batch] = ()) -> None:
        self.greedy: list[list[Batch]] = [[] for _ in range(num_problems)]
        self.sampled: list[list[Batch]] = [[] for _ in range(num_problems)]
        self.add(batches)

    def add(self, batches: Iterable[Batch]) -> None:
        """Take batches that go on from those that are there."""
        for batch in batches:
            (self.greedy if batch.greedy else self.sampled)[batch.place].append(batch)

    @property
    def batches(self) -> list[Batch]:
        """All of them, greedy ones first."""
        return [each for row in self.greedy + self.sampled for each in row]

    def lacking(self, num_problems: int, num_samples: int) -> list[list[Lack]]:
        """What lacks of one greedy sample of all and `num_samples` of the first problems; equal lacks in one group."""
        groups: dict[tuple[bool, int], list[Lack]] = {}
        for greedy, wanted, rows in ((True, 1, self.greedy), (False, num_samples, self.sampled[:num_problems])):
            for place, row in enumerate(rows):
                if (number := wanted - sum(map(len, row))) > 0:
                    lack = Lack(place=place, greedy=greedy, first=wanted - number, num_samples=number)
                    groups.setdefault((not greedy, number), []).append(lack)
        return [group for _, group in sorted(groups.items())]

    @property
    def greedy_texts_P(self) -> tuple[str, ...]:
        """The greedy completion of each problem, once it is drawn."""
        return tuple(text for row in self.greedy for batch in row for text in batch.texts)

    @property
    def texts_PN(self) -> tuple[tuple[str, ...], ...]:
        """The samples of each problem in their order."""
        return tuple(tuple(text for batch in row for text in batch.texts) for row in self.sampled)

    @property
    def rewards_PN(self) -> tuple[tuple[Reward, ...], ...]:
        """Of each sample, shaped as `texts_PN`; rows are empty where nothing scored them."""
        return tuple(tuple(each for batch in row for each in batch.rewards or ()) for row in self.sampled)

    @property
    def num_truncated(self) -> int:
        """Samples cut off by the limit of tokens, greedy ones included."""
        return self._ended(Finish.LENGTH)

    @property
    def num_broken_off(self) -> int:
        """Samples that a server broke off, greedy ones included."""
        return self._ended(Finish.BROKEN_OFF)

    def _ended(self, finish: Finish) -> int:
        return sum(each.finish is finish for batch in self.batches for each in batch.draw.completions)

    @property
    def num_unanswered(self) -> int:
        """Samples without an answer, greedy ones included."""
        return sum(batch.answers.count(None) for batch in self.batches)
