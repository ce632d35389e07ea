"""`EarlyStop` of classifiers in real loops: the Trainer of transformers, Lightning, and one's own."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import breakeven
from breakeven import CalibratedPolicy
from breakeven.errors import ArgumentError
from breakeven.session.replay import replay
from breakeven.store import read_log

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from breakeven.adapters.classes import Classification  # noqa: E402
from breakeven.adapters.counting import count_module  # noqa: E402
from breakeven.adapters.subject import Loop  # noqa: E402
from breakeven.sampling.augment import moves  # noqa: E402

STEPS = 40
SIZE = 8


def made_rows(number: int, seed: int) -> list[dict[str, Any]]:
    """Noise with a bar at the top, in the middle or below."""
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for at in range(number):
        image = 0.7 * torch.randn(1, SIZE, SIZE, generator=generator)
        image[0, 2 * (at % 3) : 2 * (at % 3) + 3] += 0.7
        rows.append({"pixel_values": image, "labels": at % 3})
    return rows


TRAINED, VALIDATION, TEST = made_rows(240, 0), made_rows(60, 1), made_rows(30, 2)


class Net(torch.nn.Module):  # type: ignore[misc,name-defined]
    """With dropout and running statistics; the loss as models of transformers return it."""

    def __init__(self) -> None:
        super().__init__()
        nn = torch.nn
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(144, 3)
        )

    def forward(self, pixel_values: Any, labels: Any = None) -> dict[str, Any]:
        logits = self.layers(pixel_values)
        loss = None if labels is None else torch.nn.functional.cross_entropy(logits, labels)
        return {"loss": loss, "logits": logits} if loss is not None else {"logits": logits}


def seeded(make: Any) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()


def resnet() -> Any:
    from transformers import ResNetConfig, ResNetForImageClassification

    return ResNetForImageClassification(
        ResNetConfig(
            num_channels=1, embedding_size=4, hidden_sizes=[8], depths=[1], layer_type="basic", num_labels=3,
            id2label={0: "top", 1: "middle", 2: "below"},
        )
    )  # fmt: skip


@pytest.fixture
def train(tmp_path: Path):
    """Trains a new model in the Trainer of transformers; the trainer."""

    def run(
        *callbacks: Any, make: Any = Net, directory: Path = tmp_path / "out", resume: Any = False,
        trained_on: Any = TRAINED, collate: Any = None, **changes: Any,
    ) -> Any:  # fmt: skip
        from transformers import Trainer, TrainingArguments

        settings: dict[str, Any] = {
            "max_steps": STEPS, "per_device_train_batch_size": 12, "learning_rate": 5e-3, "save_strategy": "no",
            "report_to": [], "disable_tqdm": True, "use_cpu": True, "seed": 0,
        }  # fmt: skip
        trainer = Trainer(
            model=seeded(make),
            args=TrainingArguments(output_dir=str(directory), **settings | changes),
            train_dataset=trained_on,
            data_collator=collate,
            callbacks=list(callbacks),
        )
        trainer.train(resume_from_checkpoint=resume)
        return trainer

    return run


def early_stop(examples: Any = VALIDATION, *, of: dict[str, Any] | None = None, **changes: Any) -> Any:
    passes = {"dropout": True} if of is None else of
    given: dict[str, Any] = {
        "evaluate_every": 10,
        "num_samples": 4,
        "policy": CalibratedPolicy(max_evaluation_share=1e9),
    }
    return breakeven.transformers.EarlyStop(classification=Classification(examples, **passes), **given | changes)


def warnings_of(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(each.getMessage() for each in caplog.records if each.name == "breakeven")


def test_a_run_is_evaluated_decided_and_recorded(train, tmp_path: Path) -> None:
    stop = early_stop(of={"augment": moves(), "snapshots": 3})
    train(stop, make=resnet)
    record = read_log(tmp_path / "out" / "breakeven")
    observed = [each.observation for each in record.checkpoints]
    assert [each.step for each in observed] == [10, 20, 30, 40]
    assert [each.train_tokens for each in observed] == [120, 240, 360, 480], "examples"
    assert [each.decision.used for each in record.checkpoints] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert observed[-1].bank.greedy_accuracy > 0.5
    assert {each.reference for each in stop.session.problems} == {"top", "middle", "below"}
    votes = {each.strategy: each for each in observed[2].bank.soft_votes or ()}
    assert votes["snapshot_ensemble"].k_values == (1, 2, 3)
    assert not any(each.bank.oracle and record.header.spec.checker for each in observed)
    plain = np.load(tmp_path / "out" / "breakeven" / "probabilities" / "plain-20.npy")
    assert plain.shape == (60, 3)
    assert plain.sum(axis=1) == pytest.approx(np.ones(60), abs=1e-5)
    decided = replay(observed, record.header.spec, stop.session.policy)
    assert decided == tuple(each.decision for each in record.checkpoints)


def test_a_pass_is_charged_what_pytorch_executes_and_training_three_times_that(train) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    stop = early_stop()
    trainer = train(stop, max_steps=10)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        trainer.model.eval()(TRAINED[0]["pixel_values"][None])
    forward = counter.get_total_flops()
    first = stop.session.checkpoints[0].observation
    assert first.train_flops == 3 * forward * 120
    assert first.evaluation_flops == forward * (60 + first.bank.num_drawn)
    assert first.query_flops.total(4) == pytest.approx(4 * forward)


def test_frozen_weights_are_charged_no_gradients(train) -> None:
    def frozen() -> Any:
        model = resnet()
        for each in model.resnet.parameters():
            each.requires_grad = False
        return model

    stop = early_stop(of={"snapshots": 2})
    trainer = train(stop, make=frozen, max_steps=10)
    first = stop.session.checkpoints[0].observation
    forward, trained = count_module(trainer.model, pixel_values=TRAINED[0]["pixel_values"][None])
    assert forward < trained < 1.1 * forward, "the gradient of the head's weights alone"
    assert first.train_flops == pytest.approx(trained * 120)
    assert first.query_flops.total(4) == pytest.approx(4 * forward)


@pytest.mark.parametrize("of", [{"dropout": True, "augment": moves()}, {"snapshots": 2}])
def test_training_is_bit_identical_with_and_without_it(train, tmp_path: Path, of: dict[str, Any]) -> None:
    def states(*callbacks: Any) -> tuple[list[Any], Any, Any]:
        trainer = train(*callbacks, directory=tmp_path / str(len(callbacks)))
        weights = [each.clone() for each in trainer.model.state_dict().values()]
        moments = [value for each in trainer.optimizer.state.values() for value in each.values()]
        numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002
        return [*weights, *moments, torch.get_rng_state()], numpy_state["state"]["key"].tolist(), random.getstate()

    stop = early_stop(of=of)
    (watched, *others), (alone, *expected) = states(stop), states()
    assert len(stop.session.checkpoints) == 4
    assert all(torch.equal(one, other) for one, other in zip(watched, alone, strict=True))
    assert others == expected


def test_a_text_classifier_is_padded_and_priced_by_its_lengths(train) -> None:
    from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

    def deberta() -> Any:
        return DebertaV2ForSequenceClassification(
            DebertaV2Config(
                vocab_size=16, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
                max_position_embeddings=16, num_labels=2, relative_attention=True, pos_att_type=["p2c", "c2p"],
            )
        )  # fmt: skip

    def padded(rows: list[dict[str, Any]]) -> dict[str, Any]:
        ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(each["input_ids"]) for each in rows], batch_first=True)
        labels = torch.tensor([each["labels"] for each in rows])
        assert "text" not in rows[0], "the trainer takes columns away that the model does not know"
        return {"input_ids": ids, "attention_mask": (ids > 0).long(), "labels": labels}

    rows: list[dict[str, Any]] = [
        {"input_ids": [1 + at % 9] * (2 + at % 3), "labels": at % 2, "text": "none of its"} for at in range(30)
    ]
    stop = early_stop(rows)
    train(stop, make=deberta, trained_on=rows, collate=padded, max_steps=10, per_device_train_batch_size=10)
    assert stop.session.checkpoints[0].observation.bank.num_problems == 30

    def pass_flops(*lengths: int) -> float:
        some = [each for each in rows if len(each["input_ids"]) in lengths]
        loop = Loop(model=seeded(deberta), collate=_without_text(padded), seed=0, verified=False)
        return 2 * Classification(some, dropout=True).cost(loop).body_params

    assert pass_flops(2, 3, 4) == pytest.approx((pass_flops(2) + pass_flops(3) + pass_flops(4)) / 3)
    assert 2 * stop._cost.body_params == pytest.approx(pass_flops(2, 3, 4))
    assert pass_flops(2) < pass_flops(3) < pass_flops(4)


def _without_text(collate: Any) -> Any:
    return lambda rows: collate([{name: each[name] for name in each if name != "text"} for each in rows])


def test_shadow_holds_the_stop_against_one_plain_pass_of_the_end(train) -> None:
    stop = early_stop(of={"dropout": True, "snapshots": 2, "test_examples": TEST}, mode="shadow", target=0.3)
    train(stop)
    assert stop.session.verification.num_problems == 30
    assert stop.session.verification.full_sampled_accuracy is None


@pytest.mark.parametrize("of", [{"snapshots": 2}, {"dropout": True}])
def test_a_stop_is_cooled_down(train, of: dict[str, Any]) -> None:
    stop = early_stop(of=of, mode="stop", on_stop="cooldown", target=0.3)
    assert train(stop).state.global_step == 11
    assert stop.session.log.cooldown.cooled.baseline_accuracy > 0.3


def test_averaged_weights_are_measured_beside_the_raw_ones(train) -> None:
    stop = early_stop(average=True)
    train(stop)
    averages = [each.observation.average for each in stop.session.checkpoints]
    assert all(each.num_problems == 60 for each in averages)


def test_stop_saves_the_checkpoint_and_ends_training(train, tmp_path: Path) -> None:
    trainer = train(early_stop(mode="stop", target=0.3))
    step = trainer.state.global_step
    assert step < STEPS
    assert (tmp_path / "out" / f"checkpoint-{step}" / "model.safetensors").exists()


def test_a_resumed_run_decides_as_an_uninterrupted_one_and_other_data_are_refused(train, tmp_path: Path) -> None:
    of = {"dropout": True, "snapshots": 3}
    train(early_stop(of=of), directory=tmp_path / "straight")
    saving = {"directory": tmp_path / "broken", "save_strategy": "steps", "save_steps": 10}
    train(early_stop(of=of), **saving)
    resume = str(tmp_path / "broken" / "checkpoint-20")
    train(early_stop(of=of), resume=resume, **saving)
    straight, broken = (read_log(tmp_path / each / "breakeven") for each in ("straight", "broken"))
    assert broken.checkpoints == straight.checkpoints
    others = [each | {"pixel_values": each["pixel_values"] + 1} for each in VALIDATION]
    with pytest.raises(ArgumentError, match=r"^problems must be the recorded one"):
        train(early_stop(others, of=of), resume=resume, **saving)
    with pytest.raises(ArgumentError, match=r"^sampler must be the recorded one, .*dropout, 3 snapshots"):
        train(early_stop(of=of | {"snapshots": 2}), resume=resume, **saving)


def test_logits_that_are_not_finite_are_a_failed_evaluation(train, caplog: pytest.LogCaptureFixture) -> None:
    class Diverges(Net):
        def forward(self, pixel_values: Any, labels: Any = None) -> dict[str, Any]:
            given = super().forward(pixel_values, labels)
            late = self.layers[1].num_batches_tracked > 5 and labels is None
            return given | {"logits": given["logits"] * torch.nan} if late else given

    assert train(early_stop(), make=Diverges).state.global_step == STEPS
    assert "The model must give finite logits; got [nan, nan, nan] for example" in warnings_of(caplog)


def own_loop(model: Any, rows: list[Any], stop: Any, steps: int = STEPS) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with stop:
        for step in range(steps):
            some = [rows[(12 * step + at) % len(rows)] for at in range(12)]
            image, label = torch.stack([each for each, _ in some]), torch.tensor([each for _, each in some])
            loss = torch.nn.functional.cross_entropy(model(image), label)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            if stop.step(loss):
                break


def pairs(rows: list[dict[str, Any]]) -> list[tuple[Any, int]]:
    return [(each["pixel_values"], each["labels"]) for each in rows]


def test_a_loop_of_ones_own_with_pairs_and_a_plain_module(tmp_path: Path) -> None:
    model = seeded(Net).layers.train()
    passes = Classification(pairs(VALIDATION), augment=moves(), num_examples=40, max_rows=16)
    policy = CalibratedPolicy(max_evaluation_share=1e9)
    stop: Any = breakeven.torch.EarlyStop(
        model, steps=STEPS, classification=passes, evaluate_every=10, log=tmp_path / "run", decay_share=0.0,
        policy=policy,
    )  # fmt: skip
    own_loop(model, pairs(TRAINED), stop)
    record = read_log(tmp_path / "run")
    assert [each.observation.bank.num_problems for each in record.checkpoints] == [40] * 4
    assert {each.reference for each in stop.session.problems} == {"0", "1", "2"}


def test_lightning(tmp_path: Path) -> None:
    pl = pytest.importorskip("lightning.pytorch")

    class Module(pl.LightningModule):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.net = seeded(Net).layers
            self.loss = torch.nn.CrossEntropyLoss()  # without weights

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            return self.loss(self.net(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.05)

    stop: Any = breakeven.lightning.EarlyStop(
        classification=Classification(pairs(VALIDATION), dropout=True), evaluate_every=10, target=0.3, mode="stop",
        policy=CalibratedPolicy(max_evaluation_share=1e9),
    )  # fmt: skip
    loader = torch.utils.data.DataLoader(pairs(TRAINED), batch_size=12)
    trainer = pl.Trainer(
        max_steps=STEPS, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=tmp_path, callbacks=[stop],
    )  # fmt: skip
    trainer.fit(Module(), loader)
    assert trainer.global_step < STEPS
    assert stop.session.checkpoints[0].observation.train_tokens == 120
    assert (tmp_path / "breakeven" / f"checkpoint-{trainer.global_step}.ckpt").exists()


test_lightning = pytest.mark.filterwarnings("ignore")(test_lightning)  # its own, of workers and loggers


def test_examples_that_are_trained_on_and_classes_without_any_are_said(train, caplog, tmp_path: Path) -> None:
    some = [each for each in TRAINED[:30] if each["labels"] != 1] + VALIDATION[:1]
    train(early_stop(some), max_steps=1)
    said = warnings_of(caplog)
    assert "20 of the 21 examples that are decided on are in the first 240 rows of the training data" in said
    assert "none of the 21 examples that are decided on is of the class 1." in said
    caplog.clear()
    train(early_stop(), max_steps=1, directory=tmp_path / "other")
    assert not warnings_of(caplog)


def test_checkpoints_that_an_ensemble_needs_and_nobody_keeps_are_said(train, caplog, tmp_path: Path) -> None:
    kept: dict[str, Any] = {"save_strategy": "steps", "save_steps": 5, "save_only_model": True}
    for place, (settings, is_said) in enumerate(
        (({}, True), (kept | {"save_steps": 4}, True), (kept | {"save_total_limit": 2}, True), (kept, False))
    ):
        caplog.clear()
        train(early_stop(of={"snapshots": 3}), max_steps=1, directory=tmp_path / str(place), **settings)
        assert ("the last 3 evaluated checkpoints are measured together" in warnings_of(caplog)) is is_said


def changed(**changes: Any) -> list[dict[str, Any]]:
    return [VALIDATION[0] | changes, *VALIDATION[1:]]


class Read:
    """Rows that are others whenever they are read."""

    times = 0

    def __len__(self) -> int:
        return 4

    def __getitem__(self, place: int) -> Any:
        self.times += 1
        return VALIDATION[place] | {"pixel_values": VALIDATION[place]["pixel_values"] + self.times}


@pytest.mark.parametrize(
    ("examples", "of", "message"),
    [
        (VALIDATION, {"snapshots": 1}, r"^augment, dropout or snapshots must say of what passes there are several"),
        (VALIDATION, {"metric": "f1"}, r"^metric must be accuracy; got 'f1'\. F1 and Matthews are no means over"),
        (VALIDATION, {"snapshots": 0}, r"^snapshots must be a whole number"),
        (VALIDATION, {"num_examples": 1}, r"^num_examples must be a whole number of at least 2"),
        (VALIDATION, {"max_rows": 0}, r"^max_rows must be a whole number"),
        (VALIDATION, {"classes": ["a"]}, r"^classes must be the names of two classes at least"),
        (VALIDATION, {"classes": ["a", "b"]}, r"^classes must name the 3 classes of the model; got 2"),
        (VALIDATION, {"collate": lambda rows: rows[99]}, r"^collate must make a batch of examples; got 'IndexError"),
        (VALIDATION, {"augment": lambda inputs, generator: inputs}, r"^augment must be random"),
        (VALIDATION[::3], {}, r"^examples must be of two classes at least; got '20 of 0'"),
        ([], {}, r"^examples must hold at least one example"),
        (iter(VALIDATION), {}, r"^examples must be rows that have a length and are picked by number; got 'list_iter"),
        (Read(), {}, r"^examples\[\d\] must be the same whenever it is read"),
        (changed(labels=3), {}, r"^the label of examples\[0\] must be a whole number from 0 to 2, as .*; got 3"),
        (changed(labels=-1), {}, r"^the label of examples\[0\] must be a whole number from 0; got -1"),
        (changed(labels=0.5), {}, r"^the label of examples\[0\] must be a whole number from 0; got 0\.5"),
        (changed(labels=torch.tensor([0, 1])), {}, r"^the label of examples\[0\] must be a whole number from 0; got t"),
        ([{"pixel_values": each["pixel_values"]} for each in VALIDATION], {}, r"^examples\[\d+\] must have a label"),
        ([each["pixel_values"] for each in VALIDATION], {}, r"^examples\[\d+\] must be a mapping, or a pair"),
    ],
)
def test_what_is_wrong_is_refused_before_a_step_is_trained(train, examples: Any, of: Any, message: str) -> None:
    noise = {} if {"snapshots", "augment"} & set(of) else {"dropout": True}
    with pytest.raises(ArgumentError, match=message):
        train(early_stop(examples, of=noise | of))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "gsm8k"}, r"^task must be left out with classification; got 'gsm8k'"),
        ({"problems": ["a"]}, r"^problems must be left out with classification"),
        ({"temperature": 0.7}, r"^temperature must be left out with classification"),
        ({"tokenizer": 3}, r"^tokenizer must be left out with classification"),
        ({"checker": True}, r"^checker must be False with classification; got True"),
        ({"baseline": "sampled"}, r"^baseline must be greedy with classification; got 'sampled'"),
        ({"mode": "shadow"}, r"^test_examples must be given in mode shadow"),
    ],
)
def test_what_else_an_early_stop_takes_is_checked(train, changes: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        train(early_stop(**changes))


def test_models_that_do_not_give_one_class_are_refused(train) -> None:
    def typed(kind: str) -> Any:
        model = resnet()
        model.config.problem_type = kind
        return model

    for kind in ("regression", "multi_label_classification"):
        with pytest.raises(ArgumentError, match=rf"^model\.config\.problem_type must be that of one class .*'{kind}'"):
            train(early_stop(), make=lambda kind=kind: typed(kind))

    class One(Net):
        def forward(self, pixel_values: Any, labels: Any = None) -> dict[str, Any]:
            return {"logits": super().forward(pixel_values)["logits"][:, :1]}

    with pytest.raises(ArgumentError, match=r"^model must give a logit for each of two classes at least; got 1"):
        train(early_stop(), make=One)
    with pytest.raises(ArgumentError, match=r"^model must run on examples; got .TypeError: .*\. Its inputs are image:"):
        train(
            early_stop([{"image": each["pixel_values"], "labels": 0} for each in VALIDATION]),
            remove_unused_columns=False,
        )
    with pytest.raises(ArgumentError, match=r"^dropout must be False for a model without dropout"):
        train(early_stop(), make=resnet)
