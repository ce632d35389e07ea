"""Whole files: what was there before, or what is new, and never a part of it."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from breakeven.errors import RunStorageError
from breakeven.store import make_directory, write_whole

REMEDY = "Choose another disk."


def refusing(number: int) -> Callable[..., int]:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("content", ["é\n", "é\n".encode(), lambda path: path.write_bytes("é\n".encode())])
def test_text_bytes_and_what_a_function_writes(tmp_path: Path, content: str) -> None:
    path = tmp_path / "page.html"
    for _ in range(2):
        write_whole(path, content, remedy=REMEDY)
        assert path.read_bytes() == b"\xc3\xa9\n"
        assert [each.name for each in tmp_path.iterdir()] == ["page.html"]


def test_the_disk_has_file_and_name_before_it_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync, replace, steps = os.fsync, Path.replace, []

    def synced(fd: int) -> None:
        steps.append(Path(os.readlink(f"/proc/self/fd/{fd}")).name)
        fsync(fd)

    def renamed(self: Path, target: Path) -> Path:
        steps.append("renamed")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    write_whole(tmp_path / "a", "text", remedy=REMEDY)
    assert steps == ["a.partial", "renamed", tmp_path.name]


@pytest.mark.parametrize("fails", ["write", "fsync"])
def test_a_disk_that_refuses_leaves_the_file_before_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    path = tmp_path / "a"
    write_whole(path, "before", remedy=REMEDY)
    with monkeypatch.context() as patch:
        patch.setattr(os, fails, refusing(errno.ENOSPC))
        with pytest.raises(RunStorageError) as error:
            write_whole(path, "after", remedy=REMEDY)
    assert str(error.value) == f"{path} could not be written: No space left on device. {REMEDY}"
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_an_interrupt_leaves_nothing_either(tmp_path: Path) -> None:
    def interrupted(path: Path) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a", interrupted, remedy=REMEDY)
    assert not list(tmp_path.iterdir())


def test_what_a_kill_left_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.partial").write_text("half of something longer")
    write_whole(tmp_path / "a", "new", remedy=REMEDY)
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"a": "new"}


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF])
def test_a_directory_that_cannot_be_synced_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    fsync = os.fsync

    def files_only(fd: int) -> None:
        if os.path.samestat(os.fstat(fd), tmp_path.stat()):
            raise OSError(number, os.strerror(number))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", files_only)
    write_whole(tmp_path / "a", "text", remedy=REMEDY)
    assert (tmp_path / "a").read_text() == "text"


@pytest.mark.parametrize("file", [True, False])
def test_what_a_disk_fails_at_is_no_want_of_ability(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: bool
) -> None:
    """EIO of a directory, or anything of a file: what was written may be lost, and that is said."""
    fsync, number = os.fsync, errno.EINVAL if file else errno.EIO

    def failing(fd: int) -> None:
        if stat.S_ISREG(os.fstat(fd).st_mode) is file:
            raise OSError(number, os.strerror(number))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(RunStorageError, match=rf"a could not be written: {os.strerror(number)}\. {REMEDY}"):
        write_whole(tmp_path / "a", "text", remedy=REMEDY)


def test_a_new_directory_is_on_the_disk_with_those_above_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync, synced = os.fsync, []

    def noted(fd: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{fd}")))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", noted)
    for _ in range(2):
        make_directory(tmp_path / "a" / "b")
    assert synced == [tmp_path, tmp_path / "a"]


def test_a_link_stays_one_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "page")
    write_whole(tmp_path / "link", "text", remedy=REMEDY)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "page").read_text() == "text"
    os.mkfifo(tmp_path / "pipe")
    end = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_whole(tmp_path / "pipe", "text", remedy=REMEDY)
    assert os.read(end, 10) == b"text"
    os.close(end)
    assert (tmp_path / "pipe").is_fifo()


def test_a_place_that_does_not_exist_or_is_a_directory(tmp_path: Path) -> None:
    with pytest.raises(RunStorageError, match=r"a could not be written: No such file or directory\. Choose another"):
        write_whole(tmp_path / "none" / "a", "text", remedy=REMEDY)
    with pytest.raises(RunStorageError, match="could not be written: Is a directory"):
        write_whole(tmp_path, "text", remedy=REMEDY)
    assert not list(tmp_path.iterdir())


def test_half_a_character_is_written_as_json_has_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "x\udcffy", remedy="")
    assert (tmp_path / "a").read_bytes() == b"x\\udcffy"
