"""K-curves told in strata of earlier answers, against one Beta law of the checkpoint alone.

    python benchmarks/strata.py [suite | late | simulated]

Runs of benchmarks/suite, of benchmarks/late, or of the simulated families. At every second checkpoint from the 6th on
the estimators see 4 and 8 of 64 samples per problem; the truth is Pass@K over all 64, of the same problems. Of earlier
checkpoints all greedy answers are known, and 4 samples of a quarter of the problems at every second, of all at every
fourth; with a "greedy past" greedy answers alone. Under a minute on one core.
"""

import collections
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from recorded import LATE, MAX_K, SUITE, load

from breakeven.testing.simulated_curves import FAMILIES
from breakeven.testing.simulated_runs import random_run
from breakeven.ttc.evaluate import evaluate
from breakeven.ttc.strategies.pass_at_k import pass_at_k
from breakeven.ttc.tally import Tally

FOLDERS = {"suite": SUITE, "late": LATE}
FROM, EVERY = 5, 2
DRAWS, SIMULATED = 2, 3
"""How often the samples of a recorded run are drawn anew; runs of a simulated family."""
NUM_SAMPLES, GIVEN = 64, (4, 8)
FAR_K = (8, 16, 32, 64)
WAYS = ("one law", "strata", "strata, greedy past")
Checkpoint = tuple[np.ndarray, np.ndarray]
"""Whether each sample is right, shape (P, N), and each greedy answer, shape (P,)."""
Cell = tuple[str, int, float, bool, bool]
"""Way, K, error, whether the interval holds, whether the truth is above it."""


def main() -> None:
    asked = sys.argv[1] if len(sys.argv) > 1 else "suite"
    if asked not in (*FOLDERS, "simulated"):
        sys.stderr.write(__doc__)
        raise SystemExit(2)
    by_kind = collections.defaultdict(list)
    for kind, checkpoints in simulated() if asked == "simulated" else recorded(FOLDERS[asked]):
        by_kind[kind].extend(cells(checkpoints))
    by_kind["all"] = [cell for of_kind in by_kind.values() for cell in of_kind]
    write_row("runs", "K-curve", *(f"MAE at K = {k}" for k in FAR_K), "all", "bias", "holds", "truth above")
    write_row(*["---"] * 10)
    for kind, of_kind in by_kind.items():
        for way in WAYS:
            _, k_C, error_C, holds_C, above_C = (
                np.array(each) for each in zip(*(cell for cell in of_kind if cell[0] == way), strict=True)
            )
            mean_K = (f"{100 * np.abs(error_C[k_C == k]).mean():.2f}" if k in k_C else "-" for k in FAR_K)
            all_k = f"{100 * np.abs(error_C).mean():.2f}", f"{100 * error_C.mean():+.2f}"
            write_row(kind, way, *mean_K, *all_k, f"{holds_C.mean():.0%}", f"{above_C.mean():.0%}")


def write_row(*cells: object) -> None:
    sys.stdout.write(f"| {' | '.join(map(str, cells))} |\n")
    sys.stdout.flush()


def recorded(folder: Path) -> Iterator[tuple[str, list[Checkpoint]]]:
    """Recipe, and the validation banks of a run with their samples in an order of their own."""
    for path in sorted(folder.glob("*.jsonl.gz")):
        run = load(path)
        banks = [each.bank for each in run.validation]
        right = [np.array([[verdict == "1" for verdict in row] for row in bank.correct_PN]) for bank in banks]
        greedy = [np.array([verdict == "1" for verdict in bank.greedy_correct_P]) for bank in banks]
        for draw in range(DRAWS):
            random = np.random.default_rng((zlib.crc32(run.name.encode()), draw))
            shuffled = [right_PN[:, random.permutation(right_PN.shape[1])] for right_PN in right]
            yield run.kind, list(zip(shuffled, greedy, strict=True))


def simulated() -> Iterator[tuple[str, list[Checkpoint]]]:
    """Family, and the same of a simulated run."""
    for family in FAMILIES:
        for seed in range(SIMULATED):
            run = random_run(family, seed=seed, decayed=True)
            places = range(1, run.num_checkpoints + 1)
            yield family, [(run.samples(place, NUM_SAMPLES), run.greedy(place)) for place in places]


def cells(checkpoints: Sequence[Checkpoint]) -> Iterator[Cell]:
    """What each way makes of each K beyond the samples seen."""
    size = len(checkpoints[0][1])
    earlier = {way: np.zeros((2, size), dtype=int) for way in WAYS[1:]}
    for place, (right_PN, greedy_P) in enumerate(checkpoints[:-1]):
        for num_samples in GIVEN if place >= FROM and (place - FROM) % EVERY == 0 else ():
            tally = tally_of(right_PN, greedy_P, size, num_samples)
            for way in WAYS:
                (curve,) = evaluate(
                    tally.after(*earlier[way]) if way in earlier else tally, max_k=MAX_K, strategies=["pass@k"]
                )
                for k in (k for k in FAR_K if num_samples < k <= right_PN.shape[1]):
                    truth = pass_at_k(right_PN.sum(axis=1), right_PN.shape[1], k)
                    lo, at, hi = (values[k - 1] for values in (curve.lo_K, curve.accuracy_K, curve.hi_K))
                    yield way, k, at - truth, lo <= truth <= hi, truth > hi
        num_sampled = {1: size // 4, 3: size}.get(place % 4, 0)
        earlier["strata"] += tally_of(right_PN, greedy_P, num_sampled, 4).answers
        earlier["strata, greedy past"] += tally_of(right_PN, greedy_P, 0, 4).answers


def tally_of(right_PN: np.ndarray, greedy_P: np.ndarray, num_problems: int, num_samples: int) -> Tally:
    """Of the greedy answers and the first samples of the first problems."""
    sampled_P = np.arange(len(greedy_P)) < num_problems
    correct_P = sampled_P * right_PN[:, :num_samples].sum(axis=1)
    return Tally(correct_P=correct_P, samples_P=num_samples * sampled_P, greedy_P=greedy_P)


if __name__ == "__main__":
    main()
