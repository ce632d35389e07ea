"""Where a text ends: before a stop string, or behind the end of a step."""

from collections.abc import Sequence

from breakeven.records import Finish


def cut(text: str, stop: Sequence[str], ends: Sequence[str]) -> tuple[str, Finish] | None:
    r"""The text up to the first of the strings, and why it ends there; None if it holds none of them.

    A stop string is cut off, the end of a step is kept. Where both begin at one place, the stop string wins.

    >>> cut("x = 2\n\nQ: and", ["Q:"], ["\n\n"])
    ('x = 2\n\n', <Finish.SEGMENT: 'segment'>)
    >>> cut("x = 2 Q: and", ["Q:"], ["\n\n"])
    ('x = 2 ', <Finish.STOP: 'stop'>)
    """
    at, kind, length = min(
        [(place, 0, 0) for each in stop if (place := text.find(each)) >= 0]
        + [(place, 1, len(each)) for each in ends if (place := text.find(each)) >= 0],
        default=(-1, 0, 0),
    )
    if at < 0:
        return None
    return text[: at + length], Finish.SEGMENT if kind else Finish.STOP
