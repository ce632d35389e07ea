"""One of two processes of `test_ranks`: a run in both, whose second one dies while it samples at step 20.

RANK=0 WORLD_SIZE=2 ... python two_dying.py DIRECTORY
"""

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from breakeven.adapters.ranks import RankSampler, agreed
from breakeven.cost.tokens import ModelCost
from breakeven.records import RunSpec
from breakeven.session.session import Session
from breakeven.stopping.paper import PaperPolicy
from breakeven.testing import RateSampler, RateVerifier


class Dying(RateSampler):
    model = torch.nn.Linear(1, 1)
    step = 0

    def sample(self, *problems: Any, **options: Any) -> Any:
        if type(self).step == 20 and dist.get_rank() == 1:
            os._exit(9)
        return super().sample(*problems, **options)


def observe(session: Any, step: int) -> None:
    session.observe(step=step, train_tokens=100 * step)


def main() -> None:
    dist.init_process_group("gloo")
    alone = Dying({str(at): at / 12 for at in range(12)})
    both = RankSampler(alone)
    session: Any = None
    if dist.get_rank() == 0:
        session = Session(
            sampler=both, verifier=RateVerifier(), problems=alone.problems, cost=ModelCost(body_params=100),
            sequence_tokens=10, spec=RunSpec(budget_flops=6e6), policy=PaperPolicy(), num_samples=4, evaluate_every=10,
            log=Path(sys.argv[1]) / "run",
        )  # fmt: skip
    for step in range(1, 41):
        Dying.step = step
        agreed(partial(observe, session, step), both)


if __name__ == "__main__":
    main()
