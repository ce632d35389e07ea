"""Bytes of files and archives."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from breakeven import jsonl
from breakeven.data.labelled import files
from breakeven.data.labelled.files import file_bytes, member_bytes
from breakeven.errors import ArgumentError


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"folder/{name}", content)
    return path


def tarred(path: Path, **members: bytes) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            head = tarfile.TarInfo(f"folder/{name}")
            head.size = len(content)
            archive.addfile(head, io.BytesIO(content))
    return path


def test_files_are_read_plain_or_packed(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"content")
    (tmp_path / "packed").write_bytes(gzip.compress(b"content"))
    assert file_bytes(tmp_path / "plain") == file_bytes(tmp_path / "packed") == b"content"
    assert member_bytes(zipped(tmp_path / "a.zip", data=b"one"), "data") == b"one"
    assert member_bytes(zipped(tmp_path / "b.zip", data=gzip.compress(b"one")), "data") == b"one"
    assert member_bytes(tarred(tmp_path / "a.tar.gz", data=b"one", more=b"two"), "more") == b"two"


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="must be a readable file; got 'No such file or directory'"):
        file_bytes(tmp_path / "none")
    with pytest.raises(ArgumentError, match="must be a readable file; got 'No such file or directory'"):
        member_bytes(tmp_path / "none", "data")
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"content" * 100)[:-20])
    with pytest.raises(ArgumentError, match=r"broken\.gz must be a readable file"):
        file_bytes(broken)
    (tmp_path / "text.tar").write_bytes(b"no archive")
    with pytest.raises(ArgumentError, match=r"text\.tar must be a readable file"):
        member_bytes(tmp_path / "text.tar", "data")
    with pytest.raises(ArgumentError, match="hold other once; got '0 of it among 1 files'"):
        member_bytes(zipped(tmp_path / "a.zip", data=b"one"), "other")


def test_damaged_and_large_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "a.zip", data=b"content")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"content", b"CONTENT"))
    with pytest.raises(ArgumentError, match=r"a\.zip must be a readable file; got .Bad CRC-32"):
        member_bytes(path, "data")
    path.write_bytes(whole)
    monkeypatch.setattr(files, "MOST_BYTES", 6)
    with pytest.raises(ArgumentError, match=r"data in .*a\.zip must be at most 0 GiB; got '7 bytes'"):
        member_bytes(path, "data")


def test_what_unpacks_to_far_more_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "_MOST_INFLATED", 1000)
    bomb = tmp_path / "bomb"
    bomb.write_bytes(gzip.compress(bytes(1 << 20)))
    with pytest.raises(ArgumentError, match=r"bomb must unpack to at most .* bytes; got 'more'"):
        file_bytes(bomb)
