"""How many parameters and training tokens, if queries are answered with K samples?"""

from dataclasses import fields
from pathlib import Path

from breakeven.plan.row import Asked, Row
from breakeven.plan.sizing.from_table import SizeTable, size_table
from breakeven.plan.sizing.grid import Grid, checkpoints_of
from breakeven.plan.sizing.measured import loss_options, model_of, options_of
from breakeven.plan.sizing.settings import Settings
from breakeven.plan.sizing.told import (
    ONE_SEED,
    RL_NOTE,
    Told,
    grid_words,
    rl_table,
    told_of_accuracies,
    told_of_losses,
    told_of_run,
    usual_targets,
)
from breakeven.records import Option
from breakeven.records.plans import PlanAnswer
from breakeven.store import LOG_NAME

_FREE = tuple(each.name for each in fields(Settings) if each.name not in {grid.name for grid in fields(Grid)})
"""What changes no cell."""


def answer(asked: Asked) -> PlanAnswer:
    """The options of the grid, or of tables in its place, those of runs beside them, and what all say together."""
    settings: Settings = asked.settings
    runs, files, told = list[Path](), list[Path](), Told()
    for path in asked.files:
        (runs if path.name == LOG_NAME or (path / LOG_NAME).is_file() else files).append(path)
    loss_of = dict[str, float]()
    if files:
        tables = [size_table(each, tokens_per_sample=settings.tokens_per_sample) for each in files]
        models = [model for table in tables for model in table.models]
        for each in tables:
            loss_of |= each.losses
        told.not_counted.append("Prompts and attention of queries, where a table has no query_flops")
    else:
        models = [model_of(each, settings) for each in checkpoints_of(settings, asked.cells)]
        told.not_counted += grid_words(models, settings)
        told.notes.append(ONE_SEED)
    sampled = [each for each in models if each.sampled]
    options, target, law = list[Option](), None, None
    if sampled:
        options = list(options_of(sampled))
        targets = settings.targets or usual_targets(sampled)
        target = targets[-1]
        law = told_of_accuracies(sampled, options, targets, settings, told)
    else:
        options = list(loss_options(models, loss_of, settings.tokens_per_sample))
    if loss_of:
        told_of_losses(SizeTable(models=tuple(models), losses=loss_of), settings, told)
    for path in runs:
        options += told_of_run(path, settings, law, told, of_grid=not files)
    if settings.rl_flops:
        told.tables.append(rl_table(models, settings.rl_flops))
        told.notes.append(RL_NOTE)
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
