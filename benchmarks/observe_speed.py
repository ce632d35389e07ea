"""What `Session.observe` costs beside the sampling, at the end of runs of ever more evaluations.

    python benchmarks/observe_speed.py

The sampler here is timed and taken off: what is left is tallying, deciding and recording, in CPU time. The goal is a
cost that grows with the evaluations before it no faster than one pass over one number of each.
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence

from breakeven import Completion, Draw, ModelCost, Problem, RunSpec, Session

RUNS, LAST = (20, 100, 300, 1000), 9
NUM_PROBLEMS, NUM_SAMPLES = 200, 8
SEQUENCES, SEQUENCE_TOKENS = 10_000, 128  # between two evaluations: so many that no evaluation is too dear


class Learner:
    """A sampler and its verifier, right more often the longer it trains; `seconds` is what they took."""

    skill = 0.0
    seconds = 0.0

    def sample(self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        started = time.process_time()
        rng = random.Random(f"{seed} {temperature}")
        draws = [
            Draw(prompt_tokens=5, completions=tuple(self._completion(rng) for _ in range(num_samples)))
            for _ in problems
        ]
        self.seconds += time.process_time() - started
        return draws

    def _completion(self, rng: random.Random) -> Completion:
        return Completion(text="right" if rng.random() < self.skill else "wrong", output_tokens=rng.randint(2, 9))

    def check(self, problem: Problem, completion: str) -> bool:
        return completion == "right"


def main() -> None:
    first = own_seconds(RUNS[0])  # the first run pays for what is imported when used
    for num_checkpoints in RUNS:
        seconds = own_seconds(num_checkpoints)
        first = first if num_checkpoints > RUNS[0] else seconds
        sys.stdout.write(
            f"{num_checkpoints:5} evaluations: {1e3 * seconds:5.1f} ms for one, {seconds / first:.2f} times\n"
        )


def own_seconds(num_checkpoints: int) -> float:
    """The median over the last evaluations of a run."""
    model, cost = Learner(), ModelCost(body_params=1e8, num_layers=12, attention_width=768)
    seconds = []
    with tempfile.TemporaryDirectory() as directory:
        session = Session(
            sampler=model,
            verifier=model,
            problems=[Problem(id=str(number), prompt=f"problem {number}") for number in range(NUM_PROBLEMS)],
            cost=cost,
            sequence_tokens=SEQUENCE_TOKENS,
            spec=RunSpec(budget_flops=cost.train_flops(num_checkpoints * SEQUENCES, SEQUENCE_TOKENS), decay_share=0.0),
            num_samples=NUM_SAMPLES,
            log=f"{directory}/run",
            mode="advise",
            quiet=True,
        )
        for step in range(1, num_checkpoints + 1):
            model.skill, model.seconds = 0.6 * (1 - 0.05 ** (step / num_checkpoints)), 0.0
            started = time.process_time()
            session.observe(step=step, train_tokens=step * SEQUENCES * SEQUENCE_TOKENS)
            seconds.append(time.process_time() - started - model.seconds)
    return statistics.median(seconds[-LAST - 1 : -1])


if __name__ == "__main__":
    main()
