"""A strategy written here, by its name or as a value: measured, priced, decided by, replayed and served."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError
from breakeven.records import Draw, Problem, RunSpec
from breakeven.records.agree import SameText
from breakeven.session.replay import replay
from breakeven.session.session import Session
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.patience import Patience, policy_settings
from breakeven.store import Header, RunLog, read_log
from breakeven.testing import RateSampler, RateVerifier
from breakeven.ttc.evaluate import accuracy_per_problem, evaluate
from breakeven.ttc.pool import Pool
from breakeven.ttc.poststrata import shift_to_all
from breakeven.ttc.search.adaptive import draw_until
from breakeven.ttc.search.trees import Path as Sample
from breakeven.ttc.search.trees import SearchResult
from breakeven.ttc.strategies.measured import Measured
from breakeven.ttc.strategies.named import strategy_of
from breakeven.ttc.strategies.strategy import Need, Strategy, Tools
from breakeven.ttc.tally import tally_of


def in_a_row(pool: Pool, k_values: Sequence[int]) -> Measured:
    """The first answer that two samples in a row agree on, else the last sample's, in the order they were drawn."""
    accuracy_PK, samples_PK = np.zeros((2, pool.num_problems, len(k_values)))
    assert pool.label_PN is not None
    for problem, row in enumerate(pool.label_PN.tolist()):
        for column, k in enumerate(k_values):
            end = next((place for place in range(1, k) if row[place] == row[place - 1]), k - 1)
            accuracy_PK[problem, column], samples_PK[problem, column] = pool.correct_PN[problem, end], end + 1
    exact = np.zeros(len(k_values))
    return Measured(
        k_values=tuple(k_values), accuracy_PK=accuracy_PK, monte_carlo_error_K=exact, expected_samples_PK=samples_PK
    )


def draw_in_a_row(problems: Sequence[Problem], k: int, tools: Tools) -> list[SearchResult]:
    def stop(problem: Problem, drawn: Sequence[Sample]) -> tuple[int | None, bool]:
        return len(drawn) - 1, len(drawn) > 1 and drawn[-1].text == drawn[-2].text

    return draw_until(
        problems, tools.sampler, stop, max_samples=k, temperature=tools.temperature, seed=tools.seed, first_round=1
    )


IN_A_ROW = Strategy(name="in_a_row", needs=(Need.ANSWERS,), measure=in_a_row, draw=draw_in_a_row)
NAME = f"{__name__}:IN_A_ROW"

COST = ModelCost(body_params=100, head_params=10)
SPEC = RunSpec(budget_flops=20 * 2000 * 3 * 2 * 110 * 10, decay_share=0.0, baseline="sampled")
POLICY = Patience(CalibratedPolicy(strategies=(NAME,), max_evaluation_share=0.5), 1)
HEADER = Header(versions={}, config={}, spec=SPEC, policy=policy_settings(POLICY), seed=0)
PROBLEMS = [Problem(id=str(number), prompt=str(number), reference="gold") for number in range(250)]


class Unsteady:
    """Even its greedy sample is right with the known rate only."""

    def __init__(self, rates: dict[str, float]) -> None:
        self.inner = RateSampler(rates)

    def sample(self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        return self.inner.sample(problems, num_samples, temperature=1.0, seed=seed if temperature else seed + (1 << 40))


def run(log: RunLog) -> tuple[Session, Unsteady]:
    rates = {each.id: 0.0 for each in PROBLEMS}
    sampler = Unsteady(rates)
    session = Session(
        sampler=sampler,
        verifier=RateVerifier(),
        problems=PROBLEMS,
        cost=COST,
        sequence_tokens=10,
        spec=SPEC,
        policy=POLICY,
        num_samples=16,
        extract=str,
        log=log,
    )
    for step in range(1, 21):
        # Soon right more often than not, so that two in a row are better than one.
        rates.update(dict.fromkeys(rates, 0.7 * (1 - 0.5**step)))
        if session.observe(step=step, train_tokens=step * 20_000).stop:
            break
    return session, sampler


def test_it_is_measured_priced_chosen_replayed_and_served(tmp_path: Path) -> None:
    with RunLog.create(tmp_path, HEADER) as log:
        session, sampler = run(log)
    stopped = session.stopped_at
    assert stopped is not None
    serving, observation = stopped.decision.serving, stopped.observation
    assert serving is not None
    assert (serving.strategy, serving.deployable) == (NAME, True)
    assert serving.expected_samples is not None
    assert 2 <= serving.expected_samples < serving.k
    assert serving.flops_per_query == pytest.approx(observation.query_flops.total(serving.expected_samples))

    recorded = read_log(tmp_path)
    replayed = replay([each.observation for each in recorded.checkpoints], SPEC, POLICY)
    assert list(replayed) == [each.decision for each in recorded.checkpoints]

    queries = [Problem(id=each.id, prompt=each.prompt) for each in PROBLEMS]
    tools = [Tools(sampler=sampler, temperature=0.8, seed=seed, answers=SameText(str)) for seed in range(8)]
    served = [each for one in tools for each in strategy_of(NAME).serve(queries, serving.k, one)]
    right = [each.served is not None and each.served.text == "right" for each in served]
    assert np.mean(right) == pytest.approx(serving.accuracy, abs=0.1)
    assert np.mean([each.cost.num_samples for each in served]) == pytest.approx(serving.expected_samples, abs=0.3)


def test_a_value_is_measured_as_its_name_is(tmp_path: Path) -> None:
    with RunLog.create(
        tmp_path, Header(versions={}, config={}, spec=SPEC, policy=policy_settings(POLICY), seed=0)
    ) as log:
        session, _ = run(log)
    tally = tally_of(session.checkpoints[-1].observation.bank)
    (named,), (value,) = (evaluate(tally, max_k=8, strategies=[each]) for each in (NAME, IN_A_ROW))
    assert (named.strategy, value.strategy) == (NAME, "in_a_row")
    assert (named.accuracy_K, named.expected_samples_K) == (value.accuracy_K, value.expected_samples_K)
    k = named.k_values[-1]
    accuracy_P = accuracy_per_problem(tally, NAME, k)
    assert tally.greedy_P is not None
    (shift,) = shift_to_all(accuracy_P[:, None], tally.greedy_P[tally.samples_P > 0], tally.left_out)
    assert accuracy_P.mean() + shift == pytest.approx(named.accuracy_K[-1])


def test_a_name_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"which has no IN_A_COLUMN; got .*"):
        strategy_of(f"{__name__}:IN_A_COLUMN")
