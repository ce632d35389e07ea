"""Charts hold up with little, equal or no data, and no text of theirs touches another."""

import math
import re
from xml.etree import ElementTree

import pytest
from breakeven.report.axes import Axis, make_scale, text_width
from breakeven.report.marks import PALETTE, Marker, palette_css
from breakeven.report.svg import Band, Chart, Reference, Series, line_chart

from breakeven.report.figures import k_curves, learning_curve, smallest_k

SVG = "{http://www.w3.org/2000/svg}"


def chart(*points: tuple[float, float], log2: bool = False, **changes: object) -> Chart:
    values: dict[str, object] = {
        "title": "T & <t>",
        "description": "D",
        "x": Axis(label="x", log2=log2),
        "y": Axis(label="y"),
        "series": (Series(label="one", points=points, marker=Marker.DOT),),
    }
    return Chart(**(values | changes))  # type: ignore[arg-type]


def parse(svg: str) -> ElementTree.Element:
    """The drawing as a tree, after checking that every coordinate is a finite number."""
    assert not re.search(r"\b(nan|inf)\b", svg)
    return ElementTree.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in parse(svg).iter(f"{SVG}text")]


def boxes(svg: str) -> list[tuple[str, float, float, float, float]]:
    """Every text with its box (left, top, right, bottom), with the widths the layout itself assumes."""
    found = []
    for element in parse(svg).iter(f"{SVG}text"):
        text, size = element.text or "", float(element.attrib["font-size"])
        width, x, y = text_width(text, size), float(element.attrib["x"]), float(element.attrib["y"])
        left = x - {"start": 0.0, "middle": width / 2, "end": width}[element.attrib["text-anchor"]]
        found.append((text, left, y - 0.8 * size, left + width, y + 0.2 * size))
    return found


@pytest.mark.parametrize(
    "points",
    [
        (),
        ((0.5, 0.5),),
        ((1.0, 0.0), (2.0, 0.0)),
        ((1.0, 0.3), (1.0, 0.3), (1.0, 0.3)),
        ((1.0, math.nan), (2.0, math.inf), (3.0, 0.1)),
        ((1.0, -5.0), (1e9, 1e-9)),
    ],
)
@pytest.mark.parametrize("log2", [False, True])
def test_odd_data_still_draws(points, log2):
    assert len(texts(line_chart(chart(*points, log2=log2)))) > 4


def test_an_empty_chart_says_so():
    assert "nothing to draw yet" in texts(line_chart(chart()))
    assert "nothing to draw yet" not in texts(line_chart(chart((1.0, 1.0))))


def test_a_chart_is_named_and_described_and_escapes_both():
    svg = line_chart(chart((1.0, 1.0), description="<script>"))
    root = parse(svg)
    assert root.attrib["role"] == "img"
    assert [root[0].text, root[1].text] == ["T & <t>", "<script>"]
    assert "<script>" not in svg


def test_log2_leaves_out_what_has_no_logarithm():
    svg = line_chart(chart((0.0, 1.0), (-1.0, 1.0), (4.0, 2.0), log2=True))
    assert svg.count("<title>one: ") == 1


def test_a_point_tells_its_value_on_hover():
    assert "<title>one: 0.25 at 3</title>" in line_chart(chart((3.0, 0.25)))


@pytest.mark.parametrize("width", [360, 400, 840])
@pytest.mark.parametrize("stop_at", [600, 9999])
@pytest.mark.parametrize("last_step", [100, 400, 2500])
def test_no_text_touches_another_or_the_edge(run, width, stop_at, last_step):
    checkpoints = run(last_step=last_step, stop_at=stop_at)
    at = min(len(checkpoints), stop_at // 100) - 1
    figures = [learning_curve(checkpoints, at), k_curves(checkpoints, at), smallest_k(checkpoints, at)]
    for figure in filter(None, figures):
        svg = line_chart(figure, width=width, plot_height=220)
        height = float(parse(svg).attrib["height"])
        placed = boxes(svg)
        for text, left, top, right, bottom in placed:
            assert left >= -1, text
            assert right <= width + 1, text
            assert top >= 0, text
            assert bottom <= height, text
        for number, (one, *a) in enumerate(placed):
            for other, *b in placed[number + 1 :]:
                apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
                assert apart, (one, other)


def test_labels_of_near_vertical_lines_take_rows_of_their_own():
    references = (
        Reference(label="first line", x=0.5),
        Reference(label="second line", x=0.51),
        Reference(label="y", y=1),
    )
    svg = line_chart(chart((0.0, 0.0), (1.0, 1.0), references=references))
    heights = {text: top for text, _, top, _, _ in boxes(svg)}
    assert heights["first line"] != heights["second line"]


def test_a_band_is_an_area_and_one_interval_is_a_bar():
    area = chart((0.0, 0.0), bands=(Band(label="b", points=((0.0, 0.1, 0.2), (1.0, 0.2, 0.3))),))
    bar = chart((0.0, 0.0), bands=(Band(label="b", points=((0.0, 0.1, 0.2),)),))
    assert "<polygon" in line_chart(area)
    assert "<polygon" not in line_chart(bar)


@pytest.mark.parametrize(
    ("axis", "values", "labels"),
    [
        (Axis(label="", lo=0), [0.0, 0.51], ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]),
        (Axis(label="", lo=0, hi=1, percent=True), [0.2], ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]),
        (Axis(label="", lo=0), [0.0, 0.004], ["0.000", "0.001", "0.002", "0.003", "0.004"]),
        (Axis(label="", log2=True), [1.0, 3.0, 30.0], ["1", "2", "4", "8", "16", "32"]),
        (Axis(label="", log2=True), [1.0, 1024.0], ["1", "4", "16", "64", "256", "1024"]),
    ],
)
def test_ticks_are_round(axis, values, labels):
    assert [label for _, label in make_scale(axis, values, 0, 100, 6).ticks] == labels


def test_a_scale_maps_its_ends_to_its_pixels():
    scale = make_scale(Axis(label="", log2=True), [1.0, 16.0], 10, 50, 5)
    assert [scale(1), scale(4), scale(16)] == [10, 30, 50]


def test_colours_are_light_unless_a_screen_prefers_dark():
    css = palette_css()
    assert css.index(PALETTE["ink"][0]) < css.index("@media screen and (prefers-color-scheme:dark)")
    assert css.index(PALETTE["ink"][1]) > css.index("@media")
