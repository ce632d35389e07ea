"""A run of somebody else's loop, watched by a `Session` that is made once a few steps have shown what a step is.

The budget is an estimate: tokens a row until then, times the rows of the run. Nothing that goes wrong here later than
at the start ends the run: evaluation is then switched off, with one warning.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from breakeven.adapters.asked import Asked
from breakeven.adapters.cooling import Cooling, begin, finish
from breakeven.cost.tokens import ModelCost
from breakeven.errors import LostProcessError, argument_error
from breakeven.records import BudgetChange, Decision, RunSpec, SampleBank
from breakeven.records.protocols import Sampler
from breakeven.session.recording import start_log
from breakeven.session.resume import charged_as_begun
from breakeven.session.session import Mode, Session
from breakeven.session.timing import TrainingClock
from breakeven.session.voice import warn
from breakeven.stopping.course import Policy
from breakeven.stopping.decide import default_policy
from breakeven.store import LOG_NAME, RunLog

_DRIFT = 0.1
"""Share of the budget by which what a run draws to train on may change it, before it is declared anew."""


@dataclass(slots=True, kw_only=True, eq=False)
class Watch:
    """One run, in the process that decides on it.

    Args:
        asked: problems and how they are graded.
        sampler: of the live model; None where each step observed comes with its bank.
        cost: FLOPs per token of the model.
        steps: optimizer steps of the full run.
        step_rows: rows of a step over all processes, mean over an epoch; None: as measured at the first steps, which an
            epoch's short last batch is not among.
        directory: of the run log.
        mode: as of `Session`.
        policy: the stop rule; None: the calibrated one.
        session_settings: what else a `Session` takes: num_samples, temperature, seed.
        declared: what else a `RunSpec` takes: decay_share, queries and so on.
        config: of the loop, for people to read.
    """

    asked: Asked
    sampler: Sampler | None
    cost: ModelCost
    steps: int
    step_rows: float | None
    directory: Path
    mode: Mode
    policy: Policy | None
    session_settings: dict[str, Any]
    declared: dict[str, Any]
    config: dict[str, Any]
    session: Session | None = None
    """From the first evaluation on; None before."""
    _log: RunLog | None = None
    _started_at: int = 0
    _tokens_before: float | None = 0.0
    """Tokens of the steps before this process; None: not known yet."""
    _rollouts_before: float = 0.0
    """FLOPs of their samples and reference models."""
    _is_off: bool = False
    _has_advised: bool = False
    _clock: TrainingClock = field(default_factory=TrainingClock)

    def begin(self, step: int, *, resume: bool = False) -> None:
        """Before the first step of this process, which is the one after `step`.

        Args:
            step: where the model stands.
            resume: whether a run that the directory holds is gone on with from step 0 too.

        Raises:
            ArgumentError: the directory holds a run and this one begins anew; or anything that `Session` refuses.
        """
        self._session(None, RunSpec(budget_flops=1.0, **self.declared), 1)  # refused before anything is trained
        self._started_at, self._clock = step, TrainingClock()
        if not (self.directory / LOG_NAME).exists():
            self._tokens_before = None if step else 0.0
            return
        if not step and not resume:
            remedy = "Go on with that run from its last checkpoint, or name another by log=DIR."
            raise argument_error("log", "be a new run directory where training begins anew", self.directory, remedy)
        self._log = RunLog.open(self.directory)
        try:
            self._go_on(self._log, step)
        except BaseException:
            self._log.close()
            raise

    def observe(
        self,
        *,
        step: int,
        tokens: int,
        sequences: int,
        rows: int,
        rollout_flops: float = 0.0,
        loss: Any = None,
        learning_rate: float | None = None,
        bank: Callable[[], SampleBank] | None = None,
        seconds: float = 0.0,
    ) -> Decision | None:
        """The decision at `step`; None where evaluation is switched off, or at the end past the budget.

        Args:
            step: optimizer steps done, at which an evaluation is wanted.
            tokens: trained on since `begin`, over all processes.
            sequences: that they were in.
            rows: of batches, that these were in.
            rollout_flops: spent since `begin` on samples to train on and on reference models, over all processes.
            loss: of this step or one before, for display; a number or a tensor.
            learning_rate: of this step, likewise.
            bank: makes that of this step, where it was measured elsewhere.
            seconds: wall time that this took.
        """
        if self._is_off:
            return None
        try:
            if self.session is None:
                self._start(step, tokens, sequences, rows, rollout_flops)
            assert self.session is not None, "just made"
            train_tokens = self._train_tokens(step, tokens, rollout_flops)
            self.session.rollout_flops = self._rollouts_before + rollout_flops
            if rollout_flops and step < self.steps:
                self._declare_anew(self.session, step, train_tokens)
            if step >= self.steps and self.session.train_flops(train_tokens) > self.session.spec.budget_flops:
                return None  # the estimate was a little low, and there is nothing left to decide
            known: dict[str, Any] = {
                "rollout_flops": self.session.rollout_flops,
                "loss": None if loss is None else float(loss),
                "learning_rate": learning_rate,
            }
            if bank is None:
                decision = self.session.observe(step=step, train_tokens=train_tokens, **known)
            else:
                self.session.evaluation_seconds += seconds
                self.session.clock.leave_out(seconds)
                decision = self.session.record(step, train_tokens, bank(), seconds=seconds, **known)
        except Exception as error:
            self._switch_off(error)
            return None
        stopped = self.session.stopped_at
        if stopped is not None and self.mode != "stop" and not self._has_advised and not self.session.quiet:
            self._has_advised = True
            warn(f"training may stop at step {stopped.observation.step}. {stopped.decision}")
        return decision

    def cool_down(self, share: float, step: int) -> tuple[Cooling | None, bool]:
        """The cooldown that the decided stop begins, or that this run is in; and whether there is nothing more to do.

        A run that is gone on with from before its stop trains up to it again.

        Args:
            share: steps of the cooldown, as a share of those up to the stop.
            step: where the model stands.
        """
        stop = None if self.session is None or self._is_off else self.session.stopped_at
        if self.session is None or stop is None:
            return None, True
        if step < stop.observation.step:
            return None, self.session.steered is not None
        try:
            cooling = begin(self.session, share, step=step, last_step=self.steps, settings=self._settings())
        except Exception as error:
            self._switch_off(error)
            return None, True
        return cooling, cooling is None

    def cooled(self, *, step: int, tokens: int, rollout_flops: float, loss: Any = None, **_: int) -> None:
        """Measure and weigh the model at the end of a cooldown; arguments as of `observe`."""
        if self._is_off or self.session is None:
            return
        try:
            train_tokens = self._train_tokens(step, tokens, rollout_flops)
            self.session.rollout_flops = self._rollouts_before + rollout_flops
            loss = None if loss is None else float(loss)
            finish(self.session, step=step, train_tokens=train_tokens, loss=loss, settings=self._settings())
        except Exception as error:
            self._switch_off(error)

    @property
    def stops(self) -> bool:
        """Whether training is to end, now or since before this process."""
        return self.session is not None and self.session.ends_at is not None

    def steered(self, step: int) -> bool:
        """Whether training is to end at `step`, between evaluations, as asked from outside: one look at the disk."""
        if self._is_off or self.session is None:
            return False
        try:
            return self.session.take_up(step) is not None and self.stops
        except Exception as error:
            self._switch_off(error)
            return False

    def end(self, *, complete: bool) -> None:
        """After the last step; `complete`: of the full run. In mode "shadow" the decision is verified then."""
        try:
            if complete and self.mode == "shadow" and self.session is not None and not self._is_off:
                self._verify(self.session)
        except Exception as error:
            self._switch_off(error)
        finally:
            self.close()

    def close(self) -> None:
        """Release the run directory."""
        if self._log is not None:
            self._log.close()

    def _start(self, step: int, tokens: int, sequences: int, rows: int, rollout_flops: float) -> None:
        if not tokens or not sequences:
            remedy = "The model is given its batches in training mode, one row a sequence or an example."
            raise argument_error("train_tokens", "be counted at the model's batches", tokens, remedy)
        step_tokens = tokens / rows * (self.step_rows or rows / (step - self._started_at))
        step_rollouts = rollout_flops * step_tokens / tokens
        if self._tokens_before is None:  # gone on with from before it was watched
            self._tokens_before, self._rollouts_before = (
                each * self._started_at for each in (step_tokens, step_rollouts)
            )
        sequence_tokens = max(1, round(tokens / sequences))
        budget_flops = self.cost.train_flops(step_tokens * self.steps / sequence_tokens, sequence_tokens)
        budget_flops += step_rollouts * self.steps
        spec = RunSpec(budget_flops=budget_flops, **self.declared)
        measured = {"steps": self.steps} | ({"step_rollout_flops": step_rollouts} if step_rollouts else {})
        self._log = start_log(
            self.directory,
            spec=spec,
            policy=self.policy,
            seed=self.session_settings["seed"],
            config=self.config | measured,
        )
        self.session = self._session(self._log, spec, sequence_tokens)
        self.session.clock.set(self._clock.seconds)

    def _go_on(self, log: RunLog, step: int) -> None:
        """The recorded run, from `step` on; of other steps in all, under another budget."""
        if log.fingerprint is None:
            remedy = "Nothing was measured in it: delete it."
            raise argument_error("log", "hold a run that was begun", self.directory, remedy)
        spec, config = log.spec, log.budget_changes[-1].config if log.budget_changes else log.header.config
        before = [each.observation for each in log.checkpoints if each.observation.step <= step]
        sequence_tokens = int(log.fingerprint.parts["sequence_tokens"])
        steps, step_rollouts = config.get("steps", self.steps), config.get("step_rollout_flops", 0.0)
        self.cost = charged_as_begun(self.cost, log.fingerprint)
        token_flops = self.cost.train_flops(1 / sequence_tokens, sequence_tokens)
        step_tokens = (spec.budget_flops - step_rollouts * steps) / token_flops / steps
        last = before[-1] if before else None
        since = step - (0 if last is None else last.step)
        self._tokens_before = (0 if last is None else last.train_tokens) + step_tokens * since
        self._rollouts_before = (0.0 if last is None else last.rollout_flops or 0.0) + step_rollouts * since
        if config.get("steps", self.steps) != self.steps:
            spec = replace(spec, budget_flops=spec.budget_flops * self.steps / config["steps"])
            log.append(BudgetChange(step=step, spec=spec, config=config | {"steps": self.steps}))
        self.session = self._session(log, spec, sequence_tokens)
        self.session.rollout_flops = self._rollouts_before

    def _declare_anew(self, session: Session, step: int, train_tokens: int) -> None:
        """Samples grow or shrink as a model learns, and with them what the rest of the run will take."""
        log, spent, last = self._log, session.train_flops(train_tokens), (0, 0.0)
        assert log is not None, "there is a session"
        if session.checkpoints:
            observed = session.checkpoints[-1].observation
            last = observed.step, observed.train_flops
        if step <= last[0] or session.stopped_at is not None:
            return
        whole = spent + (spent - last[1]) / (step - last[0]) * (self.steps - step)
        if abs(whole / session.spec.budget_flops - 1.0) < _DRIFT and spent < session.spec.budget_flops:
            return
        spec = replace(session.spec, budget_flops=whole)
        share = session.rollout_flops / spent
        config = log.budget_changes[-1].config if log.budget_changes else log.header.config
        config = config | {"step_rollout_flops": share * whole / self.steps}
        log.append(BudgetChange(step=step - 1, spec=spec, config=config))
        self.session = self._session(log, spec, session.sequence_tokens)
        self.session.clock, self.session.rollout_flops = session.clock, session.rollout_flops
        self.session.evaluation_seconds = session.evaluation_seconds

    def _session(self, log: RunLog | None, spec: RunSpec, sequence_tokens: int) -> Session:
        return Session(**self._parts(spec, sequence_tokens), log=log, mode=self.mode, **self.session_settings)

    def _settings(self) -> dict[str, Any]:
        """Of the session of a cooldown, which keeps no average."""
        assert self.session is not None, "which has stopped"
        own = {name: each for name, each in self.session_settings.items() if name != "averaged"}
        return self._parts(self.session.spec, self.session.sequence_tokens) | own

    def _parts(self, spec: RunSpec, sequence_tokens: int) -> dict[str, Any]:
        return {
            "sampler": self.sampler,
            "verifier": None if self.sampler is None else self.asked.verifier,
            "answers": self.asked.answers,
            "problems": self.asked.problems,
            "test_problems": self.asked.test_problems,
            "cost": self.cost,
            "sequence_tokens": sequence_tokens,
            "spec": spec,
            "policy": default_policy() if self.policy is None else self.policy,
        }

    def _train_tokens(self, step: int, tokens: int, rollout_flops: float) -> int:
        """Of all steps; at one that is recorded already as it was counted then, which later ones count on from."""
        assert self._log is not None, "there is a session"
        assert self._tokens_before is not None, "it was measured"
        if (recorded := self._log.find(step)) is not None:
            self._tokens_before = recorded.observation.train_tokens - tokens
            self._rollouts_before = (recorded.observation.rollout_flops or 0.0) - rollout_flops
        return round(self._tokens_before) + tokens

    def _verify(self, session: Session) -> None:
        found = session.verify()
        if session.quiet:
            return
        if session.stopped_at is None:
            warn("no stop was advised in this run.")
        elif found is not None:
            warn(
                f"the stop at step {found.stopped_step} with K = {found.k} has test accuracy "
                f"{found.stopped_accuracy:.3f}, {found.difference:+.3f} (standard error "
                f"{found.difference_standard_error:.3f}) against the fully trained model; it would have saved "
                f"{found.net_saving:.0%} of the training FLOPs, evaluations charged."
            )

    def _switch_off(self, error: Exception) -> None:
        if isinstance(error, LostProcessError):  # nor can training go on
            raise error
        self._is_off = True
        what = f"{type(error).__name__}: {error}"
        warn(f"nothing more is evaluated, and training goes on: {what} What was recorded is in {self.directory}.")
