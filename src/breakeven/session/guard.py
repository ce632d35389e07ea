"""Evaluation must leave training as it was: random generators, modes and gradients are compared around it.

Whatever can be put back is put back. Knows torch only where the program has imported it already.
"""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(slots=True, kw_only=True)
class Disturbed:
    """What an evaluation changed, in words, in the order in which it was looked for; empty: nothing."""

    what: list[str] = field(default_factory=list)


@contextmanager
def undisturbed(model: object = None) -> Iterator[Disturbed]:
    """Compare before and after, put back random states and the mode of `model`, and say what differed.

    Args:
        model: of the sampler, where it names one: a torch module, whose modes and gradients are looked at too.
    """
    before = _states()
    modes, gradients = _modes(model), _gradients(model)
    found = Disturbed()
    try:
        yield found
    finally:
        for name, state in _states().items():
            if not _equal(state, before.get(name)):
                found.what.append(f"the random generator of {name} was used")
                _restore(name, before.get(name))
        for module, training in modes:
            if module.training is not training:
                found.what.append("the model was left in " + ("eval" if training else "training") + " mode")
                break
        for module, training in modes:
            module.training = training
        if gradients != _gradients(model):
            found.what.append("gradients of the model were changed, which cannot be undone")


def _states() -> dict[str, Any]:
    states: dict[str, Any] = {"Python": random.getstate(), "NumPy": np.random.get_state()}  # noqa: NPY002
    torch = sys.modules.get("torch")
    if torch is not None:
        states["torch"] = torch.get_rng_state()
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            states["torch on CUDA"] = torch.cuda.get_rng_state_all()
    return states


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, tuple | list):
        return isinstance(other, tuple | list) and len(one) == len(other) and all(map(_equal, one, other))
    if hasattr(one, "shape"):
        return other is not None and bool((one == other).all())
    return bool(one == other)


def _restore(name: str, state: Any) -> None:
    if state is None:  # it came into being during the evaluation
        return
    if name == "Python":
        random.setstate(state)
    elif name == "NumPy":
        np.random.set_state(state)  # noqa: NPY002
    elif name == "torch":
        sys.modules["torch"].set_rng_state(state)
    else:
        sys.modules["torch"].cuda.set_rng_state_all(state)


def _modes(model: object) -> list[tuple[Any, bool]]:
    return [(module, module.training) for module in model.modules()] if hasattr(model, "modules") else []


def _gradients(model: object) -> list[tuple[int, int] | None]:
    """Which gradients there are, and in which version; torch counts changes in place."""
    if not hasattr(model, "parameters"):
        return []
    gradients = [parameter.grad for parameter in model.parameters()]
    return [None if each is None else (id(each), each._version) for each in gradients]
