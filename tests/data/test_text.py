"""Any text task as one the reference model can be trained on."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from breakeven.config import config_from
from breakeven.data.named import task_from
from breakeven.data.reference import ReferenceProblems
from breakeven.data.splits import Split
from breakeven.data.task import Task, Voted, answers_of
from breakeven.data.text import Text
from breakeven.errors import ArgumentError
from breakeven.records.agree import canonical_answer, label_answers

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def task_file(tmp_path: Path, *, prompt: str = "{n} + 1 =", reference: str = "{m}", count: int = 60) -> Text:
    path = tmp_path / "sums.jsonl"
    lines = [{"id": str(n), "prompt": prompt.format(n=n), "reference": reference.format(m=n + 1)} for n in range(count)]
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return Text(name=f"jsonl:{path}", num_problems=count, prompt_tokens=12, output_tokens=5)


def test_it_is_a_task_whose_answers_are_voted_on(tmp_path: Path) -> None:
    task = task_file(tmp_path)
    assert isinstance(task, Task)
    assert isinstance(task, Voted)
    problem = task.problems("validation", 1)[0]
    right = str(int(problem.id) + 1)
    assert task.check(problem, right)
    assert not task.check(problem, "no number")
    assert task.answer(right) == right


def test_its_problems_know_the_text_that_is_trained_on(tmp_path: Path) -> None:
    task = task_file(tmp_path)
    for problem in (each for split in SPLITS for each in task.problems(split, 3)):
        row = task.encode_prompt(problem) + task.encode_text(problem.solution or "")
        trained = task._row(problem)
        assert trained[: len(row) + 1] == [*row, task.end_token]
        assert task.check(problem, problem.solution or "")
    long = task_file(tmp_path, reference="12345{m}")
    assert long.problems("validation", 1)[0].solution is None, "it does not fit"


def test_tokens_are_characters_and_come_back(tmp_path: Path) -> None:
    task = task_file(tmp_path)
    problem = task.problems("train", 1)[0]
    tokens = task.encode_prompt(problem)
    assert len(tokens) == task.prompt_tokens
    assert task.decode(tokens) == problem.prompt, "the filling in front is no text"
    assert task.decode([*task.encode_text("42"), task.end_token, *task.encode_text("7")]) == "42"
    assert max(task.encode_text("~\n")) < task.vocab_size


def test_a_reward_model_knows_problems_by_their_prompts(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from breakeven.records import Prefix, Problem, TransformerShape
    from breakeven.sampling.reward_models.transformer import TransformerReward
    from breakeven.train.reward_model.train import reward_network

    task = task_file(tmp_path)
    shape = TransformerShape(
        num_layers=1, embedding=16, num_heads=2, feed_forward=16, vocab_size=task.vocab_size, max_tokens=20
    )
    saved_reward = TransformerReward(reward_network(shape), task, max_tokens=20, trained_on=["3 + 1 ="])
    with pytest.raises(ArgumentError, match="that the reward model was not trained on"):
        saved_reward.score([Prefix(problem=Problem(id="another", prompt="3 + 1 ="), text="4")])
    assert len(saved_reward.score([Prefix(problem=Problem(id="3", prompt="4 + 1 ="), text="5")])) == 1


def test_splits_share_no_problem_and_batches_are_of_the_training_split(tmp_path: Path) -> None:
    task = task_file(tmp_path)
    parts = {split: {each.id for each in task.problems(split, count)} for split, count in COUNTS.items()}
    assert not parts["train"] & parts["validation"]
    assert not parts["train"] & parts["test"]
    assert not parts["validation"] & parts["test"]
    rows = task.train_batch(200, (0, 1))
    assert rows.shape == (200, task.prompt_tokens + task.output_tokens)
    assert np.array_equal(rows, task.train_batch(200, (0, 1)))
    train = {each.prompt: str(int(each.id) + 1) for each in task.problems("train", len(task._by_split["train"]))}
    for row in rows.tolist():
        prompt, answer = task.decode(row[: task.prompt_tokens]), task.decode(row[task.prompt_tokens :])
        assert train[prompt] == answer
    assert task.problems("train", 5, seed=1) != task.problems("train", 5, seed=2)


COUNTS: dict[Split, int] = {"train": 20, "validation": 4, "test": 4}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": 3}, r"num_problems must be at most the \d+ distinct train problems; got 50"),
        ({"prompt": "a much longer prompt {n} + 1 ="}, "prompt_tokens must hold the"),
        ({"reference": "123456{m}"}, "output_tokens must hold the"),
        ({"prompt": "é{n}"}, r"task.name must have problems in printable ASCII; got .'é"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, changes: dict, message: str) -> None:
    task = task_file(tmp_path, **changes)
    ask = (lambda: task.problems("train", 50)) if "count" in changes else (lambda: task.train_batch(4, (0, 0)))
    with pytest.raises(ArgumentError, match=message):
        ask()


def test_sizes_below_one_are_refused() -> None:
    with pytest.raises(ArgumentError, match="prompt_tokens must be at least 1; got 0"):
        Text(name="chain", prompt_tokens=0)


def test_a_recipe_may_name_any_task(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from breakeven.train.loop import run, start_run

    task = task_file(tmp_path)
    config = config_from(
        {
            "name": "text",
            "task": {"kind": "text", "name": task.name, "num_problems": 60, "prompt_tokens": 12, "output_tokens": 5},
            "model": {"num_layers": 1, "embedding": 16, "num_heads": 2, "feed_forward": 16},
            "train": {"steps": 40, "batch_size": 8},
            "evaluate": {"every_steps": 20, "num_problems": 4, "num_samples": 2, "keep_weights": True},
        }
    )
    with start_run(config, tmp_path / "run") as log:
        assert run(config, tmp_path / "run", log).step == 40
        assert len(log.checkpoints) == 2
    kept = sorted(each.name for each in (tmp_path / "run" / "checkpoints").iterdir())
    assert kept == ["step-000020", "step-000040"]


def test_a_run_merges_the_answers_that_an_evaluation_merges(tmp_path: Path) -> None:
    """Of mathematics, where one answer is written in many ways: three right ones outvote two equal wrong ones."""
    pytest.importorskip("math_verify")
    path = tmp_path / "halves.jsonl"
    rows = [{"problem": f"Half of {n}/{n}?", "answer": "\\frac{1}{2}", "solution": "x"} for n in range(1, 4)]
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    text, evaluated = Text(name=f"math:{path}"), task_from(f"math:{path}")
    assert answers_of(text) is text
    said = ["\\boxed{0.5}", "\\boxed{\\frac{1}{2}}", "\\boxed{3}", "\\boxed{3}", "\\boxed{1/2}"]
    rows_of = [label_answers([canonical_answer(each, one) for one in said], each).row for each in (text, evaluated)]
    assert rows_of == ["00110", "00110"]
    of_reference = ReferenceProblems(task=text, split="train", count=1)
    assert of_reference.equivalent("0.5", "\\frac{1}{2}")
    assert of_reference.canonical("3/6") == text.canonical("3/6")
    of_text: Any = text.text_task.check  # of some of the file's problems
    of_text.__self__.verifier.close()
    evaluated.verifier.close()  # type: ignore[attr-defined]
