"""A stop that is cooled down: a branch of the reference run, made as by hand, and resumed bit for bit."""

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from breakeven.config import config_from
from breakeven.data.made.countdown import Countdown
from breakeven.errors import ArgumentError, RunStorageError
from breakeven.model.transformer import Transformer
from breakeven.records import Cooldown, Reason
from breakeven.report import branch_words, cooldown_words
from breakeven.session.steering import ask
from breakeven.store import RunLog, read_log
from breakeven.train import cooldown, loop
from breakeven.train.saved_model import load_saved_model
from breakeven.train.step import learning_rate, train_step, training_batches

BRANCH = "cooldown/step-000008"


@pytest.fixture
def config(make_config, half_solved):
    """Stops at step 8 of 20, and cools down over 4 more."""
    return make_config(on_stop="cooldown", train__steps=20, train__cooldown_share=0.5, train__decay_share=0.0)


def run(config, run_dir: Path, **options):
    with loop.start_run(config, run_dir) as log:
        return loop.run(config, run_dir, log, **options)


def resume(run_dir: Path, **options):
    with RunLog.open(run_dir) as log:
        return loop.run(config_from(log.header.config), run_dir, log, **options)


def files(run_dir: Path) -> dict[str, bytes]:
    paths = (path for path in run_dir.rglob("*") if path.is_file() and path.name not in ("lock", "lock.owner"))
    return {str(path.relative_to(run_dir)): path.read_bytes() for path in paths}


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The learning rate of every step that is trained."""
    trained: list[float] = []
    real = train_step

    def counted(model, optimizer, *rest):
        trained.append(optimizer.param_groups[0]["lr"])
        return real(model, optimizer, *rest)

    monkeypatch.setattr(loop, "train_step", counted)
    return trained


# -- the branch -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", [{"decay_share": 0.0}, {"decay": "cosine", "decay_share": 1.0}])
def test_the_first_step_has_the_new_rate_already_and_it_falls_from_that_of_the_stop(
    make_config, half_solved, rates: list[float], tmp_path: Path, schedule
) -> None:
    config = make_config(
        on_stop="cooldown",
        train__steps=20,
        train__cooldown_share=0.5,
        **{f"train__{name}": each for name, each in schedule.items()},
    )
    run(config, tmp_path)
    at_the_stop = learning_rate(8, config.train)
    assert rates[:8] == [learning_rate(step, config.train) for step in range(1, 9)]
    assert rates[8:] == pytest.approx([at_the_stop * (1 - (into / 5) ** 0.5) for into in (1, 2, 3, 4)])


def test_the_cooled_weights_are_those_of_a_branch_made_by_hand(config, tmp_path: Path) -> None:
    run(config, tmp_path)
    train, task = config.train, config.task
    torch.manual_seed(config.seed)
    model = Transformer(config.model.shape_for(task))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=train.learning_rate, betas=(0.9, 0.95), weight_decay=train.weight_decay
    )
    batches = training_batches(task, train, config.seed)
    rates = [learning_rate(step, train) for step in range(1, 9)]
    for step, rate in enumerate([*rates, *(train.learning_rate * (1 - (into / 5) ** 0.5) for into in (1, 2, 3, 4))], 1):
        optimizer.param_groups[0]["lr"] = rate
        train_step(model, optimizer, batches(step), task.prompt_tokens, train.clip_norm)
    cooled = load_saved_model(tmp_path / BRANCH / "full", name="model").model.state_dict()
    assert all(torch.allclose(each, cooled[name], atol=1e-6) for name, each in model.state_dict().items())
    stopped = load_saved_model(tmp_path / "stopped", name="model").model.state_dict()
    assert any(not torch.allclose(each, cooled[name], atol=1e-6) for name, each in stopped.items())


def test_the_branch_is_a_run_of_its_own_that_names_its_parent_and_repeats_its_draws(config, tmp_path: Path) -> None:
    result = run(config, tmp_path)
    parent, branch = read_log(tmp_path), read_log(tmp_path / BRANCH)
    assert parent.header.parent is None
    assert b'"parent"' not in (tmp_path / "log.jsonl").read_bytes()
    assert branch.header.parent is not None
    assert (branch.header.parent.run, branch.header.parent.step) == ("../..", 8)
    assert branch.header.parent.fingerprint == parent.fingerprint == branch.fingerprint
    (again, cooled), stopped = branch.checkpoints, parent.checkpoints[-1]
    assert again.observation.bank == stopped.observation.bank  # all was drawn there already
    assert cooled.observation.step == 12
    assert cooled.decision.reason is Reason.BUDGET_SPENT
    ours, theirs = cooled.observation.bank, stopped.observation.bank
    assert (ours.seed, ours.temperature) == (theirs.seed, theirs.temperature)
    assert [len(row) for row in ours.correct_PN] == [4] * 6
    assert (branch.header.spec.decay_share, config_from(branch.header.config).train.steps) == (4 / 12, 12)
    found = result.cooldown
    assert found is not None
    assert found == parent.cooldown
    assert found.train_flops == pytest.approx(stopped.observation.train_flops / 2)
    assert found.cooled is not None
    both = again.observation.evaluation_flops + cooled.observation.evaluation_flops
    assert found.cooled.evaluation_flops == both
    spent = sum(each.observation.evaluation_flops for each in (*parent.checkpoints, again, cooled))
    total = cooled.observation.train_flops + spent
    assert found.cooled.net_saving == pytest.approx(1 - total / parent.header.spec.budget_flops)
    assert branch_words(branch.header.parent) == ["This run is the cooldown of the one in ../.., from its step 8 on."]


def test_what_it_costs_and_is_expected_to_bring_is_recorded_before_it_is_run(config, tmp_path: Path) -> None:
    told = []

    def on_cooldown(plan: Cooldown) -> None:
        assert not (tmp_path / BRANCH).exists()
        assert read_log(tmp_path).cooldown == plan
        told.append(plan)

    result = run(config, tmp_path, on_cooldown=on_cooldown)
    (plan,) = told
    assert (plan.step, plan.steps, plan.cooled, plan.expected_by) == (8, 4, None, "prior")
    assert plan.expected_lo < 1 / 3 < plan.expected_hi  # as two of the six are solved
    assert result.cooldown is not None
    assert replace(result.cooldown, cooled=None) == plan
    assert cooldown_words(plan)[0].startswith("A cooldown of 4 steps from the stop at step 8 costs ")


def test_averaged_weights_say_what_is_expected(make_config, half_solved, tmp_path: Path) -> None:
    config = make_config(on_stop="cooldown", train__steps=20, train__average=True)
    result = run(config, tmp_path)
    assert result.cooldown is not None
    assert result.cooldown.expected_by == "average"
    assert read_log(tmp_path / BRANCH).checkpoints[0].observation.average is None


def test_the_cooled_model_says_how_it_is_served(config, tmp_path: Path) -> None:
    result = run(config, tmp_path)
    assert result.cooldown is not None
    assert result.cooldown.cooled is not None
    note = json.loads((tmp_path / BRANCH / "full" / "serving.json").read_text())
    assert note["step"] == note["serving_point"]["step"] == 12
    assert note["serving_point"]["k"] == 1
    assert note["used"] == pytest.approx(12 / 20)
    assert note["net_saving"] == result.cooldown.cooled.net_saving


def test_a_model_that_is_worse_for_it_is_not_served(config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    right, stand = Countdown.check, {"cooling": False}

    def check(self, problem, completion):
        return right(self, problem, completion) and not stand["cooling"]

    monkeypatch.setattr(Countdown, "check", check)
    result = run(config, tmp_path, on_evaluation=lambda each: stand.update(cooling=each.step > 8))
    assert result.cooldown is not None
    cooled = result.cooldown.cooled
    assert cooled is not None
    assert (cooled.accuracy, cooled.serving, cooled.break_even_queries) == (0.0, None, None)
    assert "serving_point" not in json.loads((tmp_path / BRANCH / "full" / "serving.json").read_text())
    assert cooldown_words(result.cooldown)[-1] == "It does not reach the stop with as few samples: serve the stop."


# -- beside training on -----------------------------------------------------------------------------------------------


def test_the_run_itself_is_left_as_it_is_without_one(config, make_config, tmp_path: Path) -> None:
    plain = make_config(train__steps=20, train__cooldown_share=0.5, train__decay_share=0.0)
    run(config, tmp_path / "with", mode="advise")
    run(plain, tmp_path / "without", mode="advise")
    with_, without = files(tmp_path / "with"), files(tmp_path / "without")
    branch = {name for name in with_ if name.startswith("cooldown/")}
    assert branch
    assert with_.keys() - branch == without.keys()
    for name in without.keys() - {"log.jsonl"}:
        assert with_[name] == without[name], name
    assert read_log(tmp_path / "with").checkpoints == read_log(tmp_path / "without").checkpoints


def test_it_is_left_out_where_training_on_costs_no_more(make_config, half_solved, tmp_path: Path) -> None:
    result = run(make_config(on_stop="cooldown", train__steps=12, train__cooldown_share=0.5), tmp_path)
    assert result.cooldown is not None
    assert (result.cooldown.left_out, result.cooldown.cooled) == ("end", None)
    assert not (tmp_path / "cooldown").exists()
    again = resume(tmp_path)
    assert again.cooldown == result.cooldown
    assert cooldown_words(again.cooldown)[-1] == "It is not run: training on to the end costs no more."


def test_a_diverged_branch_leaves_the_stop_as_it_is(config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real, steps = train_step, iter(range(1, 100))
    monkeypatch.setattr(loop, "train_step", lambda *rest: float("nan") if next(steps) == 10 else real(*rest))
    result = run(config, tmp_path)
    assert (result.step, result.interrupted) == (8, False)
    assert result.cooldown is not None
    assert result.cooldown.left_out == "failed"


# -- ended and gone on with -------------------------------------------------------------------------------------------


class KilledError(BaseException):
    """Nothing is put right after it."""


def test_ended_or_killed_in_its_cooldown_a_run_goes_on_to_the_same_bytes(
    config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    asked = iter(range(1, 100))
    run(config, tmp_path / "stopped", interrupted=lambda: next(asked) == 8)
    shutil.copytree(tmp_path / "stopped", whole)
    resume(whole)
    for step in (1, 4):  # of the cooldown
        cut = tmp_path / f"ended-{step}"
        shutil.copytree(tmp_path / "stopped", cut)
        asked = iter(range(1, 100))
        assert resume(cut, interrupted=lambda each=asked, at=step: next(each) == at).interrupted
        assert resume(cut).step == 8
        assert files(cut) == files(whole), step
    real = os.fsync
    for write in (0, 5, 10, 16, 21):
        cut, left = tmp_path / f"killed-{write}", iter(range(write))
        shutil.copytree(tmp_path / "stopped", cut)

        def fsync(descriptor: int, left=left) -> None:
            if next(left, None) is None:
                raise KilledError
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        with pytest.raises(KilledError):
            resume(cut)
        monkeypatch.setattr(os, "fsync", real)
        resume(cut)
        assert files(cut) == files(whole), write


def test_the_branch_can_be_gone_on_with_by_itself_and_begins_at_the_stop_without_its_state(
    config, tmp_path: Path
) -> None:
    run(config, tmp_path / "whole")
    asked = iter(range(1, 100))
    run(config, tmp_path / "cut", interrupted=lambda: next(asked) == 10)
    branch = tmp_path / "cut" / BRANCH
    (branch / "state.safetensors").unlink()
    assert resume(branch).step == 12
    resume(tmp_path / "cut")
    assert files(tmp_path / "cut") == files(tmp_path / "whole")
    shutil.rmtree(branch / "start")
    (branch / "state.safetensors").unlink()
    with pytest.raises(ArgumentError, match=r"start must hold the state of step 8; got 'step 0'\. Delete "):
        resume(branch)


def test_another_run_in_the_place_of_the_branch_is_refused(config, make_config, tmp_path: Path) -> None:
    asked = iter(range(1, 100))
    run(config, tmp_path, interrupted=lambda: next(asked) == 8)
    shutil.rmtree(tmp_path / "cooldown", ignore_errors=True)
    run(make_config(train__steps=4), tmp_path / BRANCH)
    with pytest.raises(ArgumentError, match=r"step-000008 must be the cooldown of step 8; got None"):
        resume(tmp_path)


# -- steered from outside ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "ends_at"), [("stop", 8), ("veto", 20), ("withdraw", 8)])
def test_what_is_asked_of_the_run_is_taken_up_in_its_cooldown(config, tmp_path: Path, action, ends_at: int) -> None:
    def on_progress(progress: loop.Progress) -> None:
        if progress.step == 10 and not read_log(tmp_path).steering:
            ask(tmp_path, action, "enough")

    result = run(config, tmp_path, on_progress=on_progress)
    assert (result.step, result.interrupted) == (ends_at, False)
    assert result.cooldown is not None
    assert (result.cooldown.cooled is None) == (action != "withdraw")
    assert [each.action for each in read_log(tmp_path).steering] == [action]
    assert (tmp_path / "stopped_by_hand" / "serving.json").exists() == (action == "stop")


def test_a_stop_that_was_passed_cannot_be_cooled_any_more_and_that_is_said(
    make_config, half_solved, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = make_config(train__steps=20)
    run(config, tmp_path, mode="advise", interrupted=iter([False] * 11 + [True]).__next__)
    with RunLog.open(tmp_path) as log:
        loop.run(replace(config, on_stop="cooldown"), tmp_path, log, mode="advise")
    assert read_log(tmp_path).cooldown is None
    (said,) = [each.getMessage() for each in caplog.records if "cooled down" in each.getMessage()]
    assert "the stop at step 8 was not cooled down: training has gone on to step 12" in said


def test_a_disk_that_fails_where_the_branch_begins_is_one_error_and_is_gone_on_from(
    config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(path: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    run(config, tmp_path / "whole")
    with monkeypatch.context() as patched:
        patched.setattr(cooldown, "make_directory", failing)
        with pytest.raises(RunStorageError, match=r"cooldown/step-000008 could not be begun: Input/output error\. "):
            run(config, tmp_path / "broken")
    resume(tmp_path / "broken")
    assert files(tmp_path / "broken") == files(tmp_path / "whole")
