"""A pipeline of two stages whose accuracies are made up: the first prefers a large model, the second many samples."""

import numpy as np
import pytest

from breakeven.plan.pipelining.table import Stage, Table


def stage(name: str, *, samples: tuple[int, ...] = (1, 2, 4), flops: tuple[float, ...] = (1.0, 4.0)) -> Stage:
    """Models S and L; of a query a sample costs 1 or 4 FLOPs, and nothing is read."""
    return Stage(
        name=name,
        models=("S", "L"),
        samples=samples,
        flops_MK=tuple(tuple(each * k for k in samples) for each in flops),
        train_flops_M=(10.0, 40.0),
    )


FIRST_MK = [[0.5, 0.52, 0.53], [0.9, 0.91, 0.91]]
SECOND_MK = [[0.4, 0.6, 0.8], [0.7, 0.75, 0.8]]


@pytest.fixture(scope="session")
def table() -> Table:
    """Quality is the product of both stages: a better configuration solves what a worse one does, and more."""
    whole_C = (np.array(FIRST_MK).ravel()[:, None] * np.array(SECOND_MK).ravel()).ravel()
    hardness_P = np.random.default_rng(0).random((1, 800))
    right_CP = (hardness_P < whole_C[:, None]).astype(float)
    return Table(
        stages=(stage("first"), stage("second")),
        trial_CP=right_CP[:, :400],
        fresh_CP=right_CP[:, 400:],
        problems="made",
    )
