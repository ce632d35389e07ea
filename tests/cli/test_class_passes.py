"""`breakeven eval FILE` of recorded passes: tables, files in every form, and options for a plan."""

import csv
import json

import numpy as np
import pytest


@pytest.fixture
def passes(tmp_path):
    rng = np.random.default_rng(0)
    label_P = rng.integers(2, size=60)
    lean_PC = 1.5 * np.eye(2)[label_P] + rng.normal(size=(60, 2))
    power = np.exp(lean_PC[:, None] + rng.normal(size=(60, 5, 2)))
    probability = power / power.sum(axis=-1, keepdims=True)
    np.savez(tmp_path / "passes.npz", labels=label_P, plain=probability[:, 0], probabilities=probability[:, 1:])
    return "passes.npz"


def test_it_prints_tables_and_writes_every_form(cli, passes, tmp_path):
    wanted = ("--metric", "f1", "--metric", "matthews", "--pass-flops", "1e9", "--out", "out")
    result = cli("eval", passes, *wanted, "--report", "page.md", "--figures", "figures")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [" ".join(each.split()) for each in result.stdout.splitlines()]
    assert lines[0] == "strategy K accuracy interval gain samples FLOPs"
    assert [each.partition(" 0.")[0] for each in lines[2 : lines.index("")]] == [
        "greedy 1",
        *(f"pass@k (oracle) {k}" for k in (1, 2, 4)),
        *(f"{name} {k}" for name in ("majority_vote", "soft_vote") for k in (1, 2, 4)),
    ]
    assert "metric strategy K score 90 % interval standard error gain over greedy" in lines
    assert sum(each.startswith(("f1 ", "matthews ")) for each in lines) == 2 * 7
    assert lines[-1] == "Numbers: out/results.json, .csv; curves: page.md, figures"
    found = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert (found["model"], found["num_problems"], found["num_samples"]) == ("passes.npz", 60, 4)
    assert {each["metric"] for each in found["scores"]} == {"f1", "matthews"}
    rows = list(csv.DictReader((tmp_path / "out" / "results.csv").read_text(encoding="utf-8").splitlines()))
    assert [float(each["flops"]) for each in rows if each["strategy"] == "soft_vote"] == [1e9, 2e9, 4e9]
    assert [each["gain"] for each in rows if each["strategy"] == "greedy"] == [""]
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    for words in ("passes.npz: recorded passes", "gain over greedy", "Scores of whole sets of served classes"):
        assert words in page
    assert (tmp_path / "figures" / "samples.svg").is_file()


def test_json_is_the_file_and_a_page_is_written_beside_it(cli, passes, tmp_path):
    result = cli("eval", passes, "--k", "1,3", "--json")
    assert result.exit_code == 0
    out = tmp_path / "evals" / "passes.npz"
    assert json.loads(result.stdout) == json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert {each["k"] for each in json.loads(result.stdout)["measurements"]} == {1, 3}
    page = (out / "results.html").read_text(encoding="utf-8")
    assert "one sample at temperature" not in page, "no text is sampled"


def test_a_plan_chooses_among_them(cli, passes):
    assert cli("eval", passes, "--pass-flops", "1e9", "--out", "out").exit_code == 0
    result = cli("plan", "options", "--from", "out", "--queries", "1e6", "--out", "plan")
    assert result.exit_code == 0, result.output
    assert "soft vote, K = 4" in result.stdout or "greedy" in result.stdout
    assert "picks with the reference answer: pass@k" in " ".join(result.stdout.split())


def test_of_passes_that_are_copies_this_is_the_first_that_is_said(cli, tmp_path):
    plain = np.full((4, 2), 0.5)
    np.savez(
        tmp_path / "same.npz", labels=[0, 1, 0, 1], plain=plain, probabilities=np.repeat(plain[:, None], 3, axis=1)
    )
    result = cli("eval", "same.npz")
    assert result.stdout.startswith("All noisy passes equal the plain one")


def test_lines_of_passes(cli, tmp_path):
    row = '{"label": 1, "plain": [0.2, 0.8]}\n'
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "passes.jsonl").write_text(row * 3, encoding="utf-8")
    result = cli("eval", "folder", "--json")
    assert [(each["strategy"], each["accuracy"]) for each in json.loads(result.stdout)["measurements"]] == [
        ("greedy", 1.0)
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--task", "countdown"), "--task must be left out for recorded passes; got 'countdown'. No model is sampled."),
        (
            ("--params", "1e8"),
            "--params must be left out for recorded passes; got 100000000.0. FLOPs are --pass-flops.",
        ),
        (("-n", 4), "--num-samples must be left out for recorded passes; got 4."),
        (("--k", "8"), "--k must be at most the 4 passes recorded; got 8."),
        (("--metric", "mcc"), "metric must be one of accuracy, f1, macro_f1, matthews; got 'mcc'."),
        (("--report", "none/page.html"), "--report must be a file in a directory that exists"),
    ],
)
def test_what_is_refused(refused, passes, options, words):
    assert words in refused("eval", passes, *options)


@pytest.mark.parametrize("option", ["--metric=f1", "--pass-flops=1e9"])
def test_of_a_model_their_options_are_refused(refused, option):
    name = option.partition("=")[0]
    assert f"{name} must be left out where MODEL is no file of recorded passes" in refused("eval", "runs/none", option)


def test_a_pickle_is_not_read(refused, tmp_path):
    (tmp_path / "passes.pt").write_bytes(b"anything")
    assert "A pickle can run code when it is read" in refused("eval", "passes.pt")
