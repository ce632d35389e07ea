"""Let the disk fail under the commands of victims.py: full at many sizes, and an I/O error at each fsync in turn.

    nice python benchmarks/faults.py --sizes 20

The disk that fills up is a small tmpfs where this user may mount one (root), else a limit on the size of each file
(RLIMIT_FSIZE); the first line says which. After each fault: the command ended with an error of one line; whatever was
synced or renamed before is still there, the part of a log that was written is a beginning of the undisturbed one, and
files that are written once are whole. Then the disk has room again, the command goes on, and its end is compared byte
by byte with an undisturbed one. Ends with 1 if anything is otherwise.
"""

import argparse
import errno
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import victims

_REWRITTEN = ("state.safetensors", "report.html", "log.jsonl", "texts.jsonl", "samples.jsonl")
_SERVED = "cooldown/step-000012/full/serving.json"
"""Written with the weights, and again once it is known how they are to be served."""
_ROOM = 1 << 26


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, default=20, metavar="N", help="of the disk, for each command")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="fail at every Nth fsync only")
    parser.add_argument("--only", nargs="*", choices=victims.NAMES, default=victims.NAMES, metavar="COMMAND")
    asked = parser.parse_args()
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        whole = victims.prepare(place / "base")
        mounts = _can_mount(place)
        sys.stdout.write(f"full disk: {'a small tmpfs' if mounts else 'RLIMIT_FSIZE'}\n")
        sys.stdout.write(f"{'kind':24} {'tried':>5} {'refused':>7} {'equal ends':>10} {'faults':>6}\n")
        faults = []
        for name in asked.only:
            sizes = _sizes(whole[name], asked.sizes, mounts)
            tried = (full(place, name, size, whole[name], mounts) for size in sizes)
            faults += _row(f"{name}, disk full", tried)
        for name in asked.only:
            last = _fsyncs(place, name)
            tried = (failing(place, name, which, whole[name]) for which in range(1, last + 1, asked.every))
            faults += _row(f"{name}, EIO at fsync", tried)
    spent = time.process_time() - began + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    sys.stdout.write(f"{spent:.0f} s of CPU\n")
    sys.stdout.writelines(f"  {each}\n" for each in faults[:20])
    raise SystemExit(bool(faults))


def _row(kind: str, tried: Iterator[tuple[bool, list[str]]]) -> list[str]:
    """Try all of a kind, and print what came of it."""
    counts, faults = Counter[str](), list[str]()
    for refused, found in tried:
        counts.update(tried=1, refused=refused, equal=not any("end:" in each for each in found), faults=bool(found))
        faults += (f"{kind}: {each}" for each in found)
    sys.stdout.write(f"{kind:24} {counts['tried']:5} {counts['refused']:7} {counts['equal']:10} {counts['faults']:6}\n")
    sys.stdout.flush()
    return faults


def full(place: Path, name: str, size: int, whole: dict[str, bytes], mounts: bool) -> tuple[bool, list[str]]:
    """One command on a disk of `size` bytes, then on one with room. Whether it was refused, and what was wrong."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    with _disk(place / "disk", size if mounts else None) as disk:
        victim = victims.victim(name, disk / "out", place / "base")
        code, faults = _refused(victim, place, whole, None if mounts else limit)
        if mounts:
            _mount(disk, _ROOM, "remount,")
        return bool(code), [f"at {size} bytes, {each}" for each in faults + _goes_on(victim, place, whole)]


def failing(place: Path, name: str, which: int, whole: dict[str, bytes]) -> tuple[bool, list[str]]:
    """One command whose `which`-th fsync is an I/O error, then again without."""

    def arm() -> None:
        real, calls = os.fsync, count(1)

        def fsync(fd: int) -> None:
            if next(calls) == which:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            real(fd)

        os.fsync = fsync

    with _disk(place / "disk", None) as disk:
        victim = victims.victim(name, disk / "out", place / "base")
        code, faults = _refused(victim, place, whole, arm)
        if not code:
            faults.append("nothing was said")
        return bool(code), [f"at fsync {which}, {each}" for each in faults + _goes_on(victim, place, whole)]


def _refused(
    victim: victims.Victim, place: Path, whole: dict[str, bytes], fault: victims.Fault | None
) -> tuple[int, list[str]]:
    """Run into a fault. The exit code, and what was wrong with its error and with what it left."""
    said, kept = place / "said", place / "kept"
    kept.write_bytes(b"")
    code = victims.finish(victims.start(victim, said, lambda: _witness(kept, fault)))
    faults = []
    if code:
        words = said.read_text(encoding="utf-8", errors="replace")
        error = words[words.rfind("error: ") :].rstrip("\n")
        if code not in (2, 3) or not error.startswith("error: ") or "\n" in error or "Traceback" in words:
            faults.append(f"exit code {code}, {words[-300:]!r}")
    for path, size in (line.rsplit("\t", 1) for line in kept.read_text(encoding="utf-8").splitlines()):
        if not Path(path).exists() or Path(path).stat().st_size < int(size):
            faults.append(f"{path} lost what had been kept of it")
    for name, content in victim.files().items():
        lines = content[: content.rfind(b"\n") + 1]
        if name.endswith(".jsonl") and not whole[name].startswith(lines):
            faults.append(f"{name} is no beginning of the undisturbed one")
        if Path(name).name not in _REWRITTEN and name != _SERVED and content != whole.get(name):
            faults.append(f"{name} is not whole")
    return code, faults


def _witness(kept: Path, fault: victims.Fault | None) -> None:
    """Have this process tell which files the disk has promised to keep, with the bytes of those only appended to."""
    if fault is not None:
        fault()
    fsync, replace = os.fsync, os.replace
    named, waiting = set[str](), dict[str, int]()
    """A new name is a promise once its folder is synced, and not before: until then the call has not returned."""
    fd = os.open(kept, os.O_WRONLY | os.O_APPEND)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def tell(path: str, size: int) -> None:
        soft = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard[1], hard[1]))
        os.write(fd, f"{path}\t{size}\n".encode())
        resource.setrlimit(resource.RLIMIT_FSIZE, soft)

    def promise(path: str, size: int) -> None:
        if path in named:
            tell(path, size)
        else:
            waiting[path] = size

    def synced(file: int) -> None:
        fsync(file)
        path = os.readlink(f"/proc/self/fd/{file}")
        if path.endswith(".jsonl"):
            promise(path, os.fstat(file).st_size)
        for new in [each for each in waiting if os.path.dirname(each) == path]:
            named.add(new)
            tell(new, waiting.pop(new))

    def replaced(source: str, target: str) -> None:
        replace(source, target)
        promise(os.fspath(target), 0)

    os.fsync, os.replace = synced, replaced


def _goes_on(victim: victims.Victim, place: Path, whole: dict[str, bytes]) -> list[str]:
    """Go on to the end, unless only the name of its last file was not synced; and compare it."""
    code = 0 if victim.is_done() else victims.finish(victims.start(victim, place / "said"))
    if code:
        return [f"end: exit code {code}, {(place / 'said').read_text(encoding='utf-8', errors='replace')[-300:]!r}"]
    return [f"end: {each}" for each in victims.differences(victim.name, victim.files(), whole)]


def _fsyncs(place: Path, name: str) -> int:
    """How many fsyncs an undisturbed command makes."""
    counted = place / "counted"

    def arm() -> None:
        real = os.fsync
        fd = os.open(counted, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)

        def fsync(file: int) -> None:
            real(file)
            os.write(fd, b".")

        os.fsync = fsync

    with _disk(place / "disk", None) as disk:
        victims.finish(victims.start(victims.victim(name, disk / "out", place / "base"), place / "said", arm))
    return counted.stat().st_size


def _sizes(whole: dict[str, bytes], number: int, mounts: bool) -> list[int]:
    """Sizes spread evenly below what a command needs: in all, or, where only files are limited, for its largest."""
    most = sum(map(len, whole.values())) if mounts else max(map(len, whole.values()))
    return [most * (2 * each + 1) // (2 * number) for each in range(number)]


@contextmanager
def _disk(path: Path, size: int | None) -> Iterator[Path]:
    """An empty directory: a disk of its own with room for `size` bytes, unless that is None."""
    path.mkdir()
    if size is not None:
        _mount(path, size)
    try:
        yield path
    finally:
        if size is not None:
            subprocess.run(["umount", str(path)], check=True)
        shutil.rmtree(path)


def _mount(path: Path, size: int, how: str = "") -> None:
    options = f"{how}size={size}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True, capture_output=True)


def _can_mount(place: Path) -> bool:
    """Whether this user may mount a tmpfs."""
    try:
        with _disk(place / "probe", 1 << 16):
            return True
    except (OSError, subprocess.CalledProcessError):
        shutil.rmtree(place / "probe", ignore_errors=True)
        return False


if __name__ == "__main__":
    main()
