"""SALT's own FLOPs and accuracies: its formula, its table of teacher against student, and who is on that frontier.

Published numbers, as labelled data: nothing here was measured, and nothing is chosen by it.
"""

from dataclasses import dataclass
from typing import Final

from breakeven import check
from breakeven.choice.frontier import frontier
from breakeven.choice.prices import once
from breakeven.records import Made
from breakeven.records.options import Option, Quality
from breakeven.records.plans import Line, Picture, PlanTable
from breakeven.report.format import format_flops

CLIPS_A_STEP: Final = 3072
FRAMES, FRAMES_A_PATCH, PIXELS_A_PATCH = 16, 2, 16
ENCODED: Final = 0.2
"""Two masks, each of which leaves a tenth of the clip to the encoder."""
PREDICTED: Final = 2.0
"""Two masks, each with all positions of the clip in the predictor."""
PREDICTOR_PARAMS: Final = 0.022e9
VIT_L: Final = 0.303e9


def clip_tokens(steps: float, pixels: int) -> float:
    """Tokens of all clips, without a mask: D_T.

    >>> clip_tokens(240e3, 256) / 1e9
    1509.94944
    """
    side = pixels // PIXELS_A_PATCH
    return steps * CLIPS_A_STEP * (FRAMES // FRAMES_A_PATCH) * side**2


def published_flops(*, steps: float, pixels: int, params: float, teacher_params: float = 0.0) -> float:
    """FLOPs of one stage: 6 N_e D_e + 6 N_p D_p + 2 N_T D_T.

    Args:
        steps: of the optimizer, 3,072 clips of 16 frames each.
        pixels: a side.
        params: of the encoder, N_e.
        teacher_params: N_T; 0: pixels are predicted, and no teacher reads the clip.

    Raises:
        ArgumentError: a negative number, or an image smaller than a patch.

    Source:
        arXiv 2509.24317, appendix "Floating Point Operations (FLOPs) Estimation"; D_e = 0.2 D_T and D_p = 2 D_T follow
        from its table.
    """
    check.finite("steps", steps)
    check.at_least("pixels", pixels, PIXELS_A_PATCH)
    check.positive("params", params)
    check.finite("teacher_params", teacher_params)
    tokens = clip_tokens(steps, pixels)
    return tokens * (6 * params * ENCODED + 6 * PREDICTOR_PARAMS * PREDICTED + 2 * teacher_params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A row of the paper's table of FLOPs."""

    name: str
    params: float
    teacher_params: float
    steps: float
    pixels: int
    teacher_steps: float = 0.0
    """Of a teacher of its own stage, ViT-L on pixels; 0: an average of the student, which takes no training."""
    total: float
    """As printed, 1e21 FLOPs."""

    @property
    def flops(self) -> float:
        """Both stages, by the formula."""
        own = published_flops(
            steps=self.steps, pixels=self.pixels, params=self.params, teacher_params=self.teacher_params
        )
        return own + published_flops(steps=self.teacher_steps, pixels=self.pixels, params=self.teacher_params)


def _ema(name: str, params: float, total: float) -> Model:
    return Model(name=f"V-JEPA 2 {name}", params=params, teacher_params=params, steps=240e3, pixels=256, total=total)


def _frozen(name: str, params: float, total: float) -> Model:
    return Model(
        name=f"SALT {name}",
        params=params,
        teacher_params=VIT_L,
        steps=160e3,
        pixels=224,
        teacher_steps=80e3,
        total=total,
    )


MODELS: Final = (
    _ema("L", VIT_L, 1.9),
    _ema("H", 0.632e9, 3.5),
    _ema("g", 1.012e9, 5.3),
    _frozen("L", 0.3e9, 1.2),
    _frozen("H", 0.6e9, 1.5),
    _frozen("g", 1.0e9, 1.8),
    _frozen("G", 1.8e9, 2.6),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A row of the paper's table of teacher against student steps, ViT-L."""

    name: str
    budget: int
    """Thousands of steps, teacher and student together."""
    teacher: float
    """As printed, 1e21 FLOPs; 0: an average of the student."""
    student: float
    average: float
    """Accuracy in percent, mean of the paper's tasks."""

    @property
    def option(self) -> Option:
        """The teacher as a cost of its own, which several students may share."""
        return Option(
            name=self.name,
            train_flops=self.student * 1e21,
            one_off={"teacher": self.teacher * 1e21},
            quality=Quality(value=self.average / 100, made=Made.PUBLISHED),
        )


def _split(name: str, budget: int, teacher: float, student: float, average: float) -> Split:
    return Split(name=name, budget=budget, teacher=teacher, student=student, average=average)


SPLITS: Final = (
    _split("V-JEPA 2, 240k", 240, 0.0, 1.900, 74.6),
    _split("80k + 160k", 240, 0.241, 0.951, 77.9),
    _split("40k + 200k", 240, 0.121, 1.190, 78.2),
    _split("20k + 220k", 240, 0.061, 1.309, 77.7),
    _split("80k + 80k teachers, 80k", 240, 0.717, 0.476, 78.5),
    _split("40k + 80k teachers, 120k", 240, 0.597, 0.714, 78.6),
    _split("V-JEPA 2, 160k", 160, 0.0, 1.260, 74.9),
    _split("80k + 80k", 160, 0.241, 0.476, 77.4),
    _split("40k + 120k", 160, 0.121, 0.714, 77.6),
    _split("20k + 140k", 160, 0.061, 0.833, 77.0),
    _split("V-JEPA 2, 120k", 120, 0.0, 0.951, 74.4),
    _split("80k + 40k", 120, 0.241, 0.238, 76.4),
    _split("40k + 80k", 120, 0.121, 0.476, 77.0),
    _split("20k + 100k", 120, 0.061, 0.595, 76.7),
)
"""Where two teachers are named, the first taught the second."""


def published_frontier() -> list[Option]:
    """Of the table, those that no other matches for less, from the cheapest; the teacher is charged."""
    return frontier([each.option for each in SPLITS], once, published=True)


def flops_table() -> PlanTable:
    """The formula beside what is printed."""
    rows = [(each.name, f"{each.params / 1e9:g}", f"{each.flops / 1e21:.2f}", f"{each.total:g}") for each in MODELS]
    headings = ("published model", "parameters of the encoder, 1e9", "ZFLOPs by the formula", "ZFLOPs as printed")
    return PlanTable(
        label="Published FLOPs (arXiv 2509.24317), teacher's training included", headings=headings, rows=tuple(rows)
    )


def splits_table() -> PlanTable:
    """All splits with their costs, and which are on the frontier."""
    ahead = {each.name for each in published_frontier()}
    rows = []
    for each in SPLITS:
        option = each.option
        flops = (option.one_off["teacher"], option.train_flops, option.once)
        place = "yes" if each.name in ahead else "no"
        rows.append((each.name, f"{each.budget}k", *map(format_flops, flops), f"{each.average:.1f} %", place))
    headings = ("teacher + student", "steps in all", "teacher", "student", "together", "accuracy", "on the frontier")
    label = "Published splits of steps (arXiv 2509.24317, ViT-L), without intervals"
    return PlanTable(label=label, headings=headings, rows=tuple(rows))


def splits_picture() -> Picture:
    """Accuracy against FLOPs, frozen and averaged teachers apart."""
    lines = []
    for kind, is_frozen in (("frozen teacher", True), ("averaged teacher (V-JEPA 2)", False)):
        points = sorted((each.option.once, each.average / 100) for each in SPLITS if bool(each.teacher) is is_frozen)
        lines.append(Line(label=kind, points=tuple(points), made=Made.PUBLISHED))
    return Picture(
        name="published",
        title="Published: accuracy against the FLOPs of teacher and student",
        x="FLOPs of training, teacher included",
        y="accuracy",
        lines=tuple(lines),
        note="ViT-L, arXiv 2509.24317, whose runs with an averaged teacher are charged as at 256 pixels.",
    )
