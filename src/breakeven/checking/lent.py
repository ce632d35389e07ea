"""What of this machine's files a sandbox shows: an interpreter, its standard library, the shared libraries of both."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

PACKAGES = "/packages"
_LINKS = ("/lib", "/lib64", "/lib32")
_ALSO = ("/etc/ld.so.cache", "/usr/share/zoneinfo", "/usr/lib/locale/C.utf8")
"""What the C library and the standard library read: where libraries lie, time zones, the locale C.UTF-8."""
_SYSTEM_FOLDER = re.compile(r"(/usr)?/lib(64|/[^/]*-linux-[^/]*)")
"""A folder of shared libraries alone, which is shown whole: a mount for each of thirty files would take 10 ms."""
_LIBRARY = re.compile(r"(/\S+) \(0x")
_SEARCH_PATH = "import json, os, sys; print(json.dumps([each for each in sys.path if os.path.exists(each)]))"


@cache
def shown(interpreter: str) -> tuple[str, ...]:
    """Arguments of `bwrap` that show an interpreter, its standard library and the libraries of both, read-only.

    Raises:
        OSError, ValueError, subprocess.SubprocessError: the interpreter does not run.
    """
    asked = [interpreter, "-S", "-s", "-B", "-c", _SEARCH_PATH]
    answer = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True, env={}, cwd="/")
    library = [each for each in json.loads(answer.stdout) if each.startswith("/")]
    return tuple(_arguments([interpreter, *library], hide="*-packages"))


@cache
def lent(packages: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """The same for installed packages, by name, each below `PACKAGES`."""
    return tuple(_arguments([path for _, path in packages], at={path: f"{PACKAGES}/{name}" for name, path in packages}))


def _arguments(paths: Sequence[str], at: Mapping[str, str] | None = None, hide: str = "") -> Iterator[str]:
    outermost = [each for each in paths if not any(str(parent) in paths for parent in Path(each).parents)]
    folders, files = _libraries(outermost, hide)
    if at is None:
        for link in map(Path, _LINKS):
            if link.is_symlink():
                yield from ("--symlink", str(link.readlink()), str(link))
        for each in _ALSO:
            yield from ("--ro-bind-try", each, each)
    for each in (*folders, *outermost):
        yield from ("--ro-bind", str(Path(each).resolve()), (at or {}).get(each, each))
    for name, path in files.items():
        yield from ("--ro-bind", path, name)
    # Benchmarks with their solutions may lie among installed packages.
    for hidden in sorted({each for folder in (*folders, *outermost) for each in _hidden(Path(folder), hide)}):
        yield from ("--tmpfs", hidden, "--remount-ro", hidden)


def _hidden(folder: Path, pattern: str) -> list[str]:
    if not pattern:
        return []
    found = (*folder.glob(pattern), *folder.glob(f"python*/{pattern}"))
    return [str(each) for each in found if each.is_dir()]


def _libraries(paths: Sequence[str], hide: str) -> tuple[list[str], dict[str, str]]:
    """Folders and single files of the shared libraries that programs and libraries below `paths` load."""
    objects = [path for path in paths if Path(path).is_file()]
    for path in paths:
        for place, inner, names in os.walk(path):
            inner[:] = [each for each in inner if not (hide and fnmatch(each, hide))]
            objects += [f"{place}/{name}" for name in names if ".so" in name]
    said = ""
    for start in range(0, len(objects), 200):
        listed = subprocess.run(["ldd", *objects[start : start + 200]], capture_output=True, text=True, check=False)
        said += listed.stdout
    folders, files = set[str](), dict[str, str]()
    for found in map(Path, _LIBRARY.findall(said)):
        folder = found.parent.resolve()
        if _SYSTEM_FOLDER.fullmatch(str(folder)):
            folders.add(str(folder))
        elif not any(folder.is_relative_to(Path(path).resolve()) for path in paths):
            files[str(folder / found.name)] = str(found.resolve())
            # Loaded by name when the first thread ends.
            if found.name.startswith("libc.so") and (last := folder / "libgcc_s.so.1").exists():
                files[str(last)] = str(last.resolve())
    return sorted(folders), files
