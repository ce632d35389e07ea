"""How much of a label a linear probe reads off frozen features: ridge regression on the labels, in closed form."""

import numpy as np

from breakeven.data.splits import IntArray
from breakeven.plan.teaching.clips import Floats

_RIDGE = 0.1
"""Penalty, as a share of the number of examples: features have variance 1."""


def read_off(train_PE: Floats, label_P: IntArray, test_QE: Floats, *, num_classes: int) -> IntArray:
    """The classes that a linear probe gives to the test examples.

    Args:
        train_PE: features of the labelled examples.
        label_P: their classes, 0 to `num_classes` - 1.
        test_QE: features of others.
        num_classes: C.

    Estimator:
        Ridge regression of centred one-hot labels on features that are standardised by the labelled examples; the class
        of the highest output. Exact.

    >>> one = np.array([[-1.0], [1.0]], dtype=np.float32)
    >>> read_off(one, np.array([0, 1]), np.array([[-3.0], [0.5]], dtype=np.float32), num_classes=2).tolist()
    [0, 1]
    """
    mean_E, scale_E = train_PE.mean(0, dtype=np.float64), train_PE.std(0, dtype=np.float64) + 1e-6
    x_PE, x_QE = (train_PE - mean_E) / scale_E, (test_QE - mean_E) / scale_E
    target_PC = np.eye(num_classes)[label_P]
    mean_C = target_PC.mean(0)
    penalty_EE = _RIDGE * len(x_PE) * np.eye(x_PE.shape[1])
    weight_EC = np.linalg.solve(x_PE.T @ x_PE + penalty_EE, x_PE.T @ (target_PC - mean_C))
    found: IntArray = (x_QE @ weight_EC + mean_C).argmax(1)
    return found
