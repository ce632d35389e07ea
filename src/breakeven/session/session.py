"""The one object a training loop talks to: `Session.observe` evaluates, decides and records.

Works with any loop and any model: it knows a sampler, a checker, problems and a cost model. Imports no torch.
"""

import math
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from breakeven.config import policy_from
from breakeven.cost.tokens import ModelCost
from breakeven.errors import DivergedError, argument_error
from breakeven.records import Action, CheckpointRecord, Decision, Problem, Reason, RunSpec
from breakeven.records.protocols import RewardModel, Sampler, Verifier
from breakeven.sampling.collect import Collector
from breakeven.session.live import LiveSource
from breakeven.session.searching import Search
from breakeven.session.step import search_price, take_step
from breakeven.stopping.course import Course, Policy
from breakeven.stopping.patience import policy_settings
from breakeven.store import RunLog
from breakeven.ttc.tally import learning_point

_SEARCH_SEED = 1 << 31
"""Searches are told apart from the samples of the same step."""


class Session:
    """Evaluates a model while it trains, decides whether it may stop, and records both.

    Args:
        sampler: draws completions from the live model.
        verifier: says which are right.
        problems: validation problems, the same at every checkpoint.
        cost: FLOPs per token of the model.
        sequence_tokens: tokens of one training sequence, for the attention FLOPs of training.
        spec: the full budget and the baseline to match.
        policy: the stopping rule with its settings.
        num_samples: N, samples per problem; with `CalibratedPolicy` the most, drawn as the decision needs them.
        temperature: of the N samples, above 0.
        evaluate_every: steps between evaluations; `observe` may be called at every step.
        seed: every sample is a function of (seed, step, problem, its number).
        extract: gives the final answer of a completion, or None; for tasks whose answers are voted on at serving time.
        reward_model: scores the samples, for strategies that choose by reward at serving time.
        reward_cost: FLOPs per token of the reward model, charged to evaluation and to every query that it serves.
        search: strategies that search. They are run where a projection can be trusted, once an evaluation, and charged.
        log: where checkpoints are recorded. A log that already holds checkpoints resumes them: a step in it is
            neither evaluated nor decided again. Without a log the decisions live as long as the session.

    Raises:
        ArgumentError: a value out of its range, a K to be measured above `num_samples`, or a spec, policy or seed
            other than the log's.
    """

    def __init__(
        self,
        *,
        sampler: Sampler,
        verifier: Verifier,
        problems: Sequence[Problem],
        cost: ModelCost,
        sequence_tokens: int,
        spec: RunSpec,
        policy: Policy,
        num_samples: int = 16,
        temperature: float = 0.8,
        evaluate_every: int = 1,
        seed: int = 0,
        extract: Callable[[str], str | None] | None = None,
        reward_model: RewardModel | None = None,
        reward_cost: ModelCost | None = None,
        search: Search | None = None,
        log: RunLog | None = None,
    ) -> None:
        for name, count in (
            ("num_samples", num_samples),
            ("sequence_tokens", sequence_tokens),
            ("evaluate_every", evaluate_every),
            ("number of problems", len(problems)),
        ):
            if count < 1 or count % 1:
                raise argument_error(name, "be a whole number of at least 1", count)
        if not (math.isfinite(temperature) and temperature > 0):
            raise argument_error("temperature", "be finite and above 0", temperature)
        policy.check(num_samples)
        if not 0 <= seed < 2**31:
            raise argument_error("seed", "be from 0 to 2147483647", seed)
        if reward_model is not None and reward_cost is None:
            raise argument_error("reward_cost", "be given with reward_model", None, "Every FLOP is charged.")
        if log is not None:
            _check_same_run(log, spec, policy, seed, len(problems), num_samples, temperature)
        self.sampler = sampler
        self.verifier = verifier
        self.problems = tuple(problems)
        self.cost = cost
        self.sequence_tokens = sequence_tokens
        self.spec = spec
        self.policy = policy
        self.num_samples = num_samples
        self.temperature = temperature
        self.evaluate_every = evaluate_every
        self.seed = seed
        self.extract = extract
        self.reward_model = reward_model
        self.reward_cost = reward_cost
        self.search = search
        self.log = log
        self.checkpoints: list[CheckpointRecord] = list(log.checkpoints) if log is not None else []
        self._course = Course(
            spec=spec,
            policy=policy,
            num_problems=len(self.problems),
            num_samples=num_samples,
            points=tuple(learning_point(each.observation) for each in self.checkpoints),
            decision=self.checkpoints[-1].decision if self.checkpoints else None,
        )
        self.evaluation_seconds = 0.0
        """Wall time this process spent in evaluations; not recorded, since it differs from run to run."""

    @property
    def stopped_at(self) -> CheckpointRecord | None:
        """The first checkpoint at which the decision was to stop."""
        return next((each for each in self.checkpoints if each.decision.stop), None)

    def is_due(self, step: int, train_tokens: int) -> bool:
        """Whether an evaluation is due: every `evaluate_every` steps, and where the budget is spent."""
        return step % self.evaluate_every == 0 or self.spec.is_spent(self._train_flops(train_tokens))

    def observe(self, *, step: int, train_tokens: int, loss: float | None = None) -> Decision:
        """The decision at `step`; evaluates the live model if an evaluation is due.

        Args:
            step: optimizer steps done, increasing from call to call.
            train_tokens: tokens trained on so far.
            loss: training loss of this step, recorded for display.

        Returns:
            A Decision. Between evaluations it is CONTINUE with reason NOT_DUE, where one would exceed the policy's
            share for evaluations with reason EVALUATED_ENOUGH. At a step that the log already
            holds it is the recorded one.

        Raises:
            DivergedError: the loss is NaN or infinite. What was recorded stays.
            ArgumentError: steps or tokens that do not continue those observed before, or that overrun the budget.
            RunStorageError: the log could not be written.
        """
        if loss is not None and not math.isfinite(loss):
            raise diverged(step, loss)
        place = bisect_left(self.checkpoints, step, key=lambda each: each.observation.step)
        self._check_order(step, train_tokens, place)
        if place < len(self.checkpoints) and self.checkpoints[place].observation.step == step:
            return self.checkpoints[place].decision
        if not self.will_evaluate(step, train_tokens):
            used = self._train_flops(train_tokens) / self.spec.budget_flops
            reason = Reason.EVALUATED_ENOUGH if self.is_due(step, train_tokens) else Reason.NOT_DUE
            return Decision(action=Action.CONTINUE, reason=reason, step=step, used=used, policy=self.policy.name)

        started = time.perf_counter()
        source = self._source(step, train_tokens, loss)
        course, _, decision = take_step(self._course, source)
        checkpoint = CheckpointRecord(observation=source.observation, decision=decision)
        if self.log is not None:
            self.log.append(checkpoint)
        self.checkpoints.append(checkpoint)
        self._course = course
        self.evaluation_seconds += time.perf_counter() - started
        return checkpoint.decision

    def _source(self, step: int, train_tokens: int, loss: float | None) -> LiveSource:
        last = next((each.observation for each in reversed(self.checkpoints) if each.observation.searches), None)
        return LiveSource(
            collector=Collector(
                self.sampler,
                self.verifier,
                self.problems,
                temperature=self.temperature,
                seed=(self.seed << 32) + step,
                extract=self.extract,
                reward_model=self.reward_model,
            ),
            course=self._course,
            step=step,
            train_tokens=train_tokens,
            train_flops=self._train_flops(train_tokens),
            loss=loss,
            cost=self.cost,
            reward_cost=self.reward_cost,
            run_search=None
            if self.search is None
            else partial(self.search, self.problems, seed=(self.seed << 32) + step + _SEARCH_SEED),
            search_flops=search_price(last),
        )

    def _train_flops(self, train_tokens: int) -> float:
        return self.cost.train_flops(train_tokens / self.sequence_tokens, self.sequence_tokens)

    def will_evaluate(self, step: int, train_tokens: int) -> bool:
        """Whether `observe` evaluates: where it is due and within the policy's share for evaluations."""
        place = bisect_left(self.checkpoints, step, key=lambda each: each.observation.step)
        return self.is_due(step, train_tokens) and not self._too_dear(train_tokens, place)

    def _too_dear(self, train_tokens: int, place: int) -> bool:
        """Whether the least evaluation, with samples as long as the last ones, exceeds the policy's share.

        A function of the checkpoints before, so that a resumed run leaves out the same evaluations. The first one is
        always made.
        """
        if not place:
            return False
        course = replace(self._course, points=self._course.points[:place])
        last = course.points[-1]
        if last.query_flops is None:
            return False
        least = last.num_problems * last.query_flops.total(1)
        if (first := self.policy.wants(course, None, (0, 0))) is not None:
            least += first[0] * last.query_flops.total(first[1])
        return not course.affords(self._train_flops(train_tokens), least)

    def _check_order(self, step: int, train_tokens: int, place: int) -> None:
        """`place` is where a checkpoint of `step` stands, or would stand, among those recorded."""
        before = self.checkpoints[place - 1].observation if place else None
        rest = [each.observation for each in self.checkpoints[place : place + 2]]
        recorded = rest.pop(0) if rest and rest[0].step == step else None
        after = rest[0] if rest else None
        if recorded is not None and recorded.train_tokens != train_tokens:
            raise argument_error(
                "train_tokens",
                f"be the {recorded.train_tokens} recorded for step {step}",
                train_tokens,
                "A resumed run must repeat the recorded one; start a new run to change it.",
            )
        if recorded is None and after is not None and self.will_evaluate(step, train_tokens):
            raise argument_error("step", f"be above {self.checkpoints[-1].observation.step}, the last observed", step)
        if before is not None and train_tokens <= before.train_tokens:
            raise argument_error(
                "train_tokens",
                f"grow from the {before.train_tokens} observed at step {before.step}",
                train_tokens,
                "Count the tokens of the whole run, not of one step.",
            )
        if after is not None and train_tokens >= after.train_tokens:
            rule = f"stay below the {after.train_tokens} recorded for step {after.step}"
            raise argument_error("train_tokens", rule, train_tokens, "A resumed run must repeat the recorded one.")
        if self._train_flops(train_tokens) > self.spec.budget_flops * (1 + 1e-9):
            raise argument_error(
                "train_tokens",
                f"stay within spec.budget_flops, {self.spec.budget_flops:.6g} FLOPs",
                f"{train_tokens} tokens, {self._train_flops(train_tokens):.6g} FLOPs",
                "Declare the FLOPs of the full run as the budget.",
            )


def _check_same_run(
    log: RunLog, spec: RunSpec, policy: Policy, seed: int, num_problems: int, num_samples: int, temperature: float
) -> None:
    """Refuse to extend a log that was begun with other settings: its decisions could not be replayed."""
    pairs: list[tuple[str, object, object]] = [
        ("spec", spec, log.header.spec),
        ("policy", policy_settings(policy), policy_settings(policy_from(log.header.policy))),
        ("seed", seed, log.header.seed),
    ]
    if log.checkpoints:
        bank = log.checkpoints[0].observation.bank
        pairs += [
            ("number of problems", num_problems, bank.num_problems),
            ("temperature", temperature, bank.temperature),
        ]
        course = Course(spec=spec, policy=policy, num_problems=num_problems, num_samples=num_samples)
        if policy.wants(course, None, (0, 0)) == (num_problems, num_samples):  # others draw as many as they need
            pairs.append(("num_samples", num_samples, bank.num_samples))
    for name, given, recorded in pairs:
        if given != recorded:
            raise argument_error(
                name,
                f"be the recorded one, {recorded!r}",
                given,
                "Start a new run for other settings, or replay this one.",
            )


def diverged(step: int, loss: float) -> DivergedError:
    """The error for a loss that is NaN or infinite."""
    return DivergedError(
        f"loss must be finite; got {loss} at step {step}: training diverged. Everything recorded before is kept. "
        "Lower the learning rate and start a new run."
    )
