"""Specifications hold what the chart holds, in colours of a theme, and Vega-Lite has nothing to say against them."""

import json
import math

import pytest

from breakeven.report.charts.chart import Axis, Band, Chart, Marker, Reference, Series
from breakeven.report.charts.theme import PALETTE, config, palette_css, resolved, role, said
from breakeven.report.charts.vega import axis_of, sized, spec_of


def chart(*points: tuple[float, float], log: int = 0, **changes: object) -> Chart:
    values: dict[str, object] = {
        "name": "c",
        "title": "T & <t>",
        "description": "D",
        "x": Axis(label="x", log=log),
        "y": Axis(label="y"),
        "series": (Series(label="one", points=points, marker=Marker.DOT),),
    }
    return Chart(**(values | changes))  # type: ignore[arg-type]


def compiled(spec: dict) -> dict:
    """The specification as Vega has it, which is what it is drawn from."""
    import vl_convert

    text = json.dumps(resolved({**sized(spec, "t", 400), "config": config()}), allow_nan=False)
    return vl_convert.vegalite_to_vega(text, show_warnings=True)


def rows_of(spec: dict, mark: str) -> list[dict]:
    """The data of the layers of one kind of mark."""
    return [row for layer in spec["layer"] if _type(layer) == mark for row in layer["data"]["values"]]


def _type(layer: dict) -> str:
    mark = layer["mark"]
    return mark if isinstance(mark, str) else mark["type"]


# -- all charts --------------------------------------------------------------------------------------------------------


def test_every_chart_of_a_report_compiles_without_a_warning(document, capfd):
    figures = document().figures
    assert [each.chart.name for each in figures] == [
        "learning",
        "samples",
        "smallest-k",
        "lifetime",
        "frontier",
        "losses",
        "learning-rate",
    ]
    for figure in figures:
        assert compiled(figure.spec)["marks"], figure.chart.name
    assert capfd.readouterr().err == ""


def test_a_warning_would_have_been_seen(capfd):
    compiled({"data": {"values": [{"a": 1}]}, "mark": "bar", "encoding": {"shape": {"field": "a", "type": "nominal"}}})
    assert "shape dropped" in capfd.readouterr().err


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
@pytest.mark.parametrize("log", [0, 2, 10])
def test_odd_data_still_draws(points, log, capfd):
    assert compiled(spec_of(chart(*points, log=log)))
    assert capfd.readouterr().err == ""


# -- what is drawn -----------------------------------------------------------------------------------------------------


def test_a_logarithmic_axis_leaves_out_what_has_no_logarithm():
    points = rows_of(spec_of(chart((0.0, 1.0), (-1.0, 1.0), (4.0, 2.0), log=2)), "point")
    assert points == [{"label": "one", "x": 4.0, "y": 2.0}]


def test_a_chart_is_described_and_named_where_it_stands_alone():
    spec = spec_of(chart((1.0, 1.0)))
    assert spec["description"] == "T & <t>. D"
    assert "title" not in sized(spec, "T")
    alone = sized(spec, "T", 640)
    assert (alone["title"], alone["width"]) == ("T", 640)


def test_a_point_tells_its_value_on_hover():
    (layer,) = [each for each in spec_of(chart((3.0, 0.25)))["layer"] if _type(each) == "point"]
    assert [each["title"] for each in layer["encoding"]["tooltip"]] == ["what", "x", "y"]


def test_a_band_is_an_area_and_one_interval_is_a_bar():
    area = Band(label="b", points=((0.0, 0.1, 0.2), (1.0, 0.2, 0.3)))
    bar = Band(label="b", points=((0.0, 0.1, 0.2),))
    assert len(rows_of(spec_of(chart((0.0, 0.0), bands=(area,))), "area")) == 2
    drawn = spec_of(chart((0.0, 0.0), bands=(bar,)))
    assert rows_of(drawn, "bar") == [{"label": "b", "x": 0.0, "lo": 0.1, "hi": 0.2}]
    assert not rows_of(drawn, "area")


def test_labels_of_near_vertical_lines_take_rows_of_their_own():
    references = (Reference(label="first line", x=0.5), Reference(label="second line", x=0.51))
    spec = spec_of(chart((0.0, 0.0), (1.0, 1.0), references=references))
    labels = [each["mark"] for each in spec["layer"] if _type(each) == "text"]
    assert [each["text"] for each in labels] == ["first line", "second line"]
    assert len({json.dumps(each["y"]) for each in labels}) == 2
    assert [each["align"] for each in labels] == ["left", "right"], "each to the side that has room"


def test_a_level_line_stands_in_the_legend_and_not_in_the_plot():
    spec = spec_of(chart((0.0, 0.0), references=(Reference(label="level", y=0.5),)))
    assert rows_of(spec, "rule") == [{"label": "level", "y": 0.5}]
    assert not [each for each in spec["layer"] if _type(each) == "text"]
    (rule,) = [each for each in spec["layer"] if _type(each) == "rule"]
    assert rule["encoding"]["stroke"]["legend"]["values"] == ["one", "level"]


def test_lines_of_one_label_are_not_joined():
    halves = tuple(Series(label="same", points=((x, 0.0), (x + 1, 1.0))) for x in (0.0, 5.0))
    assert [row["line"] for row in rows_of(spec_of(chart(series=halves)), "line")] == [0, 0, 1, 1]


def test_hollow_marks_are_filled_with_paper_and_what_is_not_listed_has_no_legend():
    series = (
        Series(label="fit", points=((1.0, 1.0),), marker=Marker.RING, line=False),
        Series(label="hidden", points=((2.0, 1.0),), marker=Marker.DOT, line=False, in_legend=False),
    )
    (layer,) = spec_of(chart(series=series))["layer"]
    fill = layer["encoding"]["fill"]
    assert fill["scale"] == {"domain": ["fit", "hidden"], "range": [role("paper"), role("measured")]}
    assert fill["legend"]["values"] == ["fit"]


@pytest.mark.parametrize(
    ("axis", "scale"),
    [
        (Axis(label="a", lo=0, hi=1), {"nice": False, "zero": False, "domainMin": 0, "domainMax": 1}),
        (Axis(label="a"), {"nice": True, "zero": False}),
        (Axis(label="a", log=2), {"nice": False, "type": "log", "base": 2}),
    ],
)
def test_the_scale_of_an_axis(axis, scale):
    assert axis_of(axis)["scale"] == scale
    assert axis_of(axis)["axis"]["title"] == "a"


# -- colours -----------------------------------------------------------------------------------------------------------


def test_a_role_is_a_colour_of_a_theme_with_its_opacity():
    spec = {"a": [role("ink"), {"b": role("served", 0.5)}], "c": "ink", "n": 1}
    assert resolved(spec) == {"a": ["#1d2430", {"b": "#0b7a6380"}], "c": "ink", "n": 1}


def test_a_text_of_others_is_never_a_colour():
    evil = role("ink")
    spec = spec_of(chart((1.0, 1.0), title=evil, series=(Series(label=evil, points=((1.0, 1.0), (2.0, 2.0))),)))
    assert {row["label"] for row in rows_of(resolved(spec), "line")} == {"ink"}
    assert resolved(spec)["description"] == "ink. D"
    assert said(f"{evil} blue") == "ink blue"


def test_colours_are_light_unless_a_screen_prefers_dark():
    css = palette_css()
    assert css.index(PALETTE["ink"][0]) < css.index("@media screen and (prefers-color-scheme:dark)")
    assert css.index(PALETTE["ink"][1]) > css.index("@media")


@pytest.mark.parametrize("theme", [0, 1])
def test_every_ink_is_told_from_the_paper(theme):
    """The contrast that text needs, 4.5 to 1."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
        return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    paper = luminance(PALETTE["paper"][theme])
    for name, pair in PALETTE.items():
        if name not in ("paper", "grid"):
            darker, lighter = sorted((paper, luminance(pair[theme])))
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, name
