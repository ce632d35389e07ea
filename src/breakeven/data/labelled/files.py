"""Bytes of files, gzip files and archives, refused where they would fill the memory."""

import gzip
import tarfile
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import Final

from breakeven.errors import ArgumentError, argument_error
from breakeven.jsonl import inflates_to

MOST_BYTES: Final = 4 << 30
"""Of one file, unpacked."""
_UNREADABLE: Final = (OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError, RuntimeError)


def file_bytes(path: Path) -> bytes:
    """The content of a file; of a gzip file, what it holds.

    Raises:
        ArgumentError: it cannot be read, is damaged, or unpacks to far more than it is.
    """
    try:
        most = min(MOST_BYTES, inflates_to(path))
        with path.open("rb") as file:
            return _unpacked(file.read(), most, str(path))
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def member_bytes(path: Path, name: str) -> bytes:
    """The content of the one member of a zip file (a wheel is one) or a tar file whose path ends in `name`.

    A member that is a gzip file is unpacked.

    Raises:
        ArgumentError: the archive cannot be read, or has no such member, or one that is too large.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                inside = {each.filename: each.file_size for each in archive.infolist()}
                return _unpacked(archive.read(_member(path, inside, name)), MOST_BYTES, f"{name} in {path}")
        return tar_bytes(file_bytes(path), path, name)
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def tar_bytes(packed: bytes, path: Path, name: str) -> bytes:
    """The content of the one member of a tar file in memory whose path ends in `name`; `path` is where it came from.

    Raises:
        ArgumentError: as of `member_bytes`.
    """
    try:
        with tarfile.open(fileobj=BytesIO(packed)) as archive:
            inside = {each.name: each.size for each in archive.getmembers() if each.isfile()}
            file = archive.extractfile(_member(path, inside, name))
            return b"" if file is None else file.read()
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def _member(path: Path, sizes: dict[str, int], name: str) -> str:
    found = [each for each in sizes if f"/{each}".endswith(f"/{name}")]
    if len(found) != 1:
        raise argument_error(str(path), f"hold {name} once", f"{len(found)} of it among {len(sizes)} files")
    if sizes[found[0]] > MOST_BYTES:
        raise argument_error(f"{name} in {path}", f"be at most {MOST_BYTES >> 30} GiB", f"{sizes[found[0]]:,} bytes")
    return found[0]


def _unpacked(content: bytes, most: float, name: str) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content
    with gzip.open(BytesIO(content)) as file:
        unpacked = file.read(int(most) + 1)
    if len(unpacked) > most:
        raise argument_error(name, f"unpack to at most {int(most):,} bytes", "more", "If all is well, unpack it first.")
    return unpacked


def _unreadable(path: Path, error: Exception) -> ArgumentError:
    return argument_error(str(path), "be a readable file", getattr(error, "strerror", None) or str(error))
