"""What the options come to: accuracies over seeds, the gate, and differences at equal FLOPs; tables and pictures."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import stats

from breakeven.plan.teaching.recipe import Probed, Run
from breakeven.records.options import EVALUATION, Option, Quality, Setting
from breakeven.records.plans import Finding, Line, Picture, PlanTable
from breakeven.report.format import format_flops

What: TypeAlias = Literal["digit", "direction"]
WHATS: Final[tuple[What, ...]] = ("digit", "direction")
TEACHER, PROBE = "teacher", "probe"
"""Lines of what is spent once: the frozen teacher, which several students may share, and reading the labelled clips."""
_STANDARD_ERRORS: Final = 2.0
"""By which trained has to beat untrained before anything is compared."""
_Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way to spend the budget, at every seed."""

    name: str
    students: tuple[Probed, ...]
    """What would be served."""
    teachers: tuple[Probed, ...] = ()
    """Frozen ones; empty: there were none."""
    share: float | None = None
    """Of the budget that the teacher took."""

    def right_S(self, what: What) -> _Floats:
        """Accuracy at each seed."""
        return _accuracy_S(self.students, what)

    def option(self, run: Run) -> Option:
        """With every cost, and its accuracy on digits."""
        first, once = self.students[0], dict[str, float]()
        if self.teachers:
            once[TEACHER] = self.teachers[0].flops
        once |= {
            PROBE: run.labelled_clips * run.sizes.query_flops,
            EVALUATION: run.test_clips * run.sizes.query_flops,
        }
        settings: dict[str, Setting] = {"steps": first.steps}
        if self.share is not None:
            settings |= {"teacher_steps": self.teachers[0].steps, "teacher_share": self.share}
        right_P = tuple(float(each == "1") for student in self.students for each in student.digit_right)
        found = over_seeds(self.right_S("digit"))
        return Option(
            name=self.name,
            settings=settings,
            train_flops=first.flops,
            one_off=once,
            query_flops=run.sizes.query_flops,
            quality=Quality(
                value=found.value,
                lo=found.lo,
                hi=found.hi,
                value_P=right_P,
                problems=f"{run.test_clips} moving digits of test at each of {len(self.students)} seeds",
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """Over seeds."""

    value: float
    lo: float
    """Lower end of the 90 % interval, of Student's t over seeds."""
    hi: float
    stderr: float

    @property
    def is_clear(self) -> bool:
        """Whether it is above 0 by two standard errors."""
        return self.value > 0 and self.value >= _STANDARD_ERRORS * self.stderr

    def finding(self, text: str) -> Finding:
        """As a number of the answer."""
        return Finding(text=text, value=self.value, lo=self.lo, hi=self.hi)

    def words(self, sign: str = "") -> str:
        """With its interval."""
        return f"{self.value:{sign}.3f} ({self.lo:{sign}.3f} to {self.hi:{sign}.3f})"


def over_seeds(value_S: _Floats) -> Mean:
    """Mean of one number a seed, at least two.

    >>> found = over_seeds(np.array([0.1, 0.2, 0.3]))
    >>> round(found.value, 3), round(found.stderr, 4), round(found.hi, 3)
    (0.2, 0.0577, 0.369)
    """
    value = float(value_S.mean())
    stderr = float(value_S.std(ddof=1)) / math.sqrt(len(value_S))
    around = float(stats.t.ppf(0.95, len(value_S) - 1)) * stderr
    return Mean(value=value, lo=value - around, hi=value + around, stderr=stderr)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All that was trained."""

    untrained: Arm
    averaged: Arm
    """V-JEPA."""
    pixels: Arm
    frozen: tuple[Arm, ...]
    """SALT, by the teacher's share."""

    @property
    def trained(self) -> tuple[Arm, ...]:
        """All but one."""
        return (self.averaged, self.pixels, *self.frozen)

    def gate(self, what: What) -> Mean:
        """The mean of all trained less untrained: nothing is picked for it."""
        right_AS = np.stack([each.right_S(what) for each in self.trained])
        return over_seeds(right_AS.mean(0) - self.untrained.right_S(what))

    def findings(self) -> Iterator[Finding]:
        """The gate of digits and of directions, and what may be compared behind it."""
        for what in WHATS:
            gate = self.gate(what)
            passed = "holds" if gate.is_clear else "does not hold, so nothing is compared"
            text = f"{what}: mean of all trained less untrained (the gate, two standard errors over seeds, {passed})"
            yield gate.finding(text)
            if gate.is_clear:
                yield from self._compared(what)

    def _compared(self, what: What) -> Iterator[Finding]:
        averaged_S, pixels_S = self.averaged.right_S(what), self.pixels.right_S(what)
        frozen_AS = np.stack([each.right_S(what) for each in self.frozen])
        yield over_seeds(frozen_AS.mean(0) - averaged_S).finding(
            f"{what}: frozen teachers of all shares less own average, at equal FLOPs"
        )
        for each, right_S in zip(self.frozen, frozen_AS, strict=True):
            yield over_seeds(right_S - averaged_S).finding(f"{what}: {each.name} less own average, at equal FLOPs")
        yield over_seeds(frozen_AS.mean(0) - pixels_S).finding(
            f"{what}: frozen teachers of all shares less pixels alone, at equal FLOPs"
        )
        yield over_seeds(averaged_S - self.untrained.right_S(what)).finding(f"{what}: own average less untrained")
        teacher_AS = np.stack([_accuracy_S(each.teachers, what) for each in self.frozen])
        yield over_seeds((frozen_AS - teacher_AS).mean(0)).finding(
            f"{what}: students less their own teachers, mean of all shares"
        )
        if len(self.frozen) > 1:
            least, most = self.frozen[0], self.frozen[-1]
            yield over_seeds(frozen_AS[-1] - frozen_AS[0]).finding(f"{what}: {most.name} less {least.name}")

    def table(self) -> PlanTable:
        """Steps, FLOPs and accuracies of every option, with its teacher's."""
        rows = []
        for each in (self.untrained, *self.trained):
            student = each.students[0]
            teacher = each.teachers[0] if each.teachers else None
            rows.append(
                (
                    each.name,
                    "" if teacher is None else f"{teacher.steps:,}, {format_flops(teacher.flops)}",
                    f"{student.steps:,}, {format_flops(student.flops)}" if student.steps else "0",
                    *(over_seeds(each.right_S(what)).words() for what in WHATS),
                    "" if teacher is None else over_seeds(_accuracy_S(each.teachers, "digit")).words(),
                )
            )
        headings = ("option", "teacher: steps, FLOPs", "served: steps, FLOPs", *WHATS, "digit, by its teacher")
        return PlanTable(
            label="What was trained, and what a linear probe reads off it", headings=headings, rows=tuple(rows)
        )

    def picture(self, what: What) -> Picture:
        """Accuracy against the teacher's share, others as level lines."""
        shares = [each.share or 0.0 for each in self.frozen]
        ends = (min(shares), max(shares))
        lines = [_line("frozen teacher", shares, [each.right_S(what) for each in self.frozen])]
        for each in (self.averaged, self.pixels, self.untrained):
            lines.append(_line(each.name, ends, [each.right_S(what)] * 2))
        return Picture(
            name=what,
            title=f"The {what} read off the features, by the teacher's share of the training FLOPs",
            x="teacher's share of the FLOPs",
            y="accuracy",
            lines=tuple(lines),
            note="All trained at equal FLOPs; 90 % intervals over seeds.",
        )


def told_of(run: Run, *, shares: Sequence[float], seeds: Sequence[int]) -> Told:
    """Trains what is not there yet, a seed after the other."""
    frozen = dict[float, list[tuple[Probed, Probed]]]()
    untrained, averaged, pixels = list[Probed](), list[Probed](), list[Probed]()
    for seed in seeds:
        untrained.append(run.untrained(seed))
        averaged.append(run.averaged(seed))
        pixels.append(run.pixels(seed))
        for share in shares:
            frozen.setdefault(share, []).append(run.frozen(share, seed))
    return Told(
        untrained=Arm(name="untrained", students=tuple(untrained)),
        averaged=Arm(name="own average", students=tuple(averaged)),
        pixels=Arm(name="pixels alone", students=tuple(pixels)),
        frozen=tuple(
            Arm(
                name=f"frozen teacher of {100 * share:g} %",
                students=tuple(student for _, student in pairs),
                teachers=tuple(teacher for teacher, _ in pairs),
                share=share,
            )
            for share, pairs in frozen.items()
        ),
    )


def _line(name: str, xs: Sequence[float], right_XS: Sequence[_Floats]) -> Line:
    found = [over_seeds(each) for each in right_XS]
    return Line(
        label=name,
        points=tuple((x, each.value) for x, each in zip(xs, found, strict=True)),
        intervals=tuple((each.lo, each.hi) for each in found),
    )


def _accuracy_S(probed: Sequence[Probed], what: What) -> _Floats:
    flags = [each.digit_right if what == "digit" else each.direction_right for each in probed]
    return np.array([each.count("1") / len(each) for each in flags])
