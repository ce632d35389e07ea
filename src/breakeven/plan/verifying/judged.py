"""The families of files: solutions and verdicts that somebody else drew."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from breakeven.plan.cells import Cells
from breakeven.plan.verifying.families import RULES, Base, Families, Family, verified, votes
from breakeven.readers.judged import read_judged


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """What is kept of the files: each family, and what was left out."""

    voted: Family
    by_verdicts: tuple[Family, ...]
    notes: tuple[str, ...]


def families_of_files(files: Sequence[Path], cells: Cells, *, verdict_ratio: float, solution_flops: float) -> Families:
    """Votes and S x V of the files, in one cell: they may be gone when the plan is asked again.

    Args:
        files: as `read_judged` takes them.
        cells: of the plan.
        verdict_ratio: FLOPs of a verdict over those of a solution, lambda of arXiv 2504.01005.
        solution_flops: of a solution.
    """

    def measure() -> _Measured:
        found = read_judged(files)
        base = Base(
            problems=", ".join(each.name for each in files),
            solution_flops=lambda k: k * solution_flops,
            reward_flops=lambda num_verdicts: num_verdicts * verdict_ratio * solution_flops,
        )
        return _Measured(
            voted=votes("solver", found.voted, base),
            by_verdicts=tuple(verified("verifier", found.judged, base, rule) for rule in RULES),
            notes=found.notes,
        )

    measured = cells.of("files", _Measured, measure)
    return Families(
        voted=measured.voted,
        by_verdicts=measured.by_verdicts,
        notes=(
            *measured.notes,
            f"A verdict is taken to cost {verdict_ratio:g} times a solution (verdict_ratio), and a solution "
            f"{solution_flops:g} FLOPs (solution_flops); lengths are not counted.",
            "Files do not say what training the verifier took, nor what the solver trained on would reach: the third "
            "family is missing here, and the paper keeps its solver fixed, too.",
        ),
        not_counted=("training of the solver and the verifier", "reading the solutions that are judged"),
    )
