"""`EarlyStop` of transformers in the SFTTrainer of TRL, which is a `Trainer`."""

from pathlib import Path

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
