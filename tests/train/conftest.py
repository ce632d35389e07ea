"""A run so small that it takes a second, and a checker under which it surely stops."""

import zlib
from typing import Any

import pytest

from breakeven.config import RunConfig, config_from
from breakeven.data.made.countdown import Countdown


def tiny_settings() -> dict[str, Any]:
    return {
        "name": "tiny",
        "task": {"num_numbers": 2, "max_number": 9, "max_target": 20},
        "model": {"num_layers": 1, "embedding": 16, "num_heads": 2, "feed_forward": 16},
        "train": {"steps": 12, "batch_size": 8, "learning_rate": 0.01, "warmup_steps": 2},
        "evaluate": {"every_steps": 2, "num_problems": 6, "num_samples": 4},
        "policy": {"name": "paper", "patience": 2, "max_k": 8},
        "verify": {"num_problems": 6, "num_samples": 4},
    }


@pytest.fixture
def make_config():
    """A tiny RunConfig; settings are given as `section__key=value`."""

    def make(**changes: Any) -> RunConfig:
        settings = tiny_settings()
        for name, value in changes.items():
            section, _, key = name.rpartition("__")
            (settings[section] if section else settings)[key] = value
        return config_from(settings)

    return make


@pytest.fixture
def half_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accuracy is the same at every checkpoint, so that its projection is reached as soon as there is one.

    With three checkpoints needed for a projection, every second step one, and patience 2, the stop is at step 8.
    """
    monkeypatch.setattr(Countdown, "check", lambda self, problem, completion: zlib.crc32(problem.id.encode()) % 2 == 0)
