"""The page in a real browser: it draws, fits, needs no network, and can be used by mouse, keyboard and ear."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from breakeven.cli.report import run_document
from breakeven.report import render_page
from breakeven.report.charts.theme import PALETTE

EXAMPLE = Path(__file__).parents[2] / "examples" / "runs" / "countdown-1"
STICKING_OUT = """() => [...document.querySelectorAll('main *')]
    .filter(each => !each.closest('.scroll table, .unseen, svg') && each.getClientRects().length)
    .map(each => [each.getBoundingClientRect(), each.outerHTML.slice(0, 80)])
    .filter(([box]) => box.right > window.innerWidth + 1 || box.left < -1).map(([, html]) => html)"""
CUT_OFF = """() => [...document.querySelectorAll('.chart svg text')].filter(each => {
    const text = each.getBoundingClientRect(), chart = each.closest('.chart').getBoundingClientRect();
    return each.textContent && text.width && (text.right > chart.right + 1 || text.left < chart.left - 1
        || text.bottom > chart.bottom + 1 || text.top < chart.top - 1);
}).map(each => each.textContent)"""
SIZES = """() => [...document.querySelectorAll('.chart')].filter(each => each.getClientRects().length).map(each => {
    const svg = each.querySelector('svg').getBoundingClientRect();
    const plot = each.querySelector('.root > g > path.background').getBoundingClientRect();
    return [each.dataset.chart, svg.width / each.clientWidth, plot.width / svg.width, plot.height];
})"""
DRAWN = """() => [...document.querySelectorAll('.chart')].every(
    each => !each.clientWidth || Number(each.querySelector('svg')?.getAttribute('width')) === each.clientWidth)"""
COLOURS = """() => ({
    paper: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color,
    text: getComputedStyle(document.querySelector('.role-legend-label text')).fill,
    line: getComputedStyle(document.querySelector('[data-chart=learning] .mark-line path')).stroke,
    background: getComputedStyle(document.querySelector('.chart svg')).backgroundColor,
})"""
RULES = """() => [...document.querySelectorAll('[data-chart=lifetime] .mark-rule.role-mark line')]
    .map(each => each.getBoundingClientRect().x)"""


@pytest.fixture(scope="module")
def document():
    return run_document(EXAMPLE)


@pytest.fixture(scope="module")
def page(opened, document):
    return opened(render_page(document))


@pytest.fixture(autouse=True)
def _no_complaints(complaints):
    complaints.clear()
    yield
    assert not complaints


def see(page, width=1280, height=900, theme="light", media="screen"):
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=theme, media=media)
    page.wait_for_function(DRAWN)


def rgb(colour):
    return f"rgb({', '.join(str(int(colour[place : place + 2], 16)) for place in (1, 3, 5))})"


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_everything_fits_and_every_chart_has_room(page, document, width):
    see(page, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(STICKING_OUT) == []
    assert page.evaluate(CUT_OFF) == []
    sizes = {name: rest for name, *rest in page.evaluate(SIZES)}
    assert list(sizes) == [each.chart.name for each in document.figures]
    for name, (svg, plot, height) in sizes.items():
        assert 0.98 <= svg <= 1.0, name
        assert plot > 0.7, name
        assert height > 200, name


def test_opened_folds_fit_a_phone(page):
    see(page, 360)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(STICKING_OUT) == []
    assert all(rect > 0 for rect in page.evaluate("[...document.querySelectorAll('table')].map(t => t.offsetHeight)"))
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = false; })")


def test_the_columns_that_matter_stay_in_sight_on_a_phone(page):
    see(page, 360)
    table = page.locator(".scroll:has(> .checkpoints)").last
    for scrolled in (0, 1000):
        table.evaluate(f"each => {{ each.scrollLeft = {scrolled}; }}")
        for column in ("first", "last"):
            cell = table.locator(f"tbody tr:last-child td:{column}-child").bounding_box()
            assert 0 <= cell["x"] < cell["x"] + cell["width"] <= 360
    table.evaluate("each => { each.scrollLeft = 0; }")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_and_charts_follow_the_theme(page, theme):
    see(page, theme=theme)
    seen = page.evaluate(COLOURS)
    for what, role in (
        ("paper", "paper"),
        ("background", "paper"),
        ("ink", "ink"),
        ("text", "ink"),
        ("line", "measured"),
    ):
        assert seen[what] == rgb(PALETTE[role][theme == "dark"]), what


def test_paper_is_white_whatever_the_theme_and_no_table_is_cut(page):
    see(page, 680, theme="dark", media="print")
    seen = page.evaluate(COLOURS)
    assert (seen["paper"], seen["background"]) == ("rgb(255, 255, 255)",) * 2
    assert seen["line"] == rgb(PALETTE["measured"][0])
    widths = (
        "[...document.querySelectorAll('.scroll')].filter(e => e.offsetWidth).map(e => [e.scrollWidth, e.clientWidth])"
    )
    assert all(inside <= outside for inside, outside in page.evaluate(widths))
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert b"/Type /Page" in printed
    see(page)


def test_the_workload_is_moved_by_keys(page):
    see(page)
    queries, said = page.locator("#queries"), page.locator("#verdict-of-workload")
    begin, rules = said.inner_text(), page.evaluate(RULES)
    assert re.fullmatch(r"Stopping costs [\d.]+ % less than full training\. Break-even: 218,000 queries\.", begin)
    queries.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(f"({RULES})()[0] > {rules[0]}")
    assert page.evaluate(RULES)[1] == pytest.approx(rules[1], abs=0.5)
    assert page.locator("#queries-said").inner_text() == "27,500 queries"  # 10^4.44
    assert queries.get_attribute("aria-valuetext") == "27,500 queries"
    page.keyboard.press("End")
    assert said.inner_text().startswith("Full training would cost less")
    page.keyboard.press("Home")
    assert page.locator("#queries-said").inner_text() == "1 query"
    page.locator("#length").focus()
    page.keyboard.press("End")  # ten times as long: a tenth of the queries
    assert said.inner_text().endswith("Break-even: 21,800 queries.")
    page.wait_for_function(f"({RULES})()[1] < {rules[1]} - 20")
    page.keyboard.press("Home")
    assert said.inner_text().endswith("Break-even: 2.18 million queries.")
    page.wait_for_function(f"({RULES})()[1] > {rules[1]} + 20")


def test_the_workload_is_moved_by_mouse(page):
    see(page)
    page.locator("#queries").scroll_into_view_if_needed()
    box, (rule, _) = page.locator("#queries").bounding_box(), page.evaluate(RULES)
    points = "document.querySelector('[data-chart=frontier] .mark-symbol.role-mark').innerHTML"
    before = page.evaluate(points)
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.3, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, middle, steps=4)
    page.mouse.up()
    page.wait_for_function(f"({RULES})()[0] > {rule} + 50")
    assert page.locator("#verdict-of-workload").inner_text().startswith("Full training would cost less")
    page.wait_for_function(f"before => {points} !== before", arg=before)


def test_all_controls_are_reached_by_tab_and_seen_to_be(page):
    see(page)
    wanted = page.evaluate("""() => [...document.querySelectorAll('summary, input, [tabindex="0"]')]
        .filter(each => each.checkVisibility()).map((each, place) => { each.dataset.place = place; return place; })""")
    page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0); }")
    page.mouse.click(2, 2)
    reached = []
    for _ in wanted:
        page.keyboard.press("Tab")
        place, style, width = page.evaluate("""() => { const at = document.activeElement, how = getComputedStyle(at);
            return [Number(at.dataset.place), how.outlineStyle, parseFloat(how.outlineWidth)]; }""")
        reached.append(place)
        assert style != "none"
        assert width >= 2
    assert reached == wanted
    assert len(wanted) > 10


def test_who_cannot_see_hears_everything(page, document):
    see(page)
    for figure in document.figures:
        chart = page.locator(f"[data-chart={figure.chart.name}]")
        assert chart.get_attribute("role") == "graphics-document"
        assert figure.chart.title in (chart.get_attribute("aria-label") or "")
        table = page.locator(f"figure:has([data-chart={figure.chart.name}]) table")
        assert table.locator("tbody tr").count() >= 2
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(each => Number(each.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    tables = page.evaluate("""[...document.querySelectorAll('table')].map(each =>
        [each.caption?.textContent.trim() ?? '', each.querySelectorAll('thead th:not([scope=col])').length])""")
    assert all(caption and unscoped == 0 for caption, unscoped in tables)
    for slider in ("queries", "length"):
        named = page.locator(f"#{slider}")
        assert named.evaluate("each => each.labels.length") == 1
        assert named.get_attribute("aria-valuetext")
    regions = page.evaluate("[...document.querySelectorAll('[role=region]')].map(each => each.ariaLabel)")
    assert all(regions)
    assert page.locator("#verdict-of-workload").get_attribute("aria-live") == "polite"


def test_a_chart_that_cannot_be_drawn_takes_no_other_with_it_and_is_tried_again(opened, document, complaints):
    faulty = """<script type="module">
        const draws = window.breakevenEmbed;
        window.fails = true;
        window.breakevenEmbed = async (place, ...rest) => {
            if (window.fails && place.dataset.chart === "lifetime") throw new Error("no room");
            return draws(place, ...rest);
        };
    </script>"""
    page = opened(faulty.join(re.split('(?=<script type="module">\n// Draws)', render_page(document))))
    said = page.locator("[data-chart=lifetime]")
    assert said.inner_text() == "The chart could not be drawn; its numbers are below."
    assert page.locator(".chart svg").count() == len(document.figures) - 1
    assert page.locator("#queries-said").inner_text() != ""
    assert complaints
    assert all("no room" in each for each in complaints)
    complaints.clear()
    page.evaluate("window.fails = false")
    see(page, 700)
    assert page.locator(".chart svg").count() == len(document.figures)
    page.close()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("role", [role for role in PALETTE if role not in ("grid", "paper")])
def test_text_stands_out_against_the_paper(role, dark):
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    paper, ink = sorted(luminance(PALETTE[name][dark]) for name in ("paper", role))
    assert (ink + 0.05) / (paper + 0.05) >= 4.5


def luminance(colour):
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
