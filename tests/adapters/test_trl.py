"""`EarlyStop` of transformers in the SFTTrainer of TRL, which is a `Trainer`."""

from pathlib import Path
from typing import ClassVar

import pytest

import breakeven
from breakeven import CalibratedPolicy
from breakeven.store import read_log

pytest.importorskip("trl")
pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:FutureWarning")  # between TRL and transformers


def test_an_sft_run_is_measured_and_its_tokens_are_counted(
    tokenizer, make_model, rows, problems, is_right, tmp_path: Path
) -> None:
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    given = {"problems": problems, "is_right": is_right, "max_tokens": 3, "num_samples": 4, "evaluate_every": 5}
    SFTTrainer(
        model=make_model(),
        args=SFTConfig(
            str(tmp_path), max_steps=10, per_device_train_batch_size=8, max_length=16, use_cpu=True, report_to=[],
            save_strategy="no", logging_steps=5, disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list([{"input_ids": list(each["input_ids"])} for each in rows]),
        processing_class=tokenizer,
        callbacks=[breakeven.transformers.EarlyStop(**given, policy=CalibratedPolicy(max_evaluation_share=1e9))],
    ).train()  # fmt: skip
    first, last = read_log(tmp_path / "breakeven").checkpoints
    assert (first.observation.step, last.observation.step) == (5, 10)
    longest = max(len(each["input_ids"]) for each in rows) + 1  # TRL ends a text
    assert 5 * 8 * 3 < first.observation.train_tokens <= 5 * 8 * longest


def test_a_stop_of_an_sft_run_is_cooled_down(tokenizer, make_model, rows, problems, is_right, tmp_path: Path) -> None:
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class Rates(TrainerCallback):  # type: ignore[misc]
        seen: ClassVar[dict[int, float]] = {}

        def on_optimizer_step(self, args, state, control, optimizer=None, **kwargs) -> None:
            self.seen[state.global_step + 1] = optimizer.param_groups[0]["lr"]

    stop = breakeven.transformers.EarlyStop(
        problems=problems[:12], is_right=is_right, max_tokens=3, num_samples=2, evaluate_every=20, target=0.05,
        mode="stop", on_stop="cooldown", cooldown_share=0.5, policy=CalibratedPolicy(max_evaluation_share=1e9),
    )  # fmt: skip
    trainer = SFTTrainer(
        model=make_model(),
        args=SFTConfig(
            str(tmp_path), max_steps=200, per_device_train_batch_size=8, max_length=16, use_cpu=True, report_to=[],
            save_strategy="no", logging_steps=20, disable_tqdm=True, learning_rate=1e-2, lr_scheduler_type="cosine",
        ),
        train_dataset=Dataset.from_list([{"input_ids": list(each["input_ids"])} for each in rows]),
        processing_class=tokenizer,
        callbacks=[stop, Rates()],
    )  # fmt: skip
    trainer.train()
    record = read_log(tmp_path / "breakeven")
    step, plan = record.checkpoints[-1].observation.step, record.cooldown
    assert plan is not None
    assert plan.cooled is not None
    assert (plan.step, plan.steps) == (step, step // 2)
    assert trainer.state.global_step == step + step // 2 < 200
    for into in range(1, step // 2 + 1):
        assert Rates.seen[step + into] == pytest.approx(Rates.seen[step] * (1 - (into / (step // 2 + 1)) ** 0.5))
    for saved in (step, step + step // 2):
        assert (tmp_path / f"checkpoint-{saved}" / "model.safetensors").exists()
