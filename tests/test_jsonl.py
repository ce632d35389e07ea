"""Lines and rows of JSON: what is read, and what is refused by file, line, rule and value."""

import gzip
from pathlib import Path

import pytest

from breakeven import jsonl
from breakeven.errors import ArgumentError, LogError
from breakeven.jsonl import json_rows, lines_of


@pytest.fixture(params=["plain", "gzip"])
def write(request: pytest.FixtureRequest, tmp_path: Path):
    def write(text: bytes) -> Path:
        path = tmp_path / "file"
        path.write_bytes(text if request.param == "plain" else gzip.compress(text))
        return path

    return write


def test_lines_keep_their_ends_and_lose_the_byte_order_mark(write) -> None:
    assert list(lines_of(write("\ufeffa\r\nü\n\n\ufeffb".encode()))) == ["a\r\n", "ü\n", "\n", "\ufeffb"]
    assert list(lines_of(write(b""))) == []


def test_rows_have_the_numbers_of_their_lines(write) -> None:
    assert list(json_rows(write(b'{"a": 1}\n\n \r\n{"b": [null, 2.5]}'))) == [(1, {"a": 1}), (4, {"b": [None, 2.5]})]


@pytest.mark.parametrize("fault", [ArgumentError, LogError])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{}\n{"a": ', "{path}, line 2, must be one JSON object on one line; got '{{\"a\":'"),
        (b"{} {}", "{path}, line 1, must be one JSON object on one line; got '{{}} {{}}'. JSON is malformed: "),
        (b"{}\n3", "{path}, line 2, must be a JSON object; got '3'. Write {{...}} on every line."),
        (b'{"a": NaN}', "{path}, line 1, must be one JSON object on one line; got "),
        (b'{"a": "\\ud800"}', "{path}, line 1, must be one JSON object on one line; got "),
        (b'{"a": ' + b"[" * 100_000, "{path}, line 1, must be one JSON object on one line; got "),
        (b'{}\n{}\n{"a": "\xff"}', "{path}, line 3, must be UTF-8 text; got b'{{\"a\": \"\\xff\"}}'. Save"),
        (b"{}\n" + b"x" * 2000, "{path}, line 2, must be at most 0 MiB long; got b'xxx"),
    ],
)  # fmt: skip
def test_what_is_no_row_is_refused_by_line(
    write, text: bytes, message: str, fault: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    if text.startswith(b"{}\nx"):
        monkeypatch.setattr(jsonl, "MAX_LINE", 1000)
    path = write(text)
    with pytest.raises(fault) as caught:
        list(json_rows(path, fault))  # type: ignore[arg-type]
    assert str(caught.value).startswith(message.format(path=path))
    assert len(str(caught.value)) < len(str(path)) + 200


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"none must be a readable file; got No such file or directory\.$"):
        list(lines_of(tmp_path / "none"))
    with pytest.raises(LogError, match=r"must be a readable file; got Is a directory\.$"):
        list(lines_of(tmp_path, LogError))
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(b"a\nb\n" * 100_000)[:-20])
    with pytest.raises(LogError, match=r"must be a readable file; got Compressed file ended .* after line [0-9]+\.$"):
        list(lines_of(path, LogError))


@pytest.mark.parametrize("line", [b"\n", b" \n", b'{"a": 1}\n', b"a,b,c\n"])
def test_a_small_gzip_file_does_not_become_any_number_of_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    monkeypatch.setattr(jsonl, "_MOST_INFLATED", 100_000)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(line * 3_000))
    assert len(list(lines_of(path))) == 3_000
    path.write_bytes(gzip.compress(line * 300_000))
    with pytest.raises(
        ArgumentError, match=r"must be reached before the file inflates more than 250-fold; .* unpack it"
    ):
        list(lines_of(path))
    path.write_bytes(line * 300_000)
    assert sum(1 for _ in lines_of(path)) == 300_000
