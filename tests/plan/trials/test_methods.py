"""Every method on two problems whose best configuration is known; what each promises alone."""

import math
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from breakeven.errors import ArgumentError, MissingExtraError
from breakeven.plan.trials.archive import Archive, Evaluation, Refusal
from breakeven.plan.trials.at_random import AtRandom
from breakeven.plan.trials.bayesian import Bayesian
from breakeven.plan.trials.exhaustive import Exhaustive
from breakeven.plan.trials.factorised import Factorised
from breakeven.plan.trials.method import Method, run_trials
from breakeven.plan.trials.reinforce import Factors, Reinforce
from breakeven.plan.trials.rules import Rules, beside, scaled
from breakeven.plan.trials.space import Configuration, Space, boolean, categorical, integers
from breakeven.plan.trials.synthetic import Synthetic, graph, pipeline
from breakeven.records.options import Quality

PIPELINE, GRAPH = pipeline(), graph()
METHODS: dict[str, Callable[[Synthetic, int], Method]] = {
    "random": lambda problem, seed: AtRandom(seed=seed),
    "bayesian": lambda problem, seed: Bayesian(problem.space, seed=seed),
    "reinforce": lambda problem, seed: Reinforce(problem.space, seed=seed),
    "rules": lambda problem, seed: Rules(problem.moves, seed=seed),
}


def best_of(problem: Synthetic, name: str, *, trials: int, seed: int, num_problems: int | None = None) -> float:
    """The true accuracy of what a method finds."""
    evaluate = partial(problem.evaluate, num_problems=num_problems, seed=seed)
    archive = run_trials(problem.space, evaluate, METHODS[name](problem, seed), num_trials=trials, seed=seed)
    assert archive.best is not None
    return problem.truth(archive.best.configuration)


def test_the_pipeline_has_the_optimum_that_it_was_made_to_have() -> None:
    """72 B once, then 8 B as often as the rest of 900 units pays: (8/3) (256 + 29 x 64) / 64 - 2 = 86."""
    best: Configuration = {"retrieve_model": "72B", "retrieve_samples": 1, "answer_model": "8B", "answer_samples": 29}
    assert PIPELINE.truth(best) == max(map(PIPELINE.truth, filter(PIPELINE.space.allows, PIPELINE.space.iterate())))
    assert PIPELINE.space.cost(best) == PIPELINE.space.budget


# -- better than random at equal trials -------------------------------------------------------------------------------


ADDING = replace(
    GRAPH,
    name="adding",
    space=Space(
        choices=tuple(integers(f"c{number}", 0, 3) for number in range(8)),
        price=lambda each: float(sum(map(int, each.values()))),
        budget=16.0,
    ),
    truth=lambda each: sum((0.1, 0.5, 1.0, 0.3)[int(value)] for value in each.values()) / 8,
)
"""Eight choices that each add to the accuracy: what a method that learns anything learns."""


@pytest.mark.parametrize(
    ("problem", "name", "trials", "seeds", "margin"),
    [
        (PIPELINE, "rules", 30, 15, 0.03),
        (GRAPH, "rules", 60, 15, 0.0),
        (ADDING, "bayesian", 25, 4, 0.02),
        (ADDING, "reinforce", 120, 8, 0.05),
    ],
    ids=["pipeline-rules", "graph-rules", "adding-bayesian", "adding-reinforce"],
)
def test_it_beats_random_at_equal_trials(problem: Synthetic, name: str, trials: int, seeds: int, margin: float) -> None:
    """By more than a margin, one-sided at 95 %, over seeds. Where there is no such case, docs/trials.md says so."""
    runs = partial(best_of, problem, trials=trials)
    gains = np.array([runs(name, seed=seed) - runs("random", seed=seed) for seed in range(100, 100 + seeds)])
    assert gains.mean() - 1.65 * gains.std(ddof=1) / math.sqrt(seeds) > margin


@pytest.mark.parametrize("name", METHODS)
def test_it_is_a_function_of_its_seed_alone(name: str) -> None:
    def tried(seed: int) -> list:
        method = METHODS[name](GRAPH, seed)
        return run_trials(GRAPH.space, partial(GRAPH.evaluate, seed=seed), method, num_trials=14, seed=seed).trials

    assert tried(3) == tried(3)
    assert tried(3) != tried(4)


@pytest.mark.parametrize("name", METHODS)
def test_nothing_is_tried_twice_or_over_the_budget_and_a_small_space_is_tried_whole(name: str) -> None:
    """Of 2 x 3 x 2 configurations half are within the budget."""
    space = Space(
        choices=(categorical("model", "a", "b"), integers("samples", 1, 3), boolean("fuse")),
        price=lambda each: float(each["samples"]) * (1 + (each["model"] == "b")),
        budget=2.0,
    )
    small = replace(GRAPH, space=space, truth=lambda each: 0.1 * float(each["samples"]), moves=(beside(),))
    found = run_trials(space, partial(small.evaluate, num_problems=None), METHODS[name](small, 0), num_trials=50)
    tried = [space.key(each.configuration) for each in found.trials]
    assert sorted(tried) == sorted(space.key(each) for each in space.iterate() if space.allows(each))
    assert len(tried) == 6


@pytest.mark.parametrize("name", METHODS)
def test_a_space_of_one(name: str) -> None:
    space = Space(choices=(categorical("model", "only"),), price=lambda _: 1.0)
    only = replace(GRAPH, space=space, truth=lambda _: 0.5, moves=(beside(),))
    found = run_trials(space, only.evaluate, METHODS[name](only, 0), num_trials=5)
    assert [each.configuration for each in found.trials] == [{"model": "only"}]


@pytest.mark.parametrize("name", ["random", "rules"])
def test_more_trials_never_lower_the_best_that_was_seen(name: str) -> None:
    evaluate = partial(PIPELINE.evaluate, num_problems=None)
    for seed in range(3):
        archive = run_trials(PIPELINE.space, evaluate, METHODS[name](PIPELINE, seed), num_trials=40, seed=seed)
        values = [each.quality.value for each in archive.trials]
        found = [best_of(PIPELINE, name, trials=trials, seed=seed) for trials in (5, 10, 20, 40)]
        assert found == [max(values[:trials]) for trials in (5, 10, 20, 40)]


# -- exhaustive and factorised ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("budget_units", [40.0, 200.0, 900.0, 4000.0])
def test_the_factorised_choice_is_the_exhaustive_one_where_stages_factorise(budget_units: float) -> None:
    problem = pipeline(budget_units=budget_units, most_samples=12, coupling=0.0)
    evaluate = partial(problem.evaluate, num_problems=None)
    every = run_trials(problem.space, evaluate, Exhaustive(problem.space), num_trials=10_000)
    few = run_trials(problem.space, evaluate, Factorised(problem.space, problem.stages), num_trials=10_000)
    assert every.best is not None
    assert few.best is not None
    assert few.best.quality.value == every.best.quality.value
    assert len(few.trials) <= 2 * 3 * 12
    assert few.trials[-1].quality.value == few.best.quality.value  # the one that it puts together


def test_a_larger_budget_never_lowers_the_best() -> None:
    best = []
    for budget_units in (40.0, 100.0, 300.0, 900.0, 2000.0):
        problem = pipeline(budget_units=budget_units, most_samples=8)
        found = run_trials(
            problem.space, partial(problem.evaluate, num_problems=None), Exhaustive(problem.space), num_trials=10_000
        )
        assert len(found.trials) == sum(problem.space.allows(each) for each in problem.space.iterate())
        assert found.best is not None
        best.append(found.best.quality.value)
    assert best == sorted(best)


def test_sums_are_put_together_too() -> None:
    space = Space(
        choices=(integers("a", 0, 5), integers("b", 0, 5)), price=lambda e: float(e["a"]) + float(e["b"]), budget=6.0
    )

    def evaluate(each: Configuration) -> Evaluation:
        return Evaluation(
            quality=Quality(value=math.sqrt(float(each["a"])) + 2 * math.sqrt(float(each["b"]))), flops=1.0
        )

    few = run_trials(space, evaluate, Factorised(space, [["a"], ["b"]], combine="sum"), num_trials=100)
    assert few.best is not None
    assert few.best.configuration == {"a": 1, "b": 5}
    assert len(few.trials) == 12


def test_a_base_that_solves_nothing_ends_it() -> None:
    """Of a product nothing can be learned beside a factor of 0."""
    space = Space(choices=(integers("a", 0, 2), integers("b", 0, 2)), price=lambda each: float(each["a"]))

    def evaluate(each: Configuration) -> Evaluation:
        return Evaluation(quality=Quality(value=float(each["a"]) * float(each["b"])), flops=1.0)

    assert len(run_trials(space, evaluate, Factorised(space, [["a"], ["b"]]), num_trials=100).trials) == 5
    based = Factorised(space, [["a"], ["b"]], base={"a": 1, "b": 1})
    found = run_trials(space, evaluate, based, num_trials=100)
    assert found.trials[-1].configuration == {"a": 2, "b": 2}


def test_stages_must_share_out_the_choices() -> None:
    for stages in ([["retrieve_model"]], [*PIPELINE.stages, ["retrieve_model"]]):
        with pytest.raises(ArgumentError, match="stages must have each choice once"):
            Factorised(PIPELINE.space, stages)
    with pytest.raises(ArgumentError, match=r"base must be a configuration of the space; got .* It says nothing of"):
        Factorised(PIPELINE.space, PIPELINE.stages, base={"answer_samples": 1})


def test_exhaustive_refuses_what_would_not_end() -> None:
    with pytest.raises(ArgumentError, match="space must hold at most 100000 configurations; got 147456"):
        Exhaustive(pipeline(most_samples=128).space)


# -- each alone -------------------------------------------------------------------------------------------------------


def test_the_gradients_of_reinforce_are_those_of_finite_differences() -> None:
    factors, random, step = Factors(GRAPH.space), np.random.default_rng(0), 1e-6
    factors.logits_CV = factors.logits_CV + random.normal(size=factors.logits_CV.shape)
    configuration = factors.draw(random)

    def moved(value: Callable[[], float], choice: int, place: int) -> float:
        found = []
        for sign in (1, -1):
            factors.logits_CV[choice][place] += sign * step
            found.append(value())
            factors.logits_CV[choice][place] -= sign * step
        return (found[0] - found[1]) / (2 * step)

    for choice, each in enumerate(factors.space.choices):
        for place in range(len(each.values)):
            slope = moved(lambda: factors.log_chance(configuration), choice, place)
            assert factors.log_chance_gradient(configuration)[choice][place] == pytest.approx(slope, abs=1e-7)
            assert factors.entropy_gradient()[choice][place] == pytest.approx(
                moved(lambda: factors.entropy, choice, place), abs=1e-7
            )


def test_reinforce_draws_by_its_chances() -> None:
    factors = Factors(Space(choices=(categorical("a", "x", "y", "z"),), price=lambda _: 1.0))
    factors.logits_CV = np.log(np.array([[0.5, 0.3, 0.2]]))
    random = np.random.default_rng(1)
    drawn = [factors.draw(random)["a"] for _ in range(4000)]
    assert [drawn.count(each) / 4000 for each in "xyz"] == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    assert factors.entropy == pytest.approx(-(0.5 * math.log(0.5) + 0.3 * math.log(0.3) + 0.2 * math.log(0.2)))


def test_reinforce_learns_to_keep_the_budget() -> None:
    """What is refused costs no trial, and is less likely from then on."""
    models = (categorical("model", "small", "large"), integers("samples", 1, 400))
    space = Space(choices=models, price=lambda each: float(each["model"] == "large"), budget=0.5)
    method = Reinforce(space, seed=0)
    archive = run_trials(space, lambda _: EVALUATION, method, num_trials=100)
    assert len(archive.trials) == 100
    assert archive.refused[Refusal.OVER_BUDGET] > 5
    assert method.factors.chances_CV[0][0] > 0.9


EVALUATION = Evaluation(quality=Quality(value=0.5), flops=1.0)


def test_rules_go_on_from_the_best_and_begin_again_where_they_are_stuck() -> None:
    """One hill with its top at 3, one at 9: moves from 2 reach the first alone."""
    heights = [0, 1, 2, 5, 2, 1, 0, 3, 6, 9, 8, 7]
    space = Space(choices=(integers("n", 0, 11),), price=lambda _: 1.0)
    tried: list[int] = []

    def evaluate(each: Configuration) -> Evaluation:
        tried.append(int(each["n"]))
        return Evaluation(quality=Quality(value=float(heights[int(each["n"])])), flops=1.0)

    found = run_trials(space, evaluate, Rules([beside("n")], seed=0), num_trials=12, first=[{"n": 2}])
    assert tried[:4] == [2, 1, 3, 4]  # below 2 first; then from 3, the best so far; then nothing is new
    assert len(tried) == len(set(tried)) == 12
    assert [each.proposed_by for each in found.trials[:2]] == ["first", "rules"]
    assert found.best is not None
    assert found.best.configuration == {"n": 9}


def test_moves_scale_to_the_nearest_value_there_is() -> None:
    space = Space(choices=(integers("n", 1, 10), categorical("model", "a", "b")), price=lambda _: 1.0)
    archive = Archive(space=space)
    at = archive.add({"n": 4, "model": "a"}, EVALUATION, "first")
    assert [dict(each) for each in scaled("n", 2.0)(at, archive)] == [{"n": 8, "model": "a"}]
    assert [dict(each) for each in scaled("n", 9.0)(at, archive)] == [{"n": 10, "model": "a"}]
    assert [dict(each) for each in beside("model")(at, archive)] == [{"n": 4, "model": "b"}]
    assert len(list(beside()(at, archive))) == 3
    with pytest.raises(ArgumentError, match="moves must be at least one"):
        Rules([], seed=0)


def test_bayesian_trials_are_silent_and_never_over_the_budget(capsys: pytest.CaptureFixture[str]) -> None:
    method = Bayesian(GRAPH.space, seed=1)
    archive = run_trials(GRAPH.space, GRAPH.evaluate, method, num_trials=15, first=[GRAPH.default], seed=1)
    assert all(GRAPH.space.allows(each.configuration) for each in archive.trials)
    assert archive.refused[Refusal.OVER_BUDGET] > 0
    assert capsys.readouterr() == ("", "")


def test_bayesian_trials_bear_what_cannot_be_built() -> None:
    space = Space(choices=(integers("n", 1, 9),), price=lambda each: math.inf if float(each["n"]) > 3 else 1.0)
    archive = run_trials(space, lambda _: EVALUATION, Bayesian(space, seed=0), num_trials=9)
    assert sorted(int(each.configuration["n"]) for each in archive.trials) == [1, 2, 3]


def test_without_optuna_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"breakeven\[plan\]"):
        Bayesian(GRAPH.space, seed=0)
