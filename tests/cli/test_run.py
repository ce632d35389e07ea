"""`breakeven run`: from a recipe to a stopped run on disk, and every way in which it may not come to that."""

import dataclasses
import errno
import json
import math
import os
import re
import signal
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from breakeven import PaperPolicy, RunSpec, open_log
from breakeven.cli.common import new_directory
from breakeven.config import CLASSIFIERS, config_from, load_recipe, recipe_names
from breakeven.data.made.countdown import Countdown
from breakeven.report import explain
from breakeven.report.format import format_flops, format_share
from breakeven.store import RunLog, read_log, write_whole
from breakeven.train import checkpoint, loop
from breakeven.train.step import train_step


@pytest.fixture
def half_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same accuracy at every checkpoint: the run stops at step 8, the second with a projection."""
    monkeypatch.setattr(Countdown, "check", lambda self, problem, completion: zlib.crc32(problem.id.encode()) % 2 == 0)


@pytest.fixture
def at_step(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Calls `action` in place of a training step's end; where it returns a number, that is the loss."""
    real = train_step

    def arrange(step: int, action: Callable[[], Any]) -> None:
        steps = iter(range(1, 10_000))

        def replaced_step(*arguments: Any) -> float:
            loss = real(*arguments)
            replaced = action() if next(steps) == step else None
            return loss if replaced is None else float(replaced)

        monkeypatch.setattr(loop, "train_step", replaced_step)

    return arrange


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# -- a run ------------------------------------------------------------------------------------------------------------


def test_a_run_tells_its_story_and_leaves_what_to_serve(cli, half_solved, recipe: Path) -> None:
    result = cli("run", recipe)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "tiny: 12 steps planned; recording to runs/tiny-1"
    assert [line.split()[1] for line in lines if line.startswith("step ")] == ["2/12", "4/12", "6/12", "8/12"]
    assert "To serve: runs/tiny-1/stopped (weights, K and temperature)" in lines
    assert lines[-1] == "Why, in one page: runs/tiny-1/report.html"
    last = read_log("runs/tiny-1").checkpoints[-1]
    assert last.decision.evaluation_flops is not None
    share = format_share(last.decision.evaluation_flops / last.observation.train_flops)
    assert (
        f"Spent up to step 8: {format_flops(last.observation.train_flops)} on training, "
        f"{format_flops(last.decision.evaluation_flops)} on evaluation ({share} of it)."
    ) in lines
    assert any(re.fullmatch(r"Evaluation took \d+ % of this process's wall time\.", line) for line in lines)
    assert sorted(str(path) for path in Path("runs/tiny-1").rglob("*") if path.is_file()) == [
        "runs/tiny-1/lock",
        "runs/tiny-1/log.jsonl",
        "runs/tiny-1/report.html",
        "runs/tiny-1/serving.json",
        "runs/tiny-1/state.safetensors",
        "runs/tiny-1/stopped/model.safetensors",
        "runs/tiny-1/stopped/serving.json",
        "runs/tiny-1/texts.jsonl",
    ]


def test_json_is_one_object_and_nothing_else(cli, half_solved, recipe: Path) -> None:
    result = cli("run", recipe, "--out", "here", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    answer = json.loads(result.stdout)
    assert (answer["run"], answer["report"]) == ("here", "here/report.html")
    assert (answer["step"], answer["interrupted"], answer["verification"]) == (8, False, None)
    assert (answer["decision"]["action"], answer["decision"]["serving"]["k"]) == ("stop", 1)
    assert answer["wall_seconds"] > 0
    assert 0 < answer["evaluation_wall_share"] < 1


def test_shadow_mode_shows_the_verification(cli, half_solved, recipe: Path) -> None:
    answer = json.loads(cli("run", recipe, "--out", "here", "--to-end", "--json").stdout)
    assert (answer["step"], answer["decision"]["step"]) == (12, 8)
    assert answer["verification"]["stopped_step"] == 8
    assert read_log("here").header.config["mode"] == "shadow"
    text = cli("run", recipe, "--out", "there", "--to-end").stdout
    assert "Spent up to step 12: " in text
    assert "test" in text.rpartition("Spent ")[2]


def test_a_stop_that_is_cooled_down_is_told_as_it_goes(cli, half_solved, recipe: Path) -> None:
    cooling = ("--set", "train.steps=20", "--set", "train.cooldown_share=0.25")
    lines = cli("run", recipe, *cooling, "--on-stop", "cooldown", "--out", "here").stdout.splitlines()
    plan = next(each for each in lines if each.startswith("A cooldown of 2 steps from the stop at step 8 costs "))
    outcome = next(
        each for each in lines if each.startswith("Cooled down, the model has 0.333 with one sample (measured), and ")
    )
    decided = next(each for each in lines if each.startswith("Decision"))
    assert lines.index(plan) < lines.index(decided) < lines.index(outcome)
    assert "To serve: here/cooldown/step-000008/full (weights, K and temperature)" in lines
    assert read_log("here").header.config["on_stop"] == "cooldown"
    for page in ("here/report.html", cli("report", "here", "--out", "page.html").stdout.strip()):
        assert "Cooled down, the model has 0.333" in Path(page).read_text()
    page = Path(cli("report", "here/cooldown/step-000008").stdout.strip()).read_text()
    assert "This run is the cooldown of the one in ../.., from its step 8 on." in page
    assert "Cooldown  A cooldown of 2 steps" in cli("status", "here").stdout
    assert json.loads(cli("status", "here", "--json").stdout)["cooldown"]["cooled"]["serving"]["step"] == 10
    again = cli("run", "--resume", "here", "--json").stdout
    assert json.loads(again)["cooldown"] == json.loads(cli("status", "here", "--json").stdout)["cooldown"]

    cli("run", recipe, *cooling, "--out", "there")  # and afterwards
    assert not Path("there/cooldown").exists()
    answer = json.loads(cli("run", "--resume", "there", "--on-stop", "cooldown", "--json").stdout)
    assert answer["cooldown"] == json.loads(again)["cooldown"]
    branches = (Path(name, "cooldown/step-000008/log.jsonl").read_bytes() for name in ("here", "there"))
    assert next(branches) == next(branches)


def test_a_cooldown_ended_by_a_signal_says_how_to_go_on(cli, half_solved, at_step, recipe: Path) -> None:
    at_step(9, lambda: os.kill(os.getpid(), signal.SIGTERM))
    cli("run", recipe, "--set", "train.steps=20", "--out", "here")
    at_step(1, lambda: os.kill(os.getpid(), signal.SIGTERM))
    result = cli("run", "--resume", "here", "--on-stop", "cooldown")
    assert result.exit_code == 143
    assert "Interrupted at step 8; everything recorded is kept.\n" in result.stdout
    assert "Go on with: breakeven run --resume here --on-stop cooldown\n" in result.stdout


def test_what_a_cooldown_cannot_be_asked_is_refused(cli, refused, half_solved, recipe: Path) -> None:
    assert refused("run", recipe, "--on-stop", "rest") == "--on-stop must be one of serve, cooldown; got 'rest'."
    cli("run", recipe, "--set", "train.steps=20", "--on-stop", "cooldown", "--out", "here")
    assert refused("run", "--resume", "here/cooldown/step-000008", "--budget-steps", "30") == (
        "--budget-steps must be given for the run itself, not for its cooldown; got 30. That run is in here."
    )


def test_runs_without_a_directory_are_numbered(cli, half_solved, recipe: Path) -> None:
    for number in (1, 2):
        assert f"recording to runs/tiny-{number}\n" in cli("run", recipe).stdout
    assert Path("runs/tiny-1/log.jsonl").read_bytes() == Path("runs/tiny-2/log.jsonl").read_bytes()


def test_two_runs_started_at_once_take_two_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: new_directory("runs", "tiny"), range(40)))
    assert sorted(map(str, taken)) == sorted(f"runs/tiny-{number}" for number in range(1, 41))


def test_a_run_that_is_refused_leaves_no_directory(refused, recipe: Path) -> None:
    refused("run", recipe, "--set", "evaluate.num_problems=2000", "--set", "train.batch_size=4096")
    assert not Path("runs").exists()


def test_the_decision_comes_in_three_lines_and_in_full_on_demand(cli, half_solved, recipe: Path) -> None:
    short = cli("run", recipe).stdout.partition("\n\n")[2].splitlines()
    assert short[0].startswith("Decision  Stop at step 8 (67 % of the budget) and serve ")
    assert [line[:10] for line in short[1:3]] == ["Gives     ", "Rests on  "]
    assert short[3].startswith("Spent up to step 8: ")
    full = cli("run", recipe, "--verbose").stdout.partition("\n\n")[2]
    assert full.splitlines()[:3] == short[:3]
    assert explain(read_log("runs/tiny-2").checkpoints[-1].decision) in full.splitlines()


def test_overrides_are_recorded(cli, half_solved, recipe: Path) -> None:
    options = ["--set", "policy.patience=1", "--set", "seed=5", "--set", "name=other"]
    assert "recording to runs/other-1" in cli("run", recipe, *options).stdout
    config = config_from(read_log("runs/other-1").header.config)
    assert config == load_recipe(str(recipe), ["policy.patience=1", "seed=5", "name=other"])
    assert [each.observation.step for each in read_log("runs/other-1").checkpoints] == [2, 4, 6]


def test_a_directory_with_brackets_is_printed_as_it_is(cli, half_solved, recipe: Path) -> None:
    text = cli("run", recipe, "--out", "[red]run").stdout
    assert "recording to [red]run\n" in text
    assert "To serve: [red]run/stopped" in text
    assert text.endswith("Why, in one page: [red]run/report.html\n")


def test_brackets_in_an_error_are_printed_as_they_are(refused) -> None:
    assert refused("run", "--resume", "[red]run").startswith("there is no run log at [red]run. ")


def test_a_recorded_run_replays_equal(cli, recipe: Path) -> None:
    cli("run", recipe, "--out", "here")
    assert "equal the recorded ones bit for bit." in cli("replay", "here").stdout


# -- interrupted and resumed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_after_the_step_and_names_the_way_on(
    cli, at_step, half_solved, recipe: Path, number: int, exit_code: int
) -> None:
    handler = signal.getsignal(number)
    cli("run", recipe, "--out", "straight")
    at_step(5, lambda: signal.raise_signal(number))
    result = cli("run", recipe, "--out", "here")
    assert (result.exit_code, result.stderr) == (exit_code, "")
    assert "Interrupted at step 5; everything recorded is kept." in result.stdout
    assert "Go on with: breakeven run --resume here\n" in result.stdout
    assert "Spent " not in result.stdout
    assert [each.observation.step for each in read_log("here").checkpoints] == [2, 4]
    assert signal.getsignal(number) is handler

    resumed = cli("run", "--resume", "here")
    assert resumed.exit_code == 0
    assert "Resuming after 2 recorded checkpoints." in resumed.stdout
    for name in ("log.jsonl", "state.safetensors", "stopped/model.safetensors", "stopped/serving.json", "report.html"):
        assert Path("here", name).read_bytes() == Path("straight", name).read_bytes(), name


def test_the_way_on_repeats_that_the_run_goes_to_the_end(cli, at_step, half_solved, recipe: Path) -> None:
    """Where only the resuming command said so; a run begun so has it in its log."""
    at_step(3, lambda: signal.raise_signal(signal.SIGINT))
    assert "Go on with: breakeven run --resume here\n" in cli("run", recipe, "--out", "here").stdout
    at_step(3, lambda: signal.raise_signal(signal.SIGINT))
    result = cli("run", "--resume", "here", "--to-end")
    assert "Interrupted at step 6;" in result.stdout
    assert "Go on with: breakeven run --resume here --mode shadow\n" in result.stdout
    assert "Spent up to step 12: " in cli("run", "--resume", "here", "--to-end").stdout


def test_a_run_begun_to_the_end_remembers_it(cli, at_step, half_solved, recipe: Path) -> None:
    at_step(3, lambda: signal.raise_signal(signal.SIGINT))
    result = cli("run", recipe, "--out", "here", "--to-end")
    assert "Go on with: breakeven run --resume here\n" in result.stdout
    assert "Spent up to step 12: " in cli("run", "--resume", "here").stdout


def test_a_run_takes_up_another_budget_and_is_asked_anew(cli, half_solved, recipe: Path) -> None:
    assert cli("run", recipe, "--out", "here").exit_code == 0
    before = read_log("here")
    stop = before.checkpoints[-1]
    assert stop.decision.stop
    longer = 3 * before.header.config["train"]["steps"]
    result = cli("run", "--resume", "here", "--budget-steps", longer)
    assert result.exit_code == 0, result.stderr
    after = read_log("here")
    (change,) = after.budget_changes
    assert change.step == stop.observation.step
    assert change.spec == dataclasses.replace(before.header.spec, budget_flops=3 * before.header.spec.budget_flops)
    assert after.checkpoints[: len(before.checkpoints)] == before.checkpoints  # the earlier stop stays, as evidence
    again = after.checkpoints[len(before.checkpoints)]
    assert again.decision.used == pytest.approx(again.observation.train_flops / change.spec.budget_flops)
    assert after.checkpoints[-1].decision.stop
    assert f"Stop at step {after.checkpoints[-1].observation.step} " in result.stdout
    assert "bit for bit" in cli("replay", "here").stdout
    assert cli("report", "here").exit_code == 0


def test_a_later_stop_is_served_and_tested_in_the_place_of_an_earlier_one(cli, half_solved, recipe: Path) -> None:
    assert cli("run", recipe, "--out", "here", "--to-end").exit_code == 0
    first = read_log("here")
    longer = 3 * first.header.config["train"]["steps"]
    assert cli("run", "--resume", "here", "--budget-steps", longer).exit_code == 0
    after = read_log("here")
    change = after.budget_changes[0].step
    steps = [each.observation.step for each in after.checkpoints if each.decision.stop]
    stop = next(step for step in steps if step > change)
    assert first.verification is not None
    assert after.verification is not None
    assert (first.verification.stopped_step, after.verification.stopped_step) == (8, stop)
    assert json.loads(Path("here/serving.json").read_text(encoding="utf-8"))["step"] == stop


def test_another_budget_trains_on_bit_for_bit_after_a_kill(cli, half_solved, recipe: Path, at_step) -> None:
    def kill() -> None:
        raise KeyboardInterrupt

    for directory in ("whole", "killed"):
        assert cli("run", recipe, "--out", directory).exit_code == 0
    longer = 3 * read_log("whole").header.config["train"]["steps"]
    assert cli("run", "--resume", "whole", "--budget-steps", longer, "--mode", "advise").exit_code == 0
    at_step(3, kill)
    assert cli("run", "--resume", "killed", "--budget-steps", longer, "--mode", "advise").exit_code != 0
    assert cli("run", "--resume", "killed", "--mode", "advise").exit_code == 0
    assert Path("killed/log.jsonl").read_bytes() == Path("whole/log.jsonl").read_bytes()


def test_a_budget_that_is_spent_already_is_refused(cli, refused, half_solved, recipe: Path) -> None:
    assert cli("run", recipe, "--out", "here").exit_code == 0
    assert refused("run", "--resume", "here", "--budget-steps", 2).startswith("--budget-steps must be above the ")
    assert refused("run", recipe, "--budget-steps", 99).startswith("--budget-steps must come with --resume; ")
    assert not read_log("here").budget_changes


def test_a_log_of_ones_own_script_is_not_resumed(cli, tmp_path: Path) -> None:
    open_log(tmp_path / "mine", spec=RunSpec(budget_flops=1.0), policy=PaperPolicy()).close()
    result = cli("run", "--resume", str(tmp_path / "mine"))
    assert result.exit_code == 2
    assert "Your own script wrote this log: start that script again." in result.stderr


def test_an_interrupted_run_says_so_in_json(cli, at_step, recipe: Path) -> None:
    at_step(1, lambda: signal.raise_signal(signal.SIGINT))
    result = cli("run", recipe, "--out", "here", "--json")
    assert result.exit_code == 130
    answer = json.loads(result.stdout)
    assert (answer["interrupted"], answer["step"], answer["decision"], answer["report"]) == (True, 1, None, None)


def test_a_log_will_do_in_place_of_its_directory(cli, at_step, half_solved, recipe: Path) -> None:
    at_step(3, lambda: signal.raise_signal(signal.SIGINT))
    cli("run", recipe, "--out", "here")
    assert cli("run", "--resume", "here/log.jsonl").exit_code == 0
    assert read_log("here").checkpoints[-1].observation.step == 8
    assert Path("here/stopped/model.safetensors").exists()


def test_resuming_a_run_that_is_over_shows_its_end(cli, half_solved, recipe: Path) -> None:
    cli("run", recipe, "--out", "here")
    before = Path("here/log.jsonl").read_bytes()
    result = cli("run", "--resume", "here")
    assert result.exit_code == 0
    assert "To serve: here/stopped" in result.stdout
    assert Path("here/log.jsonl").read_bytes() == before


def test_a_log_cut_off_in_its_last_line_is_mended_and_it_is_said(cli, half_solved, recipe: Path) -> None:
    cli("run", recipe, "--out", "straight")
    cli("run", recipe, "--out", "here")
    log = Path("here/log.jsonl")
    log.write_bytes(log.read_bytes()[:-50])
    Path("here/state.safetensors").unlink()
    result = cli("run", "--resume", "here")
    assert result.exit_code == 0
    assert "The log's last line was cut short and was left out.\n" in result.stdout
    assert log.read_bytes() == Path("straight/log.jsonl").read_bytes()


# -- usage ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.stpes=5", "train.stpes must be a setting of [train]; got 'stpes'. Did you mean steps"),
        ("tain.steps=5", "tain must be a setting or section; got 'tain'. Did you mean train"),
        ("steps=5", "steps must be a setting or section; got 'steps'."),
        ("train.steps=many", "train.steps must be of its type: expected int, got str; got 'many'."),
        ("train.steps=2.5", "train.steps must be of its type: expected int, got float; got 2.5."),
        ("train=5", "train must be of its type: expected object, got int; got 5."),
        ("train.steps", "--set must be key=value; got 'train.steps'."),
        ("train.steps.more=5", "--set must name a setting inside a section; got 'train.steps.more'."),
        ("policy.k_values=[]", "policy.k_values must hold at least one K; got []."),
        (
            "policy.k_values=[1, 2, 8]",
            "policy.k_values must be at most the 4 samples drawn per problem; got [1, 2, 8].",
        ),
        ("policy.patience=-1", "policy.patience must be a whole number of at least 0; got -1."),
        ("policy.max_k=0", "policy.max_k must be a whole number of at least 1; got 0."),
        ("evaluate.every_steps=50", "train.steps must leave room for one evaluation"),
        ("train.learning_rate=nan", "train.learning_rate must be finite and above 0; got nan."),
        ("train.weight_decay=-1", "train.weight_decay must be finite and at least 0; got -1.0."),
        ("train.clip_norm=0", "train.clip_norm must be finite and above 0; got 0.0."),
        ("task.max_number=1000", "task.max_number must be from 2 to 999; got 1000."),
        ("task.max_target=0", "task.max_target must be from 1 to 9999; got 0."),
        ("verify.num_problems=1", "verify.num_problems must be at least 2; got 1."),
        ("name=a/b", "name must be letters, digits, dots, dashes and underscores; got 'a/b'."),
        ("seed=-1", "seed must be from 0 to 2147483647; got -1."),
        ("seed=4294967296", "seed must be from 0 to 2147483647; got 4294967296."),
        ("baseline=gready", "baseline must be of its type: invalid enum value 'gready'; got 'gready'."),
    ],
)
def test_a_setting_that_cannot_be_is_refused_before_anything_is_made(
    refused, recipe: Path, override: str, message: str
) -> None:
    assert refused("run", recipe, "--out", "here", "--set", override).startswith(message)
    assert not Path("here").exists()


def test_a_budget_below_one_evaluation_is_refused_before_anything_is_made(refused, recipe: Path) -> None:
    options = ["--set", "train.steps=2", "--set", "train.batch_size=1"]
    message = refused("run", recipe, "--out", "here", *options)
    assert message.startswith("train.steps must make a budget above one evaluation, ")
    assert message.endswith(
        "Train longer, or evaluate fewer problems (evaluate.num_problems) or samples (evaluate.num_samples)."
    )
    assert not Path("here").exists()


def test_more_problems_than_there_are_is_refused_before_anything_is_made(refused, recipe: Path) -> None:
    options = ["--set", "evaluate.num_problems=2000", "--set", "train.batch_size=4096"]
    message = refused("run", recipe, "--out", "here", *options)
    assert re.search(r"must be at most the \d+ distinct validation problems of this difficulty; got 2000\.", message)
    assert not Path("here").exists()


def test_an_unknown_recipe_is_refused_with_the_nearest_name(refused) -> None:
    assert "Did you mean countdown" in refused("run", "countdowm")
    assert refused("run", "none.toml").startswith("RECIPE must be a shipped name or the path of a TOML file; got ")
    assert not Path("runs").exists()


def test_neither_recipe_nor_run_is_refused(refused) -> None:
    message = refused("run")
    assert message.startswith("RECIPE must be given, or --resume RUN; ")
    assert message.endswith(f"there are {', '.join((*recipe_names(), *recipe_names(CLASSIFIERS)))}.")


def test_a_mode_that_does_not_exist_is_refused(cli, refused, at_step, recipe: Path) -> None:
    at_step(1, lambda: signal.raise_signal(signal.SIGINT))
    cli("run", recipe, "--out", "here")
    before = Path("here/log.jsonl").read_bytes()
    assert refused("run", "--resume", "here", "--mode", "shadwo").startswith("--mode must be one of ")
    assert Path("here/log.jsonl").read_bytes() == before


@pytest.mark.parametrize("options", [["countdown"], ["--set", "train.steps=5"], ["--out", "there"]])
def test_a_resumed_run_takes_no_settings(refused, options: list[str]) -> None:
    assert refused("run", "--resume", "here", *options).startswith("--resume must stand alone: ")


def test_resuming_where_there_is_no_run_is_refused(refused) -> None:
    assert refused("run", "--resume", "here").startswith("there is no run log at here. ")
    assert not Path("here").exists()


def test_a_directory_that_holds_a_run_is_refused_and_left_alone(cli, refused, half_solved, recipe: Path) -> None:
    cli("run", recipe, "--out", "here")
    before = {path: path.read_bytes() for path in Path("here").rglob("*") if path.is_file() and path.name != "lock"}
    message = refused("run", recipe, "--out", "here")
    assert message.startswith("--out must be a new directory; got 'here'. It holds state.safetensors of a run: go on")
    assert {path: path.read_bytes() for path in before} == before


def test_a_directory_that_holds_a_log_alone_is_refused_and_left_alone(refused, at_step, recipe: Path) -> None:
    at_step(1, lambda: math.nan)
    refused("run", recipe, "--out", "here", exit_code=3)
    before = Path("here/log.jsonl").read_bytes()
    message = refused("run", recipe, "--out", "here")
    assert message.startswith(
        "run_dir must not hold a log.jsonl yet; got 'here'. To go on with that run pass resume=True (--resume)"
    )
    assert Path("here/log.jsonl").read_bytes() == before


def test_a_directory_in_use_is_refused_with_who_uses_it(cli, refused, at_step, recipe: Path) -> None:
    at_step(3, lambda: signal.raise_signal(signal.SIGINT))
    cli("run", recipe, "--out", "here")
    before = Path("here/log.jsonl").read_bytes()
    with RunLog.open("here"):
        message = refused("run", "--resume", "here")
    assert message.startswith(f"run directory here is in use by process {os.getpid()} on ")
    assert message.endswith("Wait for it to end, or choose another directory.")
    assert Path("here/log.jsonl").read_bytes() == before
    assert cli("run", "--resume", "here").exit_code == 0


def test_a_file_in_the_place_of_the_directory_is_refused(refused, recipe: Path) -> None:
    assert refused("run", recipe, "--out", recipe).startswith("run_dir must be a directory; got ")


def test_a_damaged_log_is_refused_with_the_line_and_left_alone(cli, refused, half_solved, recipe: Path) -> None:
    cli("run", recipe, "--out", "here")
    log = Path("here/log.jsonl")
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:2], b"garbage\n", *lines[3:]]))
    damaged = log.read_bytes()
    assert refused("run", "--resume", "here").startswith("here/log.jsonl, line 3, is damaged: ")
    assert log.read_bytes() == damaged

    log.write_bytes(b"".join(lines[:2]))  # as the message says
    assert cli("run", "--resume", "here").exit_code == 0
    assert log.read_bytes() == b"".join(lines)


def test_a_truncated_state_is_refused_with_its_path(cli, refused, at_step, recipe: Path) -> None:
    at_step(3, lambda: signal.raise_signal(signal.SIGINT))
    cli("run", recipe, "--out", "here")
    state = Path("here/state.safetensors")
    state.write_bytes(state.read_bytes()[:100])
    message = refused("run", "--resume", "here")
    assert message.startswith("here/state.safetensors must be a whole safetensors file; ")
    assert message.endswith("Delete it to train again up to the recorded steps.")
    state.unlink()  # as the message says
    assert cli("run", "--resume", "here").exit_code == 0


# -- somebody else's run ----------------------------------------------------------------------------------------------

THEIRS = """
from dataclasses import dataclass
from pathlib import Path
from breakeven.data.made.countdown import Countdown
Path("mark").touch()
def theirs(**settings):
    Path("mark").touch()
"""


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ({"kind": "text", "name": "task_of_theirs:theirs", "settings": {"model": "x"}}, "task.name"),
        ({"kind": "task_of_theirs:Theirs"}, "task.kind"),
    ],
)
def test_resuming_runs_no_code_that_the_log_names(cli, refused, task: dict[str, Any], name: str, recipe: Path) -> None:
    Path("task_of_theirs.py").write_text(THEIRS)
    cli("run", recipe, "--out", "mine")
    header = read_log("mine").header
    RunLog.create("here", dataclasses.replace(header, config=header.config | {"task": task})).close()
    message = refused("run", "--resume", "here")
    assert message.startswith(f"{name} must name what breakeven ships, for it stands in here, which may be somebody")
    assert message.endswith("To run that code, read it and give --trust-recipe.")
    assert not Path("mark").exists()
    result = cli("run", "--resume", "here", "--trust-recipe")
    assert "here names task_of_theirs:" in result.stderr
    assert Path("mark").exists()
    sys.modules.pop("task_of_theirs", None)


@pytest.mark.parametrize(
    "command", [["eval", "{}", "--task", "chain"], ["reward-model", "s", "--start", "{}", "--out", "o"]]
)
def test_saved_weights_run_no_code_that_they_name(cli, refused, command: list[str], recipe: Path) -> None:
    cli("run", recipe, "--out", "here", "--mode", "advise")
    Path("task_of_theirs.py").write_text(THEIRS)
    note = Path("here/full/serving.json")
    said = json.loads(note.read_text())
    note.write_text(json.dumps(said | {"task": {"kind": "text", "name": "task_of_theirs:theirs"}}))
    message = refused(*(each.format("here/full") for each in command))
    assert "task.name must name what breakeven ships, for it stands in here/full/serving.json" in message
    assert not Path("mark").exists()


# -- a run that fails -------------------------------------------------------------------------------------------------


def test_a_loss_that_is_no_number_is_a_failed_run_whose_log_is_kept(refused, at_step, recipe: Path) -> None:
    at_step(5, lambda: math.nan)
    message = refused("run", recipe, "--out", "here", exit_code=3)
    assert message.startswith("loss must be finite; got nan at step 5: training diverged. ")
    assert [each.observation.step for each in read_log("here").checkpoints] == [2, 4]


@pytest.mark.parametrize("at", ["log", "state", "page"])
def test_a_full_disk_is_a_failed_run_that_goes_on_when_there_is_room(
    cli, refused, half_solved, monkeypatch: pytest.MonkeyPatch, recipe: Path, at: str
) -> None:
    cli("run", recipe, "--out", "straight")
    with monkeypatch.context() as patch:
        if at == "log":
            patch.setattr(RunLog, "append", _append_to_a_full_disk(RunLog.append))
        elif at == "state":
            patch.setattr(checkpoint, "write_whole", _write_to_a_full_disk)
        else:
            patch.setattr(Path, "replace", _replace_on_a_full_disk(Path.replace))
        message = refused("run", recipe, "--out", "here", exit_code=3)
    assert "No space left on device" in message
    read_log("here")
    assert cli("run", "--resume", "here").exit_code == 0
    for name in ("log.jsonl", "state.safetensors", "report.html"):
        assert Path("here", name).read_bytes() == Path("straight", name).read_bytes(), name


def _write_to_a_full_disk(path: Path, content: object, *, remedy: str) -> None:
    write_whole(path, full_disk, remedy=remedy)


def _append_to_a_full_disk(append: Callable[..., None]) -> Callable[..., None]:
    """The real method, on a disk that takes half a line at the second checkpoint."""

    def wrapped(self: RunLog, record: Any) -> None:
        if not self.checkpoints:
            return append(self, record)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", full_disk)
            return append(self, record)

    return wrapped


def _replace_on_a_full_disk(replace: Callable[..., Path]) -> Callable[..., Path]:
    def wrapped(self: Path, target: Path) -> Path:
        if target.name == "report.html":
            full_disk()
        return replace(self, target)

    return wrapped


# -- earlier runs -----------------------------------------------------------------------------------------------------


def test_an_earlier_run_is_read_into_the_log_and_kept_when_the_budget_changes(cli, refused, recipe: Path) -> None:
    assert cli("run", recipe, "--mode", "advise", "--out", "first").exit_code == 0
    assert (
        cli("run", recipe, "--set", "seed=1", "--like", "first", "--mode", "advise", "--out", "second").exit_code == 0
    )
    record = read_log("second")
    assert record.header.config["like"] == ["first"]
    assert [each.name for each in record.header.spec.like] == ["first"]
    assert record.header.spec.like[0].share[-1] == 1.0
    assert cli("replay", "second").exit_code == 0
    assert cli("run", "--resume", "second", "--budget-steps", 14).exit_code == 0
    assert [each.name for each in read_log("second").budget_changes[-1].spec.like] == ["first"]
    message = refused("run", recipe, "--set", "task.max_number=8", "--like", "first")
    assert message.startswith(
        "like must hold runs of the same task, with the same validation problems; got 'first with "
    )
    assert refused("run", "--resume", "second", "--like", "first").startswith("--resume must stand alone")


def test_an_earlier_run_may_have_had_fewer_validation_problems(cli, recipe: Path) -> None:
    assert cli("run", recipe, "--mode", "advise", "--out", "first").exit_code == 0
    assert cli("run", recipe, "--set", "evaluate.num_problems=5", "--like", "first", "--out", "second").exit_code == 0
