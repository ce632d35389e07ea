"""Rated sentences of movie reviews: the text file, the tar file, and the source archive around it."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from breakeven.data.labelled.named import load_examples
from breakeven.errors import ArgumentError

FILE = "movieReviewSnippets_GroundTruth.txt"
LINES = "1\t2.26666666667\tThe ''Rock'' is great.\r\n2\t-0.6\tToo tepid\r\n3\t0.5\tA film\x85\r\n4\t-0.5\tHm\r\n"


def tarred(text: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in ((FILE, text), (FILE.replace("movie", "amazon"), "1\t2\tNo film")):
            head = tarfile.TarInfo(f"hutto_ICWSM_2014/{name}")
            head.size = len(content.encode())
            archive.addfile(head, io.BytesIO(content.encode()))
    return packed.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    paths = {end: tmp_path / f"file.{end}" for end in ("txt", "tar.gz", "zip")}
    paths["txt"].write_bytes(LINES.encode())
    paths["tar.gz"].write_bytes(tarred(LINES))
    with zipfile.ZipFile(paths["zip"], "w") as archive:
        archive.writestr("vaderSentiment-0.5/setup.py", "raise SystemExit")
        archive.writestr("vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz", tarred(LINES))
    return paths


@pytest.mark.parametrize("end", ["txt", "tar.gz", "zip"])
def test_clear_sentences_of_two_classes(end: str, files: dict[str, Path]) -> None:
    found = load_examples(f"movies:{files[end]}")
    assert found.classes == ("negative", "positive")
    assert found.ids == ("1", "2")
    assert found.label_P.tolist() == [1, 0]
    assert found.texts == (("The ''Rock'' is great.",), ("Too tepid",))
    assert found.left_out == ("2 sentences rated from -0.5 to 0.5",)


@pytest.mark.parametrize("line", ["3\t1.0", "3\tgood\tA film", "3\tnan\tA film", "3\t4.5\tA film", "1\t2\t3\t4"])
def test_a_line_of_another_layout_is_named(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"1\t2.0\tGood\n{line}\n")
    with pytest.raises(ArgumentError, match=r"a\.txt, line 2, must be an id, a rating from -4 to 4 and a text"):
        load_examples(f"movies:{tmp_path / 'a.txt'}")


def test_other_files_are_refused_with_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"pip download --no-deps --no-binary :all: vaderSentiment==0\.5"):
        load_examples(f"movies:{tmp_path / 'none.zip'}")
    (tmp_path / "a.txt").write_bytes(b"1\t2.0\t\xff\n")
    with pytest.raises(ArgumentError, match="be UTF-8 text"):
        load_examples(f"movies:{tmp_path / 'a.txt'}")
    with zipfile.ZipFile(tmp_path / "later.zip", "w") as archive:
        archive.writestr("vaderSentiment-3.3.2/setup.py", "")
    with pytest.raises(ArgumentError, match=r"hold hutto_ICWSM_2014\.tar\.gz once; got '0 of it among 1 files'"):
        load_examples(f"movies:{tmp_path / 'later.zip'}")
