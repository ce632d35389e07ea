"""The reference run, from the first step to what it leaves on disk."""

import dataclasses
import errno
import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")


import torch

from breakeven import store
from breakeven.config import TrainConfig, config_from, config_to_builtins, load_recipe, policy_from, recipe_names
from breakeven.cost.tokens import ModelCost
from breakeven.data.made.countdown import Countdown
from breakeven.errors import ArgumentError, DivergedError, RunStorageError
from breakeven.model.transformer import Transformer
from breakeven.records import Reason, TransformerShape
from breakeven.sampling.collect import Collector
from breakeven.session.replay import replay
from breakeven.session.steering import ask, withdraw_stop
from breakeven.store import RunLog, read_log
from breakeven.train import checkpoint, costs, loop
from breakeven.train.checkpoint import load_weights
from breakeven.train.step import learning_rate, train_step, training_batches


def run(config, run_dir: Path, **options):
    with loop.start_run(config, run_dir) as log:
        return loop.run(config, run_dir, log, **options)


def resume(run_dir: Path, **options):
    with RunLog.open(run_dir) as log:
        return loop.run(config_from(log.header.config), run_dir, log, **options)


def interrupt_after(steps: int):
    left = iter(range(steps - 1))
    return lambda: next(left, None) is None


def files(run_dir: Path) -> dict[str, bytes]:
    """Everything that a run leaves, apart from the lock, which names the last process."""
    paths = (path for path in run_dir.rglob("*") if path.is_file() and path.name != "lock")
    return {str(path.relative_to(run_dir)): path.read_bytes() for path in paths}


# -- a run that is steered from outside -------------------------------------------------------------------------------


def test_a_stop_by_hand_saves_all_and_stays_until_it_is_withdrawn(make_config, tmp_path: Path) -> None:
    def ask_at_3(progress: loop.Progress) -> None:
        if progress.step == 3:
            ask(tmp_path, "stop", "enough")

    result = run(make_config(), tmp_path, on_progress=ask_at_3)
    assert (result.step, result.stopped, result.interrupted) == (4, None, False)
    assert result.by_hand is not None
    assert result.by_hand.reason == "enough"
    assert checkpoint.are_whole(tmp_path / "stopped_by_hand")
    assert checkpoint.saved_step(tmp_path) == 4
    assert resume(tmp_path).step == 4
    with RunLog.open(tmp_path) as log:
        withdraw_stop(log, 4)
    assert resume(tmp_path).step > 4


# -- a run that stops -------------------------------------------------------------------------------------------------


def test_a_run_stops_and_ships_the_checkpoint_with_its_k(make_config, half_solved, tmp_path: Path) -> None:
    config = make_config()
    seen: list[loop.Progress] = []
    result = run(config, tmp_path, on_progress=seen.append)
    assert result.step == 8
    assert not result.interrupted
    assert result.stopped is not None
    assert (result.stopped.observation.step, result.stopped.decision.reason) == (8, Reason.REACHED)
    assert result.verification is None
    assert set(files(tmp_path)) == {
        "log.jsonl",
        "serving.json",
        "texts.jsonl",
        "state.safetensors",
        "stopped/model.safetensors",
        "stopped/serving.json",
    }
    note = json.loads((tmp_path / "stopped" / "serving.json").read_text(encoding="utf-8"))
    assert Countdown(**note["task"]) == config.task
    assert note["temperature"] == config.evaluate.temperature
    assert note["serving_point"] == dataclasses.asdict(result.stopped.decision.serving)
    assert note["net_saving"] == result.stopped.decision.net_saving
    model = Transformer(TransformerShape(**note["model"]))
    load_weights(tmp_path / "stopped", model)

    assert [each.step for each in seen] == list(range(1, 9))
    assert [each.step for each in seen if each.checkpoint] == [2, 4, 6, 8]
    assert all(math.isfinite(each.loss) for each in seen)
    assert result.train_seconds > 0
    assert result.evaluation_seconds > 0


def test_the_log_of_a_run_holds_all_that_its_decisions_rest_on(make_config, half_solved, tmp_path: Path) -> None:
    config = make_config()
    run(config, tmp_path)
    record = read_log(tmp_path)
    assert set(record.header.versions) == {"breakeven", "python", "numpy", "scipy", "torch"}
    assert config_from(record.header.config) == config
    assert policy_from(record.header.policy) == config.policy
    assert record.header.spec == costs.spec_for(config)
    assert [each.observation.step for each in record.checkpoints] == [2, 4, 6, 8]
    tokens = costs.sequence_tokens(config.task)
    cost = ModelCost.of(config.model.shape_for(config.task))
    assert tokens == 5 + 4 - 1  # `a b -> t =` and `a + b <eos>`, whose end is only predicted
    for each in record.checkpoints:
        assert each.observation.train_tokens == each.observation.step * 8 * tokens
        assert each.observation.train_flops == cost.train_flops(each.observation.step * 8, tokens)
        assert each.decision.used == pytest.approx(each.observation.step / 12)
    again = replay([each.observation for each in record.checkpoints], record.header.spec, config.policy)
    assert again == tuple(each.decision for each in record.checkpoints)


def test_shadow_mode_trains_on_and_verifies_the_stop(make_config, half_solved, tmp_path: Path) -> None:
    config = make_config()
    stopped_early = run(config, tmp_path / "stopped early")
    result = run(config, tmp_path / "to the end", mode="shadow")
    assert result.step == 12
    assert result.stopped == stopped_early.stopped
    record = read_log(tmp_path / "to the end")
    assert [each.observation.step for each in record.checkpoints] == [2, 4, 6, 8, 10, 12]
    assert record.verification == result.verification
    assert result.verification is not None
    assert (result.verification.stopped_step, result.verification.k) == (8, 1)
    assert (result.verification.num_problems, result.verification.num_samples) == (6, 4)
    early, late = files(tmp_path / "stopped early"), files(tmp_path / "to the end")
    assert early["stopped/model.safetensors"] == late["stopped/model.safetensors"]
    assert late["log.jsonl"].splitlines()[1:5] == early["log.jsonl"].splitlines()[1:5]
    assert not any(name.startswith("full/") for name in early)


def test_the_fully_trained_weights_are_kept_with_what_they_are_but_nothing_decided(
    make_config, half_solved, tmp_path: Path
) -> None:
    config = make_config()
    run(config, tmp_path, mode="shadow")
    note = json.loads((tmp_path / "full" / "serving.json").read_text(encoding="utf-8"))
    assert set(note) == {"task", "model", "spent"}
    assert Countdown(**note["task"]) == config.task
    model, trained = (Transformer(TransformerShape(**note["model"])) for _ in range(2))
    load_weights(tmp_path / "full", model)
    assert checkpoint.load_state(tmp_path, trained, torch.optim.AdamW(trained.parameters())) == 12
    assert all(torch.equal(value, trained.state_dict()[name]) for name, value in model.state_dict().items())
    assert (tmp_path / "full/model.safetensors").read_bytes() != (tmp_path / "stopped/model.safetensors").read_bytes()


def test_a_stopped_run_can_be_taken_to_the_end_later(make_config, half_solved, tmp_path: Path) -> None:
    config = make_config()
    run(config, tmp_path / "straight", mode="shadow")
    run(config, tmp_path / "later")
    assert resume(tmp_path / "later", mode="shadow").verification is not None
    assert files(tmp_path / "later") == files(tmp_path / "straight")


def test_resuming_a_run_that_is_over_changes_nothing(make_config, half_solved, tmp_path: Path) -> None:
    config = make_config()
    result = run(config, tmp_path, mode="shadow")
    before = files(tmp_path)
    again = resume(tmp_path, mode="shadow")
    assert (again.step, again.stopped, again.verification) == (result.step, result.stopped, result.verification)
    assert files(tmp_path) == before


def test_a_run_that_never_stops_uses_its_budget(make_config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Countdown, "check", lambda self, problem, completion: False)
    result = run(make_config(), tmp_path, mode="shadow")
    assert result.step == 12
    assert result.stopped is None
    assert result.verification is None
    record = read_log(tmp_path)
    assert [each.decision.reason for each in record.checkpoints] == 5 * [Reason.NO_SIGNAL] + [Reason.BUDGET_SPENT]
    assert set(files(tmp_path)) == {
        "log.jsonl",
        "texts.jsonl",
        "state.safetensors",
        "full/model.safetensors",
        "full/serving.json",
    }


def test_the_last_step_is_evaluated_and_saved_though_it_is_no_multiple(
    make_config, half_solved, tmp_path: Path
) -> None:
    config = make_config(evaluate__every_steps=5, policy__patience=9)
    assert run(config, tmp_path).step == 12
    checkpoints = read_log(tmp_path).checkpoints
    assert [each.observation.step for each in checkpoints] == [5, 10, 12]
    assert checkpoints[-1].decision.reason is Reason.BUDGET_SPENT
    before = files(tmp_path)
    assert resume(tmp_path).step == 12
    assert files(tmp_path) == before


# -- bits -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("num_sequences", [0, 20], ids=["fresh problems", "training set"])
def test_an_interrupted_and_resumed_run_leaves_the_same_bytes(make_config, tmp_path: Path, num_sequences: int) -> None:
    """The real checker, and interruptions at steps with and without an evaluation."""
    config = make_config(train__num_sequences=num_sequences)
    run(config, tmp_path / "straight", mode="shadow")
    result = run(config, tmp_path / "resumed", mode="shadow", interrupted=interrupt_after(3))
    assert (result.step, result.interrupted) == (3, True)
    assert resume(tmp_path / "resumed", mode="shadow", interrupted=interrupt_after(1)).step == 4
    assert resume(tmp_path / "resumed", mode="shadow", interrupted=interrupt_after(5)).step == 9
    assert resume(tmp_path / "resumed", mode="shadow").step == 12
    assert files(tmp_path / "resumed") == files(tmp_path / "straight")


def test_a_run_killed_before_its_state_was_saved_evaluates_nothing_twice(
    make_config, half_solved, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The stop at step 8 is recorded, but neither weights nor state of that step are on disk."""
    config = make_config()
    run(config, tmp_path / "straight")

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "save_weights", killed)
        with pytest.raises(KeyboardInterrupt):
            run(config, tmp_path / "killed")
    assert not (tmp_path / "killed" / "stopped").exists()
    with monkeypatch.context() as patch:
        patch.setattr("breakeven.session.live.Collector", killed)
        assert resume(tmp_path / "killed").step == 8
    assert files(tmp_path / "killed") == files(tmp_path / "straight")


class Killed(BaseException):
    """Ends a run between two instructions, as a kill does; no handler may swallow it."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kill_at", "mode", "num_writes"),
    [("write", "stop", 10), ("fsync", "stop", 28), ("write", "shadow", 16), ("fsync", "shadow", 43)],
)
def test_a_run_killed_at_any_write_resumes_to_the_same_bytes(
    make_config,
    half_solved,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kill_at: str,
    mode: str,
    num_writes: int,
) -> None:
    """Header, log lines, states and shipped weights, each half written, or written but not yet in its place."""
    config = make_config()
    run(config, tmp_path / "straight", mode=mode)
    real_write, real_fsync = os.write, os.fsync

    def killed_at(kill: int) -> bool:
        """Whether the run was killed; otherwise it had fewer writes than `kill`."""
        calls = iter(range(1000))

        def write(fd: int, data: bytes) -> int:
            if not bytes(data).startswith(b'{"kind"') or next(calls) < kill:
                return real_write(fd, data)
            real_write(fd, bytes(data)[: len(data) // 2])
            raise Killed

        def fsync(fd: int) -> None:
            if next(calls) == kill:
                raise Killed
            real_fsync(fd)

        with monkeypatch.context() as patch:
            patch.setattr(os, kill_at, write if kill_at == "write" else fsync)
            try:
                run(config, tmp_path / str(kill), mode=mode)
            except Killed:
                return True
            return False

    kill = 0
    while killed_at(kill):
        if (tmp_path / str(kill) / "log.jsonl").exists():
            resume(tmp_path / str(kill), mode=mode)
        else:
            run(config, tmp_path / str(kill), mode=mode)
        left = {name: data for name, data in files(tmp_path / str(kill)).items() if not name.endswith(".partial")}
        assert left == files(tmp_path / "straight"), f"killed at {kill_at} {kill}"
        kill += 1
    assert kill == num_writes


@pytest.mark.parametrize("number", range(6))
def test_weights_that_a_kill_took_are_made_again(
    make_config, half_solved, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int
) -> None:
    """Killed after the log has a checkpoint and before its weights are kept whole: four kept, one stopped."""
    config = make_config(evaluate__keep_weights=True)
    run(config, tmp_path / "straight")
    calls = iter(range(100))

    def killed(path: Path, content: Any, *, remedy: str) -> None:
        if path.name == "serving.json" and next(calls) == number:
            path.with_name("serving.json.partial").write_text("half")
            raise Killed
        store.write_whole(path, content, remedy=remedy)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write_whole", killed)
        try:
            run(config, tmp_path / "killed")
        except Killed:
            assert list((tmp_path / "killed").rglob("*.partial"))
        else:
            assert number == 5
    resume(tmp_path / "killed")
    assert files(tmp_path / "killed") == files(tmp_path / "straight")


def test_weights_that_are_gone_are_named_with_the_way_to_make_them_again(
    make_config, half_solved, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    config = make_config(evaluate__keep_weights=True)
    run(config, tmp_path)
    before = files(tmp_path)
    resume(tmp_path)
    assert not caplog.messages
    for lost in ("checkpoints/step-000004/model.safetensors", "stopped/serving.json"):
        (tmp_path / lost).unlink()
    resume(tmp_path)
    assert caplog.messages == [
        "weights that this run saved are no longer there: checkpoints/step-000004, stopped. To make them again, delete "
        f"{tmp_path / 'state.safetensors'} and go on with --resume; nothing is evaluated twice."
    ]
    (tmp_path / "state.safetensors").unlink()  # as the message says
    resume(tmp_path)
    assert files(tmp_path) == before


def test_without_its_state_a_run_trains_again_from_the_start_to_the_same_bytes(make_config, tmp_path: Path) -> None:
    config = make_config()
    run(config, tmp_path / "straight")
    run(config, tmp_path / "other", interrupted=interrupt_after(7))
    (tmp_path / "other" / "state.safetensors").unlink()
    resume(tmp_path / "other")
    assert files(tmp_path / "other") == files(tmp_path / "straight")


@pytest.mark.parametrize("num_left", range(5))
def test_a_log_cut_back_behind_the_state_is_mended_without_evaluating_what_is_left(
    make_config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, num_left: int
) -> None:
    """Going on from the state would leave checkpoints out of the log, and with them out of every later decision."""
    config = make_config()
    run(config, tmp_path / "straight", mode="shadow")
    run(config, tmp_path / "cut", mode="shadow", interrupted=interrupt_after(8))
    log = tmp_path / "cut" / "log.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[: 2 + num_left]))
    evaluated: list[int] = []

    def counting(*arguments, seed: int, **options):
        evaluated.append(seed & (2**32 - 1))
        return Collector(*arguments, seed=seed, **options)

    monkeypatch.setattr("breakeven.session.live.Collector", counting)
    resume(tmp_path / "cut", mode="shadow")
    assert evaluated == [2, 4, 6, 8, 10, 12][num_left:]
    assert files(tmp_path / "cut") == files(tmp_path / "straight")


@pytest.mark.parametrize("every_steps", [2, 5], ids=["multiple", "no multiple"])
@pytest.mark.parametrize("num_lost", [1, 2, 3])
def test_a_run_that_is_over_gets_back_the_lines_its_log_lost(
    make_config, half_solved, tmp_path: Path, every_steps: int, num_lost: int
) -> None:
    """Also that of the last step, which is due whatever its number."""
    run(make_config(evaluate__every_steps=every_steps), tmp_path, mode="shadow")
    before, log = files(tmp_path), tmp_path / "log.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-num_lost]))
    resume(tmp_path, mode="shadow")
    assert files(tmp_path) == before


def test_the_seed_changes_the_run(make_config, tmp_path: Path) -> None:
    for seed in (0, 1):
        run(make_config(seed=seed), tmp_path / str(seed), interrupted=interrupt_after(2))
    one, other = (read_log(tmp_path / str(seed)).checkpoints[0].observation for seed in (0, 1))
    assert one.loss != other.loss
    assert one.bank.seed != other.bank.seed


# -- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_loss_that_is_no_number_keeps_the_log(make_config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real, calls = train_step, iter(range(1, 100))
    monkeypatch.setattr(loop, "train_step", lambda *args: real(*args) if next(calls) < 6 else math.nan)
    with pytest.raises(DivergedError, match=r"got nan at step 6: training diverged"):
        run(make_config(), tmp_path)
    record = read_log(tmp_path)
    assert [each.observation.step for each in record.checkpoints] == [2, 4]
    assert not record.recovered


def test_a_run_that_diverges_says_so(make_config, tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match="training diverged"):
        run(make_config(train__learning_rate=1e30, train__warmup_steps=0), tmp_path)
    read_log(tmp_path)


def test_a_diverged_step_leaves_the_weights_as_they_were() -> None:
    task = Countdown(num_numbers=2)
    model = Transformer(
        TransformerShape(
            num_layers=1, embedding=16, num_heads=2, feed_forward=16, vocab_size=task.vocab_size, max_tokens=12
        )
    )
    torch.nn.init.constant_(model.head.weight, torch.inf)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    loss = train_step(model, optimizer, torch.from_numpy(task.train_batch(4, (0, 0))), task.prompt_tokens, 1.0)
    assert not math.isfinite(loss)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_gradient_that_is_no_number_leaves_the_weights_as_they_were() -> None:
    """Though the loss is one: the step would write NaN into every weight."""
    task = Countdown(num_numbers=2)
    model = Transformer(
        TransformerShape(
            num_layers=1, embedding=16, num_heads=2, feed_forward=16, vocab_size=task.vocab_size, max_tokens=12
        )
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    tokens = torch.from_numpy(task.train_batch(4, (0, 0)))
    assert math.isfinite(train_step(model, optimizer, tokens, task.prompt_tokens, 1.0))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = {name: value.clone() for name, value in optimizer.state[model.head.weight].items()}
    model.norm.weight.register_hook(lambda gradient: gradient * math.inf)
    assert math.isnan(train_step(model, optimizer, tokens, task.prompt_tokens, 1.0))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(torch.equal(value, state[name]) for name, value in optimizer.state[model.head.weight].items())


@pytest.mark.parametrize("leftover", ["state.safetensors", "stopped", "full"])
def test_a_directory_with_remains_of_another_run_is_refused(make_config, tmp_path: Path, leftover: str) -> None:
    """Its state would be taken for one of the new run."""
    run(make_config(), tmp_path / "run", mode="shadow")
    for name in ("log.jsonl", "texts.jsonl", "serving.json"):
        (tmp_path / "run" / name).unlink(missing_ok=True)
    for name in {"state.safetensors", "stopped", "full"} - {leftover}:
        path = tmp_path / "run" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if leftover == "stopped":
        (tmp_path / "run" / "stopped").mkdir(exist_ok=True)
    before = files(tmp_path / "run")
    with pytest.raises(ArgumentError, match=rf"^--out must be a new directory; got .* It holds {leftover} of a run"):
        loop.start_run(make_config(), tmp_path / "run")
    assert files(tmp_path / "run") == before


def test_a_check_that_cannot_be_made_is_refused_before_training(
    make_config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """mode "shadow" may be asked for when a run is resumed, so that its start could not know."""
    loop.start_run(make_config(verify__num_problems=100_000), tmp_path).close()
    monkeypatch.setattr(loop, "train_step", lambda *_: pytest.fail("trained first"))
    with pytest.raises(ArgumentError, match=r"be at most the \d+ distinct test problems"):
        resume(tmp_path, mode="shadow")


@pytest.mark.parametrize("fails", ["state", "weights", "log"])
def test_a_full_disk_ends_the_run_and_it_goes_on_when_there_is_room(
    make_config, half_solved, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fails: str
) -> None:
    config = make_config()
    run(config, tmp_path / "straight")
    real_fsync, steps_saved = os.fsync, list[str]()

    def half(partial: Path) -> None:
        partial.write_bytes(b"half a file")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write_whole(path: Path, content: Any, *, remedy: str) -> None:
        """Full at the second state, or at the first weights."""
        if (fails == "state" and steps_saved) or path.parent.name == "stopped":
            content = half
        store.write_whole(path, content, remedy=remedy)
        steps_saved.append(path.name)

    def fsync(fd: int) -> None:
        """Full at the first log record after a state."""
        if steps_saved and os.path.samestat(os.fstat(fd), (tmp_path / "full" / "log.jsonl").stat()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real_fsync(fd)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write_whole", write_whole)
        if fails == "log":
            patch.setattr(os, "fsync", fsync)
        with pytest.raises(RunStorageError, match=r"No space left on device.*--resume"):
            run(config, tmp_path / "full")
    assert len(read_log(tmp_path / "full").checkpoints) == {"log": 1, "state": 2, "weights": 4}[fails]
    assert not list((tmp_path / "full").rglob("*.partial"))
    resume(tmp_path / "full")
    assert files(tmp_path / "full") == files(tmp_path / "straight")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"evaluate__num_problems": 100_000}, r"be at most the \d+ distinct validation problems"),
        ({"verify__num_problems": 100_000, "mode": "shadow"}, r"be at most the \d+ distinct test problems"),
        ({"train__steps": 2, "train__batch_size": 1}, r"^train\.steps must make a budget above one evaluation"),
    ],
)
def test_a_run_that_cannot_be_is_refused_before_anything_is_made(
    make_config, tmp_path: Path, changes: dict, message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        loop.start_run(make_config(**changes), tmp_path / "run")
    assert not (tmp_path / "run").exists()


# -- parts ------------------------------------------------------------------------------------------------------------


def test_the_learning_rate_warms_up_stays_and_decays() -> None:
    train = TrainConfig(steps=20, learning_rate=0.8, warmup_steps=4, decay_share=0.2)
    rates = [learning_rate(step, train) for step in range(1, 21)]
    expected = [0.2, 0.4, 0.6, 0.8, *[0.8] * 12, 0.8, 0.6, 0.4, 0.2]
    assert rates == pytest.approx(expected)


@pytest.mark.parametrize(
    ("settings", "step", "rate"),
    [
        ({"warmup_steps": 0}, 1, 1.0),
        ({"warmup_steps": 0, "decay_share": 0.0}, 10, 1.0),
        ({"decay_share": 1.0, "warmup_steps": 0}, 1, 1.0),
        ({"decay_share": 1.0, "warmup_steps": 0}, 10, 0.1),
        ({"warmup_steps": 20, "decay_share": 0.5}, 8, 0.4),
        ({"warmup_steps": 20, "decay_share": 0.5}, 9, 0.4),
        ({"decay_share": 0.4, "warmup_steps": 0, "decay_to": 0.2}, 9, 0.6),
        ({"decay_share": 1.0, "warmup_steps": 0, "decay": "cosine"}, 1, 1.0),
        ({"decay_share": 1.0, "warmup_steps": 0, "decay": "cosine"}, 6, 0.5),
        ({"decay_share": 1.0, "warmup_steps": 0, "decay": "cosine", "decay_to": 0.1}, 6, 0.55),
        ({"decay_share": 1.0, "warmup_steps": 4, "decay": "cosine"}, 2, 0.5),
    ],
)
def test_the_learning_rate_at_its_edges(settings: dict, step: int, rate: float) -> None:
    assert learning_rate(step, TrainConfig(steps=10, learning_rate=1.0, **settings)) == pytest.approx(rate)


def test_a_fixed_training_set_is_seen_again_and_fresh_problems_are_not() -> None:
    task = Countdown(num_numbers=3, max_number=20)
    fixed = training_batches(task, TrainConfig(batch_size=50, num_sequences=10), seed=0)
    fresh = training_batches(task, TrainConfig(batch_size=50), seed=0)

    def distinct(batches) -> int:
        return len({tuple(row) for step in (1, 2, 3) for row in batches(step).tolist()})

    assert distinct(fixed) <= 10
    assert distinct(fresh) > 100
    for batches in (fixed, fresh):
        assert batches(1).shape == (50, task.prompt_tokens + task.output_tokens)
        assert torch.equal(batches(2), batches(2))
        assert not torch.equal(batches(1), batches(2))


@pytest.mark.parametrize("recipe", recipe_names())
def test_the_budget_of_a_recipe_pays_for_its_evaluations(recipe: str) -> None:
    config = load_recipe(recipe)
    spec = costs.spec_for(config)
    cost = ModelCost.of(config.model.shape_for(config.task))
    tokens = costs.sequence_tokens(config.task)
    assert spec.budget_flops == cost.train_flops(config.train.steps * config.train.batch_size, tokens)
    assert spec.baseline == config.baseline


def test_a_config_is_logged_with_every_default(make_config, tmp_path: Path) -> None:
    config = make_config()
    loop.start_run(config, tmp_path).close()
    assert read_log(tmp_path).header.config == json.loads(json.dumps(config_to_builtins(config)))


def test_an_evaluation_left_out_for_its_cost_is_no_lost_one(make_config, tmp_path: Path) -> None:
    config = make_config(policy={"name": "calibrated"}, train__steps=20, evaluate__every_steps=2)
    run(config, tmp_path, interrupted=interrupt_after(9))
    recorded = [each.observation.step for each in read_log(tmp_path).checkpoints]
    assert recorded != [2, 4, 6, 8]  # some were left out
    trained: list[int] = []
    resume(tmp_path, on_progress=lambda progress: trained.append(progress.step))
    assert trained == list(range(10, 21))
    assert [each.observation.step for each in read_log(tmp_path).checkpoints][: len(recorded)] == recorded
    again: list[int] = []
    resume(tmp_path, on_progress=lambda progress: again.append(progress.step))
    assert again == []
