"""Installed packages that a sandbox lends to what runs in it: those that are named, and what they need."""

import importlib.metadata
import re
from collections.abc import Sequence
from pathlib import Path

from breakeven.errors import argument_error

_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)[^;]*(;.*\bextra\b)?")


def installed_paths(names: Sequence[str]) -> dict[str, str]:
    """Where each file or folder lies that must be importable for packages `names`, by the name it has there.

    Args:
        names: of packages, or of modules, as installed beside breakeven.

    Raises:
        ArgumentError: one is not installed, or not as files.
    """
    paths: dict[str, str] = {}
    known = set[str]()
    for name in names:
        own = _paths(name, known)
        if not own:
            remedy = f"Install it beside breakeven, not in place: pip install {name}."
            raise argument_error("--sandbox-package", "be installed, as files", name, remedy)
        paths |= own
    return paths


def modules(name: str) -> list[str]:
    """What to import of a package: the module of its name, else all that it has."""
    tops = {Path(each).stem for each in _paths(name, set(), needs=False)}
    found = sorted(each for each in tops if each.isidentifier() and not each.startswith("_"))
    return [each for each in found if each == name.replace("-", "_")] or found


def _paths(name: str, known: set[str], *, needs: bool = True) -> dict[str, str]:
    """Of one package, with those it needs that are installed; none where it is `known`, or not there."""
    distribution = _distribution(name)
    if distribution is None:
        return {}
    known.add(name.lower())
    tops = {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}
    own = {top: str(distribution.locate_file(top)) for top in tops if not top.endswith(".pth")}
    paths = {top: str(Path(path).resolve()) for top, path in own.items() if Path(path).exists()}
    if all(top.endswith(".dist-info") for top in paths):
        return {}
    for each in distribution.requires or () if needs else ():
        needed = _REQUIREMENT.match(each)
        if needed and not needed[2] and needed[1].lower() not in known:
            paths |= _paths(needed[1], known)
    return paths


def _distribution(name: str) -> importlib.metadata.Distribution | None:
    try:
        return importlib.metadata.distribution(name or "-")
    except importlib.metadata.PackageNotFoundError:  # the name of a module, perhaps
        named = importlib.metadata.packages_distributions().get(name, ())
        return importlib.metadata.distribution(named[0]) if named else None
