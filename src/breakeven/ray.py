"""For trials of Ray Tune: `from breakeven.ray import Stopper`."""

from breakeven.adapters.ray import Stopper

__all__ = ["Stopper"]
