"""The trained reward model: it learns what makes a solution right on unseen problems, and is one for each seed."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from breakeven.cost.tokens import ModelCost
from breakeven.data.made.chain import Chain
from breakeven.data.made.countdown import Countdown
from breakeven.errors import ArgumentError, DivergedError, RunStorageError
from breakeven.model.transformer import Transformer
from breakeven.records import Prefix, Problem, TransformerShape
from breakeven.testing.reward_conformance import check_reward_model
from breakeven.train.reward_model.files import load_reward_model, save_reward_model
from breakeven.train.reward_model.fit import RewardModelSettings
from breakeven.train.reward_model.quality import area_under_curve, calibration_error, problem_area_under_curve
from breakeven.train.reward_model.train import (
    GradedSample,
    TrainedRewardModel,
    reward_network,
    reward_network_cost,
    train_reward_model,
)

TASK = Countdown(num_numbers=2, max_number=15, max_target=40)
SHAPE = TransformerShape(
    num_layers=1, embedding=32, num_heads=2, feed_forward=48, vocab_size=TASK.vocab_size, max_tokens=16
)


def graded(num_problems: int = 60) -> list[GradedSample]:
    """Of each problem `a b -> t =` the six ways to combine a and b, graded by the checker."""
    samples = []
    problems = [each for each in TASK.problems("train", 198) if len(set(each.prompt.split()[:2])) == 2]
    for problem in problems[:num_problems]:
        a, b = problem.prompt.split()[:2]
        for x, y, operator in [(a, b, each) for each in "+-*/"] + [(b, a, each) for each in "-/"]:
            text = f"{x} {operator} {y}"
            samples.append((problem, text, TASK.check(problem, text)))
    return samples


SETTINGS = RewardModelSettings(epochs=30, patience=30, batch_size=64, learning_rate=3e-3)


@pytest.fixture(scope="module")
def trained() -> TrainedRewardModel:
    return train_reward_model(graded(170), TASK, SHAPE, settings=SETTINGS, seed=4)


# -- what it learns ---------------------------------------------------------------------------------------------------


def test_it_tells_right_from_wrong_on_problems_it_has_not_seen(trained: TrainedRewardModel) -> None:
    report = trained.report
    assert report.num_problems + report.num_heldout_problems == 170
    assert report.num_samples == 6 * report.num_problems
    assert report.num_heldout_samples == 6 * report.num_heldout_problems
    assert 10 <= report.num_heldout_problems <= 35
    assert report.auc is not None
    assert report.auc > 0.7
    assert report.problem_auc is not None
    assert report.problem_auc > 0.7
    assert report.halfway_auc is not None  # after a number alone: little to tell
    assert report.constant_accuracy == max(report.right_share, 1 - report.right_share)
    assert report.brier < report.right_share * (1 - report.right_share)
    assert 1 <= report.best_epoch <= report.num_epochs <= 30


def test_on_unseen_problems_best_of_n_beats_a_random_choice(trained: TrainedRewardModel) -> None:
    problems = TASK.problems("validation", 40)
    reward_model = trained.reward_model(TASK)
    chosen, chance = [], []
    for problem in problems:
        a, b = problem.prompt.split()[:2]
        texts = [f"{a} {each} {b}" for each in "+-*/"]
        rewards = reward_model.score([Prefix(problem=problem, text=text) for text in texts])
        best = max(range(4), key=lambda index: rewards[index].value)
        chosen.append(TASK.check(problem, texts[best]))
        chance.append(np.mean([TASK.check(problem, text) for text in texts]))
    assert np.mean(chosen) > np.mean(chance) + 0.2


def test_it_is_a_reward_model_of_steps(trained: TrainedRewardModel) -> None:
    problems = TASK.problems("validation", 4)
    prefixes = [Prefix(problem=problem, text=text) for problem in problems for text in ("", "3", "3 +", "3 + 4")]
    reward_model = trained.reward_model(TASK)
    assert reward_model.kind == "process"
    check_reward_model(reward_model, prefixes)
    assert [each.read_tokens for each in reward_model.score(prefixes[:4])] == [5, 6, 7, 8]


def test_values_are_calibrated_though_right_and_wrong_weigh_the_same() -> None:
    """Where nothing can be learned, the value is the share of right samples, not one half."""
    rng = np.random.default_rng(0)
    samples = [
        (problem, "1 + 1", bool(rng.random() < 0.2)) for problem in TASK.problems("train", 110) for _ in range(8)
    ]
    for balanced in (True, False):
        settings = RewardModelSettings(epochs=6, learning_rate=2e-3, balanced=balanced, batch_size=32)
        report = train_reward_model(samples, TASK, SHAPE, settings=settings).report
        assert report.right_share == pytest.approx(0.2, abs=0.07)
        assert report.calibration_error < 0.12
        assert report.accuracy == pytest.approx(report.constant_accuracy, abs=0.02)


def test_it_works_where_only_the_gold_answer_grades() -> None:
    task = Chain(num_terms=2, num_digits=1)
    samples = [
        (problem, text, task.check(problem, text))
        for problem in task.problems("train", 60)
        for text in ("1 2 + 2 8 = 0 4 0", f"0 0 + 0 0 = {' '.join((problem.reference or '').zfill(3))}")
    ]
    shape = dataclasses.replace(SHAPE, vocab_size=task.vocab_size, max_tokens=task.prompt_tokens + task.output_tokens)
    trained = train_reward_model(samples, task, shape, settings=RewardModelSettings(epochs=2))
    assert trained.report.right_share == pytest.approx(0.5, abs=0.02)
    check_reward_model(
        trained.reward_model(task), [Prefix(problem=each, text="0") for each in task.problems("validation", 3)]
    )


# -- determinism, and nothing else touched ----------------------------------------------------------------------------


def test_it_is_a_function_of_its_arguments() -> None:
    settings = RewardModelSettings(epochs=2, batch_size=64)
    random_state = torch.get_rng_state()
    one, same = (train_reward_model(graded(), TASK, SHAPE, settings=settings, seed=3) for _ in range(2))
    other = train_reward_model(graded(), TASK, SHAPE, settings=settings, seed=4)
    assert one.report == same.report != other.report
    for name, value in one.model.state_dict().items():
        assert torch.equal(value, same.model.state_dict()[name])
    assert torch.equal(torch.get_rng_state(), random_state)


def test_a_sample_drawn_twice_counts_twice_and_is_one_row() -> None:
    samples = graded()
    settings = RewardModelSettings(epochs=1)
    once, twice = (train_reward_model(each, TASK, SHAPE, settings=settings) for each in (samples, 2 * samples))
    assert twice.report.num_samples == 2 * once.report.num_samples
    assert twice.report.train_flops == once.report.train_flops
    assert twice.report.heldout_loss == pytest.approx(once.report.heldout_loss, rel=1e-4)


def test_it_starts_from_a_policy_and_leaves_it_alone() -> None:
    torch.manual_seed(0)
    policy = Transformer(SHAPE)
    before = {name: value.clone() for name, value in policy.state_dict().items()}
    model = reward_network(SHAPE, policy.state_dict())
    for name, value in model.state_dict().items():
        assert name.startswith("head.") or torch.equal(value, before[name])
    assert model(torch.zeros(2, 3, dtype=torch.long)).tolist() == [[[0.0]] * 3] * 2
    train_reward_model(graded(), TASK, SHAPE, start=policy.state_dict(), settings=RewardModelSettings(epochs=1))
    assert all(torch.equal(value, before[name]) for name, value in policy.state_dict().items())


def test_it_stops_when_the_held_out_loss_gets_no_better_and_keeps_the_best_weights() -> None:
    samples = [(problem, "1 + 1", len(problem.id) % 2 == 0) for problem in TASK.problems("train", 60)]
    settings = RewardModelSettings(epochs=200, patience=3, batch_size=8, learning_rate=1e-2)
    report = train_reward_model(samples, TASK, SHAPE, settings=settings).report
    assert report.num_epochs < 200
    assert report.num_epochs - report.best_epoch == 3


# -- what it costs ----------------------------------------------------------------------------------------------------


def test_training_is_charged_row_by_row() -> None:
    trained = train_reward_model(graded(), TASK, SHAPE, settings=RewardModelSettings(epochs=2, patience=2))
    cost, report = trained.cost, trained.report
    assert cost == reward_network_cost(SHAPE) == dataclasses.replace(ModelCost.of(SHAPE), head_params=32)
    rows, heldout = report.num_samples, report.num_heldout_samples
    assert report.train_flops == pytest.approx(2 * cost.train_flops(rows, 5 + 3))
    assert report.heldout_flops == pytest.approx(3 * cost.train_flops(heldout, 5 + 3) / 3)


# -- on disk ----------------------------------------------------------------------------------------------------------


def test_a_saved_reward_model_scores_as_before(trained: TrainedRewardModel, tmp_path: Path) -> None:
    save_reward_model(tmp_path / "reward-model", trained, TASK)
    save_reward_model(tmp_path / "reward-model", trained, TASK)  # replaces it
    saved = load_reward_model(tmp_path / "reward-model")
    prefixes = [Prefix(problem=each, text="1 + 2") for each in TASK.problems("validation", 5)]
    assert saved.reward_model.score(prefixes) == trained.reward_model(TASK).score(prefixes)
    assert saved.cost == trained.cost
    assert saved.note["report"]["auc"] == trained.report.auc
    with pytest.raises(ArgumentError, match="that the reward model was not trained on"):
        saved.reward_model.score([Prefix(problem=TASK.problems("train", 1)[0])])
    assert sorted(each.name for each in (tmp_path / "reward-model").iterdir()) == [
        "model.safetensors",
        "reward_model.json",
    ]


def test_what_is_no_saved_reward_model_is_refused(trained: TrainedRewardModel, tmp_path: Path) -> None:
    with pytest.raises(
        ArgumentError, match=r"must be a directory with the reward_model.json of a trained reward model"
    ):
        load_reward_model(tmp_path)
    (tmp_path / "reward_model.json").write_text("{}")
    with pytest.raises(ArgumentError, match="KeyError: 'model'"):
        load_reward_model(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(RunStorageError, match="could not be written"):
        save_reward_model(tmp_path / "file", trained, TASK)


# -- metrics ----------------------------------------------------------------------------------------------------------


def test_area_under_curve_by_comparing_all_pairs() -> None:
    rng = np.random.default_rng(0)
    value, right, weight = rng.integers(0, 5, 40) / 4, rng.random(40) < 0.4, rng.integers(1, 4, 40).astype(float)
    pairs = [
        (weight[i] * weight[j], (value[i] > value[j]) + 0.5 * (value[i] == value[j]))
        for i in np.flatnonzero(right)
        for j in np.flatnonzero(~right)
    ]
    expected = sum(w * won for w, won in pairs) / sum(w for w, _ in pairs)
    assert area_under_curve(value, right, weight) == pytest.approx(expected)
    assert area_under_curve(value[right], right[right], weight[right]) is None


def test_the_area_within_problems_is_not_fooled_by_easy_problems() -> None:
    value, right = np.array([0.9, 0.8, 0.2, 0.1]), np.array([False, True, False, True])
    ones, problems = np.ones(4), ["easy", "easy", "hard", "hard"]
    assert problem_area_under_curve(value, right, ones, problems) == 0.0
    assert problem_area_under_curve(value, right, ones, ["a", "b", "c", "d"]) is None
    assert area_under_curve(value, right, ones) == 0.25


def test_calibration_of_values_at_the_ends() -> None:
    assert calibration_error(np.array([0.0, 1.0]), np.array([False, True]), np.ones(2)) == 0.0
    assert calibration_error(np.array([0.0, 1.0]), np.array([True, False]), np.ones(2)) == 1.0


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([], "samples must hold right and wrong ones among those trained on; got {'right': 0, 'wrong': 0}"),
        ([each for each in graded() if each[2]], "samples must hold right and wrong ones among those trained on"),
        (graded(1)[:2], "samples must hold right and wrong ones among those held out"),
        ([(graded(1)[0][0], "two and two", False)], "must be written in words of the task; got 'two and two'"),
        ([(graded(1)[0][0], "1 + " * 20, False)], "must have a prompt and at most 16 tokens; got 45"),
    ],
)
def test_samples_that_teach_nothing_are_refused(samples: list[GradedSample], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        train_reward_model(samples, TASK, SHAPE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1; got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"heldout_share": 1.0}, "heldout_share must be between 0 and 1; got 1.0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        RewardModelSettings(**options)


def test_weights_of_another_shape_are_refused() -> None:
    other = Transformer(dataclasses.replace(SHAPE, num_layers=2))
    with pytest.raises(ArgumentError, match="policy must be weights of the shape"):
        reward_network(SHAPE, other.state_dict())


def test_a_diverging_loss_is_an_error() -> None:
    with pytest.raises(DivergedError, match=r"The reward model's loss became .* in epoch 1. Lower learning_rate"):
        train_reward_model(
            graded(),
            TASK,
            SHAPE,
            start={name: value * math.nan for name, value in Transformer(SHAPE).state_dict().items()},
        )


def test_problems_it_has_seen_are_not_scored(trained: TrainedRewardModel) -> None:
    seen = TASK.problems("train", 1)[0]
    with pytest.raises(ArgumentError, match="prefixes must be of problems that the reward model was not trained on"):
        trained.reward_model(TASK).score([Prefix(problem=seen, text="1")])
    assert Problem(id=seen.id, prompt=seen.prompt).id in trained.trained_on
