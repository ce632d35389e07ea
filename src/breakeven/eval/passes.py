"""Recorded passes of a classifier, evaluated without it: every strategy at every K, a block of problems at a time."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.errors import argument_error
from breakeven.eval.ballots import GREEDY, MAJORITY_VOTE, ballots_of
from breakeven.eval.intervals import mean_and_interval
from breakeven.readers.class_blocks import PassBlock, RecordedPasses
from breakeven.records import Measurement, Score
from breakeven.report.paired import difference
from breakeven.seeds import MAX_SEED, batch_seed
from breakeven.ttc.class_metrics import check_metrics
from breakeven.ttc.class_scores import Served, class_scores
from breakeven.ttc.pool import Pool, require_labels
from breakeven.ttc.strategies.measured import Measured
from breakeven.ttc.strategies.named import strategy_of
from breakeven.ttc.strategies.on_pool import measure
from breakeven.ttc.strategies.soft_vote import SOFT_VOTE

_PASS_AT_K = "pass@k"
_SAME = 1e-6
"""Probabilities that are so close are of one pass: the same sums in single precision, in another order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassesEvaluation:
    """What was measured, and on what. A sample is one pass, greedy the plain one."""

    model: str
    task: str
    """A checksum of the labels, so that what is measured on the same ones is of one task."""
    num_problems: int
    num_samples: int
    """N, noisy passes of each problem."""
    num_snapshots: int
    num_copied: int
    """Problems whose noisy passes all equal the plain one, or each other where there is none."""
    classes: tuple[str, ...]
    absent: tuple[str, ...]
    """Classes that no problem is of."""
    never_served: tuple[str, ...]
    """Other classes that the plain pass, or where there is none the mean of the noisy ones, never predicts."""
    measurements: tuple[Measurement, ...] = field(default=())
    scores: tuple[Score, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """What is kept of a block: nothing that grows with the number of classes times problems."""

    label_P: npt.NDArray[np.int64]
    num_copied: int
    num_predicted_C: npt.NDArray[np.intp]
    pool: Pool | None
    """The class of each noisy pass."""
    measured: dict[str, Measured]
    """Of strategies that average probabilities."""
    served: tuple[Served, ...]


def evaluate_passes(
    recorded: RecordedPasses,
    *,
    k_values: Sequence[int],
    metrics: Sequence[str] = (),
    pass_flops: float | None = None,
    seed: int = 0,
) -> PassesEvaluation:
    """Accuracy and price of every strategy at every K that the passes allow, and other scores where asked for.

    Greedy is the plain pass: of the last checkpoint where only snapshots are there. A majority vote draws passes in
    turn until it cannot be lost; Pass@K does up to the first right one, for which it needs the label: an oracle.

    Args:
        recorded: the passes, read once.
        k_values: passes, increasing, up to those recorded; each strategy takes those that it has passes for.
        metrics: names in `breakeven.ttc.class_metrics.METRICS`.
        pass_flops: FLOPs of one pass on one problem; None: unknown.
        seed: of subsets, served sets and the bootstrap.

    Raises:
        ArgumentError: what is recorded breaks a rule, a K above the passes, or a metric that is not known.
    """
    check.between("--seed", seed, 0, MAX_SEED)
    if pass_flops is not None:
        check.positive("--pass-flops", pass_flops, "`breakeven flops` counts a pass of a model's config.")
    check_metrics(metrics, len(recorded.classes))
    most = max(recorded.num_passes, recorded.num_snapshots, 1)
    if check.increasing("--k", k_values)[-1] > most:
        raise argument_error("--k", f"be at most the {most} passes recorded", max(k_values), "None is extrapolated.")
    parts: list[_Part] = []
    first = 0
    for block in recorded.blocks():
        parts.append(_part(block, k_values, scored=bool(metrics), seed=batch_seed(seed, first)))
        first += len(block.label_P)
    label_P = np.concatenate([each.label_P for each in parts])
    names, size = np.array(recorded.classes), len(recorded.classes)
    held_C = np.bincount(label_P, minlength=size) > 0
    predicted_C = np.sum([each.num_predicted_C for each in parts], axis=0) > 0
    return PassesEvaluation(
        model=recorded.path.name,
        task=f"labels-{zlib.crc32(label_P.astype('<i8').tobytes()):08x}",
        num_problems=len(label_P),
        num_samples=recorded.num_passes,
        num_snapshots=recorded.num_snapshots,
        num_copied=sum(each.num_copied for each in parts),
        classes=recorded.classes,
        absent=tuple(names[~held_C].tolist()),
        never_served=tuple(names[held_C & ~predicted_C].tolist()),
        measurements=tuple(_measurements(_measured(parts, k_values), pass_flops)),
        scores=_scores(label_P, [each.served for each in parts], metrics, size, seed),
    )


def _part(block: PassBlock, k_values: Sequence[int], *, scored: bool, seed: int) -> _Part:
    ballots = list(ballots_of(block, k_values))
    reference_PC = ballots[0].vote_PNC.mean(axis=1)
    num_classes = reference_PC.shape[1]
    right_PC = np.eye(num_classes, dtype=bool)[block.label_P]
    pool, num_copied = None, 0
    if block.probability_PNC is not None:
        class_PN = block.probability_PNC.argmax(axis=-1)
        pool = Pool(correct_PN=class_PN == block.label_P[:, None], label_PN=_ranks(class_PN))
        same_PNC = np.abs(block.probability_PNC - reference_PC[:, None]) < _SAME
        num_copied = int(same_PNC.all(axis=(1, 2)).sum())
    return _Part(
        label_P=block.label_P,
        num_copied=num_copied,
        num_predicted_C=np.bincount(reference_PC.argmax(axis=1), minlength=num_classes),
        pool=pool,
        measured={each.strategy: each.averaged(right_PC, seed) for each in ballots if each.strategy != MAJORITY_VOTE},
        served=tuple(each for ballot in ballots for each in ballot.served(seed)) if scored else (),
    )


def _ranks(class_PN: npt.NDArray[np.intp]) -> npt.NDArray[np.int16]:
    """The classes of each problem's passes, numbered from 0 within the problem: few, however many classes there are."""
    order_PN = class_PN.argsort(axis=1, kind="stable")
    new_PN = np.diff(np.take_along_axis(class_PN, order_PN, axis=1), axis=1, prepend=class_PN.min(axis=1)[:, None]) > 0
    rank_PN = np.empty(class_PN.shape, dtype=np.int16)
    np.put_along_axis(rank_PN, order_PN, new_PN.cumsum(axis=1).astype(np.int16), axis=1)
    return rank_PN


def _measured(parts: Sequence[_Part], k_values: Sequence[int]) -> dict[str, Measured]:
    """Every strategy on all blocks, the votes after greedy."""
    found = {name: _joined([each.measured[name] for each in parts]) for name in parts[0].measured}
    pools = [each.pool for each in parts if each.pool is not None]
    if SOFT_VOTE not in found:
        return found
    pool = Pool(
        correct_PN=np.concatenate([each.correct_PN for each in pools]),
        label_PN=np.concatenate([require_labels(each, MAJORITY_VOTE) for each in pools]),
    )
    noisy = [k for k in k_values if k <= pool.num_samples]
    votes = {}
    for name in (_PASS_AT_K, MAJORITY_VOTE):
        in_turn = strategy_of(name).samples
        samples_PK = None if in_turn is None else in_turn(pool, noisy)
        votes[name] = replace(measure(pool, name, noisy), expected_samples_PK=samples_PK)
    greedy = {GREEDY: found.pop(GREEDY)} if GREEDY in found else {}
    return greedy | votes | found


def _joined(parts: Sequence[Measured]) -> Measured:
    """What was measured of one strategy on each block, of all."""
    sizes = np.array([len(each.accuracy_PK) for each in parts])[:, None]
    errors = np.array([each.monte_carlo_error_K for each in parts]) * sizes
    return Measured(
        k_values=parts[0].k_values,
        accuracy_PK=np.concatenate([each.accuracy_PK for each in parts]),
        monte_carlo_error_K=np.sqrt(np.square(errors).sum(axis=0)) / sizes.sum(),
    )


def _measurements(measured: Mapping[str, Measured], pass_flops: float | None) -> Iterator[Measurement]:
    greedy_P = measured[GREEDY].accuracy_PK[:, 0] if GREEDY in measured else None
    for name, found in measured.items():
        for column, k in enumerate(found.k_values):
            accuracy_P = np.clip(found.accuracy_PK[:, column], 0.0, 1.0)
            mean, error, lo, hi = mean_and_interval(accuracy_P)
            told = None if greedy_P is None or name == GREEDY else difference(greedy_P, accuracy_P, paired=True)
            interval = None if told is None else told.interval
            samples = float(found.expected_samples_K[column])
            yield Measurement(
                strategy=name,
                deployable=strategy_of(name).deployable(oracle=True),
                k=k,
                accuracy=mean,
                standard_error=error,
                monte_carlo_error=float(found.monte_carlo_error_K[column]),
                lo=lo,
                hi=hi,
                num_problems=len(accuracy_P),
                expected_samples=samples,
                output_tokens=0.0,
                model_flops=None if pass_flops is None else pass_flops * samples,
                reward_flops=0.0,
                gain=None if told is None else told.mean,
                gain_lo=None if interval is None else interval[0],
                gain_hi=None if interval is None else interval[1],
            )


def _scores(
    label_P: npt.NDArray[np.int64],
    parts: Sequence[tuple[Served, ...]],
    metrics: Sequence[str],
    num_classes: int,
    seed: int,
) -> tuple[Score, ...]:
    if not metrics:
        return ()
    served = [
        Served(strategy=each[0].strategy, k=each[0].k, class_PD=np.concatenate([one.class_PD for one in each]))
        for each in zip(*parts, strict=True)
    ]
    baseline = next((each for each in served if each.strategy == GREEDY), None)
    others = [each for each in served if each is not baseline]
    unique = tuple(dict.fromkeys(metrics))
    return class_scores(label_P, others, unique, num_classes=num_classes, baseline=baseline, seed=seed)
