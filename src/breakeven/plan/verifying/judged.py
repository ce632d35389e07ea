"""Families of files."""

from breakeven.plan.row import Asked
from breakeven.plan.verifying.families import Families


def families_of_files(asked: Asked, *, verdict_ratio: float, solution_flops: float) -> Families:
    raise NotImplementedError
