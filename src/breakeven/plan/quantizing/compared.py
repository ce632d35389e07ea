"""What the splits say: is a share inside the best, does it rise, is one schedule as good as two."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from scipy.optimize import minimize_scalar

from breakeven.plan.laws.qat import FRACTION, optimal_fraction
from breakeven.plan.quantizing.over import Difference, chosen_apart, mean_over
from breakeven.plan.quantizing.splits import Group, Split, kinds_of
from breakeven.records.plans import Finding
from breakeven.report.format import format_flops

_CONSTANTS: Final = (0.01, 60.0)
"""Between which a of the one-parameter fraction is looked for."""


def less(base: Split | None, group: Group) -> Difference | None:
    """What a split loses against the best with both phases, which is chosen apart; None where there is none."""
    if base is None or len(base.loss_SP) != group.loss_FSP.shape[1]:
        return None
    chosen_SP, _ = chosen_apart(group.loss_FSP)
    return mean_over(np.array(base.loss_SP) - chosen_SP)


def found_in(groups: Sequence[Group]) -> Iterator[Finding]:
    """All findings, kind by kind of size and bits."""
    for (size, bits), own in kinds_of(groups).items():
        name = f"{size} at {bits} bits"
        for group in own:
            yield from _against(group.after, group, "quantized after training")
        for group in own:
            yield from _against(group.start, group, "QAT from the start")
        yield from _from_when(name, own)
        yield from _schedules(name, own)
        yield from _rise(name, own)
        yield from _constant(name, own)


def _against(base: Split | None, group: Group, what: str) -> Iterator[Finding]:
    found = less(base, group)
    if found is not None:
        yield _finding(f"{group.name}: nats that {what} loses against the best share inside", found)


def _from_when(name: str, groups: Sequence[Group]) -> Iterator[Finding]:
    """The least training from which on a share inside beats QAT from the start over seeds, and never ceases to."""
    sure = [(group, found) for group in groups if (found := less(group.start, group)) is not None]
    if not sure or len(groups[0].inside[0].loss_SP) == 1:
        return
    first = None
    for group, found in reversed(sure):
        if not found.is_above:
            break
        first = group
    never = "" if first else " (none measured)"
    text = f"{name}: training FLOPs from which on a share inside beats QAT from the start beyond chance{never}"
    yield Finding(text=text, value=first.inside[0].level if first else None)


def _schedules(name: str, groups: Sequence[Group]) -> Iterator[Finding]:
    """One schedule less two, over all splits that were trained on both."""
    pairs = [
        (np.array(one.loss_SP) - np.array(two.loss_SP))
        for group in groups
        for one in group.inside
        for two in group.classic
        if one.fraction == two.fraction
    ]
    if pairs:
        below = sum(float(each.mean()) < 0 for each in pairs)
        text = f"{name}: nats of fused less classic (two decays) at equal tokens; fused is below in {below} of "
        yield _finding(f"{text}{len(pairs)} splits", mean_over(np.mean(pairs, axis=0)))


def _rise(name: str, groups: Sequence[Group]) -> Iterator[Finding]:
    """The best share of the longest training less that of the shortest, by seed."""
    first, last = groups[0], groups[-1]
    if len(groups) < 2 or first.loss_FSP.shape[1] != last.loss_FSP.shape[1]:
        return
    rise_S = np.array(best_shares(last)) - np.array(best_shares(first))
    found = mean_over(rise_S[:, None])
    text = f"{name}: best share inside at {last.inside[0].per_byte:.3g} tokens a byte less that at "
    text += f"{first.inside[0].per_byte:.3g}"
    yield Finding(text=f"{text} ({found.over}; shares of the grid)", value=found.value, lo=found.lo, hi=found.hi)


def best_shares(group: Group) -> tuple[float, ...]:
    """The share inside of least loss of each seed."""
    return tuple(group.inside[place].fraction for place in group.loss_FSP.mean(axis=2).argmin(axis=0).tolist())


def _constant(name: str, groups: Sequence[Group]) -> Iterator[Finding]:
    """The constant of the one-parameter fraction that comes nearest to the best shares, by seed."""
    usable = [each for each in groups if each.inside[0].per_byte > 1]
    seeds = {each.loss_FSP.shape[1] for each in usable}
    if len(usable) < 2 or len(seeds) > 1:
        return
    per_byte = [each.inside[0].per_byte for each in usable]
    shares_GS = np.array([best_shares(each) for each in usable])
    fitted_S = np.array([_nearest(per_byte, own_G.tolist()) for own_G in shares_GS.T])
    found = mean_over(fitted_S[:, None])
    text = f"{name}: a of exp(-a / log S) nearest to the best shares of {len(usable)} durations; published: {FRACTION}"
    yield Finding(text=f"{text} ({found.over})", value=found.value, lo=found.lo, hi=found.hi)


def _nearest(per_byte: Sequence[float], shares: Sequence[float]) -> float:
    def miss(a: float) -> float:
        told = [optimal_fraction(each, a=a) for each in per_byte]
        return float(np.square(np.subtract(told, shares)).sum())

    return float(minimize_scalar(miss, bounds=_CONSTANTS, method="bounded").x)


def _finding(text: str, found: Difference) -> Finding:
    return Finding(text=f"{text} ({found.over})", value=found.value, lo=found.lo, hi=found.hi)


def lost_to_precision(splits: Sequence[Split], groups: Sequence[Group]) -> Iterator[Finding]:
    """What quantization after training costs in the longest training of each size and bits."""
    for (size, bits), own in kinds_of(groups).items():
        last = own[-1]
        full = full_of(splits, last)
        if full is not None and last.after is not None:
            found = mean_over(np.array(last.after.loss_SP) - np.array(full.loss_SP[: len(last.after.loss_SP)]))
            text = (
                f"{size} at {bits} bits, {format_flops(last.inside[0].level)} of training: nats that quantizing after"
            )
            yield _finding(f"{text} training costs", found)


def full_of(splits: Sequence[Split], group: Group) -> Split | None:
    """The same training in full precision throughout."""
    first = group.inside[0]
    return next((each for each in splits if not each.bits and each.model == first.model), None)


def seed_notes(splits: Sequence[Split], groups: Sequence[Group]) -> Iterator[str]:
    """Where one seed was trained: how what is found there compares with how far seeds are apart."""
    spread = {
        each.size: float(np.std(each.loss_S, ddof=1))
        for each in sorted(splits, key=lambda each: each.tokens)
        if not each.bits and len(each.loss_S) > 1
    }
    for (size, _), own in kinds_of(groups).items():
        last, losses = own[-1], [each.loss for each in own[-1].all]
        apart = max(losses) - min(losses)
        if len(last.inside[0].loss_SP) == 1 and size in spread:
            told = "no more than" if apart <= spread[size] else "more than"
            yield (
                f"{last.name}: all shares of QAT, from none to all, are within {apart:.3f} nats of each other, {told} "
                f"the standard deviation over seeds in full precision, {spread[size]:.3f}."
            )
