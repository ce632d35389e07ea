"""What the row `train-vs-infer` may be set to: its grid, and what is planned with it."""

from dataclasses import dataclass
from functools import partial

from breakeven import check
from breakeven.plan.sizing.grid import Grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Grid):
    """The grid, and what is planned with it or with the tables in its place."""

    planned_flops: tuple[float, ...] = ()
    """Training FLOPs that are planned, C_train; empty: the most that were measured, and four times as many."""
    planned_k: tuple[int, ...] = (1, 4, 16, 64)
    """Samples a query that are planned, and at which laws are fitted."""
    planned_queries: tuple[float, ...] = (0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
    """Queries of a life that are planned."""
    targets: tuple[float, ...] = ()
    """Accuracies to reach; empty: what half of the sizes reach with one sample, and a point below the best of them."""
    target_loss: float = 0.0
    """To reach, in nats, where a table holds losses; 0: the least in it."""
    tokens_per_sample: float = 1.0
    """Tokens that a sample of a model in a table takes, 2 N FLOPs each; 1: queries are tokens, as in D_inf."""
    law_draws: int = 60
    """Resamplings of the models, for the intervals of laws."""
    law_starts: int = 8
    """From which each fit of a law is begun."""
    rl_flops: float = 0.0
    """FLOPs of pretraining and RL together, where RL follows; 0: none does."""

    def __post_init__(self) -> None:
        Grid.__post_init__(self)
        check.increasing("planned_k", self.planned_k)
        check.numbers("planned_flops", self.planned_flops, "hold finite FLOPs of at least 1", 1)
        check.numbers("planned_queries", self.planned_queries, "hold finite numbers of at least 0")
        check.numbers("targets", self.targets, "hold shares from 0 to 1", 0, 1)
        check.each_field(self, check.finite, "target_loss", "rl_flops")
        check.positive("tokens_per_sample", self.tokens_per_sample)
        check.each_field(self, partial(check.whole, least=1), "law_draws", "law_starts")
