"""Real runs of several model families, to the end in shadow mode: the stop held against the full model, and dynamic K.

    python benchmarks/families.py             the tables, of all that is recorded in benchmarks/families
    python benchmarks/families_decoders.py    train what is missing of decoders there; a script a group of families

Stops are decided on validation problems, and verified on others. Dynamic K is measured on samples of these others.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from shadowed import Shadowed, read, tally

from breakeven.errors import argument_error
from breakeven.eval.intervals import wilson
from breakeven.records import SampleBank
from breakeven.ttc.pool import Floats, Pool, pool_of
from breakeven.ttc.strategies.named import strategy_of
from breakeven.ttc.strategies.on_pool import measure

FOLDER = Path(__file__).parent / "families"
NUM_SAMPLES, MEAN_SAMPLES = 16, 8
"""K of the votes, and the mean that K by difficulty may take."""
Output = Literal["generation", "structured output", "classification"]


class Record(Shadowed, frozen=True, kw_only=True):
    """One run of one family."""

    output: Output
    active_parameters: int
    """Those that a token meets."""
    bank: SampleBank
    """Samples of the test problems at the stop; at the end of a run that does not stop. Of classifiers plain passes
    alone: classifiers.py has the noisy ones."""

    @property
    def full_accuracy(self) -> float:
        """On the test problems, of the fully trained model with the better one of greedy and sampled answers."""
        if (found := self.verification) is not None:
            return found.full_accuracy
        return max(self.bank.greedy_accuracy, self.bank.sampled_accuracy if self.bank.num_drawn else 0.0)


def main() -> None:
    records = recorded()
    for lines, told, of in ((table, tally, records), (dynamic_k, tally_dynamic_k, sampled(records))):
        parts = {"all": of} | {name: [each for each in of if each.output == name] for name in get_args(Output)}
        said = [f"- {name}: {told(some)}" for name, some in parts.items() if some]
        sys.stdout.write("\n".join([*lines(of), "", *said]) + "\n\n")


def recorded() -> list[Record]:
    """All runs of the folder, kinds of output, tasks and families together."""
    return sorted(read(FOLDER, Record), key=lambda each: (each.output, each.task, each.family, each.seed))


def sampled(records: Sequence[Record]) -> list[Record]:
    """Those whose banks have more than greedy samples."""
    return [each for each in records if each.bank.num_drawn]


def compact(bank: SampleBank) -> SampleBank:
    """The first samples of each problem, without the tokens of each."""
    tokens_PN = [row[:NUM_SAMPLES] for row in bank.output_tokens_PN]
    return replace(
        bank,
        correct_PN=tuple(row[:NUM_SAMPLES] for row in bank.correct_PN),
        answer_PN=tuple(row[:NUM_SAMPLES] for row in bank.answer_PN),
        output_tokens=sum(map(sum, tokens_PN)),
        prompt_tokens_P=(),
        greedy_tokens_P=(),
        output_tokens_PN=(),
    )


# -- the decision ------------------------------------------------------------------------------------------------------


def table(records: Sequence[Record]) -> Iterator[str]:
    """A line a run, in Markdown: what was decided, and how it was verified."""
    yield (
        "| output | task | model | parameters: all / active | seed | stop at | serve, samples in the mean "
        "| foretold: served / full | test accuracy: served / full | difference, points | net saving "
        "| evaluations, of training FLOPs |"
    )
    yield "|---" * 12 + "|"
    for each in records:
        found, serving, size = each.verification, each.serving, each.bank.num_problems
        told = f"never | - | - | - / {with_interval(each.full_accuracy, size)} | - | {-each.evaluation_share:.0%}"
        if found is not None and serving is not None and each.forecast is not None:
            (middle, lo, hi), drawn = each.forecast, serving.expected_samples or serving.k
            served, full = (with_interval(one, size) for one in (found.stopped_accuracy, each.full_accuracy))
            told = (
                f"{found.stopped_step / each.steps:.0%} | {serving.strategy}, K = {serving.k}, {drawn:.1f} "
                f"| {serving.accuracy:.2f} / {middle:.2f} ({lo:.2f} to {hi:.2f}) | {served} / {full} "
                f"| {100 * found.difference:+.1f} ± {100 * found.difference_standard_error:.1f} "
                f"| {found.net_saving:.0%}"
            )
        yield (
            f"| {each.output} | `{each.task}` | {each.family} "
            f"| {each.parameters / 1e6:.2f} M / {each.active_parameters / 1e6:.2f} M | {each.seed} | {told} "
            f"| {each.evaluation_share:.1%} |"
        )


def with_interval(accuracy: float, num_problems: int) -> str:
    """An accuracy with its 90 % interval for new problems."""
    lo, hi = wilson(accuracy, num_problems)
    return f"{accuracy:.3f} ({lo:.2f} to {hi:.2f})"


# -- dynamic K ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to answer, on the problems of a bank."""

    accuracy_P: Floats
    samples: float
    """Of a problem, in the mean."""

    @property
    def accuracy(self) -> float:
        """Mean over problems."""
        return float(self.accuracy_P.mean())


VOTE, SAFE, SETTLED = "vote", "the same, ended when safe", "settled vote"
FEWER, BY_DIFFICULTY, UNTIL_RIGHT = "vote of fewer", "K by difficulty", "drawn until right"


def ways(bank: SampleBank) -> dict[str, Way]:
    """The same K for every input, and K for each.

    Raises:
        ArgumentError: a bank without answers, without greedy samples, or of too few samples.
    """
    pool = pool_of(bank)
    if pool is None or pool.greedy_P is None:
        raise argument_error("bank", "hold answers, to be voted on, and greedy samples", None)
    return {
        "greedy": Way(accuracy_P=pool.greedy_P.astype(np.float64), samples=1),
        VOTE: way(pool, "majority_vote", NUM_SAMPLES),
        SAFE: way(pool, "majority_vote", NUM_SAMPLES, in_turn=True),
        SETTLED: way(pool, "settled_vote", NUM_SAMPLES),
        FEWER: way(pool, "majority_vote", MEAN_SAMPLES),
        BY_DIFFICULTY: way(pool, "k_by_difficulty", MEAN_SAMPLES),
        UNTIL_RIGHT: way(pool, "pass@k", NUM_SAMPLES, in_turn=True),
    }


def way(pool: Pool, name: str, k: int, *, in_turn: bool = False) -> Way:
    """A strategy at one K; `in_turn`: its samples are drawn until more of them cannot change the answer."""
    strategy = strategy_of(name)
    measured = measure(pool, strategy, [k])
    samples_PK = measured.expected_samples_PK
    if in_turn and strategy.samples is not None:
        samples_PK = strategy.samples(pool, [k])
    return Way(accuracy_P=measured.accuracy_PK[:, 0], samples=k if samples_PK is None else float(samples_PK.mean()))


def dynamic_k(records: Sequence[Record]) -> Iterator[str]:
    """A line a run, in Markdown: accuracy on the test problems, and mean samples."""
    titles = {VOTE: f"vote of {NUM_SAMPLES}", FEWER: f"vote of {MEAN_SAMPLES}"}
    titles |= {BY_DIFFICULTY: f"K by difficulty, mean of at most {MEAN_SAMPLES}"}
    titles |= {UNTIL_RIGHT: f"Pass@{NUM_SAMPLES}, drawn until right"}
    names = ("greedy", VOTE, SAFE, SETTLED, FEWER, BY_DIFFICULTY, UNTIL_RIGHT)
    yield "| task | model | seed | samples of | " + " | ".join(titles.get(name, name) for name in names) + " |"
    yield "|---" * (4 + len(names)) + "|"
    for each in records:
        found = ways(each.bank)
        cells = [f"{found[name].accuracy:.3f}, {found[name].samples:.1f}" for name in names]
        cells[-1] += " (oracle)" if each.bank.oracle else ""
        served = "the end" if each.stop is None else f"the stop at {each.stop / each.steps:.0%}"
        yield f"| `{each.task}` | {each.family} | {each.seed} | {served} | " + " | ".join(cells) + " |"


def tally_dynamic_k(records: Sequence[Record]) -> str:
    """What K for each input saves, and what it costs in accuracy, in the mean over runs and in the worst of them."""
    found = [ways(each.bank) for each in records]

    def samples(name: str) -> str:
        spent = [each[name].samples for each in found]
        return f"{np.mean(spent):.1f} samples ({min(spent):.1f} to {max(spent):.1f})"

    def against(name: str, other: str) -> str:
        lost = [100 * (each[name].accuracy - each[other].accuracy) for each in found]
        return f"{np.mean(lost):+.2f} points ({min(lost):+.2f} to {max(lost):+.2f})"

    return (
        f"in the mean over {len(found)} runs (least to most), a vote of {NUM_SAMPLES} ended when safe takes "
        f"{samples(SAFE)}; a settled one {samples(SETTLED)} and gives {against(SETTLED, VOTE)}; K by difficulty takes "
        f"{samples(BY_DIFFICULTY)} and gives {against(BY_DIFFICULTY, FEWER)} against a vote of {MEAN_SAMPLES}; drawing "
        f"until right takes {samples(UNTIL_RIGHT)} and gives {against(UNTIL_RIGHT, VOTE)} against the vote of "
        f"{NUM_SAMPLES}."
    )


if __name__ == "__main__":
    main()
