"""Files of rows: what they are read as, and what is refused by file, row and column."""

import gzip
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from breakeven import jsonl
from breakeven.errors import ArgumentError, LogError
from breakeven.readers import ReadOptions, lines, read_evals, thinned

HEADER = "step,train_flops,problem,n,c"
COUNTS = [HEADER, "100,1e15,a,4,1", "100,1e15,b,4,4", "200,2e15,a,4,2", "200,2e15,b,4,3"]
SAMPLES = "step,train_flops,problem,answer,correct,greedy"


def correct(path: Path, **options: object) -> list[list[int]]:
    return [each.tally.correct_P.tolist() for each in read_evals(path, ReadOptions(**options))]  # type: ignore[arg-type]


# -- counts -----------------------------------------------------------------------------------------------------------


def test_counts_per_problem_come_by_checkpoint(write) -> None:
    log = read_evals(write("log.csv", *COUNTS))
    assert (log.steps, log.train_flops, log.num_problems) == ((100, 200), (1e15, 2e15), 2)
    assert (log.has_samples, log.has_greedy, log.notes) == (True, False, ())
    assert correct(write("log.csv", *COUNTS)) == [[1, 4], [2, 3]]
    assert [each.tally.greedy_P for each in log] == [None, None]


def test_jsonl_semicolons_tabs_crlf_bom_and_gzip_read_the_same(write, tmp_path: Path) -> None:
    names = HEADER.split(",")
    rows = [dict(zip(names, line.split(","), strict=True)) for line in COUNTS[1:]]
    numbers = [{**row, "step": int(row["step"]), "n": 4, "c": int(row["c"]), "train_flops": 1e13 * int(row["step"])}
               for row in rows]  # fmt: skip
    (tmp_path / "crlf.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join([*COUNTS, "", ""]).encode())
    (tmp_path / "zip.csv.gz").write_bytes(gzip.compress("\n".join(COUNTS).encode()))
    paths = [
        write("text.jsonl", *rows),
        write("numbers.jsonl", *numbers),
        write("tab.tsv", *(line.replace(",", "\t") for line in COUNTS)),
        write("semicolon.csv", *(line.replace(",", ";") for line in COUNTS)),
        tmp_path / "crlf.csv",
        tmp_path / "zip.csv.gz",
    ]
    assert [correct(path) for path in paths] == [[[1, 4], [2, 3]]] * len(paths)


def test_more_rows_than_a_chunk_and_checkpoints_that_are_mixed_up(write, monkeypatch) -> None:
    monkeypatch.setattr(lines, "CHUNK_ROWS", 3)
    rows = [f"{step},{step}e15,p{problem},4,{(step + problem) % 5}" for problem in range(7) for step in (2, 1, 3)]
    log = read_evals(write("log.csv", HEADER, *rows))
    assert log.notes == ("Rows were not in order of steps and have been sorted by step.",)
    assert [each.tally.correct_P.tolist() for each in log] == [[(step + p) % 5 for p in range(7)] for step in (1, 2, 3)]


def test_of_very_many_checkpoints_an_even_subset_is_kept_and_it_is_said(write) -> None:
    rows = [f"{step},{step}e15,a,4,{step % 5}" for step in range(1, 102)]
    log = read_evals(write("log.csv", HEADER, *rows))
    few = thinned(log, 11)
    assert few.steps == tuple(range(1, 102, 10)) == tuple(each.step for each in few)
    assert [int(each.tally.correct_P[0]) for each in few] == [step % 5 for step in few.steps]
    assert [each.stands_for for each in few] == [1] + [10] * 10, "all evaluations are charged"
    assert few.notes == (
        "101 checkpoints are many: decided on 11 of them, evenly chosen, the first and the last included.",
    )
    assert thinned(log, 101) is log


def test_a_greedy_column_is_read_where_every_problem_has_it(write) -> None:
    rows = [f"{HEADER},greedy", "1,1e15,a,4,1,0", "1,1e15,b,0,0,true", "2,2e15,a,4,1,1", "2,2e15,b,4,0,1"]
    log = read_evals(write("log.csv", *rows))
    assert [each.tally.greedy_P.tolist() for each in log] == [[False, True], [True, True]]  # type: ignore[union-attr]
    log = read_evals(write("log.csv", *rows[:-1], "2,2e15,b,4,0,"))
    assert not log.has_greedy
    assert log.notes == ("Greedy samples were left out: step 2 has them for 1 of 2 problems.",)


def test_problems_that_a_checkpoint_lacks_are_left_out_and_it_is_said(write) -> None:
    log = read_evals(write("log.csv", *COUNTS, "200,2e15,c,4,0", "300,3e15,b,4,4", "300,3e15,a,4,4", "300,3e15,c,4,1"))
    assert log.num_problems == 2
    assert [each.tally.correct_P.tolist() for each in log] == [[1, 4], [2, 3], [4, 4]]
    assert log.notes == (
        "1 of 3 problems are missing at some checkpoint and were left out (step 100 has the fewest, 2); decided on the "
        "2 that all share. Without that checkpoint there would be more.",
    )


def test_a_checkpoint_before_training_is_left_out(write) -> None:
    log = read_evals(write("log.csv", HEADER, "0,0,a,4,0", "1,1e15,a,4,0"))
    assert (log.steps, log.notes) == ((1,), ("Step 0 was left out: it comes before any training.",))


def test_training_flops_may_follow_from_the_step(write) -> None:
    path = write("log.csv", "step,problem,n,c", "10,a,4,1", "20,a,4,1")
    assert read_evals(path, ReadOptions(flops_per_step=5.0)).train_flops == (50.0, 100.0)
    with pytest.raises(ArgumentError, match=r"--tokens-per-step and --params .* must be given, since .*log.csv says"):
        read_evals(path)


def test_one_task_of_several_is_chosen(write) -> None:
    rows = ["task," + HEADER, "x,1,1e15,a,4,1", "y,1,1e15,a,4,3"]
    assert correct(write("log.csv", *rows), task="y") == [[3]]
    with pytest.raises(LogError, match=r"column task, must name one task; got x, y. Choose one with --task"):
        read_evals(write("log.csv", *rows))
    with pytest.raises(LogError, match="must name --task z; got x, y"):
        read_evals(write("log.csv", *rows), ReadOptions(task="z"))


# -- single samples ---------------------------------------------------------------------------------------------------


def test_single_samples_make_counts_and_votes(write) -> None:
    rows = ["7,1e15,a,18,1,0", "7,1e15,a,17,0,0", "7,1e15,a,18,1,0", "7,1e15,a,18,1,1"]
    rows += ["7,1e15,b,,0,0", "7,1e15,b,5,0,0", "7,1e15,b,6,0,0", "7,1e15,b,6,0,1"]
    (checkpoint,) = read_evals(write("log.csv", SAMPLES, *rows))
    tally = checkpoint.tally
    assert (tally.correct_P.tolist(), tally.samples_P.tolist()) == ([2, 0], [3, 3])
    assert tally.greedy_P is not None
    assert tally.greedy_P.tolist() == [True, False]
    assert tally.pool is not None
    assert tally.pool.label_PN is not None
    assert tally.pool.label_PN.tolist() == [[0, 1, 0], [-1, 0, 1]]
    assert tally.pool.correct_PN.tolist() == [[True, False, True], [False] * 3]


def test_votes_count_as_many_samples_as_every_problem_has(write) -> None:
    rows = ["1,1e15,a,x,0", "1,1e15,a,y,1", "1,1e15,a,x,0", "1,1e15,b,y,1", "1,1e15,b,z,1"]
    (checkpoint,) = read_evals(write("log.csv", SAMPLES.removesuffix(",greedy"), *rows))
    assert checkpoint.tally.pool is not None
    assert checkpoint.tally.pool.label_PN is not None
    assert checkpoint.tally.pool.label_PN.tolist() == [[0, 1], [0, 1]]
    assert checkpoint.notes == (
        "Majority votes count the first 2 samples of a problem, as many as every problem has.",
        "1 problem has right answers that are written in several ways, which vote apart.",
    )


def test_an_answer_judged_both_right_and_wrong_is_noted(write) -> None:
    rows = ["1,1e15,a,x,0", "1,1e15,a,x,1"]
    (checkpoint,) = read_evals(write("log.csv", SAMPLES.removesuffix(",greedy"), *rows))
    assert checkpoint.notes == (
        "1 problem has an answer judged both right and wrong: a vote for it counts in proportion.",
    )


def test_a_flag_on_the_greedy_rows_alone_is_enough_in_jsonl(write) -> None:
    row = {"step": 1, "train_flops": 1e15, "problem": 3, "answer": 18, "correct": True}
    (checkpoint,) = read_evals(write("log.jsonl", row, {**row, "correct": False, "greedy": True}))
    assert checkpoint.tally.correct_P.tolist() == [1]
    assert checkpoint.tally.greedy_accuracy == 0.0


def test_counting_labels_agrees_with_brute_force(write) -> None:
    rng = np.random.default_rng(0)
    answers = rng.integers(0, 4, (5, 6))
    rows = [f"1,1e15,p{p},{a or ''},{int(a == 2)}" for p, row in enumerate(answers) for a in row]
    (checkpoint,) = read_evals(write("log.csv", SAMPLES.removesuffix(",greedy"), *rows))
    assert checkpoint.tally.pool is not None
    pool = checkpoint.tally.pool
    assert pool.label_PN is not None
    assert pool.correct_PN.tolist() == (answers == 2).tolist()
    for row, labels in zip(answers, pool.label_PN, strict=True):
        order = {a: place for place, a in enumerate(dict.fromkeys(a for a in row.tolist() if a))}
        assert labels.tolist() == [order.get(a, -1) for a in row.tolist()]


# -- HumanEval --------------------------------------------------------------------------------------------------------


def test_humaneval_results_one_file_a_checkpoint(write, tmp_path: Path) -> None:
    for step in (1000, 500):
        rows = [{"task_id": f"HumanEval/{p}", "completion": "...", "result": "passed" if p * step else "failed: no",
                 "passed": bool(p * step)} for p in (0, 1, 1)]  # fmt: skip
        write(f"runs/step_{step}_results.jsonl", *rows)
    log = read_evals(tmp_path / "runs", ReadOptions(flops_per_step=2.0))
    assert (log.format, log.steps, log.train_flops) == ("HumanEval results", (500, 1000), (1000.0, 2000.0))
    assert [each.tally.correct_P.tolist() for each in log] == [[0, 2]] * 2
    assert all(each.tally.pool is None for each in log)


def test_humaneval_results_with_a_step_column_and_no_verdict_but_the_result(write) -> None:
    row = {"step": 3, "train_flops": 3e15, "task_id": "a", "result": "passed"}
    assert correct(write("log.jsonl", row, {**row, "result": "timed out"})) == [[1]]
    with pytest.raises(LogError, match="must say its step in its name or its folder's, such as step_1000"):
        read_evals(write("log.jsonl", {"task_id": "a", "passed": True}), ReadOptions(flops_per_step=1.0))


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("100,1e15,a,4,-1", "row 2, column c, must be a whole number from 0 to 2147483647; got '-1'."),
        ("100,1e15,a,4,5", "row 2, column c, must be at most the row's n, 4; got '5'."),
        ("100,1e15,a,four,1", "row 2, column n, must be a whole number; got 'four'."),
        ("100,1e15,a,4,", "row 2, column c, must be a whole number; got ''."),
        ("100,1e15,a,4,nan", "row 2, column c, must be a whole number; got 'nan'. A share or a percentage does not"),
        ("100,1e15,a,4,0.25", "row 2, column c, must be a whole number; got '0.25'. A share or a percentage does not"),
        ("100,1e15,a,4,25%", "row 2, column c, must be a whole number; got '25%'."),
        ("-1,1e15,a,4,1", "row 2, column step, must be a whole number from 0 up; got '-1'."),
        ("x,1e15,a,4,1", "row 2, column step, must be a whole number; got 'x'."),
        ("100,inf,a,4,1", "row 2, column train_flops, must be a finite number of at least 0; got 'inf'."),
        ("100,-5,a,4,1", "row 2, column train_flops, must be a finite number of at least 0; got '-5'."),
        ("100,1e15,,4,1", "row 2, column problem, must not be empty; got ''."),
        ("100,1e15,a,4", "row 2, must have one value for each of the 5 columns; got 4."),
        ("100,1e15,a,4,1\n100,2e15,b,4,1", "row 3, column train_flops, must be the same in all rows of step 100"),
        ("100,1e15,a,4,1\n200,1e15,a,4,1", "train_flops must grow with the step; got 1e+15 at step 100 and 1e+15"),
        ("1,1e15,a,4,1\n2,2e15,b,4,1\n1,1e15,a,4,2", "row 4, column problem, must stand in one row a checkpoint; 'a'"),
        ("1,1e15,a,4,1\n2,2e15,b,4,1", "must have problems that all 2 checkpoints share; it has none."),
        ("1,1e15,a,0,0", "must have problems that all 1 checkpoints share"),
        ("0,0,a,4,0", "must hold at least one trained checkpoint; it has none."),
        ("", "must hold at least one row; it is empty."),
        (f'1,1e15,"{"a" * 200_000}",4,1', "field larger than field limit"),
    ],
)
def test_a_bad_row_is_refused_by_file_row_and_column(write, row: str, message: str) -> None:
    path = write("log.csv", HEADER, row)
    with pytest.raises(LogError) as caught:
        read_evals(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must hold at least one row; it is empty."),
        ("\n\n", "must hold at least one row; it is empty."),
        ("step,train_flops,problem,n\n1,1,a,4\n", "missing: c (for counts per problem) or answer, correct (for single"),
        ("train_flops,problem,n,c\n1,a,4,1\n", "row 1, must name the column step."),
        ("step,step,train_flops,problem,n,c\n", "row 1, must name each column once; got 'step' twice."),
        ("[1, 2]\n", "line 1, must be a JSON object; got '[1, 2]'. Write {...} on every line."),
        ('{"step": 1\n', "row 1, must be one JSON object on one line"),
        ('{\n"results": {}\n}\n', "Results of lm-eval are read from the folder that holds one file a checkpoint."),
        ('{"doc_id": 1, "filter": "none"}\n', "holds lm-eval samples of one checkpoint. Give the folder"),
        (json.dumps({"step": 1, "train_flops": 1, "problem": "a", "n": 4, "c": 1}) + "\n3\n", "line 2, must be a JSON"),
        (json.dumps({"step": 1, "train_flops": 1, "problem": "a", "n": 4, "c": None}) + "\n", "column c, must be a"),
        (json.dumps({"step": 1, "train_flops": 1, "problem": "a", "n": 4, "c": True}) + "\n", "column c, must be a"),
        (json.dumps({"step": [1], "train_flops": 1, "problem": "a", "n": 4, "c": 1}) + "\n", "column step, must be a"),
        (json.dumps({"step": 1, "train_flops": 1, "problem": [], "n": 4, "c": 1}) + "\n", "column problem, must be"),
        (SAMPLES + "\n1,1e15,a,x,0.97,0\n", "row 2, column correct, must be 0 or 1, or true or false; got '0.97'."),
        (SAMPLES + "\n1,1e15,a,x,1,1\n1,1e15,a,x,1,1\n", "row 3, column problem, must have one greedy sample"),
        ('{"task_id": "a", "step": 1, "train_flops": 1, "result": 3}\n', 'column result, must be a text such as'),
    ],
)  # fmt: skip
def test_a_file_that_is_no_log_is_refused(write, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "log.csv").write_text(text, encoding="utf-8")
    with pytest.raises(LogError) as caught:
        read_evals(tmp_path / "log.csv")
    assert str(caught.value).startswith(str(tmp_path / "log.csv"))
    assert message in str(caught.value)


def test_bytes_that_are_no_text_and_gzip_that_is_cut_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"step\xff\xfe")
    with pytest.raises(LogError, match=r"log.csv, line 1, must be UTF-8 text; got b"):
        read_evals(path)
    path.write_bytes(gzip.compress("\n".join(COUNTS).encode())[:-12])
    with pytest.raises(LogError, match=r"log.csv must be a readable file; got Compressed file ended"):
        read_evals(path)


def test_a_line_without_end_is_refused(write, monkeypatch) -> None:
    monkeypatch.setattr(jsonl, "MAX_LINE", 1 << 20)
    with pytest.raises(LogError, match="line 2, must be at most 1 MiB long"):
        read_evals(write("log.jsonl", {"step": 1, "train_flops": 1, "problem": "a", "n": 4, "c": 1}, "x" * (2 << 20)))


def test_paths_without_a_log_are_refused(write, tmp_path: Path) -> None:
    with pytest.raises(LogError, match="there is no log at"):
        read_evals(tmp_path / "none")
    with pytest.raises(
        LogError, match="must hold CSV or JSONL rows, lm-eval results or lm-eval samples; it has no such"
    ):
        read_evals(tmp_path)
    write("step_1.csv", "problem,n,c", "a,4,1")
    write("step_2.json", {"results": {}})
    with pytest.raises(LogError, match=r"must hold files of one kind; got step_1.csv and step_2.json"):
        read_evals(tmp_path)
    (tmp_path / "step_2.json").unlink()
    write("step_2.csv", "problem,answer,correct", "a,4,1")
    with pytest.raises(
        LogError, match="must be of one layout with the other files, counts per problem; it holds single"
    ):
        read_evals(tmp_path, ReadOptions(flops_per_step=1.0))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(LogError, match=r"must be a file or a folder, .*; got a pipe or a device\. Give - to read"):
            read_evals(path)


def test_any_number_of_columns_is_read_in_a_time_that_grows_as_it(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    names = ["step", "train_flops", "problem", "n", "c", *(f"other{number}" for number in range(20_000))]
    path.write_text(
        "\n".join([",".join(names), *(",".join([row, *["1"] * 20_000]) for row in ("1,1,1,4,2", "2,2,1,4,2"))])
    )
    started = time.process_time()
    assert correct(path) == [[2], [2]]
    assert time.process_time() - started < 5


def test_of_many_problems_fewer_checkpoints_are_kept(write, monkeypatch) -> None:
    rows = [f"{step},{step}e15,p{problem},4,1" for step in range(1, 32) for problem in range(10)]
    log = read_evals(write("log.csv", HEADER, *rows))
    assert thinned(log) is log
    monkeypatch.setattr("breakeven.readers.log.LEAST_CHECKPOINTS", 7)
    monkeypatch.setattr("breakeven.readers.log.MOST_COUNTS", 160)
    assert thinned(log).steps == tuple(range(1, 32, 2))
    assert "31 checkpoints are many: decided on 16 of them" in thinned(log).notes[-1]
    monkeypatch.setattr("breakeven.readers.log.MOST_COUNTS", 10)
    assert thinned(log).steps == tuple(range(1, 32, 5)), "not fewer than this"
