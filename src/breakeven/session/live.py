"""A checkpoint of a live run as a `Source`: the model is sampled, the samples are graded, and all of it is charged."""

from collections.abc import Callable
from dataclasses import dataclass

from breakeven.cost.evaluation import evaluation_flops, query_flops, reward_flops
from breakeven.cost.tokens import ModelCost
from breakeven.records import Observation, SearchOutcome
from breakeven.sampling.collect import Collector
from breakeven.session.step import Measured, measured_of
from breakeven.stopping.course import Course


@dataclass(slots=True, kw_only=True, eq=False)
class LiveSource:
    """See `breakeven.session.step.Source`. `observation` is what was measured last."""

    collector: Collector
    course: Course
    step: int
    train_tokens: int
    train_flops: float
    loss: float | None
    cost: ModelCost
    reward_cost: ModelCost | None
    run_search: Callable[[], tuple[tuple[SearchOutcome, ...], float]] | None
    """Runs the strategies that search; None where there are none."""
    search_flops: float | None
    """What they took the last time; None where they never ran."""
    _searches: tuple[SearchOutcome, ...] = ()
    _spent_flops: float = 0.0

    @property
    def observation(self) -> Observation:
        """Everything drawn and searched until now, with what it cost."""
        bank = self.collector.bank()
        return Observation(
            step=self.step,
            train_tokens=self.train_tokens,
            train_flops=self.train_flops,
            evaluation_flops=evaluation_flops(bank, self.cost, self.reward_cost) + self._spent_flops,
            query_flops=query_flops(bank, self.cost),
            reward_flops=reward_flops(bank, self.reward_cost),
            loss=self.loss,
            bank=bank,
            searches=self._searches,
        )

    def measured(self) -> Measured:
        """See `Source`."""
        return measured_of(self.observation)

    def draw(self, num_problems: int, num_samples: int) -> None:
        """See `Source`."""
        self.collector.draw(num_problems, num_samples)

    def search(self) -> bool:
        """See `Source`. Once an evaluation; the first time whatever it costs, then as far as the share allows."""
        if self.run_search is None:
            return False
        if self.search_flops is not None:
            so_far = self.observation.evaluation_flops
            if not self.course.affords(self.train_flops, so_far + self.search_flops):
                return False
        self._searches, self._spent_flops = self.run_search()
        return True
