"""The one object a training loop talks to: `Session.observe` evaluates, decides and records.

Works with any loop and any model: it knows a sampler, a checker, problems and a cost model. Imports no torch.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict

from breakeven.errors import DivergedError, argument_error
from breakeven.model.flops import ModelCost
from breakeven.records import Action, Checkpoint, Decision, Observation, Plan, Problem, Reason, SampleBank
from breakeven.stopping.decide import PaperPolicy
from breakeven.store import RunLog
from breakeven.train.replay import decide_next
from breakeven.ttc.collect import Sampler, Verifier, collect


class Session:
    """Evaluates a model while it trains, decides whether it may stop, and records both.

    Args:
        sampler: draws completions from the live model.
        verifier: says which are right.
        problems: validation problems, the same at every checkpoint.
        cost: FLOPs per token of the model.
        sequence_tokens: tokens of one training sequence, for the attention FLOPs of training.
        plan: the full budget and the baseline to match.
        policy: settings of the stopping rule.
        num_samples: N, samples per problem.
        temperature: of the N samples, above 0.
        evaluate_every: steps between evaluations; `observe` may be called at every step.
        seed: every sample is a function of (seed, step, problem, its number).
        log: where checkpoints are recorded. A log that already holds checkpoints resumes them: a step in it is
            neither evaluated nor decided again. Without a log the decisions live as long as the session.

    Raises:
        ArgumentError: a value out of its range, a K to be measured above `num_samples`, or a plan, policy or seed
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
        plan: Plan,
        policy: PaperPolicy,
        num_samples: int = 4,
        temperature: float = 0.8,
        evaluate_every: int = 1,
        seed: int = 0,
        log: RunLog | None = None,
    ) -> None:
        if max(policy.k_values) > num_samples:
            raise argument_error(
                "policy.k_values",
                f"be at most the {num_samples} samples drawn per problem",
                list(policy.k_values),
                "Raise num_samples or drop the larger K.",
            )
        if evaluate_every < 1:
            raise argument_error("evaluate_every", "be at least 1", evaluate_every)
        if not 0 <= seed < 2**31:
            raise argument_error("seed", "be from 0 to 2147483647", seed)
        if log is not None:  # a log with decisions of two kinds could not be replayed
            settings = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(policy).items()}
            header = log.header
            for name, given, recorded in (
                ("plan", plan, header.plan),
                ("policy", settings, header.policy),
                ("seed", seed, header.seed),
            ):
                if given != recorded:
                    rule = f"be the one in the log's first line, {recorded!r}"
                    raise argument_error(name, rule, given, "Start a new run for other settings, or replay this one.")
        self.sampler = sampler
        self.verifier = verifier
        self.problems = tuple(problems)
        self.cost = cost
        self.sequence_tokens = sequence_tokens
        self.plan = plan
        self.policy = policy
        self.num_samples = num_samples
        self.temperature = temperature
        self.evaluate_every = evaluate_every
        self.seed = seed
        self.log = log
        self.checkpoints: list[Checkpoint] = list(log.checkpoints) if log is not None else []
        self.evaluation_seconds = 0.0
        """Wall time this process spent in evaluations; not recorded, since it differs from run to run."""

    @property
    def stopped_at(self) -> Checkpoint | None:
        """The first checkpoint at which the decision was to stop."""
        return next((each for each in self.checkpoints if each.decision.stop), None)

    def is_due(self, step: int) -> bool:
        """Whether `observe` evaluates at this step."""
        return step % self.evaluate_every == 0

    def observe(self, *, step: int, train_tokens: int, loss: float | None = None) -> Decision:
        """The decision at `step`; evaluates the live model if an evaluation is due.

        Args:
            step: optimizer steps done, increasing from call to call.
            train_tokens: tokens trained on so far.
            loss: training loss of this step, recorded for display.

        Returns:
            A Decision. Between evaluations it is CONTINUE with reason NOT_DUE. At a step that the log already
            holds it is the recorded one.

        Raises:
            DivergedError: the loss is NaN or infinite. What was recorded stays.
            ArgumentError: steps or tokens that do not continue those observed before, or that overrun the budget.
            RunStorageError: the log could not be written.
        """
        if loss is not None and not math.isfinite(loss):
            raise diverged(step, loss)
        if not self.is_due(step):
            used = self._train_flops(train_tokens) / self.plan.budget_flops
            return Decision(action=Action.CONTINUE, reason=Reason.NOT_DUE, step=step, used=used, policy="paper")
        recorded = next((each for each in reversed(self.checkpoints) if each.observation.step == step), None)
        self._check_order(step, train_tokens, recorded)
        if recorded is not None:
            return recorded.decision

        started = time.perf_counter()
        observation = self._measure(step, train_tokens, loss)
        history = [each.observation for each in self.checkpoints] + [observation]
        previous = self.checkpoints[-1].decision if self.checkpoints else None
        checkpoint = Checkpoint(
            observation=observation, decision=decide_next(history, self.plan, self.policy, previous)
        )
        if self.log is not None:
            self.log.append(checkpoint)
        self.checkpoints.append(checkpoint)
        self.evaluation_seconds += time.perf_counter() - started
        return checkpoint.decision

    def _measure(self, step: int, train_tokens: int, loss: float | None) -> Observation:
        bank = collect(
            self.sampler,
            self.verifier,
            self.problems,
            num_samples=self.num_samples,
            temperature=self.temperature,
            seed=(self.seed << 32) + step,
        )
        mean_prompt = bank.prompt_tokens / bank.num_problems
        mean_output = bank.output_tokens / (bank.num_problems * bank.num_samples)
        return Observation(
            step=step,
            train_tokens=train_tokens,
            train_flops=self._train_flops(train_tokens),
            evaluation_flops=evaluation_flops(bank, self.cost),
            query_flops=self.cost.query_flops(mean_prompt, mean_output),
            loss=loss,
            bank=bank,
        )

    def _train_flops(self, train_tokens: int) -> float:
        return self.cost.train_flops(train_tokens / self.sequence_tokens, self.sequence_tokens)

    def _check_order(self, step: int, train_tokens: int, recorded: Checkpoint | None) -> None:
        if recorded is not None:
            if recorded.observation.train_tokens != train_tokens:
                raise argument_error(
                    "train_tokens",
                    f"be the {recorded.observation.train_tokens} recorded for step {step}",
                    train_tokens,
                    "A resumed run must repeat the recorded one; start a new run to change it.",
                )
            return
        if self.checkpoints:
            last = self.checkpoints[-1].observation
            if step <= last.step:
                raise argument_error("step", f"be above {last.step}, the last one observed", step)
            if train_tokens <= last.train_tokens:
                raise argument_error(
                    "train_tokens",
                    f"grow from the {last.train_tokens} observed at step {last.step}",
                    train_tokens,
                    "Count the tokens of the whole run, not of one step.",
                )
        if self._train_flops(train_tokens) > self.plan.budget_flops * (1 + 1e-9):
            raise argument_error(
                "train_tokens",
                f"stay within plan.budget_flops, {self.plan.budget_flops:.6g} FLOPs",
                f"{train_tokens} tokens, {self._train_flops(train_tokens):.6g} FLOPs",
                "Declare the FLOPs of the full run as the budget.",
            )


def diverged(step: int, loss: float) -> DivergedError:
    """The error for a loss that is NaN or infinite."""
    return DivergedError(
        f"loss must be finite; got {loss} at step {step}: training diverged. Everything recorded before is kept. "
        "Lower the learning rate and start a new run."
    )


def evaluation_flops(bank: SampleBank, cost: ModelCost) -> float:
    """FLOPs of drawing a bank, at its mean token counts: one prefill and N decodes a problem, then the same greedily.

    Counted: see `breakeven.model.flops`. Not counted: the checker, which runs no model.
    """
    prompt = bank.prompt_tokens / bank.num_problems
    sampled = cost.query_flops(prompt, bank.output_tokens / (bank.num_problems * bank.num_samples))
    greedy = cost.query_flops(prompt, bank.greedy_output_tokens / bank.num_problems)
    return bank.num_problems * (sampled.total(bank.num_samples) + greedy.total(1))
