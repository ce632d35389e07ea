"""Training state on disk: loading goes on bit-exactly, and a failed write costs nothing."""

import errno
import json
import os
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from breakeven.data.made.countdown import Countdown
from breakeven.errors import ArgumentError, RunStorageError
from breakeven.model.transformer import Transformer
from breakeven.records import TransformerShape
from breakeven.store import files as store_files
from breakeven.train.checkpoint import load_state, load_weights, save_state, save_tensors, save_weights, saved_step
from breakeven.train.step import train_step

TASK = Countdown(num_numbers=2)
SHAPE = TransformerShape(
    num_layers=1, embedding=16, num_heads=2, feed_forward=16, vocab_size=TASK.vocab_size, max_tokens=12
)
STATE = "state.safetensors"


def start(seed: int = 0) -> tuple[Transformer, torch.optim.AdamW]:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Transformer(SHAPE)
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2, betas=(0.9, 0.95), weight_decay=0.1)


def train(model, optimizer, steps: range) -> None:
    for step in steps:
        for group in optimizer.param_groups:
            group["lr"] = 0.01 / step
        train_step(model, optimizer, torch.from_numpy(TASK.train_batch(8, (0, step))), TASK.prompt_tokens, 1.0)


def assert_same_bits(mine, theirs) -> None:
    (model, optimizer), (other, other_optimizer) = mine, theirs
    assert model.state_dict().keys() == other.state_dict().keys()
    for name, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    state, other_state = optimizer.state_dict()["state"], other_optimizer.state_dict()["state"]
    assert state.keys() == other_state.keys()
    for index, slots in state.items():
        assert slots.keys() == other_state[index].keys()
        for slot, value in slots.items():
            assert value.dtype == other_state[index][slot].dtype
            assert torch.equal(value, other_state[index][slot]), (index, slot)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    model, optimizer = start()
    train(model, optimizer, range(1, 4))
    save_state(tmp_path, model, optimizer, 3)
    return tmp_path


def test_three_steps_saved_loaded_and_three_more_equal_six_bit_for_bit(saved: Path) -> None:
    straight = start()
    train(*straight, range(1, 7))
    resumed = start(seed=1)  # other weights, so that what is not loaded would show
    assert load_state(saved, *resumed) == 3
    train(*resumed, range(4, 7))
    assert_same_bits(resumed, straight)


def test_nothing_saved_is_step_0_and_changes_nothing(tmp_path: Path) -> None:
    model, optimizer = start()
    assert load_state(tmp_path, model, optimizer) == 0
    assert_same_bits((model, optimizer), start())
    assert not list(tmp_path.iterdir())


def test_the_step_of_the_state_is_known_without_loading_it(saved: Path, tmp_path: Path) -> None:
    assert saved_step(saved) == 3
    assert saved_step(tmp_path / "none") == 0
    (saved / STATE).write_bytes(b"half a sta")
    with pytest.raises(ArgumentError, match=r"state\.safetensors must be a whole safetensors file; .* Delete it to"):
        saved_step(saved)


def test_a_later_state_replaces_the_earlier_one(saved: Path) -> None:
    model, optimizer = start()
    load_state(saved, model, optimizer)
    train(model, optimizer, range(4, 5))
    save_state(saved, model, optimizer, 4)
    loaded = start(seed=1)
    assert load_state(saved, *loaded) == 4
    assert_same_bits(loaded, (model, optimizer))
    assert [each.name for each in saved.iterdir()] == [STATE]


def full_disk(fd: int, data: bytes) -> None:
    os.write(fd, data[: len(data) // 2])
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("fails", ["write", "fsync"])
def test_a_write_that_fails_leaves_the_state_before(saved: Path, monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    before = (saved / STATE).read_bytes()
    model, optimizer = start(seed=1)
    with monkeypatch.context() as patch:
        if fails == "write":
            patch.setattr(store_files, "write_all", full_disk)
        else:
            patch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(errno.EIO, os.strerror(errno.EIO))))
        with pytest.raises(RunStorageError, match=r"state\.safetensors could not be written: .*--resume\."):
            save_state(saved, model, optimizer, 9)
    assert (saved / STATE).read_bytes() == before
    assert [each.name for each in saved.iterdir()] == [STATE]
    assert load_state(saved, model, optimizer) == 3


def test_a_directory_that_is_gone_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(RunStorageError, match="could not be written"):
        save_state(tmp_path / "gone", *start(), 1)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_truncated_state_is_refused_with_its_path(saved: Path, keep: int) -> None:
    whole = (saved / STATE).read_bytes()
    (saved / STATE).write_bytes(whole[:keep])
    model, optimizer = start()
    with pytest.raises(ArgumentError, match=r"state\.safetensors must be a whole safetensors file; got"):
        load_state(saved, model, optimizer)
    assert_same_bits((model, optimizer), start())


def test_a_partial_file_left_by_a_kill_is_no_obstacle(saved: Path) -> None:
    (saved / f"{STATE}.partial").write_bytes(b"half a sta")
    model, optimizer = start(seed=1)
    assert load_state(saved, model, optimizer) == 3
    save_state(saved, model, optimizer, 4)
    assert [each.name for each in saved.iterdir()] == [STATE]


def test_weights_come_back_with_a_note_on_how_to_serve_them(tmp_path: Path) -> None:
    model, _ = start()
    folder = tmp_path / "runs" / "stopped"
    save_weights(folder, model, {"k": 4, "temperature": 0.8})
    assert json.loads((folder / "serving.json").read_text(encoding="utf-8")) == {"k": 4, "temperature": 0.8}
    other, _ = start(seed=1)
    load_weights(folder, other)
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in model.state_dict().items())


def test_a_note_that_cannot_be_written_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = start()
    save_weights(tmp_path, model, {"k": 4})
    write = os.write

    def half_a_note(fd: int, data: bytes) -> int:
        write(fd, data[:5])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half_a_note)
        with pytest.raises(RunStorageError, match="No space left on device"):
            save_weights(tmp_path, model, {"k": 8})
    assert json.loads((tmp_path / "serving.json").read_text(encoding="utf-8")) == {"k": 4}


def test_weights_that_cannot_be_written_are_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "stopped").write_text("a file where the folder should be")
    with pytest.raises(RunStorageError, match="stopped could not be written"):
        save_weights(tmp_path / "stopped", start()[0], {})


def test_weights_that_are_missing_are_refused_with_their_path(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"model\.safetensors must be a whole safetensors file; got"):
        load_weights(tmp_path, start()[0])


@pytest.mark.parametrize("metadata", [{}, {"step": "two"}, {"step": "2"}])
def test_a_state_of_something_else_is_refused_with_its_path(tmp_path: Path, metadata: dict[str, str]) -> None:
    save_tensors(tmp_path / STATE, {"model.other": torch.zeros(2)}, metadata)
    with pytest.raises(ArgumentError, match=r"state\.safetensors must hold the tensors of this model; .* Delete it to"):
        load_state(tmp_path, *start())
    if metadata.get("step") != "2":
        with pytest.raises(ArgumentError, match=r"state\.safetensors must hold the tensors of this model; got"):
            saved_step(tmp_path)
