"""K-curves of recorded runs told in strata of earlier answers, against one Beta law of the checkpoint alone.

    python benchmarks/strata.py [suite|late]

At every second checkpoint from the 6th on the estimators see 4 and 8 of the 64 samples recorded per problem; the truth
is Pass@K over all of them, of the same problems. Of earlier checkpoints all greedy answers are known, and 4 samples of
a quarter of the problems at every second, of all at every fourth; in the last column greedy answers alone. Under a
minute on one core.
"""

import collections
import sys
import zlib
from collections.abc import Iterator

import numpy as np
from recorded import LATE, MAX_K, SUITE, Run, load

from breakeven.records import KCurve
from breakeven.ttc.evaluate import evaluate
from breakeven.ttc.strategies.pass_at_k import pass_at_k
from breakeven.ttc.tally import Tally

FROM, EVERY, DRAWS = 5, 2, 2
GIVEN = (4, 8)
FAR_K = (8, 16, 32, 64)
WAYS = "one law", "strata", "strata, greedy past"
Row = tuple[str, int, float, bool, bool]
"""Way, K, error, whether the interval holds, whether the truth is above it."""


def main() -> None:
    folders = {"suite": SUITE, "late": LATE}
    asked = sys.argv[1] if len(sys.argv) > 1 else "suite"
    if asked not in folders:
        sys.stderr.write(__doc__)
        raise SystemExit(2)
    by_kind = collections.defaultdict(list)
    for path in sorted(folders[asked].glob("*.jsonl.gz")):
        run = load(path)
        for draw in range(DRAWS):
            by_kind[run.kind].extend(cells(run, draw))
    write_row("recipe", "way", *(f"MAE at K = {k}" for k in FAR_K), "all", "bias", "holds", "truth above")
    write_row(*["---"] * 10)
    by_kind["all"] = [row for rows in by_kind.values() for row in rows]
    for kind, rows in by_kind.items():
        for way in WAYS:
            error_of = {k: [error for name, at, error, *_ in rows if (name, at) == (way, k)] for k in FAR_K}
            errors = np.concatenate([error_of[k] for k in FAR_K])
            holds, above = np.mean([row[3:] for row in rows if row[0] == way], axis=0)
            at_k = (f"{100 * np.abs(error_of[k]).mean():.2f}" for k in FAR_K)
            all_k = f"{100 * np.abs(errors).mean():.2f}", f"{100 * errors.mean():+.2f}"
            write_row(kind, way, *at_k, *all_k, f"{holds:.0%}", f"{above:.0%}")


def write_row(*cells: object) -> None:
    sys.stdout.write(f"| {' | '.join(map(str, cells))} |\n")
    sys.stdout.flush()


def cells(run: Run, draw: int) -> Iterator[Row]:
    """What each way makes of each K beyond the samples seen."""
    random = np.random.default_rng((zlib.crc32(run.name.encode()), draw))
    seen = [shuffled(observation.bank, random) for observation in run.validation]
    earlier = {
        "strata": np.zeros((2, len(seen[0][1])), int),
        "strata, greedy past": np.zeros((2, len(seen[0][1])), int),
    }
    for place, (right_PN, greedy_P) in enumerate(seen[:-1]):
        if place >= FROM and (place - FROM) % EVERY == 0:
            truth = {k: pass_at_k(right_PN.sum(axis=1), right_PN.shape[1], k) for k in FAR_K}
            for num_samples in GIVEN:
                tally = tally_at(right_PN, greedy_P, len(greedy_P), num_samples)
                for way in WAYS:
                    curve = curve_of(tally.after(*earlier[way]) if way in earlier else tally)
                    for k in (k for k in FAR_K if k > num_samples):
                        at = curve.k_values.index(k)
                        lo, hi, error = curve.lo_K[at], curve.hi_K[at], curve.accuracy_K[at] - truth[k]
                        yield way, k, error, lo <= truth[k] <= hi, truth[k] > hi
        sampled = {1: len(greedy_P) // 4, 3: len(greedy_P)}.get(place % 4, 0)
        earlier["strata"] += np.array(tally_at(right_PN, greedy_P, sampled, 4).answers)
        earlier["strata, greedy past"] += np.array(tally_at(right_PN, greedy_P, 0, 0).answers)


def shuffled(bank, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Verdicts of the samples, in an order of their own, and of the greedy answers."""
    right_PN = np.array([[verdict == "1" for verdict in row] for row in bank.correct_PN])
    return right_PN[:, random.permutation(right_PN.shape[1])], np.array([each == "1" for each in bank.greedy_correct_P])


def tally_at(right_PN: np.ndarray, greedy_P: np.ndarray, num_problems: int, num_samples: int) -> Tally:
    """The first samples of the first problems."""
    samples_P = np.where(np.arange(len(greedy_P)) < num_problems, num_samples, 0)
    return Tally(
        correct_P=right_PN[:, :num_samples].sum(axis=1) * (samples_P > 0), samples_P=samples_P, greedy_P=greedy_P
    )


def curve_of(tally: Tally) -> KCurve:
    (curve,) = evaluate(tally, max_k=MAX_K, strategies=["pass@k"])
    return curve


if __name__ == "__main__":
    main()
