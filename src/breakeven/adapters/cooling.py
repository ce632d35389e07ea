"""A stop that somebody else's loop cools down: it trains on for some steps at rates that fall to the end, then stops.

The rates are set before each step of the optimizer, whatever the loop's own scheduler says. Nothing here is kept in the
process: a run that is gone on with finds in its log what is still to be done.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from breakeven.errors import argument_error
from breakeven.report import cooldown_words, outcome_words
from breakeven.session.cooling import branch_spec, num_drawn, parent_of, planned, weighed
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


def begin(session: Session, share: float) -> Cooling | None:
    """The cooldown of the stop that a session has decided, planned and recorded; None where none is to be run.

    Args:
        session: of the run, which stops.
        share: steps of the cooldown, as a share of those up to the stop.
    """
    stop, log = session.stopped_at, session.log
    if stop is None or log is None or session.steered is not None:
        return None
    step, tokens = stop.observation.step, stop.observation.train_tokens
    if log.cooldown is None or log.cooldown.step != step:
        steps, name = max(1, round(share * step)), f"cooldown/step-{step:06d}"
        log.append(planned(session, stop, branch=name, steps=steps, step_tokens=round(tokens / step)))
    plan = log.cooldown
    assert plan is not None, "which was just recorded"
    for sentence in cooldown_words(plan):
        say(sentence)
    if plan.is_over:
        return None
    return Cooling(step=step, steps=plan.steps, rate=stop.observation.shown.get("learning_rate"))


def finish(session: Session, *, step: int, train_tokens: int, loss: float | None, settings: dict[str, Any]) -> None:
    """Measure the cooled model, in a run of its own that names its parent, and record what it was worth.

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
    spec = branch_spec(session, train_tokens=train_tokens, decay_share=log.cooldown.steps / step)
    config = {"cooldown_steps": log.cooldown.steps, "learning_rate": stop.observation.shown.get("learning_rate")}
    with (
        open_log(
            log.directory / log.cooldown.branch,
            spec=spec,
            policy=session.policy,
            seed=session.seed,
            config=config,
            parent=parent_of(stop, log),
            resume=True,
        ) as branch_log,
        Session(
            **settings | {"spec": spec, "log": branch_log, "mode": "advise", "num_samples": num_drawn(stop.observation)}
        ) as branch,
    ):
        branch.observe(step=step, train_tokens=train_tokens, loss=loss)
        if not branch.checkpoints:
            log.append(replace(log.cooldown, left_out="failed"))
        else:
            log.append(weighed(session, stop, log.cooldown, branch.checkpoints[-1].observation))
    for sentence in outcome_words(log.cooldown):
        say(sentence)
