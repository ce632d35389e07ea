"""Where the FLOPs of a run went, as table rows of plain text."""

from breakeven.records import Cooldown, Decision, QueryFlops
from breakeven.report.format import format_flops, format_share
from breakeven.report.words import break_even_note, break_even_number, serving_words


def ledger_rows(
    decision: Decision, train_flops: float | None, rollout_flops: float | None = None
) -> list[tuple[str, str, str]]:
    """(item, FLOPs, share of the full budget): budget, training, evaluation, and what stopping here saves.

    The log holds the saved shares and C_t; the amounts follow from B = C_t / r. Without C_t they are "-".
    """
    if decision.used <= 0:
        return [("Training so far", _flops(train_flops), "-")]
    spent = decision.used if train_flops is None else train_flops
    budget = spent / decision.used
    rows = [
        ("Full training, as planned", budget),
        (f"Training up to step {decision.step}", spent),
    ]
    if rollout_flops:
        rows.append(("  of these on samples to train on and reference models", rollout_flops))
    if decision.evaluation_flops is not None:
        rows.append(("Evaluation up to here, all checkpoints", decision.evaluation_flops))
    saved = "Saved" if decision.stop else "Would be saved by stopping here"
    if decision.gross_saving is not None:
        rows.append((f"{saved}, gross", decision.gross_saving * budget))
    if decision.net_saving is not None:
        rows.append((f"{saved}, net of evaluation", decision.net_saving * budget))
    return [
        (item, _flops(None if train_flops is None else flops), f"{format_share(flops / budget)} of the budget")
        for item, flops in rows
    ]


def cooldown_rows(cooldown: Cooldown | None, train_flops: float | None, used: float) -> list[tuple[str, str, str]]:
    """The same of a cooldown, which is a run of its own; none where there is none.

    Args:
        cooldown: planned or over.
        train_flops: C_t of the stop.
        used: r, the share of the budget at the stop.
    """
    if cooldown is None or train_flops is None or used <= 0:
        return []
    rows = [(f"Cooldown, {cooldown.steps} steps in a run of its own", cooldown.train_flops)]
    if cooldown.cooled is not None:
        rows.append(("Evaluation of the cooldown and of the stop beside it", cooldown.cooled.evaluation_flops))
    return [(item, _flops(flops), f"{format_share(flops * used / train_flops)} of the budget") for item, flops in rows]


def _flops(flops: float | None) -> str:
    return "-" if flops is None else format_flops(flops)


def query_rows(decision: Decision, cost: QueryFlops | None) -> list[tuple[str, str, str]]:
    """(item, amount, what it is held against) of one served query, the break-even, and the declared queries.

    All but the first need a serving point.
    """
    if cost is None:
        return [("One query, 1 sample", "unknown", "nobody said what a token costs")]
    one = cost.total(1)
    prompt = f"{format_flops(cost.prefill_flops)} to read the prompt, " if cost.prefill_flops else ""
    split = f"{prompt}{format_flops(cost.decode_flops)} to answer"
    rows = [("One query, 1 sample", format_flops(one), split)]
    point = decision.serving
    if point is None:
        return rows
    if point.flops_per_query is not None:
        ratio = "-" if one <= 0 else f"{point.flops_per_query / one:.3g} times one sample"
        rows.append((f"As decided, {serving_words(point)}", format_flops(point.flops_per_query), ratio))
    rows.append(("Break-even", f"{break_even_number(decision)} queries", break_even_note(decision)))
    mine, full = decision.lifetime_flops, decision.full_lifetime_flops
    if mine is not None and full is not None and full > 0:
        what = "Training, evaluation and all declared queries (forecast)"
        rows.append((f"{what}, stopped here", format_flops(mine), f"{mine / full:.3g} times those after full training"))
        rows.append((f"{what}, after full training", format_flops(full), "served with one sample"))
    return rows
