"""Which sandbox is found: bubblewrap where it works, nothing else unless asked, and a remedy where there is none."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from breakeven.checking import Limits, Sandbox, Verdict, bubblewrap, find_sandbox, found
from breakeven.checking.bubblewrap import Bubblewrap, interpreter_for
from breakeven.checking.subprocess_backend import UnsafeSubprocess
from breakeven.errors import SandboxError


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The search starts anew, and what it finds here is forgotten."""
    found._bubblewrap.cache_clear()
    yield monkeypatch
    found._bubblewrap.cache_clear()


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_bubblewrap_is_preferred_and_kept(bubblewrap: Sandbox) -> None:
    assert find_sandbox() is find_sandbox(unsafe=True)
    assert bubblewrap.safe
    assert bubblewrap.description.startswith("bubblewrap ")


def test_without_bubblewrap_it_refuses_and_names_both_remedies(fresh: pytest.MonkeyPatch) -> None:
    fresh.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SandboxError, match=r"bwrap is not installed.*apt-get install bubblewrap.*--unsafe-exec"):
        find_sandbox()
    unsafe = find_sandbox(unsafe=True)
    assert isinstance(unsafe, UnsafeSubprocess)
    assert not unsafe.safe
    assert unsafe.description.startswith("none: ")


def test_bubblewrap_that_does_not_work_is_no_sandbox(fresh: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = 'test "$1" = --version && echo bubblewrap 0.9.1 && exit; echo "bwrap: no permissions" >&2; exit 1'
    broken = program(tmp_path / "bwrap", text)
    fresh.setattr(shutil, "which", lambda name: broken if name == "bwrap" else None)
    with pytest.raises(SandboxError, match=r"bwrap 0.9.1 does not work here \(bwrap: no permissions\).*namespaces"):
        find_sandbox()


def test_what_is_no_bubblewrap_at_all_is_no_sandbox(fresh: pytest.MonkeyPatch, tmp_path: Path) -> None:
    odd = program(tmp_path / "bwrap", "echo hello")
    fresh.setattr(shutil, "which", lambda name: odd)
    with pytest.raises(SandboxError, match="--version says 'hello'"):
        find_sandbox()


def test_root_without_a_readable_interpreter_or_setpriv(fresh: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = program(tmp_path / "bwrap", "test $1 = --version && echo bubblewrap 0.9.1; exit 1")
    fresh.setattr(shutil, "which", lambda name: broken)
    fresh.setattr(os, "geteuid", lambda: 0)
    fresh.setattr(found, "interpreter_for", lambda user_is_root: None)
    with pytest.raises(SandboxError, match="no interpreter that an ordinary user can read: install python3"):
        find_sandbox()


def test_interpreter_is_the_running_one_unless_root_alone_may_read_it(fresh: pytest.MonkeyPatch) -> None:
    running = os.path.realpath(sys.executable), os.path.realpath(sys.base_prefix)
    assert interpreter_for(user_is_root=False) == running
    fresh.setattr(bubblewrap, "_readable_by_all", lambda path: True)
    assert interpreter_for(user_is_root=True) == running
    fresh.setattr(bubblewrap, "_readable_by_all", lambda path: False)
    assert interpreter_for(user_is_root=True) is None


def test_readable_by_all_looks_at_every_folder_on_the_way(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    tmp_path.chmod(0o700)
    inner.chmod(0o755)
    assert not bubblewrap._readable_by_all(str(inner))
    assert bubblewrap._readable_by_all("/usr")


def test_command_shows_what_the_sandbox_is_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "shown", lambda interpreter: ("--ro-bind", interpreter, interpreter))
    monkeypatch.setattr(bubblewrap, "harness_source", lambda interpreter, *confinement: " ".join(map(str, confinement)))
    sandbox = Bubblewrap(bwrap="/usr/bin/bwrap", version=(0, 8, 0), interpreter="/opt/python/bin/python3")
    command = " ".join(sandbox.command(Limits()))
    for part in (
        "--unshare-user",
        "--unshare-net",
        "--disable-userns",
        "--cap-drop ALL",
        "--die-with-parent",
        "--ro-bind /opt/python/bin/python3 /opt/python/bin/python3",
        "size=16777216,nr_inodes=4098,mode=700",
        "--size 16777216 --tmpfs /tmp --remount-ro /",
    ):
        assert part in command
    assert "--proc" not in command
    older = Bubblewrap(bwrap="/usr/bin/bwrap", version=(0, 6, 1), interpreter="/usr/bin/python3")
    assert "--disable-userns" not in older.command(Limits())
    root = replace(older, version=(0, 8), setpriv="/usr/bin/setpriv")
    assert root.command(Limits())[:3] == ["/usr/bin/setpriv", "--reuid", "65534"]


def test_a_system_that_forbids_mounts_has_a_sandbox_all_the_same_which_says_so(bubblewrap: Bubblewrap) -> None:
    without = replace(bubblewrap, counts_files=False)
    assert "CAP_SYS_ADMIN" not in without.command(Limits())
    assert without.run(found._PROBE).verdict is Verdict.PASSED
    assert "any number of files in /tmp" in without.description


def test_where_mounts_are_forbidden_the_sandbox_without_is_found(
    bubblewrap: Bubblewrap, fresh: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    forbids = f'case "$*" in *CAP_SYS_ADMIN*) echo "no mounts" >&2; exit 1; esac; exec {bubblewrap.bwrap} "$@"'
    path = program(tmp_path / "bwrap", forbids)
    real = shutil.which
    fresh.setattr(shutil, "which", lambda name: path if name == "bwrap" else None if name == "setpriv" else real(name))
    sandbox = find_sandbox()
    assert isinstance(sandbox, Bubblewrap)
    assert not sandbox.counts_files


def test_a_machine_whose_system_calls_are_not_known_has_no_filter_and_says_so(
    bubblewrap: Sandbox, fresh: pytest.MonkeyPatch
) -> None:
    fresh.setattr(platform, "machine", lambda: "riscv64")
    assert "any system call: their numbers on riscv64 are not known" in bubblewrap.description
    assert bubblewrap.run(found._PROBE).verdict is Verdict.PASSED
