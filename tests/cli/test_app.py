"""The command itself: its version, its help, and what is no command."""

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import breakeven
from breakeven.cli import app
from breakeven.cli.examples import EXAMPLES
from breakeven.config import CLASSIFIERS, recipe_names

COMMANDS = ("run", "replay", "report", "bound", "flops")


def test_it_prints_its_version(cli) -> None:
    result = cli("--version")
    assert (result.exit_code, result.stdout) == (0, f"{breakeven.__version__}\n")


def test_help_names_every_command(cli) -> None:
    result = cli("--help")
    assert result.exit_code == 0
    for command in COMMANDS:
        assert f" {command} " in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_says_what_it_is_for(cli, command: str) -> None:
    result = cli(command, "--help")
    assert result.exit_code == 0
    assert f"breakeven {command}" in " ".join(result.stdout.split())
    assert "--json" in result.stdout


def test_commands_come_in_the_order_of_use_with_examples(cli) -> None:
    text = cli("--help").stdout
    listed = [match for match in re.findall(r"^│ ([a-z-]+)  ", text, re.MULTILINE) if not match.startswith("-")]
    order = [
        *("demo", "run", "status", "stop", "veto", "init", "decide", "eval", "reward-model"),
        *("plan", "replay", "report", "bound", "flops", "validate", "doctor"),
    ]
    assert listed == order
    assert "  breakeven run countdown  " in text


@pytest.mark.parametrize("command", [name for name in EXAMPLES if name])
def test_help_of_a_command_shows_examples_that_its_options_know(cli, command: str) -> None:
    text = cli(command, "--help").stdout
    assert f"  breakeven {command} " in text
    for option in re.findall(r"--[a-z-]+", "".join(re.findall(rf"breakeven {command} .*", EXAMPLES[command]))):
        assert option in text.partition("Example")[0], option


def test_examples_fit_80_columns() -> None:
    assert max(len(line) for text in EXAMPLES.values() for line in text.splitlines()) <= 78


def test_every_recipe_is_listed(cli) -> None:
    text = cli("run", "--help").stdout
    for name in (*recipe_names(), *recipe_names(CLASSIFIERS)):
        assert re.search(rf"^ +{name}  +\w", text, re.MULTILINE), name


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("run countdown-e", ["countdown-easy", "countdown-endless"]),
        ("run --mode s", ["stop", "shadow"]),
        ("eval model --task human", ["human-eval", "human-eval:FILE"]),
        ("eval model --strategies greedy,major", ["greedy,majority_vote"]),
        ("rep", ["replay", "report"]),
    ],
)
def test_a_shell_completes_names(words: str, completed: list[str]) -> None:
    variables = {
        "_BREAKEVEN_COMPLETE": "complete_bash",
        "COMP_WORDS": f"breakeven {words}",
        "COMP_CWORD": str(len(words.split())),
    }
    result = CliRunner().invoke(app, [], prog_name="breakeven", env=variables)
    assert result.stdout.split() == completed


def test_what_is_no_command_is_a_usage_error(cli) -> None:
    result = cli("decide")
    assert result.exit_code == 2
    assert "decide" in result.stderr
    assert result.stdout == ""


def test_it_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "breakeven", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{breakeven.__version__}\n", "")


def test_no_word_of_anybody_else_commands_the_terminal(cli, refused, tmp_path) -> None:
    """Names of files and of problems, and what stands in them."""
    name, rows = "a\x1b[2J\udcff.csv", "step,train_flops,problem,n,c\n1,1e15,x\x1b]0;owned\x07,8,9\n"
    (tmp_path / name).write_text(rows)
    for arguments in (("decide", name), ("report", name), ("replay", name), ("status", name), ("run", name)):
        message = refused(*arguments)
        assert "a\\x1b[2J\\udcff.csv" in message
        assert message.isprintable()
    rows = rows.replace("8,9", "8,7")
    (tmp_path / name).write_text(rows + rows.replace("1,1e15", "2,2e15").partition("\n")[2])
    shown = cli("decide", name, "--budget-flops", "9e15", "--report", tmp_path / "page\udcff.html")
    assert shown.exit_code == 0
    assert all(line.isprintable() for line in shown.output.splitlines())
    assert "\\udcff.csv" in (tmp_path / "page\udcff.html").read_text()
