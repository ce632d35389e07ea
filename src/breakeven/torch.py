"""For a loop of one's own in PyTorch, under Accelerate too: `from breakeven.torch import EarlyStop`."""

from breakeven.adapters.classes import Classification
from breakeven.adapters.torch import EarlyStop

__all__ = ["Classification", "EarlyStop"]
