"""How much of a label a linear probe reads off frozen features: ridge regression on the labels, in closed form."""

import numpy as np

from breakeven.data.splits import IntArray
from breakeven.plan.teaching.clips import Floats

_RIDGE = 0.1
"""Penalty, as a share of the number of examples: features have variance 1."""


def probed(train_PW: Floats, label_P: IntArray, test_QW: Floats, *, num_classes: int) -> IntArray:
    """The classes that a linear probe gives to the test examples.

    Args:
        train_PW: features of the labelled examples.
        label_P: their classes, 0 to `num_classes` - 1.
        test_QW: features of others.
        num_classes: C.

    Estimator:
        Ridge regression of centred one-hot labels on features that are standardised by the labelled examples; the class
        of the highest output. Exact.

    >>> one = np.array([[-1.0], [1.0]], dtype=np.float32)
    >>> probed(one, np.array([0, 1]), np.array([[-3.0], [0.5]], dtype=np.float32), num_classes=2).tolist()
    [0, 1]
    """
    mean_W, scale_W = train_PW.mean(0, dtype=np.float64), train_PW.std(0, dtype=np.float64) + 1e-6
    x_PW, x_QW = (train_PW - mean_W) / scale_W, (test_QW - mean_W) / scale_W
    target_PC = np.eye(num_classes)[label_P]
    mean_C = target_PC.mean(0)
    penalty_WW = _RIDGE * len(x_PW) * np.eye(x_PW.shape[1])
    weight_WC = np.linalg.solve(x_PW.T @ x_PW + penalty_WW, x_PW.T @ (target_PC - mean_C))
    found: IntArray = (x_QW @ weight_WC + mean_C).argmax(1)
    return found
