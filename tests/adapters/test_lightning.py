"""`EarlyStop` in the real Trainer of Lightning, by both of its names, on a tiny GPT-2."""

import random
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import breakeven
from breakeven import CalibratedPolicy
from breakeven.errors import ArgumentError
from breakeven.store import read_log

pytest.importorskip("accelerate")
pytest.importorskip("lightning")
pytest.importorskip("pytorch_lightning")
pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning's own, of workers, loggers and checkpoints
STEPS = 40


@pytest.fixture
def make_module(tokenizer, make_model):
    """A LightningModule that holds a model, of either name."""

    def make(pl: Any, *, models: tuple[str, ...] = ("lm",), schedule: Any = None, **more: Any) -> Any:
        import torch

        class Module(pl.LightningModule):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                for name in models:
                    setattr(self, name, make_model())
                self.head = torch.nn.Linear(2, 2)  # no language model
                self.tokenizer = tokenizer
                self.seen: list[int] = []
                for name, value in more.items():
                    setattr(self, name, value)

            def training_step(self, batch: Any, batch_idx: int) -> Any:
                self.seen.append(int(batch["input_ids"].sum()))
                return getattr(self, models[0])(**batch, labels=batch["input_ids"]).loss

            def configure_optimizers(self) -> Any:
                optimizer = torch.optim.AdamW(getattr(self, models[0]).parameters(), lr=1e-2)
                if schedule is None:
                    return optimizer
                return {"optimizer": optimizer, "lr_scheduler": schedule(optimizer)}

        return Module()

    return make


@pytest.fixture
def train(tokenizer, make_module, rows, tmp_path: Path):
    """Trains a new module; the trainer and the module."""

    def run(*callbacks: Any, name: str = "lightning.pytorch", module: Any = None, path: Any = None, **changes: Any):
        import torch

        pl = import_module(name)
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        module = make_module(pl) if module is None else module
        loader = torch.utils.data.DataLoader(
            rows, batch_size=8, shuffle=True,
            collate_fn=lambda some: tokenizer.pad(some, return_tensors="pt", padding_side="right"),
        )  # fmt: skip
        settings: dict[str, Any] = {
            "max_steps": STEPS, "accelerator": "cpu", "logger": False, "enable_checkpointing": False,
            "enable_progress_bar": False, "enable_model_summary": False, "default_root_dir": tmp_path,
        }  # fmt: skip
        trainer = pl.Trainer(**settings | changes, callbacks=list(callbacks))
        trainer.fit(module, loader, ckpt_path=path, weights_only=False)
        return trainer, module

    return run


@pytest.fixture
def early_stop(problems, is_right):
    def make(**changes: Any):
        given = {"problems": problems, "is_right": is_right, "max_tokens": 3, "num_samples": 4, "evaluate_every": 10}
        return breakeven.lightning.EarlyStop(**given | {"policy": CalibratedPolicy(max_evaluation_share=1e9)} | changes)

    return make


@pytest.mark.parametrize("name", ["lightning.pytorch", "pytorch_lightning"])
def test_a_run_is_evaluated_decided_and_recorded(train, early_stop, tmp_path: Path, name: str) -> None:
    stop = early_stop()
    trainer, _ = train(stop, name=name)
    assert trainer.global_step == STEPS
    record = read_log(tmp_path / "breakeven")
    assert [each.observation.step for each in record.checkpoints][:3] == [10, 20, 30]
    assert record.header.config["trainer"]["num_training_batches"] == 9
    first = record.checkpoints[0].observation
    assert first.bank.num_problems == 64
    assert first.loss is not None
    assert first.shown["learning_rate"] == 1e-2
    accuracies = [each.observation.bank.greedy_accuracy for each in record.checkpoints]
    assert accuracies[-1] > accuracies[0]


def test_epochs_and_accumulated_batches_are_the_budget(train, early_stop, tmp_path: Path) -> None:
    """One epoch sees every row once: 8 of 4 tokens, 64 of 5. 9 batches, 2 a step, are 5 steps."""
    stop = early_stop(evaluate_every=1)
    trainer, _ = train(stop, max_steps=-1, max_epochs=2, accumulate_grad_batches=2)
    assert trainer.global_step == 10
    assert stop._count.so_far == (2 * 352, 144, 144)
    checkpoints = read_log(tmp_path / "breakeven").checkpoints
    assert [each.observation.step for each in checkpoints][:2] == [1, 2]
    assert checkpoints[0].decision.used == pytest.approx(16 / 144, rel=0.1)


def test_training_is_bit_identical_with_and_without_it(train, early_stop) -> None:
    import torch

    def states(*callbacks: Any):
        trainer, module = train(*callbacks, max_steps=25)
        moments = [value for each in trainer.optimizers[0].state.values() for value in each.values()]
        return (
            [*module.state_dict().values(), *moments, torch.get_rng_state()],
            (module.seen, np.random.get_state(legacy=False)["state"]["key"].tolist(), random.getstate()),  # noqa: NPY002
        )

    stop = early_stop()
    (watched, others), (alone, expected) = states(stop), states()
    assert len(stop.session.checkpoints) == 3
    assert len(watched) == len(alone)
    assert all(torch.equal(one, other) for one, other in zip(watched, alone, strict=True))
    assert others == expected


def test_stop_saves_the_checkpoint_ends_training_and_stays_stopped_if_asked_to(
    train, early_stop, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    stop = early_stop(target=0.1, mode="stop")
    trainer, module = train(stop)
    step = trainer.global_step
    assert step == stop.session.stopped_at.observation.step < STEPS
    assert module.lm.training
    served = AutoModelForCausalLM.from_pretrained(tmp_path / "breakeven" / f"model-{step}")
    assert all((a == b).all() for a, b in zip(served.parameters(), module.lm.parameters(), strict=True))
    saved = tmp_path / "breakeven" / f"checkpoint-{step}.ckpt"
    assert train(early_stop(target=0.1, mode="stop"), path=saved)[0].global_step == step
    on = early_stop(target=0.1)
    assert train(on, path=saved)[0].global_step == STEPS
    assert on.session.checkpoints[0].observation.step == step
    assert len(on.session.checkpoints) > 1


def test_the_average_is_in_its_checkpoints(train, early_stop, tmp_path: Path) -> None:
    one = early_stop(average=True)
    trainer, _ = train(one, max_steps=30)
    trainer.save_checkpoint(tmp_path / "at-30.ckpt")
    saved = {name: each.clone() for name, each in one.average.state_dict().items()}
    other = early_stop(average=True, log=tmp_path / "other")
    _, module = train(other, path=tmp_path / "at-30.ckpt", max_steps=31)
    newest = module.lm.state_dict()
    for name, each in other.average.state_dict().items():
        assert each.allclose(saved[name].lerp(newest[name], 1 / (0.05 * 31)))


def test_another_number_of_steps_is_another_budget(train, early_stop, tmp_path: Path, caplog) -> None:
    trainer, _ = train(early_stop(), max_steps=20)
    assert "64 of the 64 problems that are decided on are in the training data" in caplog.text
    trainer.save_checkpoint(tmp_path / "at-20.ckpt")
    train(early_stop(), path=tmp_path / "at-20.ckpt", max_steps=30)
    record = read_log(tmp_path / "breakeven")
    (change,) = record.budget_changes
    assert change.step == 20
    assert change.spec.budget_flops == pytest.approx(1.5 * record.header.spec.budget_flops)
    assert [each.observation.step for each in record.checkpoints][:2] == [10, 20]


def test_lightnings_own_least_number_of_steps_is_kept(train, early_stop) -> None:
    stop = early_stop(target=0.1, mode="stop")
    assert train(stop, min_steps=35)[0].global_step == 35
    assert stop.session.stopped_at.observation.step < 35


def test_shadow_is_verified_at_the_end(train, early_stop, problems) -> None:
    stop = early_stop(target=0.1, mode="shadow", problems=problems[::2], test_problems=problems[1::2])
    train(stop)
    assert stop.session.verification.num_problems == 32


def test_the_schedule_is_read_by_step_and_by_epoch(train, early_stop, make_module, tmp_path: Path) -> None:
    from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR

    pl = import_module("lightning.pytorch")
    schedules = {
        "step": lambda optimizer: {"scheduler": CosineAnnealingLR(optimizer, 20), "interval": "step"},
        "epoch": lambda optimizer: LambdaLR(optimizer, lambda epoch: min(1.0, 2 - epoch / 2)),
    }
    for name, (share, changes) in {"step": (1.0, {"max_steps": 20}), "epoch": (0.5, {"max_epochs": 4})}.items():
        module = make_module(pl, schedule=schedules[name])
        stop = early_stop(log=tmp_path / name, evaluate_every=10)
        train(stop, module=module, **{"max_steps": -1} | changes)
        assert read_log(tmp_path / name).header.spec.decay_share == pytest.approx(share), name


def test_the_model_that_generates_is_found_or_named(train, early_stop, make_module) -> None:
    pl = import_module("lightning.pytorch")
    with pytest.raises(ArgumentError, match=r"^model must be named where .*; got 'policy, reference'\. Name it"):
        train(early_stop(), module=make_module(pl, models=("policy", "reference")))
    with pytest.raises(ArgumentError, match=r"^model must name a causal language model .*; got 'head'\."):
        train(early_stop(model="head"), module=make_module(pl))
    module = make_module(pl, models=("policy", "reference"))
    stop = early_stop(model="policy")
    train(stop, module=module, max_steps=10)
    assert stop.session.sampler.model is module.policy


def test_a_dry_run_leaves_nothing(train, early_stop, tmp_path: Path) -> None:
    train(early_stop(), fast_dev_run=True)
    assert not (tmp_path / "breakeven").exists()


def test_a_run_that_dies_releases_its_directory(train, early_stop, make_module) -> None:
    pl = import_module("lightning.pytorch")
    module = make_module(pl)
    module.on_train_epoch_end = lambda: 1 / 0
    stop = early_stop(evaluate_every=1)
    with pytest.raises(ZeroDivisionError):
        train(stop, module=module)
    assert stop.session is not None
    assert not module.lm._forward_pre_hooks
    with pytest.raises(ArgumentError, match=r"^log must be a new run directory where training begins anew"):
        train(early_stop())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"max_steps": -1, "max_epochs": -1},
            r"^max_steps or max_epochs must tell how long the full run is; got inf",
        ),
        ({"tokenizer": 3}, r"^tokenizer must be given, for prompts are text; got 3\."),
    ],
)
def test_what_is_wrong_is_refused_before_a_step_is_trained(train, early_stop, changes: Any, message: str) -> None:
    own = {"tokenizer": changes.pop("tokenizer")} if "tokenizer" in changes else {}
    with pytest.raises(ArgumentError, match=message):
        train(early_stop(**own), **changes)


def test_a_sharded_model_is_refused(early_stop) -> None:
    class FSDPStrategy:
        pass

    class Trainer:
        fast_dev_run, strategy = False, FSDPStrategy()

    with pytest.raises(ArgumentError, match=r"^strategy must hold the whole model in each process; got 'FSDPStrategy'"):
        early_stop().on_train_start(Trainer(), None)
