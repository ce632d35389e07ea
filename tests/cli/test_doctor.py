"""`breakeven doctor` says what is there and what is not, and how to get it."""

import importlib
import importlib.metadata
import json
import sys

import pytest

from breakeven.checking.subprocess_backend import UnsafeSubprocess
from breakeven.errors import SandboxError

doctor = importlib.import_module("breakeven.cli.doctor")  # the package has the command itself under this name


def test_it_says_what_is_active(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_sandbox", UnsafeSubprocess)
    result = cli("doctor")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("breakeven  ")
    assert any(each.startswith("sandbox    none: a plain subprocess, ") for each in lines)
    assert "3 s of CPU, 20 s by the clock, 512 MiB memory, 8 processes, 1 MiB output, 16 MiB files" in result.stdout
    for package in doctor.EXTRAS:
        assert f" {package} " in result.stdout


def test_what_is_missing_comes_with_a_remedy(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_package(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    def no_sandbox() -> None:
        raise SandboxError("install bubblewrap")

    monkeypatch.setattr(importlib.metadata, "version", no_package)
    monkeypatch.setattr(doctor, "find_sandbox", no_sandbox)
    result = cli("doctor")
    assert result.exit_code == 0
    assert "sandbox    none: install bubblewrap" in result.stdout
    assert "GPUs       unknown: PyTorch cannot be imported" in result.stdout
    for extra in set(doctor.EXTRAS.values()):
        assert f"not installed: pip install 'breakeven[{extra}]'" in result.stdout
    found = json.loads(cli("doctor", "--json").stdout)
    assert (found["sandbox"], found["sandbox_remedy"]) == (None, "install bubblewrap")
    assert set(found["packages"].values()) == {None}


def test_json_has_the_same_facts(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_sandbox", UnsafeSubprocess)
    found = json.loads(cli("doctor", "--json").stdout)
    assert found["cpus"] >= 1
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["sandbox_limits"]["cpu_seconds"] == 3
    assert found["packages"]["torch"] == importlib.metadata.version("torch")
    assert isinstance(found["gpus"], list)


@pytest.mark.parametrize(("names", "shown"), [(None, "unknown"), ((), "none that PyTorch sees"), (("A", "B"), "A, B")])
def test_gpus_are_named(names: tuple[str, ...] | None, shown: str) -> None:
    assert doctor._gpus(names).startswith(shown)


def test_torch_that_cannot_be_imported_sees_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert doctor._torch_gpus() is None
