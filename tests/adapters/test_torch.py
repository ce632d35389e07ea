"""`EarlyStop` in a loop of one's own in PyTorch, plain and under Accelerate."""

from pathlib import Path
from typing import Any

import pytest

import breakeven
from breakeven import CalibratedPolicy
from breakeven.errors import ArgumentError, LostProcessError
from breakeven.sampling.hf import HFSampler
from breakeven.session.session import Session
from breakeven.session.steering import ask
from breakeven.store import read_log

torch = pytest.importorskip("torch")
STEPS = 40


@pytest.fixture
def train(tokenizer, make_model, rows, problems, is_right, tmp_path: Path):
    """Trains a new model with accumulated gradients; the steps done, the model, and the `EarlyStop`."""

    def run(
        *, watched: bool = True, prepare: Any = lambda *parts: parts, model: Any = None, done: int = 0, **changes: Any
    ):
        torch.manual_seed(done)
        model = (make_model() if model is None else model).train()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, 2 * (1 - step / STEPS)))
        settings: dict[str, Any] = {
            "problems": problems, "is_right": is_right, "max_tokens": 3, "num_samples": 4, "evaluate_every": 10,
            "policy": CalibratedPolicy(max_evaluation_share=1e9), "log": tmp_path / "run",
        }  # fmt: skip
        model, optimizer = prepare(model, optimizer)

        def trained(step: int) -> Any:
            for half in range(2):
                chosen = [rows[(16 * step + 8 * half + at) % len(rows)] for at in range(8)]
                batch = tokenizer.pad(chosen, return_tensors="pt", padding_side="right")
                loss = model(**batch, labels=batch["input_ids"]).loss / 2
                loss.backward()
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
            return loss

        if not watched:
            for step in range(done, STEPS):
                trained(step)
            return STEPS, model, None
        stop = breakeven.torch.EarlyStop(
            model, tokenizer, steps=STEPS, scheduler=scheduler, done=done, **settings | changes
        )
        step = done
        with stop:
            while step < STEPS:
                loss = trained(step)
                step += 1
                if stop.step(loss):
                    break
        return step, model, stop

    return run


def test_a_loop_is_evaluated_and_recorded(train, tmp_path: Path) -> None:
    step, _, _ = train()
    assert step == STEPS
    record = read_log(tmp_path / "run")
    assert [each.observation.step for each in record.checkpoints][:3] == [10, 20, 30]
    assert record.header.spec.decay_share == pytest.approx(0.5)
    assert record.checkpoints[0].observation.loss is not None
    assert record.checkpoints[0].decision.used == pytest.approx(0.25, rel=0.05)


def test_training_is_bit_identical_with_and_without_it(train) -> None:
    (_, watched, stop), (_, alone, _) = train(), train(watched=False)
    assert len(stop.session.checkpoints) >= 3
    states = zip(watched.state_dict().values(), alone.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in states)
    assert watched.training


def test_stop_ends_the_loop_and_stays_stopped(train) -> None:
    step, model, stop = train(mode="stop", target=0.1)
    assert step == stop.session.stopped_at.observation.step < STEPS
    assert train(mode="stop", target=0.1, model=model, done=step)[0] == step + 1
    assert train(mode="advise", target=0.1, model=model, done=step)[0] == STEPS


def test_a_stop_by_hand_is_obeyed_between_evaluations(train, monkeypatch, tmp_path: Path) -> None:
    take_up = Session.take_up

    def asked_at_13(session: Session, step: int) -> Any:
        if step == 13:
            ask(tmp_path / "run", "stop", "enough")
        return take_up(session, step)

    monkeypatch.setattr(Session, "take_up", asked_at_13)
    step, _, stop = train(mode="advise")
    assert step == 13
    assert stop.session.ends_at == 13
    assert read_log(tmp_path / "run").steering[0].step == 13


def test_shadow_is_verified_at_the_end(train, problems) -> None:
    _, _, stop = train(mode="shadow", target=0.1, problems=problems[::2], test_problems=problems[1::2])
    assert stop.session.verification.num_problems == 32


def test_a_wrapped_model_is_looked_through(train) -> None:
    class Wrapped(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self, module: Any) -> None:
            super().__init__()
            self.module = module

        def forward(self, **batch: Any) -> Any:
            return self.module(**batch)

    _, _, stop = train(prepare=lambda model, optimizer: (Wrapped(model), optimizer))
    assert len(stop.session.checkpoints) >= 3


def test_accelerate_prepares_what_is_watched(train) -> None:
    accelerate = pytest.importorskip("accelerate")
    _, _, stop = train(prepare=accelerate.Accelerator(cpu=True).prepare)
    assert len(stop.session.checkpoints) >= 3


def test_a_loop_that_dies_releases_its_run_directory(tokenizer, make_model, problems, is_right, tmp_path: Path) -> None:
    def begin() -> Any:
        return breakeven.torch.EarlyStop(
            make_model(), tokenizer, steps=4, problems=problems, is_right=is_right, log=tmp_path / "run",
            evaluate_every=1,
        )  # fmt: skip

    def die(stop: Any) -> None:
        with stop:
            stop._model.train()(input_ids=torch.ones(2, 4, dtype=torch.long))
            assert not stop.step()
            raise ZeroDivisionError

    stop = begin()
    with pytest.raises(ZeroDivisionError):
        die(stop)
    assert not stop._model._forward_pre_hooks
    with pytest.raises(ArgumentError, match=r"^log must be a new run directory where training begins anew"), begin():
        pass


def test_arguments_of_the_loop_are_checked(tokenizer, make_model) -> None:
    for changes, message in (({"steps": 0}, "^steps must be"), ({"steps": 4, "done": -1}, "^done must be")):
        with pytest.raises(ArgumentError, match=message):
            breakeven.torch.EarlyStop(make_model(), tokenizer, **changes)


def test_a_lost_process_ends_the_run_and_is_no_failed_evaluation(train, tmp_path: Path, monkeypatch) -> None:
    def lost(*_: Any, **__: Any) -> None:
        raise LostProcessError("Another process of this run has ended.")

    monkeypatch.setattr(HFSampler, "sample", lost)
    with pytest.raises(LostProcessError):
        train()
    assert not read_log(tmp_path / "run").failures


def test_a_model_whose_wrapper_cannot_be_looked_through_is_refused(make_model, tokenizer) -> None:
    wrapped = type("FullyShardedDataParallel", (torch.nn.Sequential,), {})(make_model())
    with pytest.raises(ArgumentError, match=r"^model must be whole in each process, or sharded in place"):
        breakeven.torch.EarlyStop(wrapped, tokenizer, steps=1)


def test_no_average_is_kept_of_a_sharded_model(train, make_model) -> None:
    model = make_model()
    next(model.parameters()).ds_id = 0  # as of ZeRO-3
    with pytest.raises(ArgumentError, match=r"^average must be False where the model is sharded"):
        train(model=model, average=True)
