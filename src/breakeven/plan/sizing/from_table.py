"""Models of several sizes in the user's own table, as the grid's own models are held; and what its losses say."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from breakeven.eval.intervals import mean_and_interval
from breakeven.plan.laws.law import Points, points_of
from breakeven.plan.sizing.measured import PASS_AT_K, Model, Sampled
from breakeven.readers.size_table import SizeRow, by_model, read_sizes
from breakeven.ttc.calibrated_curve import until_right
from breakeven.ttc.strategies.pass_at_k import first_verified, pass_at_k_per_problem


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeTable:
    """What a table holds."""

    models: tuple[Model, ...]
    """With what was measured of each; of a table of losses with nothing sampled."""
    losses: dict[str, float]
    """By the name of the model, where losses are known."""

    def loss_points(self) -> Points | None:
        """For a law of the loss; None without losses."""
        known = [each for each in self.models if each.name in self.losses]
        if not known:
            return None
        return points_of(
            {"params": [each.params for each in known], "train_tokens": [each.train_tokens for each in known]},
            [self.losses[each.name] for each in known],
            groups=[each.name for each in known],
        )


def size_table(path: Path, *, tokens_per_sample: float) -> SizeTable:
    """The models of a table.

    Args:
        path: of the table.
        tokens_per_sample: tokens that a sample takes, 2 N FLOPs each, where the table has no query_flops.

    Raises:
        LogError: see `read_sizes` and `by_model`.
    """
    models, losses = list[Model](), dict[str, float]()
    for (params, tokens), rows in by_model(read_sizes(path)):
        name = f"{params:.3g} parameters on {tokens:.3g} tokens"
        if any(each.name == name for each in models):
            name = f"{params:.10g} parameters on {tokens:.10g} tokens"
        loss = next((row.loss for row in rows if row.loss is not None), None)
        if loss is not None:
            losses[name] = loss
        of_problems = [row for row in rows if row.problem is not None and row.n is not None]
        sample_flops = 2 * params * tokens_per_sample
        sampled = _of_problems(of_problems, sample_flops) if of_problems else _of_rows(rows, sample_flops)
        ids = repr(sorted(str(row.problem) for row in of_problems))
        models.append(
            Model(
                name=name,
                size=f"{params:.4g}",
                params=params,
                train_tokens=tokens,
                train_flops=rows[0].train_flops,
                level=float(f"{rows[0].train_flops:.2g}"),
                problems=f"{path.name} {zlib.crc32(ids.encode('utf-8', 'replace')):08x}",
                sampled=tuple(sampled),
            )
        )
    return SizeTable(models=tuple(models), losses=losses)


def _of_problems(rows: Sequence[SizeRow], sample_flops: float) -> list[Sampled]:
    """Pass@K at powers of two, from counts of each problem; drawn in turn until one is right."""
    rows = sorted(rows, key=lambda row: str(row.problem))
    correct_P, samples_P = [row.c or 0 for row in rows], [row.n or 0 for row in rows]
    k_values = [1 << power for power in range(min(samples_P).bit_length())]
    accuracy_PK = pass_at_k_per_problem(correct_P, np.array(samples_P), k_values)
    drawn_K = first_verified(correct_P, np.array(samples_P), k_values).mean(axis=0)
    return [
        Sampled(
            strategy=PASS_AT_K,
            k=k,
            accuracy=float(np.mean(column_P)),
            value_P=tuple(column_P),
            query_flops=float(drawn * sample_flops),
        )
        for k, column_P, drawn in zip(k_values, accuracy_PK.T.tolist(), drawn_K, strict=True)
    ]


def _of_rows(rows: Sequence[SizeRow], sample_flops: float) -> list[Sampled]:
    """What is said at each K; drawn in turn until one is right, as far as the K that are there tell it."""
    known = sorted((row for row in rows if row.k is not None), key=lambda row: row.k or 0)
    found = []
    for row in known:
        accuracy, lo, hi = row.accuracy, None, None
        if row.n is not None and row.c is not None:
            _, _, lo, hi = mean_and_interval(np.array([1.0] * row.c + [0.0] * (row.n - row.c)))
            accuracy = row.c / row.n
        if accuracy is not None and row.k is not None:
            found.append((row, row.k, accuracy, lo, hi))
    if not found:
        return []
    k_K, accuracy_K = np.array([each[1] for each in found]), np.array([each[2] for each in found])
    drawn_K = until_right(k_K, accuracy_K, tuple(k_K.tolist()))
    return [
        Sampled(
            strategy=PASS_AT_K,
            k=k,
            accuracy=accuracy,
            lo=lo,
            hi=hi,
            query_flops=row.query_flops if row.query_flops is not None else float(drawn) * sample_flops,
        )
        for (row, k, accuracy, lo, hi), drawn in zip(found, drawn_K, strict=True)
    ]
