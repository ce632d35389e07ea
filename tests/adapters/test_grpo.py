"""`EarlyStop` of transformers in the GRPOTrainer of TRL: what its rollouts cost, and its own evaluation."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import breakeven
from breakeven import CalibratedPolicy
from breakeven.cost.families import cost_of_config
from breakeven.errors import ArgumentError
from breakeven.records import Reason
from breakeven.session.replay import replay
from breakeven.store import read_log

pytest.importorskip("trl")
pytestmark = pytest.mark.filterwarnings("ignore")  # between TRL and transformers
ALWAYS = CalibratedPolicy(max_evaluation_share=1e9)


def exact(completions, answer, **_):
    return [float(text.split()[:1] == [each]) for text, each in zip(completions, answer, strict=True)]


@pytest.fixture
def train(tokenizer, make_model, tmp_path: Path):
    """Trains a new model by GRPO: name the second of two letters; the trainer."""

    def run(*callbacks: Any, rewards: Any = exact, resume: Any = None, **changes: Any):
        import torch
        from datasets import Dataset
        from transformers import AutoModelForCausalLM
        from trl import GRPOConfig, GRPOTrainer

        made = tmp_path / "model"
        make_model().save_pretrained(made)  # a reference model is loaded anew
        torch.manual_seed(0)
        rows = [{"prompt": f"{one} {other} =", "answer": other} for one in "abcdefgh" for other in "abcdefgh"]
        settings: dict[str, Any] = {
            "output_dir": str(tmp_path / "out"), "max_steps": 6, "per_device_train_batch_size": 8,
            "num_generations": 4, "max_completion_length": 3, "learning_rate": 1e-3, "use_cpu": True, "bf16": False,
            "report_to": [], "save_strategy": "no", "disable_tqdm": True, "per_device_eval_batch_size": 64,
            "logging_steps": 2,
        }  # fmt: skip
        trainer = GRPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(made),
            reward_funcs=rewards,
            args=GRPOConfig(**settings | changes),
            train_dataset=Dataset.from_list(rows),
            eval_dataset=Dataset.from_list(rows[::2]),
            processing_class=tokenizer,
            callbacks=list(callbacks),
        )
        trainer.train(resume_from_checkpoint=resume)
        return trainer

    return run


@pytest.fixture
def early_stop(problems, is_right):
    def make(**changes: Any):
        given = {"problems": problems, "is_right": is_right, "max_tokens": 3, "num_samples": 4, "evaluate_every": 3}
        return breakeven.transformers.EarlyStop(**given | {"policy": ALWAYS} | changes)

    return make


@pytest.fixture
def recorded():
    return breakeven.transformers.RecordedReward(exact, threshold=1.0)


def on_rewards(rewards: Any, **changes: Any):
    return breakeven.transformers.EarlyStop(rewards=rewards, **{"policy": ALWAYS} | changes)


def lengths(kept: list[tuple[list[str], list[list[int]]]]) -> Counter[int]:
    return Counter(len(each) for ids in kept for each in ids)


@pytest.mark.parametrize("beta", [0.0, 0.1])
def test_rollouts_and_the_reference_model_are_charged(train, early_stop, tmp_path: Path, beta: float) -> None:
    """By hand from the completions that the reward function is shown; every prompt has three tokens."""
    drawn = []

    def watched(completions, answer, completion_ids, **_):
        drawn.append(completion_ids)
        return exact(completions, answer)

    stop = early_stop()
    trainer = train(stop, rewards=watched, beta=beta)
    cost = cost_of_config(trainer.model.config)
    first, last = read_log(tmp_path / "out" / "breakeven").checkpoints
    for checkpoint, batches in ((first, drawn[:3]), (last, drawn)):
        sizes, seen = lengths(batches), checkpoint.observation
        assert seen.train_tokens == sum(count * (3 + size) for size, count in sizes.items())
        rollouts = sum(n * (cost.prefill_flops(3) + cost.decode_flops(3, size - 1)) for size, n in sizes.items())
        read = sum(n * cost.train_flops(1, 3 + size) / 3 for size, n in sizes.items())
        assert seen.rollout_flops == pytest.approx(rollouts + (read if beta else 0.0))
        assert seen.train_flops > seen.rollout_flops + cost.train_flops(seen.train_tokens / 6, 6) * 0.99
    assert first.decision.used == pytest.approx(0.5, abs=0.05)
    assert last.decision.reason is Reason.BUDGET_SPENT or last.decision.used == pytest.approx(1.0, abs=0.05)
