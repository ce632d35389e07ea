"""How often the 90 % intervals of `breakeven.ttc.class_scores` hold the truth, on classifiers of known truth.

    python benchmarks/class_scores.py                   # about 2 minutes of one core
    python benchmarks/class_scores.py --repeats 20      # a look

Two classes; a problem has a logit that leans to its class, and each noisy pass adds noise of its own. The truth is the
score on 400,000 problems. Holds: share of the repeats whose interval has the truth in it, of the score of a soft vote
of 4 out of 8 passes, and of its gain over the plain pass.
"""

import argparse

import numpy as np
import numpy.typing as npt

from breakeven.records import Score
from breakeven.ttc.class_scores import Served, class_scores, served_classes

METRICS = ("accuracy", "f1", "macro_f1", "matthews")
K, N = 4, 8
MANY = 400_000


def drawn(
    num_problems: int, positives: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], Served, npt.NDArray[np.float64]]:
    """Labels, what the plain pass serves, and the probabilities of the noisy passes."""
    label_P = (rng.random(num_problems) < positives).astype(np.int64)
    lean_P = 2.0 * label_P - 1.0 + rng.normal(size=num_problems) + np.log(positives / (1 - positives)) / 2
    positive_PN = 1.0 / (1.0 + np.exp(-2.0 * (lean_P[:, None] + rng.normal(size=(num_problems, N)))))
    plain = Served(strategy="greedy", k=1, class_PD=(lean_P > 0).astype(np.uint8)[:, None])
    return label_P, plain, np.stack([1.0 - positive_PN, positive_PN], axis=-1)


def scores(num_problems: int, positives: float, *, seed: int, num_sets: int, num_resamples: int) -> tuple[Score, ...]:
    """Of the soft vote, one a metric."""
    label_P, plain, probability_PNC = drawn(num_problems, positives, np.random.default_rng(seed))
    (class_PD,) = served_classes(probability_PNC, [K], shuffled=True, seed=seed, num_sets=num_sets)
    vote = Served(strategy="soft_vote", k=K, class_PD=class_PD)
    found = class_scores(
        label_P, [vote], METRICS, num_classes=2, baseline=plain, num_resamples=num_resamples, seed=seed
    )
    return tuple(each for each in found if each.strategy == "soft_vote")


def main() -> None:
    """Print one row a number of problems, share of positives and metric."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=400)
    repeats = parser.parse_args().repeats
    print("| problems | positives | metric | truth | score holds | gain | gain holds |\n|---|---|---|---|---|---|---|")
    for positives in (0.5, 0.1):
        truth = scores(MANY, positives, seed=1 << 20, num_sets=1, num_resamples=2)
        for num_problems in (50, 200, 1000):
            found = [
                scores(num_problems, positives, seed=seed, num_sets=16, num_resamples=400) for seed in range(repeats)
            ]
            for place, true in enumerate(truth):
                own = [each[place] for each in found]
                value = np.mean([each.lo <= true.value <= each.hi for each in own])
                gain = np.mean([each.gain_lo <= true.gain <= each.gain_hi for each in own])
                print(
                    f"| {num_problems} | {positives:.0%} | {true.metric} | {true.value:.3f} | {value:.2f} "
                    f"| {true.gain:+.3f} | {gain:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
