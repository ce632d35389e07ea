"""The cells of a plan: read back as they were stored, in their order, and never mixed with those of another plan."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import ArgumentError, CorruptLogError, LogError, RunInUseError, RunStorageError
from breakeven.store import CELLS_NAME, CellFile, PlanHeader
from breakeven.store.kinds import Cell
from breakeven.store.lines import chained, encode

HEADER = PlanHeader(versions={"numpy": "1"}, row="toy", settings={"seeds": [1, 2]}, files={"t.csv": "00000000"})


def test_cells_read_back_in_the_order_in_which_they_were_finished(tmp_path: Path) -> None:
    with CellFile(tmp_path / "new" / "plan", HEADER) as file:
        assert file.put("b", {"x": (1, 2.5)}) == {"x": [1, 2.5]}
        file.put("a", None)
        assert (len(file), list(file), file["b"], "c" in file) == (2, ["b", "a"], {"x": [1, 2.5]}, False)
    with CellFile(tmp_path / "new" / "plan", None) as again:
        assert (again.header, dict(again), again.recovered) == (HEADER, {"b": {"x": [1, 2.5]}, "a": None}, False)


def test_versions_may_differ_and_nothing_else(tmp_path: Path) -> None:
    CellFile(tmp_path, HEADER).close()
    CellFile(
        tmp_path, PlanHeader(versions={"numpy": "2"}, row="toy", settings=HEADER.settings, files=HEADER.files)
    ).close()
    for changed, message in (
        ({"row": "other"}, "row must be 'toy', as in"),
        ({"settings": {"seeds": [1]}}, r"settings\.seeds must be \[1, 2\], as in"),
        ({"settings": {}}, r"settings\.seeds must be \[1, 2\], as in .*; got None\."),
        ({"files": {"t.csv": "11111111"}}, r"files\.t\.csv must be '00000000', as in"),
    ):
        plain: dict[str, Any] = {"versions": {}, "row": "toy", "settings": HEADER.settings, "files": HEADER.files}
        with pytest.raises(ArgumentError, match=message):
            CellFile(tmp_path, PlanHeader(**(plain | changed)))
    CellFile(tmp_path, HEADER).close()  # no refusal keeps the directory


def test_a_key_that_is_there_and_a_value_that_json_lacks_are_refused(tmp_path: Path) -> None:
    with CellFile(tmp_path, HEADER) as file:
        file.put("a", 1)
        with pytest.raises(ArgumentError, match="key must be new; got 'a'"):
            file.put("a", 2)
        with pytest.raises(ArgumentError):
            file.put("b", float("nan"))
        assert dict(file) == {"a": 1}


def test_a_directory_is_open_for_one_at_a_time_and_holds_a_plan(tmp_path: Path) -> None:
    with CellFile(tmp_path, HEADER), pytest.raises(RunInUseError):
        CellFile(tmp_path, HEADER)
    with pytest.raises(LogError, match=r"there is no plan at .*none/cells\.jsonl\. Begin one: breakeven plan NAME"):
        CellFile(tmp_path / "none", None)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunStorageError, match="cannot be made"):
        CellFile(tmp_path / "file" / "plan", HEADER)


def test_a_cell_that_is_there_twice_is_damage_and_a_torn_one_is_left_out(tmp_path: Path) -> None:
    with CellFile(tmp_path, HEADER) as file:
        file.put("a", 1)
    path = tmp_path / CELLS_NAME
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines(keepends=True)[1][:-5])
    with CellFile(tmp_path, HEADER) as file:
        assert (dict(file), file.recovered) == ({"a": 1}, True)
    chain = 0
    lines = []
    for record in (HEADER, Cell(key="a", value=1), Cell(key="a", value=1)):
        line, chain = chained(encode(record)[0], chain)
        lines.append(line)
    path.write_bytes(b"".join(lines))
    with pytest.raises(CorruptLogError, match="line 3, is damaged: cell a is there twice"):
        CellFile(tmp_path, HEADER)


def test_a_full_disk_keeps_the_cells_before_and_the_cell_can_be_put_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with CellFile(tmp_path, HEADER) as file:
        file.put("a", 1)
        before = (tmp_path / CELLS_NAME).read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(RunStorageError, match=r"No space left.*Free space, then go on by --resume"):
                file.put("b", 2)
        assert (tmp_path / CELLS_NAME).read_bytes() == before
        file.put("b", 2)
        assert dict(file) == {"a": 1, "b": 2}
