"""A plan from end to end: a row computed on the cells of a directory, concluded, and kept there."""

import platform
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from breakeven import check
from breakeven._version import __version__
from breakeven.errors import LogError, MissingExtraError, argument_error
from breakeven.plan.cells import Cells
from breakeven.plan.conclude import conclude
from breakeven.plan.row import Asked, Row
from breakeven.plan.wanted import Wanted
from breakeven.readers.eval_results import RESULTS_NAME
from breakeven.records.plans import PlanResult
from breakeven.settings import as_record, override, refuse_unknown, types_of
from breakeven.store import CELLS_NAME, LOG_NAME, SAMPLES_NAME, CellFile, PlanHeader, write_whole

PLAN_NAME: Final = "plan.json"
_READ: Final = (LOG_NAME, RESULTS_NAME, SAMPLES_NAME)
"""What of a directory is read, where it is a run's or one of `breakeven eval`; of others all."""
_EXTRAS: Final = {"torch": "torch", "safetensors": "torch", "optuna": "plan", "yaml": "plan", "torchao": "quantization"}
"""By module: the extra that brings it."""


def settings_of(
    row: Row,
    given: Sequence[str] = (),
    *,
    preset: str | None = None,
    held: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    """The settings of a row, an instance of `row.settings`.

    Args:
        row: the question.
        given: each `key=value`, in the place of all others.
        preset: a name in `row.presets`, whose settings stand in the place of those held and of the defaults.
        held: of a plan that is resumed: those that it was begun with.

    Raises:
        ArgumentError: a preset or a setting that the row lacks, or a value that its setting cannot have.
    """
    settings = dict(held)
    if preset is not None:
        if not row.presets:
            raise argument_error("--preset", f"be left out of the row {row.name}, which has none", preset)
        check.one_of("--preset", preset, row.presets)
        settings |= row.presets[preset]
    for each in given:
        override(settings, each)
    refuse_unknown(settings, types_of(row.settings))
    return as_record(settings, row.settings)


def held_by(directory: Path) -> PlanHeader:
    """What the plan of a directory was begun with.

    Raises:
        LogError: there is none, or it cannot be read. RunInUseError: another process is at it.
    """
    with CellFile(directory, None) as file:
        return file.header


def run_plan(
    row: Row,
    directory: Path,
    *,
    settings: Any = None,
    files: Sequence[Path] = (),
    wanted: Wanted | None = None,
    on_cell: Callable[[str, bool], None] = lambda key, known: None,
) -> PlanResult:
    """Compute what the directory lacks of a plan, conclude, and write both there: cells.jsonl and plan.json.

    Args:
        row: the question.
        directory: of the plan, new or begun before with the same row, settings and files.
        settings: an instance of `row.settings`; None: the defaults.
        files: that the row reads. One that is gone is taken to be as it was when the plan was begun.
        wanted: what is asked of the options.
        on_cell: as of `Cells`.

    Raises:
        ArgumentError: the plan was begun with other settings or files, a file is none that the row reads, or the
            options do not hold what is asked for.
        MissingExtraError: the row needs a package that is not installed.
        RunInUseError, RunStorageError, LogError: see `CellFile`.
    """
    used, wanted = row.settings() if settings is None else settings, wanted or Wanted()
    plain = msgspec.json.decode(msgspec.json.encode(used))
    sums = {str(each): _checksum(each, directory) for each in files}
    begun_with = {name: value for name, value in plain.items() if name not in row.free}
    header = PlanHeader(versions=_versions(), row=row.name, settings=begun_with, files=sums)
    with CellFile(directory, header) as file, _extras(row.name):
        cells = Cells(file=file, on_cell=on_cell)
        asked = Asked(settings=used, files=tuple(files), cells=cells, queries=wanted.queries, sure=wanted.sure)
        answer = row.answer(asked)
        found = conclude(row.name, answer, wanted)
        result = replace(found, settings=plain, files=tuple(sums), versions=file.header.versions)
        encoded = msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n"
        write_whole(directory / PLAN_NAME, encoded, remedy="The cells are kept: go on by --resume.")
    return result


@contextmanager
def _extras(row: str) -> Iterator[None]:
    """Names the extra of a package that is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        module = str(error.name).partition(".")[0]
        extra = _EXTRAS.get(module)
        if extra is None:
            raise
        needs = f"breakeven plan {row} needs {module}: pip install 'breakeven[{extra}]'"
        raise MissingExtraError(needs) from error


def _versions() -> dict[str, str]:
    found = {"breakeven": __version__, "python": platform.python_version(), "numpy": version("numpy")}
    for name in ("torch", "torchao"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _checksum(path: Path, directory: Path) -> str:
    """CRC-32 of a file, or of all that is read of a directory; of one that is gone, as the plan has it."""
    if not path.exists() and (directory / CELLS_NAME).is_file():
        return held_by(directory).files.get(str(path), "")
    own = [path / name for name in _READ if (path / name).is_file()]
    files = own or sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    total = 0
    try:
        for each in files:
            with each.open("rb") as file:
                while block := file.read(1 << 20):
                    total = zlib.crc32(block, total)
    except OSError as error:
        raise LogError(f"--from {path} must be a file that can be read; got {error.strerror or error}.") from error
    return f"{total:08x}"
