"""K-curves of all problems from samples of some, against the truth: how greedy answers carry them over.

    python benchmarks/poststrata.py [suite | late | rising]

Validation banks of recorded runs, at every third checkpoint from the 3rd on: 4 of the samples of so many problems, a
part drawn at random, and the greedy answers to all. The truth is the accuracy of all problems, at K from 1 to 64, from
all samples recorded; majority votes where answers were recorded, up to the samples seen. Error, bias, and how often the
90 % interval holds; "unlucky" are the third of the parts whose greedy accuracy differs most from that of all. Half a
minute on one core.
"""

import collections
import sys
import zlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from recorded import LATE, MAX_K, RISING, SUITE, Run, load

from breakeven.records import KCurve, SampleBank
from breakeven.ttc.evaluate import accuracy_per_problem, evaluate
from breakeven.ttc.tally import Tally, tally_of

FOLDERS = {"suite": SUITE, "late": LATE, "rising": RISING}
FROM, EVERY, DRAWS = 2, 3, 3
"""Checkpoints, and how often a part of the problems is drawn anew at each."""
PARTS, NUM_SAMPLES = (30, 60, 120), 4
K_VALUES = (1, 2, 4, 8, 16, 64)
WAYS = ("the part alone", "difference in greedy accuracy", "post-stratified")


def main() -> None:
    folder = FOLDERS[sys.argv[1] if len(sys.argv) > 1 else "suite"]
    cells = [cell for path in sorted(folder.glob("*.jsonl.gz")) for cell in cells_of(load(path))]
    gaps = {size: np.quantile([abs(cell[3]) for cell in cells if cell[1] == size], 2 / 3) for size in PARTS}
    write_row(
        "curve",
        "problems",
        "way",
        *(f"MAE at K = {k}" for k in K_VALUES),
        "all",
        "bias",
        "holds",
        "unlucky: all, holds",
    )
    write_row(*["---"] * (7 + len(K_VALUES)))
    by_row = collections.defaultdict(list)
    for strategy, size, way, gap, k, error, holds in cells:
        by_row[strategy, size, way].append((k, error, holds, abs(gap) >= gaps[size]))
    for (strategy, size, way), row in by_row.items():
        k_C, error_C, holds_C, unlucky_C = (np.array(each) for each in zip(*row, strict=True))
        mean_K = (f"{100 * np.abs(error_C[k_C == k]).mean():.2f}" if k in k_C else "-" for k in K_VALUES)
        write_row(
            strategy, size, way, *mean_K, f"{100 * np.abs(error_C).mean():.2f}", f"{100 * error_C.mean():+.2f}",
            f"{holds_C.mean():.0%}", f"{100 * np.abs(error_C[unlucky_C]).mean():.2f}, {holds_C[unlucky_C].mean():.0%}",
        )  # fmt: skip


def write_row(*cells: object) -> None:
    sys.stdout.write(f"| {' | '.join(map(str, cells))} |\n")
    sys.stdout.flush()


def cells_of(run: Run) -> Iterator[tuple[str, int, str, float, int, float, bool]]:
    """Strategy, problems, way, gap in greedy accuracy, K, error, whether the interval holds."""
    for place, recorded in enumerate(run.validation[FROM::EVERY]):
        bank = recorded.bank
        full = tally_of(bank)
        random = np.random.default_rng((zlib.crc32(run.name.encode()), place))
        strategies = ("pass@k", "majority_vote") if bank.answer_PN else ("pass@k",)
        truth = {
            (strategy, k): accuracy_per_problem(full, strategy, k).mean()
            for strategy in strategies
            for k in K_VALUES
            if k <= (NUM_SAMPLES if strategy == "majority_vote" else min(MAX_K, full.samples_P.min()))
        }
        for size in (size for size in PARTS if size < bank.num_problems):
            for _ in range(DRAWS):
                tally = tally_of(part(bank, random.permutation(bank.num_problems)[:size]))
                for strategy in strategies:
                    for way, curve in curves(tally, strategy):
                        for k, lo, at, hi in zip(curve.k_values, curve.lo_K, curve.accuracy_K, curve.hi_K, strict=True):
                            if (strategy, k) in truth:
                                true = truth[strategy, k]
                                yield strategy, size, way, tally.left_out, k, at - true, lo <= true <= hi


def part(bank: SampleBank, problems: np.ndarray) -> SampleBank:
    """The bank with the first samples of some problems alone."""
    of_these = set(problems.tolist())
    correct_PN, answer_PN = (
        tuple(row[:NUM_SAMPLES] if problem in of_these else "" for problem, row in enumerate(rows))
        for rows in (bank.correct_PN, bank.answer_PN)
    )
    return replace(
        bank, correct_PN=correct_PN, answer_PN=answer_PN, score_PN=(), prompt_tokens_P=(), greedy_tokens_P=(),
        output_tokens_PN=(),
    )  # fmt: skip


def curves(tally: Tally, strategy: str) -> Iterator[tuple[str, KCurve]]:
    """Each way's."""
    drawn = tally.samples_P > 0
    assert tally.greedy_P is not None
    alone = replace(
        tally, correct_P=tally.correct_P[drawn], samples_P=tally.samples_P[drawn], greedy_P=tally.greedy_P[drawn]
    )
    (plain,) = evaluate(alone, max_k=MAX_K, strategies=[strategy])
    raised = (np.clip(np.add(each, tally.left_out), 0, 1) for each in (plain.accuracy_K, plain.lo_K, plain.hi_K))
    accuracy_K, lo_K, hi_K = (tuple(each.tolist()) for each in raised)
    yield WAYS[0], plain
    yield WAYS[1], replace(plain, accuracy_K=accuracy_K, lo_K=lo_K, hi_K=hi_K)
    (curve,) = evaluate(tally, max_k=MAX_K, strategies=[strategy])
    yield WAYS[2], curve


if __name__ == "__main__":
    main()
