"""`breakeven report`: a page, Markdown or JSON from a run's log, and its charts as files."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest


def test_it_writes_one_page_beside_the_log_and_prints_its_path(cli, recorded: Path) -> None:
    result = cli("report", recorded)
    assert (result.exit_code, result.stderr) == (0, "")
    page = recorded / "report.html"
    assert result.stdout == f"{page}\n"
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "countdown" in text
    assert sorted(path.name for path in recorded.iterdir()) == ["lock", "log.jsonl", "report.html"]


def test_the_log_itself_and_another_place_will_do(cli, recorded: Path, tmp_path: Path) -> None:
    cli("report", recorded)
    page = tmp_path / "page.html"
    assert json.loads(cli("report", recorded / "log.jsonl", "--out", page, "--json").stdout) == {"report": str(page)}
    assert page.read_bytes() == (recorded / "report.html").read_bytes()


def test_the_page_is_the_same_every_time(cli, recorded: Path) -> None:
    cli("report", recorded)
    first = (recorded / "report.html").read_bytes()
    cli("report", recorded)
    assert (recorded / "report.html").read_bytes() == first


def test_the_suffix_says_the_form(cli, recorded: Path, tmp_path: Path) -> None:
    for suffix in (".md", ".json", ".HTML"):
        assert cli("report", recorded, "--out", tmp_path / f"page{suffix}").exit_code == 0
    markdown = (tmp_path / "page.md").read_text(encoding="utf-8")
    answer = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))
    assert markdown.startswith(f"# {answer['verdict']}\n\ncountdown\n\n{answer['lead']}")
    assert answer["facts"][0]["what"] == "What to deploy"
    assert len(answer["charts"]["learning"]["series"][0]["points"]) > 1
    assert (tmp_path / "page.HTML").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert not (recorded / "report.html").exists()


@pytest.mark.parametrize("name", ["page.pdf", "page", "page.md.txt"])
def test_another_suffix_is_refused(refused, recorded: Path, tmp_path: Path, name: str) -> None:
    rule = f"--out must end in .html, .md or .json; got {str(tmp_path / name)!r}."
    assert refused("report", recorded, "--out", tmp_path / name).startswith(rule)
    assert not (tmp_path / name).exists()


def test_each_chart_is_written_in_three_forms_and_shown_in_markdown(cli, recorded: Path, tmp_path: Path) -> None:
    page, figures = tmp_path / "page.md", tmp_path / "new" / "my figures"
    answer = json.loads(cli("report", recorded, "--out", page, "--figures", figures, "--json").stdout)
    assert answer == {"report": str(page), "figures": str(figures)}
    names = ["learning", "samples", "smallest-k"]
    assert sorted(each.name for each in figures.iterdir() if each.stem in names) == [
        f"{name}.{form}" for name in names for form in ("pdf", "png", "svg")
    ]
    begins = {".svg": b"<svg", ".png": b"\x89PNG", ".pdf": b"%PDF"}
    assert all(each.read_bytes().startswith(begins[each.suffix]) for each in figures.iterdir())
    text = page.read_text(encoding="utf-8")
    assert "](<new/my%20figures/learning.png>)" in text
    assert text.count("![") == len(list(figures.glob("*.png")))


def test_a_place_for_figures_that_is_a_file_is_refused(refused, recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    message = refused("report", recorded, "--figures", tmp_path / "taken", exit_code=3)
    assert message.startswith(f"directory {tmp_path / 'taken'} cannot be made: ")
    assert message.endswith("Choose another --figures.")


def test_a_path_with_brackets_is_printed_as_it_is(cli, recorded: Path, tmp_path: Path) -> None:
    page = tmp_path / "[red]page[/].html"
    page.parent.mkdir(parents=True)
    result = cli("report", recorded, "--out", page)
    assert result.stdout == f"{page}\n"


def test_a_run_without_evaluations_is_refused_and_leaves_no_page(refused, recorded: Path) -> None:
    log = recorded / "log.jsonl"
    log.write_bytes(log.read_bytes().splitlines(keepends=True)[0])
    assert "has no evaluations to report: train on until the first evaluation" in refused("report", recorded)
    assert not (recorded / "report.html").exists()


def test_a_directory_that_is_no_run_is_refused(refused, tmp_path: Path) -> None:
    assert refused("report", tmp_path / "none").startswith("there is no run log at ")


def test_a_damaged_log_is_refused_with_the_line(refused, recorded: Path) -> None:
    log = recorded / "log.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([lines[0], b"{}\n", *lines[2:]]))
    assert refused("report", recorded).startswith(f"{log}, line 2, is damaged: ")


def test_a_place_that_does_not_exist_is_refused(refused, recorded: Path, tmp_path: Path) -> None:
    out = tmp_path / "none" / "page.html"
    assert refused("report", recorded, "--out", out).startswith("--out must be a file in a directory that exists; got ")


def test_a_place_that_is_wrong_is_refused_before_anything_is_computed(
    refused, recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("breakeven.cli.report.run_document")
    monkeypatch.delattr("breakeven.cli.report.compared_runs")
    for runs in ([recorded], [recorded, tmp_path / "other"]):
        assert refused("report", *runs, "--out", "page.pdf").startswith("--out must end in .html, .md or .json; got ")


def test_a_full_disk_is_said_in_one_line(refused, recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full_disk)
    message = refused("report", recorded, exit_code=3)
    assert message.startswith(f"{recorded / 'report.html'} could not be written: No space left on device.")


def test_a_run_on_a_disk_that_is_read_only_has_its_page_elsewhere(
    cli, refused, recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def read_only(self: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if "w" in mode and self.is_relative_to(recorded):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return opened(self, mode, *rest, **more)

    monkeypatch.setattr(Path, "open", read_only)
    message = refused("report", recorded, exit_code=3)
    assert message.endswith(
        "could not be written: Read-only file system. The run itself is whole; choose another --out."
    )
    assert cli("report", recorded, "--out", tmp_path / "page.html").exit_code == 0
    assert cli("replay", recorded).exit_code == 0
    assert not (recorded / "report.html").exists()
