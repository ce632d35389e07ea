"""For the trainers of transformers and TRL: `from breakeven.transformers import EarlyStop`."""

from breakeven.adapters.transformers import EarlyStop, RecordedReward

__all__ = ["EarlyStop", "RecordedReward"]
