"""What a table of losses says: Chinchilla's law fitted to it, and the size to train if it is served much."""

from collections.abc import Iterator, Sequence

import numpy as np

from breakeven.plan.laws.chinchilla import Chinchilla, Lifetime, sardana
from breakeven.plan.sizing.best import ends
from breakeven.plan.sizing.forms import Form
from breakeven.records import Made
from breakeven.records.plans import Finding, PlanTable
from breakeven.report.format import format_flops, format_queries


def own_law(form: Form) -> tuple[Chinchilla, list[Chinchilla]]:
    """The fitted law with its constants, and those of each resampling of the models."""
    names = form.fitted.law.parameters

    def of(values: Sequence[float]) -> Chinchilla:
        by_name = dict(zip(names, values, strict=True))
        return Chinchilla(
            E=float(np.exp(by_name["log_E"])),
            A=float(np.exp(by_name["log_A_params"])),
            B=float(np.exp(by_name["log_A_train_tokens"])),
            alpha=by_name["a_params"],
            beta=by_name["a_train_tokens"],
            source=f"fitted: {form.fitted.in_words}",
        )

    return of([*form.fitted.parameters.values()]), [of(row) for row in form.fitted.draws_DP.tolist()]


def life_tables(
    form: Form, *, loss: float, queries: Sequence[float], tokens_per_sample: float
) -> tuple[PlanTable, list[Finding]]:
    """The size and tokens that reach a loss at the least FLOPs of training and serving, by the law of the table.

    Args:
        form: Chinchilla's, to be relied on.
        loss: to be reached, in nats.
        queries: of a life.
        tokens_per_sample: served for each.
    """
    law, resampled = own_law(form)
    rows, spread = list[tuple[str, ...]](), list[tuple[float, list[Lifetime], Lifetime]]()
    for each in queries:
        best = sardana(law, loss=loss, inference_tokens=each * tokens_per_sample)
        drawn = list(_lives(resampled, loss, each * tokens_per_sample))
        spread.append((each, drawn, best))
        rows.append(
            (
                format_queries(each),
                _number(best.params, [one.params for one in drawn]),
                _number(best.train_tokens / best.params, [one.train_tokens / one.params for one in drawn]),
                f"{best.more_data:.3g}",
                f"{100 * best.saved:.1f} %",
                str(_made(form, best.params, best.train_tokens)),
            )
        )
    headings = ("queries", "parameters", "tokens per parameter", "tokens over the compute-optimal", "saved", "made")
    label = f"Cheapest size at loss {loss:.4g} (90 % intervals, over models; {form.fitted.in_words})"
    findings = []
    for what, of in (("parameters", _params), ("tokens per parameter", _ratio)):
        (few, few_D, first), (many, many_D, last) = spread[0], spread[-1]
        pairs = [of(b) / of(a) for a, b in zip(few_D, many_D, strict=True)]
        value = of(last) / of(first)
        lo, hi = ends(np.array([*pairs, value]))
        words = f"{format_queries(many)} queries to that for {format_queries(few)}"
        text = f"Ratio of the {what} of the cheapest at loss {loss:.4g} for {words} (interval over models)"
        findings.append(Finding(text=text, value=value, lo=lo, hi=hi, made=_made(form, last.params, last.train_tokens)))
    return PlanTable(label=label, headings=headings, rows=tuple(rows)), findings


def optimal_table(form: Form, train_flops: Sequence[float]) -> PlanTable:
    """The compute-optimal size of each training budget, by the law of the table."""
    law, resampled = own_law(form)
    rows = []
    for flops in train_flops:
        params, tokens = law.compute_optimal(flops)
        drawn = [each.compute_optimal(flops) for each in resampled if min(each.alpha, each.beta) > 0]
        rows.append(
            (
                format_flops(flops),
                _number(params, [one for one, _ in drawn]),
                _number(tokens / params, [other / one for one, other in drawn]),
                f"{law.loss(params, tokens):.4g}",
                str(_made(form, params, tokens)),
            )
        )
    label = f"Compute-optimal size (90 % intervals, over models; {form.fitted.in_words})"
    headings = ("training", "parameters", "tokens per parameter", "loss", "made")
    return PlanTable(label=label, headings=headings, rows=tuple(rows))


def _made(form: Form, params: float, tokens: float) -> Made:
    """Extrapolated where it lies more than 4 times beyond what was measured."""
    return form.fitted.predict({"params": params, "train_tokens": tokens}).made


def _params(life: Lifetime) -> float:
    return life.params


def _ratio(life: Lifetime) -> float:
    return life.train_tokens / life.params


def _lives(laws: Sequence[Chinchilla], loss: float, tokens: float) -> Iterator[Lifetime]:
    for law in laws:
        if law.E < loss and min(law.alpha, law.beta) > 0:
            yield sardana(law, loss=loss, inference_tokens=tokens)


def _number(value: float, drawn: Sequence[float]) -> str:
    lo, hi = ends(np.array([*drawn, value]))
    return f"{value:.3g} ({min(lo, value):.3g} to {max(hi, value):.3g})"
