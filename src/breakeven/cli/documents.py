"""How every command writes a report: in the form that its file is named for, with its charts as files beside it."""

import os
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from breakeven.errors import argument_error
from breakeven.report.charts.bundle import FORMATS, static
from breakeven.report.document import Document
from breakeven.report.forms import FORMS
from breakeven.store import make_directory, storage_errors, write_whole

FiguresOption = Annotated[
    Path | None,
    typer.Option("--figures", metavar="DIR", help="Write each chart into DIR, as SVG, PNG and PDF; made if missing."),
]


def check_place(option: str, path: Path) -> None:
    """Refuse a file that no report can be written to, before anything is computed.

    Raises:
        ArgumentError: `path` is in no directory, or its suffix is of no form.
    """
    if not path.parent.is_dir():
        raise argument_error(option, "be a file in a directory that exists", str(path))
    if path.suffix.lower() not in FORMS and (path.is_file() or not path.exists()):  # a pipe has the page
        raise argument_error(
            option, f"end in {_listed(list(FORMS))}", str(path), "These are a page, Markdown and JSON."
        )


def write_document(
    option: str, path: Path, document: Document, figures: Path | None = None, remedy: str = "Choose another file."
) -> None:
    """Write a report.

    Args:
        option: that the path comes from.
        path: of the report; its suffix says in which form.
        document: the report.
        figures: where its charts are written, too; Markdown then shows them.
        remedy: what to do where the disk refuses the report.

    Raises:
        ArgumentError: see `check_place`.
        RunStorageError: the disk refused.
    """
    check_place(option, path)
    images = {}
    if figures is not None:
        write_figures(figures, document)
        place = quote(Path(os.path.relpath(figures, path.parent)).as_posix())
        images = {each.chart.name: f"{place}/{each.chart.name}.png" for each in document.figures}
    write_whole(path, FORMS.get(path.suffix.lower(), FORMS[".html"])(document, images), remedy=remedy)


def write_figures(directory: Path, document: Document) -> None:
    """Write each chart of a report as files NAME.svg, NAME.png and NAME.pdf.

    Raises:
        RunStorageError: the disk refused.
    """
    with storage_errors(f"directory {directory} cannot be made", "Choose another --figures."):
        make_directory(directory)
    for figure in document.figures:
        for form in FORMATS:
            path = directory / f"{figure.chart.name}.{form}"
            write_whole(path, static(figure, form), remedy="Choose another --figures.")


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
