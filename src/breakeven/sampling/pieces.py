"""Long work in pieces: how far it is, and how much of it a kill can lose."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

_Item = TypeVar("_Item")

_CHUNK_SECONDS = 10.0
"""About how long the work between two records takes, and how much of it a kill can lose."""
_CHUNK_SAMPLES = 1 << 14
"""Samples in one piece at most, whose texts are in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one stage is."""

    stage: str
    """ "drawing", "grading", "scoring", or a search."""
    done: int
    total: int
    """Samples, those recorded before included."""
    before: int
    """Samples that were there already: no rate is to be computed from them."""


OnProgress = Callable[[Progress], None]


def chunks(items: Sequence[_Item], num_samples: int = 1) -> Iterator[Sequence[_Item]]:
    """Parts that grow while they take less than _CHUNK_SECONDS, and shrink when they take longer or hold too much.

    Args:
        items: of the work.
        num_samples: of each at most.
    """
    size, start = 4, 0
    most = max(1, _CHUNK_SAMPLES // num_samples)
    while start < len(items):
        began, size = time.monotonic(), min(size, most)
        yield items[start : start + size]
        start += size
        share = _CHUNK_SECONDS / max(time.monotonic() - began, 1e-3)
        size = max(1, min(4 * size, round(size * share)))
