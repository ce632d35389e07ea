"""Which column is the accuracy, which are those of several tasks, and what the loss beside one is called."""

from pathlib import Path

import pytest

from breakeven.errors import LogError, SeveralTasksError
from breakeven.readers import ReadOptions, tasks_in
from breakeven.readers.accuracy_column import accuracy_column, candidates, loss_beside

WHERE = Path("log.csv")
TWO = ["step", "eval/gsm8k_acc", "eval/math_acc", "train/acc"]


def test_accuracies_of_one_run_are_tasks_and_each_may_be_named() -> None:
    with pytest.raises(SeveralTasksError, match="For one decision on several, name each with --task") as caught:
        accuracy_column(TWO, ReadOptions(), WHERE)
    assert caught.value.tasks == ("eval/gsm8k_acc", "eval/math_acc")
    for name in caught.value.tasks:
        assert accuracy_column(TWO, ReadOptions(task=name.upper()), WHERE) == name
    with pytest.raises(LogError, match="has several accuracies: eval/gsm8k_acc, eval/math_acc"):
        accuracy_column(TWO, ReadOptions(task="mmlu"), WHERE)


def test_runs_in_one_chart_are_no_tasks() -> None:
    with pytest.raises(LogError, match="has several accuracies") as caught:
        accuracy_column(["Step", "r1 - eval/acc", "r2 - eval/acc"], ReadOptions(), WHERE)
    assert not isinstance(caught.value, SeveralTasksError)


def test_an_accuracy_that_is_alone_has_no_name_of_its_own() -> None:
    assert accuracy_column(["step", "eval/acc"], ReadOptions(task="gsm8k"), WHERE) == "eval/acc"


def test_votes_and_training_are_no_candidates() -> None:
    assert candidates(["maj@8_acc", "eval/maj@8/acc", "train_acc", "token_accuracy", "eval/pass@1"]) == ["eval/pass@1"]


@pytest.mark.parametrize(
    ("accuracy", "loss"),
    [
        ("eval_gsm8k_accuracy", "eval_gsm8k_loss"),
        ("run - eval/exact_match", "run - eval/loss"),
        ("accuracy", None),
        ("solved", None),
    ],
)
def test_the_loss_beside_an_accuracy(accuracy: str, loss: str | None) -> None:
    assert loss_beside(accuracy) == loss


def test_the_tasks_of_a_log_are_told_without_deciding_which(write) -> None:
    options = ReadOptions(num_problems=10, flops_per_step=1.0, task="x")
    assert tasks_in(write("a.csv", "step,accuracy,task", "1,0.5,y", "1,0.5,x"), options) == ("x", "y")
    assert tasks_in(write("b.csv", ",".join(TWO), "1,0.5,0.5,1"), options) == ("eval/gsm8k_acc", "eval/math_acc")
    assert tasks_in(write("c.csv", "step,task,problem,n,c", "1,y,p,4,1", "1,x,p,4,1"), options) == ("x", "y")
    assert tasks_in(write("d.csv", "step,accuracy", "1,0.5"), options) == (None,)
