"""Record one training run with every strategy at every checkpoint, and pools at many temperatures.

    python benchmarks/strategies_record.py            writes benchmarks/strategies/chain.jsonl.gz, about 20 minutes

The task is `chain`: sums of three products, step by step, no checker at serving time. Everything is measured on test
problems. The reward model is trained at each checkpoint on graded samples that earlier checkpoints gave on problems of
the training split, and refuses to score those. What the recorded numbers say: `benchmarks/strategies.py`.
"""

import argparse
import dataclasses
import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch

from breakeven.config import RunConfig, config_to_builtins, load_recipe
from breakeven.cost.query import search_flops
from breakeven.cost.tokens import ModelCost
from breakeven.data.made.chain import Chain
from breakeven.model.transformer import Transformer
from breakeven.records import Draw, Prefix, Problem, SegmentRule
from breakeven.records.agree import SameText
from breakeven.sampling.transformer import TransformerSampler
from breakeven.session.searching import by_search, chances, graded_search
from breakeven.train.costs import cost_of, sequence_tokens, spec_for
from breakeven.train.loop import sampler_for
from breakeven.train.reward_model.fit import RewardModelSettings
from breakeven.train.reward_model.train import GradedSample, TrainedRewardModel, train_reward_model
from breakeven.train.step import learning_rate, train_step, training_batches
from breakeven.ttc.search.select import answers_of
from breakeven.ttc.strategies.named import STRATEGIES
from breakeven.ttc.strategies.strategy import Need, Tools

RECORD = Path(__file__).parent / "strategies" / "chain.jsonl.gz"
STEPS = (240, 320, 400, 480, 560, 640, 800, 1040, 1280, 1600)
"""Checkpoints, of 1,600 steps."""
NUM_PROBLEMS, NUM_SAMPLES, TEMPERATURE = 250, 64, 0.8
SCORER_PROBLEMS, SCORER_SAMPLES, SCORER_CHECKPOINTS = 1000, 16, 2
"""Of each checkpoint: graded samples for the reward models of later ones, each of which is trained on the last two."""
SEARCH_SIZES, WIDTH = (4, 8, 16), 4
SEGMENT_RULE = SegmentRule(ends=("+", "="), max_tokens=64, max_segments=12)
TEMPERATURES = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4)
TEMPERATURE_STEPS = (400, 800)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RECORD)
    parser.add_argument("--set", action="append", default=[], help="a setting of the recipe, key=value")
    arguments = parser.parse_args()
    config = load_recipe("chain", arguments.set)
    RECORD.parent.mkdir(exist_ok=True)
    partial = arguments.out.with_suffix(".part")
    with gzip.open(partial, "wb") as file:
        file.write(msgspec.json.encode({"config": config_to_builtins(config), "spec": spec_for(config)}) + b"\n")
        for checkpoint in recorded(config):
            file.write(msgspec.json.encode(checkpoint) + b"\n")
            print(f"step {checkpoint['step']}", flush=True)
    partial.replace(arguments.out)


def recorded(config: RunConfig) -> Any:
    """One record a checkpoint, while the run trains."""
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    task, train, cost = config.task, config.train, cost_of(config)
    assert isinstance(task, Chain)
    model = Transformer(config.model.shape_for(task))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=train.learning_rate, betas=(0.9, 0.95), weight_decay=train.weight_decay
    )
    problems = task.problems("test", NUM_PROBLEMS)
    for_scorer = task.problems("train", SCORER_PROBLEMS, seed=1)
    batches = training_batches(task, train, config.seed)
    graded: list[list[GradedSample]] = []
    weights: dict[str, torch.Tensor] | None = None
    for step in range(1, train.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, train)
        train_step(model, optimizer, batches(step), task.prompt_tokens, train.clip_norm)
        if step not in STEPS:
            continue
        sampler, seed = sampler_for(model, task), (config.seed << 32) + step
        saved_reward = trained(graded, config, weights)
        record = {
            "step": step,
            "train_flops": cost.train_flops(step * train.batch_size, sequence_tokens(task)),
            "reward_model": saved_reward.report if saved_reward else None,
        }
        record |= pool(task, sampler, problems, saved_reward, TEMPERATURE, seed)
        if saved_reward is not None:
            record["searches"] = list(searches(task, sampler, problems, saved_reward, cost, seed))
        if step in TEMPERATURE_STEPS:
            record["temperatures"] = [
                pool(task, sampler, problems, None, temperature, seed) for temperature in TEMPERATURES
            ]
        yield record
        draws = sampler.sample(for_scorer, SCORER_SAMPLES, temperature=TEMPERATURE, seed=seed + 2**31)
        graded.append(
            [
                (problem, each.text, task.check(problem, each.text))
                for problem, draw in zip(for_scorer, draws, strict=True)
                for each in draw.completions
            ]
        )
        weights = {name: value.detach().clone() for name, value in model.state_dict().items()}


def trained(
    graded: Sequence[list[GradedSample]], config: RunConfig, weights: dict[str, torch.Tensor] | None
) -> TrainedRewardModel | None:
    """The reward model that earlier checkpoints allow; None while hardly anything was solved."""
    samples = [each for part in graded[-SCORER_CHECKPOINTS:] for each in part]
    if sum(right for _, _, right in samples) < 50:
        return None
    shape = config.model.shape_for(config.task)
    return train_reward_model(
        samples, config.task, shape, policy=weights, settings=RewardModelSettings(epochs=4), seed=config.seed
    )


def pool(
    task: Chain,
    sampler: TransformerSampler,
    problems: Sequence[Problem],
    saved_reward: TrainedRewardModel | None,
    temperature: float,
    seed: int,
) -> dict[str, Any]:
    """Greedy and 64 sampled answers of every problem, and what the reward model says of them."""
    hidden = [dataclasses.replace(each, reference=None) for each in problems]
    greedy = sampler.sample(hidden, 1, temperature=0.0, seed=seed)
    draws = sampler.sample(hidden, NUM_SAMPLES, temperature=temperature, seed=seed)
    record: dict[str, Any] = {
        "temperature": temperature,
        "prompt_tokens": task.prompt_tokens,
        "greedy": verdicts(task, problems, greedy),
        "greedy_tokens": sum(draw.completions[0].output_tokens for draw in greedy),
        "correct": verdicts(task, problems, draws),
        "answers": [[task.answer(each.text) for each in draw.completions] for draw in draws],
        "output_tokens": sum(each.output_tokens for draw in draws for each in draw.completions),
    }
    if saved_reward is not None:
        rewards = saved_reward.reward_model(task).score(
            [
                Prefix(problem=problem, text=each.text)
                for problem, draw in zip(hidden, draws, strict=True)
                for each in draw.completions
            ]
        )
        values = iter(rewards)
        record["scores"] = [[round(next(values).value, 4) for _ in draw.completions] for draw in draws]
        record["read_tokens"] = sum(each.read_tokens for each in rewards)
    return record


def verdicts(task: Chain, problems: Sequence[Problem], draws: Sequence[Draw]) -> list[str]:
    return [
        "".join("01"[task.check(problem, each.text)] for each in draw.completions)
        for problem, draw in zip(problems, draws, strict=True)
    ]


def searches(
    task: Chain,
    sampler: TransformerSampler,
    problems: Sequence[Problem],
    saved_reward: TrainedRewardModel,
    cost: ModelCost,
    seed: int,
) -> Any:
    """Each search at each size: chance that each problem is solved under each rule of choice, and its price."""
    tools = Tools(
        sampler=sampler,
        temperature=TEMPERATURE,
        seed=seed + 2**30,
        answers=SameText(task.answer),
        reward_model=saved_reward.reward_model(task),
        width=WIDTH,
        segments=SEGMENT_RULE,
    )
    for strategies in by_search(each for each in STRATEGIES.values() if Need.SEGMENTS in each.needs):
        for size in SEARCH_SIZES:
            results, rows = graded_search(strategies[0], problems, size, tools, task)
            answers = [answers_of(each.candidates, SameText(task.answer)) for each in results]
            rewards = [[path.reward for path in each.candidates] for each in results]
            prices = [search_flops(cost, saved_reward.cost, each.cost) for each in results]
            reread = [search_flops(cost, saved_reward.cost, each.cost, incremental=False) for each in results]
            yield {
                "strategy": strategies[0].search,
                "k": size,
                "accuracy": {
                    str(each.rule): [round(right, 4) for right in chances(each, answers, rewards, rows)]
                    for each in strategies
                },
                "model_flops": [each.model_flops for each in prices],
                "reward_flops": [each.reward_flops for each in prices],
                "verifier_reread_flops": sum(each.reward_flops for each in reread) / len(reread),
                "output_tokens": sum(each.cost.output_tokens for each in results) / len(results),
            }


if __name__ == "__main__":
    main()
