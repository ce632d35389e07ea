"""The library that draws charts in a page, and the same charts as files: both of vl-convert, which needs no browser."""

import json
import os
import zlib
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

from breakeven.report.charts.chart import Figure
from breakeven.report.charts.theme import config, resolved
from breakeven.report.charts.vega import sized
from breakeven.store import write_whole

FORMATS: Final = ("svg", "png", "pdf")
_WIDTH: Final = 720
_SNIPPET: Final = "window.breakevenEmbed = vegaEmbed;"
_END: Final = "\n// whole"
"""Of a script that is kept: one that was cut ends otherwise."""


def javascript() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, which defines `breakevenEmbed`.

    Putting it together takes some seconds, so that it is kept in the user's cache folder, by version; where there is
    none, or it cannot be written to, it is made each time.
    """
    folder = _cache()
    name = f"vega-{version('vl-convert-python')}-{zlib.crc32(_SNIPPET.encode()):08x}.js"
    if folder is not None:
        with suppress(OSError, UnicodeError):
            text = (folder / name).read_text("utf-8")
            if text.endswith(_END):
                return text.removesuffix(_END)
    import vl_convert

    script = vl_convert.javascript_bundle(_SNIPPET)
    if folder is not None:
        with suppress(OSError):
            _keep(script, folder, name)
    return script


def static(figure: Figure, form: str) -> bytes:
    """A chart as a file of its own, in the light theme: "svg", "png" or "pdf"."""
    import vl_convert

    spec = json.dumps(resolved({**sized(figure.spec, figure.chart.title, _WIDTH), "config": config()}))
    if form == "svg":
        return vl_convert.vegalite_to_svg(spec).encode()
    if form == "png":
        return vl_convert.vegalite_to_png(spec, scale=2)
    return vl_convert.vegalite_to_pdf(spec)


def _cache() -> Path | None:
    with suppress(RuntimeError):  # no HOME, and a user whom the machine does not know
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "breakeven"
    return None


def _keep(script: str, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / f"{name}.{os.getpid()}"  # others may be at it too: the last one stays
    try:
        write_whole(own, script + _END, remedy="")
        own.replace(folder / name)
    finally:
        own.unlink(missing_ok=True)
