"""The pieces of the real run, tiny: equal training, kept steps, scorers and trees, and the same again after a kill."""

from dataclasses import replace

import numpy as np
import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.data.splits import EOS
from breakeven.errors import ArgumentError
from breakeven.plan.cells import Cells
from breakeven.plan.models import model_at
from breakeven.plan.think_or_search import Settings
from breakeven.plan.thinking.arms import AT_ONCE, STEPS, pauses
from breakeven.plan.thinking.families import rebased, votes
from breakeven.plan.thinking.kept import kept_batches
from breakeven.plan.thinking.recipe import Run
from breakeven.plan.thinking.searched import Searched, Tree, scorer_of, trees
from breakeven.store import CellFile, PlanHeader
from breakeven.train.costs import cost_of, sequence_tokens

TINY = Settings(
    num_pauses=(2,),
    num_layers=1,
    embedding=16,
    num_heads=2,
    feed_forward=16,
    batch_size=8,
    written_problems=20,
    written_steps=3,
    kept_problems=6,
    kept_samples=2,
    kept_steps=2,
    scorer_problems=20,
    scorer_samples=2,
    scorer_epochs=1,
    num_problems=8,
    num_samples=4,
    tree_sizes=(2, 4),
    seeds=2,
).recipe


@pytest.fixture
def run(tmp_path):
    with CellFile(tmp_path, PlanHeader(versions={}, row="think-or-search", settings={})) as file:
        yield Run(recipe=TINY, cells=Cells(file=file))


def test_all_arms_are_trained_for_as_many_flops():
    recipe = Settings().recipe

    def flops(config) -> float:
        tokens = sequence_tokens(config.task)
        return cost_of(config).train_flops(config.train.steps * config.train.batch_size, tokens)

    thinking = flops(recipe.written(0)) + flops(recipe.trained(STEPS, 0))
    for arm in recipe.arms[:-1]:
        assert flops(recipe.trained(arm, 0)) == pytest.approx(thinking, rel=1e-3)
    assert recipe.trained(AT_ONCE, 0).train.steps > recipe.trained(pauses(8), 0).train.steps
    assert recipe.written(0).train.num_sequences == recipe.written_problems


def test_right_steps_are_kept_once_and_nothing_else():
    config = TINY.trained(STEPS, 0)
    problem = config.task.problems("train", 1)[0]
    short = f"</think> {' '.join((problem.reference or '').zfill(3))}"
    samples = [(problem, short, True), (problem, short, True), (problem, "+ + +", False)]
    rows = np.unique(np.concatenate([kept_batches(samples, config, 1)(step).numpy() for step in range(20)]), axis=0)
    written = config.task.train_batch(1, (0, 0))[0].tolist()
    own = config.task.encode_text(f"{problem.prompt} {short}")
    filled = own + [EOS] * (config.task.prompt_tokens + config.task.output_tokens - len(own))
    assert sorted(rows.tolist()) == sorted([written, filled])


def test_a_model_that_was_trained_is_read_back(run):
    first = run.models()
    assert [each.arm for each in first[:3]] == [AT_ONCE, pauses(2), STEPS]
    assert len(first) == 6
    assert first[2].kept is not None
    assert first[2].kept.num_samples == 6 * 3
    assert first[2].kept.flops > 0
    told: dict[str, bool] = {}
    again = Run(recipe=TINY, cells=replace(run.cells, on_cell=told.__setitem__))
    assert again.models() == first
    assert told
    assert all(told.values())


def test_leaks_are_counted_and_wrong(run):
    answered = run.model(STEPS, 0).answered  # after so few steps hardly any thought ends
    num_wrong = sum(each.count("0") for each in answered.bank.correct_PN) + answered.bank.greedy_correct_P.count("0")
    assert 0 < answered.num_leaks <= num_wrong


def test_a_scorer_needs_right_and_wrong_samples(run):
    run.model(AT_ONCE, 0)
    config = TINY.trained(AT_ONCE, 0)
    model = model_at(run.cells, "at-once-seed-0", config.train.steps, config)
    samples = [(each, each.solution or "", True) for each in config.task.problems("validation", 5)]
    with pytest.raises(ArgumentError, match=r"kept_steps must leave right and wrong answers .* got '5 of 5 right'"):
        scorer_of(model, config, samples, 1)


@pytest.mark.parametrize("arm", [AT_ONCE, STEPS])
def test_trees_are_priced_with_their_scorer(run, arm):
    run.model(arm, 0)
    config = TINY.trained(arm, 0)
    model = model_at(run.cells, f"{arm.name.replace(' ', '-')}-seed-0", config.train.steps, config)
    known = config.task.problems("validation", 20)
    samples = [pair for each in known for pair in ((each, each.solution or "", True), (each, "0 0 0", False))]
    scorer = scorer_of(model, config, samples, 1)
    test = config.task.problems("test", 4)
    small, large = trees(model, config, scorer, test, sizes=(2, 4), segments=TINY.segments(arm), seed=0)
    assert (small.size, large.size) == (2, 4)
    assert 0 < small.model_flops < large.model_flops
    assert 0 < small.reward_flops < large.reward_flops
    assert all(0 <= each <= 1 for each in large.right_P)
    assert len(large.right_P) == 4
    again = trees(model, config, scorer, test, sizes=(2, 4), segments=TINY.segments(arm), seed=0)
    assert again == (small, large)
    assert isinstance(scorer.cost, ModelCost)


def test_options_carry_every_cost(run):
    models = [run.model(STEPS, seed) for seed in range(2)]
    voted = votes(models, TINY, run.problems)
    assert [each.settings["strategy"] for each in voted.options] == ["greedy", "vote", "vote", "vote"]
    assert [each.settings["k"] for each in voted.options] == [1, 1, 2, 4]
    prices = [each.per_query for each in voted.options[1:]]
    assert prices == sorted(prices)
    tree = Tree(size=4, right_P=(0.5,) * 8, model_flops=7.0, reward_flops=5.0, num_leaks=0)
    searched = Searched(label_flops=2.0, train_flops=3.0, auc=None, trees=(tree,))
    (option,) = rebased(models, [searched, searched], run.problems).options
    assert (option.query_flops, option.reward_flops) == (7.0, 5.0)
    assert option.one_off == {
        "own steps drawn": sum(each.kept.flops for each in models if each.kept) / 2,
        "labelled samples": 2.0,
        "scorer": 3.0,
    }
    assert [*voted.options[0].one_off] == ["own steps drawn"]
    assert option.train_flops == voted.options[0].train_flops == models[0].train_flops
    assert len(option.quality.value_P) == len(voted.options[0].quality.value_P) == 2 * 8
    assert option.quality.pairs_with(voted.options[0].quality)
