"""Images whose place on a canvas is seen from one pixel."""

import numpy as np
import pytest

from breakeven.data.labelled.examples import Examples


@pytest.fixture(scope="session")
def dots() -> Examples:
    """Two images with their upper left pixel alone."""
    images = np.zeros((2, 8, 8, 1), dtype=np.float32)
    images[:, 0, 0] = 1
    return Examples(name="dots", classes=("0", "1"), label_P=np.array([0, 1]), ids=("a", "b"), image_PHWC=images)
