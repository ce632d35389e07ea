"""`breakeven saved_reward`, from a run's checkpoints to a reward model that eval and a recipe can use."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")

from breakeven.cli import app
from breakeven.config import config_from
from breakeven.cost.tokens import ModelCost
from breakeven.data.made.countdown import Countdown
from breakeven.errors import ArgumentError
from breakeven.model.transformer import KVCache, Transformer
from breakeven.records import FitStatus, Forecast, SegmentRule, TransformerShape
from breakeven.sampling.transformer import TransformerSampler
from breakeven.session.searching import TreeSearch
from breakeven.store import read_log
from breakeven.train.reward_model.files import load_reward_model

RUNNER = CliRunner()
TASK = [
    "--task",
    "countdown",
    "--task-set",
    "num_numbers=2",
    "--task-set",
    "max_number=9",
    "--task-set",
    "max_target=20",
]
SETTINGS = {
    **{"task.num_numbers": 2, "task.max_number": 9, "task.max_target": 20},
    **{"model.num_layers": 1, "model.embedding": 32, "model.num_heads": 2, "model.feed_forward": 32},
    **{"train.steps": 120, "train.batch_size": 64, "train.learning_rate": 0.01},
    **{"evaluate.every_steps": 60, "evaluate.num_problems": 6, "evaluate.num_samples": 2},
}


def call(*arguments: object, code: int = 0) -> str:
    result = RUNNER.invoke(app, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with kept weights, and graded samples of its last checkpoint on training problems."""
    work = tmp_path_factory.mktemp("reward-model")
    call("run", "countdown", *sets(evaluate__keep_weights="true"), "--out", work / "run")
    checkpoint = work / "run" / "checkpoints" / "step-000120"
    call("eval", checkpoint, *TASK, "--task-set", "split=train", "--num-problems", 40, "-n", 8, "--out", work / "train")
    call("reward-model", work / "train", "--start", checkpoint, "--out", work / "reward-model", "--epochs", 2)
    return work


def test_it_says_what_it_learnt_and_refuses_to_overwrite(work: Path) -> None:
    checkpoint = work / "run" / "checkpoints" / "step-000120"
    printed = json.loads(call("reward-model", work / "train", "--start", checkpoint, "--out", work / "two", "--json"))
    assert printed["report"]["num_problems"] > 0
    assert printed["report"]["train_flops"] > 0
    said = call("reward-model", work / "train", "--start", checkpoint, "--out", work / "reward-model", code=2)
    assert "--out must be a new directory" in said
    assert "--start must have a serving.json" in call(
        "reward-model", work / "train", "--start", work, "--out", work / "three", code=2
    )
    assert "there are no samples at" in call(
        "reward-model", work, "--start", checkpoint, "--out", work / "three", code=2
    )


def test_eval_chooses_and_searches_by_it(work: Path) -> None:
    strategies = "best_of_n,weighted_vote,dvts,beam_search,rebase"
    full = work / "run" / "full"
    printed = json.loads(
        call(
            *("eval", full, *TASK, "--num-problems", 5, "-n", 4, "--k", "4", "--reward-model", work / "reward-model"),
            *("--strategies", strategies, "--step-tokens", 2, "--out", work / "eval", "--json"),
        )
    )
    rows = {each["strategy"]: each for each in printed["measurements"]}
    searched = {"dvts/best_of_n", "beam_search/weighted_vote", "rebase/majority_vote"}
    assert {"best_of_n", "weighted_vote", *searched} <= rows.keys()
    assert all(each["reward_flops"] > 0 for each in rows.values())
    seen = call(
        *(
            "eval",
            full,
            *TASK,
            "--task-set",
            "split=train",
            "--num-problems",
            40,
            "-n",
            2,
            "--reward-model",
            work / "reward-model",
        ),
        *("--strategies", "best_of_n", "--out", work / "seen"),
        code=2,
    )
    assert "be of problems that the reward model was not trained on" in seen


def test_a_recipe_decides_by_it(work: Path) -> None:
    options = sets(evaluate__reward_model=work / "reward-model", policy__strategies='["best_of_n"]')
    printed = json.loads(call("run", "countdown", *options, "--out", work / "scored", "--json"))
    assert printed["decision"] is not None


def sets(**changes: object) -> list[str]:
    """Settings as options; two underscores stand for the dot."""
    named = SETTINGS | {name.replace("__", "."): value for name, value in changes.items()}
    return [part for name, value in named.items() for part in ("--set", f"{name}={value}")]


def test_a_recipe_decides_by_searches(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flat = Forecast(mean=0.5, lo=0.4, hi=0.6, status=FitStatus.FITTED, method="calibrated", num_points=9)
    monkeypatch.setattr("breakeven.stopping.course._forecast", lambda *curve, **settings: flat)
    options = sets(
        evaluate__reward_model=work / "reward-model",
        evaluate__search_k=[4],
        policy__strategies='["dvts/weighted", "rebase/majority_vote"]',  # the first as it was called once
        policy__max_evaluation_share=9,
    )
    call("run", "countdown", *options, "--out", work / "searched")
    log = read_log(work / "searched")
    assert not log.checkpoints[-1].observation.searches, "at the end there is nothing left to decide"
    observation = log.checkpoints[0].observation
    assert [each.strategy for each in observation.searches] == ["dvts/weighted_vote", "rebase/majority_vote"]
    outcome = observation.searches[0]
    assert (outcome.k, len(outcome.accuracy_P)) == (4, 6)
    assert outcome.query_flops > observation.query_flops.total(4)
    call("replay", work / "searched")
    refused = call(
        "run", "countdown", *sets(evaluate__reward_model=work / "reward-model", evaluate__search_k=[3]), code=2
    )
    assert "evaluate.search_k must be multiples of" in refused


def test_a_search_is_charged_once_for_all_its_rules(work: Path) -> None:
    saved_reward = load_reward_model(work / "reward-model")
    task = Countdown(num_numbers=2, max_number=9, max_target=20)
    model = Transformer(TransformerShape(**saved_reward.note["model"]))
    settings: dict[str, Any] = {
        "sampler": TransformerSampler(model, task, new_cache=lambda: KVCache([], [])),
        "reward_model": saved_reward.reward_model,
        "verifier": task,
        "answers": None,
        "sizes": (2, 4),
        "width": 2,
        "segments": SegmentRule(ends=(), max_tokens=2),
        "temperature": 0.8,
        "model_cost": ModelCost.of(model.shape),
        "reward_cost": saved_reward.cost,
    }
    problems = task.problems("validation", 3)
    best = "beam_search/best_of_n"
    one = TreeSearch(strategies=(best,), **settings)
    three = TreeSearch(strategies=(best, "beam_search/majority_vote", "beam_search/weighted_vote"), **settings)
    outcomes, flops = one(problems, seed=1)
    more, same = three(problems, seed=1)
    assert flops == same > 0
    assert [(each.strategy, each.k) for each in outcomes] == [(best, 2), (best, 4)]
    assert outcomes == tuple(each for each in more if each.strategy == best)
    assert len(more) == 6
    assert flops == pytest.approx(sum(3 * each.query_flops for each in outcomes))
    with pytest.raises(ArgumentError, match=r"strategies must be among greedy, .*; got 'beam'"):
        TreeSearch(strategies=("beam",), **settings)
    with pytest.raises(ArgumentError, match=r"strategies must search, as beam_search/best_of_n, .*; got 'best_of_n'"):
        TreeSearch(strategies=("best_of_n",), **settings)


def test_a_recipe_that_needs_a_reward_model_says_so() -> None:
    with pytest.raises(ArgumentError, match=r"evaluate.reward_model must be the directory of a reward model"):
        config_from({"name": "x", "policy": {"strategies": ["best_of_n"]}})
    with pytest.raises(ArgumentError, match=r"policy.strategies must be among .*; got 'dvt'"):
        config_from({"name": "x", "policy": {"strategies": ["dvt"]}})
    for name, what in (("generative_verification", "verdicts"), ("revision/last", "a model that reads its earlier")):
        with pytest.raises(ArgumentError, match=rf"policy.strategies must name none that needs {what}"):
            config_from({"name": "x", "policy": {"strategies": [name]}})
