"""Does making problems, or evaluating, bound training? Ratios measured in one run, on one core.

    python benchmarks/throughput.py

Times, at the shipped recipe's sizes: fresh training problems, one training step, one evaluation.
"""

import statistics
import sys
import time
from collections.abc import Callable

import torch

from breakeven.config import load_recipe
from breakeven.model.transformer import Transformer
from breakeven.sampling.collect import collect
from breakeven.train.loop import sampler_for
from breakeven.train.step import train_step

REPEATS = 7


def main() -> None:
    config = load_recipe("countdown")
    torch.set_num_threads(config.train.threads)
    torch.manual_seed(0)
    task, train, evaluation = config.task, config.train, config.evaluate
    model = Transformer(config.model.shape_for(task))
    optimizer = torch.optim.AdamW(model.parameters(), lr=train.learning_rate)
    problems = task.problems("validation", evaluation.num_problems)
    sampler = sampler_for(model, task)
    tokens_BT = torch.from_numpy(task.train_batch(train.batch_size, (0, 0)))

    step = median_seconds(lambda _: train_step(model, optimizer, tokens_BT, task.prompt_tokens, train.clip_norm))
    batch = median_seconds(lambda seed: task.train_batch(train.batch_size, (1, seed)))
    bank = median_seconds(
        lambda seed: collect(
            sampler, task, problems, num_samples=evaluation.num_samples, temperature=evaluation.temperature, seed=seed
        )
    )
    interval = evaluation.every_steps * step
    sys.stdout.write(
        f"one training step                  {step:.3f} s\n"
        f"a batch of fresh problems          {batch / step:.1%} of a training step\n"
        f"one evaluation                     {bank / step:.1f} training steps\n"
        f"evaluations, share of wall time    {bank / (bank + interval):.1%}, one every {evaluation.every_steps} steps\n"
    )


def median_seconds(call: Callable[[int], object]) -> float:
    """Median wall time of a call, after one that is not counted."""
    seconds = []
    for repeat in range(REPEATS + 1):
        started = time.perf_counter()
        call(repeat)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])


if __name__ == "__main__":
    main()
