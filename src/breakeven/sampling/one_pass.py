"""One pass of a classifier in torch, whatever its batches and its outputs are; training is left as it was."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from breakeven.errors import argument_error
from breakeven.sampling.modes import evaluating

LABELS = ("labels", "label", "label_ids")
"""Names that transformers knows labels by, in rows and in batches."""
_BARE = "inputs"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inputs:
    """What a classifier is given, for a batch of examples without their labels."""

    named: dict[str, Any]
    is_bare: bool
    """Whether it is one tensor, which the model takes by position."""

    @classmethod
    def of(cls, batch: Any, labels: str, device: torch.device | str) -> "Inputs":
        """Of what a collator made: a mapping, a tensor, or a tensor with the labels behind it.

        Raises:
            ArgumentError: it is none of these.
        """
        if isinstance(batch, Mapping):
            named = {name: each for name, each in batch.items() if name not in (labels, *LABELS)}
        elif isinstance(batch, Tensor):
            named = {_BARE: batch}
        elif isinstance(batch, list | tuple) and len(batch) == 2 and isinstance(batch[0], Tensor):
            named = {_BARE: batch[0]}
        else:
            rule = "make a batch that is a mapping, or a tensor of inputs and the labels"
            raise argument_error("collate", rule, type(batch).__name__)
        moved = {name: each.to(device) if isinstance(each, Tensor) else each for name, each in named.items()}
        return cls(named=moved, is_bare=not isinstance(batch, Mapping))

    @property
    def positional(self) -> tuple[Any, ...]:
        """Those that the model takes by position."""
        return tuple(self.named.values()) if self.is_bare else ()

    @property
    def by_name(self) -> dict[str, Any]:
        """Those that it takes by name."""
        return {} if self.is_bare else self.named


def num_classes(model: torch.nn.Module, inputs: Inputs) -> int:
    """How many logits a classifier gives an example, from a plain pass over some.

    Raises:
        ArgumentError: it gives other than a row of logits for each example.
    """
    with untouched(model):
        logits = logits_of(model, inputs)
    if logits.ndim != 2:
        rule = "give each example one row of logits, as a classifier does"
        raise argument_error("model", rule, f"logits of shape {tuple(logits.shape)}")
    return int(logits.shape[1])


def logits_of(model: torch.nn.Module, inputs: Inputs) -> Tensor:
    """What a model makes of a batch, in the mode that it is in.

    Raises:
        ArgumentError: it returns no logits.
    """
    output: Any = model(*inputs.positional, **inputs.by_name)
    found = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", output)
    found = found[0] if isinstance(found, list | tuple) and found else found
    if not isinstance(found, Tensor):
        remedy = "As a tensor, the first of a tuple, or named logits."
        raise argument_error("model", "return logits", type(output).__name__, remedy)
    return found


@contextmanager
def untouched(model: torch.nn.Module) -> Iterator[list[Generator]]:
    """Evaluation mode; what is drawn from the generators of the model's devices is drawn from copies."""
    generators = generators_of(model)
    states = [each.get_state() for each in generators]
    try:
        # Not inference mode: what the model keeps for itself must serve training afterwards.
        with evaluating(model, torch.no_grad):
            yield generators
    finally:
        for each, state in zip(generators, states, strict=True):
            each.set_state(state)


@contextmanager
def training_noise(model: torch.nn.Module) -> Iterator[None]:
    """Within it a model in evaluation mode has the noise of training, its dropout above all; when serving, too.

    All modules are in training mode but those with running statistics. Buffers that change all the same are put back.
    """
    buffers = [(each, each._version, each.clone()) for each in model.buffers()]
    for each in model.modules():
        each.training = "running_mean" not in each._buffers
    try:
        yield
    finally:
        model.eval()
        for buffer, version, before in buffers:
            if buffer._version != version:
                buffer.copy_(before)


def generators_of(model: torch.nn.Module) -> list[Generator]:
    """That a pass draws its noise from: of the CPU, and of the CUDA devices that the model is on."""
    devices = sorted({each.device.index for each in model.parameters() if each.device.type == "cuda"})
    return [torch.default_generator, *(torch.cuda.default_generators[each] for each in devices)]
