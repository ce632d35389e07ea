"""A stop that somebody else's loop cools down: it trains on for some steps at rates that fall to the end, then stops.

The rates are set before each step of the optimizer, whatever the loop's own scheduler says. Nothing here is kept in the
process: a run that is gone on with finds in its log what is still to be done.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from breakeven.errors import DivergedError, argument_error
from breakeven.records import BudgetChange, Cooldown, Parent
from breakeven.report import cooldown_words, outcome_words
from breakeven.session.cooling import branch_spec, plan_of, weighed
from breakeven.session.recording import open_log
from breakeven.session.session import Session
from breakeven.session.voice import say
from breakeven.stopping.cooldown import cooldown_factor


@dataclass(slots=True, kw_only=True)
class Cooling:
    """A cooldown under way, in every process."""

    step: int
    """Of the stop."""
    steps: int
    """Of the cooldown."""
    rate: float | None
    """Of the learning at the stop, as it is recorded."""
    rates: list[float] = field(default_factory=list)
    """Of each of the optimizer's groups there; told from `rate` by a process that was not there."""

    def set_rates(self, groups: list[dict[str, Any]], step: int) -> None:
        """Give the groups of an optimizer their learning rates, before it takes `step`."""
        if not self.rates:
            now = [float(each["lr"]) for each in groups]
            rate = now[0] if self.rate is None else self.rate
            self.rates = [rate * (each / now[0] if now[0] else 1.0) for each in now]
        factor = cooldown_factor(step - self.step, self.steps)
        for group, rate in zip(groups, self.rates, strict=True):
            group["lr"] = rate * factor


def begin(session: Session, share: float, *, step: int, last_step: int, settings: dict[str, Any]) -> Cooling | None:
    """The cooldown of the stop that a session has decided, planned and recorded, and the stop measured for it.

    Args:
        session: of the run, which stops.
        share: steps of the cooldown, as a share of those up to the stop.
        step: where the live model stands: at the stop, or where its run is gone on with.
        last_step: of the loop, which ends there in any case.
        settings: what else a `Session` is made of.

    Returns:
        None where there is none to be run.
    """
    stop, log = session.stopped_at, session.log
    if stop is None or log is None or session.steered is not None:
        return None
    at, tokens = stop.observation.step, stop.observation.train_tokens
    step_tokens = round(tokens / at)
    plan = plan_of(session, stop, share=share, step_tokens=step_tokens, last_step=last_step)
    if step > at + plan.steps and not plan.is_over:  # trained past it meanwhile, at other rates
        log.append(plan := replace(plan, left_out="failed"))
    for sentence in cooldown_words(plan):
        say(sentence)
    if plan.is_over:
        return None
    with _branch(session, plan, train_tokens=tokens + plan.steps * step_tokens, settings=settings) as branch:
        if step == at:
            branch.observe(step=step, train_tokens=tokens, rollout_flops=stop.observation.rollout_flops or 0.0)
        if not branch.checkpoints:
            log.append(replace(plan, left_out="failed"))
            return None
    return Cooling(step=at, steps=plan.steps, rate=stop.observation.shown.get("learning_rate"))


def finish(session: Session, *, step: int, train_tokens: int, loss: float | None, settings: dict[str, Any]) -> None:
    """Measure the cooled model, and record what it was worth.

    Args:
        session: of the run that stopped.
        step: the last of the cooldown.
        train_tokens: of all steps up to there.
        loss: of this step, for display.
        settings: what else a `Session` is made of.
    """
    stop, log = session.stopped_at, session.log
    if stop is None or log is None or log.cooldown is None:
        raise argument_error("log", "hold the cooldown that now ends", None)
    with _branch(session, log.cooldown, train_tokens=train_tokens, settings=settings) as branch:
        if len(branch.checkpoints) < 2:  # else it was measured before a kill, with the tokens known then
            with suppress(DivergedError):
                branch.observe(step=step, train_tokens=train_tokens, rollout_flops=session.rollout_flops, loss=loss)
        if len(branch.checkpoints) < 2:
            log.append(replace(log.cooldown, left_out="failed"))
        else:
            stopped, cooled = branch.checkpoints[0].observation, branch.checkpoints[-1].observation
            log.append(weighed(session, stop, log.cooldown, stopped, cooled))
    for sentence in outcome_words(log.cooldown):
        say(sentence)


@contextmanager
def _branch(session: Session, plan: Cooldown, *, train_tokens: int, settings: dict[str, Any]) -> Iterator[Session]:
    """The run of a cooldown that ends at `train_tokens`, begun or gone on with; an estimate until it is at its end."""
    log = session.log
    assert log is not None, "which holds the plan"
    spec = branch_spec(session, train_tokens=train_tokens, decay_share=plan.steps / (plan.step + plan.steps))
    parent = Parent(run="../..", step=plan.step, fingerprint=log.fingerprint)
    directory, config = log.directory / plan.branch, {"steps": plan.step + plan.steps}
    with open_log(
        directory, spec=spec, policy=session.policy, seed=session.seed, config=config, parent=parent, resume=True
    ) as own:
        if own.header.parent != parent:
            raise argument_error(str(directory), f"be the cooldown of step {plan.step}", own.header.parent, "Move it.")
        if own.spec != spec:
            own.append(BudgetChange(step=plan.step, spec=spec, config=config))
        recorded = {"spec": spec, "log": own, "mode": "advise", "evaluate_every": plan.steps}
        with Session(**settings | recorded) as branch:
            yield branch
