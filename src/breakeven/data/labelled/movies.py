"""Sentences of movie reviews with people's ratings from -4 to 4, in the source archive of vaderSentiment 0.5.

Source: C. J. Hutto, E. Gilbert, VADER: a parsimonious rule-based model for sentiment analysis of social media text,
ICWSM 2014; the sentences are of B. Pang, L. Lee, 2004.
"""

import math
from pathlib import Path
from typing import Final

import numpy as np

from breakeven.data.labelled.examples import Examples
from breakeven.data.labelled.files import file_bytes, member_bytes, tar_bytes
from breakeven.data.labelled.given import Given
from breakeven.errors import argument_error
from breakeven.jsonl import line_fault

CLEAR: Final = 0.5
"""A sentence is positive if its mean rating is above this, negative if below minus this, and else left out."""
_FILE: Final = "movieReviewSnippets_GroundTruth.txt"
_TAR: Final = "hutto_ICWSM_2014.tar.gz"
_GET: Final = "Get it by `pip download --no-deps --no-binary :all: vaderSentiment==0.5`, and name the zip file."


def movies(path: str) -> Given:
    """Sentences, negative or positive. There are no splits.

    Args:
        path: the zip file of vaderSentiment 0.5, the tar file in it, or the text file in that.

    Raises:
        ArgumentError: there is no such file; when it is read, a line that is not id, rating and text.
    """
    where = Path(path)
    if not where.is_file():
        raise argument_error(f"movies:{path}", "name a file", "nothing of this name", _GET)
    return {"train": lambda: _examples(f"movies:{path}", where)}


def _examples(name: str, path: Path) -> Examples:
    ids: list[str] = []
    labels: list[int] = []
    texts: list[tuple[str, ...]] = []
    unclear = 0
    for number, line in enumerate(_text(path).removesuffix("\n").split("\n"), 1):
        parts = line.removesuffix("\r").split("\t")
        rating = _number(parts[1]) if len(parts) == 3 else math.nan
        if not abs(rating) <= 4:
            raise line_fault(path, number, "must be an id, a rating from -4 to 4 and a text, by tabs", line, _GET)
        if abs(rating) <= CLEAR:
            unclear += 1
            continue
        ids.append(parts[0])
        labels.append(int(rating > 0))
        texts.append((parts[2].strip(),))
    return Examples(
        name=name,
        classes=("negative", "positive"),
        label_P=np.array(labels, dtype=np.int64),
        texts=tuple(texts),
        ids=tuple(ids),
        left_out=(f"{unclear:,} sentences rated from {-CLEAR} to {CLEAR}",) if unclear else (),
    )


def _text(path: Path) -> str:
    if path.suffix == ".txt":
        content = file_bytes(path)
    elif path.suffix == ".zip":
        content = tar_bytes(member_bytes(path, _TAR), path, _FILE)
    else:
        content = member_bytes(path, _FILE)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise argument_error(f"{_FILE} of {path}", "be UTF-8 text", content[error.start :][:20], _GET) from error


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
