"""The one object a training loop talks to: `Session.observe` evaluates, decides, records and says so.

Measuring is `session/live`, deciding `session/step`, recording `session/kept`; `Session.record` takes what was measured
elsewhere. Any loop and any model: it knows a sampler, a verifier, problems and a cost model. Imports no torch.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal, Self

from breakeven import check
from breakeven.cost.tokens import ModelCost
from breakeven.errors import argument_error
from breakeven.records import (
    Action,
    CheckpointRecord,
    Decision,
    Failure,
    Observation,
    Problem,
    Reason,
    RunSpec,
    SampleBank,
    Steering,
    StopTest,
    Verification,
)
from breakeven.records.agree import answers_from
from breakeven.records.protocols import Answers, ProbabilitySampler, RewardModel, Sampler, Verifier
from breakeven.session.checks import check_bank, check_counts, check_parts, check_problems, check_settings, check_tokens
from breakeven.session.failing import diverged, is_usage_error, raised_by
from breakeven.session.kept import Kept
from breakeven.session.live import Elsewhere, live_source, measuring, observation_of
from breakeven.session.passes import Passes
from breakeven.session.recording import open_log
from breakeven.session.resume import check_order, check_same_run, fingerprint_of
from breakeven.session.searching import Search
from breakeven.session.steering import in_force, take_up
from breakeven.session.step import conclude, measured_of, see, take_step, too_dear
from breakeven.session.timing import TrainingClock, pace_words, too_slow
from breakeven.session.verify import shadow_of
from breakeven.session.voice import say, warn
from breakeven.session.witnesses import as_recorded, with_witnesses
from breakeven.stopping.course import Course, Policy
from breakeven.stopping.decide import default_policy
from breakeven.store import LOG_NAME, RunLog

Mode = Literal["stop", "advise", "shadow"]
MODES: Final[tuple[Mode, ...]] = ("stop", "advise", "shadow")


class Session:
    """Evaluates a model while it trains, decides whether it may stop, and records both.

    Args:
        sampler: draws completions from the live model. Where it has a `model`, evaluations are held to leave it alone.
            None, and no verifier: all is measured elsewhere, for `record`.
        verifier: says which are right.
        problems: validation problems, the same at every checkpoint.
        cost: FLOPs per token of the model.
        sequence_tokens: tokens of one training sequence, for the attention FLOPs of training.
        spec: the full budget and the baseline to match.
        like: earlier runs of the same task, by directory or log, whose learning curves are taken to be like this
            one's. What is read of them is recorded; a resumed run needs their names alone.
        policy: the stop rule; None: the calibrated rule.
        num_samples: N, samples per problem: the most, where the policy draws them as it needs them. Of a
            classifier 0: the plain pass alone.
        temperature: of the N samples, above 0.
        evaluate_every: steps between evaluations; `observe` may be called at every step.
        seed: every sample is a function of (seed, step, problem, its number).
        answers: what the answer of a completion is and which agree, for tasks whose answers are voted on at serving
            time; a function from a completion to its answer, or None, compares them as text.
        extract: the same as a function, by its earlier name.
        reward_model: scores the samples, for strategies that choose by reward at serving time.
        reward_cost: FLOPs per token of the reward model, charged to evaluation and to every query that it serves.
        search: strategies that search. They are run where a projection can be trusted, once an evaluation, and charged.
        averaged: a context manager within which the sampler's model has averaged weights in place of the raw ones: they
            are measured beside these, on the same problems with the same seeds, charged and recorded.
        log: where checkpoints are recorded: a run directory, or an open log. Without one the decisions live as long as
            the session.
        resume: whether a run that `log` holds already is gone on with: a step in it is neither evaluated nor decided
            again. A directory that holds a run is refused otherwise.
        mode: "stop"; or to look on: "advise" records and says the same, but the decisions that `observe` returns never
            stop; "shadow" also measures the serving point of the stop on test problems, and at the end of the budget
            the fully trained model (`verification`).
        test_problems: for mode "shadow": disjoint from training and from `problems`.
        test_samples: samples of each of them, raised to K where that is larger; of a classifier as many as N.
        max_failures: evaluations in a row that may fail before the exception is raised. Until then it is recorded and
            said, and the decision is to go on.
        keep_texts: whether RUN/texts.jsonl keeps what the model wrote at each checkpoint, up to 1 MiB compressed each.
        quiet: whether nothing is said of an evaluation; warnings are.

    Raises:
        ArgumentError: a part of another shape than asked for, a value out of its range, a K to be measured above
            `num_samples`, or anything other than what the log was begun with.
    """

    def __init__(
        self,
        *,
        sampler: Sampler | None = None,
        verifier: Verifier | None = None,
        problems: Sequence[Problem],
        cost: ModelCost,
        sequence_tokens: int,
        spec: RunSpec,
        like: Sequence[str | Path | RunLog] = (),
        policy: Policy | None = None,
        num_samples: int = 16,
        temperature: float = 0.8,
        evaluate_every: int = 1,
        seed: int = 0,
        answers: Answers | Callable[[str], str | None] | None = None,
        extract: Callable[[str], str | None] | None = None,
        reward_model: RewardModel | None = None,
        reward_cost: ModelCost | None = None,
        search: Search | None = None,
        averaged: Callable[[], AbstractContextManager[None]] | None = None,
        log: RunLog | str | Path | None = None,
        resume: bool = False,
        mode: Mode = "stop",
        test_problems: Sequence[Problem] = (),
        test_samples: int = 32,
        max_failures: int = 3,
        keep_texts: bool = True,
        quiet: bool = False,
    ) -> None:
        if sampler is None and verifier is None and mode != "shadow":
            sampler = verifier = Elsewhere()
        check_parts(sampler=sampler, verifier=verifier, problems=problems, reward_model=reward_model)
        assert sampler is not None, "which has no method"
        assert verifier is not None, "which has no method"
        is_classifier = isinstance(sampler, ProbabilitySampler)
        check_counts(0 if is_classifier else 1, num_samples=num_samples)
        check_counts(1, sequence_tokens=sequence_tokens, evaluate_every=evaluate_every)
        check_counts(1, test_samples=test_samples, max_failures=max_failures)
        check_settings(temperature=temperature, seed=seed, mode=mode, modes=MODES)
        if reward_model is not None and reward_cost is None:
            raise argument_error("reward_cost", "be given with reward_model", None, "Every FLOP is charged.")
        if answers is not None and extract is not None:
            raise argument_error("extract", "be left out where answers are given", extract)
        if mode == "shadow":
            check_problems("test_problems", test_problems)
        self.sampler, self.verifier, self.problems = sampler, verifier, tuple(problems)
        self.answers = answers_from(extract if answers is None else answers)
        self.reward_model, self.reward_cost, self.search = reward_model, reward_cost, search
        self.averaged = averaged
        self.cost, self.sequence_tokens = cost, sequence_tokens
        self.spec = spec
        if not isinstance(log, RunLog) and not (resume and log is not None and (Path(log) / LOG_NAME).exists()):
            self.spec = with_witnesses(spec, like, problems=problems, cost=cost, sequence_tokens=sequence_tokens)
        self.policy = default_policy() if policy is None else policy
        self.policy.check(num_samples)
        self.num_samples, self.temperature = num_samples, temperature
        self.evaluate_every, self.seed = evaluate_every, seed
        self.mode = mode
        self.max_failures, self.quiet = max_failures, quiet
        self.evaluation_seconds = 0.0
        """Wall time this process spent in evaluations; recorded only where the spec asks for times."""
        self.verification_seconds = 0.0
        """The same of the test of a stop, in mode "shadow"."""
        self.rollout_flops = 0.0
        """What was spent to train besides the batches, as of the last step observed; part of `train_flops`."""
        self.clock = TrainingClock()
        """Of training; it runs from here, or from where whoever made the session sets it."""
        self._owned = ExitStack()
        if isinstance(log, str | Path):
            log = self._owned.enter_context(open_log(log, spec=self.spec, policy=self.policy, seed=seed, resume=resume))
        self.log = log
        self.parent = None if log is None else log.header.parent
        """Of a cooldown: where it branched off. All is drawn of it, with the seeds of there, and counted from there."""
        self._kept = Kept(log, texts=keep_texts and not is_classifier)
        self.passes = Passes.of(self, problems) if is_classifier else None
        self.checkpoints, self.failures = self._kept.checkpoints, self._kept.failures
        try:
            self._shadow = shadow_of(self, test_problems, test_samples) if mode == "shadow" else None
            self._begin(like)
        except BaseException:
            self.close()
            raise
        self._kept.ship(temperature)
        self._course = self._kept.course(
            self.spec, self.policy, num_problems=len(self.problems), num_samples=num_samples
        )
        self.clock.set(self._course.points[-1].train_seconds or 0.0 if self.checkpoints else 0.0)
        self._last: tuple[int, int] | None = None
        self._failed_in_a_row = 0
        self._warned = set[str]()

    def _begin(self, like: Sequence[str | Path | RunLog]) -> None:
        """Be the recorded run, or leave in the log what makes this one known."""
        if self.log is None:
            return
        self.spec = as_recorded(self.spec, like, self.log)
        fingerprint = fingerprint_of(self)
        check_same_run(self, self.log, fingerprint)
        if self.log.fingerprint != fingerprint:  # none yet, or nothing was measured under another
            self.log.append(fingerprint)

    def close(self) -> None:
        """Release the run directory, where the session opened it itself."""
        self._owned.close()

    def __enter__(self) -> Self:
        """The session itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def stopped_at(self) -> CheckpointRecord | None:
        """The first checkpoint at which the decision was to stop, whatever the mode; under the budget declared last."""
        return self._kept.stopped_at

    @property
    def searched(self) -> Observation | None:
        """The last observation with strategies that search."""
        return self._kept.searched

    @property
    def course(self) -> Course:
        """Of the checkpoints so far."""
        return self._course

    @property
    def steered(self) -> Steering | None:
        """The stop or the veto from outside that is in force, by `breakeven stop` or `breakeven veto`."""
        return in_force(self.log)

    @property
    def ends_at(self) -> int | None:
        """The step at which the loop is to end: of a stop by hand, or in mode "stop" of the policy's, unless vetoed."""
        steered = self.steered
        if steered is not None:
            return steered.step if steered.action == "stop" else None
        return self.stopped_at.observation.step if self.mode == "stop" and self.stopped_at is not None else None

    def take_up(self, step: int) -> Steering | None:
        """What was asked from outside since the last call, recorded and said; `observe` calls it at every step."""
        if self.log is None or (taken := take_up(self.log, step)) is None:
            return None
        words = {"stop": "a stop by hand", "veto": "a veto of the policy's stops", "withdraw": "a withdrawal"}
        warn(f"step {step}: {words[taken.action]} was taken up{f': {taken.reason}' if taken.reason else '.'}")
        return taken

    def is_due(self, step: int, train_tokens: int) -> bool:
        """Whether an evaluation is due: every `evaluate_every` steps, and where the budget is spent."""
        begun = 0 if self.parent is None else self.parent.step
        at_times = step >= begun and (step - begun) % self.evaluate_every == 0
        return at_times or self.spec.is_spent(self.train_flops(train_tokens))

    def will_evaluate(self, step: int, train_tokens: int) -> bool:
        """Whether `observe` evaluates: where it is due, has not failed before, and is within the policy's share."""
        due = self.is_due(step, train_tokens) and step not in self.failures and not self._is_past(train_tokens)
        place = self._kept.place(step)
        if not due or too_slow(self._course, place, self.clock.seconds):
            return False
        return not too_dear(self._course, place, self.train_flops(train_tokens))

    def observe(
        self,
        *,
        step: int,
        train_tokens: int,
        rollout_flops: float = 0.0,
        loss: float | None = None,
        learning_rate: float | None = None,
    ) -> Decision:
        """The decision at `step`; evaluates the live model if an evaluation is due.

        Args:
            step: optimizer steps done, increasing from call to call; once a step, not at every micro-batch.
            train_tokens: tokens trained on so far. Past the budget it counts as spent: nothing more is evaluated.
            rollout_flops: spent so far besides, on samples that the run draws to be trained on and on reference models:
                they count as training's.
            loss: training loss of this step, recorded for display.
            learning_rate: of this step, likewise.

        Returns:
            A Decision. Between evaluations it is CONTINUE with reason NOT_DUE; where one would exceed the policy's
            share for evaluations, EVALUATED_ENOUGH; past the budget, BUDGET_SPENT; where it failed, EVALUATION_FAILED.
            At a step that the log already holds it is the recorded one. In modes "advise" and "shadow", or under a
            veto from outside, a recorded stop is returned as CONTINUE. After a stop by hand, in every mode, it is STOP
            with reason BY_HAND.

        Raises:
            DivergedError: the loss is NaN or infinite. What was recorded stays.
            ArgumentError: steps or tokens that do not continue those observed before; or something of a wrong type that
                sampler, verifier or reward model returned.
            RunStorageError: the log could not be written.
            Exception: whatever sampler, verifier or reward model raised, `max_failures` times in a row.
        """
        check.finite("rollout_flops", rollout_flops)
        self.rollout_flops = rollout_flops
        taken = self.take_up(step)
        if self._is_stopped_by_hand(step):
            return self._by_hand(step, train_tokens)
        evaluates = self.will_evaluate(step, train_tokens)
        if (known := self._enter(step, train_tokens, loss, new=evaluates)) is not None:
            return known
        if not evaluates:
            if taken is not None and self.ends_at is not None and self.stopped_at is not None:
                return self.stopped_at.decision  # a veto was withdrawn, and the policy's stop holds again
            reason = Reason.EVALUATED_ENOUGH if self.is_due(step, train_tokens) else Reason.NOT_DUE
            return self._going_on(step, train_tokens, Reason.EVALUATION_FAILED if step in self.failures else reason)
        source = live_source(self, self._course, step, train_tokens, loss, learning_rate)
        try:
            self._look_ahead(step)
            with measuring(self, step):
                draws_all = self.parent is not None and self.num_samples > 0  # not of plain passes alone
                at_once = (len(self.problems), self.num_samples) if draws_all else None
                course, _, decision = take_step(self._course, source, at_once=at_once)
                samples = source.collector.samples
                self._kept.keep_texts(step, samples.greedy_texts_P, samples.texts_PN)
                if self.passes is not None:
                    self.passes.keep(step, samples)
                self._keep(CheckpointRecord(observation=source.observation, decision=decision), course)
        except Exception as error:
            return self._failed(step, train_tokens, error)
        self._failed_in_a_row = 0
        return self._told(decision, train_tokens)

    def record(
        self,
        step: int,
        train_tokens: int,
        bank: SampleBank,
        *,
        rollout_flops: float = 0.0,
        loss: float | None = None,
        learning_rate: float | None = None,
        seconds: float | None = None,
    ) -> Decision:
        """The decision at `step` on a bank that was measured elsewhere: by another process, or the trainer itself.

        It is charged like one drawn here, and recorded whether an evaluation was due or not.

        Args:
            step: as of `observe`.
            train_tokens: likewise.
            bank: samples of the session's problems, in their order and at its temperature.
            rollout_flops: as of `observe`.
            loss: training loss of this step, recorded for display.
            learning_rate: of this step, likewise.
            seconds: wall time that measuring the bank took, likewise.

        Returns:
            As of `observe`.

        Raises:
            ArgumentError: as of `observe`; or a bank of other problems or another temperature, or with fewer samples
                than the policy needs.
            DivergedError, RunStorageError: as of `observe`.
        """
        check_bank(bank, num_problems=len(self.problems), temperature=self.temperature)
        self.policy.check(bank.num_samples)
        check.finite("rollout_flops", rollout_flops)
        self.rollout_flops = rollout_flops
        self.take_up(step)
        if self._is_stopped_by_hand(step):
            return self._by_hand(step, train_tokens)
        if (known := self._enter(step, train_tokens, loss, new=True)) is not None:
            return known
        timed: dict[str, Any] = {"train_seconds": self.clock.seconds, "evaluation_seconds": seconds}
        observation, price = observation_of(
            bank,
            cost=self.cost,
            reward_cost=self.reward_cost,
            step=step,
            train_tokens=train_tokens,
            train_flops=self.train_flops(train_tokens),
            rollout_flops=self.rollout_flops or None,
            loss=loss,
            shown={"learning_rate": learning_rate, "seconds": seconds},
            **(timed if self.spec.is_timed else {}),
        )
        course, _, decision = conclude(self._course, see(self._course, measured_of(observation, price)))
        self._keep(CheckpointRecord(observation=observation, decision=decision), course)
        return self._told(decision, train_tokens)

    def _enter(self, step: int, train_tokens: int, loss: float | None, *, new: bool) -> Decision | None:
        """What is known before anything is measured: recorded, or past the budget. `new`: a checkpoint will be kept."""
        if loss is not None and not math.isfinite(loss):
            raise diverged(step, loss)
        check.finite("train_tokens", train_tokens)
        place, recorded = self._kept.place(step), self._kept.holds(step)
        if new and not recorded and place < len(self.checkpoints):
            raise argument_error("step", f"be above {self.checkpoints[-1].observation.step}, the last observed", step)
        check_order(self.checkpoints, place, step, train_tokens)
        check_tokens(step, train_tokens, self.sequence_tokens, self._last)
        self._last = step, train_tokens
        if recorded:
            self.clock.set(self.checkpoints[place].observation.train_seconds or 0.0)
            self._look_on(step, train_tokens)
            return self._returned(self.checkpoints[place].decision)
        if not self._is_past(train_tokens):
            return None
        self.warn_once(
            "past",
            f"training passed spec.budget_flops, {self.spec.budget_flops:.6g} FLOPs, at step {step}: {train_tokens} "
            "tokens. It counts as spent, and nothing more is evaluated. If it was no estimate, declare the full run's.",
        )
        self._look_on(step, train_tokens)
        return self._going_on(step, train_tokens, Reason.BUDGET_SPENT)

    def _keep(self, checkpoint: CheckpointRecord, course: Course) -> None:
        self._kept.keep(checkpoint)
        self._course = course
        if len(course.points) == 1 and (pace := pace_words(self.spec, course.points[0], self.evaluate_every)):
            words, is_too_much = pace
            if is_too_much:
                warn(words)
            elif not self.quiet:
                say(words)
        self._kept.ship(self.temperature)

    def _told(self, decision: Decision, train_tokens: int) -> Decision:
        """Say a new decision, and return it as the loop is told."""
        if not self.quiet:
            say(str(decision))
        self._look_on(decision.step, train_tokens)
        return self._returned(decision)

    def warn_once(self, what: str, line: str) -> None:
        """Warn of `what`, the first time."""
        if what not in self._warned:
            self._warned.add(what)
            warn(line)

    def measure_stop(self, sampler: Sampler | None = None, *, search: Search | None = None) -> StopTest | None:
        """In mode "shadow": the serving point of the decided stop on the test problems, measured once and recorded.

        Done by `observe` where the stop is decided. A run that is gone on with past its stop has to hand over a
        `sampler`, and if need be a `search`, of the model that was stopped. None where no stop was decided.
        """
        if self._shadow is None or self.stopped_at is None:
            return None
        search = self.search if sampler is None else search
        before = self.steps_before(self.stopped_at.observation.step)
        return self._shadow.measure(self.stopped_at, sampler or self.sampler, before=before, search=search)

    def verify(self) -> Verification | None:
        """In mode "shadow": the stop held against the live model, taken as fully trained; measured once and recorded.

        Done by `observe` where the budget is spent. None where no stop was decided, or it was not measured.
        """
        if self._shadow is None or self.stopped_at is None:
            return None
        return self._shadow.verify(self.stopped_at, self.sampler)

    @property
    def verification(self) -> Verification | None:
        """In mode "shadow", once the budget is spent: the stop held against the fully trained model."""
        if self._shadow is not None:
            return self._shadow.verification
        return None if self.log is None else self.log.verification

    def steps_before(self, step: int) -> list[int]:
        """Of the checkpoints before `step`."""
        return [each.observation.step for each in self.checkpoints[: self._kept.place(step)]]

    def _look_ahead(self, step: int) -> None:
        """What verifying a stop at this step or a later one needs of the model now."""
        if self._shadow is not None and self.stopped_at is None:
            started = time.perf_counter()
            self._shadow.look_ahead(step, self.sampler)
            self.verification_seconds += (took := time.perf_counter() - started)
            self.clock.leave_out(took)

    def _look_on(self, step: int, train_tokens: int) -> None:
        started = time.perf_counter()
        if self.stopped_at is not None and self.stopped_at.observation.step == step:
            self.measure_stop()
        if self.spec.is_spent(self.train_flops(train_tokens)):
            self.verify()
        self.verification_seconds += (took := time.perf_counter() - started)
        self.clock.leave_out(took)

    def _failed(self, step: int, train_tokens: int, error: Exception) -> Decision:
        first = not self.checkpoints and not self.failures
        if is_usage_error(error, first=first):
            raise error
        what = f"{type(error).__name__}: {error}"
        failure = Failure(step=step, train_tokens=train_tokens, raised_by=raised_by(error), error=what)
        self._kept.fail(failure)
        self._failed_in_a_row += 1
        warn(f"the evaluation at step {step} failed, and training goes on: the {failure.raised_by} raised {what}")
        if self._failed_in_a_row >= self.max_failures:
            if self._failed_in_a_row > 1:
                error.add_note(f"{self._failed_in_a_row} evaluations in a row failed (max_failures); all is recorded.")
            raise error
        return self._going_on(step, train_tokens, Reason.EVALUATION_FAILED)

    def _going_on(self, step: int, train_tokens: int, reason: Reason) -> Decision:
        used = self.train_flops(train_tokens) / self.spec.budget_flops
        return Decision(action=Action.CONTINUE, reason=reason, step=step, used=used, policy=self.policy.name)

    def _is_stopped_by_hand(self, step: int) -> bool:
        steered = self.steered
        return steered is not None and steered.action == "stop" and step >= steered.step

    def _by_hand(self, step: int, train_tokens: int) -> Decision:
        return replace(self._going_on(step, train_tokens, Reason.BY_HAND), action=Action.STOP)

    def _returned(self, decision: Decision) -> Decision:
        """What the loop is told: where one only looks on, never to stop."""
        told = self.mode == "stop" and self.steered is None
        return decision if told or not decision.stop else replace(decision, action=Action.CONTINUE)

    def stopwatch(self) -> Callable[[], dict[str, float]]:
        """Tells the wall times of an evaluation that begins now, where the spec asks for them."""
        if not self.spec.is_timed:
            return dict
        trained, started = self.clock.seconds, time.perf_counter()
        return lambda: {"train_seconds": trained, "evaluation_seconds": time.perf_counter() - started}

    def _is_past(self, train_tokens: int) -> bool:
        """Whether so much training is more than the budget, which is then an estimate."""
        return self.train_flops(train_tokens) > self.spec.budget_flops * (1 + 1e-9)

    def train_flops(self, train_tokens: int) -> float:
        """FLOPs of training on so many tokens, with the `rollout_flops` until now."""
        return self.cost.train_flops(train_tokens / self.sequence_tokens, self.sequence_tokens) + self.rollout_flops
