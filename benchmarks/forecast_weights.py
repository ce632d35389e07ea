"""The weights of the forecast's members: how well each foretold the end of runs, by share of the budget seen.

    python benchmarks/forecast_weights.py                 from recorded and from simulated runs
    python benchmarks/forecast_weights.py --curves DIR    and from learning curves of one's own, DIR/*.csv with columns
                                                          curve, share (of the budget), accuracy, maybe problems
    python benchmarks/forecast_weights.py --late          fits nothing: the forecasts of runs that nothing is tuned on

Prints the table that stands in src/breakeven/stopping/stack.py, then the error and the coverage of the forecast on the
suite, each recipe forecast by weights that never saw it. Weights are those of a mixture that makes the measured ends
likeliest (EM), shrunk to the pool of all stages. Every kind of run counts alike, whatever its number: a recipe, a
family of simulated curves at half a recipe's weight, a folder. Takes a quarter of an hour on two cores.
"""

import argparse
import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from recorded import LATE, RISING, SUITE, load

from breakeven.stopping.density import NODES, Floats, mixed, quantile, raised
from breakeven.stopping.loss_line import loss_line, overfitted
from breakeven.stopping.members import MEMBERS, Curve
from breakeven.stopping.stack import (
    DECAY_GAINS,
    LEAST_LATE_RISE,
    LOSS_WEIGHT,
    STAGES,
    WEIGHTS,
    decayed,
    density_of,
    gains_of,
)
from breakeven.testing.simulated_curves import FAMILIES
from breakeven.testing.simulated_runs import random_run

SEEN = (0.06, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of the budget from which the end is foretold."""
BANDS = ((0.0, 0.15), (0.15, 0.35), (0.35, 1.0))
NEAR = 0.015
"""An end counts as foretold by what a member gives to accuracies this near to it."""
FAINT = 1e-4
HEAD = "| forecast of | seen | forecasts | MAE, points | in the 90 % interval | above | below |\n" + f"|{'---|' * 7}\n"
SIMULATED_WEIGHT = 0.5
SHRINKAGE = 1.0
"""Kinds' worth of the pooled weights that each stage starts from."""


@dataclass(frozen=True)
class Run:
    """A complete learning curve."""

    kind: str
    name: str
    share: Floats
    accuracy: Floats
    num_problems: int | None
    decay_share: float
    loss: Floats
    """Validation loss, empty where it was not recorded."""


@dataclass(frozen=True)
class Cell:
    """The end of a run, foretold by each member from part of it."""

    kind: str
    run: str
    used: float
    truth: float
    cdf_MQ: Floats
    """What each member says."""
    loss_cdf: Floats | None
    """What the one says that reads the loss; None where there is none."""
    by_gain: Floats | None
    """Log likelihood of the end if the decay brought each of DECAY_GAINS, by the table that ships; None without one."""
    overfitted: bool


@dataclass(frozen=True)
class Table:
    """Weights by stage."""

    members_SM: Floats
    loss_S: Floats
    """Of the member that reads the loss, beside all others together."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, help="a folder of learning curves")
    parser.add_argument("--simulated", type=int, default=40, help="runs of each family")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--late", action="store_true", help="only forecasts of benchmarks/late, by the table that ships"
    )
    args = parser.parse_args()
    if args.late:
        write_late(args.workers)
        return
    runs = [
        *recorded(SUITE),
        *recorded(RISING),
        *simulated(args.simulated),
        *(given(args.curves) if args.curves else ()),
    ]
    with ProcessPoolExecutor(max_workers=args.workers) as pool:
        cells = [cell for found in pool.map(cells_of, runs, chunksize=4) for cell in found]
    table = fitted(cells)
    for name, row in zip(MEMBERS, table.members_SM.T, strict=True):
        sys.stdout.write(f'    "{name}": ({", ".join(f"{weight:.3f}" for weight in row)}),\n')
    sys.stdout.write(f"LOSS_WEIGHT = ({', '.join(f'{weight:.3f}' for weight in table.loss_S)})\n")
    fresh = gains([cell for cell in cells if not cell.overfitted], np.full(len(DECAY_GAINS), 1.0 / len(DECAY_GAINS)))
    heart = gains([cell for cell in cells if cell.overfitted], fresh)
    for name, of_gain in (("DECAY_GAINS", fresh), ("OVERFITTED_GAINS", heart)):
        pairs = (f"({gain:g}, {weight:.2f})" for (gain, _), weight in zip(DECAY_GAINS, of_gain, strict=True))
        sys.stdout.write(f"{name} = ({', '.join(pairs)})\n")
    sys.stdout.write(f"\n{HEAD}")
    recipes = [kind for kind in sorted({cell.kind for cell in cells}) if not kind.startswith("simulated")]
    apart = {kind: fitted([cell for cell in cells if cell.kind != kind]) for kind in recipes}
    for kind in recipes:
        write_rows(kind, [cell for cell in cells if cell.kind == kind], apart.__getitem__)
    write_rows("all of these", [cell for cell in cells if cell.kind in apart], apart.__getitem__)
    for family in FAMILIES:
        kind = f"simulated {family}"
        write_rows(kind, [cell for cell in cells if cell.kind == kind], lambda _: table)


def write_late(workers: int) -> None:
    """The rows of the runs that no weight was fitted on, by the weights in `stopping/stack.py`."""
    with ProcessPoolExecutor(max_workers=workers) as pool:
        cells = [cell for found in pool.map(cells_of, recorded(LATE)) for cell in found]
    table = Table(np.array([WEIGHTS[name] for name in MEMBERS]).T, np.array(LOSS_WEIGHT))
    sys.stdout.write(HEAD)
    for kind in sorted({cell.kind for cell in cells}):
        write_rows(kind, [cell for cell in cells if cell.kind == kind], lambda _: table)
    write_rows("all of these", cells, lambda _: table)


# -- runs -------------------------------------------------------------------------------------------------------------


def recorded(folder: Path) -> Iterator[Run]:
    """The recorded runs of a folder, greedy accuracy on validation problems; sums of one size are a kind."""
    for path in sorted(folder.glob("*.jsonl.gz")):
        run = load(path)
        yield Run(
            run.kind if folder == SUITE else run.kind.partition("-")[0],
            run.name,
            np.array([each.train_flops / run.spec.budget_flops for each in run.validation]),
            np.array([each.bank.greedy_accuracy for each in run.validation]),
            run.validation[0].bank.num_problems,
            run.spec.decay_share or 0.0,
            np.array([each.validation_loss.mean for each in run.validation if each.validation_loss is not None]),
        )


def simulated(number: int) -> Iterator[Run]:
    """Of every family so many runs, of 200 or 500 problems, calm or rough, one in three with a decay."""
    for family in FAMILIES:
        for seed in range(number):
            draw = np.random.default_rng((seed, 11)).random(3)
            size, wobble = (200 if draw[0] < 0.5 else 500), (0.1 if draw[1] < 1 / 3 else 0.03)
            run = random_run(family, seed=10_000 + seed, num_problems=size, wobble=wobble, decayed=draw[2] < 1 / 3)
            checkpoints = range(1, run.num_checkpoints + 1)
            accuracy = np.array([float(run.greedy(each).mean()) for each in checkpoints])
            share = np.arange(1, run.num_checkpoints + 1) / run.num_checkpoints
            yield Run(f"simulated {family}", str(seed), share, accuracy, size, run.decay_share, np.empty(0))


def given(folder: Path) -> Iterator[Run]:
    """The curves of a folder; a file is a kind."""
    for path in sorted(folder.glob("*.csv")):
        points: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                points[row["curve"]].append((float(row["share"]), float(row["accuracy"]), row.get("problems") or ""))
        for name, curve in points.items():
            share, accuracy, problems = zip(*sorted(curve), strict=True)
            size = int(float(problems[0])) if problems[0] else None
            yield Run(path.stem, name, np.array(share), np.array(accuracy), size, 0.0, np.empty(0))


# -- forecasts --------------------------------------------------------------------------------------------------------


def cells_of(run: Run) -> list[Cell]:
    """What each member foretells from each share of the budget in SEEN at which there is something to foretell from."""
    cells = []
    ends = {int(np.searchsorted(run.share, seen * (1 + 1e-6), side="right")) for seen in SEEN}
    for end in sorted(ends):
        share, accuracy = run.share[:end], run.accuracy[:end]
        if end < 4 or end == len(run.share) or accuracy[-3:].mean() * (run.num_problems or 1000) < 9.5:
            continue
        curve = Curve(share=share, accuracy=accuracy, num_problems=run.num_problems, loss=run.loss[:end])
        ahead = min(1.0, (1.0 - float(share[-1])) / run.decay_share) if run.decay_share else 0.0
        cdfs = [decayed(member(curve), ahead, gains_of(curve)) for member in MEMBERS.values()]
        by_loss = decayed(loss_line(curve), ahead, gains_of(curve)) if len(run.loss) else None
        truth, used = float(run.accuracy[-1]), float(share[-1])
        by_gain = None
        if ahead and not run.kind.startswith("simulated"):  # where the gain was made up
            level = density_of(curve)
            by_gain = np.log([given_to_end(truth, raised(level, ahead * gain)) for gain, _ in DECAY_GAINS])
        cells.append(Cell(run.kind, run.name, used, truth, np.array(cdfs), by_loss, by_gain, overfitted(curve)))
    return cells


def fitted(cells: Sequence[Cell]) -> Table:
    """The weights that foretell these best; the late rise's is held up."""
    edges = (np.array(STAGES)[1:] + np.array(STAGES)[:-1]) / 2.0
    stage = np.searchsorted(edges, [cell.used for cell in cells])
    size = Counter(zip((cell.kind for cell in cells), stage.tolist(), strict=True))
    counts = np.array(
        [
            (SIMULATED_WEIGHT if cell.kind.startswith("simulated") else 1.0) / size[cell.kind, at]
            for cell, at in zip(cells, stage.tolist(), strict=True)
        ]
    )
    likely = np.array([foretold(cell) for cell in cells])
    even = np.full(len(MEMBERS), 1.0 / len(MEMBERS))
    pool = mixture(likely, counts, even)
    table = np.array([mixture(likely[stage == at], counts[stage == at], pool) for at in range(len(STAGES))])
    late = list(MEMBERS).index("late_rise")
    held_S = np.maximum(table[:, late], LEAST_LATE_RISE * (1.0 - np.array(STAGES)))
    table *= ((1.0 - held_S) / (1.0 - table[:, late]))[:, None]
    table[:, late] = held_S

    # the member that reads the loss, beside all others at these weights, where it speaks
    heard = np.array([cell.loss_cdf is not None for cell in cells])
    others = np.array([each @ table[at] for each, at in zip(likely, stage.tolist(), strict=True)])
    both = np.array(
        [[other, given_to_end(cell.truth, cell.loss_cdf)] for cell, other in zip(cells, others, strict=True)]
    )
    pool = mixture(both[heard], counts[heard], np.full(2, 0.5))
    of_both = [mixture(both[heard & (stage == at)], counts[heard & (stage == at)], pool) for at in range(len(STAGES))]
    return Table(table, np.array(of_both)[:, 1])


def foretold(cell: Cell) -> Floats:
    """What each member gave to the end that came, shape (M,)."""
    return np.array([given_to_end(cell.truth, cdf) for cdf in cell.cdf_MQ])


def gains(cells: Sequence[Cell], prior: Floats) -> Floats:
    """How likely each of DECAY_GAINS is for a recipe: all runs of one have the same, and `prior` counts as one recipe.

    The forecasts of a run tell of one end, so that together they count as one.
    """
    of_run: dict[tuple[str, str], list[Floats]] = defaultdict(list)
    for cell in cells:
        if cell.by_gain is not None:
            of_run[cell.kind, cell.run].append(cell.by_gain)
    of_kind: dict[str, Floats] = defaultdict(lambda: np.zeros(len(DECAY_GAINS)))
    for (kind, _), found in of_run.items():
        of_kind[kind] += np.mean(found, axis=0)
    told = np.array(list(of_kind.values()))
    likely = np.exp(told - told.max(axis=1, keepdims=True))
    return mixture(likely, np.ones(len(likely)), prior)


def given_to_end(truth: float, cdf: Floats | None) -> float:
    """The chance that a distribution gave to accuracies near the end that came."""
    low, high = max(0.0, truth - NEAR), min(1.0, truth + NEAR)
    return FAINT if cdf is None else max(float(np.interp(high, NODES, cdf) - np.interp(low, NODES, cdf)), FAINT)


def mixture(likely: Floats, counts: Floats, prior: Floats) -> Floats:
    """The weights of a mixture that make what came likeliest; SHRINKAGE counts stand for `prior`."""
    weights = prior
    for _ in range(200):
        blame = likely * weights
        weights = counts @ (blame / blame.sum(axis=1, keepdims=True)) + SHRINKAGE * prior
        weights = weights / weights.sum()
    return weights


def write_rows(name: str, cells: Sequence[Cell], table_of: Callable[[str], Table]) -> None:
    """Error and coverage of the weighed forecast, a row for each band of shares seen."""
    for low, high in BANDS:
        held = [cell for cell in cells if low <= cell.used < high]
        if not held:
            continue
        error, above, below = [], [], []
        for cell in held:
            table = table_of(cell.kind)
            weights = [float(np.interp(cell.used, STAGES, column)) for column in table.members_SM.T]
            cdf = mixed(weights, cell.cdf_MQ)
            if cell.loss_cdf is not None:
                heard = float(np.interp(cell.used, STAGES, table.loss_S))
                cdf = mixed([1.0 - heard, heard], [cdf, cell.loss_cdf])
            error.append(abs(quantile(cdf, 0.5) - cell.truth))
            above.append(cell.truth > quantile(cdf, 0.95) + 1e-3)
            below.append(cell.truth < quantile(cdf, 0.05) - 1e-3)
        inside = 1.0 - np.mean(above) - np.mean(below)
        sys.stdout.write(
            f"| {name} | {low:.0%} to {high:.0%} | {len(held)} | {100 * np.mean(error):.1f} | {inside:.0%} "
            f"| {np.mean(above):.0%} | {np.mean(below):.0%} |\n"
        )


if __name__ == "__main__":
    main()
