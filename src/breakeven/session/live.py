"""MEASURING: a checkpoint of a live run as a `Source`: the model is sampled, the samples graded, and all is charged."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from breakeven.cost.evaluation import BankPrice, price_of
from breakeven.cost.tokens import ModelCost
from breakeven.errors import argument_error
from breakeven.records import Draw, Observation, Problem, Reward, SampleBank, SearchOutcome, ValidationLoss
from breakeven.sampling.collect import Collector
from breakeven.sampling.losses import validation_loss
from breakeven.seeds import bank_seed, search_seed
from breakeven.session.guard import Disturbed, undisturbed
from breakeven.session.step import Measured, measured_of, search_price
from breakeven.stopping.course import Course

if TYPE_CHECKING:
    from breakeven.session.session import Session


@dataclass(slots=True, kw_only=True, eq=False)
class LiveSource:
    """See `breakeven.session.step.Source`. `observation` is what was measured last."""

    collector: Collector
    course: Course
    step: int
    train_tokens: int
    train_flops: float
    rollout_flops: float | None
    loss: float | None
    learning_rate: float | None
    cost: ModelCost
    reward_cost: ModelCost | None
    measure_loss: Callable[[Sequence[int]], ValidationLoss | None]
    """The validation loss, given the tokens of each prompt; None where it cannot be told."""
    run_search: Callable[[], tuple[tuple[SearchOutcome, ...], float]] | None
    """Runs the strategies that search; None where there are none."""
    seconds: Callable[[], dict[str, float]]
    """Wall times for the observation, by its fields; none where the spec asks for none."""
    search_flops: float | None
    """What they took the last time; None where they never ran."""
    averaged: Callable[[], AbstractContextManager[None]] | None = None
    """Within it the model has averaged weights; None where none are kept."""
    average_collector: Collector | None = None
    """Draws from them what `collector` draws from the raw ones."""
    _searches: tuple[SearchOutcome, ...] = ()
    _spent_flops: float = 0.0
    _validation_loss: ValidationLoss | None = None
    _loss_measured: bool = False
    _measured: Measured | None = None
    _observation: Observation | None = None
    _price: BankPrice | None = None

    @property
    def observation(self) -> Observation:
        """Everything drawn and searched until now, with what it cost; made once after each draw."""
        if self._observation is None:
            bank, rewards_PN = self.collector.bank(), self.collector.samples.rewards_PN
            if not self._loss_measured:
                self._validation_loss, self._loss_measured = self.measure_loss(bank.prompt_tokens_P), True
            average = self._average()
            self._observation, self._price = observation_of(
                bank,
                rewards_PN,
                cost=self.cost,
                reward_cost=self.reward_cost,
                step=self.step,
                train_tokens=self.train_tokens,
                train_flops=self.train_flops,
                rollout_flops=self.rollout_flops,
                further_flops=self._spent_flops
                + (0.0 if average is None else price_of(average, self.cost).evaluation_flops),
                average=average,
                loss=self.loss,
                shown={"learning_rate": self.learning_rate},
                searches=self._searches,
                validation_loss=self._validation_loss,
                **self.seconds(),
            )
        return self._observation

    def measured(self) -> Measured:
        """See `Source`."""
        if self._measured is None:
            observation = self.observation
            self._measured = measured_of(observation, self._price)
        return self._measured

    def draw(self, num_problems: int, num_samples: int) -> None:
        """See `Source`."""
        self.collector.draw(num_problems, num_samples)
        if self.averaged is not None and self.average_collector is not None:
            with self.averaged():
                self.average_collector.draw(num_problems, num_samples)
        self._measured = self._observation = None

    def _average(self) -> SampleBank | None:
        if self.averaged is None or self.average_collector is None:
            return None
        with self.averaged():
            return self.average_collector.bank()

    def search(self) -> bool:
        """See `Source`. Once an evaluation; the first time whatever it costs, then as far as the share allows."""
        if self.run_search is None:
            return False
        if self.search_flops is not None:
            so_far = self.observation.evaluation_flops
            if not self.course.affords(self.train_flops, so_far + self.search_flops):
                return False
        self._searches, self._spent_flops = self.run_search()
        self._measured = self._observation = None
        return True


def observation_of(
    bank: SampleBank,
    rewards_PN: Sequence[Sequence[Reward]] = (),
    *,
    cost: ModelCost,
    reward_cost: ModelCost | None,
    further_flops: float = 0.0,
    validation_loss: ValidationLoss | None = None,
    shown: Mapping[str, float | None] | None = None,
    **known: Any,
) -> tuple[Observation, BankPrice]:
    """A bank with what it cost, wherever it was drawn.

    Args:
        bank: of a checkpoint.
        rewards_PN: of each sample, with the tokens that were read; else the bank's sums stand for all.
        cost: FLOPs per token of the model.
        reward_cost: FLOPs per token of the reward model, if any.
        further_flops: spent on it besides.
        validation_loss: measured beside it.
        shown: for display, where it is known.
        known: the other fields of an `Observation`.
    """
    price = price_of(bank, cost, reward_cost, rewards_PN)
    loss_flops = 0.0 if validation_loss is None else validation_loss.flops
    observation = Observation(
        evaluation_flops=price.evaluation_flops + further_flops + loss_flops,
        query_flops=price.query,
        reward_flops=price.reward_flops,
        model_cost={name: float(value) for name, value in cost.recorded.items()},
        bank=bank,
        validation_loss=validation_loss,
        shown={name: float(value) for name, value in (shown or {}).items() if value is not None},
        **known,
    )
    return observation, price


@contextmanager
def measuring(session: "Session", step: int) -> Iterator[None]:
    """An evaluation: it is timed, and training is left as it was; where it was not, that is said once."""
    started = time.perf_counter()
    disturbed = Disturbed()
    try:
        with undisturbed(getattr(session.sampler, "model", None)) as disturbed:
            yield
    finally:
        session.evaluation_seconds += (took := time.perf_counter() - started)
        session.clock.leave_out(took)
        if disturbed.what:
            session.warn_once(
                "disturbed",
                f"the evaluation at step {step} disturbed training: {'; '.join(disturbed.what)}. Random states and "
                "modes are put back after each evaluation; better let the sampler leave them alone.",
            )


class Elsewhere:
    """Stands for sampler and verifier of a session to which banks are handed: it has none."""

    def sample(self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        """Refuses."""
        remedy = "Or hand over what was measured elsewhere: session.record(step, train_tokens, bank)."
        raise argument_error("sampler", "be given where the session itself evaluates", None, remedy)

    def check(self, problem: Problem, completion: str) -> bool:
        """Never asked, for nothing is drawn."""
        raise AssertionError


def live_source(
    session: "Session", course: Course, step: int, train_tokens: int, loss: float | None, learning_rate: float | None
) -> LiveSource:
    """The checkpoint at which a session stands, nothing drawn yet."""
    search, seed = session.search, search_seed(session.seed, step)
    collector = partial(
        Collector,
        session.sampler,
        session.verifier,
        session.problems,
        temperature=session.temperature,
        seed=bank_seed(session.seed, step if session.parent is None else session.parent.step),
        answers=session.answers,
    )
    passes = session.passes
    combined = None if passes is None else partial(passes.soft_votes, before=session.steps_before(step))
    return LiveSource(
        collector=collector(reward_model=session.reward_model, soft_votes=combined),
        averaged=session.averaged,
        average_collector=None if session.averaged is None else collector(),
        course=course,
        step=step,
        train_tokens=train_tokens,
        train_flops=session.train_flops(train_tokens),
        rollout_flops=session.rollout_flops or None,
        loss=loss,
        learning_rate=learning_rate,
        cost=session.cost,
        reward_cost=session.reward_cost,
        measure_loss=lambda prompt_tokens_P: validation_loss(
            session.sampler, session.problems, prompt_tokens_P=prompt_tokens_P, cost=session.cost
        ),
        run_search=None if search is None else partial(search, session.problems, seed=seed),
        seconds=session.stopwatch(),
        search_flops=search_price(session.searched),
    )
