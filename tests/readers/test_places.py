"""Which checkpoint a file is of: counters of steps that begin again, files of other runs, later evaluations."""

from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import LogError
from breakeven.readers import EvalLog, ReadOptions, read_evals
from breakeven.readers.options import step_in_text


def results(accuracy: float, task: str = "sciq", **more: object) -> dict:
    return {"results": {task: {"acc": accuracy}}, "n-samples": {task: {"effective": 100}}, **more}


def read(folder: Path, **options: Any) -> EvalLog:
    return read_evals(folder, ReadOptions(flops_per_step=1e12, **options))


def curve(log: EvalLog) -> dict[int, float | None]:
    return {each.step: each.tally.greedy_accuracy for each in log}


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("160m_step1000.json", 1000),
        ("TinyLlama-1.1B-step-50K-105b", 50_000),
        ("intermediate-step-1431k-3T", 1_431_000),
        ("step_1.5M", 1_500_000),
        ("checkpoint-7k", 7_000),
        ("epoch=0-step=99.ckpt", 99),
        ("stage1-step100000-tokens419B", 100_000),
        ("revision__step1000_gsm8k.jsonl", 1000),
        ("iter_0001000", 1000),
        ("step1000.5.json", 1000),
        ("ckpt-7B", None),
        ("ckpt-160m", None),
        ("checkpoint-1.4b", None),
        ("step_2e5", None),
        ("final", None),
    ],
)
def test_the_step_in_a_name(text: str, step: int | None) -> None:
    found = step_in_text(text)
    assert (found and found[0]) == step


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("stage1-step{}-tokens{}B", "stage2-ingredient1-step{}-tokens{}B"),
        ("pretrain/step_{}", "anneal/step_{}"),
        ("step_{}", "cooldown/step_{}"),
        ("epoch_1/checkpoint-{}", "epoch_2/checkpoint-{}"),
        ("phase1/step_{}", "phase2/step_{}"),
        ("sft/step_{}", "dpo/step_{}"),
    ],
)
@pytest.mark.parametrize("rows", [False, True])
def test_stages_whose_steps_begin_again_are_counted_on(write, tmp_path, first: str, second: str, rows: bool) -> None:
    accuracies = {(first, 100): 0.1, (first, 300): 0.3, (second, 0): 0.3, (second, 50): 0.4, (second, 200): 0.6}
    for (name, step), accuracy in accuracies.items():
        folder = name.format(step, step // 10)
        if rows:
            write(
                f"{folder}/counts.csv", "problem,n,c,greedy", *(f"{p},1,0,{int(p < accuracy * 10)}" for p in range(10))
            )
        else:
            write(f"{folder}/results_2025-01-02T03-04-05.6.json", results(accuracy))
    log = read(tmp_path)
    assert curve(log) == {100: 0.1, 300: 0.3, 350: 0.4, 500: 0.6}
    (note,) = [note for note in log.notes if "begin again" in note]
    assert "3 files are counted on from step 300, the last before them" in note


def test_a_counter_that_goes_on_through_the_stages_is_left_as_it_is(write, tmp_path: Path) -> None:
    for epoch, step in ((0, 0), (0, 100), (1, 200), (2, 300)):
        write(f"epoch={epoch}-step={step}.json", results(step / 1000))
    log = read(tmp_path)
    assert curve(log) == {100: 0.1, 200: 0.2, 300: 0.3}
    assert log.notes[1:] == ("Step 0 was left out: it comes before any training.",)
    assert "No samples" in log.notes[0]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("stage2-ingredient1-step5", "stage2-ingredient2-step7"), "of one run; got ingredient1 and ingredient2"),
        (("seed1/step_5", "seed2/step_7"), "of one run; got seed1 and seed2"),
        (("run_a/step_5", "run_b/step_5"), r"must be the only file of step 5 in .*; .* is there too"),
        (("step_5/model_a", "step_5/model_b"), r"must be the only file of step 5 in .*; .* is there too"),
        (("zero-shot/160m_step5", "five-shot/160m_step5"), "must be the only file of step 5 in"),
        (("a/step_5", "a/step_9", "b/step_5", "b/step_9"), "must be the only file of step 5 in"),
        (("pretrain/step_5", "pretrain/step_9", "decay/step_7"), "decay/step_7/.* begin again below 9. Name them by"),
        (("run1/step_5", "run1/step_9", "run2/step_3", "run2/step_7"), "those of run2 begin again below 9"),
        (("run1/step_5", "run1/step_9", "run2/step_3", "run2/step_4"), "those of run2 begin again below 9"),
        (("a/step_5", "a/step_9", "b/step_3", "b/step_7"), "those of b begin again below 9"),
        (("run/step_5", "run_resumed/step_3"), "run_resumed/step_3/.* begin again below 5. Name them by one count"),
        (("step5-tokens40B", "step7-tokens36B"), "tokens36B at step 7 must not be less than tokens40B at step 5"),
    ],
)
def test_files_of_several_runs_are_refused(write, tmp_path: Path, names: tuple[str, ...], message: str) -> None:
    for name in names:
        write(f"{name}/results_2025-01-02T03-04-05.6.json", results(0.5))
    with pytest.raises(LogError, match=message):
        read(tmp_path)


def test_folders_whose_steps_follow_each_other_are_one_run(write, tmp_path: Path) -> None:
    for name in ("run9/step_1", "run9/step_2", "run10/step_3", "run10/step_4"):
        write(f"{name}.json", results(0.5))
    assert read(tmp_path).steps == (1, 2, 3, 4)


def test_names_that_may_be_those_of_several_runs_are_said(write, tmp_path: Path) -> None:
    for name in ("1b-5shot_step2", "1b_step1", "1b_step3"):
        write(f"{name}.json", results(0.5))
    log = read(tmp_path)
    assert log.steps == (1, 2, 3)
    assert "Files are named in several ways and taken for one run: 1b-5shot_step... (2 to 2), 1b_step... (1 to 3)." in (
        log.notes
    )


def test_the_latest_of_several_dates_counts(write, tmp_path: Path) -> None:
    for name, accuracy in (("12-30-2022-03-48-08", 0.1), ("01-02-2023-01-00-00", 0.9), ("11-30-2022-05-00-00", 0.2)):
        write(f"v0/70m-global_step5_eval_results_{name}.json", results(accuracy))
    log = read(tmp_path / "v0")
    assert curve(log) == {5: 0.9}
    assert "2 older evaluations of a checkpoint were left out: the latest of each counts." in log.notes
    for name, accuracy in (("2025-01-02T03-04-05.6", 0.1), ("2025-01-01T23-04-05.6", 0.2)):
        write(f"v1/step_5/results_{name}.json", results(accuracy))
    assert curve(read(tmp_path / "v1")) == {5: 0.1}


@pytest.mark.parametrize(
    "settings",
    [
        {"config": {"model_args": "pretrained=EleutherAI/pythia-160m,revision=step1000,dtype=float16"}},
        {"config": {"model_args": {"pretrained": "EleutherAI/pythia-160m", "revision": "step1000"}}},
        {"config": {"model_args": "pretrained=x/y", "model_revision": "step1000"}},
        {"config": {"model_args": "pretrained=/ckpts/checkpoint-1000"}},
        {"model_name": "ckpts/step_1000"},
        {"config_general": {"model_name": "a/b", "model_config": {"revision": "step1000"}}},
    ],
)
def test_the_step_may_stand_in_the_settings_alone(write, tmp_path: Path, settings: dict) -> None:
    write("results_2025-01-02T03-04-05.6.json", results(0.5, **settings))
    assert read(tmp_path).steps == (1000,)


def test_rows_of_one_checkpoint_in_several_files_are_joined_and_it_is_said(write, tmp_path: Path) -> None:
    for part, problem in enumerate("ab"):
        write(f"step_5/part-{part}.csv", "problem,answer,correct", f"{problem},1,1")
    log = read(tmp_path)
    assert (log.num_problems, log.notes) == (2, ("1 checkpoints have 2 files; those of a checkpoint were joined.",))
    write("other/step_5.csv", "problem,answer,correct", "a,2,0")
    with pytest.raises(LogError, match=r"of one run; got other/step_5.csv and step_5/part-0.csv, both of step 5"):
        read(tmp_path)


def test_files_with_a_column_of_steps_are_held_against_each_other(write, tmp_path: Path) -> None:
    header = "step,problem,answer,correct"
    write("a/seed1.csv", header, "5,a,1,1")
    write("a/seed2.csv", header, "5,a,1,1")
    with pytest.raises(LogError, match="of one run; got seed1 and seed2"):
        read(tmp_path / "a")
    write("b/pretrain.csv", header, "5,a,1,1", "9,a,1,1")
    write("b/anneal.csv", header, "3,a,1,1")
    with pytest.raises(LogError, match=r"those of anneal.csv begin again below 9. Name them by one count"):
        read(tmp_path / "b")
    write("d/x.csv", header, "5,a,1,1", "9,a,1,1")
    write("d/y.csv", header, "3,a,1,1", "7,a,1,1")
    with pytest.raises(LogError, match=r"those of y.csv begin again below 9"):
        read(tmp_path / "d")
    write("d/y.csv", header, "13,a,1,1", "17,a,1,1")
    assert read(tmp_path / "d").steps == (5, 9, 13, 17)
    write("c/x.csv", header, "5,a,1,1")
    write("c/y.csv", header, "5,b,1,1")
    assert read(tmp_path / "c").notes == ("Several of the 2 files have rows of the same steps; those were joined.",)
