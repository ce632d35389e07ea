"""The forms of T^2 on recorded runs: fitted on the first half of the training, held to the second.

    python benchmarks/laws.py [NAME...]

Pass@K of 1 to 32 on the test problems at each checkpoint, from 64 samples a problem. NAME is of a run in
benchmarks/suite; all by default, seed 0. Checkpoints at which a Pass@K is 0 are left out, for laws are fitted in logs.
About a minute on one core.
"""

import sys
from collections.abc import Callable

import numpy as np
from recorded import SUITE, Run, load

from breakeven.plan.laws.fit import Fitted, fit_law
from breakeven.plan.laws.law import Law, Mask, Points, points_of
from breakeven.plan.laws.t2 import t2_additive, t2_beta, t2_product
from breakeven.ttc.evaluate import accuracy_per_problem
from breakeven.ttc.tally import tally_of

K = (1, 2, 4, 8, 16, 32)


def points_in(run: Run) -> tuple[Points, Mask]:
    """Accuracy by training tokens and K, and which of them are of the second half."""
    rows = [
        (point.train_tokens, k, float(accuracy_per_problem(tally_of(point.bank), "pass@k", k).mean()))
        for point in run.test
        if point.train_tokens
        for k in K
    ]
    zero = {tokens for tokens, _, accuracy in rows if accuracy == 0.0}
    tokens, k, accuracy = map(list, zip(*(row for row in rows if row[0] not in zero), strict=True))
    late = np.array(tokens) > run.test[-1].train_tokens / 2
    groups = [str(each) for each in tokens]
    return points_of({"train_tokens": tokens, "k": k}, accuracy, groups=groups), late


def held_to_the_second_half(run: Run, form: Callable[..., Law]) -> Fitted:
    """A form of T^2 with its error."""
    points, late = points_in(run)
    return fit_law(form("train_tokens"), points, held_out=late, draws=1)


def main() -> None:
    """Print a line a run."""
    names = sys.argv[1:] or sorted(path.name.removesuffix(".jsonl.gz") for path in SUITE.glob("*-seed0.jsonl.gz"))
    print("| run | points | additive | product | Beta | mean of the first half |")
    print("|---|---|---|---|---|---|")
    for name in names:
        run = load(SUITE / f"{name}.jsonl.gz")
        found = [held_to_the_second_half(run, form) for form in (t2_additive, t2_product, t2_beta)]
        errors = " | ".join(f"{100 * each.error:.1f}" for each in found)
        print(f"| {name} | {found[0].num_points} | {errors} | {100 * found[0].mean_error:.1f} |", flush=True)


if __name__ == "__main__":
    main()
