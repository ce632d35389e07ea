"""The texts of a run: read back exactly, never more than allowed, and the same bytes after a crash."""

import base64
import errno
import json
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import ArgumentError, CorruptLogError, LogError, RunStorageError
from breakeven.store import TextFile, Texts
from breakeven.store.kinds import PackedTexts
from breakeven.store.lines import encode
from breakeven.store.texts import _packed, _unpacked

GREEDY = ("g0", "g1")
SAMPLES = (("a", "b"), ("c", "é\n\u2028"))


def noise(size: int, seed: int) -> str:
    """Text that no compression makes much shorter."""
    state, letters = seed + 1, []
    for _ in range(size):
        state = state * 6364136223846793005 % 2**64 + 1
        letters.append(f"{state >> 32:08x}")
    return "".join(letters)


def test_what_was_appended_reads_back(tmp_path: Path) -> None:
    file = TextFile(tmp_path)
    assert (file.steps(), file.read(10)) == ((), None)
    assert not list(tmp_path.iterdir()), "reading writes nothing"
    file.append(10, GREEDY, SAMPLES)
    file.append(20, (), ())
    file.append(30, ["only greedy"], [[]])
    for each in (file, TextFile(tmp_path)):
        assert each.steps() == (10, 20, 30)
        assert each.read(10) == Texts(step=10, greedy_P=GREEDY, texts_PN=SAMPLES, num_left_out=0)
        assert each.read(20) == Texts(step=20, greedy_P=(), texts_PN=(), num_left_out=0)
        assert each.read(30) == Texts(step=30, greedy_P=("only greedy",), texts_PN=((),), num_left_out=0)
        assert each.read(15) is None


def test_a_line_can_be_read_without_this_library(tmp_path: Path) -> None:
    TextFile(tmp_path).append(10, GREEDY, SAMPLES)
    line = json.loads((tmp_path / "texts.jsonl").read_text())
    assert (line["kind"], line["data"]["step"], line["data"]["num_left_out"]) == ("texts", 10, 0)
    rows = zlib.decompress(base64.b64decode(line["data"]["packed"])).splitlines()
    assert [json.loads(row) for row in rows] == [["g0", "a", "b"], ["g1", "c", "é\n\u2028"]]


@given(st.lists(st.lists(st.text(), min_size=1), max_size=5))
def test_any_text_reads_back(rows: list[list[str]]) -> None:
    greedy, samples = tuple(row[0] for row in rows), tuple(tuple(row[1:]) for row in rows)
    packed = _packed(3, greedy, samples, 1 << 20)
    assert _unpacked(packed) == Texts(step=3, greedy_P=greedy, texts_PN=samples, num_left_out=0)


def test_half_a_character_reads_back() -> None:
    assert _unpacked(_packed(1, ["\ud83d"], [["\udc00"]], 100)).texts_PN == (("\udc00",),)


@pytest.mark.parametrize("max_bytes", [0, 10, 1_000, 10_000, 45_000, 10**6])
def test_the_first_problems_that_fit_are_kept(tmp_path: Path, max_bytes: int) -> None:
    greedy = tuple(noise(100, seed) for seed in range(10))
    samples = tuple((noise(500, 100 + seed), noise(500, 200 + seed)) for seed in range(10))
    file = TextFile(tmp_path, max_bytes=max_bytes)
    file.append(1, greedy, samples)
    texts = file.read(1)
    assert texts is not None
    kept = len(texts.greedy_P)
    assert (texts.greedy_P, texts.texts_PN, texts.num_left_out) == (greedy[:kept], samples[:kept], 10 - kept)
    if kept:
        assert len(base64.b64decode(_packed(1, greedy, samples, max_bytes).packed)) <= max_bytes
    if kept < 10:
        one_more = _packed(1, greedy[: kept + 1], samples[: kept + 1], 10**9)
        assert one_more.num_left_out == 0
        assert len(base64.b64decode(one_more.packed)) > max_bytes
    assert {0: 0, 10: 0, 1_000: 0, 10**6: 10}.get(max_bytes, kept) == kept


def test_a_step_that_is_there_is_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = TextFile(tmp_path)
    file.append(10, GREEDY, SAMPLES)
    file.append(20, GREEDY, SAMPLES)
    written = (tmp_path / "texts.jsonl").stat()
    for again in (file, TextFile(tmp_path)):
        again.append(20, GREEDY, SAMPLES)
        again.append(10, list(GREEDY), [list(row) for row in SAMPLES])
    assert (tmp_path / "texts.jsonl").stat() == written
    monkeypatch.setattr("breakeven.store.texts._LEVEL", 1)  # as another version of zlib would pack it
    TextFile(tmp_path).append(10, GREEDY, SAMPLES)
    assert (tmp_path / "texts.jsonl").stat() == written


def test_a_run_killed_between_texts_and_checkpoint_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps 20 and 30 were never recorded: equal samples are kept, others take their place."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    steps = (10, 20, 30, 40)
    straight = TextFile(tmp_path)
    for step in steps:
        straight.append(step, (f"greedy {step}",), ((f"sample {step}",),))
    whole = (tmp_path / "texts.jsonl").read_bytes()
    ends = [number + 1 for number, byte in enumerate(whole) if byte == ord("\n")]
    for left in range(ends[0], len(whole)):
        (tmp_path / "texts.jsonl").write_bytes(whole[:left])
        resumed = TextFile(tmp_path)
        for step in steps[1:]:
            resumed.append(step, (f"greedy {step}",), ((f"sample {step}",),))
        assert (tmp_path / "texts.jsonl").read_bytes() == whole
    for before in ((20, 30), (15, 20, 35)):
        (tmp_path / "texts.jsonl").write_bytes(whole[: ends[0]])
        crashed = TextFile(tmp_path)
        for step in before:
            crashed.append(step, ("other",), (("samples " * step,),))
        resumed = TextFile(tmp_path)
        if before[0] == 15:
            resumed.append(15, ("again other",), (("samples",),))
            assert resumed.steps() == (10, 15)
        else:
            for step in steps[1:]:
                resumed.append(step, (f"greedy {step}",), ((f"sample {step}",),))
            assert (tmp_path / "texts.jsonl").read_bytes() == whole
            assert resumed.steps() == steps


def test_a_full_disk_leaves_whole_lines_and_the_call_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = TextFile(tmp_path)
    file.append(10, GREEDY, SAMPLES)
    file.append(20, ("other",), ((),))

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(RunStorageError, match=r"texts\.jsonl cannot be extended: No space left on device"):
            file.append(20, GREEDY, SAMPLES)
    assert file.steps() == (10,)
    file.append(20, GREEDY, SAMPLES)
    assert TextFile(tmp_path).steps() == (10, 20)


def test_damage_is_refused(tmp_path: Path) -> None:
    file = TextFile(tmp_path)
    file.append(10, GREEDY, SAMPLES)
    file.append(20, GREEDY, SAMPLES)
    path = tmp_path / "texts.jsonl"
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(second + first)
    with pytest.raises(CorruptLogError, match=r"line 2, is damaged: its step 10 was passed .* no decision needs it"):
        TextFile(tmp_path).steps()
    path.write_bytes(first.replace(b'"step":10', b'"step":11') + second)
    with pytest.raises(CorruptLogError, match="line 1, is damaged: its contents have checksum"):
        TextFile(tmp_path).append(20, GREEDY, SAMPLES)
    with pytest.raises(CorruptLogError, match=r"texts\.jsonl, byte 0, is damaged: its contents have checksum"):
        file.read(10)
    path.unlink()
    with pytest.raises(LogError, match=r"texts\.jsonl cannot be read: No such file"):
        file.read(10)


@pytest.mark.parametrize(
    "content", [b"[" * 50_000 + b"\n", b"[]\n", b"[7, null]\n", b"7\n", b"{}\n", b"no JSON\n", None]
)
def test_texts_that_are_packed_otherwise_are_damage(tmp_path: Path, content: bytes | None) -> None:
    """Whole lines with the right checksum, as nobody but a hand writes them."""
    packed = "@" if content is None else base64.b64encode(zlib.compress(content)).decode()
    (tmp_path / "texts.jsonl").write_bytes(encode(PackedTexts(step=10, num_left_out=0, packed=packed))[0])
    with pytest.raises(CorruptLogError, match=r"texts\.jsonl is damaged: its texts of step 10 are not packed as"):
        TextFile(tmp_path).read(10)


def test_texts_that_unpack_without_end_are_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breakeven.store.texts._MAX_BYTES", 1 << 20)
    packed = base64.b64encode(zlib.compress(b"[" * (2 << 20))).decode()
    (tmp_path / "texts.jsonl").write_bytes(encode(PackedTexts(step=10, num_left_out=0, packed=packed))[0])
    with pytest.raises(CorruptLogError, match="they are cut short, or more than 1 MiB"):
        TextFile(tmp_path).read(10)


def test_greedy_texts_and_rows_go_together(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"texts_PN must have a row for each of 2 greedy texts; got 1"):
        TextFile(tmp_path).append(10, GREEDY, SAMPLES[:1])
