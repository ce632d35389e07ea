"""For the `Trainer` of Lightning, by either of its names: `from breakeven.lightning import EarlyStop`."""

from breakeven.adapters.classes import Classification
from breakeven.adapters.lightning import EarlyStop

__all__ = ["Classification", "EarlyStop"]
