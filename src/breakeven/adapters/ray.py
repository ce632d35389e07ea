"""A `Stopper` for Ray Tune: each trial is decided on by what it reports, and ends where it may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from breakeven import check
from breakeven.errors import BreakevenError, MissingExtraError, argument_error
from breakeven.records import Decision, RunSpec
from breakeven.session.tallied import decide_tallied
from breakeven.session.voice import warn
from breakeven.stopping.course import Course, Policy
from breakeven.stopping.decide import default_policy
from breakeven.ttc.tally import Tally, point_of

try:
    from ray.tune import Stopper as _Stopper
except ImportError as error:
    raise MissingExtraError("breakeven.ray needs: pip install 'breakeven[ray]'") from error

__all__ = ["Stopper"]

_RIGHT, _SAMPLES, _GREEDY = "breakeven/right", "breakeven/samples", "breakeven/greedy"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A report, with the course before it and after it."""

    step: int
    before: Course
    after: Course
    decision: Decision


class Stopper(_Stopper):  # type: ignore[misc]
    """Ends a trial where its present checkpoint, served with K samples, replaces the rest of its training.

        tune.RunConfig(stop=breakeven.ray.Stopper(steps=100, metric="accuracy", num_problems=500))

    A trial reports of the same validation problems each time either the right samples of each, `breakeven/right`, of
    how many, `breakeven/samples`, and if it likes whether the greedy one is right, `breakeven/greedy`; or its accuracy
    alone, which says nothing of K above 1. Results without them decide nothing. A trial that begins again from a
    checkpoint is decided on from there. What it reports wrongly ends no trial: it is watched no more, with one warning.

    Args:
        steps: of the full run of a trial, in what `step` counts.
        metric: the accuracy, a share, where there are no counts.
        num_problems: behind that accuracy.
        step: the result that counts steps; of the names, "a/b" is also b in a.
        train_flops: the result that has the training FLOPs so far; None: each step costs the same.
        mode: "stop", or "advise", which says where a trial may end and lets it train on.
        policy: the stop rule; None: the calibrated one.
        declared: what else a `RunSpec` takes, such as target, queries, checker or decay_share; with `train_flops` its
            `budget_flops` too.

    Raises:
        ArgumentError: an argument out of its range, or a metric without its number of problems.
    """

    def __init__(
        self,
        *,
        steps: int,
        metric: str | None = None,
        num_problems: int | None = None,
        step: str = "training_iteration",
        train_flops: str | None = None,
        mode: str = "stop",
        policy: Policy | None = None,
        **declared: Any,
    ) -> None:
        self._steps = check.whole("steps", steps, 1)
        check.one_of("mode", mode, ("stop", "advise"))
        if (metric is None) is not (num_problems is None):
            remedy = "What an accuracy is worth depends on it."
            raise argument_error("num_problems", "be given with metric, and only then", num_problems, remedy)
        self._num_problems = None if num_problems is None else check.whole("num_problems", num_problems, 1)
        known = sorted(each.name for each in fields(RunSpec))
        for name in declared:
            check.one_of("argument", name, known, check.did_you_mean(name, known))
        if (train_flops is None) is ("budget_flops" in declared):
            remedy = "Both, or neither: then a step is the unit."
            raise argument_error("budget_flops", "be given with train_flops", declared.get("budget_flops"), remedy)
        self._metric, self._step, self._flops, self._mode = metric, step, train_flops, mode
        spec = RunSpec(**{"budget_flops": float(steps)} | declared)
        self._course = Course(spec=spec, policy=default_policy() if policy is None else policy)
        self._seen: dict[str, list[_Seen]] = {}
        self._off: set[str] = set()
        self._stopped: dict[str, Decision] = {}

    def decisions(self, trial_id: str) -> tuple[Decision, ...]:
        """Those on a trial until now, one a report that could be decided on."""
        return tuple(each.decision for each in self._seen.get(trial_id, ()))

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Whether the trial ends here."""
        if trial_id in self._off:
            return False
        try:
            decision = self._decided(trial_id, result)
        except (BreakevenError, TypeError, ValueError) as error:
            self._off.add(trial_id)
            warn(f"trial {trial_id} is watched no more, and trains on: {type(error).__name__}: {error}")
            return False
        if decision is None or not decision.stop:
            return False
        if trial_id not in self._stopped:
            self._stopped[trial_id] = decision
            what = "ends" if self._mode == "stop" else "may end"
            warn(f"trial {trial_id} {what} at step {decision.step}. {decision}")
        return self._mode == "stop"

    def stop_all(self) -> bool:
        """Never: the other trials go on."""
        return False

    def _decided(self, trial_id: str, result: Mapping[str, Any]) -> Decision | None:
        tally = self._tally(result)
        if tally is None:
            return None
        step = check.whole(self._step, _found(result, self._step), 0, "Name the result that counts steps: step=...")
        if self._flops is None and step > self._steps:
            raise argument_error(self._step, f"be at most steps, {self._steps}", step, "Say how long the full run is.")
        flops = float(step) if self._flops is None else _found(result, self._flops)
        check.finite(self._flops or self._step, flops)
        seen = self._seen.setdefault(trial_id, [])
        course = seen[-1].after if seen else self._course
        while seen and seen[-1].step >= step:  # it begins again from before
            course = seen.pop().before
        point = point_of(tally, step=step, train_flops=flops, evaluation_flops=None, query_flops=None)
        _, after, _, decision = decide_tallied(course, tally, point)
        seen.append(_Seen(step, course, after, decision))
        return decision

    def _tally(self, result: Mapping[str, Any]) -> Tally | None:
        right = _found(result, _RIGHT)
        if right is None:
            accuracy = None if self._metric is None else _found(result, self._metric)
            if accuracy is None or self._num_problems is None:
                return None
            check.share(str(self._metric), float(accuracy), "Divide percentages by 100.")
            return Tally.of_accuracy(float(accuracy), self._num_problems)
        samples, greedy = _found(result, _SAMPLES), _found(result, _GREEDY)
        right_P = _counts(_RIGHT, right)
        samples_P = np.full(len(right_P), samples) if isinstance(samples, int) else _counts(_SAMPLES, samples)
        if len(samples_P) != len(right_P):
            raise argument_error(_SAMPLES, f"be one number, or one of each of {len(right_P)} problems", len(samples_P))
        greedy_P = None if greedy is None else np.asarray(greedy, dtype=bool)
        if greedy_P is not None and len(greedy_P) != len(right_P):
            raise argument_error(_GREEDY, f"say whether it is right for each of {len(right_P)} problems", len(greedy_P))
        checker = self._course.spec.checker
        return Tally(correct_P=right_P, samples_P=samples_P, greedy_P=greedy_P, oracle=not checker)


def _counts(name: str, given: Any) -> Any:
    if isinstance(given, str) or not isinstance(given, Sequence | np.ndarray) or not len(given):
        raise argument_error(name, "be a list of whole numbers, one a problem", given)
    return np.array([check.whole(name, each) for each in given], dtype=np.int64)


def _found(result: Mapping[str, Any], name: str) -> Any:
    """A result by its name, or by the names that it is nested under; None where it was not reported."""
    if name in result:
        return result[name]
    here: Any = result
    for part in name.split("/"):
        here = here.get(part) if isinstance(here, Mapping) else None
    return here
