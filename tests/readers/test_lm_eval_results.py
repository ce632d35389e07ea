"""lm-eval results: an accuracy a task and checkpoint, in the layouts of pythia's evals/ and of lm-eval 0.4."""

import math
from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import ArgumentError, LogError
from breakeven.readers import ReadOptions, read_evals

OPTIONS: dict[str, Any] = {"flops_per_step": 6 * 1e6 * 100}


def result(accuracy: float, problems: int = 200, **more: object) -> dict:
    error = math.sqrt(accuracy * (1 - accuracy) / (problems - 1))
    return {"results": {"sciq": {"acc": accuracy, "acc_stderr": error, **more}}, "versions": {"sciq": 0}, "config": {}}


def current(accuracy: float, **more: object) -> dict:
    error = math.sqrt(accuracy * (1 - accuracy) / 7)
    values = {"alias": "gsm8k", "exact_match,strict": accuracy, "exact_match_stderr,strict": error, "sample_len": 8}
    return {"results": {"gsm8k": {**values, **more}}, "n-samples": {"gsm8k": {"original": 9, "effective": 8}}}


def read(folder: Path, **options: Any):
    return read_evals(folder, ReadOptions(**(OPTIONS | options)))


def test_the_problems_solved_follow_from_accuracy_and_standard_error(write, tmp_path: Path) -> None:
    for step, accuracy in ((1000, 0.25), (512, 0.0), (3000, 0.325)):
        write(f"evals/160m_step{step}.json", result(accuracy))
    log = read(tmp_path / "evals")
    assert (log.steps, log.num_problems, log.has_samples) == ((512, 1000, 3000), 200, False)
    assert log.train_flops == (512 * 6e8, 1000 * 6e8, 3000 * 6e8)
    assert [each.tally.greedy_P.sum() for each in log] == [0, 50, 65]
    assert log.notes == (
        "No samples were recorded: what can be decided is one greedy answer and the forecast, no larger K.",
        "200 problems, as the standard errors tell (--num-problems to say otherwise).",
    )


def test_the_layout_of_today_says_how_many_problems_there_are(write, tmp_path: Path) -> None:
    for step in (1, 2):
        write(f"checkpoint-{step}/some__model/results_2026-01-01T00-00-00.json", current(0.25 * step))
    log = read(tmp_path)
    assert (log.steps, log.num_problems) == ((1, 2), 8)
    assert [each.tally.greedy_P.sum() for each in log] == [2, 4]


def test_a_given_number_of_problems_goes_before_any_other(write, tmp_path: Path) -> None:
    write("step_1.json", result(0.5))
    (checkpoint,) = read(tmp_path, num_problems=10)
    assert checkpoint.tally.greedy_P.tolist() == [True] * 5 + [False] * 5


def test_files_without_the_task_are_left_out_and_it_is_said(write, tmp_path: Path) -> None:
    write("step_1.json", result(0.5))
    write("step_2.json", {"results": {"piqa": {"acc": 0.1, "acc_stderr": 0.01}}})
    write("config.json", {"model_type": "llama"})
    log = read(tmp_path, task="sciq")
    assert log.steps == (1,)
    assert log.notes[0] == "1 of 2 files do not have the task sciq and were left out."


def test_metric_and_filter_are_chosen_by_name(write, tmp_path: Path) -> None:
    write("a/step_1.json", result(0.5, acc_norm=0.25, acc_norm_stderr=math.sqrt(0.25 * 0.75 / 199)))
    (checkpoint,) = read(tmp_path / "a", metric="acc_norm")
    assert checkpoint.tally.greedy_accuracy == 0.25
    write("b/step_1.json", current(0.5, **{"exact_match,flexible": 0.75}))
    (checkpoint,) = read(tmp_path / "b", answer_filter="flexible")
    assert checkpoint.tally.greedy_accuracy == 0.75
    with pytest.raises(LogError, match=r"has several filters: flexible, strict. Choose one with --answer-filter"):
        read(tmp_path / "b")
    with pytest.raises(LogError, match="must have --answer-filter x; it has flexible, strict"):
        read(tmp_path / "b", answer_filter="x")


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ({"results": {"a": {"acc": 0.1}, "b": {"acc": 0.1}}}, {}, "holds 2 tasks, and a decision is about one.*: a, b"),
        (result(0.5), {"task": "piqa"}, r"must hold the task piqa \(--task\); it holds sciq"),
        (result(0.5), {"metric": "f1"}, r"must have the metric f1 \(--metric\); it has acc"),
        (
            {"results": {"w": {"word_perplexity": 30.1}}},
            {},
            "right or wrong; got word_perplexity, where lower is better",
        ),
        ({"results": {"w": {"acc": 0.1, "ppl": 30.1}}}, {"metric": "ppl"}, "right or wrong; got ppl, where lower is"),
        ({"results": {"w": {"x": 1}}, "higher_is_better": {"w": {"x": False}}}, {}, "got x, where lower is better"),
        (
            {"results": {"w": {"right": 0.1, "found": 0.1}}},
            {},
            "several metrics: found, right. Choose one with",
        ),
        (
            result(0.5) | {"results": {"sciq": {"acc": 48.8}}},
            {},
            "share from 0 to 1; got 48.8. Divide percentages by 100",
        ),
        ({"results": {"sciq": 3}}, {}, "task sciq, must be a JSON object of metrics; got int"),
        ({"results": {}}, {}, "must hold the results of a task; it has none"),
        ([1], {}, "must hold a JSON object; got list"),
        ("{", {}, "must be JSON: Input data was truncated"),
        ("", {}, "must hold lm-eval results; it is empty"),
        ({"x": 1}, {}, "no JSON file in it has the key results"),
    ],
)
def test_what_cannot_be_decided_on_is_refused(write, tmp_path: Path, content, options, message: str) -> None:
    write("step_1.json", content)
    with pytest.raises(LogError, match=message):
        read(tmp_path, **options)


def test_names_must_say_the_step_once(write, tmp_path: Path) -> None:
    write("final.json", result(0.5))
    with pytest.raises(LogError, match=r"final\.json must say its step in its name or its folder's"):
        read(tmp_path)
    (tmp_path / "final.json").unlink()
    write("a_step1.json", result(0.5))
    write("b_step1.json", result(0.5))
    with pytest.raises(LogError, match="must be the only file of step 1 in"):
        read(tmp_path)


def test_what_the_files_do_not_say_is_asked_for_by_option(write, tmp_path: Path) -> None:
    write("step_1.json", {"results": {"a": {"acc": 0.5}}})
    with pytest.raises(ArgumentError, match="--num-problems must be given, since no checkpoint's standard error tells"):
        read(tmp_path)
    with pytest.raises(ArgumentError, match=r"--tokens-per-step and --params .* must be given, since lm-eval results"):
        read(tmp_path, flops_per_step=None)
    write("step_1.json", result(0.5, problems=100))
    write("step_2.json", result(0.5, problems=200))
    with pytest.raises(ArgumentError, match="standard errors tell different numbers of problems; got '100 to 200'"):
        read(tmp_path)
    with pytest.raises(ArgumentError, match="--num-problems must be at least 1; got 0"):
        read(tmp_path, num_problems=0)
