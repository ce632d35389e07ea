"""For the trainers of transformers and TRL: `from breakeven.transformers import EarlyStop`."""

from breakeven.adapters.classes import Classification
from breakeven.adapters.transformers import EarlyStop, RecordedReward

__all__ = ["Classification", "EarlyStop", "RecordedReward"]
