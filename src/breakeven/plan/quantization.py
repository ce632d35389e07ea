"""Which share of a training should have quantized weights, and how large a model at how few bits?

Small models are trained with several shares of quantization-aware training (QAT), all as branches of one run, with one
schedule for both phases and with one for each. The loss law is fitted to what was measured, and held to the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import partial

from breakeven import check
from breakeven.errors import argument_error
from breakeven.plan.laws.qat import tokens_per_byte
from breakeven.plan.quantizing.compared import found_in, lost_to_precision, seed_notes
from breakeven.plan.quantizing.from_table import splits_of_table
from breakeven.plan.quantizing.grid import Grid
from breakeven.plan.quantizing.lawful import fit_splits, law_points, memory_table
from breakeven.plan.quantizing.measured import courses_of, splits_of
from breakeven.plan.quantizing.splits import Group, Split, groups_of, of_common_seeds
from breakeven.plan.quantizing.told import (
    OTHER_SHARES,
    bytes_picture,
    equal_table,
    limit_table,
    loss_table,
    options_of,
    rule_table,
    serving_table,
    share_picture,
    share_table,
)
from breakeven.plan.row import Asked, Row
from breakeven.plan.sizing.forms import Form, forms_table
from breakeven.records.plans import Finding, PlanAnswer, PlanTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Grid):
    """The grid, and what is planned with it or with a table in its place."""

    planned_params: float = 0.0
    """Parameters, those that are quantized, of a model that is planned; 0: none is."""
    planned_tokens: float = 0.0
    """Tokens that it is to be trained on."""
    planned_flops: tuple[float, ...] = ()
    """Training FLOPs that are planned, 6 N D; empty: the most that were measured."""
    memory_bytes: tuple[float, ...] = ()
    """Limits of the bytes that weights take; empty: those of the models measured."""
    law_draws: int = 60
    """Resamplings of the splits, for the intervals of the law."""
    law_starts: int = 8
    """From which each fit of it is begun."""

    def __post_init__(self) -> None:
        Grid.__post_init__(self)
        check.each_field(self, check.finite, "planned_params", "planned_tokens")
        if bool(self.planned_params) != bool(self.planned_tokens):
            name = "planned_tokens" if self.planned_params else "planned_params"
            raise argument_error(name, "be given beside the other of planned_params and planned_tokens", 0)
        check.numbers("planned_flops", self.planned_flops, "hold finite FLOPs of at least 1", 1)
        check.numbers("memory_bytes", self.memory_bytes, "hold finite numbers of at least 1", 1)
        check.each_field(self, partial(check.whole, least=1), "law_draws", "law_starts")


_FREE = tuple(each.name for each in fields(Settings) if each.name not in {own.name for own in fields(Grid)})
"""What changes no cell."""


def answer(asked: Asked) -> PlanAnswer:
    """From a table where one is given, else from the grid."""
    settings: Settings = asked.settings
    bits = settings.bits
    if asked.files:
        splits, notes = [each for path in asked.files for each in splits_of_table(path)], list[str]()
        paired = splits
        bits = tuple(sorted({each.bits for each in splits if each.bits}))
    _check_planned(settings, bits)  # before anything is trained
    if not asked.files:
        splits, notes = splits_of(settings, courses_of(settings, asked.cells))
        notes += GRID_NOTES
        paired = of_common_seeds(splits)
    groups = list(groups_of(splits))
    notes += seed_notes(splits, groups)
    form, tables = _law(groups, settings)
    usable = form if form is not None and form.is_usable else None
    if form is None:
        notes.append("No law of the loss was fitted: that takes two durations, and two shares of QAT between 0 and 1.")
    elif usable is None:
        notes.append(f"Nothing is foretold by the law of the loss: {form.fitted.in_words}")
    target = _target(paired)
    quantized = [each for each in splits if each.bits]
    return PlanAnswer(
        options=tuple(options_of(paired, groups)),
        findings=(*found_in(groups), *lost_to_precision(splits, groups), *_errors(form)),
        tables=(
            *((loss_table(splits, groups), share_table(groups, usable)) if groups else ()),
            equal_table(paired),
            limit_table(paired, settings.memory_bytes),
            serving_table(paired),
            *tables,
            *_planned(settings, bits, usable, quantized),
        ),
        pictures=(*((share_picture(groups),) if groups else ()), bytes_picture(paired)),
        target=None if target is None else -target.loss,
        target_of="" if target is None else f"No target was given: it is that of {target.name}.",
        quality="minus loss",
        not_counted=NOT_COUNTED if asked.files else (*NOT_COUNTED, *GRID_NOT_COUNTED),
        notes=(*notes, *NOTES),
    )


def _check_planned(settings: Settings, bits: tuple[int, ...]) -> None:
    """Refuses a plan of which the rule says nothing."""
    for each in bits if settings.planned_params else ():
        per_byte = float(tokens_per_byte(settings.planned_tokens, settings.planned_params, each))
        remedy = f"At {each} bits that takes more than {settings.planned_params * each / 8:.4g} tokens."
        check.above("planned_tokens per byte of planned_params", per_byte, 1, remedy)


def _law(groups: list[Group], settings: Settings) -> tuple[Form | None, list[PlanTable]]:
    """The law fitted to the splits, and what it was held to."""
    points = law_points(groups)
    if points is None:
        return None, []
    form = fit_splits(points, draws=settings.law_draws, num_starts=settings.law_starts)
    label = "Law of the loss, held to splits that its fit did not see"
    return form, [forms_table([form], label=label, scale=1.0, unit="nats")]


def _errors(form: Form | None) -> Iterator[Finding]:
    for each in form.held if form is not None else ():
        error = each.error if each.error == each.error else None
        yield Finding(text=f"Mean error of the law on {each.what}, nats", value=error)


def _planned(settings: Settings, bits: tuple[int, ...], form: Form | None, splits: list[Split]) -> Iterator[PlanTable]:
    """For what is planned: shares by rule and law, and bits under a memory limit by the law."""
    if settings.planned_params:
        params, tokens = settings.planned_params, settings.planned_tokens
        per_byte = [float(tokens_per_byte(tokens, params, each)) for each in bits]
        yield rule_table(bits, per_byte=per_byte, form=form, params=params, tokens=tokens)
    if form is not None and {"params", "bits"} <= {*form.fitted.law.columns}:
        memory = settings.memory_bytes or sorted({each.params * each.bits / 8 for each in splits})
        flops = settings.planned_flops or (max(6 * each.params * each.tokens for each in splits),)
        yield memory_table(form, bits, memory_bytes=memory, train_flops=flops)


def _target(splits: list[Split]) -> Split | None:
    """QAT from the start at the fewest bits, in the longest training of the largest model."""
    start = [each for each in splits if each.bits and each.fraction == 1]
    return min(start, key=lambda each: (each.bits, -each.params, -each.tokens), default=None)


GRID_NOTES = (
    "All trainings of a size and a seed are branches of one run at a constant rate, and see the same batches at the "
    "same steps: shares and schedules are paired.",
    "Fused: the rate falls over the last part of the whole training, in either phase. Classic: it falls at the end of "
    "the first phase, rises again and falls throughout the second.",
    "The share of least loss is chosen by the other seeds, or of one seed by half of the problems for the other half, "
    "wherever its loss is held against another; tables show the best as it was measured.",
    "Options, and tables across sizes and bits, are of the seeds that all were trained with: seeds differ by more than "
    "bits do.",
    "Sizes but the first, and bits of which there is one seed, have intervals over problems alone: other seeds may "
    "differ by more.",
)
"""Of the grid alone."""
NOTES = (
    f"What a share was chosen among is charged to the best of each training, as {OTHER_SHARES}: --without takes it "
    "out.",
    "The published formula and its constant are of arXiv 2509.22935, of models of 86M to 2.2B parameters; the "
    "constants of its loss law are not public. S is tokens per byte of the quantized parameters.",
    "Bits change the bytes that a query moves, and not its FLOPs: how much faster it is depends on the hardware.",
)
"""What a reader has to know, wherever the numbers come from."""
NOT_COUNTED = ("Rounding weights, in training and when serving",)
GRID_NOT_COUNTED = (
    "Further seeds of each split",
    "Embedding look-up, norms, softmax and the optimizer",
)
ROW = Row(
    name="quantization",
    settings=Settings,
    answer=answer,
    presets={
        "gpu": {
            "num_terms": 3,
            "num_digits": 3,
            "sizes": ("8x512", "4x512", "4x256"),
            "steps": (2000, 8000, 32000),
            "bits": (2, 3, 4),
            "seeds": (3, 3, 3),
            "fractions": (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.7, 1.0),
            "batch_size": 512,
            "learning_rate": 1e-3,
            "warmup_steps": 200,
            "num_heads": 8,
            "num_problems": 2000,
            "threads": 4,
        }
    },
    free=_FREE,
    takes_files="a table of trainings (CSV or JSONL: N, D_fp, D_qat, bits, loss) in place of the grid",
)
