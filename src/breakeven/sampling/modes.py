"""The mode in which a model is asked, whoever trains it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch


@contextmanager
def evaluating(
    model: Any, without_gradients: Callable[[], AbstractContextManager[Any]] = torch.inference_mode
) -> Iterator[None]:
    """Evaluation mode without gradients; afterwards every module is in the mode it was in, and some may be frozen."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with without_gradients():
            yield
    finally:
        for module in training:
            module.training = True
