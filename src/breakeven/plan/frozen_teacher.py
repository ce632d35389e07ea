"""A frozen teacher or an average of the student: how should self-supervised training be split between the two?

Encoders of moving digits are taught by hidden pixels, by the features of a frozen teacher that took a share of the
FLOPs, and by those of their own average, all at equal FLOPs. Before anything is compared, trained has to beat
untrained.
"""

from dataclasses import dataclass

from breakeven import check
from breakeven.errors import argument_error
from breakeven.plan.row import Asked, Row
from breakeven.plan.teaching.clips import Scene
from breakeven.plan.teaching.published import flops_table, splits_picture, splits_table
from breakeven.plan.teaching.recipe import Run
from breakeven.plan.teaching.sizes import Sizes
from breakeven.plan.teaching.told import WHATS, told_of
from breakeven.records.plans import PlanAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The real run. The defaults are the CPU recipe."""

    canvas: int = 12
    """Pixels a side, on which a digit of 8 x 8 moves."""
    frames: int = 4
    """Of a clip."""
    noise: float = 0.3
    """Standard deviation of what is added to each pixel; a digit's are from 0 to 1."""
    patch: int = 4
    """Pixels a side of a patch."""
    patch_frames: int = 2
    hidden: int = 2
    """Patches a side of the square that is hidden in all frames."""
    width: int = 48
    """Of encoders, teacher's and student's."""
    layers: int = 2
    heads: int = 4
    predictor_width: int = 32
    predictor_layers: int = 1
    batch_size: int = 64
    learning_rate: float = 3e-3
    momentum: float = 0.99
    """Of the average."""
    threads: int = 1
    steps: int = 600
    """Of the student that is taught by its own average: its FLOPs are the budget of all."""
    shares: tuple[float, ...] = (0.05, 0.17, 0.33, 0.67)
    """Of the budget, for a frozen teacher."""
    seeds: int = 3
    labelled_clips: int = 2000
    """That linear probes are fitted on."""
    test_clips: int = 1000

    def __post_init__(self) -> None:
        check.at_least("steps", self.steps, 1)
        check.at_least("seeds", self.seeds, 2, "One seed has no interval.")
        check.at_least("labelled_clips", self.labelled_clips, 2)
        check.at_least("test_clips", self.test_clips, 1)
        check.finite("noise", self.noise)
        check.positive("learning_rate", self.learning_rate)
        check.share("momentum", self.momentum, below_1=True)
        if not self.shares or sorted({*self.shares}) != [*self.shares]:
            raise argument_error("shares", "be increasing, at least one", list(self.shares))
        for each in self.shares:
            if not 0 < each < 1:
                raise argument_error("shares", "be above 0 and below 1", each, "Pixels alone are an option anyway.")
        self.sizes  # noqa: B018 - refuses what cannot be built

    @property
    def sizes(self) -> Sizes:
        """Of the clips and the models."""
        return Sizes(
            scene=Scene(
                canvas=self.canvas,
                frames=self.frames,
                noise=self.noise,
                patch=self.patch,
                patch_frames=self.patch_frames,
                hidden=self.hidden,
            ),
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            predictor_width=self.predictor_width,
            predictor_layers=self.predictor_layers,
            batch_size=self.batch_size,
        )


def answer(asked: Asked) -> PlanAnswer:
    """The real run, with what is published beside it."""
    settings: Settings = asked.settings
    run = Run(
        sizes=settings.sizes,
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        momentum=settings.momentum,
        labelled_clips=settings.labelled_clips,
        test_clips=settings.test_clips,
        threads=settings.threads,
        cells=asked.cells,
    )
    for share in settings.shares:  # before anything is trained
        run.steps_at(share)
    told = told_of(run, shares=settings.shares, seeds=range(settings.seeds))
    return PlanAnswer(
        options=tuple(each.option(run) for each in (told.untrained, *told.trained)),
        findings=tuple(told.findings()),
        tables=(told.table(), flops_table(), splits_table()),
        pictures=(*map(told.picture, WHATS), splits_picture()),
        quality="accuracy on digits",
        not_counted=("Norms, activations, the optimizer, the update of the average, and the probe's own regression",),
        notes=(() if told.gate("digit").is_clear else (NO_GATE,)) + NOTES,
    )


NO_GATE = (
    "On digits the gate does not hold: by this run nothing can be said of teachers, and the choice is among options "
    "that training did not improve for certain."
)
NOTES = (
    "Intervals are over seeds, of Student's t: weights, training clips, labelled clips and test clips differ between "
    "them. Differences are paired by seed. Shares of resamplings are over test clips alone.",
    "All are trained at equal FLOPs, the teacher included, but for a last step. To find the best share all were "
    "trained, which is in no option.",
    "A teacher that is there already, or taught several students, is left out by --without teacher.",
    "The published table charges averaged teachers their FLOPs at 256 pixels; at 224 the run of 240k steps takes 1.43 "
    "ZFLOPs in place of 1.90 by the same formula. No averaged teacher is on the frontier either way.",
)
"""What a reader has to know."""
ROW = Row(
    name="frozen-teacher",
    settings=Settings,
    answer=answer,
    free=("shares", "seeds"),
    presets={
        "gpu": {
            "canvas": 32,
            "frames": 16,
            "width": 384,
            "layers": 8,
            "heads": 6,
            "hidden": 5,
            "predictor_width": 192,
            "predictor_layers": 4,
            "batch_size": 512,
            "learning_rate": 6e-4,
            "momentum": 0.998,
            "threads": 4,
            "steps": 40_000,
            "seeds": 5,
            "labelled_clips": 20_000,
            "test_clips": 10_000,
        }
    },
)
