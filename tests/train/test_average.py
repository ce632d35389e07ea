"""A run that keeps an average of its weights: nothing of it is disturbed, and it resumes bit for bit."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from breakeven.config import config_from, config_to_builtins
from breakeven.model.transformer import Transformer
from breakeven.sampling.average import WeightAverage
from breakeven.store import RunLog, read_log
from breakeven.train import checkpoint, loop
from breakeven.train.checkpoint import load_state, load_weights
from breakeven.train.saved_model import load_saved_model
from breakeven.train.step import learning_rate


def run(config, run_dir: Path, **options):
    with loop.start_run(config, run_dir) as log:
        return loop.run(config, run_dir, log, **options)


def resume(run_dir: Path, **options):
    with RunLog.open(run_dir) as log:
        return loop.run(config_from(log.header.config), run_dir, log, **options)


@pytest.fixture
def config(make_config):
    return make_config(
        train__average=True,
        train__steps=60,
        evaluate__every_steps=20,
        evaluate__keep_weights=True,
        policy__name="calibrated",
        policy__max_k=4,
        policy__max_evaluation_share=1e9,
    )


def tensors(path: Path, prefix: str) -> dict[str, torch.Tensor]:
    found, _ = checkpoint._read(path)
    return {name: each for name, each in found.items() if name.startswith(prefix)}


def test_weights_and_samples_of_the_raw_run_are_those_without_it(config, make_config, tmp_path: Path) -> None:
    run(config, tmp_path / "with", mode="advise")
    settings = config_to_builtins(config)
    del settings["train"]["average"]
    run(config_from(settings), tmp_path / "without", mode="advise")
    with_, without = (read_log(tmp_path / name) for name in ("with", "without"))
    for one, other in zip(with_.checkpoints, without.checkpoints, strict=True):
        assert one.observation.bank == other.observation.bank
        assert other.observation.average is None
        average = one.observation.average
        assert average is not None
        assert (average.seed, average.num_problems) == (one.observation.bank.seed, one.observation.bank.num_problems)
        assert [len(row) for row in average.correct_PN] == [len(row) for row in one.observation.bank.correct_PN]
        assert one.observation.evaluation_flops > other.observation.evaluation_flops
    for prefix in ("model.", "optimizer."):
        state, plain = (tensors(tmp_path / name / "state.safetensors", prefix) for name in ("with", "without"))
        assert state.keys() == plain.keys()
        assert all(torch.equal(each, plain[name]) for name, each in state.items())
    _, *lines = (tmp_path / "without" / "log.jsonl").read_bytes().splitlines()  # the first has the settings
    assert not any(b'"average"' in line for line in lines)


def test_a_resumed_run_leaves_the_same_average_and_the_same_log(config, tmp_path: Path) -> None:
    run(config, tmp_path / "whole", mode="advise")
    left = iter(range(44))
    run(config, tmp_path / "cut", mode="advise", interrupted=lambda: next(left, None) is None)
    resume(tmp_path / "cut", mode="advise")
    for name in ("log.jsonl", "state.safetensors", "full/average/model.safetensors"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "cut" / name).read_bytes()


def test_the_average_is_served_like_other_weights(config, tmp_path: Path) -> None:
    run(config, tmp_path, mode="advise")
    state = tensors(tmp_path / "state.safetensors", "average.")
    saved = load_saved_model(tmp_path / "full" / "average", name="model")
    weights = saved.model.state_dict()
    assert all(torch.equal(each, weights[name[8:]]) for name, each in state.items())
    raw = Transformer(config.model.shape_for(config.task))
    load_weights(tmp_path / "full", raw)
    assert any(not torch.equal(each, weights[name]) for name, each in raw.state_dict().items())
    assert (tmp_path / "checkpoints" / "step-000020" / "average" / "model.safetensors").exists()


def test_a_state_from_before_averages_is_read(make_config, config, tmp_path: Path) -> None:
    run(make_config(), tmp_path, mode="advise")
    model = Transformer(config.model.shape_for(config.task))
    optimizer = torch.optim.AdamW(model.parameters())
    average = WeightAverage(model)
    load_state(tmp_path, model, optimizer, average)
    assert all(torch.equal(each, model.state_dict()[name]) for name, each in average.state_dict().items())


def test_the_rate_falls_as_one_less_the_root(make_config) -> None:
    train = make_config(train__steps=12, train__decay="1-sqrt", train__decay_share=0.25, train__warmup_steps=0).train
    factors = [learning_rate(step, train) / train.learning_rate for step in range(8, 13)]
    assert factors == pytest.approx([1, 1, 1 - 0.25**0.5, 1 - 0.5**0.5, 1 - 0.75**0.5])
