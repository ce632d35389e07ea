"""The command itself: its version, its help, and what is no command."""

import subprocess
import sys

import pytest

import breakeven

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


def test_what_is_no_command_is_a_usage_error(cli) -> None:
    result = cli("decide")
    assert result.exit_code == 2
    assert "decide" in result.stderr
    assert result.stdout == ""


def test_it_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "breakeven", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{breakeven.__version__}\n", "")
