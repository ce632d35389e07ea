"""What the row says: the gate, the 2x2 at equal FLOPs, and what each arm took."""

import math
from collections.abc import Iterator, Sequence
from statistics import fmean

from breakeven.plan.thinking.effects import Effect, Square
from breakeven.plan.thinking.families import Family
from breakeven.plan.thinking.gate import ERRORS, Gate
from breakeven.plan.thinking.recipe import Model
from breakeven.plan.thinking.searched import Searched
from breakeven.records.plans import Finding, Line, Picture, PlanTable
from breakeven.report.format import format_accuracy, format_difference, format_flops


def effect_findings(found: Sequence[Square]) -> Iterator[Finding]:
    """All three effects at the lowest and at the highest budget at which all four families have an option."""
    if not found:
        text = "Effects at equal FLOPs (none: at no price do all four ways have an option; raise num_samples)"
        yield Finding(text=text, value=None)
    for square in (*found[:1], *found[1:][-1:]):
        for each in square.effects:
            same = sum(value * each.value > 0 for value in each.seed_values)
            text = (
                f"Effect of {each.name} on accuracy, at {format_flops(square.flops)} a query "
                f"({same} of {len(each.seed_values)} seeds have its sign{_chance(each)})"
            )
            yield Finding(text=text, value=each.value, lo=each.lo, hi=each.hi)


def _chance(effect: Effect) -> str:
    return "; no effect beyond chance" if effect.lo <= 0 <= effect.hi else ""


def seeds_needed(gate: Gate) -> Finding:
    """How many seeds the gate would take, if gain and spread stayed as they are."""
    text = f"Seeds that {gate.arm.name} would take for {ERRORS:g} standard errors, if gain and spread stayed"
    if gate.gain <= 0:
        return Finding(text=f"{text} (never: there is no gain)", value=None)
    spread = gate.standard_error * math.sqrt(len(gate.gain_S))
    return Finding(text=text, value=float(max(2, math.ceil((ERRORS * spread / gate.gain) ** 2))))


def arm_table(models: Sequence[Model]) -> PlanTable:
    """Of each arm: accuracy seed by seed, leaks, and what its training took."""
    rows = []
    for arm in dict.fromkeys(each.arm for each in models):
        own = [each for each in models if each.arm == arm]
        banks = [each.answered.bank for each in own]
        greedy = [bank.greedy_correct_P.count("1") / bank.num_problems for bank in banks]
        drawn = sum(bank.num_drawn + bank.num_problems for bank in banks)
        kept = [each.kept for each in own if each.kept is not None]
        share = f"{sum(each.num_right for each in kept):,} of {sum(each.num_samples for each in kept):,}"
        rows.append(
            (
                arm.name,
                format_accuracy(fmean(greedy)),
                ", ".join(map(format_accuracy, greedy)),
                f"{fmean(bank.output_tokens / bank.num_drawn for bank in banks):.1f}",
                f"{sum(each.answered.num_leaks for each in own):,} of {drawn:,}",
                share if kept else "-",
                format_flops(fmean(each.train_flops for each in own)),
            )
        )
    return PlanTable(
        label="Ways to answer, before any are compared at equal FLOPs",
        headings=(
            "thought",
            "greedy accuracy",
            "by seed",
            "tokens written",
            "answers that show a thought, wrong",
            "own steps that were right, and kept",
            "training, mean",
        ),
        rows=tuple(rows),
    )


def square_table(found: Sequence[Square], families: Sequence[Family]) -> PlanTable:
    """The best of each family at each budget, and the three effects."""
    rows = []
    for square in found:
        cells = [
            f"{format_accuracy(value)} ({name.rpartition(', ')[2]})"
            for value, name in zip(square.accuracy, square.chosen, strict=True)
        ]
        effects = [
            f"{format_difference(each.value)} ({format_difference(each.lo)} to {format_difference(each.hi)})"
            for each in square.effects
        ]
        rows.append((format_flops(square.flops), *cells, *effects))
    names = [each.name for each in (found[0].effects if found else ())]
    return PlanTable(
        label="At equal FLOPs a query: the best of each, and the effects with 90 % intervals",
        headings=("FLOPs a query", *(each.name for each in families), *names),
        rows=tuple(rows),
    )


def scorer_table(searched: dict[str, Sequence[Searched]]) -> PlanTable:
    """What the scorers of each arm took and know."""
    rows = [
        (
            name,
            ", ".join("-" if each.auc is None else f"{each.auc:.3f}" for each in own),
            format_flops(fmean(each.label_flops for each in own)),
            format_flops(fmean(each.train_flops for each in own)),
            f"{sum(tree.num_leaks for each in own for tree in each.trees):,}",
        )
        for name, own in searched.items()
    ]
    return PlanTable(
        label="Scorers of REBASE, one for each model",
        headings=(
            "arm",
            "chance that a right sample is scored above a wrong one, by seed",
            "labelled samples",
            "training",
            "solutions of trees that show a thought",
        ),
        rows=tuple(rows),
    )


def accuracy_picture(families: Sequence[Family]) -> Picture:
    """Accuracy against FLOPs of a query, a line for each family."""
    lines = []
    for family in families:
        ordered = sorted(family.options, key=lambda each: each.per_query)
        lines.append(
            Line(
                label=family.name,
                points=tuple((each.per_query, each.quality.value) for each in ordered),
                intervals=tuple((each.quality.least, each.quality.hi or each.quality.value) for each in ordered),
            )
        )
    return Picture(
        name="accuracy",
        title="Accuracy against FLOPs of a query",
        x="FLOPs of a query, scorers included",
        y="accuracy",
        lines=tuple(lines),
        log_x=True,
        note="Means over seeds; 90 % intervals over seeds and problems.",
    )
