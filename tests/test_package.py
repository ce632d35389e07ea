"""What someone who installs the package meets first: its imports, its public names, its typing marker, its version."""

import importlib.resources
import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import breakeven
from breakeven._version import __version__

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "module",
    [
        "breakeven",
        "breakeven.cli",
        "breakeven.records",
        "breakeven.report",
        "breakeven.stopping",
        "breakeven.store",
    ],
)
def test_importing_brings_no_torch(module: str) -> None:
    """In a fresh interpreter, since this one may have torch already; import-linter sees static imports only."""
    code = f"import sys, {module}; print(sorted({{'torch', 'safetensors'}} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"


def test_an_adapter_is_imported_where_it_is_first_named() -> None:
    code = (
        "import sys, breakeven; before = 'transformers' in sys.modules; "
        "print(before, breakeven.transformers.EarlyStop.__name__, breakeven.torch.EarlyStop.__name__); "
        "from breakeven.transformers import EarlyStop; print(EarlyStop is breakeven.transformers.EarlyStop)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "False EarlyStop EarlyStop\nTrue"
    with pytest.raises(AttributeError, match="no attribute 'tranformers'"):
        _ = getattr(breakeven, "tranformers")  # noqa: B009


@pytest.mark.parametrize("module", ["torch", "transformers", "lightning", "ray"])
def test_an_adapter_is_a_module_too(module: str) -> None:
    """Asked without importing it: the framework takes seconds, and need not be there."""
    assert importlib.util.find_spec(f"breakeven.{module}") is not None


def test_public_names_are_sorted_and_unique() -> None:
    assert breakeven.__all__ == sorted(set(breakeven.__all__))


@pytest.mark.parametrize("name", breakeven.__all__)
def test_public_name_resolves_and_is_documented(name: str) -> None:
    public = getattr(breakeven, name)
    if inspect.isclass(public) or callable(public):
        doc = public.__doc__ or ""
        assert doc.strip(), f"{name} has no docstring"
        assert not doc.startswith(f"{name}("), f"{name} has only the docstring that dataclass makes"


def test_public_names_are_all_that_is_public() -> None:
    """A name that the package imports for its own use is underscored or listed; submodules are neither."""
    public = {
        name for name, value in vars(breakeven).items() if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public <= set(breakeven.__all__)


def test_version_is_public_and_in_the_changelog() -> None:
    assert breakeven.__version__ == __version__
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert __version__ in headings
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_typing_marker_ships() -> None:
    assert importlib.resources.files("breakeven").joinpath("py.typed").is_file()
