"""Whether averaged weights foretell a cooldown, and the end of a run whose learning rate is still to decay.

    python benchmarks/averaging_forecast.py      from benchmarks/averaging and benchmarks/suite; 10 seconds

Twice the same question, of two things to be foretold: by how many logits does the accuracy rise? The prior is that of
`stopping/stack.py`; the average says: by as much as the average of the weights is ahead now.
"""

from collections.abc import Callable, Iterator

import numpy as np
from averaging import FOLDER, RECIPES, SHARES, Point, greedy_P, load
from recorded import SUITE
from recorded import load as load_run
from scipy.special import logit

from breakeven.records import RunSpec
from breakeven.stopping.cooldown import expected_accuracy
from breakeven.stopping.density import NODES, Floats, mixed, quantile, raised
from breakeven.stopping.members import Curve
from breakeven.stopping.stack import decayed, gains_of, members_of
from breakeven.ttc.tally import learning_point

SPREAD = 0.25
"""Of the average's lead about the gain, in logits: noise of 200 problems, and what it is not."""
NEAR = 0.02
BUDGET = 1e30
"""Of a run without a decay of its own."""


def main() -> None:
    found = {recipe: load(FOLDER / f"{recipe}.jsonl.gz") for recipe in RECIPES}
    print(
        "| a cooldown at once | foretold by | median error, logits | RMSE, logits | in the 90 % interval "
        "| its width, points |"
    )
    print("| --- " * 6 + "|")
    points = [point for _, each in found.values() for point in each]
    for name, told in (("the prior on the raw accuracy", by_prior), ("the average", by_average)):
        rows = np.array([(logit_of(cooled := rate(point.cooled)), cooled, *told(point)) for point in points])
        error = np.array([logit_of(each) for each in rows[:, 2]]) - rows[:, 0]
        inside = (rows[:, 3] <= rows[:, 1]) & (rows[:, 1] <= rows[:, 4])
        print(
            f"| {len(points)} places | {name} | {np.median(np.abs(error)):.2f} "
            f"| {np.sqrt(np.square(error).mean()):.2f} | {inside.mean():.0%} "
            f"| {100 * (rows[:, 4] - rows[:, 3]).mean():.0f} |"
        )
    print("\n| the end after its own decay | seen | foretold by | MAE, points | log score | in the 90 % interval |")
    print("| --- " * 6 + "|")
    for recipe, (head, each) in found.items():
        for share, point in zip(SHARES, each, strict=True):
            used = point.raw.train_flops / head.budget_flops
            lead = logit_of(rate(point.average)) - logit_of(rate(point.raw))
            for name, gain in (("the prior", by_stack), ("the average", lambda cdf, _, by=lead: risen(cdf, by))):
                scored = np.array(list(ends(recipe, used, gain)))
                if len(scored):
                    error, score, inside = scored.mean(axis=0)
                    print(f"| {recipe} | {share:.0%} | {name} | {100 * error:.1f} | {score:.2f} | {inside:.0%} |")


def rate(observation) -> float:
    return float(greedy_P(observation).mean())


def logit_of(accuracy: float, problems: int = 200) -> float:
    return float(logit((accuracy * problems + 0.5) / (problems + 1)))


def by_prior(point: Point) -> tuple[float, float, float]:
    return expected_accuracy(rate(point.raw), [learning_point(point.raw)], RunSpec(budget_flops=BUDGET))


def by_average(point: Point) -> tuple[float, float, float]:
    points = [learning_point(point.average)]
    return expected_accuracy(rate(point.average), points, RunSpec(budget_flops=BUDGET), is_average=True)


def by_stack(cdf: Floats, curve: Curve) -> Floats:
    return decayed(cdf, 1.0, gains_of(curve))


def risen(cdf: Floats, lead: float) -> Floats:
    off = np.linspace(-2.0, 2.0, 9)
    return mixed(np.exp(-np.square(off) / 2.0), [raised(cdf, lead + SPREAD * each) for each in off])


def ends(recipe: str, used: float, gain: Callable[[Floats, Curve], Floats]) -> Iterator[tuple[float, float, bool]]:
    """(error, log score, inside) of the end of each seed's recorded run, foretold from so much of it."""
    for path in sorted(SUITE.glob(f"{recipe}-seed*.jsonl.gz")):
        run = load_run(path)
        if not run.spec.decay_share:
            continue
        seen = [each for each in run.validation if each.train_flops <= used * run.spec.budget_flops * (1 + 1e-6)]
        losses = np.array([np.nan if each.validation_loss is None else each.validation_loss.mean for each in seen])
        curve = Curve(
            share=np.array([each.train_flops / run.spec.budget_flops for each in seen]),
            accuracy=np.array([each.bank.greedy_accuracy for each in seen]),
            num_problems=seen[0].bank.num_problems,
            loss=losses if np.isfinite(losses).any() else np.empty(0),
        )
        spoken = members_of(curve).values()
        cdf = gain(mixed([weight for weight, _ in spoken], [each for _, each in spoken]), curve)
        end = run.validation[-1].bank.greedy_accuracy
        density = np.interp(min(1.0, end + NEAR), NODES, cdf) - np.interp(end - NEAR, NODES, cdf)
        inside = quantile(cdf, 0.05) <= end <= quantile(cdf, 0.95)
        yield abs(quantile(cdf, 0.5) - end), float(np.log(density)), inside


if __name__ == "__main__":
    main()
