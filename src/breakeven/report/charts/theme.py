"""Colours, type and legends that all charts have in common.

A colour is written as `role(name)`, a mark of its own. `resolved` turns it into the colour of the light theme, for
charts as files; `coloured` in page.js into a CSS variable, so that the page follows the theme.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from breakeven.report.format import readable

Spec: TypeAlias = dict[str, Any]
"""A Vega-Lite specification, or a part of one."""

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
"""Names the version; nothing is fetched."""
PALETTE: Final[Mapping[str, tuple[str, str]]] = {
    "ink": ("#1d2430", "#e4e7ec"),
    "muted": ("#5b6472", "#9aa4b2"),
    "grid": ("#e3e6ea", "#2b323c"),
    "paper": ("#ffffff", "#14181e"),
    "measured": ("#1f5fa8", "#7db4f5"),
    "forecast": ("#b3540c", "#f2a45c"),
    "served": ("#0b7a63", "#5fcfae"),
    "violet": ("#6b3fa0", "#bd9bea"),
    "rose": ("#b02a57", "#ef8fb0"),
    "olive": ("#6a6a00", "#c9c95a"),
}
"""Role: (light, dark)."""
SERIES_ROLES: Final = ("measured", "forecast", "served", "violet", "rose", "olive", "ink", "muted")
"""Roles of series that differ in nothing but what they are of, in this order."""
HEIGHT: Final = 280
_ROLE_MARK: Final = "\ue000"
_MOST_CHARACTERS: Final = 300
"""Of one text."""
_FITS: Final = "max(12, floor((room - 80) / 6.3))"
_LINE: Final = f"'(.{{1,' + {_FITS} + '}})(?: |$)|(.{{' + {_FITS} + '}})'"
LEGEND: Final[Spec] = {
    "title": None,
    "symbolOpacity": 1,
    "labelExpr": f"split(trim(replace(datum.label, regexp({_LINE}, 'g'), '$1$2\\n')), '\\n')",
}
"""Of every legend: its labels are broken to `room`, the width of the whole chart, which `sized` says."""


def role(name: str, strength: float = 1.0) -> str:
    """The mark that stands for a colour of `PALETTE`, of an opacity, in a specification."""
    return f"{_ROLE_MARK}{name}" if strength >= 1 else f"{_ROLE_MARK}{name} {round(255 * strength):02x}"


def said(text: str) -> str:
    """A text of somebody else, which may not be taken for a colour."""
    return readable(text.replace(_ROLE_MARK, ""), _MOST_CHARACTERS)


def resolved(spec: Any) -> Any:
    """A specification with the colours of the light theme in place of their roles."""
    if isinstance(spec, dict):
        return {name: resolved(value) for name, value in spec.items()}
    if isinstance(spec, list):
        return [resolved(value) for value in spec]
    if isinstance(spec, str) and spec.startswith(_ROLE_MARK):
        name, _, alpha = spec[1:].partition(" ")
        return PALETTE[name][0] + alpha
    return spec


def palette_css() -> str:
    """CSS that defines the colours: light by default and in print, dark on a screen that prefers it."""
    light, dark = ("".join(f"--{name}:{pair[index]};" for name, pair in PALETTE.items()) for index in (0, 1))
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def config() -> Spec:
    """What all charts have in common; colours as roles."""
    return {
        "background": role("paper"),
        "font": "system-ui, sans-serif",
        "padding": 4,
        "view": {"stroke": None},
        "axis": {
            "labelColor": role("muted"),
            "titleColor": role("muted"),
            "titleFontWeight": "normal",
            "titleFontSize": 12,
            "labelFontSize": 12,
            "tickColor": role("muted"),
            "domainColor": role("muted"),
            "gridColor": role("grid"),
            "labelOverlap": "greedy",
        },
        "axisX": {"grid": False, "titlePadding": 6},
        "axisY": {"domain": False, "ticks": False, "labelPadding": 8, "titleAlign": "left", "titleAngle": 0,
                  "titleX": 0, "titleY": -14, "titleAnchor": "start", "titleBaseline": "bottom"},
        "legend": {
            "labelColor": role("ink"),
            "labelFontSize": 12,
            "labelLimit": 0,
            "orient": "bottom",
            "direction": "vertical",
            "title": None,
            "symbolSize": 70,
            "symbolStrokeWidth": 2,
            "rowPadding": 4,
        },
        "title": {"color": role("ink"), "fontSize": 14, "anchor": "start", "fontWeight": 600, "offset": 12},
        "text": {"fontSize": 12},
    }  # fmt: skip
