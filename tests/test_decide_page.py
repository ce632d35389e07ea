"""Every command of docs/decide.md runs on files that ship with the project, and prints what the page shows."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from breakeven.cli import app

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "decide.md").read_text(encoding="utf-8")
COMMANDS = [
    (command, shown.splitlines())
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, flags=re.MULTILINE)
]


@pytest.mark.parametrize(("command", "shown"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_command_prints_what_the_page_shows(
    command: str, shown: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    piped = re.fullmatch(r"(?:cat (\S+) \| )?breakeven (.*?)(?: \| head -(\d+))?", command)
    assert piped is not None, command
    source, arguments, lines = piped.groups()
    result = CliRunner().invoke(app, shlex.split(arguments), input=source and Path(source).read_bytes())
    assert result.exit_code in (0, 10), result.output
    printed = [line.rstrip() for line in result.stdout.splitlines()]
    assert shown, "the page shows no output"
    assert printed[: int(lines)] == shown if lines else printed == shown


def test_page_shows_each_kind_of_log() -> None:
    shipped = {path.name for path in (ROOT / "examples" / "evals").iterdir()}
    assert shipped == {name for command, _ in COMMANDS for name in re.findall(r"examples/evals/([\w.]+)", command)}
