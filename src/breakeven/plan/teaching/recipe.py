"""The real run: encoders taught by pixels, by a frozen teacher or by their own average, at equal FLOPs, as cells."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from breakeven.config import TrainConfig
from breakeven.data.labelled.examples import Examples
from breakeven.data.labelled.named import load_examples
from breakeven.errors import argument_error
from breakeven.plan.cells import Cells
from breakeven.plan.teaching.clips import NUM_DIRECTIONS, Clips, clips_of
from breakeven.plan.teaching.probe import read_off
from breakeven.plan.teaching.sizes import Sizes

if TYPE_CHECKING:
    from breakeven.plan.teaching.lessons import Lesson
    from breakeven.plan.teaching.networks import Encoder

_TEST_DIGITS: Final = 500
"""Images of digits that no encoder is trained on, and no probe."""
_STUDENT: Final = 1_000
"""Added to the seed: a student begins from other weights and sees other clips than its teacher."""
_WEIGHT_DECAY: Final = 0.02
_LABELLED, _TEST = 2, 3
"""Of the seeds of clips, beside those of training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """An encoder, and what probes read off it."""

    steps: int
    """0: untrained."""
    flops: float
    """Of its own training, what its teacher computed for it included."""
    loss: float | None = None
    """At the end, in its own unit; None: untrained."""
    digit_right: str
    """Of each test clip "1" or "0"."""
    direction_right: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """The options of the recipe at each seed, computed when they are asked for."""

    sizes: Sizes
    steps: int
    """Of the encoder that is taught by its own average: its FLOPs are the budget of every other."""
    learning_rate: float
    momentum: float
    labelled_clips: int
    """That a probe learns from; fresh at each seed, as those of the test are."""
    test_clips: int
    threads: int
    cells: Cells

    @property
    def budget(self) -> float:
        """FLOPs of training, for each option."""
        return self.steps * self.sizes.student_step_flops

    def steps_at(self, share: float) -> tuple[int, int]:
        """Steps of the teacher and of the student where the teacher takes this share of the budget.

        Raises:
            ArgumentError: either would make none.
        """
        teacher = int(share * self.budget / self.sizes.teacher_step_flops)
        left = self.budget - teacher * self.sizes.teacher_step_flops
        student = int(left / self.sizes.student_step_flops + 1e-9)
        if not teacher or not student:
            raise argument_error("shares", "leave a step to teacher and student", share, "Raise steps.")
        return teacher, student

    def untrained(self, seed: int) -> Probed:
        """As weights are drawn."""
        return self.cells.of(f"untrained seed={seed}", Probed, lambda: self._probed(self._fresh(seed), seed))

    def averaged(self, seed: int) -> Probed:
        """Taught by its own average: V-JEPA."""

        def compute() -> Probed:
            from breakeven.plan.teaching.lessons import Averaged

            encoder = self._fresh(seed + _STUDENT)
            loss = self._teach(encoder, Averaged(encoder, self.sizes, self.momentum), self.steps, seed + _STUDENT)
            return self._probed(encoder, seed, steps=self.steps, flops=self.budget, loss=loss)

        return self.cells.of(f"averaged seed={seed}", Probed, compute)

    def pixels(self, seed: int) -> Probed:
        """Taught by pixels for the whole budget: a teacher that is served itself."""
        steps = int(self.budget / self.sizes.teacher_step_flops)
        return self.cells.of(f"pixels seed={seed}", Probed, lambda: self._by_pixels(steps, seed)[1])

    def frozen(self, share: float, seed: int) -> tuple[Probed, Probed]:
        """A teacher, which took this share of the budget, and the student that it taught, frozen: SALT."""

        def compute() -> tuple[Probed, Probed]:
            from breakeven.plan.teaching.lessons import Frozen

            teacher_steps, steps = self.steps_at(share)
            teacher, probed = self._by_pixels(teacher_steps, seed)
            encoder = self._fresh(seed + _STUDENT)
            loss = self._teach(encoder, Frozen(teacher, self.sizes), steps, seed + _STUDENT)
            flops = steps * self.sizes.student_step_flops
            return probed, self._probed(encoder, seed, steps=steps, flops=flops, loss=loss)

        return self.cells.of(f"frozen share={share:g} seed={seed}", tuple[Probed, Probed], compute)

    def _by_pixels(self, steps: int, seed: int) -> "tuple[Encoder, Probed]":
        from breakeven.plan.teaching.lessons import Pixels

        encoder = self._fresh(seed)
        loss = self._teach(encoder, Pixels(self.sizes), steps, seed)
        flops = steps * self.sizes.teacher_step_flops
        return encoder, self._probed(encoder, seed, steps=steps, flops=flops, loss=loss)

    def _fresh(self, seed: int) -> "Encoder":
        from breakeven.plan.teaching.lessons import fresh_encoder

        return fresh_encoder(self.sizes, seed)

    def _teach(self, encoder: "Encoder", lesson: "Lesson", steps: int, seed: int) -> float:
        """One training, with a schedule of its own; returns its last loss."""
        from breakeven.plan.teaching.lessons import teach

        train = TrainConfig(
            steps=steps,
            batch_size=self.sizes.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=_WEIGHT_DECAY,
            threads=self.threads,
        )
        return teach(encoder, lesson, sizes=self.sizes, digits=self._digits[0], train=train, seed=seed)

    def _probed(
        self, encoder: "Encoder", seed: int, *, steps: int = 0, flops: float = 0.0, loss: float | None = None
    ) -> Probed:
        """What linear probes read off the mean feature of a clip."""
        from breakeven.plan.teaching.lessons import features

        labelled, test = self._clips(_LABELLED, seed), self._clips(_TEST, seed)
        own_PE, other_QE = features(encoder, labelled.patch_PND), features(encoder, test.patch_PND)
        digit_Q = read_off(own_PE, labelled.digit_P, other_QE, num_classes=10)
        direction_Q = read_off(own_PE, labelled.direction_P, other_QE, num_classes=NUM_DIRECTIONS)
        return Probed(
            steps=steps,
            flops=flops,
            loss=loss,
            digit_right=_flags(digit_Q == test.digit_P),
            direction_right=_flags(direction_Q == test.direction_P),
        )

    def _clips(self, kind: int, seed: int) -> Clips:
        """Labelled ones show digits that encoders are trained on, those of the test others."""
        digits, count = (
            (self._digits[0], self.labelled_clips) if kind == _LABELLED else (self._digits[1], self.test_clips)
        )
        return clips_of(digits, self.sizes.scene, count, (seed, kind))

    @cached_property
    def _digits(self) -> tuple[Examples, Examples]:
        """To train on, and to test on."""
        test, train = load_examples("digits").split(_TEST_DIGITS)
        return train, test


def _flags(right_Q: npt.NDArray[np.bool_]) -> str:
    return "".join("1" if each else "0" for each in right_Q)
