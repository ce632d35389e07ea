"""What training costs where an adapter or some layers alone are trained: against the formula of `cost/training`."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")

import torch
import transformers

from breakeven import CalibratedPolicy
from breakeven.adapters.torch import EarlyStop
from breakeven.adapters.trained import trained_cost
from breakeven.cost.families import cost_of_config, network_of_config
from breakeven.cost.parts import Reading
from breakeven.cost.training import Training, training_flops
from breakeven.errors import ArgumentError
from breakeven.session.resume import charged_as_begun
from breakeven.store import read_log

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:FutureWarning")  # between PEFT and transformers
LLAMA = {
    "vocab_size": 100, "hidden_size": 64, "intermediate_size": 176, "num_hidden_layers": 3, "num_attention_heads": 4,
}  # fmt: skip


@pytest.fixture
def llama() -> Any:
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**LLAMA))


def adapted(model: Any, targets: Any) -> Any:
    peft = pytest.importorskip("peft")
    return peft.get_peft_model(model, peft.LoraConfig(r=4, target_modules=targets))


def formula(model: Any, tokens: int, training: Training) -> float:
    return training_flops(network_of_config(model.config), Reading(tokens=tokens), training=training).total


@pytest.mark.parametrize("tokens", [16, 64, 1024])
@pytest.mark.parametrize("targets", ["all-linear", "down_proj"])
def test_an_adapter_costs_no_gradients_of_frozen_weights(llama: Any, targets: str, tokens: int) -> None:
    full = cost_of_config(llama.config)
    cost = trained_cost(adapted(llama, targets if targets == "all-linear" else [targets]), full)
    expected = formula(llama, tokens, Training(lora_rank=4, lora_targets=(targets,)))
    assert cost.train_flops(2, tokens) == pytest.approx(2 * expected, rel=1e-6)
    assert cost.query_flops(10, 5) == full.query_flops(10, 5)
    assert cost.forward_flops(2, tokens) == full.forward_flops(2, tokens)


@pytest.mark.parametrize("frozen", [1, 2, 3])
def test_nothing_goes_back_through_the_first_frozen_layers(llama: Any, frozen: int) -> None:
    llama.model.embed_tokens.requires_grad_(False)
    for layer in llama.model.layers[:frozen]:
        layer.requires_grad_(False)
    cost = trained_cost(llama, cost_of_config(llama.config))
    for tokens in (16, 1024):
        expected = formula(llama, tokens, Training(frozen_layers=frozen))
        assert cost.train_flops(1, tokens) == pytest.approx(expected, rel=1e-6)


def test_where_all_weights_are_trained_nothing_changes(llama: Any) -> None:
    cost = cost_of_config(llama.config)
    assert trained_cost(llama, cost) is cost
    assert cost.train_flops(3, 7) == 3 * 3 * cost.forward_flops(1, 7)
    assert not any(name.startswith("backward") for name in cost.recorded)  # the bytes of logs are those of ever


def test_a_model_is_left_as_it_is(llama: Any) -> None:
    model = adapted(llama.train(), ["q_proj"])
    before, state = [each.clone() for each in model.parameters()], torch.random.get_rng_state()
    trained_cost(model, cost_of_config(model.config))
    assert model.training
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), before, strict=True))
    assert all(each.grad is None for each in model.parameters())


def test_what_cannot_be_counted_is_said(llama: Any) -> None:
    cost = cost_of_config(llama.config)
    with pytest.raises(ArgumentError, match="model must have weights that are trained; got 'none"):
        trained_cost(llama.requires_grad_(False), cost)
    llama.lm_head.requires_grad_(True)
    llama.lm_head.weight.ds_id = 0  # as ZeRO-3 marks what is partitioned
    with pytest.raises(ArgumentError, match="model must be whole to be counted; got 'a sharded one'"):
        trained_cost(llama, cost)


@pytest.fixture
def train(make_model, tokenizer, rows, problems, is_right, tmp_path: Path):
    """Trains an adapter, or some layers, for `steps` of 20; the callback's log."""

    def run(model: Any, done: int, steps: int) -> Any:
        policy = CalibratedPolicy(max_evaluation_share=1e9)
        some = [each["input_ids"] for each in rows[-8:]]
        parameters = [each for each in model.parameters() if each.requires_grad]
        optimizer = torch.optim.SGD(parameters, lr=1e-3)
        with EarlyStop(
            model, tokenizer, steps=20, done=done, problems=problems[:8], is_right=is_right, max_tokens=2,
            num_samples=2, evaluate_every=10, policy=policy, log=tmp_path / "log",
        ) as stop:  # fmt: skip
            for _ in range(steps):
                ids = torch.tensor(some)
                model.train()(input_ids=ids, labels=ids).loss.backward()
                optimizer.step()
                optimizer.zero_grad()
                stop.step()
        return read_log(tmp_path / "log")

    return run


def test_a_run_is_charged_what_is_trained_and_goes_on_so(train, make_model) -> None:
    model = make_model()
    model.transformer.wte.requires_grad_(False)
    model.transformer.wpe.requires_grad_(False)
    model.transformer.h[0].requires_grad_(False)
    full = cost_of_config(model.config)
    cost = trained_cost(model, full)
    assert cost.train_flops(1, 5) < 0.8 * full.train_flops(1, 5)
    train(model, 0, 10)
    record = train(model, 10, 10)
    for each in record.checkpoints:
        observed = each.observation
        assert observed.train_flops == pytest.approx(cost.train_flops(observed.train_tokens / 5, 5))
        assert observed.model_cost == pytest.approx(cost.recorded)
    assert record.header.spec.budget_flops == pytest.approx(record.checkpoints[-1].observation.train_flops)


def test_a_run_that_was_begun_charged_in_full_stays_so(train, make_model, llama: Any) -> None:
    model = make_model()
    full = cost_of_config(model.config)
    fingerprint = train(model, 0, 10).fingerprint
    assert json.loads(fingerprint.parts["cost"]) == full.recorded
    model.transformer.h[0].requires_grad_(False)
    assert charged_as_begun(trained_cost(model, full), fingerprint) == full
    record = train(model, 10, 10)
    assert [each.observation.model_cost for each in record.checkpoints] == [full.recorded] * 2


def test_training_is_charged_in_full_where_it_cannot_be_counted(
    train, make_model, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = make_model()
    model.transformer.h[0].requires_grad_(False)

    def refuse(*_: Any) -> Any:
        raise ArgumentError("MODEL must run.")

    monkeypatch.setattr("breakeven.adapters.texts.trained_cost", refuse)
    record = train(model, 0, 10)
    assert record.checkpoints[0].observation.model_cost == cost_of_config(model.config).recorded
    assert "training is charged as if all weights were trained: MODEL must run." in caplog.text
