"""Every sample a server gave, kept before anything is done with it: a killed run never pays for one twice."""

from pathlib import Path
from typing import Final

from breakeven.store.append import AppendLog, Layout
from breakeven.store.kinds import Choice, Line, Served

_LAYOUT: Final = Layout(
    name="journal",
    records=(Served,),
    bare=Served,
    shared=True,
    when_full="Free space or make its directory, then ask again.",
    when_damaged="Delete the line to draw its samples again.",
)


class Journal:
    """Samples by key and number, appended to a file as they come. Read when first needed.

    Args:
        path: the file; None keeps them in memory only.
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = None if path is None else Path(path)
        self._log = None if self.path is None else AppendLog(self.path, _LAYOUT)
        self._samples: dict[str, dict[int, tuple[Choice, int | None]]] | None = None

    def samples(self, key: str) -> dict[int, tuple[Choice, int | None]]:
        """By number, each sample with the prompt tokens that came with it.

        Raises:
            LogError: the file cannot be read; CorruptLogError: a line of it is damaged.
        """
        if self._samples is None:
            self._samples = {}
            try:
                if self._log is not None:
                    self._log.read(self._take)
            except BaseException:
                self._samples = None
                raise
        return self._samples.setdefault(key, {})

    def append(self, answer: Served) -> None:
        """Keep the samples, and return when the disk has them.

        Raises:
            RunStorageError: the disk refused; the samples are kept in memory.
        """
        self.samples(answer.key)
        self._take(answer)
        if self._log is not None:
            self._log.append([answer])

    def forget(self, key: str) -> None:
        """Let go of samples that only memory holds."""
        if self._log is None and self._samples is not None:
            self._samples.pop(key, None)

    def _take(self, answer: Line) -> None:
        assert isinstance(answer, Served)
        assert self._samples is not None
        kept = self._samples.setdefault(answer.key, {})
        for number, choice in enumerate(answer.choices, start=answer.first):
            if number not in kept or kept[number][0].tokens is None:  # a sample without a count may be drawn again
                kept[number] = choice, answer.prompt_tokens
