"""One run, several tasks: a session for each, and one decision on all of them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from breakeven.errors import argument_error
from breakeven.records import Decision, JointDecision, Problem, Reason, RunSpec
from breakeven.records.protocols import Answers, Sampler, Verifier
from breakeven.session.serving import serving_point
from breakeven.session.session import Session
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.joint import joint_decision
from breakeven.stopping.patience import Patience
from breakeven.store import write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A task that a run is watched on."""

    name: str
    """Names its decisions, and its folder of the run directory."""
    problems: Sequence[Problem]
    """Validation problems, the same at every checkpoint."""
    verifier: Verifier
    sampler: Sampler | None = None
    """None: the run's own."""
    answers: Answers | Callable[[str], str | None] | None = None
    """As of `Session`."""
    checker: bool = False
    """Whether its checker runs at serving time too."""
    target: float | None = None
    """Accuracy to be reached, where it is known."""
    min_accuracy: float = 0.0
    margin: float = 0.01
    """Accuracy that may be lost."""


class JointSession:
    """Evaluates a model on several tasks while it trains: it may stop where each keeps its margin, at the joint risk.

    Args:
        tasks: what is watched, by different names.
        sampler: draws completions from the live model.
        spec: the full budget and the baseline; `target`, `min_accuracy` and `checker` are each task's own.
        risk: share of runs in which any task may end below its margin.
        max_evaluation_share: evaluations of all tasks may cost at most this share of the training FLOPs so far.
        log: the run directory; each task is recorded in the folder of its name there, a run of its own to `replay` and
            `report`. What to serve at a joint stop is in its `serving.json`, by task; those of the tasks' own folders
            are of their own first stops.
        shared: anything else that a `Session` takes, the same for all tasks; the mode is always "stop" or "advise".

    Raises:
        ArgumentError: no task, two of one name, a name that is no name of a folder, or as of `Session`.
    """

    def __init__(
        self,
        *,
        tasks: Sequence[Watched],
        sampler: Sampler,
        spec: RunSpec,
        risk: float = 0.1,
        max_evaluation_share: float = 0.05,
        log: str | Path | None = None,
        **shared: Any,
    ) -> None:
        names = [each.name for each in tasks]
        if not names or len(set(names)) < len(names):
            raise argument_error("tasks", "be of different names, at least one", names)
        for name in names:
            if not name or Path(name).name != name or name in (".", ".."):
                raise argument_error("tasks", "have names that a folder may have", name)
        for taken in ("policy", "problems", "verifier", "answers", "like"):
            if taken in shared:
                remedy = "Use Session for one task." if taken == "policy" else "Give it with each task."
                raise argument_error(taken, "be left out of a JointSession", type(shared[taken]).__name__, remedy)
        if shared.get("mode", "stop") == "shadow":
            raise argument_error("mode", "be stop or advise", "shadow", "Use a Session for each task to verify them.")
        self.risk, self.mode = risk, shared.pop("mode", "stop")
        sessions: dict[str, Session] = {}
        try:
            for each in tasks:
                sessions[each.name] = Session(
                    sampler=sampler if each.sampler is None else each.sampler,
                    verifier=each.verifier,
                    problems=each.problems,
                    answers=each.answers,
                    spec=replace(spec, target=each.target, min_accuracy=each.min_accuracy, checker=each.checker),
                    policy=Patience(
                        CalibratedPolicy(
                            risk=risk, margin=each.margin, max_evaluation_share=max_evaluation_share / len(tasks)
                        ),
                        1,
                    ),
                    log=None if log is None else Path(log) / each.name,
                    **shared,
                )
        except BaseException:
            for session in sessions.values():
                session.close()
            raise
        self.sessions = MappingProxyType(sessions)
        self._directory = None if log is None else Path(log)

    def observe(self, *, step: int, train_tokens: int, loss: float | None = None) -> JointDecision:
        """The decision at `step`; evaluates the live model on every task if an evaluation is due.

        Args:
            step: as of `Session.observe`.
            train_tokens: tokens trained on so far.
            loss: training loss of this step.

        Returns:
            A JointDecision. In mode "advise" its `stop` is True only by hand (asked in the folder of any task), and the
            tasks' own decisions say what they say.

        Raises:
            Exception: as of `Session.observe`, of the first task that raises it.
        """
        decisions: dict[str, Decision] = {}
        for name, session in self.sessions.items():
            decisions[name] = session.observe(step=step, train_tokens=train_tokens, loss=loss)
        if any(each.reason is Reason.BY_HAND for each in decisions.values()):  # of one task's folder, and it is one run
            return replace(joint_decision(decisions, risk=self.risk), stop=True)
        decision = joint_decision(decisions, risk=self.risk)
        if decision.stop and self._directory is not None:
            points = {name: serving_point(each, self.sessions[name].temperature) for name, each in decisions.items()}
            note = (json.dumps(points, indent=2) + "\n").encode()
            write_whole(self._directory / "serving.json", note, remedy="Free space; the decisions are in the logs.")
        return replace(decision, stop=False) if self.mode == "advise" else decision

    def close(self) -> None:
        """Release the run directories."""
        for session in self.sessions.values():
            session.close()

    def __enter__(self) -> Self:
        """The session itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()
