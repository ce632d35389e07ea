"""Accuracies per checkpoint, as wandb, tensorboard, transformers and people write them."""

import json
from pathlib import Path

import pytest

from breakeven.errors import ArgumentError, LogError
from breakeven.readers import EvalLog, ReadOptions, read_evals

ROWS = ["step,accuracy", "10,0.25", "20,0.5", "30,0.75"]


def read(path: Path, **options: object) -> EvalLog:
    """With 8 problems, and FLOPs counted in steps, unless told otherwise."""
    usual: dict[str, object] = {"num_problems": 8, "flops_per_step": 1.0, "flops_per_token": 1.0}
    return read_evals(path, ReadOptions(**usual | options))  # type: ignore[arg-type]


def accuracies(log: EvalLog) -> list[tuple[int, float | None]]:
    return [(each.step, each.tally.greedy_accuracy) for each in log]


EXPECTED = [(10, 0.25), (20, 0.5), (30, 0.75)]


def test_the_same_curve_from_every_kind_of_file(write, tmp_path: Path) -> None:
    objects = [{"step": step, "accuracy": value} for step, value in EXPECTED]
    chart = ['"Step","run-1 - eval/accuracy","run-1 - eval/accuracy__MIN","run-1 - eval/accuracy__MAX"']
    chart += [f'"{step}","{value}","{value}","{value}"' for step, value in EXPECTED]
    history = [",_step,_runtime,train/loss,eval/accuracy", "0,5,1,2.0,", *(f"1,{s},{s},1,{a}" for s, a in EXPECTED)]
    (tmp_path / "array.json").write_text(json.dumps(objects), encoding="utf-8")
    (tmp_path / "indented.json").write_text(json.dumps(objects, indent=2), encoding="utf-8")
    (tmp_path / "board.json").write_text(json.dumps([[1e9, s, a] for s, a in EXPECTED]), encoding="utf-8")
    paths = [
        write("curve.csv", *ROWS),
        write("case.csv", "STEP;Accuracy", *(row.replace(",", ";") for row in ROWS[1:])),
        write("curve.jsonl", {"step": 1, "loss": 2.0}, *objects),
        write("chart.csv", *chart),
        write("history.csv", *history),
        write("board.csv", "Wall time,Step,Value", *(f"1700000000.5,{s},{a}" for s, a in EXPECTED)),
        *(tmp_path / name for name in ("array.json", "indented.json", "board.json")),
    ]
    for path in paths:
        log = read(path)
        assert accuracies(log) == EXPECTED, path
        assert (log.format, log.has_greedy, log.has_samples) == ("accuracies per checkpoint", True, False)
        assert log.num_problems == 8
    assert read(paths[3]).notes == ('Accuracy: column "run-1 - eval/accuracy" (--column accuracy=... for another).',)


def test_a_json_array_may_hold_counts_as_well(tmp_path: Path) -> None:
    rows = [{"Step": 1, "train_flops": 1e15, "problem": name, "n": 4, "C": c} for name, c in (("a", 1), ("b", 3))]
    (tmp_path / "log.json").write_text(json.dumps(rows), encoding="utf-8")
    (checkpoint,) = read(tmp_path / "log.json")
    assert checkpoint.tally.correct_P.tolist() == [1, 3]


def test_counts_by_other_names_are_read_and_refused_by_these(write) -> None:
    path = write("log.csv", "Step,train_tokens,qid,n,correct", "1,5,a,4,1", "2,10,a,4,5")
    columns = {"problem": "qid", "c": "correct"}
    with pytest.raises(LogError, match="row 3, column correct, must be at most the row's n, 4; got '5'"):
        read(path, columns=columns)
    write("log.csv", "Step,train_tokens,qid,n,correct", "1,5,a,4,1", "2,10,a,4,4")
    log = read(path, columns=columns, flops_per_token=6.0)
    assert (log.train_flops, log.train_tokens) == ((30.0, 60.0), 10.0)


# -- transformers ------------------------------------------------------------------------------------------------------


def state(**changes: object) -> dict[str, object]:
    history = [
        {"loss": 1.0, "step": 10},
        {"eval_accuracy": 0.25, "eval_loss": 2.0, "eval_runtime": 2.0, "eval_samples_per_second": 4.0, "step": 10},
        {"eval_accuracy": 0.5, "eval_loss": 1.0, "eval_runtime": 4.0, "eval_samples_per_second": 2.0, "step": 20},
    ]
    return {"global_step": 20, "max_steps": 40, "total_flos": 2e15, "log_history": history} | changes


@pytest.mark.parametrize("indent", [2, None])
def test_trainer_state_says_flops_length_and_size(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps(state(), indent=indent), encoding="utf-8")
    log = read(path, num_problems=None, flops_per_step=None)
    assert accuracies(log) == [(10, 0.25), (20, 0.5)]
    assert (log.train_flops, log.budget_steps, log.num_problems) == ((1e15, 2e15), 40, 8)
    assert log.notes[1:] == (
        "8 problems, as eval_runtime and eval_samples_per_second tell (or --num-problems).",
        "Training FLOPs: total_flos of trainer_state.json, the same for each step.",
    )


def test_trainer_state_may_hold_nan_and_a_row_of_it_is_left_out(tmp_path: Path) -> None:
    history = [{"eval_accuracy": float("nan"), "step": 5}, {"eval_accuracy": 0.5, "step": 10, "loss": float("nan")}]
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps(state(log_history=history)), encoding="utf-8")
    log = read(path)
    assert accuracies(log) == [(10, 0.5)]
    assert "1 row without a number as accuracy left out." in log.notes


def test_a_folder_of_checkpoints_is_read_from_its_latest_trainer_state(tmp_path: Path) -> None:
    for last in (10, 20):
        folder = tmp_path / f"checkpoint-{last}"
        folder.mkdir()
        history = [row for row in state()["log_history"] if row["step"] <= last]  # type: ignore[attr-defined]
        content = json.dumps(state(global_step=last, log_history=history), indent=2)
        (folder / "trainer_state.json").write_text(content, encoding="utf-8")
        (folder / "config.json").write_text("{}", encoding="utf-8")
    log = read(tmp_path)
    assert log.steps == (10, 20)
    assert log.notes[-1] == (
        "3 files that are no such log were passed over (config.json, trainer_state.json, config.json)."
    )


# -- folders -----------------------------------------------------------------------------------------------------------


def test_a_folder_like_any_other_is_searched_for_its_log(write) -> None:
    write("package.json", "{}")
    write("notes.csv", "name,size", "a,1")
    write("node_modules/x/curve.csv", *ROWS)
    write(".git/curve.csv", *ROWS)
    write("env/pyvenv.cfg", "home = /usr")
    write("env/lib/curve.csv", *ROWS)
    write("wandb/curve.jsonl", {"step": 1, "accuracy": 0.5})
    root = write("README.md", "# x").parent
    log = read(root)
    assert accuracies(log) == [(1, 0.5)]
    assert log.notes[-1] == "3 files that are no such log were passed over (README.md, notes.csv, package.json)."
    write("other.csv", *ROWS)
    with pytest.raises(LogError, match=r"accuracies of one run; it has other.csv, wandb/curve.jsonl. Give one of"):
        read(root)


def test_counts_in_a_folder_come_before_accuracies(write) -> None:
    write("curve.csv", *ROWS)
    path = write("evals.csv", "step,train_flops,problem,n,c", "1,1e15,a,4,1")
    assert read(path.parent).format == "counts per problem"


# -- sizes, hours, tokens ----------------------------------------------------------------------------------------------


def test_the_number_of_problems_follows_from_a_column_or_a_standard_error(write) -> None:
    path = write("a.csv", "step,accuracy,num_problems", "1,0.5,40", "2,0.6,40")
    assert read(path, num_problems=None).num_problems == 40
    error = (0.25 / 99) ** 0.5
    assert read(write("b.csv", "step,acc,acc_stderr", f"1,0.5,{error}"), num_problems=None).num_problems == 100
    path = write("c.csv", "step,acc", "1,0.2", "2,0.5")
    log = read(path, num_problems=None, stderr=error)
    assert log.num_problems == 100
    assert "100 problems, as the standard errors tell (--num-problems to say otherwise)." in log.notes
    with pytest.raises(ArgumentError, match=r"--num-problems \(or --stderr\) must be given, since the log does not"):
        read(path, num_problems=None)
    with pytest.raises(LogError, match=r"num_problems must be one whole number of at least 1 .* got 40, 50"):
        read(write("d.csv", "step,acc,num_problems", "1,0.5,40", "2,0.6,50"), num_problems=None)
    path = write("e.csv", "step,acc,stderr", "1,0.5,0.05", "2,0.5,0.01")
    with pytest.raises(ArgumentError, match=r"--num-problems must be given, since .* different numbers"):
        read(path, num_problems=None)


def test_an_accuracy_that_so_many_problems_cannot_give_is_said(write) -> None:
    log = read(write("a.csv", "step,accuracy", "1,0.25", "2,0.4"))
    assert log.notes[-1].startswith("No number of 8 problems gives the 0.4 of step 2: accuracies were taken to the")


def test_hours_are_read_or_follow_from_the_clock(write) -> None:
    assert read(write("a.csv", "step,accuracy,hours", "1,0.5,3", "2,0.5,6")).train_hours == 6.0
    assert read(write("b.csv", "_step,accuracy,_runtime", "1,0.5,3600", "2,0.5,7200")).train_hours == 2.0
    board = write("c.csv", "Wall time,Step,Value", "1000000,100,0.5", "1003600,200,0.5", "1007200,300,0.5")
    assert read(board).train_hours == pytest.approx(3.0)  # an hour for 100 steps, the first 100 included
    assert read(write("d.csv", *ROWS)).train_hours is None


def test_tokens_and_flops_of_the_log_are_taken(write) -> None:
    log = read(write("a.csv", "step,accuracy,train_tokens", "1,0.5,10", "2,0.5,30"), flops_per_token=6.0)
    assert (log.train_flops, log.train_tokens) == ((60.0, 180.0), 30.0)
    log = read(write("b.csv", "step,accuracy,train_flops", "1,0.5,1e15", "2,0.5,4e15"))
    assert log.train_flops == (1e15, 4e15)
    with pytest.raises(LogError, match="row 3 must say train_flops, as other rows do"):
        read(write("c.csv", "step,accuracy,train_flops", "1,0.5,1e15", "2,0.5,"))


def test_percentages_are_taken_where_that_is_said(write) -> None:
    path = write("a.csv", "step,accuracy,stderr", "1,25,5", "2,50,5")
    assert accuracies(read(path, percent=True)) == [(1, 0.25), (2, 0.5)]
    assert accuracies(read(write("b.csv", "step,accuracy", "1,25 %", "2,50%"))) == [(1, 0.25), (2, 0.5)]
    with pytest.raises(LogError, match="Are these percentages"):
        read(path)


# -- refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["step,eval/acc,test/acc", "1,0.5,0.5"], 'several accuracies: eval/acc, test/acc. Choose one with'),
        (["step,accuracy", "1,-0.5"], "row 2, column accuracy, must be a share from 0 to 1; got -0.5. Is it an"),
        (["step,accuracy", "1,300"], "got 300. Is it an accuracy?"),
        (["step,accuracy", "1,high"], "row 2, column accuracy, must be a number; got 'high'."),
        (["step,accuracy", "1.5,0.5"], "row 2, column step, must be a whole number from 0 up; got 1.5."),
        (["step,accuracy", "1,0.5", "1,0.625"], "step 1 must have one accuracy; got 0.625 after 0.5 in row 2."),
        (["epoch,accuracy", "1,0.5"], "must have a column step (--column step=...); it has epoch, accuracy."),
        (["step,accuracy"], "must hold an accuracy; column accuracy is empty."),
        (["step,accuracy", "1,"], "must hold an accuracy; column accuracy is empty."),
        (["step,accuracy,task", "1,0.5,x", "1,0.5,y"], "holds 2 tasks, and a decision is about one"),
        (["step,accuracy,hours", "100,0.5,1", "50,0.625,2"], "hours must grow with the step; got 1 at step 100 and 2"),
        (["step,train/accuracy", "1,0.5"], "Accuracies per checkpoint are in columns step, accuracy (--column"),
        (["step,eval/token_accuracy", "1,0.5"], "Accuracies per checkpoint are in columns step, accuracy (--column"),
    ],
)  # fmt: skip
def test_a_curve_with_a_fault_is_refused(write, rows: list[str], message: str) -> None:
    with pytest.raises(LogError) as caught:
        read(write("curve.csv", *rows))
    assert message in str(caught.value)


def test_a_metric_or_a_column_is_chosen_among_several(write) -> None:
    path = write("a.csv", "step,r1 - eval/acc,r2 - eval/acc,eval/solved,train/acc", "1,0.25,0.5,0.75,1")
    assert accuracies(read(path, columns={"accuracy": "r2 - eval/acc"})) == [(1, 0.5)]
    assert accuracies(read(path, metric="eval/solved")) == [(1, 0.75)]
    with pytest.raises(LogError, match="several accuracies: r1 - eval/acc, r2 - eval/acc"):
        read(path, metric="eval/acc")
    with pytest.raises(LogError, match=r"must have the metric em \(--metric\); it has step, r1"):
        read(path, metric="em")


@pytest.mark.parametrize("metric", ["eval/f1", "eval/loss", "eval_maj@8", "acc/maj@8/mean"])
def test_a_metric_that_is_no_verdict_is_refused_unless_a_column_says_that_it_is_one(write, metric: str) -> None:
    path = write("a.csv", f"step,accuracy,run - {metric}", "1,0.25,0.75")
    with pytest.raises(LogError, match="must have a --metric in which each problem is right or wrong; got ") as caught:
        read(path, metric=metric)
    assert f'add --column "accuracy=run - {metric}".' in str(caught.value)
    assert accuracies(read(path, columns={"accuracy": f"run - {metric}"})) == [(1, 0.75)]


def test_votes_are_not_taken_for_accuracies_unasked(write) -> None:
    path = write("a.csv", "step,eval/acc,eval/maj@8_acc,maj@8/acc", "1,0.25,0.75,0.75")
    assert accuracies(read(path)) == [(1, 0.25)]


def test_one_task_of_several_is_chosen(write) -> None:
    path = write("a.csv", "step,accuracy,task", "1,0.5,x", "1,0.25,y", "2,0.5,y")
    assert accuracies(read(path, task="y")) == [(1, 0.25), (2, 0.5)]


def test_a_step_that_was_evaluated_twice_alike_counts_once(write) -> None:
    assert accuracies(read(write("a.csv", "step,accuracy", "1,0.5", "1,0.5"))) == [(1, 0.5)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "line 1, must be a JSON object; got '[]'."),
        ('[{"step": 1, "accuracy": 0.5}, 3]', "row 2, must be a JSON object; got '3'."),
        ('[{"step": 1, "accuracy": 0.5}', "must be JSON: "),
        ('{"step": 1, "accuracy": 0.5, "step": 2}', "line 1, must be JSON: one object names 'step' twice."),
        ('{"step": 1, "accuracy": 0.5}\n{"step"', "line 2, must be JSON: "),
        ('{"step": 1, "accuracy": true}', "row 1, column accuracy, must be a number; got True."),
        ('{"step": 1, "accuracy": 0.5, "hours": -1}', "row 1, column hours, must be finite and at least 0; got -1.0."),
        ('{"log_history": []}', "must have a column step (--column step=...); it has no rows."),
        ('{\n"log_history": [\n', "row 1, must be one JSON object on one line"),
    ],
)  # fmt: skip
def test_json_with_a_fault_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "curve.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LogError) as caught:
        read(path)
    assert message in str(caught.value)


def test_trainer_state_without_flops_or_sizes_is_told_them(tmp_path: Path) -> None:
    history = [{"eval_accuracy": 0.5, "step": 10, "eval_runtime": 1.0, "eval_samples_per_second": 8.0},
               {"eval_accuracy": 0.25, "step": 20, "eval_runtime": 1.0, "eval_samples_per_second": 20.0}]  # fmt: skip
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"log_history": history}), encoding="utf-8")
    log = read(path)
    assert (log.train_flops, log.num_problems, log.budget_steps) == ((10.0, 20.0), 8, None)
    with pytest.raises(ArgumentError, match="--num-problems"):
        read(path, num_problems=None)


def losses(log: EvalLog) -> list[float | None]:
    return [each.validation_loss for each in log]


@pytest.mark.parametrize(
    ("accuracy", "columns", "taken"),
    [
        ("accuracy", "loss", None),
        ("accuracy", "loss,eval_loss", "eval_loss"),
        ("accuracy", "Loss,validation_loss", "validation_loss"),
        ("eval_b_accuracy", "eval_loss,eval_a_loss,eval_b_loss", "eval_b_loss"),
        ("run - eval/acc", "eval_loss,run - eval/loss", "run - eval/loss"),
        ("eval/acc", "train/loss", None),
    ],
)
def test_the_loss_beside_an_accuracy_is_read(write, accuracy: str, columns: str, taken: str | None) -> None:
    names = columns.split(",")
    cells = ",".join("1.5" if each == taken else "9" for each in names)
    log = read(write("a.csv", f"step,{accuracy},{columns}", f"10,0.5,{cells}", f"20,0.75,{cells}"))
    assert (log.loss_column, losses(log)) == (taken, [None if taken is None else 1.5] * 2)


def test_a_loss_is_named_like_any_column_and_may_be_unknown(write) -> None:
    rows = ["step,accuracy,loss,nll", "1,0.5,9,2.5", "2,0.5,9,", "3,0.5,9,nan", "4,0.5,9,0"]
    log = read(write("a.csv", *rows), columns={"validation_loss": "nll"})
    assert (log.loss_column, losses(log)) == ("nll", [2.5, None, None, 0.0])


def test_a_loss_of_training_rows_alone_is_no_validation_loss(tmp_path: Path) -> None:
    history = [{"step": 1, "loss": 2.0}, {"step": 1, "eval_accuracy": 0.5}, {"step": 2, "eval_accuracy": 0.75}]
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps({"global_step": 2, "log_history": history}, indent=2), encoding="utf-8")
    log = read(path)
    assert (log.loss_column, losses(log)) == (None, [None, None])


def test_a_negative_loss_is_refused(write) -> None:
    with pytest.raises(LogError, match=r"row 2, column eval_loss, must be a loss of at least 0; got -1\."):
        read(write("a.csv", "step,accuracy,eval_loss", "1,0.5,-1"))
