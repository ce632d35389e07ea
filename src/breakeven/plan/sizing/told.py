"""What is said of models of several sizes: measured, by the laws fitted to them, and beside a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median_low
from typing import Final

from breakeven.plan.laws.chinchilla import chinchilla_law
from breakeven.plan.laws.pretrain_rl import CHESS, best_split
from breakeven.plan.sizing.equal import EqualTraining
from breakeven.plan.sizing.forms import Form, accuracy_points, best_form, fit_forms, forms_table, t2_laws
from breakeven.plan.sizing.from_run import is_of, read_run, standing_of
from breakeven.plan.sizing.from_table import SizeTable
from breakeven.plan.sizing.life import Life, between, life_findings, life_of, life_picture, life_table
from breakeven.plan.sizing.losses import life_tables, optimal_table
from breakeven.plan.sizing.measured import Model
from breakeven.plan.sizing.planned import planned_table
from breakeven.plan.sizing.settings import Settings
from breakeven.records import Option
from breakeven.records.plans import Finding, Picture, PlanTable
from breakeven.report.format import format_flops, format_share

ONE_SEED: Final = (
    "Each size was trained once: intervals are over problems, or over models where a law says them, and not over "
    "seeds; a best size is one of the grid's."
)
RL_NOTE: Final = f"The share of RL is by a law of other models and another task: {CHESS.source}."


@dataclass(slots=True, kw_only=True)
class Told:
    """What is said of the options, as it comes together."""

    tables: list[PlanTable] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    not_counted: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def told_of_accuracies(
    models: Sequence[Model], options: Sequence[Option], targets: Sequence[float], settings: Settings, told: Told
) -> Form | None:
    """What is measured at equal training and over a life, and what T^2's laws make of it; the law that misses least."""
    equal, lives = EqualTraining(options), list(_lives(options, targets, settings.planned_queries))
    told.tables += [*equal.tables(), *(life_table(each, "accuracy") for each in lives)]
    for free, bound in zip(lives[::2], lives[1::2], strict=True):
        told.findings += between(free, bound, "accuracy")
    told.findings += equal.findings()
    for each in lives:
        told.findings += life_findings(each, "accuracy")
    told.pictures += [each for each in (equal.picture(), life_picture(lives, "accuracy")) if each is not None]
    points, lacking = accuracy_points(models, settings.planned_k)
    laws = t2_laws(points)
    if points is None or not laws:
        told.notes.append("No law of accuracy was fitted: that takes two K, and two sizes or two trainings.")
        return None
    if lacking:
        told.notes.append(f"{lacking} points at which nothing was right are in no law: they have no logarithm.")
    forms = fit_forms(models, points, laws, draws=settings.law_draws, num_starts=settings.law_starts)
    told.tables.append(forms_table(forms, label="Laws of Pass@K, held to models that their fit did not see"))
    for form in forms:
        error = form.held[0]
        text = f"Mean error of {form.fitted.law.name} on {error.what}, accuracy"
        told.findings.append(Finding(text=text, value=_known(error.error)))
    best = best_form(forms)
    if best is None:
        told.notes.append("No law may be relied on: each misses longer trainings by more than the mean does.")
    elif "params" in best.fitted.law.columns:
        _plan(best, models, settings, told)
    return best


def _plan(best: Form, models: Sequence[Model], settings: Settings, told: Told) -> None:
    table, findings = planned_table(best.fitted, _planned_flops(models, settings), settings.planned_k)
    told.tables.append(table)
    told.findings += findings
    told.notes.append(f"Sizes by a law are by {best.fitted.in_words}")


def _planned_flops(models: Sequence[Model], settings: Settings) -> tuple[float, ...]:
    longest = max(each.train_flops for each in models)
    return settings.planned_flops or (longest, 4 * longest)


def told_of_losses(table: SizeTable, settings: Settings, told: Told) -> None:
    """What Chinchilla's law makes of the losses of a table: compute-optimal sizes, and those to be served much."""
    points = table.loss_points()
    assert points is not None, "a table of losses holds one"
    if any(len({*column.tolist()}) == 1 for column in points.columns.values()):
        told.notes.append("No law of the loss was fitted: that takes two sizes, and two numbers of tokens.")
        return
    models = [each for each in table.models if each.name in table.losses]
    forms = fit_forms(models, points, [chinchilla_law()], draws=settings.law_draws, num_starts=settings.law_starts)
    told.tables.append(
        forms_table(forms, label="Law of the loss, held to models that its fit did not see", scale=1.0, unit="nats")
    )
    best = best_form(forms)
    if best is None:
        told.notes.append(f"No size is planned by a law of the loss: {forms[0].fitted.in_words}")
        return
    goal = settings.target_loss or min(table.losses.values())
    tables, findings = life_tables(
        best, loss=goal, queries=settings.planned_queries, tokens_per_sample=settings.tokens_per_sample
    )
    told.tables += [optimal_table(best, _planned_flops(models, settings)), tables]
    told.findings += findings


def told_of_run(path: Path, settings: Settings, law: Form | None, told: Told, *, of_grid: bool) -> Iterator[Option]:
    """The options of a run, and where it stands."""
    run = read_run(path)
    same = not of_grid or is_of(run, settings.config(settings.sizes[0]).task)
    if not same:
        told.notes.append(f"{run.name} is of another task than the grid, whose law says nothing of it.")
    standing = standing_of(
        run,
        settings.planned_k,
        law if same else None,
        draws=settings.law_draws,
        num_starts=settings.law_starts,
    )
    told.tables += standing.tables
    told.notes += [*run.notes, *standing.notes]
    yield from run.options
    yield from standing.options


def grid_words(models: Sequence[Model], settings: Settings) -> Iterator[str]:
    """What no option of the grid is charged."""
    longest = {each.size: each for each in models}
    spent = sum(each.train_flops for each in longest.values()) + sum(each.evaluation_flops for each in models)
    yield (
        f"The grid: training the {len(settings.sizes)} sizes to the end and measuring all {len(models)} checkpoints "
        f"took {format_flops(spent)}; each option is charged its own training and evaluation"
    )
    yield "Embedding look-up, norms, softmax, the optimizer, and the checker, which runs no model"


def _lives(options: Sequence[Option], targets: Sequence[float], queries: Sequence[float]) -> Iterator[Life]:
    """For each target one of any K, and one of one sample."""
    for target in targets if queries else ():
        yield life_of(options, target, queries)
        yield life_of(options, target, queries, what="one sample", among=lambda each: each.settings["k"] == 1)


def usual_targets(models: Sequence[Model]) -> tuple[float, ...]:
    """What half of the sizes reach with one sample, and a point below the best that one sample reaches."""
    best: dict[str, float] = {}
    for model in models:
        one = max((each.accuracy for each in model.sampled if each.k == 1), default=0.0)
        best[model.size] = max(best.get(model.size, 0.0), one)
    return tuple(sorted({median_low(best.values()), max(0.0, max(best.values()) - 0.01)}))


def rl_table(models: Sequence[Model], flops: float) -> PlanTable:
    """How FLOPs are split between pretraining and RL, by the published law: at the best size, and at the user's own."""
    own = sorted({each.params for each in models if 5e6 <= each.params <= 1e9})
    rows = []
    for params in (None, *own):
        split = best_split(CHESS, flops, params=params)
        rows.append(
            (
                "best" if params is None else "measured",
                f"{split.params:.3g}",
                f"{split.train_tokens:.3g}",
                format_flops(split.rl_flops),
                format_share(split.share),
            )
        )
    return PlanTable(
        label=f"Split of {format_flops(flops)} between pretraining and RL ({CHESS.source})",
        headings=("size", "parameters", "tokens", "RL", "share of RL"),
        rows=tuple(rows),
    )


def _known(error: float) -> float | None:
    return error if error == error else None
