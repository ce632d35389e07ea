"""TIMING: the wall time of training and of evaluations, of runs whose spec asks for it.

Seconds are recorded with each checkpoint, and whoever replays or resumes a run takes them from there.
"""

import math
import time

from breakeven.records import LearningPoint, RunSpec, WallTime
from breakeven.stopping.course import Course


class TrainingClock:
    """Wall time of training, of all processes of a run: evaluations are left out of it.

    Args:
        seconds: trained before.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.set(seconds)

    def set(self, seconds: float) -> None:
        """Count on from here."""
        self._began, self._paused = time.perf_counter() - seconds, 0.0

    def leave_out(self, seconds: float) -> None:
        """So much of the time until now was no training."""
        self._paused += seconds

    @property
    def seconds(self) -> float:
        """Of training until now."""
        return max(0.0, time.perf_counter() - self._began - self._paused)


def too_slow(course: Course, place: int, train_seconds: float) -> bool:
    """Whether one more evaluation, as long as the last, exceeds the spec's share of wall time.

    Args:
        course: of all checkpoints recorded.
        place: how many of them come before. What was left out before one that is recorded is left out again.
        train_seconds: until now.
    """
    share = course.spec.max_evaluation_seconds_share
    if share is None or not place:
        return False
    if place < len(course.points):
        return True
    last, spent = course.points[-1].evaluation_seconds, course.evaluation_seconds()
    return last is not None and spent is not None and spent + last > share * train_seconds


def wall_of(course: Course, now: LearningPoint) -> WallTime:
    """Hours and money at the checkpoint that follows a course."""
    spec = course.spec
    used = now.train_flops / spec.budget_flops
    trained, evaluated = now.train_seconds, course.evaluation_seconds(now)
    full, how = spec.hours, None if spec.hours is None else "declared"
    if full is None and trained and used > 0:
        full, how = trained / used / 3600, "extrapolated"
    saved = None if full is None else (1 - used) * full - (evaluated or 0.0) / 3600
    price = spec.price_per_hour
    return WallTime(
        train_seconds=trained,
        evaluation_seconds=evaluated,
        full_hours=full,
        full_hours_are=how,  # type: ignore[arg-type]
        saved_hours=saved,
        price_per_hour=price,
        saved_money=None if saved is None or price is None else saved * price,
    )


def pace_words(spec: RunSpec, point: LearningPoint, every_steps: int) -> tuple[str, bool] | None:
    """What a run's evaluations will take at the pace of the first; and whether that is more than the spec allows.

    None where it cannot be told.
    """
    trained, once = point.train_seconds, point.evaluation_seconds
    if not trained or once is None or not point.step or not point.train_flops:
        return None
    rest = spec.budget_flops / point.train_flops
    every = point.step if every_steps == 1 else every_steps  # of a loop that itself asks only where one is due
    due = max(1, math.ceil(rest * point.step / every - 1e-9))
    train_hours, all_hours = rest * trained / 3600, due * once / 3600
    ratio, share = all_hours / train_hours, spec.max_evaluation_seconds_share
    price = spec.price_per_hour
    words = (
        f"the first evaluation took {once:.3g} s. At this pace the run's {due} will take {all_hours:.3g} hours, "
        f"{ratio:.0%} of the {train_hours:.3g} hours of training"
        + ("" if price is None else f", which cost {all_hours * price:.6g} at {price:g} an hour")
    )
    if share is None or ratio <= share:
        return f"{words}.", False
    left = f"That is more than max_evaluation_seconds_share = {share:g}: one that is due is left out while it would be."
    return f"{words}. {left}", True
