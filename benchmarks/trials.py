"""How many trials each method takes on two problems whose best configuration is known, and how far its winner is off.

`python benchmarks/trials.py`, about a minute. Each method begins with the same default, then makes as many trials as it
needs, at most `--trials`. First every trial shows the true accuracy: after how many is the best within a point of the
optimum? Then a trial shows the accuracy on 128 problems: what does the winner seem to be worth, what is it worth?
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median, stdev

from breakeven.plan.trials.at_random import AtRandom
from breakeven.plan.trials.bayesian import Bayesian
from breakeven.plan.trials.exhaustive import Exhaustive
from breakeven.plan.trials.factorised import Factorised
from breakeven.plan.trials.method import Method, run_trials
from breakeven.plan.trials.outcome import outcome_of
from breakeven.plan.trials.reinforce import Reinforce
from breakeven.plan.trials.rules import Rules
from breakeven.plan.trials.synthetic import Synthetic, graph, pipeline
from breakeven.records import NORMAL_95

POINT = 0.01
METHODS: dict[str, Callable[[Synthetic, int], Method]] = {
    "random": lambda problem, seed: AtRandom(seed=seed),
    "bayesian": lambda problem, seed: Bayesian(problem.space, seed=seed),
    "reinforce": lambda problem, seed: Reinforce(problem.space, seed=seed),
    "rules": lambda problem, seed: Rules(problem.moves, seed=seed),
}


@dataclass(frozen=True, kw_only=True)
class Reached:
    """Of one seed, every trial showing the truth."""

    trials: float
    """Until the best is within a point of the optimum; infinity: not within those that were made."""
    flops: float
    best: float


def reached(problem: Synthetic, method: Method, optimum: float, num_trials: int, seed: int) -> Reached:
    """One run of a method without noise."""
    evaluate = partial(problem.evaluate, num_problems=None)
    archive = run_trials(problem.space, evaluate, method, num_trials=num_trials, first=[problem.default], seed=seed)
    spent, best, at = 0.0, -math.inf, (math.inf, math.inf)
    for trial in archive.trials:
        spent, best = spent + trial.flops, max(best, trial.quality.value)
        if best > optimum - POINT and math.isinf(at[0]):
            at = (trial.number, spent)
    return Reached(trials=at[0], flops=at[1], best=best)


def interval(values: list[float]) -> str:
    """Mean and 90 % interval over seeds, in points."""
    half = NORMAL_95 * stdev(values) / math.sqrt(len(values))
    return f"{100 * fmean(values):+.1f} ({100 * (fmean(values) - half):+.1f} to {100 * (fmean(values) + half):+.1f})"


def number(value: float, unit: str = ".0f") -> str:
    """A median, or that there is none."""
    return "none" if math.isinf(value) else f"{value:{unit}}"


def main() -> None:
    """Print two tables a problem."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    for problem in (pipeline(), graph()):
        truths = [problem.truth(each) for each in problem.space.iterate() if problem.space.allows(each)]
        optimum, default = max(truths), problem.truth(problem.default)
        close = sum(each > optimum - POINT for each in truths)
        print(
            f"\n{problem.name}: {len(truths):,} of {problem.space.size:,} configurations are within the budget, ",
            end="",
        )
        print(f"{close} of them within a point of the optimum, {optimum:.3f}; the default is {default:.3f}")
        print("\n| method | trials to within a point | FLOPs of them | best of all trials |\n|---|---|---|---|")
        exact: dict[str, Callable[[], Method]] = {"exhaustive": partial(Exhaustive, problem.space)}
        if problem.stages:
            exact["factorised"] = partial(Factorised, problem.space, problem.stages)
        for name, make in exact.items():
            run = reached(problem, make(), optimum, len(truths), 0)
            print(f"| {name} | {number(run.trials)} | {number(run.flops, '.1e')} | {run.best:.3f} |")
        for name, method in METHODS.items():
            runs = [
                reached(problem, method(problem, seed), optimum, options.trials, seed) for seed in range(options.seeds)
            ]
            trials, flops = median(each.trials for each in runs), median(each.flops for each in runs)
            best = fmean(each.best for each in runs)
            print(f"| {name} | {number(trials)} | {number(flops, '.1e')} | {best:.3f} |")
        print("\n| method | seen by the trials | true | optimism | left after measuring again | queries |")
        print("|---|---|---|---|---|---|")
        for name, method in METHODS.items():
            seen, true, without, again, queries = [], [], [], [], []
            for seed in range(options.seeds):
                archive = run_trials(
                    problem.space,
                    partial(problem.evaluate, seed=seed),
                    method(problem, seed),
                    num_trials=options.trials,
                    first=[problem.default],
                    seed=seed,
                )
                fresh = partial(problem.evaluate, num_problems=512, seed=10_000 + seed)
                found = outcome_of(archive, fresh, problem.option, default=problem.default)
                truth = problem.truth(found.winner.settings)
                seen.append(found.seen.value)
                true.append(truth)
                without.append(found.seen.value - truth)
                again.append(found.winner.quality.value - truth)
                queries.append(found.search_queries)
            print(
                f"| {name} | {fmean(seen):.3f} | {fmean(true):.3f} | {interval(without)} | {interval(again)} "
                f"| {median(queries):.0f} |"
            )


if __name__ == "__main__":
    main()
