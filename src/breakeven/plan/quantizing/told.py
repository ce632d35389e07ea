"""What is shown of the splits: tables and pictures; and each split as an option."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from breakeven.choice.choose import best
from breakeven.plan.laws.qat import optimal_fraction
from breakeven.plan.quantizing.compared import best_shares
from breakeven.plan.quantizing.lawful import shares_by_law
from breakeven.plan.quantizing.over import mean_over
from breakeven.plan.quantizing.splits import Group, Split, kinds_of, of_common_seeds
from breakeven.plan.sizing.forms import Form
from breakeven.records import NORMAL_95, Option, Quality
from breakeven.records.options import EVALUATION
from breakeven.records.plans import Line, Picture, PlanTable
from breakeven.report.format import format_flops, format_share

OTHER_SHARES: Final = "other shares"
"""The cost line of the trainings among which a share was chosen."""


def options_of(splits: Sequence[Split], groups: Sequence[Group]) -> Iterator[Option]:
    """Each split, the best of those with both phases charged for the others: it was found by training them all."""
    tried = {group.best.name: [each for each in group.inside if each is not group.best] for group in groups}
    for each in splits:
        one_off = {EVALUATION: each.evaluation_flops} if each.evaluation_flops else {}
        others = tried.get(each.name, [])
        if others:
            one_off[OTHER_SHARES] = sum(other.train_flops + other.evaluation_flops for other in others)
        yield Option(
            name=each.name,
            settings={
                "size": each.size,
                "bits": each.bits,
                "qat_share": each.fraction,
                "schedule": each.schedule,
                "train_tokens": each.tokens,
                "weight_bytes": each.weight_bytes,
            },
            train_flops=each.train_flops,
            one_off=one_off,
            query_flops=each.query_flops,
            bytes_moved=each.query_bytes,
            quality=_quality(each),
        )


def _quality(split: Split) -> Quality:
    """Minus the loss, with an interval over problems where there are any."""
    if not split.problems:
        return Quality(value=-split.loss)
    value_P = -np.mean(split.loss_SP, axis=0)
    half = NORMAL_95 * float(value_P.std(ddof=1)) / len(value_P) ** 0.5
    value = float(value_P.mean())
    return Quality(
        value=value, lo=value - half, hi=value + half, value_P=tuple(value_P.tolist()), problems=split.problems
    )


def loss_table(splits: Sequence[Split], groups: Sequence[Group]) -> PlanTable:
    """The loss by share, mean over seeds and their standard deviation."""
    shares = sorted({each.fraction for group in groups for each in (*group.all, *group.classic)})
    whole = {(each.model, each.level): each for each in splits if not each.bits}
    rows = []
    for group in groups:
        first = group.inside[0]
        full = whole.get((first.model, first.level))
        if full is not None:
            (full, _) = of_common_seeds((full, first))
        for schedule, own in (("fused" if group.classic else "", group.all), ("classic", group.classic)):
            known = {each.fraction: _spread(each) for each in own}
            if known:
                cells = (known.get(share, "") for share in shares)
                rows.append((group.name, schedule, "" if full is None else _spread(full), *cells))
    headings = ("training", "schedule", "full precision", *(_share_words(each) for each in shares))
    return PlanTable(
        label="Loss in nats by share of QAT (mean, standard deviation over seeds)", headings=headings, rows=tuple(rows)
    )


def _share_words(share: float) -> str:
    return {0.0: "after training", 1.0: "from the start"}.get(share, f"{100 * share:g} %")


def _spread(split: Split) -> str:
    deviation = f" ({np.std(split.loss_S, ddof=1):.3f})" if len(split.loss_S) > 1 else ""
    return f"{split.loss:.3f}{deviation}"


def share_table(groups: Sequence[Group], form: Form | None) -> PlanTable:
    """The best share by measurement, by the published one-parameter formula, and by the law."""
    rows = list[tuple[str, ...]]()
    for group in groups:
        first = group.inside[0]
        per_byte = first.per_byte
        rule = format_share(optimal_fraction(per_byte)) if per_byte > 1 else "none: S is at most 1"
        by_seed = ", ".join(f"{100 * each:g}" for each in best_shares(group))
        row: tuple[str, ...] = (group.name, f"{per_byte:.3g}", f"{100 * group.best.fraction:g} % ({by_seed})", rule)
        if form is not None:
            share, lo, hi = shares_by_law(form, params=first.params, tokens=first.tokens, bits=first.bits)
            row = (*row, f"{format_share(share)} ({format_share(lo)} to {format_share(hi)})")
        rows.append(row)
    headings = ("training", "S", "best share inside, measured (by seed)", "exp(-6.73 / log S), published")
    return PlanTable(
        label="Best share of QAT by tokens per byte of the quantized parameters, S",
        headings=headings if form is None else (*headings, "by the law (90 %)"),
        rows=tuple(rows),
    )


def rule_table(
    bits: Sequence[int], *, per_byte: Sequence[float], form: Form | None, params: float, tokens: float
) -> PlanTable:
    """The share for a training that is planned, at each number of bits.

    Args:
        bits: of the weights.
        per_byte: S at each of them, above 1.
        form: the law, where it may be relied on.
        params: N of the planned model.
        tokens: D in all.
    """
    rows = list[tuple[str, ...]]()
    for each, ratio in zip(bits, per_byte, strict=True):
        row: tuple[str, ...] = (f"{each}", f"{ratio:.4g}", format_share(optimal_fraction(ratio)))
        if form is not None:
            share, lo, hi = shares_by_law(form, params=params, tokens=tokens, bits=each)
            row = (*row, f"{format_share(share)} ({format_share(lo)} to {format_share(hi)})")
        rows.append(row)
    headings = ("bits", "S", "share of QAT, published formula")
    return PlanTable(
        label=f"Planned: {params:.4g} parameters on {tokens:.4g} tokens",
        headings=headings if form is None else (*headings, "by the law (90 %)"),
        rows=tuple(rows),
    )


def equal_table(splits: Sequence[Split]) -> PlanTable:
    """The best split of each size and bits at equal training FLOPs."""
    kinds = list(dict.fromkeys((each.size, each.bits) for each in splits))
    rows = []
    for level in sorted({each.level for each in splits}):
        cells = []
        for size, bits in kinds:
            own = [each for each in splits if (each.size, each.bits, each.level) == (size, bits, level)]
            cells.append(_told(best(own, price=lambda each: each.query_bytes, value=lambda each: -each.loss)))
        rows.append((format_flops(level), *cells))
    headings = ("training", *(f"{size}, {f'{bits} bits' if bits else 'full precision'}" for size, bits in kinds))
    return PlanTable(label="Least loss at equal training FLOPs (share of QAT)", headings=headings, rows=tuple(rows))


def limit_table(splits: Sequence[Split], limits: Sequence[float]) -> PlanTable:
    """Size, bits and share of least loss whose weights fit into so many bytes, at equal training FLOPs."""
    levels = sorted({each.level for each in splits})
    rows = []
    for limit in limits or sorted({each.weight_bytes for each in splits}):
        cells = []
        for level in levels:
            own = [each for each in splits if each.level == level]
            found = best(own, budget=limit, price=lambda each: each.weight_bytes, value=lambda each: -each.loss)
            kind = "" if found is None else f"{found.size}, {f'{found.bits} bits' if found.bits else 'full'}: "
            cells.append(f"{kind}{_told(found)}")
        rows.append((f"{limit:,.0f}", *cells))
    headings = ("weights, bytes", *(f"{format_flops(level)} of training" for level in levels))
    return PlanTable(label="Least loss under a memory limit", headings=headings, rows=tuple(rows))


def _told(split: Split | None) -> str:
    if split is None:
        return "none"
    return f"{split.loss:.3f}" + (f" ({100 * split.fraction:g} %)" if split.bits else "")


def serving_table(splits: Sequence[Split]) -> PlanTable:
    """What a query costs in FLOPs and in bytes: bits change the second alone."""
    rows = []
    for size, bits in dict.fromkeys((each.size, each.bits) for each in splits):
        own = [each for each in splits if (each.size, each.bits) == (size, bits)]
        least = min(own, key=lambda each: each.loss)
        rows.append(
            (
                f"{size}, {f'{bits} bits' if bits else 'full precision'}",
                f"{own[0].weight_bytes:,.0f}",
                f"{own[0].query_bytes:,.0f}",
                format_flops(own[0].query_flops),
                f"{least.loss:.3f}",
            )
        )
    headings = ("model", "weights, bytes", "bytes moved a query", "FLOPs a query", "least loss")
    return PlanTable(label="What a query costs, both ways", headings=headings, rows=tuple(rows))


def share_picture(groups: Sequence[Group]) -> Picture:
    """The loss by share, of the first kind of size and bits, a line for each duration."""
    own = next(iter(kinds_of(groups).values()))
    lines = []
    for group in own:
        found = [mean_over(np.array(each.loss_SP)) for each in group.all]
        known = len(group.inside[0].loss_S) > 1
        lines.append(
            Line(
                label=f"{group.inside[0].model}, S = {group.inside[0].per_byte:.3g}",
                points=tuple((each.fraction, each.loss) for each in group.all),
                intervals=tuple((each.lo or each.value, each.hi or each.value) for each in found) if known else (),
            )
        )
    return Picture(
        name="shares",
        title=f"Loss by share of QAT, {own[0].inside[0].size} at {own[0].inside[0].bits} bits",
        x="share of the tokens with quantized weights",
        y="loss, nats",
        lines=tuple(lines),
        log_y=True,
        note="0 quantizes after training, 1 from the start; intervals over seeds.",
    )


def bytes_picture(splits: Sequence[Split]) -> Picture:
    """The least loss of each size and bits by the bytes that a query moves, a line for each amount of training."""
    lines = []
    for level in sorted({each.level for each in splits}):
        least: dict[tuple[str, int], Split] = {}
        for each in splits:
            kind = each.size, each.bits
            if each.level == level and (kind not in least or each.loss < least[kind].loss):
                least[kind] = each
        points = sorted((each.query_bytes, each.loss) for each in least.values())
        lines.append(Line(label=f"{format_flops(level)} of training", points=tuple(points)))
    return Picture(
        name="bytes",
        title="Least loss of each size and bits by the bytes that a query moves",
        x="bytes a query",
        y="loss, nats",
        lines=tuple(lines),
        log_x=True,
        log_y=True,
    )
