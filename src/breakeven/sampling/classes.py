"""A sampler of a classifier in torch: a sample is one pass over an example, plain or noisy.

A plain pass is deterministic. A noisy one augments its inputs, keeps the noise of training (dropout), or both. Its
noise is a hash of (seed, examples of the batch, number of the pass), and the random states of training stay untouched.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Generator, Tensor

from breakeven import check
from breakeven.errors import SamplerError, argument_error
from breakeven.records import ClassPass, Draw, Problem
from breakeven.sampling.augment import Augmentation
from breakeven.sampling.one_pass import Inputs, generators_of, logits_of, training_noise, untouched
from breakeven.sampling.uniforms import sample_keys

__all__ = ["ClassSampler", "check_classes", "default_collate"]

default_collate: Callable[[list[Any]], Any] = torch.utils.data.default_collate


class ClassSampler:
    """A `ProbabilitySampler` of a torch module: temperature 0 is its plain pass, any other its noisy passes.

    A completion is the name of the likeliest class, of 2 tokens, class and end, behind a prompt of 0: one token is fed,
    which stands for the pass. With `ModelCost(body_params=F / 2)`, F the FLOPs of a forward pass over an example, every
    pass is so charged F exactly once, whether or not the samples of a query share the reading of their prompt.

    In a pass with dropout all modules are in training mode but those with running statistics (BatchNorm), which stay
    as they are. So the noise is that of training: dropout as modules, in attention and as functions, stochastic depth.
    Buffers that a module changes all the same are put back.

    Args:
        model: takes what `collate` makes, the labels left out, and returns logits of shape (examples, C): a tensor, the
            first of a tuple, or named `logits`. Used in evaluation mode, on its device, and left as it was.
        examples: that of a problem is `examples[int(problem.id)]`, as the training loop has them.
        classes: their names, in the order of the logits.
        collate: makes a batch of a list of examples.
        labels: the name of the labels in a batch: they are taken out before anything sees it.
        augment: makes other inputs of those of a batch. It draws from the generator that it is given, which is on the
            CPU, and may use torch's own. They come by name, a bare tensor as "inputs".
        dropout: whether noisy passes have the noise of training.
        snapshots: how many of the last checkpoints are averaged, by whoever keeps their plain passes; 1: none.
        max_rows: examples of a batch. Batches are cut in the order in which problems are asked.

    Raises:
        ArgumentError: fewer than two classes, or two of one name; a number below 1.

    Source:
        Monte Carlo dropout: Gal and Ghahramani, arXiv 1506.02142. Snapshots: Huang et al., arXiv 1704.00109.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        examples: Any,
        classes: Sequence[str],
        collate: Callable[[list[Any]], Any] = default_collate,
        *,
        labels: str = "labels",
        augment: Augmentation | None = None,
        dropout: bool = False,
        snapshots: int = 1,
        max_rows: int = 256,
    ) -> None:
        check.whole("snapshots", snapshots, 1)
        check.whole("max_rows", max_rows, 1)
        check_classes(classes)
        self.model, self.classes, self.snapshots = model, tuple(classes), snapshots
        self._examples, self._collate, self._labels = examples, collate, labels
        self._augment, self._dropout, self._max_rows = augment, dropout, max_rows

    @property
    def settings(self) -> str:
        """What its passes are, in words: a run that is gone on with has to have the same."""
        augmented = None if self._augment is None else f"augment={_said(self._augment)}"
        dropout = "dropout" if self._dropout else None
        return ", ".join(filter(None, (augmented, dropout, f"{self.snapshots} snapshots", f"{self._max_rows} rows")))

    def sample(
        self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int, first: int = 0
    ) -> list[Draw]:
        """See `breakeven.records.protocols.NumberedSampler.sample`. Noise depends on what is asked for together, too.

        Raises:
            ArgumentError: noisy passes of a sampler without noise, or logits of another shape.
            SamplerError: probabilities that are not finite.
        """
        check.at_least("num_samples", num_samples, 1)
        check.at_least("temperature", temperature, 0)
        if temperature and not self._dropout and self._augment is None:
            remedy = "Without noise there is one pass alone, at temperature 0."
            raise argument_error("augment or dropout", "be given where noisy passes are drawn", None, remedy)
        draws: list[Draw] = []
        with untouched(self.model):
            for start in range(0, len(problems), self._max_rows):
                part = problems[start : start + self._max_rows]
                inputs = self._inputs(part)
                if temperature:
                    keys = sample_keys(seed, ["\n".join(each.id for each in part)], num_samples, first)
                    passes = [self._noisy(inputs, int(key)) for key in keys]
                else:
                    passes = [logits_of(self.model, inputs)] * num_samples
                draws += self._drawn(part, passes)
        return draws

    def try_out(self, problems: Sequence[Problem]) -> None:
        """Nothing, if passes over some problems work, and noisy ones are noisy: before training is better than in it.

        Raises:
            ArgumentError: as of `sample`; a noisy pass that draws no random number, so that all would be equal.
        """
        with untouched(self.model):
            inputs = self._inputs(problems[: self._max_rows])
            self._drawn(problems[: self._max_rows], [logits_of(self.model, inputs)])
            if self._augment is not None:
                generator = Generator()
                if not self._draws(lambda: self._augmented(inputs, generator), generator):
                    remedy = "It draws from the generator that it is given."
                    raise argument_error("augment", "be random, or every pass would be equal", self._augment, remedy)
            if self._dropout:
                with training_noise(self.model):
                    is_noisy = self._draws(lambda: logits_of(self.model, inputs))
                if not is_noisy:
                    remedy = "Raise the dropout in its config, or leave dropout out for augment= or snapshots=."
                    rule = "be False for a model without dropout, or every pass would be equal"
                    raise argument_error("dropout", rule, f"True for {type(self.model).__name__}", remedy)

    def _draws(self, call: Callable[[], object], *own: Generator) -> bool:
        """Whether random numbers are drawn in a call: logits may be equal all the same, of a head that begins at 0."""
        generators = [*own, *generators_of(self.model)]
        before = [each.get_state() for each in generators]
        call()
        return not all(torch.equal(each.get_state(), state) for each, state in zip(generators, before, strict=True))

    def _inputs(self, problems: Sequence[Problem]) -> Inputs:
        device = next(self.model.parameters(), torch.zeros(())).device
        batch = self._collate([self._examples[int(each.id)] for each in problems])
        return Inputs.of(batch, self._labels, device)

    def _noisy(self, inputs: Inputs, key: int) -> Tensor:
        for each in generators_of(self.model):
            each.manual_seed(key)
        if self._augment is not None:
            inputs = self._augmented(inputs, Generator().manual_seed(key ^ 1))  # not the numbers of dropout again
        with training_noise(self.model) if self._dropout else nullcontext():
            return logits_of(self.model, inputs)

    def _augmented(self, inputs: Inputs, generator: Generator) -> Inputs:
        assert self._augment is not None, "asked before"
        return replace(inputs, named=dict(self._augment(dict(inputs.named), generator)))

    def _drawn(self, problems: Sequence[Problem], passes: list[Tensor]) -> list[Draw]:
        """Each problem with its completion of each pass."""
        probability_NPC = np.stack([self._probabilities(problems, each) for each in passes])
        return [
            Draw(prompt_tokens=0, completions=tuple(map(self._completion, probability_NC)))
            for probability_NC in probability_NPC.swapaxes(0, 1)
        ]

    def _completion(self, probability_C: npt.NDArray[np.float32]) -> ClassPass:
        name = self.classes[int(probability_C.argmax())]
        return ClassPass(text=name, output_tokens=2, probabilities=probability_C.copy())

    def _probabilities(self, problems: Sequence[Problem], logits_PC: Tensor) -> npt.NDArray[np.float32]:
        shape = len(problems), len(self.classes)
        if tuple(logits_PC.shape) != shape:
            remedy = f"Its logits have the shape {tuple(logits_PC.shape)} for {len(problems)} examples."
            raise argument_error("classes", "name the classes of the model, in their order", self.classes, remedy)
        probability_PC = torch.softmax(logits_PC.float(), dim=-1).cpu().numpy()
        finite_P = np.isfinite(probability_PC).all(axis=1)
        if not finite_P.all():
            place = int(finite_P.argmin())
            raise SamplerError(
                f"The model must give finite logits; got {logits_PC[place].tolist()} for example {problems[place].id}: "
                "its weights may have diverged."
            )
        return probability_PC


def check_classes(classes: Sequence[str]) -> None:
    """Nothing, if these are the names of two classes at least, each another.

    Raises:
        ArgumentError: they are not.
    """
    if isinstance(classes, str) or not all(isinstance(each, str) for each in classes) or len(classes) < 2:
        raise argument_error("classes", "be the names of two classes at least", classes)
    if len(set(classes)) < len(classes):
        twice = next(each for each in classes if list(classes).count(each) > 1)
        raise argument_error("classes", "have different names", twice)


def _said(part: Any) -> str:
    """A function by its name, with what it was given beforehand."""
    if isinstance(part, partial):
        given = [*map(_said, part.args), *(f"{name}={_said(each)}" for name, each in part.keywords.items())]
        return f"{_said(part.func)}({', '.join(given)})"
    if isinstance(part, list | tuple):
        return f"({', '.join(map(_said, part))})"
    if isinstance(part, int | float | str):
        return repr(part)
    return str(getattr(part, "__qualname__", type(part).__qualname__))
