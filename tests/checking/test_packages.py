"""Installed packages in the sandbox: what is lent, with what it needs, and nothing else."""

import importlib.metadata
from pathlib import Path

import pytest

from breakeven.checking import Limits, Program, Verdict, find_sandbox
from breakeven.checking.bubblewrap import Bubblewrap
from breakeven.checking.packages import installed_paths, modules
from breakeven.checking.program import Sandbox
from breakeven.checking.subprocess_backend import UnsafeSubprocess
from breakeven.errors import ArgumentError

DOUBLES = Program(
    source="import numpy as np\ndef f(x):\n    return [float(v) for v in 2.0 * np.arange(x)]",
    test="import numpy as np\nassert np.allclose(f(3), [0, 2, 4])",
    functions=("f",),
)


def test_what_a_package_needs_comes_with_it() -> None:
    paths = installed_paths(["scipy"])
    assert {"scipy", "numpy"} <= set(paths)
    assert all(Path(path).exists() for path in paths.values())
    assert "msgspec" not in paths
    assert set(paths) == set(installed_paths(["scipy", "numpy"]))
    assert "pytest" not in paths, "what only its extras need is left out"


def test_packages_and_modules_are_named() -> None:
    assert modules("numpy") == ["numpy"]
    assert installed_paths(["yaml"]) == installed_paths(["PyYAML"]) != {}
    assert "yaml" in modules("PyYAML")


@pytest.mark.parametrize("name", ["no-such-package", "", "breakeven"])
def test_what_is_not_installed_as_files_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    in_place = importlib.metadata.distribution("numpy")
    monkeypatch.setattr(type(in_place), "files", [])
    with pytest.raises(ArgumentError, match="--sandbox-package must be installed, as files; got"):
        installed_paths([name])


def test_a_lent_package_can_be_imported_by_program_and_test(bubblewrap: Sandbox) -> None:
    assert bubblewrap.run(DOUBLES).reason == "ModuleNotFoundError: No module named 'numpy' (line 1)"
    try:
        lending = find_sandbox(packages=["numpy"])
    except ArgumentError as error:
        pytest.skip(str(error))  # this Python's packages are not for the system's, or not for everybody to read
    assert lending.run(DOUBLES).verdict is Verdict.PASSED
    written = Program(source="def f(x):\n    open('/packages/numpy/x', 'w')", test="f(1)", functions=("f",))
    assert lending.run(written).reason.startswith("OSError: [Errno 30] Read-only file system")


def test_a_plain_subprocess_lends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert UnsafeSubprocess(packages=installed_paths(["numpy"])).run(DOUBLES).verdict is Verdict.PASSED


def test_the_command_binds_read_only() -> None:
    sandbox = Bubblewrap(
        bwrap="/usr/bin/bwrap",
        version=(0, 8, 0),
        interpreter="/usr/bin/python3",
        packages={"numpy": "/opt/numpy"},
    )
    command = " ".join(sandbox.command(Limits()))
    assert "--ro-bind /opt/numpy /packages/numpy" in command
    assert command.index("/packages/numpy") < command.index("--remount-ro / ")


def test_a_package_that_cannot_be_imported_there_is_told(bubblewrap: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breakeven.checking.found.modules", lambda name: ["not_there"])
    with pytest.raises(ArgumentError, match=r"must be importable there; got .numpy: .*No module named 'not_there'"):
        find_sandbox(packages=["numpy"])
