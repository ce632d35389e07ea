"""One line an evaluation: through `logging`, and on the terminal where nobody listens to that."""

import logging
import sys

from breakeven.errors import printable

_LOGGER = logging.getLogger("breakeven")


def say(line: str) -> None:
    """Log `line` at level INFO; print it to standard error too where that is a terminal and no handler is set up."""
    _LOGGER.info(line)
    if not _LOGGER.hasHandlers() and sys.stderr is not None and sys.stderr.isatty():
        sys.stderr.write(f"breakeven: {printable(line)}\n")


def warn(line: str) -> None:
    """Log `line` at level WARNING, which Python prints to standard error where no handler is set up."""
    _LOGGER.warning("breakeven: %s" if not _LOGGER.hasHandlers() else "%s", line)
