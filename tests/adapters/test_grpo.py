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
        assert seen.rollout_flops is not None
        assert seen.rollout_flops == pytest.approx(rollouts + (read if beta else 0.0))
        assert seen.train_flops > seen.rollout_flops + cost.train_flops(seen.train_tokens / 6, 6) * 0.99
    assert first.decision.used == pytest.approx(0.5, abs=0.05)
    assert last.decision.reason is Reason.BUDGET_SPENT or last.decision.used == pytest.approx(1.0, abs=0.05)


EVALUATING = {"eval_strategy": "steps", "eval_steps": 2, "num_generations_eval": 2}


def test_its_own_evaluation_is_a_bank_of_every_prompt(train, recorded, tmp_path: Path) -> None:
    stop = on_rewards(recorded)
    trainer = train(stop, rewards=recorded, temperature=0.7, **EVALUATING)
    record = read_log(tmp_path / "out" / "breakeven")
    assert [each.observation.step for each in record.checkpoints] == [2, 4, 6]
    means = [each["eval_rewards/exact/mean"] for each in trainer.state.log_history if "eval_loss" in each]
    for checkpoint, mean in zip(record.checkpoints, means, strict=True):
        bank = checkpoint.observation.bank
        assert list(map(len, bank.correct_PN)) == [2] * 32
        assert bank.sampled_accuracy == pytest.approx(mean)
        assert (bank.greedy_correct_P, bank.temperature, bank.num_prefills) == ("", 0.7, 64)
        assert bank.oracle, "the reward looks at another column"
        assert bank.prompt_tokens_P == (3,) * 32
        assert checkpoint.observation.evaluation_flops > 0
        assert checkpoint.observation.shown["seconds"] > 0
        assert checkpoint.decision.baseline == "sampled"
    decided = replay([each.observation for each in record.checkpoints], record.header.spec, ALWAYS)
    assert decided == tuple(each.decision for each in record.checkpoints)
    logged = [each["breakeven/pass_at_1"] for each in trainer.state.log_history if "breakeven/pass_at_1" in each]
    assert logged == pytest.approx(means)


def test_a_stop_on_its_own_evaluation_saves_and_stays_so_if_asked_to(train, recorded, tmp_path: Path) -> None:
    def stopping(**changes: Any):
        return on_rewards(recorded, **{"target": 0.0, "mode": "stop", "checker": True} | changes)

    assert train(stopping(), rewards=recorded, **EVALUATING).state.global_step == 2
    saved = str(tmp_path / "out" / "checkpoint-2")
    assert train(stopping(), rewards=recorded, resume=saved, **EVALUATING).state.global_step == 3
    on = stopping(mode="advise")
    assert train(on, rewards=recorded, resume=saved, **EVALUATING).state.global_step == 6
    assert [each.observation.step for each in on.session.checkpoints] == [2, 4, 6]


def test_answers_are_voted_on_and_rewards_that_are_none_are_no_verdict(train, tmp_path: Path) -> None:
    def now_and_then(completions, answer, **_):
        rewards = exact(completions, answer)
        return [None if text.split()[:1] == ["a"] else each for text, each in zip(completions, rewards, strict=True)]

    rewards = breakeven.transformers.RecordedReward(now_and_then, threshold=0.5)
    stop = on_rewards(rewards, extract=lambda text: (text.split() or [None])[0])
    train(stop, rewards=[rewards, exact], **EVALUATING)
    bank = stop.session.checkpoints[0].observation.bank
    assert len(bank.answer_PN) == 32
    assert {"0", "?"} <= set("".join(bank.correct_PN))


def test_the_model_is_trained_as_without_it(train, early_stop, recorded, tmp_path: Path) -> None:
    import torch

    def weights(*callbacks: Any, **changes: Any):
        return [each.detach().clone() for each in train(*callbacks, **EVALUATING, **changes).model.parameters()]

    alone = weights()
    for watched in (weights(early_stop()), weights(on_rewards(recorded, log=tmp_path / "own"), rewards=recorded)):
        assert all(torch.equal(one, other) for one, other in zip(watched, alone, strict=True))


def test_samples_that_something_else_draws_are_charged_by_the_trainers_own_count(
    train, early_stop, tmp_path: Path, monkeypatch
) -> None:
    """As of vLLM, or of a function: the model itself is seen to generate nothing."""
    from trl import GRPOTrainer

    def drawn(self, prompt_ids, *others, **more):
        return [[4, 1]] * len(prompt_ids), None

    monkeypatch.setattr(GRPOTrainer, "_generate_single_turn", drawn)
    trainer = train(early_stop())
    first = read_log(tmp_path / "out" / "breakeven").checkpoints[0].observation
    cost = cost_of_config(trainer.model.config)
    assert trainer.state.num_input_tokens_seen == 6 * 8 * 5
    assert first.train_tokens == 3 * 8 * 5
    assert first.rollout_flops == pytest.approx(3 * 8 * cost.train_flops(1, 5) / 3)


def test_a_run_whose_samples_grow_has_its_budget_declared_anew(train, early_stop, tmp_path: Path, monkeypatch) -> None:
    """Rows of 4 tokens until step 3, of 6 from then on: the first estimate is a third too low, or nearly."""
    from trl import GRPOTrainer

    def drawn(self, prompt_ids, *others, **more):
        return [[4] * (0 if self.state.global_step < 3 else 2) + [1]] * len(prompt_ids), None

    monkeypatch.setattr(GRPOTrainer, "_generate_single_turn", drawn)
    trainer = train(early_stop(evaluate_every=1), max_steps=9)
    record = read_log(tmp_path / "out" / "breakeven")
    assert [each.observation.step for each in record.checkpoints][:8] == list(range(1, 9))
    assert [each.step for each in record.budget_changes] == [3]
    cost = cost_of_config(trainer.model.config)
    tokens = 8 * (3 * 4 + 6 * 6)
    (change,) = record.budget_changes
    assert change.spec.budget_flops == pytest.approx(4 / 3 * cost.train_flops(tokens / 4, 4), rel=0.01)
    used = [each.decision.used for each in record.checkpoints][3:8]
    assert used == pytest.approx([(12 + 6 * place) / 48 for place in range(1, 6)], rel=0.02)


@pytest.mark.parametrize(
    ("changes", "settings", "message"),
    [
        ({}, {"rewards": exact}, r"^rewards must be among the trainer's reward_funcs; got 'exact'\."),
        ({}, {"eval_strategy": "no"}, r"^eval_strategy must be steps or epoch with rewards; got 'no'\."),
        ({"mode": "shadow"}, {}, r"^mode must be advise or stop with rewards; got 'shadow'\."),
        ({"mode": "stop", "on_stop": "cooldown"}, {}, r"^on_stop must be serve with rewards; got 'cooldown'\."),
        ({"num_samples": 4}, {}, r"^num_samples must be left out with rewards; got 4\."),
        ({"baseline": "greedy"}, {}, r"^baseline must be sampled with rewards; got 'greedy'\."),
        ({"rewards": exact}, {}, r"^rewards must be a breakeven\.transformers\.RecordedReward; got "),
    ],
)
def test_rewards_that_cannot_be_decided_on_are_refused(
    train, recorded, changes: Any, settings: Any, message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        train(on_rewards(**{"rewards": recorded} | changes), **{"rewards": recorded} | EVALUATING | settings)


def test_a_stop_is_cooled_down_and_the_rollouts_of_that_are_charged(train, early_stop, tmp_path: Path) -> None:
    cooling = {"mode": "stop", "on_stop": "cooldown", "cooldown_share": 0.5, "target": 0.01, "evaluate_every": 4}
    trainer = train(early_stop(**cooling), max_steps=20)
    record = read_log(tmp_path / "out" / "breakeven")
    step, plan = record.checkpoints[-1].observation.step, record.cooldown
    assert plan is not None
    assert plan.cooled is not None
    assert (plan.step, plan.steps) == (step, step // 2)
    assert trainer.state.global_step == step + step // 2 < 20
    for saved in (step, step + step // 2):
        assert (tmp_path / "out" / f"checkpoint-{saved}" / "model.safetensors").exists()
    again, cooled = read_log(tmp_path / "out" / "breakeven" / plan.branch).checkpoints
    assert again.observation.train_flops == record.checkpoints[-1].observation.train_flops
    assert again.observation.rollout_flops is not None
    assert cooled.observation.rollout_flops == pytest.approx(1.5 * again.observation.rollout_flops, rel=0.1)
