"""`breakeven run` of a classifier: the same commands, options and words as of a language model."""

import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("sklearn")

from breakeven.classifiers import train
from breakeven.classifiers.recipe import classifier_from
from breakeven.classifiers.saved import start_run
from breakeven.config import recipe_settings
from breakeven.store import read_log

TINY = """
name = "tiny"
data = { set = "digits", num_train = 200, num_validation = 40, num_test = 50 }
model = { family = "resnet", embedding = 4, widths = [4, 8], depths = [1, 1] }
train = { steps = 12, batch_size = 32, learning_rate = 0.01, warmup_steps = 2 }
passes = { augment = ["moves"], snapshots = 2, num_passes = 4 }
evaluate = { every_steps = 2 }
policy = { name = "calibrated", max_evaluation_share = 100.0 }
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY, encoding="utf-8")
    return path


@pytest.fixture
def at_step(monkeypatch: pytest.MonkeyPatch):
    """Does something once a step has been trained."""
    real = train.run

    def arrange(step: int, action: Any) -> None:
        def run(*arguments: Any, on_progress: Any, **settings: Any) -> Any:
            def told(progress: Any) -> None:
                on_progress(progress)
                if progress.step == step:
                    action()

            return real(*arguments, on_progress=told, **settings)

        monkeypatch.setattr(train, "run", run)

    return arrange


def test_a_run_tells_its_story_and_every_command_reads_it(cli, recipe: Path) -> None:
    result = cli("run", recipe, "--mode", "advise")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "tiny: 12 steps planned; recording to runs/tiny-1"
    steps = ["2/12", "4/12", "6/12", "8/12", "10/12", "12/12"]
    assert [line.split()[1] for line in lines if line.startswith("step ")] == steps
    assert any(line.startswith("Spent up to step 12: ") for line in lines)
    assert lines[-1] == "Why, in one page: runs/tiny-1/report.html"
    assert not re.search(r"Writing|Loading|it/s|\{'loss'", result.output), "nothing of others"
    assert "decisions equal the recorded ones bit for bit" in cli("replay", "runs/tiny-1").stdout
    assert "not training now" in cli("status", "runs/tiny-1").stdout
    assert cli("report", "runs/tiny-1", "--out", "page.html").exit_code == 0
    assert Path("page.html").stat().st_size > 10_000


def test_json_is_one_object_and_settings_are_changed_by_name(cli, recipe: Path) -> None:
    arguments = ("--out", "here", "--to-end", "--set", "seed=3", "--set", "train.steps=8", "--json")
    result = cli("run", recipe, *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    answer = json.loads(result.stdout)
    assert (answer["run"], answer["step"], answer["interrupted"]) == ("here", 8, False)
    header = read_log("here").header
    assert (header.seed, header.config["train"]["steps"], header.config["mode"]) == (3, 8, "shadow")


def test_a_run_that_was_interrupted_goes_on_to_the_same_log(cli, recipe: Path, at_step) -> None:
    assert cli("run", recipe, "--mode", "advise", "--out", "whole").exit_code == 0
    at_step(5, lambda: os.kill(os.getpid(), signal.SIGTERM))
    result = cli("run", recipe, "--mode", "advise", "--out", "cut")
    assert result.exit_code == 143
    assert "Go on with: breakeven run --resume cut" in result.stdout
    at_step(0, lambda: None)
    result = cli("run", "--resume", "cut")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Resuming after 2 recorded checkpoints." in result.stdout
    assert Path("cut/log.jsonl").read_bytes() == Path("whole/log.jsonl").read_bytes()
    again = cli("run", "--resume", "cut/log.jsonl")
    assert again.exit_code == 0
    assert "step 12/12" not in again.stdout, "nothing is left to train"


def test_a_stop_says_what_to_serve_and_can_be_gone_on_past(cli, recipe: Path) -> None:
    loose = ("--set", "policy.risk=0.95", "--set", "policy.margin=0.9", "--set", "train.steps=40")
    result = cli("run", recipe, *loose, "--out", "here")
    assert result.exit_code == 0
    stop = read_log("here").checkpoints[-1]
    assert stop.decision.stop
    assert stop.observation.step < 40
    assert stop.decision.serving is not None
    served = stop.decision.serving
    line = next(line for line in result.stdout.splitlines() if line.startswith("To serve: "))
    names = re.findall(r"checkpoint-\d+", line)
    assert names[-1] == f"checkpoint-{stop.observation.step}"
    assert len(names) == (served.k if served.strategy == "snapshot_ensemble" else 1)
    assert all(Path("here", name, "model.safetensors").is_file() for name in names)
    again = cli("run", "--resume", "here")
    assert (again.exit_code, read_log("here").checkpoints[-1].observation.step) == (0, stop.observation.step)
    past = cli("run", "--resume", "here", "--past-stop")
    assert past.exit_code == 0
    assert read_log("here").checkpoints[-1].observation.step == 40


def test_a_stop_by_hand_is_taken_up_and_told(cli, recipe: Path, at_step) -> None:
    at_step(4, lambda: cli("stop", "here"))
    result = cli("run", recipe, "--mode", "advise", "--out", "here")
    assert result.exit_code == 0
    assert "Stopped by hand at step 5, by no decision of the policy." in result.stdout
    assert "Weights: here/checkpoint-5; to go on: breakeven run --resume here --past-stop" in result.stdout
    at_step(0, lambda: None)
    assert cli("run", "--resume", "here", "--past-stop").exit_code == 0
    assert read_log("here").checkpoints[-1].observation.step == 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--on-stop", "cooldown"), "--on-stop must be left out of a classifier's run; got 'cooldown'."),
        (("--like", "runs/1"), "--like must be left out of a classifier's run"),
        (("--set", "model.family=vti"), "model.family must be one of resnet, vit, deberta, conv1d; got 'vti'. Did you"),
        (("--set", "data.set=mnist", "--set", "data.path=none"), "mnist:none must name a file or folder; got"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(refused, recipe: Path, arguments: Any, message: str) -> None:
    assert refused("run", recipe, *arguments).startswith(message)
    assert not Path("runs").exists()


def test_recipes_of_classifiers_are_offered_and_named(refused) -> None:
    assert "resnet-mnist" in refused("run")
    assert "Did you mean resnet-mnist" in refused("run", "resnet-mnst")


def recipe_of_theirs(recipe: Path, **policy: Any) -> None:
    """A run that was begun and not trained, whose recipe names code beside it."""
    sys.modules.pop("code_of_theirs", None)
    Path("code_of_theirs.py").write_text("from pathlib import Path\nPath('mark').touch()\n", encoding="utf-8")
    start_run(classifier_from(recipe_settings(str(recipe))), Path("here"))
    kept = Path("here") / "recipe.json"
    settings = json.loads(kept.read_text(encoding="utf-8"))
    kept.write_text(json.dumps(settings | {"policy": {"name": "calibrated"} | policy}), encoding="utf-8")


def test_resuming_runs_no_rule_that_the_recipe_of_a_run_names(cli, refused, recipe: Path) -> None:
    recipe_of_theirs(recipe, name="code_of_theirs:Rule")
    message = refused("run", "--resume", "here")
    assert "must name what breakeven ships, for it stands in here/recipe.json, which may be somebody else's" in message
    assert message.endswith("To run that code, read it and give --trust-recipe.")
    assert not Path("mark").exists()
    trusted = cli("run", "--resume", "here", "--trust-recipe")
    assert "here/recipe.json names code_of_theirs:Rule" in trusted.stderr
    assert Path("mark").exists()


def test_resuming_runs_no_strategy_that_the_recipe_of_a_run_names(cli, recipe: Path) -> None:
    recipe_of_theirs(recipe, strategies=["code_of_theirs:vote"])
    cli("run", "--resume", "here")
    assert not Path("mark").exists()
