"""The journal: what several objects and threads append, and what earlier versions wrote, reads back."""

import errno
import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from breakeven.errors import CorruptLogError, RunStorageError
from breakeven.store import Choice, Journal, Served


def served(first: int = 0, *, key: str = "k", texts: tuple[str, ...] = ("a",)) -> Served:
    choices = tuple(Choice(text=each, finish="stop", tokens=2) for each in texts)
    return Served(key=key, problem="p", first=first, choices=choices, prompt_tokens=7)


def texts(journal: Journal, key: str = "k") -> dict[int, str]:
    return {number: choice.text for number, (choice, _) in journal.samples(key).items()}


def test_what_was_appended_reads_back_with_a_checksum(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal(path)
    journal.append(served(texts=("a", "b")))
    journal.append(served(2, texts=("é\n",)))
    journal.append(served(key="other"))
    again = Journal(path)
    assert texts(again) == texts(journal) == {0: "a", 1: "b", 2: "é\n"}
    assert again.samples("k")[0] == (Choice(text="a", finish="stop", tokens=2), 7)
    path.write_bytes(path.read_bytes().replace(b'"b"', b'"c"'))
    with pytest.raises(CorruptLogError, match=r"j, line 1, is damaged: its contents have checksum .* Delete the line"):
        Journal(path).samples("k")


def test_lines_of_before_are_read_and_added_to(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in (served(), served(1, texts=("b",)))))
    before = path.read_bytes()
    journal = Journal(path)
    assert texts(journal) == {0: "a", 1: "b"}
    journal.append(served(2, texts=("c",)))
    assert path.read_bytes().startswith(before + b'{"kind":"served",')
    assert texts(Journal(path)) == {0: "a", 1: "b", 2: "c"}
    path.write_bytes(before.replace(b'"first"', b'"last"'))
    with pytest.raises(CorruptLogError, match=r"j, line 1, is damaged: it is not a whole record: .* Delete the line"):
        Journal(path).samples("k")


def test_reading_writes_nothing_and_appending_cuts_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "j"
    Journal(path).append(served())
    whole = path.read_bytes()
    for torn in (whole + b'{"kind":"served","da', whole + b"\x00"):
        path.write_bytes(torn)
        assert texts(Journal(path)) == {0: "a"}
        assert path.read_bytes() == torn
        Journal(path).append(served())
        assert path.read_bytes() == whole * 2
    path.write_bytes(whole[:-5])  # the first line itself
    assert texts(Journal(path)) == {}
    Journal(path).append(served())
    assert path.read_bytes() == whole


def test_many_threads_append_whole_lines(tmp_path: Path) -> None:
    """Samplers of one model with different limits share a file."""
    journals = [Journal(tmp_path / "j") for _ in range(4)]

    def work(number: int) -> None:
        for count in range(10):
            journals[number % 4].append(served(count, key=str(number), texts=("x" * 10_000,)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read = Journal(tmp_path / "j")
    assert all(len(read.samples(str(number))) == 10 for number in range(8))


def test_a_full_disk_leaves_whole_lines_and_the_samples_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j"
    journal = Journal(path)
    journal.append(served())
    whole = path.read_bytes()
    write = os.write

    def full(fd: int, data: bytes) -> int:
        if bytes(data).startswith(b"{"):
            return write(fd, bytes(data[:5]))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(RunStorageError, match=r"j cannot be extended: No space left on device\. What was recorded"):
            journal.append(served(1, texts=("b",)))
    assert path.read_bytes() == whole
    assert texts(journal) == {0: "a", 1: "b"}


def test_without_a_file_samples_stay_in_memory_until_forgotten(tmp_path: Path) -> None:
    journal = Journal(None)
    journal.append(served())
    assert texts(journal) == {0: "a"}
    journal.forget("k")
    assert texts(journal) == {}
    kept = Journal(tmp_path / "j")
    kept.append(served())
    kept.forget("k")
    assert texts(kept) == {0: "a"}


@pytest.mark.parametrize(
    ("harm", "what"),
    [
        (lambda path: path.unlink(), "was removed or moved"),
        (lambda path: path.write_bytes(b""), "was cut short or changed"),
        (lambda path: path.write_bytes(b"x" * path.stat().st_size), "was cut short or changed"),
    ],
)
def test_a_journal_taken_away_under_a_running_process_is_noticed(
    tmp_path: Path, harm: Callable[[Path], object], what: str
) -> None:
    path = tmp_path / "j"
    journal = Journal(path)
    journal.append(served())
    Journal(path).append(served(1, texts=("of another object",)))
    whole = path.read_bytes()
    harm(path)
    with pytest.raises(RunStorageError, match=rf"j {what} while this process was extending it\. Nothing was written"):
        journal.append(served(2))
    path.write_bytes(whole)
    journal.append(served(2))
    assert set(texts(Journal(path))) == {0, 1, 2}


def test_threads_are_kept_apart_where_the_disk_has_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    test_many_threads_append_whole_lines(tmp_path)


def test_what_is_forgotten_is_read_again_but_for_what_the_disk_refused(tmp_path: Path, monkeypatch) -> None:
    journal = Journal(tmp_path / "j")
    for first in range(3):
        journal.append(served(first, texts=(f"text {first}",)))
        journal.append(served(first, key="other", texts=("o",)))
    journal.forget("k")
    assert journal._samples.keys() == {"other"}
    assert texts(journal) == {0: "text 0", 1: "text 1", 2: "text 2"}
    journal.forget("k")
    journal.append(served(3, texts=("text 3",)))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(errno.EIO, os.strerror(errno.EIO))))
        with pytest.raises(RunStorageError):
            journal.append(served(4, texts=("refused",)))
    journal.append(served(5, texts=("text 5",)))
    journal.forget("k")
    assert sorted(texts(journal)) == [0, 1, 2, 3, 4, 5]
    assert sorted(texts(Journal(tmp_path / "j"))) == [0, 1, 2, 3, 5]
