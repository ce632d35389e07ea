"""Every sample a server gave, kept before anything is done with it: a killed run never pays for one twice."""

from pathlib import Path
from threading import Lock
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

    In memory are the samples of the keys that are in use; of all others it is known where in the file they are.

    Args:
        path: the file; None keeps them in memory only.
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = None if path is None else Path(path)
        self._log = None if self.path is None else AppendLog(self.path, _LAYOUT)
        self._starts: dict[str, list[int]] | None = None
        """By key, where in the file its lines begin; None: not read yet."""
        self._samples: dict[str, dict[int, tuple[Choice, int | None]]] = {}
        self._refused: set[str] = set()
        """Keys of which only memory holds some samples, since the disk refused them."""
        self._appending = Lock()

    def samples(self, key: str) -> dict[int, tuple[Choice, int | None]]:
        """By number, each sample with the prompt tokens that came with it.

        Raises:
            LogError: the file cannot be read; CorruptLogError: a line of it is damaged.
        """
        starts = self._lines()
        if key not in self._samples:
            kept = dict[int, tuple[Choice, int | None]]()
            for start in starts.get(key, ()):
                assert self._log is not None, "only a file has lines"
                _take(kept, self._log.read_at(start, Served, lambda answer: answer.key == key))
            self._samples[key] = kept
        return self._samples[key]

    def append(self, answer: Served) -> None:
        """Keep the samples, and return when the disk has them.

        Raises:
            RunStorageError: the disk refused; the samples are kept in memory.
        """
        with self._appending:
            _take(self.samples(answer.key), answer)
            if self._log is None:
                return
            try:
                self._log.append([answer])
            except BaseException:
                self._refused.add(answer.key)
                raise
            self._lines().setdefault(answer.key, []).append(self._log.start)

    def forget(self, key: str) -> None:
        """Let go of samples that are not in use: what the file holds is read again where it is asked for."""
        if key not in self._refused:
            self._samples.pop(key, None)

    def _lines(self) -> dict[str, list[int]]:
        if self._starts is None:
            found: dict[str, list[int]] = {}

            def take(answer: Line) -> None:
                assert isinstance(answer, Served)
                assert self._log is not None, "it is what is read"
                found.setdefault(answer.key, []).append(self._log.start)

            if self._log is not None:
                self._log.read(take)
            self._starts = found
        return self._starts


def _take(kept: dict[int, tuple[Choice, int | None]], answer: Line) -> None:
    assert isinstance(answer, Served)
    for number, choice in enumerate(answer.choices, start=answer.first):
        if number not in kept or kept[number][0].tokens is None:  # a sample without a count may be drawn again
            kept[number] = choice, answer.prompt_tokens
