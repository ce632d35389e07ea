"""`EarlyStop` in the real Trainer of transformers, on a tiny GPT-2."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import breakeven
from breakeven import CalibratedPolicy
from breakeven.errors import ArgumentError
from breakeven.records import Reason
from breakeven.session.replay import replay
from breakeven.store import read_log

pytest.importorskip("accelerate")
STEPS = 40


@pytest.fixture
def train(tokenizer, make_model, rows, tmp_path):
    """Trains a new model; the trainer."""

    def run(
        *callbacks: Any,
        resume: bool | str = False,
        directory: Path = tmp_path / "out",
        evaluated_on: Any = None,
        trained_on: Any = rows,
        **changes: Any,
    ):
        from transformers import DataCollatorForLanguageModeling, Trainer, TrainingArguments

        settings: dict[str, Any] = {
            "max_steps": STEPS, "per_device_train_batch_size": 8, "learning_rate": 1e-2, "save_strategy": "no",
            "logging_steps": 10, "report_to": [], "disable_tqdm": True, "use_cpu": True, "seed": 0,
        }  # fmt: skip
        trainer = Trainer(
            model=make_model(),
            args=TrainingArguments(output_dir=str(directory), **settings | changes),
            train_dataset=trained_on,
            eval_dataset=evaluated_on,
            data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
            processing_class=tokenizer,
            callbacks=list(callbacks),
        )
        trainer.train(resume_from_checkpoint=resume)
        return trainer

    return run


@pytest.fixture
def early_stop(problems, is_right):
    """Of a policy for which an evaluation is never too dear, as it would be in so short a run."""

    def make(**changes: Any):
        given = {"problems": problems, "is_right": is_right, "max_tokens": 3, "num_samples": 4, "evaluate_every": 10}
        policy = CalibratedPolicy(max_evaluation_share=1e9)
        return breakeven.transformers.EarlyStop(**given | {"policy": policy} | changes)

    return make


def steps_of(directory: Path) -> list[int]:
    return [each.observation.step for each in read_log(directory / "breakeven").checkpoints]


def warnings_of(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(each.getMessage() for each in caplog.records if each.name == "breakeven")


def test_a_run_is_evaluated_decided_and_recorded(train, early_stop, tmp_path: Path) -> None:
    stop = early_stop()
    trainer = train(stop)
    assert trainer.state.global_step == STEPS
    record = read_log(tmp_path / "out" / "breakeven")
    assert steps_of(tmp_path / "out")[:3] == [10, 20, 30]
    first = record.checkpoints[0].observation
    assert first.bank.num_problems == 64
    assert record.header.spec.decay_share == pytest.approx(1.0, abs=0.001)  # linear is the trainer's default
    assert first.shown["learning_rate"] == pytest.approx(1e-2 * (1 - 9 / STEPS))
    assert record.header.config["trainer"]["per_device_train_batch_size"] == 8
    accuracies = [each.observation.bank.greedy_accuracy for each in record.checkpoints]
    assert accuracies[-1] > accuracies[0]
    decided = replay([each.observation for each in record.checkpoints], record.header.spec, stop.session.policy)
    assert decided == tuple(each.decision for each in record.checkpoints)


@pytest.mark.parametrize(
    ("name", "share"), [("constant", 0.0), ("cosine", 0.75), ("warmup_stable_decay", 0.5), ("inverse_sqrt", None)]
)
def test_the_schedule_is_recognised(train, early_stop, tmp_path: Path, name: str, share: float | None) -> None:
    more = {"lr_scheduler_kwargs": {"num_decay_steps": 10}} if name == "warmup_stable_decay" else {}
    train(early_stop(evaluate_every=20), max_steps=20, warmup_steps=5, lr_scheduler_type=name, **more)
    found = read_log(tmp_path / "out" / "breakeven").header.spec.decay_share
    assert found == (None if share is None else pytest.approx(share))


def test_tokens_are_those_of_the_batches_without_padding_and_with_accumulation(
    train, early_stop, rows, tmp_path: Path
) -> None:
    """One epoch sees every row once, whatever the batches: 8 rows of 4 tokens, 64 of 5."""
    stop = early_stop(evaluate_every=9)
    train(stop, max_steps=-1, num_train_epochs=1, per_device_train_batch_size=4, gradient_accumulation_steps=2)
    assert stop._count.so_far == (8 * 4 + 64 * 5, 72, 72)
    (checkpoint,) = read_log(tmp_path / "out" / "breakeven").checkpoints
    assert checkpoint.observation.train_tokens == 352
    assert checkpoint.decision.reason is Reason.BUDGET_SPENT


def test_the_budget_knows_of_the_short_batch_that_ends_an_epoch(train, early_stop, tmp_path: Path) -> None:
    """5 epochs of 2 steps: 64 rows and 8. What is measured until the first evaluation is a full batch."""
    stop = early_stop(evaluate_every=1)
    train(stop, max_steps=10, per_device_train_batch_size=64)
    assert stop._count.so_far[0] == 5 * 352
    first = read_log(tmp_path / "out" / "breakeven").checkpoints[0]
    assert first.decision.used == pytest.approx(64 / 360, rel=0.01)


def test_training_is_bit_identical_with_and_without_it(train, early_stop, tmp_path: Path) -> None:
    import random

    import numpy as np
    import torch

    def states(*callbacks: Any):
        trainer = train(*callbacks, directory=tmp_path / str(len(callbacks)), max_steps=25)
        weights = [each.detach().clone() for each in trainer.model.parameters()]
        moments = [value for each in trainer.optimizer.state.values() for value in each.values()]
        numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002
        return [*weights, *moments, torch.get_rng_state()], numpy_state["state"]["key"].tolist(), random.getstate()

    stop = early_stop()
    (watched, *others), (alone, *expected) = states(stop), states()
    assert len(stop.session.checkpoints) == 2
    assert len(watched) == len(alone)
    assert all(torch.equal(one, other) for one, other in zip(watched, alone, strict=True))
    assert others == expected


def test_advise_says_where_to_stop_once_and_trains_on(train, early_stop, caplog: pytest.LogCaptureFixture) -> None:
    stop = early_stop(target=0.1)
    assert train(stop).state.global_step == STEPS
    assert stop.session.stopped_at is not None
    step = stop.session.stopped_at.observation.step
    assert warnings_of(caplog).count(f"training may stop at step {step}. ") == 1


def test_stop_saves_the_checkpoint_ends_training_and_stays_stopped_if_asked_to(
    train, early_stop, tmp_path: Path
) -> None:
    stop = early_stop(target=0.1, mode="stop")
    trainer = train(stop)
    step = trainer.state.global_step
    assert step < STEPS
    assert stop.session.stopped_at.observation.step == step
    assert (tmp_path / "out" / f"checkpoint-{step}" / "model.safetensors").exists()
    note = json.loads((tmp_path / "out" / "breakeven" / "serving.json").read_text())
    assert note["step"] == step
    saved = str(tmp_path / "out" / f"checkpoint-{step}")
    again = train(early_stop(target=0.1, mode="stop"), resume=saved)
    assert again.state.global_step == step + 1, "the trainer looks only after a step"
    on = early_stop(target=0.1, mode="advise")
    assert train(on, resume=saved).state.global_step == STEPS
    assert steps_of(tmp_path / "out")[0] == step
    assert len(on.session.checkpoints) > 1


def test_shadow_holds_the_stop_against_the_end_on_test_problems(
    train, early_stop, problems, caplog: pytest.LogCaptureFixture
) -> None:
    stop = early_stop(target=0.1, mode="shadow", problems=problems[::2], test_problems=problems[1::2])
    assert train(stop).state.global_step == STEPS
    assert stop.session.verification.num_problems == 32
    assert "against the fully trained model" in warnings_of(caplog)


def test_a_resumed_run_decides_as_an_uninterrupted_one(train, early_stop, tmp_path: Path) -> None:
    train(early_stop(), directory=tmp_path / "straight")
    saving = {"save_strategy": "steps", "save_steps": 10}
    train(early_stop(), directory=tmp_path / "broken", max_steps=STEPS, **saving)
    train(early_stop(), directory=tmp_path / "broken", resume=str(tmp_path / "broken" / "checkpoint-20"), **saving)
    straight, broken = (read_log(tmp_path / each / "breakeven") for each in ("straight", "broken"))
    assert broken.checkpoints == straight.checkpoints


def test_another_number_of_steps_is_another_budget(train, early_stop, tmp_path: Path) -> None:
    train(early_stop(), save_strategy="steps", save_steps=20)
    train(early_stop(), resume=str(tmp_path / "out" / "checkpoint-40"), max_steps=60)
    record = read_log(tmp_path / "out" / "breakeven")
    (change,) = record.budget_changes
    assert change.step == 40
    assert change.spec.budget_flops == pytest.approx(1.5 * record.header.spec.budget_flops)
    assert 50 in steps_of(tmp_path / "out")


def test_a_run_that_is_watched_from_its_middle_counts_what_came_before(train, early_stop, tmp_path: Path) -> None:
    train(save_strategy="steps", save_steps=20)
    train(early_stop(), resume=str(tmp_path / "out" / "checkpoint-20"))
    first = read_log(tmp_path / "out" / "breakeven").checkpoints[0]
    assert first.observation.step == 30
    assert first.decision.used == pytest.approx(30 / STEPS)


def test_a_fault_of_an_evaluation_switches_it_off_and_training_goes_on(
    train, early_stop, is_right, caplog: pytest.LogCaptureFixture
) -> None:
    def worse(problem, text):
        if text:
            raise RuntimeError("no verdict")
        return False

    assert train(early_stop(is_right=worse, evaluate_every=5)).state.global_step == STEPS
    said = warnings_of(caplog)
    assert said.count("the evaluation at step") == 3
    assert said.count("nothing more is evaluated, and training goes on: RuntimeError: no verdict") == 1


def test_a_disk_that_refuses_does_not_end_training(
    train, early_stop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    assert train(early_stop(log=tmp_path / "file" / "run")).state.global_step == STEPS
    assert "nothing more is evaluated, and training goes on" in warnings_of(caplog)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"is_right": None}, r"^task must be given, or else both problems and is_right; got 'problems'\."),
        ({"task": "gsm8k:missing.jsonl"}, r"^task must be given, or else both .* got 'task, problems, is_right'"),
        ({"is_right": lambda problem, text: 1}, r"^is_right must return True or False; got 1\."),
        ({"is_right": lambda problem, text: text[0] == "a"}, r"^is_right must take any text; got 'IndexError"),
        ({"problems": [{"question": "a"}]}, r"^problems\[0\] must be a Problem, its fields by name, or a prompt"),
        ({"mode": "shadow"}, r"^test_problems must be given in mode shadow"),
        ({"mode": "look"}, r"^mode must be one of"),
        ({"evaluate_every": 0}, r"^evaluate_every must be a whole number of at least 1; got 0\."),
        ({"temperature": 0.0}, r"^temperature must be finite and above 0; got 0\.0\."),
        ({"budget_flops": 1.0}, r"^argument must be one of .*; got 'budget_flops'"),
        ({"querys": 9}, r"^argument must be one of .*queries.*; got 'querys'\."),
        ({"target": 2.0}, r"^target must be "),
        ({"tokenizer": 3}, r"^tokenizer must be given, for prompts are text; got 3\."),
    ],
)
def test_what_is_wrong_is_refused_before_a_step_is_trained(train, early_stop, changes: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        train(early_stop(**changes))


def test_problems_that_are_trained_on_are_said_at_the_start(train, early_stop, caplog) -> None:
    train(early_stop(), max_steps=1)
    assert (
        warnings_of(caplog).count("64 of the 64 problems that are decided on are in the training data, word for") == 1
    )


def test_a_tokenizer_needs_neither_a_padding_token_nor_a_chat_template(train, early_stop, tokenizer) -> None:
    import copy

    bare = copy.deepcopy(tokenizer)
    bare.pad_token = None
    stop = early_stop(tokenizer=bare)
    train(stop, max_steps=10)
    assert stop.session.checkpoints[0].observation.bank.num_problems == 64
    with pytest.raises(ArgumentError, match=r"^chat must be False or None for a tokenizer without a chat template"):
        train(early_stop(tokenizer=bare, chat=True), max_steps=10)


def test_rows_that_nobody_has_counted_are_a_budget_where_the_steps_are_said(
    train, early_stop, rows, tmp_path: Path
) -> None:
    import torch

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            while True:
                yield from rows

    stop = early_stop()
    train(stop, trained_on=Stream(), max_steps=20)
    checkpoints = read_log(tmp_path / "out" / "breakeven").checkpoints
    assert checkpoints[0].decision.used == pytest.approx(0.5, rel=0.05)
    with pytest.raises(ValueError, match="max_steps"):  # the trainer's own
        train(early_stop(), trained_on=Stream(), max_steps=-1)


def test_without_evaluations_of_the_trainer_ours_go_on_and_choose_no_best_model(train, early_stop, caplog) -> None:
    stop = early_stop()
    trainer = train(stop, metric_for_best_model="breakeven/pass_at_1", eval_strategy="no", max_steps=10)
    assert len(stop.session.checkpoints) == 1
    assert trainer.state.best_metric is None
    assert "the best model is not chosen by breakeven/pass_at_1 with eval_strategy no" in warnings_of(caplog)


def test_early_stopping_by_a_metric_of_the_trainers_own_may_come_before_or_after(
    train, early_stop, rows, tmp_path: Path
) -> None:
    from transformers import EarlyStoppingCallback

    choosing = {"metric_for_best_model": "eval_loss", "eval_strategy": "steps", "eval_steps": 5, "max_steps": 20}
    for before in (True, False):
        patience = EarlyStoppingCallback(early_stopping_patience=1, early_stopping_threshold=100.0)
        stop = early_stop(evaluate_every=5, log=tmp_path / str(before))
        both = (patience, stop) if before else (stop, patience)
        assert train(*both, evaluated_on=rows[:8], **choosing).state.global_step == 10
        assert [each.observation.step for each in stop.session.checkpoints] == [5, 10]


def test_a_directory_that_holds_a_run_is_not_begun_anew(train, early_stop) -> None:
    train(early_stop(), max_steps=10)
    with pytest.raises(ArgumentError, match=r"^log must be a new run directory where training begins anew"):
        train(early_stop(), max_steps=10)


def test_a_model_whose_family_is_unknown_needs_its_cost(train, early_stop, make_model, monkeypatch) -> None:
    from transformers import GPT2Config

    monkeypatch.setattr(GPT2Config, "model_type", "strange")
    with pytest.raises(ArgumentError, match=r"got 'strange'.* Or say what a token costs: EarlyStop\(cost="):
        train(early_stop())


def measured_in(trainer) -> dict[int, dict]:
    return {each["step"]: each for each in trainer.state.log_history if "breakeven/pass_at_1" in each}


def test_what_is_measured_is_in_the_trainers_log_and_leaves_its_own_lines(train, early_stop) -> None:
    stop = early_stop()
    trainer = train(stop)
    logged = measured_in(trainer)
    assert list(logged)[:3] == [10, 20, 30]
    first = stop.session.checkpoints[0]
    assert logged[10]["breakeven/pass_at_1"] == first.observation.bank.greedy_accuracy
    assert logged[10]["breakeven/evaluation_flops"] == first.observation.evaluation_flops
    assert logged[10]["breakeven/evaluation_seconds"] > 0
    assert [each["step"] for each in trainer.state.log_history if "loss" in each] == [10, 20, 30, 40]


def test_the_best_model_is_chosen_by_ours_and_early_stopping_after_it_sees_it(
    train, early_stop, rows, tmp_path: Path
) -> None:
    from transformers import EarlyStoppingCallback

    choosing = {
        "metric_for_best_model": "breakeven/pass_at_1", "load_best_model_at_end": True, "save_strategy": "steps",
        "eval_strategy": "steps", "eval_steps": 5, "save_steps": 5, "evaluated_on": rows[:8],
    }  # fmt: skip
    patience = EarlyStoppingCallback(early_stopping_patience=1, early_stopping_threshold=1.0)
    trainer = train(early_stop(evaluate_every=20), patience, **choosing)
    assert trainer.state.global_step == 10, "the second evaluation is not better by 1"
    accuracies = {step: each["breakeven/pass_at_1"] for step, each in measured_in(trainer).items()}
    assert list(accuracies) == [5, 10], "an evaluation of the trainer is one of ours"
    assert trainer.state.best_metric == max(accuracies.values())
    with pytest.raises(ArgumentError, match=r"^callbacks must name EarlyStop before EarlyStoppingCallback"):
        train(patience, early_stop(), directory=tmp_path / "other", **choosing)
    with pytest.raises(ArgumentError, match=r"^metric_for_best_model must be one of .*got 'breakeven/pass_at_3'"):
        train(early_stop(), directory=tmp_path / "third", **choosing | {"metric_for_best_model": "breakeven/pass_at_3"})


def test_a_metric_that_is_not_known_is_never_the_best(train, early_stop, rows, caplog) -> None:
    trainer = train(
        early_stop(), metric_for_best_model="breakeven/forecast", eval_strategy="steps", eval_steps=10, max_steps=10,
        evaluated_on=rows[:8],
    )  # fmt: skip
    assert trainer.state.best_metric == float("-inf")
    assert "breakeven/forecast is not known at this evaluation" in warnings_of(caplog)


def test_trackers_take_the_metrics_and_a_table_of_completions(train, early_stop, tmp_path: Path, monkeypatch) -> None:
    for package in ("tensorboard", "wandb"):
        pytest.importorskip(package)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "board"))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(early_stop(completions=2), max_steps=30, report_to=["tensorboard", "wandb"])
    (board,) = (tmp_path / "board").rglob("events.*")
    events = EventAccumulator(str(board)).Reload()
    assert [each.step for each in events.Scalars("train/breakeven/pass_at_1")] == [10, 20]
    assert "completions/text_summary" in events.Tags()["tensors"]
    assert list(tmp_path.rglob("completions*.table.json"))


@pytest.mark.filterwarnings("ignore:For backward compatibility, 'str' dtypes")  # between mlflow and pandas 3
def test_mlflow_takes_the_metrics_and_a_table_that_grows(train, early_stop, tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", str(tmp_path / "runs"))
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # a database takes seconds to be made
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    train(early_stop(completions=2, evaluate_every=5), max_steps=10, report_to="mlflow")
    (metric,) = (tmp_path / "runs").rglob("metrics/breakeven/pass_at_1")
    assert [line.split()[2] for line in metric.read_text().splitlines()] == ["5", "10"]
    (table,) = (tmp_path / "runs").rglob("completions.json")
    told = json.loads(table.read_text())
    assert told["columns"] == ["step", "prompt", "completion"]
    assert [row[:2] for row in told["data"]] == [[5, "a a ="], [5, "a b ="], [10, "a a ="], [10, "a b ="]]


def test_trackio_takes_the_metrics_and_a_table_and_needs_no_pandas(
    train, early_stop, tmp_path: Path, monkeypatch
) -> None:
    pytest.importorskip("trackio")
    from trackio.sqlite_storage import SQLiteStorage

    for module in ("sqlite_storage", "utils"):  # read from the environment at the first import
        monkeypatch.setattr(f"trackio.{module}.TRACKIO_DIR", tmp_path / "trackio")
    monkeypatch.setitem(sys.modules, "pandas", None)
    train(early_stop(completions=2), max_steps=10, report_to="trackio", run_name="one", project="breakeven")
    logged = SQLiteStorage.get_logs("breakeven", "one")
    (measured,) = (each for each in logged if "train/breakeven/pass_at_1" in each)
    assert measured["train/global_step"] == 10
    (table,) = (each["completions"]["_value"] for each in logged if "completions" in each)
    assert [(row["step"], row["prompt"]) for row in table] == [(10, "a a ="), (10, "a b =")]


@pytest.mark.parametrize("limit", [8, 0])
def test_out_of_memory_halves_the_batch_and_else_leaves_the_evaluation_out(
    train, early_stop, tmp_path: Path, monkeypatch, caplog: pytest.LogCaptureFixture, limit: int
) -> None:
    import torch

    from breakeven.sampling.hf import HFSampler

    train(early_stop(), directory=tmp_path / "enough", max_steps=15)
    whole = HFSampler._prefill

    def tight(self, prompts):
        if len(prompts) > limit:
            raise torch.OutOfMemoryError("out of memory")
        return whole(self, prompts)

    monkeypatch.setattr(HFSampler, "_prefill", tight)
    stop = early_stop()
    assert train(stop, max_steps=15).state.global_step == 15
    enough, scarce = (read_log(tmp_path / each / "breakeven") for each in ("enough", "out"))
    if limit:
        assert [each.observation.bank for each in scarce.checkpoints[:1]] == [enough.checkpoints[0].observation.bank]
        assert "max_rows is now 8" in warnings_of(caplog)
    else:
        assert not scarce.checkpoints
        assert "the evaluation at step 10 failed, and training goes on: the sampler raised OutOfMemory" in warnings_of(
            caplog
        )


def test_the_average_is_measured_saved_and_gone_on_with_and_training_is_as_without(
    train, early_stop, tmp_path: Path
) -> None:
    import torch

    saving = {"max_steps": 40, "save_strategy": "steps", "save_steps": 30, "lr_scheduler_type": "constant"}
    one = early_stop(average=True)
    whole = train(one, directory=tmp_path / "whole", **saving)
    plain = train(directory=tmp_path / "plain", **saving)
    for name, each in plain.model.state_dict().items():
        assert torch.equal(each, whole.model.state_dict()[name])
    first, *_, last = read_log(tmp_path / "whole" / "breakeven").checkpoints
    assert first.observation.average is not None
    assert first.observation.average.greedy_correct_P == first.observation.bank.greedy_correct_P  # the first 20 steps
    assert last.observation.average is not None
    other = early_stop(average=True, log=tmp_path / "again")
    train(other, directory=tmp_path / "whole", resume=str(tmp_path / "whole" / "checkpoint-30"), **saving)
    for name, each in one.average.state_dict().items():
        assert torch.equal(each, other.average.state_dict()[name])


def test_an_average_that_is_damaged_or_was_never_saved_starts_anew(train, early_stop, tmp_path: Path, caplog) -> None:
    saving = {"max_steps": 12, "save_strategy": "steps", "save_steps": 10}
    train(early_stop(average=True), directory=tmp_path / "run", **saving)
    file = tmp_path / "run" / "checkpoint-10" / "breakeven-average.safetensors"
    for damage in (lambda: file.write_bytes(file.read_bytes()[:100]), file.unlink):
        damage()
        caplog.clear()
        checkpoint = str(file.parent)
        assert train(
            early_stop(average=True, log=tmp_path / str(file.exists())), directory=tmp_path / "run", resume=checkpoint,
            **saving,
        ).state.global_step == 12  # fmt: skip
        assert "the average of the weights starts anew" in warnings_of(caplog)


def test_choosing_by_ours_leaves_the_average_as_it_is(train, early_stop, rows, tmp_path: Path) -> None:
    import torch

    one, other = early_stop(average=True, log=tmp_path / "one"), early_stop(average=True, log=tmp_path / "other")
    evaluated = {"max_steps": 30, "eval_strategy": "steps", "eval_steps": 3, "evaluated_on": rows[:8]}
    train(one, **evaluated)
    train(other, metric_for_best_model="breakeven/pass_at_1", **evaluated)  # an evaluation of ours at each of these
    assert len(other.session.checkpoints) > len(one.session.checkpoints)
    for name, each in one.average.state_dict().items():
        assert torch.equal(each, other.average.state_dict()[name])


# -- a stop that is cooled down ---------------------------------------------------------------------------------------


@pytest.fixture
def rates():
    """The learning rate of every step, as a callback that sees it where the optimizer took the step."""
    pytest.importorskip("transformers")
    from transformers import TrainerCallback

    class Rates(TrainerCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.seen: dict[int, float] = {}

        def on_optimizer_step(self, args, state, control, optimizer=None, **kwargs) -> None:
            self.seen[state.global_step + 1] = optimizer.param_groups[0]["lr"]

    return Rates()


@pytest.fixture
def cooling(early_stop, problems):
    """Stops at its first evaluation with something right, and cools down over half of the steps so far."""

    def make(**changes: Any):
        given = {"mode": "stop", "on_stop": "cooldown", "cooldown_share": 0.5, "target": 0.05, "evaluate_every": 20}
        return early_stop(**given | {"problems": problems[:12], "num_samples": 2} | changes)

    return make


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_stop_is_cooled_down_from_the_rate_it_had_whatever_the_schedule(
    train, cooling, rates, tmp_path: Path, schedule: str
) -> None:
    stop = cooling()
    trainer = train(stop, rates, max_steps=200, lr_scheduler_type=schedule)
    record = read_log(tmp_path / "out" / "breakeven")
    last = record.checkpoints[-1]
    step = last.observation.step
    assert last.decision.stop
    assert record.cooldown is not None
    assert (record.cooldown.step, record.cooldown.steps) == (step, step // 2)
    assert trainer.state.global_step == step + step // 2
    at = last.observation.shown["learning_rate"]
    assert rates.seen[step] == at
    for into in range(1, step // 2 + 1):
        assert rates.seen[step + into] == pytest.approx(at * (1 - (into / (step // 2 + 1)) ** 0.5))
    for saved in (step, step + step // 2):
        assert (tmp_path / "out" / f"checkpoint-{saved}" / "model.safetensors").exists()
    branch = read_log(tmp_path / "out" / "breakeven" / record.cooldown.branch)
    assert branch.header.parent is not None
    assert (branch.header.parent.step, branch.header.parent.fingerprint) == (step, record.fingerprint)
    again, cooled = branch.checkpoints
    assert again.observation.step == step
    assert again.observation.bank.greedy_correct_P == last.observation.bank.greedy_correct_P
    assert cooled.decision.reason is Reason.BUDGET_SPENT
    assert cooled.observation.step == trainer.state.global_step
    assert cooled.observation.bank.seed == last.observation.bank.seed
    assert record.cooldown.cooled is not None
    both = again.observation.evaluation_flops + cooled.observation.evaluation_flops
    assert record.cooldown.cooled.evaluation_flops == both


def test_gone_on_with_from_the_checkpoint_of_its_stop_it_cools_down_alike(
    train, cooling, rates, make_model, tmp_path: Path
) -> None:
    import shutil

    import torch

    trainer = train(cooling(), rates, max_steps=200, lr_scheduler_type="cosine")
    seen, log = dict(rates.seen), tmp_path / "out" / "breakeven"
    (*lines, _) = (log / "log.jsonl").read_bytes().splitlines(keepends=True)
    whole = read_log(log).cooldown
    assert whole is not None
    (log / "log.jsonl").write_bytes(b"".join(lines))  # killed before the cooldown was over
    shutil.rmtree(log / "cooldown")
    again = train(
        cooling(), rates, max_steps=200, lr_scheduler_type="cosine",
        resume=str(tmp_path / "out" / f"checkpoint-{whole.step}"),
    )  # fmt: skip
    assert rates.seen == pytest.approx(seen)
    for name, each in trainer.model.state_dict().items():
        assert torch.allclose(each, again.model.state_dict()[name], atol=1e-6)
    assert read_log(log).cooldown == whole
    over = train(
        cooling(), max_steps=200, lr_scheduler_type="cosine",
        resume=str(tmp_path / "out" / f"checkpoint-{whole.step + whole.steps}"),
    )  # fmt: skip
    assert over.state.global_step == whole.step + whole.steps + 1, "the trainer looks only after a step"


def test_a_veto_ends_a_cooldown_and_the_trainer_goes_on_at_its_own_rate(train, cooling, rates, tmp_path: Path) -> None:
    from transformers import TrainerCallback

    from breakeven.session.steering import ask

    class Veto(TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, args, state, control, **kwargs) -> None:
            log = tmp_path / "out" / "breakeven"
            if log.exists() and (plan := read_log(log).cooldown) is not None and state.global_step == plan.step + 2:
                ask(log, "veto", "")

    trainer = train(cooling(), rates, Veto(), max_steps=120, lr_scheduler_type="constant")
    plan = read_log(tmp_path / "out" / "breakeven").cooldown
    assert plan is not None
    assert plan.cooled is None
    assert trainer.state.global_step == 120
    assert rates.seen[plan.step + 3] < rates.seen[plan.step] == rates.seen[plan.step + 4] == rates.seen[120]


def test_a_cooldown_that_cannot_be_is_refused(cooling) -> None:
    for changes, message in (
        ({"mode": "advise"}, r'^on_stop must be "cooldown" with mode="stop" alone; got "mode=\'advise\'"\.'),
        ({"on_stop": "rest"}, r"^on_stop must be \"serve\" or \"cooldown\"; got 'rest'\."),
        ({"cooldown_share": 0}, r"^cooldown_share must be above 0; got 0\."),
    ):
        with pytest.raises(ArgumentError, match=message):
            cooling(**changes)
