"""RECORDING: what a run has decided and failed at, at hand and in its log, and the course that it makes."""

from bisect import bisect_left
from collections.abc import Sequence

from breakeven.records import CheckpointRecord, Failure, RunSpec
from breakeven.session.serving import serving_note
from breakeven.stopping.course import Course, Policy
from breakeven.store import RunLog, TextFile, write_whole
from breakeven.ttc.tally import learning_point


class Kept:
    """The checkpoints and failures of a run; with a `log`, on disk before they are at hand.

    Args:
        log: open, or None where they live as long as this object.
        texts: whether what the model wrote is kept beside the log.
    """

    def __init__(self, log: RunLog | None, *, texts: bool) -> None:
        self.log = log
        self.checkpoints: list[CheckpointRecord] = list(log.checkpoints) if log is not None else []
        self.failures: dict[int, Failure] = dict(log.failures) if log is not None else {}
        self._stops = [each for each in self.checkpoints if each.decision.stop]
        searched = [each.observation for each in self.checkpoints if each.observation.searches]
        self.searched = searched[-1] if searched else None
        """The last observation with strategies that search."""
        self._texts = TextFile(log.directory) if log is not None and texts else None

    @property
    def stopped_at(self) -> CheckpointRecord | None:
        """The first checkpoint at which the decision was to stop, under the budget declared last."""
        changes = self.log.budget_changes if self.log is not None else ()
        after = changes[-1].step if changes else -1
        return next((each for each in self._stops if each.observation.step > after), None)

    def place(self, step: int) -> int:
        """Where a checkpoint of `step` stands, or would stand."""
        return bisect_left(self.checkpoints, step, key=lambda each: each.observation.step)

    def holds(self, step: int) -> bool:
        """Whether there is a checkpoint of `step`."""
        place = self.place(step)
        return place < len(self.checkpoints) and self.checkpoints[place].observation.step == step

    def course(self, spec: RunSpec, policy: Policy, *, num_problems: int, num_samples: int) -> Course:
        """The course of all checkpoints."""
        course = Course(spec=spec, policy=policy, num_problems=num_problems, num_samples=num_samples)
        for each in self.checkpoints:
            course = course.then(learning_point(each.observation), each.decision)
        return course

    def keep_texts(self, step: int, greedy_texts_P: Sequence[str], texts_PN: Sequence[Sequence[str]]) -> None:
        """Leave beside the log what the model wrote, if that is wanted."""
        if self._texts is not None:
            self._texts.append(step, greedy_texts_P, texts_PN)

    def keep(self, checkpoint: CheckpointRecord) -> None:
        """One more checkpoint."""
        if self.log is not None:
            self.log.append(checkpoint)
        self.checkpoints.append(checkpoint)
        if checkpoint.decision.stop:
            self._stops.append(checkpoint)
        if checkpoint.observation.searches:
            self.searched = checkpoint.observation

    def fail(self, failure: Failure) -> None:
        """An evaluation that failed."""
        if self.log is not None:
            self.log.append(failure)
        self.failures[failure.step] = failure

    def ship(self, temperature: float) -> None:
        """Leave `serving.json` beside the log of a run whose stop is decided, also where a kill came between."""
        if self.log is None or (stopped := self.stopped_at) is None:
            return
        path, note = self.log.directory / "serving.json", serving_note(stopped.decision, temperature)
        if path.exists() and path.read_bytes() == note:
            return  # another one is of a stop under an earlier budget
        write_whole(path, note, remedy="The decision is in the log. Free space, then go on with the run.")
