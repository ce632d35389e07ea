"""`breakeven report RUN RUN ...`: several runs on one page."""

import json
import shutil
from pathlib import Path

import pytest

from breakeven.records import Fingerprint
from breakeven.store import RunLog


@pytest.fixture
def other(recorded: Path, tmp_path: Path) -> Path:
    """The same run once more, on problems that are known."""
    shutil.copytree(recorded, tmp_path / "other")
    with RunLog.open(tmp_path / "other") as log:
        log.append(Fingerprint(parts={"problems": "20 problems, 0000abcd"}))
    return tmp_path / "other"


def test_two_runs_have_one_page_in_the_current_directory(cli, recorded: Path, other: Path, tmp_path: Path) -> None:
    result = cli("report", recorded, other)
    assert (result.exit_code, result.stdout) == (0, "report.html\n")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    # both are named countdown: their directories tell them apart
    assert "<h1>recorded and other alike: Stop at step" in text
    assert "other: not evaluated on the same problems as recorded" in text
    assert not (recorded / "report.html").exists()


def test_on_the_same_problems_nothing_is_said_of_others(cli, other: Path, tmp_path: Path) -> None:
    shutil.copytree(other, tmp_path / "deep" / "other")
    place = tmp_path / "page.html"
    result = cli("report", other, tmp_path / "deep" / "other", "--out", place, "--json")
    assert json.loads(result.stdout) == {"report": str(place)}
    text = place.read_text(encoding="utf-8")
    assert "not evaluated on the same problems" not in text
    assert f"{tmp_path}/deep/other"[-57:] in text  # one name, and one name of their directories


@pytest.mark.parametrize("again", ["recorded", "recorded/log.jsonl", "recorded/../recorded"])
def test_one_run_named_twice_is_refused(refused, recorded: Path, again: str) -> None:
    message = refused("report", recorded, recorded.parent / again)
    assert message == f"RUN must be named once each; got '{recorded}/log.jsonl'. Leave out the second one."


def test_a_run_without_evaluations_is_named(refused, recorded: Path, other: Path) -> None:
    log = other / "log.jsonl"
    log.write_bytes(log.read_bytes().splitlines(keepends=True)[0])
    assert "other has no evaluations to report" in refused("report", recorded, other)


def test_a_name_is_shown_and_obeyed_by_nothing(cli, other: Path, recorded: Path, tmp_path: Path) -> None:
    hostile = tmp_path / "<b>\x1b[2J\u202e"
    shutil.copytree(other, hostile)
    cli("report", recorded, hostile)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<b>" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
