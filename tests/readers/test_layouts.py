"""Evaluation folders as public tools write them: each in a small made copy, read, or refused for a right reason."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import ArgumentError, LogError
from breakeven.readers import EvalLog, ReadOptions, read_evals

DATE = "2025-01-02T03-04-05.678901"
LATER = "2025-02-02T03-04-05.678901"


def read(folder: Path, **options: Any) -> EvalLog:
    return read_evals(folder, ReadOptions(flops_per_step=1e12, **options))


def curve(log: EvalLog) -> dict[int, float | None]:
    return {each.step: each.tally.greedy_accuracy for each in log}


def error(accuracy: float, size: int) -> float:
    return math.sqrt(accuracy * (1 - accuracy) / (size - 1))


def gsm8k(accuracy: float, size: int = 100, **more: object) -> dict:
    return {"exact_match,strict-match": accuracy, "exact_match_stderr,strict-match": error(accuracy, size), **more}


# -- lm-eval results --------------------------------------------------------------------------------------------------


def test_nan_matters_in_the_metric_that_is_asked_for_alone(write, tmp_path: Path) -> None:
    other = {"word_perplexity,none": math.nan, "bits_per_byte,none": math.inf, "word_perplexity_stderr,none": "N/A"}
    for step in (1, 2, 3):
        own = gsm8k(step / 4) if step < 3 else {"exact_match,strict-match": math.nan}
        write(f"step_{step}/results_{DATE}.json", {"results": {"gsm8k": own, "wikitext": other}})
    log = read(tmp_path, task="gsm8k")
    assert (curve(log), log.num_problems) == ({1: 0.25, 2: 0.5}, 100)
    assert "Checkpoints without a number for gsm8k (null or NaN) were left out: steps 3." in log.notes
    with pytest.raises(LogError, match="got word_perplexity, where lower is better"):
        read(tmp_path, task="wikitext")


def test_one_file_a_task_and_of_a_task_the_latest(write, tmp_path: Path) -> None:
    write(f"step_1/results_{DATE}.json", {"results": {"gsm8k": gsm8k(0.25)}})
    write(f"step_1/results_{LATER}.json", {"results": {"piqa": {"acc,none": 0.5, "acc_stderr,none": 0.1}}})
    write(f"step_2/results_{DATE}.json", {"results": {"gsm8k": gsm8k(0.25)}})
    write(f"step_2/results_{LATER}.json", {"results": {"gsm8k": gsm8k(0.5)}})
    log = read(tmp_path, task="gsm8k")
    assert curve(log) == {1: 0.25, 2: 0.5}
    assert log.notes[:2] == (
        "1 of 4 files do not have the task gsm8k and were left out.",
        "1 older evaluations of a checkpoint were left out: the latest of each counts.",
    )


def group(shares: dict[str, float], sizes: dict[str, int], accuracy: float, *, recorded: bool) -> dict:
    results = {
        name: {"acc,none": share, "acc_stderr,none": error(share, sizes[name])} for name, share in shares.items()
    }
    results["mmlu"] = results["stem"] = {"acc,none": accuracy, "acc_stderr,none": 0.0123}
    numbers = {"n-samples": {name: {"effective": size} for name, size in sizes.items()}} if recorded else {}
    subtasks = {"mmlu": ["stem", "law"], "stem": ["algebra", "physics"], "law": []}
    return {"results": results, "groups": {"mmlu": results["mmlu"]}, "group_subtasks": subtasks, **numbers}


@pytest.mark.parametrize("recorded", [False, True])
def test_a_group_has_the_problems_of_its_tasks_and_of_groups_in_it(write, tmp_path: Path, recorded: bool) -> None:
    sizes = {"algebra": 100, "physics": 60, "law": 40}
    for step, shares in ((1, (0.5, 0.25, 0.25)), (2, (0.9, 0.5, 0.25))):
        named = dict(zip(sizes, shares, strict=True))
        right = sum(share * sizes[name] for name, share in named.items())
        write(f"step_{step}/results_{DATE}.json", group(named, sizes, right / 200, recorded=recorded))
    log = read(tmp_path, task="mmlu")
    assert (log.num_problems, curve(log)) == (200, {1: 75 / 200, 2: 130 / 200})
    assert not any("averages" in note for note in log.notes)


def test_a_group_that_averages_its_tasks_is_said(write, tmp_path: Path) -> None:
    sizes = {"algebra": 100, "physics": 60, "law": 40}
    shares = {"algebra": 0.5, "physics": 0.25, "law": 0.25}
    write(f"step_1/results_{DATE}.json", group(shares, sizes, 1 / 3, recorded=True))
    assert (
        "mmlu averages its tasks, not their problems: its accuracy is taken for a share of problems."
        in read(tmp_path, task="mmlu").notes
    )


@pytest.mark.parametrize("subtasks", [{}, {"group_subtasks": {"mmlu": ["law"]}}])
def test_a_group_whose_tasks_are_not_known_asks_for_its_size(write, tmp_path: Path, subtasks: dict) -> None:
    values = {"acc,none": 0.5, "acc_stderr,none": 0.01}
    write("step_1.json", {"results": {"mmlu": values}, "groups": {"mmlu": values}, **subtasks})
    with pytest.raises(ArgumentError, match="--num-problems must be given"):
        read(tmp_path)


def test_sizes_are_held_against_standard_errors(write, tmp_path: Path) -> None:
    degree = {"score,none": 0.5, "score_stderr,none": 0.01}
    write("step_1.json", {"results": {"t": degree}, "n-samples": {"t": {"effective": 100}}})
    with pytest.raises(LogError, match=r"metric score,none, must have the standard error of 100 .*, 0.05025; got 0.01"):
        read(tmp_path, metric="score")
    log = read(tmp_path, metric="score", num_problems=100)
    assert log.num_problems == 100
    log = read(tmp_path, metric="score", num_problems=50)
    assert "--num-problems says 50 problems, where the log tells 100." in log.notes


def test_checkpoints_that_tell_different_sizes_are_refused(write, tmp_path: Path) -> None:
    for step, size in ((1, 100), (2, 50)):
        content = {"results": {"t": {"acc,none": 0.5}}, "n-samples": {"t": {"effective": size}}}
        write(f"step_{step}.json", content)
    with pytest.raises(ArgumentError, match="tell different numbers of problems; got '50 to 100'"):
        read(tmp_path)


def test_checkpoints_with_other_metrics_or_filters_are_not_mixed(write, tmp_path: Path) -> None:
    for place, second in enumerate(({"exact_match": 0.5}, {"acc_norm": 0.5}, {"acc,none": 0.5})):
        for step, values in ((1, {"acc": 0.5}), (2, second)):
            write(f"{place}/step_{step}.json", {"results": {"t": values}, "n-samples": {"t": {"effective": 4}}})
    for folder in "01":
        with pytest.raises(LogError, match=r"metric and filter of the other checkpoints, acc in .*; got (exact|acc_n)"):
            read(tmp_path / folder)
    assert curve(read(tmp_path / "2")) == {1: 0.5, 2: 0.5}


def test_a_mean_probability_that_is_called_acc_is_refused(write, tmp_path: Path) -> None:
    content = {"results": {"truthfulqa_mc2": {"acc,none": 0.5}}, "n-samples": {"truthfulqa_mc2": {"effective": 4}}}
    write("step_1.json", content)
    with pytest.raises(LogError, match=r"task truthfulqa_mc2, .* got acc, which is a mean probability in this task"):
        read(tmp_path)


def test_votes_are_no_filter_to_choose(write, tmp_path: Path) -> None:
    votes = {"exact_match,maj@8": 0.75, "exact_match,score-first": 0.5}
    write("step_1.json", {"results": {"t": votes}, "n-samples": {"t": {"effective": 4}}})
    assert curve(read(tmp_path)) == {1: 0.5}
    with pytest.raises(LogError, match="filter maj@8, is a vote of many samples, not one sample"):
        read(tmp_path, answer_filter="maj@8")
    write("step_1.json", {"results": {"t": {"exact_match,maj@8": 0.75}}})
    with pytest.raises(LogError, match="must have graded single answers; its filters are votes: maj@8"):
        read(tmp_path)


def test_other_shots_and_versions_of_a_task_are_said(write, tmp_path: Path) -> None:
    for step, shots in ((1, 0), (2, 5)):
        more = {"n-shot": {"gsm8k": shots}, "versions": {"gsm8k": 3.0}}
        write(f"a/step_{step}.json", {"results": {"gsm8k": gsm8k(0.25)}, **more})
        write(f"b/step_{step}.json", {"results": {"gsm8k": gsm8k(0.25)}, "config": {"num_fewshot": shots}})
    for folder in "ab":
        assert "Checkpoints were evaluated with several numbers of shots, 0, 5: compare with care." in (
            read(tmp_path / folder).notes
        )


def test_lm_eval_0_3_with_its_lists_beside_and_a_file_cut_off(write, tmp_path: Path) -> None:
    for step in (1, 2):
        write(f"step{step}.json", {"results": {"piqa": {"acc": 0.5, "acc_stderr": error(0.5, 40)}}})
        write(f"step{step}_piqa_write_out_info.json", [{"doc_id": 0, "acc": "True"}])
    write("step3.json", '{"results": {"piqa":')
    log = read(tmp_path)
    assert (curve(log), log.num_problems) == ({1: 0.5, 2: 0.5}, 40)
    assert any(note.startswith("Left out, as it cannot be read: ") and "step3.json" in note for note in log.notes)


def test_lighteval(write, tmp_path: Path) -> None:
    for step in (1, 2):
        values = {"qem": step / 4, "qem_stderr": error(step / 4, 40), "maj@8": 0.9}
        content = {
            "config_general": {"model_name": "a/b"},
            "results": {"leaderboard|gsm8k|5|0": values, "all": values},
            "config_tasks": {"leaderboard|gsm8k|5": {"original_num_docs": 50, "effective_num_docs": 40}},
        }
        write(f"step_{step}/results/a/b/results_{DATE}.json", content)
    for task in (None, "gsm8k", "leaderboard|gsm8k|5|0"):
        log = read(tmp_path, task=task)
        assert (curve(log), log.num_problems) == ({1: 0.25, 2: 0.5}, 40)


def test_an_average_of_lighteval_is_said_to_be_one(write, tmp_path: Path) -> None:
    sizes = {"leaderboard|mmlu:law|5": 30, "leaderboard|mmlu:art|5": 10, "leaderboard|gsm8k|5": 20}
    shares = dict(zip(sizes, (0.5, 0.9, 0.1), strict=True))
    results = {f"{name}|0": {"acc": share} for name, share in shares.items()}
    results |= {"leaderboard|mmlu:_average|5|0": {"acc": 0.7}, "all": {"acc": 0.5}}
    numbers = {name: {"effective_num_docs": size} for name, size in sizes.items()}
    write("step_1/results_x.json", {"config_general": {}, "results": results, "config_tasks": numbers})
    log = read(tmp_path, task="leaderboard|mmlu:_average|5|0")
    assert (log.num_problems, curve(log)) == (40, {1: 0.7})
    assert any("averages its tasks, not their problems" in note for note in log.notes)
    assert read(tmp_path, task="leaderboard|mmlu:law|5|0").num_problems == 30


def test_bigcode(write, tmp_path: Path) -> None:
    for step in (1, 2):
        config = {"model": "a/b", "revision": f"step{step}", "temperature": 0.2, "n_samples": 20}
        write(f"{step}/evaluation_results.json", {"humaneval": {"pass@1": step / 4, "pass@10": 0.9}, "config": config})
    assert curve(read(tmp_path, num_problems=164)) == {1: 0.25, 2: 0.5}
    with pytest.raises(ArgumentError, match="--num-problems must be given"):
        read(tmp_path)
    with pytest.raises(LogError, match="got pass@10, which several samples make, not one"):
        read(tmp_path, metric="pass@10", num_problems=164)


def test_accuracies_of_drawn_samples_are_said_to_be_such(write, tmp_path: Path) -> None:
    drawn = {"configs": {"gsm8k": {"generation_kwargs": {"do_sample": True, "temperature": 0.7}}}}
    write("a/step_1.json", {"results": {"gsm8k": gsm8k(0.25)}, **drawn})
    write("b/step_1.json", {"results": {"gsm8k": gsm8k(0.25)}, "config": {"gen_kwargs": "temperature=0.7,top_p=0.9"}})
    greedy = {"configs": {"gsm8k": {"generation_kwargs": {"do_sample": False, "temperature": 0.7}}}}
    write("c/step_1.json", {"results": {"gsm8k": gsm8k(0.25)}, **greedy})
    note = "gsm8k was drawn at temperature 0.7: what is called greedy is the accuracy of one drawn sample."
    assert [note in read(tmp_path / folder).notes for folder in "abc"] == [True, True, False]


# -- lm-eval samples --------------------------------------------------------------------------------------------------


def test_samples_at_some_checkpoints_only_are_said(write, tmp_path: Path, lm_eval_row) -> None:
    for step in (1, 2, 3, 4):
        task = "piqa" if step == 4 else "gsm8k"
        write(f"step_{step}/results_{DATE}.json", {"results": {task: gsm8k(0.25)}})
        if step != 2:
            write(f"step_{step}/samples_{task}_{DATE}.jsonl", lm_eval_row(0), lm_eval_row(1))
    log = read(tmp_path, task="gsm8k")
    assert log.steps == (1, 3)
    assert log.notes == (
        "1 checkpoints have results of gsm8k but no samples of gsm8k, and were left out (steps 2). "
        "To decide on results alone, give a folder without the samples.",
        "1 checkpoints have samples of other tasks but no samples of gsm8k, and were left out (steps 4).",
    )


def test_a_task_with_results_alone_is_read_from_these(write, tmp_path: Path, lm_eval_row) -> None:
    for step in (1, 2):
        write(f"step_{step}/results_{DATE}.json", {"results": {"gsm8k": gsm8k(0.25), "piqa": gsm8k(0.5)}})
        write(f"step_{step}/samples_gsm8k_{DATE}.jsonl", lm_eval_row(0))
    assert curve(read(tmp_path, task="piqa")) == {1: 0.5, 2: 0.5}
    with pytest.raises(LogError, match=r"must hold the task x \(--task\); it holds gsm8k"):
        read(tmp_path, task="x")


def test_the_step_of_samples_may_stand_in_the_results_of_the_same_date(write, tmp_path: Path, lm_eval_row) -> None:
    for step, date in ((1000, DATE), (2000, LATER)):
        config = {"model_args": f"pretrained=a/b,revision=step{step}"}
        write(f"a__b/results_{date}.json", {"results": {"gsm8k": gsm8k(0.25)}, "config": config})
        write(f"a__b/samples_gsm8k_{date}.jsonl", lm_eval_row(0, exact_match=float(step == 2000)))
    assert curve(read(tmp_path)) == {1000: 0.0, 2000: 1.0}


def old_row(doc_id: int, right: float, **more: object) -> dict:
    arguments = [["Q: ?", {"until": ["Q:"], "do_sample": False}]]
    return {"doc_id": doc_id, "doc": {}, "target": "18", "arguments": arguments, "resps": [["18"]],
            "filtered_resps": ["18"], "exact_match": right, **more}  # fmt: skip


def test_samples_of_lm_eval_0_4_0_are_one_indented_list(write, tmp_path: Path) -> None:
    for step in (1000, 2000):
        rows = [old_row(0, 1.0), old_row(1, float(step == 2000))]
        place = f"{step}/pretrained__a__b,revision__step{step},dtype__float16_gsm8k_cot.jsonl"
        write(place, json.dumps(rows, indent=2))
        write(f"{step}/results.json", {"results": {"gsm8k_cot": {"exact_match,none": 0.5}, "cot": {}}})
    assert curve(read(tmp_path, task="gsm8k_cot")) == {1000: 0.5, 2000: 1.0}
    for step in (1000, 2000):
        (tmp_path / f"{step}/results.json").unlink()
    assert curve(read(tmp_path, task="gsm8k_cot")) == {1000: 0.5, 2000: 1.0}
    with pytest.raises(LogError, match=r"must hold the task x \(--task\); it holds ,dtype__float16_gsm8k_cot"):
        read(tmp_path, task="x")


def test_a_list_of_samples_with_several_filters_is_refused(write, tmp_path: Path) -> None:
    warm = [["Q: ?", {"do_sample": True, "temperature": 0.5}]]
    write("revision__step5_gsm8k.jsonl", json.dumps([old_row(0, 1.0, arguments=warm)] * 2, indent=2))
    with pytest.raises(LogError, match=r"row 2, doc_id 0, must stand there once.* does not say which filter"):
        read(tmp_path)


def test_samples_of_other_filters_are_not_mixed(write, tmp_path: Path, lm_eval_row) -> None:
    for step, name in ((1, "strict-match"), (2, "flexible-extract")):
        write(f"step_{step}/samples_t_{DATE}.jsonl", lm_eval_row(0, filter=name))
    with pytest.raises(
        LogError, match=r"of the other checkpoints, exact_match,strict-match in .*; got exact_match,flex"
    ):
        read(tmp_path)


def test_nan_beside_the_verdict_is_no_matter(write, tmp_path: Path, lm_eval_row) -> None:
    write(f"step_1/samples_t_{DATE}.jsonl", lm_eval_row(0, other=math.nan, metrics=["exact_match", "other"]))
    assert curve(read(tmp_path)) == {1: 1.0}
    write(f"step_1/samples_t_{DATE}.jsonl", lm_eval_row(0, exact_match=math.nan))
    with pytest.raises(LogError, match="row 1, column exact_match, must be 0 or 1; got 'None'"):
        read(tmp_path)


def test_pass_at_k_of_many_samples_is_no_single_sample(write, tmp_path: Path, lm_eval_row) -> None:
    row = {"metrics": ["pass@2", "pass@64"], "pass@2": 0.3, "pass@64": 1.0, "filter": "create_test"}
    write(f"step_1/samples_humaneval_64_{DATE}.jsonl", lm_eval_row(0, **row))
    for metric in ("pass@64", None):
        with pytest.raises(LogError, match="pass@64, which several samples make, not one"):
            read(tmp_path, metric=metric)


# -- HumanEval, EvalPlus ----------------------------------------------------------------------------------------------


def test_human_eval_in_a_checkpoint_of_transformers(write, tmp_path: Path) -> None:
    for step in (1000, 2000):
        folder = f"checkpoint-{step}"
        write(f"{folder}/config.json", json.dumps({"model_type": "llama"}, indent=2))
        write(f"{folder}/tokenizer.json", json.dumps({"model": {}}))
        write(f"{folder}/trainer_state.json", json.dumps({"global_step": step, "log_history": []}, indent=2))
        write(f"{folder}/samples.jsonl", *({"task_id": f"HumanEval/{p}", "completion": "pass"} for p in (0, 1)))
        graded = [{"task_id": f"HumanEval/{p}", "completion": "pass", "passed": p * step > 1000} for p in (0, 1)]
        write(f"{folder}/samples.jsonl_results.jsonl", *graded)
    write("checkpoint-3000/samples.jsonl", {"task_id": "HumanEval/0", "completion": "pass"})
    log = read(tmp_path)
    assert (log.format, log.steps) == ("HumanEval results", (1000, 2000))
    assert [each.tally.correct_P.tolist() for each in log] == [[0, 0], [0, 1]]
    (note,) = [note for note in log.notes if "passed over" in note]
    assert note.startswith("9 files that are no such log were passed over (config.json, ")
    assert note.endswith(" Nothing else was there of steps 3000.")


def outcome(base: str, plus: str | None) -> dict:
    return {"solution": "pass", "base_status": base, "plus_status": plus}


@pytest.mark.parametrize(("metric", "right"), [("base", [2, 1]), ("plus", [1, 0])])
def test_evalplus(write, tmp_path: Path, metric: str, right: list[int]) -> None:
    programs = {"HumanEval/0": [outcome("pass", "pass"), outcome("pass", "fail")],
                "HumanEval/1": [outcome("fail", "pass"), outcome("pass", "timeout")]}  # fmt: skip
    write("step_1/samples_eval_results.json", {"date": "2025-01-02", "hash": "0", "eval": programs})
    write("step_1/samples.jsonl", {"task_id": "HumanEval/0", "solution": "pass"})
    log = read(tmp_path, metric=metric)
    (checkpoint,) = log
    assert log.format == "EvalPlus results"
    assert (checkpoint.tally.correct_P.tolist(), checkpoint.tally.samples_P.tolist()) == (right, [2, 2])
    with pytest.raises(LogError, match=r"has several scores: base, plus. Choose one with --metric"):
        read(tmp_path)
    with pytest.raises(LogError, match=r"must have the score x \(--metric\); it has base, plus"):
        read(tmp_path, metric="x")


def test_evalplus_of_greedy_programs_and_of_early_versions(write, tmp_path: Path) -> None:
    content = {"hash": "0", "eval": {"Mbpp/2": [outcome("pass", None)], "Mbpp/3": [outcome("fail", None)]}}
    write("a/step_1_temp_0.0_eval_results.json", content)
    assert curve(read(tmp_path / "a")) == {1: 0.5}
    early = {"Mbpp/2": {"nfiles": 2, "base": [["pass", []], ["failed", []]], "plus": [["pass", []], ["pass", []]]}}
    write("b/step_1_eval_results.json", {"date": "x", "hash": "0", "eval": early})
    (checkpoint,) = read(tmp_path / "b", metric="plus")
    assert checkpoint.tally.correct_P.tolist() == [1]
    write("c/step_1_eval_results.json", {"date": "x", "hash": "0", "eval": {"Mbpp/2": [{"x": 1}]}})
    with pytest.raises(LogError, match="problem Mbpp/2, must hold base_status of each program; got"):
        read(tmp_path / "c")


# -- inspect_ai -------------------------------------------------------------------------------------------------------


def inspect_log(*values: object, status: str = "success", scorer: str = "match", **more: object) -> dict:
    samples = [
        {"id": place // 2, "epoch": 1 + place % 2, "scores": {scorer: {"value": value, "answer": "18"}}}
        for place, value in enumerate(values)
    ]
    return {
        "version": 2,
        "status": status,
        "eval": {"task": "gsm8k", "model": "hf/local", "model_args": {"model_path": "ckpts/step_5"}},
        "plan": {"config": {"temperature": 0.7}},
        "results": {"total_samples": len(values), "scores": [{"name": scorer, "metrics": {}}]},
        "samples": samples,
        **more,
    }


def test_inspect_ai(write, tmp_path: Path) -> None:
    unscored = {"id": 9, "epoch": 1, "scores": None}
    content = inspect_log("C", "I", 1, 1.0)
    write("2025-01-02T03-04-05+00-00_gsm8k_abc.json", {**content, "samples": [*content["samples"], unscored]})
    write("2025-01-02T03-05-05+00-00_gsm8k_def.json", inspect_log(status="error"))
    log = read(tmp_path)
    (checkpoint,) = log
    assert (log.format, log.steps) == ("inspect_ai log", (5,))
    assert (checkpoint.tally.correct_P.tolist(), checkpoint.tally.samples_P.tolist()) == ([1, 2], [2, 2])
    assert checkpoint.tally.pool is not None
    assert log.notes == ("1 evaluations that did not finish were left out.", "1 samples without a score were left out.")


def test_of_several_logs_of_inspect_ai_the_latest_counts(write, tmp_path: Path) -> None:
    for day, value in (("01", "I"), ("03", "C"), ("02", "I")):
        content = inspect_log(value, plan={}, eval={"task": "gsm8k", "model": "hf/ckpts/step-5"})
        write(f"2025-01-{day}T03-04-05+00-00_gsm8k_{day * 11}.json", content)
    log = read(tmp_path)
    (checkpoint,) = log
    assert checkpoint.tally.correct_P.tolist() == [1]
    assert log.notes == ("2 older evaluations of a checkpoint were left out: the latest of each counts.",)


def test_inspect_ai_at_temperature_0_is_greedy(write, tmp_path: Path) -> None:
    content = inspect_log("C", "N", plan={"config": {"temperature": 0.0}})
    content["samples"][1]["id"] = 1
    write("step_7/log.json", content)
    assert curve(read(tmp_path)) == {7: 0.5}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (inspect_log("P"), r'sample 0, score match, must be "C" or "I", or 1 or 0; got \'P\'. A score in between'),
        (inspect_log(0.5), "must be .*; got '0.5'. A score in between does not say what is right"),
        (inspect_log({"a": 1}), "must be .*; got "),
        (inspect_log(), "must hold scored samples; it has none"),
        (inspect_log("C", samples=None), "must hold scored samples; it has none"),
        (inspect_log("C", status="cancelled"), "must hold a finished evaluation of gsm8k; none has the status success"),
    ],
)
def test_logs_of_inspect_ai_that_say_no_verdict_are_refused(write, tmp_path: Path, content: dict, message: str) -> None:
    write("step_1/log.json", content)
    with pytest.raises(LogError, match=message):
        read(tmp_path)


def test_packed_logs_of_inspect_ai_and_folders_of_two_kinds_are_refused(write, tmp_path: Path) -> None:
    write("a/step_1/2025_gsm8k.eval", "PK")
    with pytest.raises(LogError, match=r"must hold inspect_ai's logs as JSON; got .eval files. Write them as JSON"):
        read(tmp_path / "a")
    write("b/step_1/log.json", inspect_log("C"))
    write("b/step_1/results.json", {"results": {"gsm8k": gsm8k(0.25)}})
    with pytest.raises(LogError, match=r"of one kind; got inspect_ai log \(step_1/log.json\), lm-eval results"):
        read(tmp_path / "b")


# -- rows -------------------------------------------------------------------------------------------------------------


def test_nan_that_pandas_wrote_is_no_answer_and_no_count(write) -> None:
    row = {"step": 1, "train_flops": 1, "problem": "a", "answer": math.nan, "correct": 0, "loss": math.nan}
    (checkpoint,) = read(write("log.jsonl", row, {**row, "answer": "x"}, {**row, "answer": math.nan}))
    assert checkpoint.tally.pool is not None
    assert checkpoint.tally.pool.label_PN is not None
    assert checkpoint.tally.pool.label_PN.tolist() == [[-1, 0, -1]]
    for column, message in (("problem", "be a text or a number"), ("correct", "be 0 or 1"), ("step", "a whole number")):
        with pytest.raises(LogError, match=message):
            read(write("log.jsonl", row, {**row, column: math.nan}))


def test_neighbours_that_cannot_be_read_are_said(write, tmp_path: Path) -> None:
    write("step_1.csv", "problem,n,c", "a,4,1")
    write("step_2.csv", "problem,n,c", "a,4,1")
    (tmp_path / "cache.jsonl").write_bytes(b"\xff\xfe\x00")
    log = read(tmp_path)
    assert log.steps == (1, 2)
    assert log.notes == ("1 file that is no such log was passed over (cache.jsonl).",)
