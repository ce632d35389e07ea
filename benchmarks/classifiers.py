"""Classifiers to their end in shadow mode: what was decided, what K passes buy, and what K for each input saves.

    python benchmarks/classifiers.py           the tables, of all that is recorded in benchmarks/classifiers
    python benchmarks/classifiers.py --decay   how runs whose learning rate falls are decided if nothing is said of that
    python benchmarks/classifiers_record.py    train what is missing there, and measure it on its test examples

Stops are decided on validation examples; accuracies are of test examples.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from families import with_interval
from shadowed import Shadowed, packed_log, read, tally

from breakeven.config import policy_from
from breakeven.report.words import projection
from breakeven.session.replay import replay
from breakeven.store import RunRecord

FOLDER = Path(__file__).parent / "classifiers"
K_VALUES = (1, 2, 4, 8, 16)
DYNAMIC = ("vote", "the same, ended when safe", "settled vote")


class At(msgspec.Struct, frozen=True, kw_only=True):
    """One checkpoint on the test examples."""

    step: int
    plain: float
    """Accuracy of one plain pass."""
    gain: dict[str, dict[int, tuple[float, float]]]
    """Of each strategy at each K: accuracy above the plain pass of this checkpoint, and its standard error, paired."""
    dynamic: dict[str, tuple[float, float]]
    """Of each way of `DYNAMIC`, of at most 16 passes: accuracy, and passes in the mean."""


class Measured(Shadowed, frozen=True, kw_only=True):
    """One run: what was decided, and its checkpoints on the test examples."""

    num_test: int
    checkpoints: list[At]
    """At a quarter and a half of the run, at the stop, and at the end, which is the last."""


def recorded() -> list[Measured]:
    """All runs of the folder."""
    return sorted(read(FOLDER, Measured), key=lambda each: (each.task, each.seed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--decay", action="store_true")
    runs = recorded()
    if parser.parse_args().decay:
        sys.stdout.write("\n".join(without_decay(runs)) + "\n")
        return
    sys.stdout.write("\n".join([*decisions(runs), "", f"- {tally(runs)}", ""]) + "\n")
    sys.stdout.write("\n".join([*passes(runs), ""]) + "\n")
    sys.stdout.write("\n".join(dynamic(runs)) + "\n")


def decisions(runs: Sequence[Measured]) -> Iterator[str]:
    """A line a run, in Markdown."""
    yield (
        "| recipe | seed | stop at | serve | test accuracy: served / end of the run | difference, points | net saving "
        "| evaluations, of training FLOPs |"
    )
    yield "|---" * 8 + "|"
    for each in runs:
        end, found, serving = each.checkpoints[-1], each.verification, each.serving
        told = f"never | - | - / {with_interval(end.plain, each.num_test)} | - | {-each.evaluation_share:.0%}"
        if found is not None and serving is not None:
            pair = (with_interval(one, each.num_test) for one in (found.stopped_accuracy, found.full_greedy_accuracy))
            told = (
                f"{found.stopped_step / each.steps:.0%} | {serving.strategy}, K = {serving.k} | {' / '.join(pair)} "
                f"| {100 * found.difference:+.1f} ± {100 * found.difference_standard_error:.1f} "
                f"| {found.net_saving:.0%}"
            )
        yield f"| `{each.task}` | {each.seed} | {told} | {each.evaluation_share:.1%} |"


def passes(runs: Sequence[Measured]) -> Iterator[str]:
    """What K passes gain over one plain pass of the same checkpoint, in points, mean over seeds; a line a strategy."""
    yield "| recipe | checkpoint | plain | strategy | " + " | ".join(f"K = {k}" for k in K_VALUES) + " |"
    yield "|---" * (4 + len(K_VALUES)) + "|"
    for (task, share), alike in sorted(_alike(runs).items()):
        plain = np.mean([each.plain for each in alike])
        for name in alike[0].gain:
            cells = [_gain([each.gain[name].get(k) for each in alike]) for k in K_VALUES]
            yield f"| `{task}` | {share:.0%} | {plain:.3f} | {name} | " + " | ".join(cells) + " |"


def dynamic(runs: Sequence[Measured]) -> Iterator[str]:
    """K for each input, at the end of the run: accuracy and passes in the mean, mean over seeds."""
    yield "| recipe | plain | " + " | ".join(DYNAMIC) + " |"
    yield "|---" * (2 + len(DYNAMIC)) + "|"
    for (task, share), alike in sorted(_alike(runs).items()):
        if share == 1 and alike[0].dynamic:
            found = [np.mean([each.dynamic[name] for each in alike], axis=0) for name in DYNAMIC]
            cells = [f"{accuracy:.3f}, {number:.1f}" for accuracy, number in found]
            yield f"| `{task}` | {np.mean([each.plain for each in alike]):.3f}, 1 | " + " | ".join(cells) + " |"


def without_decay(runs: Sequence[Measured]) -> Iterator[str]:
    """A line a run whose learning rate falls: as decided, and decided again as if nothing were known of that."""
    yield "| recipe | seed | stop: as decided / without the decay | forecast at half of the run | the end, measured |"
    yield "|---" * 5 + "|"
    for run in runs:
        record = record_of(run.task, run.seed)
        if not record.header.spec.decay_share:
            continue
        observed = [each.observation for each in record.checkpoints]
        told, forecasts = [], []
        for spec in (record.header.spec, replace(record.header.spec, decay_share=0.0)):
            decisions = replay(observed, spec, policy_from(record.header.policy))
            stop = next((each.used for each in decisions if each.stop), None)
            told.append("never" if stop is None else f"{stop:.0%}")
            middle = next(found for each in decisions if each.used >= 0.5 and (found := projection(each)) is not None)
            forecasts.append(f"{middle.mean:.2f} (to {middle.hi:.2f})")
        end = f"{run.curve[-1][1]:.2f}"
        yield f"| `{run.task}` | {run.seed} | {' / '.join(told)} | {' / '.join(forecasts)} | {end} |"


def _alike(runs: Sequence[Measured]) -> dict[tuple[str, float], list[At]]:
    """Checkpoints of one recipe at one share of its steps, of all seeds; a stop is one of its own run alone."""
    found: dict[tuple[str, float], list[At]] = defaultdict(list)
    for run in runs:
        for each in run.checkpoints:
            if each.step != run.stop or each.step == run.steps:
                found[run.task, round(each.step / run.steps, 2)].append(each)
    return {key: some for key, some in found.items() if len(some) == sum(run.task == key[0] for run in runs)}


def _gain(found: Sequence[tuple[float, float] | None]) -> str:
    known = [each for each in found if each is not None]
    if not known:
        return "-"
    error = sum(error**2 for _, error in known) ** 0.5 / len(known)
    return f"{100 * np.mean([gain for gain, _ in known]):+.1f} ± {100 * error:.1f}"


def record_of(task: str, seed: int) -> RunRecord:
    """The log of a run."""
    return packed_log(FOLDER / f"{task}-{seed}.log.gz")


def encoded(record: Any) -> bytes:
    """A record as a line."""
    return msgspec.json.encode(record) + b"\n"


if __name__ == "__main__":
    main()
