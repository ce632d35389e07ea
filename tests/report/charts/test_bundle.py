"""The library is put together once, and a chart is a file that needs no style sheet and no browser."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from breakeven.report.charts import bundle
from breakeven.report.charts.bundle import FORMATS, javascript, static
from breakeven.report.charts.chart import Axis, Chart, Figure, Marker, Reference, Series
from breakeven.report.charts.theme import PALETTE
from breakeven.report.charts.vega import figure_of

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Each time that the library is put together, of which this stands for the long work; the cache is empty."""
    import vl_convert

    calls: list[str] = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def put_together(snippet: str) -> str:
        calls.append(snippet)
        return f"/* é */{snippet}"

    monkeypatch.setattr(vl_convert, "javascript_bundle", put_together)
    return calls


def test_the_library_is_made_once_and_read_from_the_cache(made, tmp_path):
    assert javascript() == javascript() == f"/* é */{made[0]}"
    assert len(made) == 1
    (kept,) = (tmp_path / "cache" / "breakeven").iterdir()
    assert re.fullmatch(r"vega-[\d.]+(\.post\d+)?-[0-9a-f]{8}\.js", kept.name), "of one version, and nothing beside it"


def test_another_call_of_ours_is_another_library(made, monkeypatch):
    first = javascript()
    monkeypatch.setattr(bundle, "_SNIPPET", "another();")
    assert javascript() == "/* é */another();" != first
    assert javascript() == "/* é */another();"
    assert len(made) == 2


@pytest.mark.parametrize("found", [b"", b"/* \xc3\xa9 */window.break", b"\xff\xfe", None])
def test_what_is_kept_and_is_not_whole_is_made_anew(made, tmp_path, found):
    whole = javascript()
    (kept,) = (tmp_path / "cache" / "breakeven").iterdir()
    kept.write_bytes(kept.read_bytes()[:-1] if found is None else found)
    assert javascript() == javascript() == whole
    assert len(made) == 2


def test_without_a_home_it_is_made_each_time(made, monkeypatch):
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", nobody)
    assert javascript() == javascript()
    assert len(made) == 2


def test_where_it_cannot_take_its_place_nothing_is_left(made, tmp_path):
    javascript()
    (kept,) = (tmp_path / "cache" / "breakeven").iterdir()
    kept.unlink()
    kept.mkdir()
    (kept / "in the way").touch()
    assert javascript() == f"/* é */{made[0]}"
    assert list(kept.parent.iterdir()) == [kept]


def test_where_nothing_can_be_kept_it_is_made_each_time(made, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    assert javascript() == javascript()
    assert len(made) == 2


def test_without_a_cache_of_ones_own_it_is_that_of_the_home(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert bundle._cache() == Path.home() / ".cache" / "breakeven"


def test_the_real_library_defines_what_the_page_calls():
    script = javascript()
    assert "breakevenEmbed" in script
    assert 5e5 < len(script) < 1.5e6


def figure() -> Figure:
    return figure_of(
        Chart(
            name="c",
            title="T & <t>",
            description="D",
            x=Axis(label="the x axis"),
            y=Axis(label="the y axis"),
            series=(
                Series(label="a measured line", points=((0.0, 0.0), (1.0, 1.0)), marker=Marker.DOT),
                Series(label="a fitted line", points=((0.0, 0.2), (1.0, 0.8)), role="forecast", dashed=True),
            ),
            references=(Reference(label="here", x=0.5, role="served"),),
        )
    )


def test_a_drawing_has_title_axes_legend_and_colours_of_its_own():
    root = ElementTree.fromstring(static(figure(), "svg"))
    words = {element.text for element in root.iter(f"{SVG}text")}
    assert {"T & <t>", "the x axis", "the y axis", "a measured line", "a fitted line", "here"} <= words
    drawn = [value for each in root.iter() for name, value in each.attrib.items() if name in ("stroke", "fill")]
    assert all(re.fullmatch(r"#[0-9a-f]{3,8}|none|transparent|[a-z]+", value) for value in drawn), "no style sheet"
    assert {PALETTE[name][0] for name in ("measured", "forecast", "served", "ink", "paper")} <= set(drawn)
    assert not any(value.startswith("\ue000") for value in drawn)


def test_each_form_is_what_it_says():
    begins = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}
    assert set(begins) == set(FORMATS)
    for form, mark in begins.items():
        assert static(figure(), form).startswith(mark)


def test_a_picture_is_not_black_and_nothing_is_cut_off():
    import io

    image = pytest.importorskip("PIL.Image").open(io.BytesIO(static(figure(), "png"))).convert("RGB")
    assert image.width == 1440, "twice as many as a page shows"
    colours = {colour for _, colour in image.getcolors(1 << 24)}
    for name in ("measured", "forecast", "served"):
        assert tuple(bytes.fromhex(PALETTE[name][0][1:])) in colours, name
    edge = [image.getpixel((x, y)) for x in (0, image.width - 1) for y in range(image.height)]
    edge += [image.getpixel((x, y)) for y in (0, image.height - 1) for x in range(image.width)]
    assert set(edge) == {(255, 255, 255)}
