"""lm-eval with --log_samples: one line a problem and filter, one folder a checkpoint."""

from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import LogError
from breakeven.readers import ReadOptions, read_evals

NAME = "some__model/samples_gsm8k_2026-01-02T03-04-05.678901.jsonl"
WARM = {"gen_args_0": {"arg_0": "Q: ?", "arg_1": {"do_sample": True, "temperature": 0.2}}}
CHOICE = {"gen_args_0": {"arg_0": "Q: ?", "arg_1": " yes"}, "gen_args_1": {"arg_0": "Q: ?", "arg_1": " no"}}


def read(folder: Path, **options: Any):
    return read_evals(folder, ReadOptions(**({"flops_per_step": 1e12} | options)))


def test_one_greedy_answer_a_problem(write, tmp_path: Path, lm_eval_row) -> None:
    for step in (20, 10):
        write(f"checkpoint-{step}/{NAME}", lm_eval_row(0), lm_eval_row(1, exact_match=0.0))
        write(f"checkpoint-{step}/some__model/results_2026-01-02T03-04-05.678901.json", {"results": {}})
    log = read(tmp_path)
    assert (log.steps, log.has_samples, log.num_problems) == ((10, 20), False, 2)
    assert [each.tally.greedy_P.tolist() for each in log] == [[True, False]] * 2


def test_multiple_choice_counts_as_greedy(write, tmp_path: Path, lm_eval_row) -> None:
    row = {"arguments": CHOICE, "resps": [["-1.0", "True"], ["-2.0", "False"]], "metrics": ["acc", "acc_norm"]}
    write(f"step_1/{NAME}", lm_eval_row(0, **row, filter="none", acc=1.0, acc_norm=0.0))
    (checkpoint,) = read(tmp_path)
    assert checkpoint.tally.greedy_accuracy == 1.0
    (checkpoint,) = read(tmp_path, metric="acc_norm")
    assert checkpoint.tally.greedy_accuracy == 0.0


def test_a_drawn_answer_is_a_sample_and_ungraded_repeats_are_said(write, tmp_path: Path, lm_eval_row) -> None:
    rows = [lm_eval_row(p, arguments=WARM, resps=[["18", "17", "18", "?"]], filter="score-first") for p in (0, 1)]
    votes = [lm_eval_row(p, filter="maj@4", exact_match=0.0) for p in (0, 1)]
    write(f"step_1/{NAME}", *rows, *votes)
    log = read(tmp_path)
    (checkpoint,) = log
    assert (checkpoint.tally.correct_P.tolist(), checkpoint.tally.samples_P.tolist()) == ([1, 1], [1, 1])
    assert checkpoint.tally.greedy_P is None
    assert log.notes == ("lm-eval graded one answer a problem and left 3 responses ungraded; only graded ones count.",)


def test_pass_at_1_over_many_answers_gives_counts(write, tmp_path: Path, lm_eval_row) -> None:
    row: dict[str, Any] = {"arguments": WARM, "resps": [["a", "b", "c", "d"]], "filtered_resps": [["a", "b", "c", "d"]]}
    row |= {"filter": "create_test", "metrics": ["pass@1", "pass@2"], "pass@2": 1.0}
    write(f"step_1/{NAME}", lm_eval_row(0, **row, **{"pass@1": 0.75}), lm_eval_row(1, **row, **{"pass@1": 0.0}))
    (checkpoint,) = read(tmp_path)
    assert (checkpoint.tally.correct_P.tolist(), checkpoint.tally.samples_P.tolist()) == ([3, 0], [4, 4])
    assert checkpoint.tally.pool is None


def test_a_list_of_verdicts_gives_votes_too(write, tmp_path: Path, lm_eval_row) -> None:
    row = {"arguments": WARM, "filtered_resps": [["18", "[invalid]", "17", "18"]], "exact_match": [1, 0, 0, 1]}
    write(f"step_1/{NAME}", lm_eval_row(0, **row))
    (checkpoint,) = read(tmp_path)
    assert checkpoint.tally.correct_P.tolist() == [2]
    assert checkpoint.tally.pool is not None
    assert checkpoint.tally.pool.label_PN is not None
    assert checkpoint.tally.pool.label_PN.tolist() == [[0, -1, 1, 0]]


def test_the_latest_evaluation_of_a_checkpoint_counts(write, tmp_path: Path, lm_eval_row) -> None:
    write("step_1/samples_gsm8k_2026-01-01T00-00-00.0.jsonl", lm_eval_row(0, exact_match=0.0))
    write("step_1/samples_gsm8k_2026-01-03T00-00-00.0.jsonl", lm_eval_row(0))
    log = read(tmp_path)
    assert [each.tally.greedy_accuracy for each in log] == [1.0]
    assert log.notes == ("1 older evaluations of a checkpoint were left out: the latest of each counts.",)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([{}, {"filter": "flexible-extract"}], {}, "several filters: strict-match, flexible-extract. Choose one with"),
        ([{}], {"answer_filter": "x"}, "must have --answer-filter x; it has strict-match"),
        ([{"filter": "maj@8"}], {}, "must have graded single answers; its filters are votes: maj@8"),
        ([{"filter": "maj@8"}], {"answer_filter": "maj@8"}, "filter maj@8, is a vote of many samples, not one sample"),
        ([{"exact_match": 0.5}], {}, "row 1, column exact_match, must be 0 or 1 for each problem; got 0.5"),
        ([{"exact_match": "x"}], {}, "row 1, column exact_match, must be 0 or 1; got 'x'"),
        ([{"exact_match": [2]}], {}, r"column exact_match, must hold 0 or 1 for each sample; got \[2\]"),
        ([{"metrics": ["word_perplexity"], "word_perplexity": 9.0}], {}, "got word_perplexity, where lower is better"),
        ([{"metrics": ["right", "found"], "right": 1, "found": 1}], {}, "several metrics: found, right. Choose one"),
        ([{}, {}], {}, "row 2, column problem, must have one greedy sample a checkpoint; '0' is there twice"),
        ([{}], {"task": "x"}, r"must hold the task x \(--task\); it holds gsm8k"),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_on_is_refused(write, tmp_path, lm_eval_row, rows, options, message: str) -> None:
    write(f"step_1/{NAME}", *(lm_eval_row(0, **row) for row in rows))
    with pytest.raises(LogError, match=message):
        read(tmp_path, **options)


def test_several_tasks_and_files_without_samples_are_refused(write, tmp_path: Path, lm_eval_row) -> None:
    write(f"step_1/{NAME}", '{"x": 1}')
    with pytest.raises(LogError, match="row 1, must have the key doc_id"):
        read(tmp_path)
    write(f"step_1/{NAME}")
    with pytest.raises(LogError, match="must hold at least one sample; it is empty"):
        read(tmp_path)
    write(f"step_1/{NAME.replace('gsm8k', 'piqa')}", lm_eval_row(0))
    with pytest.raises(
        LogError, match=r"holds 2 tasks, and a decision is about one. Choose one with --task: gsm8k, piqa"
    ):
        read(tmp_path)
