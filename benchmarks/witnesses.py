"""What earlier runs buy: the forecast with other seeds of a recipe as witnesses, and with wrong ones.

    python benchmarks/witnesses.py            the suite, each recipe by a prior weight that never saw it
    python benchmarks/witnesses.py --late     also the runs that nothing was tuned on, with wrong witnesses: none has
                                              another seed

Wrong witnesses are runs of other recipes, whose task a session would mostly refuse. "Half" are other seeds that stopped
half-way. Takes about a minute on one core.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from recorded import LATE, SUITE, Run, load
from scipy.special import expit, logit

from breakeven.records import Witness
from breakeven.stopping.density import NODES, Floats, mixed, quantile
from breakeven.stopping.members import Curve
from breakeven.stopping.stack import density_of
from breakeven.stopping.witness import MOST, PRIOR, hear

SEEN = (0.1, 0.2, 0.3, 0.5)
"""Shares of the budget from which the end is foretold."""
SETS = ("none", "1", "2", "2 half", "1 and 1 wrong", "1 wrong", "2 wrong")
PRIORS = np.arange(-2.0, 3.1, 0.5)
RIGHT = 2.0
"""How much more often than wrong ones right witnesses are named, for the prior."""
NEAR = 0.015
"""An end counts as foretold by what a density gives to accuracies this near to it."""


@dataclass(frozen=True)
class Cell:
    """The end of a run, foretold from part of it with some witnesses and without."""

    kind: str
    witnesses: str
    others: str
    """Kind of the wrong ones."""
    seen: float
    truth: float
    alone: Floats
    told: Floats
    evidence: float
    """Log odds of the witnesses, the prior's left out; minus infinity where none was heard."""

    def density(self, prior: float) -> Floats:
        """The forecast."""
        weight = MOST * expit(prior + self.evidence)
        return mixed((weight, 1.0 - weight), (self.told, self.alone))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--late", action="store_true", help="also benchmarks/late, with wrong witnesses")
    args = parser.parse_args()
    runs = [load(path) for path in sorted(SUITE.glob("*.jsonl.gz"))]
    cells = [cell for run in runs for cell in cells_of(run, runs)]
    kinds = sorted({cell.kind for cell in cells})
    priors = {kind: best_prior([each for each in cells if kind not in (each.kind, each.others)]) for kind in kinds}
    sys.stdout.write(f"prior from all: {best_prior(cells):.1f} (in use: {PRIOR:.1f}); ")
    sys.stdout.write("without " + ", ".join(f"{kind}: {prior:.1f}" for kind, prior in priors.items()) + "\n\n")
    write_table(cells, priors)
    if args.late:
        late = [load(path) for path in sorted(LATE.glob("*.jsonl.gz"))]
        write_table([cell for run in late for cell in cells_of(run, [run, *runs])], defaultdict(lambda: PRIOR))


def cells_of(run: Run, runs: Sequence[Run]) -> Iterator[Cell]:
    """Every set of witnesses at every share of SEEN at which there is a forecast."""
    whole, decay_share = curve_of(run), run.spec.decay_share
    same = [witness_of(each) for each in runs if each.kind == run.kind and each.name != run.name]
    wrong = {kind: [witness_of(each) for each in runs if each.kind == kind] for kind in sorted({r.kind for r in runs})}
    del wrong[run.kind]
    half = [up_to(each, 0.5) for each in same]

    def unseen(curve: Curve) -> Floats:
        return density_of(curve, min(1.0, (1.0 - float(curve.share[-1])) / decay_share) if decay_share else 0.0)

    for seen in SEEN:
        end = int(np.searchsorted(whole.share, seen * (1 + 1e-6), side="right"))
        curve = replace(whole, share=whole.share[:end], accuracy=whole.accuracy[:end])
        if end < 4 or curve.accuracy[-3:].mean() * curve.trials < 9.5:
            continue
        sets: list[tuple[str, str, Sequence[Witness]]] = [("none", "", ())]
        sets += [("1", "", [each]) for each in same]
        sets += [("2", "", same), ("2 half", "", half)] if len(same) == 2 else []
        for kind, others in wrong.items():
            sets += [("1 wrong", kind, others[:1]), ("2 wrong", kind, others[:2])]
            sets += [("1 and 1 wrong", kind, [same[0], others[0]])] if same else []
        alone = unseen(curve)
        for name, kind, witnesses in sets:
            heard = hear(curve, witnesses, unseen, baseline="greedy", decay_share=decay_share)
            told, evidence = (
                (alone, -np.inf) if heard is None else (heard.cdf, float(logit(heard.weight / MOST)) - PRIOR)
            )
            yield Cell(run.kind, name, kind, seen, float(whole.accuracy[-1]), alone, told, evidence)


def curve_of(run: Run) -> Curve:
    """Greedy accuracy on validation problems."""
    share = np.array([each.train_flops / run.spec.budget_flops for each in run.validation])
    accuracy = np.array([each.bank.greedy_accuracy for each in run.validation])
    return Curve(share=share, accuracy=accuracy, num_problems=run.validation[0].bank.num_problems)


def witness_of(run: Run) -> Witness:
    """The run as a later one reads it."""
    curve = curve_of(run)
    return Witness(
        name=run.name,
        share=tuple(np.where(curve.share > 1.0 - 1e-9, 1.0, curve.share).tolist()),
        greedy_accuracy=tuple(curve.accuracy.tolist()),
        sampled_accuracy=(None,) * len(curve.share),
        num_problems=curve.trials,
        decay_share=run.spec.decay_share,
    )


def up_to(witness: Witness, share: float) -> Witness:
    """The witness, had it been stopped there."""
    kept = sum(each <= share for each in witness.share)
    names = ("share", "greedy_accuracy", "sampled_accuracy")
    return replace(witness, **{name: getattr(witness, name)[:kept] for name in names})


def best_prior(cells: Sequence[Cell]) -> float:
    """Log odds that make the ends which came likeliest; every recipe counts alike."""

    def score(prior: float, names: tuple[str, ...]) -> float:
        by_kind = defaultdict(list)
        for cell in cells:
            if cell.witnesses in names:
                cdf = cell.density(prior)
                low, high = max(0.0, cell.truth - NEAR), min(1.0, cell.truth + NEAR)
                by_kind[cell.kind].append(np.log(max(1e-4, np.interp(high, NODES, cdf) - np.interp(low, NODES, cdf))))
        return float(np.mean([np.mean(each) for each in by_kind.values()]))

    scores = [RIGHT * score(prior, ("1", "2")) + score(prior, ("1 wrong", "2 wrong")) for prior in PRIORS]
    return float(PRIORS[int(np.argmax(scores))])


def write_table(cells: Sequence[Cell], priors: dict[str, float]) -> None:
    """A row for each recipe and set of witnesses: error in points and coverage at each share seen."""
    head = " | ".join(f"at {seen:.0%}" for seen in SEEN)
    sys.stdout.write(
        f"| forecast of | witnesses | weight | {head} | all | in the 90 % interval |\n|{'---|' * (5 + len(SEEN))}\n"
    )
    for kind in [*sorted({cell.kind for cell in cells}), "all of these"]:
        for name in SETS:
            held = [each for each in cells if each.witnesses == name and kind in (each.kind, "all of these")]
            if not held:
                continue
            found = [(each.density(priors[each.kind]), each) for each in held]
            error = {
                seen: [abs(quantile(cdf, 0.5) - each.truth) for cdf, each in found if each.seen in place]
                for seen, place in [*((f"{seen}", (seen,)) for seen in SEEN), ("all", SEEN)]
            }
            inside = [quantile(cdf, 0.05) - 1e-3 <= each.truth <= quantile(cdf, 0.95) + 1e-3 for cdf, each in found]
            weight = (
                np.mean([MOST * expit(priors[each.kind] + each.evidence) for each in held]) if name != "none" else 0.0
            )
            columns = " | ".join(f"{100 * np.mean(each):.1f}" if each else "-" for each in error.values())
            sys.stdout.write(f"| {kind} | {name} | {weight:.2f} | {columns} | {np.mean(inside):.0%} |\n")


if __name__ == "__main__":
    main()
