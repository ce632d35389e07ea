"""The risk of the calibrated policy, on simulated runs whose truth is known; benchmarks/risk.py counts many more."""

import pytest
from scipy.stats import binomtest

from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.course import Policy
from breakeven.stopping.decide import default_policy
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience
from breakeven.testing.simulated_runs import follow, random_run

pytestmark = pytest.mark.slow

FAMILIES = ("saturating", "power_law", "log_linear", "plateau", "rise_then_fall")
"""Those whose end the beginning foretells."""
NUM_RUNS = 150
MARGIN = CalibratedPolicy().margin


def bad_stops(policy: Policy, num_runs: int = NUM_RUNS) -> int:
    """Runs stopped with an accuracy truly below the full one less the margin: family, size and schedule vary."""
    bad = 0
    for seed in range(num_runs):
        run = random_run(
            FAMILIES[seed % len(FAMILIES)], seed=seed, num_problems=(200, 500)[seed // 5 % 2], decayed=seed % 3 == 0
        )
        decisions = follow(run, policy, run.spec())
        served = decisions[-1].serving
        if decisions[-1].stop and served is not None:
            reached = run.accuracy(len(decisions), served.strategy, served.k)
            bad += reached < run.full_accuracy - MARGIN
    return bad


@pytest.fixture(scope="module")
def calibrated_bad_stops() -> int:
    return bad_stops(default_policy())


def test_bad_stops_are_no_more_frequent_than_the_risk(calibrated_bad_stops: int) -> None:
    risk = CalibratedPolicy().risk
    assert binomtest(calibrated_bad_stops, NUM_RUNS, risk, alternative="greater").pvalue > 0.01, calibrated_bad_stops


@pytest.mark.parametrize("policy", [CalibratedPolicy(risk=0.5, certainty=0.5), PaperPolicy()])
def test_the_count_tells_a_careless_policy(policy: Policy) -> None:
    num_runs = NUM_RUNS // 2
    careless = bad_stops(Patience(policy, 1), num_runs)
    assert binomtest(careless, num_runs, CalibratedPolicy().risk, alternative="greater").pvalue < 0.01, careless
