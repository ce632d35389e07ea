"""The strokes every chart is drawn with, and their colours: functions from pixels to SVG text."""

from collections.abc import Sequence
from enum import StrEnum
from html import escape

from breakeven.report.axes import FONT_SIZE

PALETTE: dict[str, tuple[str, str]] = {
    "ink": ("#1d2430", "#e4e7ec"),
    "muted": ("#5b6472", "#9aa4b2"),
    "grid": ("#e3e6ea", "#2b323c"),
    "paper": ("#ffffff", "#14181e"),
    "measured": ("#1f5fa8", "#7db4f5"),
    "forecast": ("#b3540c", "#f2a45c"),
    "served": ("#0b7a63", "#5fcfae"),
}
"""Role: (light, dark)."""


class Marker(StrEnum):
    """Shape of a point. Filled ones stand for measured values, hollow ones for values a fit gave."""

    NONE = "none"
    DOT = "dot"
    RING = "ring"
    DIAMOND = "diamond"
    HOLLOW_DIAMOND = "hollow diamond"
    CROSS = "cross"


def palette_css() -> str:
    """CSS that defines the colours: light by default and in print, dark on a screen that prefers it."""
    light, dark = ("".join(f"--{role}:{pair[index]};" for role, pair in PALETTE.items()) for index in (0, 1))
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def colour(role: str) -> str:
    return f"var(--{role},{PALETTE[role][0]})"


def draw_text(
    x: float, y: float, text: str, role: str = "ink", anchor: str = "start", size: float = FONT_SIZE, weight: int = 400
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:g}" font-weight="{weight}" '
        f'style="fill:{colour(role)}">{escape(text)}</text>'
    )


def draw_path(points: Sequence[tuple[float, float]], role: str, width: float, dashed: bool, strength: float) -> str:
    steps = " L".join(f"{px:.1f} {py:.1f}" for px, py in points)
    dashes = ' stroke-dasharray="6 4"' if dashed else ""
    return (
        f'<path d="M{steps}" fill="none" stroke-width="{width:g}" stroke-linejoin="round" stroke-linecap="round"'
        f'{dashes} opacity="{strength:g}" style="stroke:{colour(role)}"/>'
    )


def draw_mark(px: float, py: float, marker: Marker, role: str, strength: float, note: str = "") -> str:
    stroke, paper = colour(role), colour("paper")
    hover = f"<title>{escape(note)}</title>" if note else ""
    if marker is Marker.CROSS:
        arms = f"M{px - 4:.1f} {py - 4:.1f} l8 8 m0 -8 l-8 8"
        shape, fill = f'<path d="{arms}"', "none"
    elif marker in (Marker.DIAMOND, Marker.HOLLOW_DIAMOND):
        shape = f'<path d="M{px:.1f} {py - 7:.1f} l7 7 l-7 7 l-7 -7 z"'
        fill = stroke if marker is Marker.DIAMOND else paper
    else:
        shape = f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3.6"'
        fill = stroke if marker is Marker.DOT else paper
    return f'{shape} opacity="{strength:g}" style="fill:{fill};stroke:{stroke};stroke-width:2">{hover}</{shape[1:].split()[0]}>'
