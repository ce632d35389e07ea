"""How the calibrated K-curve fares on solve rates of known shapes, Beta laws and others.

python benchmarks/solve_rate_shapes.py     under a minute on one core; the table of docs/design/calibrated-estimators.md
"""

import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from breakeven import extrapolate_pass_at_k

NUM_BANKS, NUM_PROBLEMS, NUM_SAMPLES = 1000, 200, 4
K_VALUES = (4, 16, 64)
Rates = npt.NDArray[np.float64]
LAWS: dict[str, Callable[[np.random.Generator], Rates]] = {
    "Beta(0.1, 0.8)": lambda rng: rng.beta(0.1, 0.8, NUM_PROBLEMS),
    "Beta(0.3, 60)": lambda rng: rng.beta(0.3, 60, NUM_PROBLEMS),
    "uniform": lambda rng: rng.random(NUM_PROBLEMS),
    "all at 0.1": lambda rng: np.full(NUM_PROBLEMS, 0.1),
    "logit-normal(-3, 2)": lambda rng: 1 / (1 + np.exp(3 - 2 * rng.standard_normal(NUM_PROBLEMS))),
    "half unsolvable, the rest Beta(1, 3)": lambda rng: rng.beta(1, 3, NUM_PROBLEMS) * (rng.random(NUM_PROBLEMS) < 0.5),
    "half at 0.02, half at 0.9": lambda rng: np.where(rng.random(NUM_PROBLEMS) < 0.5, 0.02, 0.9),
}


def main() -> None:
    sys.stdout.write(f'| {NUM_PROBLEMS} problems that are | estimate, median | truth, median | "these" hold |\n')
    sys.stdout.write("|---|---|---|---|\n")
    for number, (name, law) in enumerate(LAWS.items()):
        rng = np.random.default_rng((2026, number))
        estimates, truths, holds = [], [], []
        for _ in range(NUM_BANKS):
            rate_P = law(rng)
            curve = extrapolate_pass_at_k(rng.binomial(NUM_SAMPLES, rate_P), NUM_SAMPLES, K_VALUES, method="calibrated")
            truth_K = [float(np.mean(1 - (1 - rate_P) ** k)) for k in K_VALUES]
            estimates.append(curve.accuracy_K)
            truths.append(truth_K)
            holds.append([lo <= t <= hi for lo, t, hi in zip(curve.lo_K, truth_K, curve.hi_K, strict=True)])
        cells = [" / ".join(f"{value:.2f}" for value in np.median(each, axis=0)) for each in (estimates, truths)]
        cells.append(" / ".join(f"{value:.0%}" for value in np.mean(holds, axis=0)))
        sys.stdout.write(f"| {name} | {' | '.join(cells)} |\n")


if __name__ == "__main__":
    main()
