"""`breakeven plan`: the rows, a table in and a decision out, going on, and what is refused."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from breakeven.cli.plan import _interruptible, _Live
from breakeven.plan.row import ROWS

ROOT = Path(__file__).parents[2]
TABLE = """name,accuracy,train_flops,query_flops,reward_flops
early,0.80,1e12,9e6,1e6
later,0.85,4e12,2e6,2e6
full,0.90,1e13,1e6,0
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "t.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_alone_it_lists_the_rows(cli) -> None:
    result = cli("plan")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split()[0] for line in result.stdout.splitlines()[: len(ROWS)]] == [*ROWS]
    assert json.loads(cli("plan", "--json").stdout) == {name: question for name, (_, question) in ROWS.items()}


def test_a_table_in_and_a_decision_a_page_and_numbers_out(cli, table: Path) -> None:
    result = cli("plan", "options", "--from", table, "--target", "0.8", "--queries", "1e6")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "Choice    later is the cheapest that reaches accuracy 0.800, over 1 million queries."
    assert lines[1].startswith(
        "Gives     Accuracy 0.850, measured, for 8 TFLOPs in all: 4 TFLOPs before the first query"
    )
    assert [line.strip().removeprefix("Cheapest").strip() for line in lines[2:5]] == [
        "below 500,000 queries: early",
        "from 500,000 queries on: later",
        "from 2 million queries on: full",
    ]
    assert lines[-1] == "Numbers   plans/options-1/plan.json; page: plans/options-1/report.html"
    assert sorted(each.name for each in Path("plans/options-1").iterdir()) == [
        "cells.jsonl",
        "lock",
        "plan.json",
        "report.html",
    ]
    assert json.loads(Path("plans/options-1/plan.json").read_text())["chosen"] == "later"


def test_json_is_what_plan_json_holds(cli, table: Path) -> None:
    result = cli("plan", "options", "--from", table, "--out", "here", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == json.loads(Path("here/plan.json").read_text())


def test_a_plan_is_asked_anew_where_it_is(cli, table: Path) -> None:
    assert (
        "early is the cheapest"
        in cli("plan", "options", "--from", table, "--out", "p", "--queries", "1", "--target", "0.8").stdout
    )
    again = cli("plan", "--resume", "p", "--budget", "3e6")
    assert again.stdout.startswith("Choice    full has the highest accuracy for 3 MFLOPs a query.")
    assert (
        "later is the cheapest" in cli("plan", "options", "--resume", "p", "--queries", "1e6", "--target", "0.8").stdout
    )


def test_what_is_left_out_stands_beside_the_full_accounting(cli, table: Path) -> None:
    shown = cli(
        "plan", "options", "--from", table, "--target", "0.85", "--queries", "2.5e6", "--without", "reward model"
    ).stdout
    assert shown.startswith("Choice    later is the cheapest")
    assert "All costs With every cost counted it would be: full is the cheapest" in shown


def test_an_unreached_target_is_an_answer(cli, table: Path) -> None:
    result = cli("plan", "options", "--from", table, "--target", "0.99")
    assert result.exit_code == 0
    assert result.stdout.startswith("Choice    Nothing reaches accuracy 0.990: the best, full, has 0.900.")


def test_the_report_has_the_form_of_its_name(cli, table: Path, tmp_path: Path) -> None:
    cli("plan", "options", "--from", table, "--target", "0.8", "--report", "r.md")
    assert (tmp_path / "r.md").read_text().startswith("# full is the cheapest that reaches accuracy 0.800, per query\n")
    cli("plan", "--resume", "plans/options-1", "--target", "0.8", "--report", "r.json")
    page = tmp_path / "plans" / "options-1" / "report.html"
    assert "reaches accuracy 0.800" in page.read_text()
    cli("plan", "--resume", "plans/options-1", "--target", "0.85", "--report", "r.json")
    assert "reaches accuracy 0.850" in page.read_text()  # as plan.json beside it
    assert {"plan-envelope", "plan-frontier"} == {*json.loads((tmp_path / "r.json").read_text())["charts"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["optins"], "NAME must be a row of breakeven plan; got 'optins'. Did you mean options?"),
        (["options"], "--from must be given: a table of options (CSV, JSON or JSONL), a plan.json"),
        (["options", "--from", "t.csv", "--set", "margn=1"], "margn must be a setting or section; got 'margn'."),
        (["options", "--from", "t.csv", "--set", "margin=-1"], "margin must be finite and at least 0; got -1.0."),
        (["options", "--from", "t.csv", "--preset", "gpu"], "--preset must be left out of the row options, which has"),
        (["options", "--from", "t.csv", "--queries", "0"], "--queries must be finite and above 0; got 0.0."),
        (["options", "--from", "t.csv", "--budget", "nan"], "--budget must be finite and above 0; got nan."),
        (["options", "--from", "t.csv", "--target", "inf"], "--target must be finite; got inf."),
        (["options", "--from", "t.csv", "--target", "1", "--budget", "1"], "--budget must be given without --target"),
        (["options", "--from", "t.csv", "--without", "judge"], "--without must be a cost line: model, reward model"),
        (["options", "--from", "none.csv"], "--from none.csv must be a file that can be read; got No such file"),
        (["options", "--from", "t.csv", "--report", "r.pdf"], "--report must end in .html, .md or .json"),
        (["--resume", "none"], "there is no plan at none/cells.jsonl. Begin one: breakeven plan NAME --out none"),
        (["options", "--from", "t.csv", "--resume", "p", "--out", "q"], "--out must be given without --resume"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(refused, table: Path, arguments: list[str], message: str) -> None:
    assert refused("plan", *arguments).startswith(message)
    assert not Path("plans").exists()


def test_what_changes_no_cell_is_asked_anew_and_other_files_are_refused(cli, refused, table: Path) -> None:
    assert "reaches accuracy 0.890" in cli("plan", "options", "--from", table, "--out", "p").stdout
    assert "reaches accuracy 0.800" in cli("plan", "--resume", "p", "--set", "margin=0.1").stdout
    table.write_text(TABLE.replace("0.80", "0.81"), encoding="utf-8")
    assert refused("plan", "--resume", "p").startswith("files.")


def test_the_page_of_the_docs_is_what_its_command_makes(cli, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "benchmarks" / "plans" / "options", tmp_path / "benchmarks" / "plans" / "options")
    cli("plan", "--resume", "benchmarks/plans/options", "--target", "0.594", "--report", "options.md")
    made, kept = (path.read_text() for path in (tmp_path / "options.md", ROOT / "docs" / "plan" / "options.md"))
    shares = re.compile(r"\(\d+(\.\d)? %\)")  # a resampling may fall otherwise where sums are rounded otherwise
    assert shares.sub("", made) == shares.sub("", kept)


def test_it_imports_neither_torch_nor_rows_that_train(table: Path) -> None:
    code = (
        "import sys; from breakeven.cli import app\n"
        f"try: app(['plan', 'options', '--from', {str(table)!r}, '--json'])\nexcept SystemExit: pass\n"
        "from breakeven.plan.row import ROWS\n"
        "rows = [module for module, _ in ROWS.values() if module != 'options']\n"
        "found = {'torch', 'safetensors', 'optuna', *(f'breakeven.plan.{row}' for row in rows)} & {*sys.modules}\n"
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=table.parent)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_after_the_last_finished_cell(tmp_path: Path, number: signal.Signals) -> None:
    code = (
        "import sys, importlib.util as u\n"
        f"spec = u.spec_from_file_location('toy_row', {str(Path(__file__).parents[1] / 'plan' / 'toy_row.py')!r})\n"
        "toy = sys.modules['toy_row'] = u.module_from_spec(spec); spec.loader.exec_module(toy)\n"
        "import breakeven.cli.plan as plan; plan.row_of = lambda name: toy.ROW\n"
        "sys.argv = ['breakeven', 'wait']\n"
        "from breakeven.cli import app; app(['plan', 'toy', '--out', 'p'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "in cell 3\n"
        process.send_signal(number)
        said = process.stderr.read()
    assert process.returncode == 128 + number
    assert said.splitlines() == ["cell 1: size=1", "Interrupted. Go on with: breakeven plan --resume p"]
    assert len((tmp_path / "p" / "cells.jsonl").read_text().splitlines()) == 3


@pytest.mark.parametrize("kept", [True, False])
def test_before_any_cell_it_is_said_how_to_go_on_where_the_directory_stays(
    capsys: pytest.CaptureFixture[str], kept: bool
) -> None:
    def interrupted() -> None:
        with _interruptible(Path("p"), _Live(quiet=False), kept=kept):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)

    with pytest.raises(typer.Exit) as ended:
        interrupted()
    assert ended.value.exit_code == 128 + signal.SIGTERM
    assert ("--resume p" in capsys.readouterr().err) is kept
