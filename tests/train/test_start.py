"""Continued training: a run that begins with a trained model, pays for itself alone, and says what was spent before."""

import dataclasses
import json
import shutil
import zlib
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from breakeven.config import RunConfig, config_from
from breakeven.data.made.countdown import Countdown
from breakeven.data.made.mixture import Mixture
from breakeven.data.made.sorting import Sorting
from breakeven.errors import ArgumentError
from breakeven.model.transformer import Transformer
from breakeven.records import Spent, Start
from breakeven.report import start_words
from breakeven.report.continued import start_rows
from breakeven.store import RunLog, read_log
from breakeven.train import costs, loop
from breakeven.train.saved_model import load_saved_model
from breakeven.train.start import begin, start_of

TASK = Countdown(num_numbers=2, max_number=9, max_target=20)
"""That of `make_config`."""
BASE_TASK = {
    "kind": "mixture",
    "members": [{"num_numbers": 2, "max_number": 15, "max_target": 30}, {"kind": "sorting", "length": 3}],
}


def run(config: RunConfig, run_dir: Path, **options):
    with loop.start_run(config, run_dir) as log:
        return loop.run(config, run_dir, log, **options)


def resume(run_dir: Path, **options):
    with RunLog.open(run_dir) as log:
        return loop.run(config_from(log.header.config), run_dir, log, **options)


def interrupt_after(steps: int):
    left = iter(range(steps - 1))
    return lambda: next(left, None) is None


def files(run_dir: Path) -> dict[str, bytes]:
    paths = (path for path in run_dir.rglob("*") if path.is_file() and path.name != "lock")
    return {str(path.relative_to(run_dir)): path.read_bytes() for path in paths}


@pytest.fixture
def base(make_config, tmp_path: Path) -> Path:
    """A model of two tasks, trained for 12 steps, in the directory of its run."""
    run(make_config(task=BASE_TASK, seed=3), tmp_path / "base", mode="advise")
    return tmp_path / "base"


@pytest.fixture
def continued(make_config, base: Path) -> RunConfig:
    return continued_from(make_config, base)


def continued_from(make_config, start: Path, **changes) -> RunConfig:
    config = make_config(**changes)
    return dataclasses.replace(config, model=dataclasses.replace(config.model, start=str(start)))


# -- what it begins with ----------------------------------------------------------------------------------------------


def test_it_begins_as_the_model_it_goes_on_with_on_the_words_of_its_task(continued: RunConfig, base: Path) -> None:
    start = start_of(continued)
    assert start is not None
    model = Transformer(continued.model.shape_for(TASK))
    begin(model, continued, start)
    mixture = Mixture(members=(Countdown(num_numbers=2, max_number=15, max_target=30), Sorting(length=3)))
    before = load_saved_model(base / "full", name="base").model
    theirs = [mixture.words.index(each) for each in TASK.words]
    prompt = TASK.problems("test", 1)[0].prompt
    with torch.no_grad():
        ours_V = model(torch.tensor([TASK.encode_text(prompt)]))[0, -1]
        theirs_V = before(torch.tensor([mixture.encode_text(prompt)]))[0, -1]
    assert torch.allclose(ours_V, theirs_V[theirs], atol=1e-6)


def test_what_was_spent_before_is_recorded_and_no_part_of_the_budget(
    make_config, continued: RunConfig, base: Path, tmp_path: Path
) -> None:
    run(continued, tmp_path / "run", mode="advise")
    header = read_log(tmp_path / "run").header
    base_config = make_config(task=BASE_TASK)
    assert header.start == Start(
        weights=str(base / "full"),
        crc32=f"{zlib.crc32((base / 'full' / 'model.safetensors').read_bytes()):08x}",
        spent=Spent(
            steps=12,
            train_tokens=12 * 8 * costs.sequence_tokens(base_config.task),
            train_flops=costs.spec_for(base_config).budget_flops,
        ),
    )
    assert header.spec == costs.spec_for(make_config())
    assert read_log(tmp_path / "run").checkpoints[-1].observation.train_flops == header.spec.budget_flops


def test_spending_adds_up_over_runs(make_config, continued: RunConfig, base: Path, tmp_path: Path) -> None:
    run(continued, tmp_path / "run", mode="advise")
    first, second = start_of(continued), start_of(continued_from(make_config, tmp_path / "run"))
    assert first is not None
    assert second is not None
    assert first.spent is not None
    task, flops = make_config().task, costs.spec_for(make_config()).budget_flops
    own = Spent(steps=12, train_tokens=12 * 8 * costs.sequence_tokens(task), train_flops=flops)
    assert second.spent == first.spent + own


def test_a_stopped_model_will_do_and_the_full_one_goes_first(
    make_config, base: Path, half_solved, tmp_path: Path
) -> None:
    run(make_config(), tmp_path / "stops")
    stopped = start_of(continued_from(make_config, tmp_path / "stops"))
    assert stopped is not None
    assert stopped.spent is not None
    assert (Path(stopped.weights).name, stopped.spent.steps) == ("stopped", 8)
    shutil.copytree(tmp_path / "stops" / "stopped", base / "stopped")
    full = start_of(continued_from(make_config, base))
    assert full is not None
    assert full.weights == str(base / "full")
    alone = start_of(continued_from(make_config, tmp_path / "stops" / "stopped"))
    assert alone == stopped


def test_weights_of_earlier_versions_do_not_say_what_was_spent(make_config, continued: RunConfig, base: Path) -> None:
    path = base / "full" / "serving.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "spent"}))
    start = start_of(continued)
    assert start is not None
    assert start.spent is None
    assert "What was spent on them before is not recorded, and is no part of the budget" in start_words(start)[0]
    assert start_rows(start) == [
        ("Before this run, on the model it began with", "not recorded", "no part of the budget")
    ]


def test_what_follows_knows_no_more_than_its_start(make_config, continued: RunConfig, base: Path, tmp_path) -> None:
    path = base / "full" / "serving.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "spent"}))
    run(continued, tmp_path / "run", mode="advise")
    assert json.loads((tmp_path / "run" / "full" / "serving.json").read_text())["spent"] is None
    start = start_of(continued_from(make_config, tmp_path / "run"))
    assert start is not None
    assert start.spent is None


def test_a_run_from_scratch_has_no_start(make_config, tmp_path: Path) -> None:
    run(make_config(), tmp_path / "run", mode="advise")
    assert read_log(tmp_path / "run").header.start is None
    assert b'"start":{' not in (tmp_path / "run" / "log.jsonl").read_bytes()
    assert start_words(None) == []


def test_a_cooldown_of_a_continued_run_remembers_its_start(
    make_config, half_solved, base: Path, tmp_path: Path
) -> None:
    config = continued_from(
        make_config, base, on_stop="cooldown", train__steps=20, train__cooldown_share=0.5, train__decay_share=0.0
    )
    run(config, tmp_path / "run")
    branch = tmp_path / "run" / "cooldown" / "step-000008"
    assert read_log(branch).header.start == read_log(tmp_path / "run").header.start
    assert json.loads((branch / "full" / "serving.json").read_text())["spent"]["steps"] == 12 + 12


# -- the same bytes ---------------------------------------------------------------------------------------------------


def test_an_interrupted_and_resumed_run_leaves_the_same_bytes(continued: RunConfig, tmp_path: Path) -> None:
    run(continued, tmp_path / "straight", mode="shadow")
    result = run(continued, tmp_path / "resumed", mode="shadow", interrupted=interrupt_after(3))
    assert (result.step, result.interrupted) == (3, True)
    assert resume(tmp_path / "resumed", mode="shadow", interrupted=interrupt_after(5)).step == 8
    assert resume(tmp_path / "resumed", mode="shadow").step == 12
    assert files(tmp_path / "resumed") == files(tmp_path / "straight")


def test_without_its_state_it_begins_with_the_same_weights_again(continued: RunConfig, tmp_path: Path) -> None:
    run(continued, tmp_path / "straight", mode="shadow")
    run(continued, tmp_path / "resumed", mode="shadow", interrupted=interrupt_after(5))
    (tmp_path / "resumed" / "state.safetensors").unlink()
    resume(tmp_path / "resumed", mode="shadow")
    assert files(tmp_path / "resumed") == files(tmp_path / "straight")


def test_it_is_another_run_than_from_scratch(make_config, continued: RunConfig, tmp_path: Path) -> None:
    run(continued, tmp_path / "continued", mode="advise")
    run(make_config(), tmp_path / "scratch", mode="advise")
    continued_loss, scratch_loss = (
        read_log(tmp_path / name).checkpoints[0].observation.loss or 0.0 for name in ("continued", "scratch")
    )
    assert continued_loss < scratch_loss


def test_other_weights_in_the_same_place_are_refused(
    make_config, continued: RunConfig, base: Path, tmp_path: Path
) -> None:
    run(continued, tmp_path / "run", interrupted=interrupt_after(3))
    run(make_config(task=BASE_TASK, seed=4), tmp_path / "other", mode="advise")
    shutil.copy(tmp_path / "other" / "full" / "model.safetensors", base / "full")
    rule = r"^model\.start must hold the weights that this run began with, of checksum \w{8}; got '.*/full of checksum"
    with pytest.raises(ArgumentError, match=rule):
        resume(tmp_path / "run")
    shutil.rmtree(base)
    with pytest.raises(ArgumentError, match=r"of checksum \w{8}; got '.*/full, without weights'\. Put them back"):
        resume(tmp_path / "run")


# -- what cannot be begun with ----------------------------------------------------------------------------------------


def refusal(config: RunConfig, tmp_path: Path) -> str:
    with pytest.raises(ArgumentError) as caught:
        loop.start_run(config, tmp_path / "refused")
    assert not (tmp_path / "refused").exists()
    return str(caught.value)


def test_no_such_directory(make_config, tmp_path: Path) -> None:
    config = continued_from(make_config, tmp_path / "nowhere")
    said = f"model.start must be a directory; got '{tmp_path / 'nowhere'}'. Give a run, or a model that a run saved."
    assert refusal(config, tmp_path) == said


@pytest.mark.parametrize("gone", ["model.safetensors", "serving.json"])
def test_a_directory_without_weights(make_config, base: Path, tmp_path: Path, gone: str) -> None:
    (base / "full" / gone).unlink()
    said = refusal(continued_from(make_config, base), tmp_path)
    assert said.startswith("model.start must hold model.safetensors and serving.json, itself or in full or stopped;")


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_weights_that_are_not_whole(make_config, base: Path, tmp_path: Path, keep: int) -> None:
    path = base / "full" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    said = refusal(continued_from(make_config, base), tmp_path)
    assert said.startswith("model.start must ")
    assert f"{path} must be a whole safetensors file" in said


@pytest.mark.parametrize(
    ("name", "value", "known"),
    [("num_layers", 2, 1), ("embedding", 32, 16), ("num_heads", 4, 2), ("feed_forward", 8, 16)],
)
def test_other_sizes(make_config, base: Path, tmp_path: Path, name: str, value: int, known: int) -> None:
    config = continued_from(make_config, base, **{f"model__{name}": value})
    assert refusal(config, tmp_path) == f"model.{name} must be {known}, as of model.start; got {value}."


def test_another_vocabulary(make_config, base: Path, tmp_path: Path) -> None:
    config = continued_from(make_config, base, task={"num_numbers": 2, "max_number": 60, "max_target": 60})
    assert refusal(config, tmp_path) == (
        f"model.start must be trained on every word of the task, such as 50 51 52 53 54; got '{base}, which lacks 11 "
        "of 71'. Pretrain on a mixture that holds this task."
    )


def test_longer_problems(make_config, base: Path, tmp_path: Path) -> None:
    config = continued_from(make_config, base, task={"num_numbers": 3, "max_number": 9, "max_target": 20})
    rule = "task must have problems of at most 9 tokens, the longest that model.start was trained on; got 14."
    assert refusal(config, tmp_path) == rule


def test_spending_that_is_no_number(make_config, base: Path, tmp_path: Path) -> None:
    path = base / "full" / "serving.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"spent": {"steps": "many"}}))
    assert refusal(continued_from(make_config, base), tmp_path).startswith(
        "model.start.spent.steps must be of its type"
    )
