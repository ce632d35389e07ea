"""`breakeven validate`: a table of rules, and exit code 1 where a task breaks one."""

import json
from pathlib import Path

import pytest


def written(path: Path, *references: str) -> str:
    path.write_text("".join(json.dumps({"prompt": "q", "reference": each}) + "\n" for each in references))
    return f"jsonl:{path.name}"


def test_a_sound_task_is_a_table_and_exit_code_0(cli, tmp_path: Path) -> None:
    result = cli("validate", written(tmp_path / "a.jsonl", "Paris", "Rome"))
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[:3] == ["jsonl:a.jsonl: 2 problems", "rule tried broken unknown", "the gold answer is right 2 0 0"]
    assert len(lines) == 8


def test_what_is_broken_is_said_with_exit_code_1(cli, tmp_path: Path) -> None:
    # The whole answer of the second is what the first line of the first says: rule first_line reads no more.
    task = written(tmp_path / "a.jsonl", *(f"{each}\nand so on" for each in "abcde"))
    result = cli("validate", task, "--task-set", "answer=first_line")
    assert result.exit_code == 1
    assert "the gold answer is right? row-1: 'a and so on' is taken for wrong" in result.stdout
    assert "... and 2 more; --json names all." in result.stdout
    found = cli("validate", task, "--task-set", "answer=first_line", "--json")
    assert found.exit_code == 1
    told = json.loads(found.stdout)
    assert (told["task"], told["num_problems"], told["kept"]) == ("jsonl:a.jsonl(answer='first_line')", 5, False)
    assert [each["num_tried"] for each in told["findings"]][:2] == [5, 5]
    assert len(told["findings"][0]["failed"]) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing",), "task must be one of countdown, "),
        (("jsonl:a.jsonl", "--workers", 0), "--workers must be at least 1; got 0."),
        (("jsonl:a.jsonl", "--sandbox-package", "numpy"), "--sandbox-package must be left out for jsonl:a.jsonl; got"),
    ],
)
def test_it_refuses(refused, tmp_path: Path, arguments: tuple[object, ...], message: str) -> None:
    written(tmp_path / "a.jsonl", "Paris")
    assert refused("validate", *arguments).startswith(message)
