"""Every sample a server gave, kept before anything is done with it: a killed run never pays for one twice."""

import os
from pathlib import Path

import msgspec

from breakeven.errors import CorruptLogError, RunStorageError


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One sample as the server gave it."""

    text: str
    finish: str
    tokens: int | None = None
    """Tokens it took, end token included; None if the server does not say."""
    stopped: bool | None = None
    """Whether a stop string ended it; None if the server does not say."""
    stop_string: str | None = None
    """Which one, where the server names it."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line: samples `first`, `first + 1`, ... of what `key` stands for."""

    key: str
    """Hash of everything the samples depend on besides their number."""
    problem: str
    first: int
    choices: tuple[Choice, ...]
    prompt_tokens: int | None = None


class Journal:
    """Samples by key and number, appended to a file as they come. Read when first needed.

    Args:
        path: the file; None keeps them in memory only.
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = None if path is None else Path(path)
        self._samples: dict[str, dict[int, tuple[Choice, int | None]]] | None = None

    def samples(self, key: str) -> dict[int, tuple[Choice, int | None]]:
        """By number, each sample with the prompt tokens that came with it."""
        if self._samples is None:
            self._samples = {}
            for entry in self._read():
                self._keep(entry)
        return self._samples.setdefault(key, {})

    def append(self, entry: Entry) -> None:
        """Keep the samples, and return when the disk has them.

        Raises:
            RunStorageError: the disk refused; the samples are kept in memory.
        """
        self.samples(entry.key)
        self._keep(entry)
        if self.path is None:
            return
        try:
            with self.path.open("ab") as file:
                file.write(msgspec.json.encode(entry) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise RunStorageError(f"the journal {self.path} cannot be written: {error}") from error

    def forget(self, key: str) -> None:
        """Let go of samples that only memory holds."""
        if self.path is None and self._samples is not None:
            self._samples.pop(key, None)

    def _keep(self, entry: Entry) -> None:
        assert self._samples is not None
        kept = self._samples.setdefault(entry.key, {})
        for number, choice in enumerate(entry.choices, start=entry.first):
            kept.setdefault(number, (choice, entry.prompt_tokens))

    def _read(self) -> list[Entry]:
        if self.path is None:
            return []
        try:
            content = self.path.read_bytes() if self.path.exists() else b""
            whole = content.rfind(b"\n") + 1
            if whole < len(content):  # the line that a kill tore: what is appended must not continue it
                os.truncate(self.path, whole)
        except OSError as error:
            raise RunStorageError(f"the journal {self.path} cannot be read: {error}") from error
        entries = []
        for number, line in enumerate(content[:whole].splitlines(), start=1):
            try:
                entries.append(msgspec.json.decode(line, type=Entry))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise CorruptLogError(
                    f"line {number} of the journal {self.path} must be a record of samples; it says {line[:60]!r} "
                    f"({error}). Delete the line to draw its samples again."
                ) from error
        return entries
