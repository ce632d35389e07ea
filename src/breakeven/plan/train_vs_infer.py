"""How many parameters and training tokens, if queries are answered with K samples?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from statistics import median_low

from breakeven import check
from breakeven.plan.laws.chinchilla import chinchilla_law
from breakeven.plan.laws.pretrain_rl import CHESS, best_split
from breakeven.plan.row import Asked, Row
from breakeven.plan.sizing.equal import EqualTraining
from breakeven.plan.sizing.forms import Form, accuracy_points, best_form, fit_forms, forms_table, t2_laws
from breakeven.plan.sizing.from_run import is_of, read_run, standing_of
from breakeven.plan.sizing.from_table import SizeTable, size_table
from breakeven.plan.sizing.grid import Grid, checkpoints_of
from breakeven.plan.sizing.life import Life, between, life_findings, life_of, life_picture, life_table
from breakeven.plan.sizing.losses import life_tables
from breakeven.plan.sizing.measured import Model, loss_options, model_of, options_of
from breakeven.plan.sizing.planned import planned_table
from breakeven.records import Option
from breakeven.records.plans import Finding, Picture, PlanAnswer, PlanTable
from breakeven.report.format import format_flops, format_share
from breakeven.store import LOG_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Grid):
    """The grid, and what is planned with it or with the tables in its place."""

    planned_flops: tuple[float, ...] = ()
    """Training FLOPs that are planned, C_train; empty: the most that were measured, and four times as many."""
    planned_k: tuple[int, ...] = (1, 4, 16, 64)
    """Samples a query that are planned, and at which laws are fitted."""
    planned_queries: tuple[float, ...] = (0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
    """Queries of a life that are planned."""
    targets: tuple[float, ...] = ()
    """Accuracies to reach; empty: what half of the sizes reach with one sample, and a point below the best of them."""
    target_loss: float = 0.0
    """To reach, in nats, where a table holds losses; 0: the least in it."""
    tokens_per_sample: float = 1.0
    """Tokens that a sample of a model in a table takes, 2 N FLOPs each; 1: queries are tokens, as in D_inf."""
    law_draws: int = 60
    """Resamplings of the models, for the intervals of laws."""
    law_starts: int = 8
    """From which each fit of a law is begun."""
    rl_flops: float = 0.0
    """FLOPs of pretraining and RL together, where RL follows; 0: none does."""

    def __post_init__(self) -> None:
        Grid.__post_init__(self)
        check.increasing("planned_k", self.planned_k)
        check.numbers("planned_flops", self.planned_flops, "hold finite FLOPs of at least 1", 1)
        check.numbers("planned_queries", self.planned_queries, "hold finite numbers of at least 0")
        check.numbers("targets", self.targets, "hold shares from 0 to 1", 0, 1)
        check.each_field(self, check.finite, "target_loss", "rl_flops")
        check.positive("tokens_per_sample", self.tokens_per_sample)
        check.each_field(self, partial(check.whole, least=1), "law_draws", "law_starts")


_FREE = tuple(each.name for each in fields(Settings) if each.name not in {grid.name for grid in fields(Grid)})
"""What changes no cell."""


@dataclass(slots=True, kw_only=True)
class _Told:
    """What is said of the options, as it comes together."""

    tables: list[PlanTable] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    not_counted: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def answer(asked: Asked) -> PlanAnswer:
    """The options of the grid, or of tables in its place, those of runs beside them, and what all say together."""
    settings: Settings = asked.settings
    runs, files, told = list[Path](), list[Path](), _Told()
    for path in asked.files:
        (runs if path.name == LOG_NAME or (path / LOG_NAME).is_file() else files).append(path)
    losses = dict[str, float]()
    if files:
        tables = [size_table(each, tokens_per_sample=settings.tokens_per_sample) for each in files]
        models = [model for table in tables for model in table.models]
        for each in tables:
            losses |= each.losses
        told.not_counted.append("Prompts and attention of queries, where a table has no query_flops")
    else:
        models = [model_of(each, settings) for each in checkpoints_of(settings, asked.cells)]
        told.not_counted += _grid_words(models, settings)
        told.notes.append(
            "Each size was trained once: intervals are over problems, or over models where a law says them, and not "
            "over seeds; a best size is one of the grid's."
        )
    sampled = [each for each in models if each.sampled]
    options, target, law = list[Option](), None, None
    if sampled:
        options = list(options_of(sampled))
        targets = settings.targets or _usual_targets(sampled)
        target = targets[-1]
        law = _accuracies(sampled, options, targets, settings, told)
    else:
        options = list(loss_options(models, losses, settings.tokens_per_sample))
    if losses:
        _losses(SizeTable(models=tuple(models), losses=losses), settings, told)
    for path in runs:
        options += _joined(path, settings, law, told, of_grid=not files)
    if settings.rl_flops:
        told.tables.append(_rl_table(models, settings.rl_flops))
        told.notes.append(f"The share of RL is by a law of other models and another task: {CHESS.source}.")
    return PlanAnswer(
        options=tuple(options),
        findings=tuple(told.findings),
        tables=tuple(told.tables),
        pictures=tuple(told.pictures),
        target=target,
        quality="accuracy" if sampled else "minus loss",
        not_counted=tuple(told.not_counted),
        notes=tuple(told.notes),
    )


def _accuracies(
    models: Sequence[Model], options: Sequence[Option], targets: Sequence[float], settings: Settings, told: _Told
) -> Form | None:
    """What is measured at equal training and over a life, and what T^2's laws make of it; the law that misses least."""
    equal, lives = EqualTraining(options), list(_lives(options, targets, settings.planned_queries))
    told.tables += [*equal.tables(), *(life_table(each, "accuracy") for each in lives)]
    told.findings += equal.findings()
    for each in lives:
        told.findings += life_findings(each, "accuracy")
    for free, bound in zip(lives[::2], lives[1::2], strict=True):
        told.findings += between(free, bound, "accuracy")
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


def _plan(best: Form, models: Sequence[Model], settings: Settings, told: _Told) -> None:
    longest = max(each.train_flops for each in models)
    table, findings = planned_table(best.fitted, settings.planned_flops or (longest, 4 * longest), settings.planned_k)
    told.tables.append(table)
    told.findings += findings
    told.notes.append(f"Sizes by a law are by {best.fitted.in_words}")


def _losses(table: SizeTable, settings: Settings, told: _Told) -> None:
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
    told.tables.append(tables)
    told.findings += findings


def _joined(path: Path, settings: Settings, law: Form | None, told: _Told, *, of_grid: bool) -> Iterator[Option]:
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


def _grid_words(models: Sequence[Model], settings: Settings) -> Iterator[str]:
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


def _usual_targets(models: Sequence[Model]) -> tuple[float, ...]:
    """What half of the sizes reach with one sample, and a point below the best that one sample reaches."""
    best: dict[str, float] = {}
    for model in models:
        one = max((each.accuracy for each in model.sampled if each.k == 1), default=0.0)
        best[model.size] = max(best.get(model.size, 0.0), one)
    return tuple(sorted({median_low(best.values()), max(0.0, max(best.values()) - 0.01)}))


def _rl_table(models: Sequence[Model], flops: float) -> PlanTable:
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


ROW = Row(
    name="train-vs-infer",
    settings=Settings,
    answer=answer,
    free=_FREE,
    takes_files="a table of sizes (CSV or JSONL: N, D, and loss, or k and accuracy) in place of the grid, or a run",
    presets={
        "gpu": {
            "sizes": ("4x128", "4x192", "6x256", "6x384", "8x512"),
            "overrides": (
                "task.size=6",
                "task.num_clues=18",
                "train.num_sequences=0",
                "train.batch_size=512",
                "train.learning_rate=1e-3",
                "train.warmup_steps=500",
                "train.decay_share=0.0",
                "train.threads=4",
            ),
            "train_flops": (1e15, 2e15, 4e15, 8e15, 1.6e16, 3.2e16, 6.4e16, 1.28e17, 2.56e17, 5.12e17),
            "num_problems": 2000,
            "num_samples": 256,
        }
    },
)
