"""Logs from standard input."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from breakeven.errors import BreakevenError

STDIN = "standard input"


@contextmanager
def readable(log: Path) -> Iterator[Path]:
    """The log, or a copy of standard input, which is read more than once; messages call it that."""
    if str(log) != "-":
        yield log
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        try:
            yield path
        except BreakevenError as error:
            raise type(error)(str(error).replace(str(path), STDIN)) from None
