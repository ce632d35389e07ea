"""All trainings of one size and seed, as branches of one run at a constant rate: steps they share are taken once."""

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from breakeven.config import RunConfig, TrainConfig
from breakeven.errors import LogError
from breakeven.plan.cells import Cells
from breakeven.plan.quantizing.fake import fake_quantize
from breakeven.plan.quantizing.grid import CLASSIC, Course
from breakeven.records import Prefix, Problem

if TYPE_CHECKING:
    import torch

    from breakeven.model.transformer import Transformer


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A cell: a state in full precision that others go on from, kept beside the cells until all of them have."""

    diverged_at: int | None = None
    """The step at which the loss was no number, before it was reached; nothing is kept then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A cell: the loss of a training at its end."""

    loss_P: tuple[float, ...] = ()
    """Nats a token of each problem's solution; empty: it diverged."""
    diverged_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Steps in full precision on one schedule, which begin with those of another line, or with the first."""

    name: str
    rates: TrainConfig
    stops: tuple[int, ...]
    """Steps that others go on from, ascending."""
    parent: "Line | None" = None
    branch: int = 0
    """The step at which it leaves its parent."""

    def before(self, step: int) -> "tuple[Line, int]":
        """Where the steps to one of its stops begin: at its stop before that, or on its parent."""
        earlier = [each for each in self.stops if each < step]
        return (self, earlier[-1]) if earlier else (self.parent or self, self.branch)


@dataclass(frozen=True, kw_only=True)
class Branches:
    """The trainings of one size and seed."""

    cells: Cells
    config: RunConfig
    """Of the longest training."""
    courses: Sequence[Course]
    problems: Sequence[Problem]
    """On which they are measured, with solutions."""

    def measured(self) -> list[Measured]:
        """The loss of each course. States that were kept on the way are gone at the end."""
        found = [self.cells.of(each.key, Measured, partial(self._measure, each)) for each in self.courses]
        shutil.rmtree(self.cells.place(self._name), ignore_errors=True)
        return found

    @property
    def _name(self) -> str:
        return f"size={self.courses[0].size} seed={self.config.seed}"

    # -- lines ----------------------------------------------------------------------------------------------------

    def _rates(self, steps: int) -> TrainConfig:
        return replace(self.config.train, steps=steps)

    def _decays(self, steps: int) -> int:
        """The last step of a schedule of so many before which its rate has not begun to fall."""
        return steps - math.ceil(self.config.train.decay_share * steps)

    @cached_property
    def _trunk(self) -> Line:
        stops = set[int]()
        for course in self.courses:
            first = course.switch if course.schedule == CLASSIC else course.steps
            stops |= {self._decays(first), min(course.switch, self._decays(first))}
        return Line(name="trunk", rates=replace(self.config.train, decay_share=0.0), stops=tuple(sorted(stops - {0})))

    def _decayed(self, steps: int, stops: set[int]) -> Line:
        """A schedule of so many steps, from where it leaves the trunk."""
        rates, branch = self._rates(steps), self._decays(steps)
        name = f"decay from {branch} to {steps}"
        return Line(name=name, rates=rates, stops=tuple(sorted(stops)), parent=self._trunk, branch=branch)

    def _origin(self, course: Course) -> tuple[Line, int]:
        """The line and the step at which a course leaves full precision, or ends."""
        if course.schedule == CLASSIC:
            return self._decayed(course.switch, {course.switch}), course.switch
        if course.switch <= self._decays(course.steps):
            return self._trunk, course.switch
        same = {each.switch for each in self.courses if each.steps == course.steps and each.schedule != CLASSIC}
        later = {each for each in same if each > self._decays(course.steps)}
        return self._decayed(course.steps, later), course.switch

    # -- cells ----------------------------------------------------------------------------------------------------

    def _reach(self, line: Line, step: int) -> Reached:
        """A stop of a line, and its state on disk; step 0 is where all begin."""
        if not step:
            return Reached()
        return self.cells.of(f"{self._name} {line.name} step={step}", Reached, partial(self._go_on, line, step))

    def _go_on(self, line: Line, step: int) -> Reached:
        from breakeven.train.checkpoint import save_state

        parent, start = line.before(step)
        reached = self._reach(parent, start)
        if reached.diverged_at is not None:
            return reached
        model, optimizer = self._loaded(parent, start)
        diverged_at = self._train(model, optimizer, range(start + 1, step + 1), line.rates)
        if diverged_at is None:
            folder = self._folder(line, step)
            folder.mkdir(parents=True, exist_ok=True)
            save_state(folder, model, optimizer, step)
        return Reached(diverged_at=diverged_at)

    def _measure(self, course: Course) -> Measured:
        line, start = self._origin(course)
        reached = self._reach(line, start)
        if reached.diverged_at is not None:
            return Measured(diverged_at=reached.diverged_at)
        model, optimizer = self._loaded(line, start, course.bits)
        rates, offset = self._rates(course.steps), 0
        if course.schedule == CLASSIC:
            own = course.steps - start
            warmup = min(self.config.train.warmup_steps, own // 10)
            rates, offset = replace(self._rates(own), warmup_steps=warmup, decay_share=1.0), start
        diverged_at = self._train(model, optimizer, range(start + 1, course.steps + 1), rates, offset)
        if diverged_at is not None:
            return Measured(diverged_at=diverged_at)
        return self._loss(model, course.steps)

    # -- the model ------------------------------------------------------------------------------------------------

    def _folder(self, line: Line, step: int) -> Path:
        return self.cells.place(self._name) / f"{line.name} step={step}"

    def _loaded(self, line: Line, step: int, bits: int = 0) -> "tuple[Transformer, torch.optim.Optimizer]":
        """Model and optimizer as they were at a stop of a line, the weights quantized from now on if there are bits."""
        import torch

        from breakeven.model.transformer import Transformer
        from breakeven.train.checkpoint import load_state

        train = self.config.train
        torch.set_num_threads(train.threads)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed)
            model = Transformer(self.config.model.shape_for(self.config.task))
        if bits:
            fake_quantize(model, bits)
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=train.learning_rate, betas=(0.9, 0.95), weight_decay=train.weight_decay
        )
        if step and load_state(self._folder(line, step), model, optimizer) != step:
            what = f"{self._folder(line, step)} is not there, and cells that are missing go on from it"
            raise LogError(f"{what}. Begin the plan anew in another directory (--out).")
        return model, optimizer

    def _train(
        self,
        model: "Transformer",
        optimizer: "torch.optim.Optimizer",
        steps: range,
        rates: TrainConfig,
        offset: int = 0,
    ) -> int | None:
        """Take steps on a schedule that began `offset` steps after the first; the one that diverged, if one did."""
        from breakeven.train.step import learning_rate, train_step, training_batches

        task, train = self.config.task, self.config.train
        batch_of = training_batches(task, train, self.config.seed)
        for step in steps:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step - offset, rates)
            if not math.isfinite(train_step(model, optimizer, batch_of(step), task.prompt_tokens, train.clip_norm)):
                return step
        return None

    def _loss(self, model: "Transformer", step: int) -> Measured:
        from breakeven.train.loop import sampler_for

        prefixes = [Prefix(problem=each.hidden, text=each.solution or "") for each in self.problems]
        losses = sampler_for(model, self.config.task).solution_losses(prefixes)
        loss_P = tuple(round(float(each.mean()), 4) for each in losses)
        return Measured(loss_P=loss_P) if all(map(math.isfinite, loss_P)) else Measured(diverged_at=step)
