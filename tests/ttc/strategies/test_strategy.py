"""A strategy as a value: what it says of itself, and that it serves what it was measured to serve."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Prefix, Problem, Reward, SegmentRule
from breakeven.records.agree import SameText
from breakeven.testing import DigitSampler, NoisyReward, RateSampler, RateVerifier, right_so_far
from breakeven.ttc.pool import Pool
from breakeven.ttc.strategies.named import STRATEGIES, strategies_of, strategy_of
from breakeven.ttc.strategies.on_pool import measure, pool_has
from breakeven.ttc.strategies.strategy import Basis, Need, Strategy, Tools

SAMPLER = RateSampler({f"problem {number}": 0.6 for number in range(400)})


class Knows:
    """Rewards what is right, and notes what it is asked."""

    kind: Literal["outcome"] = "outcome"

    def __init__(self) -> None:
        self.asked = 0

    def score(self, prefixes: Sequence[Prefix]) -> list[Reward]:
        assert all(each.problem.reference is None for each in prefixes)
        self.asked += len(prefixes)
        return [Reward(value=float(each.text == "right"), read_tokens=9) for each in prefixes]


def tools(**changes: Any) -> Tools:
    known: dict[str, Any] = {
        "sampler": SAMPLER,
        "temperature": 1.0,
        "answers": SameText(str),
        "verifier": RateVerifier(),
        "reward_model": Knows(),
    }
    return Tools(**(known | changes))


# -- what it says of itself -------------------------------------------------------------------------------------------


def test_the_price_of_each_follows_from_what_it_needs() -> None:
    prices = {name: each.price for name, each in STRATEGIES.items() if not each.search}
    assert {name for name, price in prices.items() if price == "rewards"} == {"best_of_n", "weighted_vote"}
    assert {name for name, price in prices.items() if price == "verdicts"} == {"generative_verification"}
    assert {each.price for each in STRATEGIES.values() if each.search} == {"search"}


def test_only_what_needs_a_verifier_may_be_an_oracle() -> None:
    assert [name for name, each in STRATEGIES.items() if not each.deployable(oracle=True)] == ["pass@k"]
    assert all(each.deployable(oracle=False) for each in STRATEGIES.values())


def test_each_takes_its_own_sizes() -> None:
    k_values = [1, 2, 4, 6, 8]
    sizes = {name: each.sizes(k_values, width=4) for name, each in STRATEGIES.items()}
    assert sizes["dvts/best_of_n"] == sizes["beam_search/majority_vote"] == (4, 8)
    assert sizes["k_by_difficulty"] == (4, 6, 8)
    others = {name for name, found in sizes.items() if found == tuple(k_values)}
    assert others >= {"greedy", "pass@k", "settled_vote", "rebase/best_of_n", "revision/last"}


def test_a_search_is_named_alone_for_all_its_rules_that_can_be_had() -> None:
    assert [each.name for each in strategies_of(["pass@k", "dvts", "pass@k"])] == [
        "pass@k",
        *("dvts/best_of_n", "dvts/weighted_vote", "dvts/majority_vote"),
    ]
    assert len(strategies_of(["revision"], has=[Need.REVISIONS])) == 2
    assert len(strategies_of(["revision"], has=[Need.REVISIONS, Need.REWARDS])) == 4
    assert len(strategies_of(["dvts"], has=[])) == 3, "what lacks something is not left out in silence"
    assert strategies_of(["dvts/vote"]) == (STRATEGIES["dvts/majority_vote"],)


def test_what_a_pool_has() -> None:
    scores = np.array([[0.1, 0.9]])
    pool = Pool(correct_PN=scores > 0.5, label_PN=np.array([[0, -1]], dtype=np.int16), score_PN=scores)
    assert pool_has(pool) == {Need.ANSWERS, Need.REWARDS, Need.WEIGHTS}
    assert pool_has(replace(pool, score_PN=np.array([[0.1, 9.0]]))) >= {Need.WEIGHTS}, "it does not vote"
    assert pool_has(replace(pool, score_PN=9.0 * scores[:, ::-1])) == {Need.ANSWERS, Need.REWARDS}
    assert pool_has(None) == set()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "measure must be given for mine, which is measured on a pool"),
        ({"basis": Basis.SEARCH, "search": "mine"}, "search, draw and rule must be given for mine, which searches"),
    ],
)
def test_a_value_that_says_too_little_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Strategy(name="mine", **settings)


def test_a_name_of_something_else_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"policy.strategies must name a Strategy, as math:pi does not; got 3.14"):
        strategy_of("math:pi", "policy.strategies")
    with pytest.raises(ArgumentError, match=r"strategy must be among greedy, .*, or package.module:name; got 'grady'"):
        strategy_of("grady")


# -- how it serves ----------------------------------------------------------------------------------------------------


SERVED = [name for name, each in STRATEGIES.items() if each.draw and not each.search and each.basis is not Basis.PASSES]


@pytest.mark.parametrize("name", SERVED)
def test_what_is_served_is_as_good_and_takes_as_many_samples_as_measured(name: str) -> None:
    """K = 5 of samples that are right with a chance of 0.6, measured on other samples than are served."""
    strategy = STRATEGIES[name]
    served = strategy.serve(SAMPLER.problems, 1 if name == "greedy" else 5, tools(num_verdicts=1))
    accuracy = np.mean([each.served is not None and each.served.text == "right" for each in served])
    samples = np.mean([each.cost.num_samples for each in served])
    if strategy.measure is None:
        assert accuracy == samples == 1.0, "at temperature 0 the more likely text"
        return
    correct_PN = np.random.default_rng(0).random((2000, 5)) < 0.6
    pool = Pool(
        correct_PN=correct_PN,
        label_PN=correct_PN.astype(np.int16),
        score_PN=correct_PN.astype(float),
        verdict_PNV=correct_PN[:, :, None].astype(np.int8),
    )
    measured = measure(pool, strategy, [5])
    samples_PK = measured.expected_samples_PK if strategy.samples is None else strategy.samples(pool, [5])
    assert accuracy == pytest.approx(measured.accuracy_K[0], abs=0.08)
    assert samples == pytest.approx(5.0 if samples_PK is None else samples_PK.mean(), abs=0.2)
    assert all((each.cost.num_scored > 0) == (strategy.price in ("rewards", "verdicts")) for each in served)


def test_a_reward_model_is_asked_only_where_one_is_needed() -> None:
    for name, asked in (("majority_vote", 0), ("revision/last", 0), ("revision/best_of_n", 6), ("best_of_n", 6)):
        reward_model = Knows()
        sampler = RateSampler({"a": 0.5, "a (attempt 2)": 0.5, "a (attempt 3)": 0.5, "b": 0.5} | _attempts("b"))
        problems = [Problem(id=each, prompt=each, reference="gold") for each in "ab"]
        STRATEGIES[name].serve(problems, 3, tools(sampler=sampler, reward_model=reward_model))
        assert reward_model.asked == asked, name


def _attempts(problem: str) -> dict[str, float]:
    return {f"{problem} (attempt {number})": 0.5 for number in (2, 3)}


@pytest.mark.parametrize("name", [name for name, each in STRATEGIES.items() if Need.SEGMENTS in each.needs])
def test_searches_serve_their_candidate_by_their_rule(name: str) -> None:
    strategy = STRATEGIES[name]
    digits = DigitSampler({f"problem {number}": 0.6 for number in range(5)}, num_steps=4)
    oracle = NoisyReward(right_so_far(digits))
    search = tools(sampler=digits, reward_model=oracle, segments=SegmentRule(ends=(";",), max_tokens=8))
    for result in strategy.serve(digits.problems, 4, search):
        assert result.served in result.candidates
        assert result.cost.num_scored > 0
        if strategy.rule == "best_of_n":
            finished = [path.reward for path in result.candidates if path.finished]
            assert result.served is not None
            assert result.served.reward == max(finished)
    if strategy.by_width:
        with pytest.raises(ArgumentError, match=f"k must be one that {name} takes; got 3"):
            strategy.serve(digits.problems, 3, search)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("pass@k", {"verifier": None}, "tools must hold a verifier for pass@k; got None"),
        ("majority_vote", {"answers": None}, "tools must hold answers for majority_vote"),
        ("best_of_n", {"reward_model": None}, "tools must hold rewards for best_of_n"),
        ("generative_verification", {}, "tools must hold verdicts for generative_verification"),
        ("dvts/best_of_n", {}, "tools must hold rewards of beginnings for dvts/best_of_n"),
        ("k_by_difficulty", {}, "strategy must be one that can be served; got 'k_by_difficulty'"),
    ],
)
def test_what_is_lacking_is_said_before_anything_is_drawn(name: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        STRATEGIES[name].serve(SAMPLER.problems, 4, tools(**changes))
