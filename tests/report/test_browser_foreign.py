"""What others wrote stays text on the page: nothing of it runs, breaks the layout or fills the page."""

import dataclasses

import pytest

from breakeven.records import Failure, Made, Reason, ServingPoint
from breakeven.report import Beside, decided_document, render_page
from breakeven.store.texts import Texts

RUNS = "window.hurt = 1"
FOREIGN = {
    "script": f"<script>{RUNS}</script>",
    "end of script": f"</script><script>{RUNS}</script>",
    "comment": f"<!--<script>{RUNS}</script>-->",
    "attribute": f"\"'><img src=x onerror='{RUNS}'>",
    "style": "</style></title></textarea><h1>shouted</h1>",
    "bidi": "\u202eright to left\u2066\u2067",
    "control": "\x00\x01\x07\x1b[31m\x7f\x9b",
    "surrogate": "\ud800 alone \udfff",
    "colour": "\ue000measured",
    "template": f"${{{RUNS}}} {{{{ 7 * 7 }}}} {{% raw %}}",
    "expression": f"datum.x); {RUNS}; //",
    "entity": "&lt;b&gt; &amp;amp;",
}
ALL = " ".join(FOREIGN.values())
LINE, LINES = "x" * 1_000_000, "line\n" * 10_000
SHOWN = (FOREIGN["script"], "<!--<script>", "<img src=x onerror=", "{{ 7 * 7 }}", FOREIGN["entity"])


def hostile(calibrated, name):
    """A report that holds `name` wherever a report holds what somebody else wrote."""
    run = []
    for step in (200, 400, 600):
        reason = Reason.REACHED if step == 600 else Reason.WAITING
        shown = calibrated(step, reason=reason, break_even_queries=1.1e8)
        decision, observed = shown.decision, shown.observation
        curve = dataclasses.replace(decision.k_curve, strategy=name)
        serving = dataclasses.replace(decision.serving, strategy=name)
        bank = dataclasses.replace(observed.bank, greedy_correct_P="0" * 200)
        run.append(
            dataclasses.replace(
                shown,
                decision=dataclasses.replace(decision, k_curve=curve, serving=serving),
                observation=dataclasses.replace(observed, bank=bank),
            )
        )
    texts = Texts(step=600, greedy_P=(name, LINE, LINES) * 2, texts_PN=((name, LINE, LINES, name),) * 6, num_left_out=0)
    beside = Beside(
        texts=texts,
        failures=[Failure(step=500, train_tokens=1, raised_by=name, error=text) for text in (name, LINE, LINES)],
        offers=[offer(step, name) for step in (200, 400, 600)],
        remarks=[name, LINE],
        assumed=[name, LINES],
        made_by={name: name},
    )
    return render_page(decided_document(name, {name: name, "line": LINE, "lines": LINES}, run, beside))


def offer(step, strategy):
    return ServingPoint(
        step=step, strategy=strategy, deployable=True, k=4, accuracy=0.4, made=Made.MEASURED, flops_per_query=1e8
    )


@pytest.fixture(scope="module")
def html(calibrated):
    return hostile(calibrated, ALL)


@pytest.fixture(scope="module")
def page(opened, html):
    return opened(html)


@pytest.fixture(autouse=True)
def _no_complaints(complaints):
    yield
    assert not complaints


def test_nothing_of_it_runs(page):
    assert page.evaluate("window.hurt ?? null") is None
    assert page.locator("script").count() == 3
    assert page.locator("img, iframe, textarea").count() == 0
    assert page.locator("h1").count() == 1


def test_all_of_it_is_shown_as_it_was_written(page):
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    for place in (".run", "header > p:not([class])", "pre", "details.section td"):
        text = page.locator(place, has_text="datum.x").first.inner_text()
        assert all(part in text for part in SHOWN), place
        assert not any(character in text for character in "\x00\x01\x07\x1b\x7f\x9b\ud800\udfff"), place
        assert "\ufffd" in text, place
    assert "<script>" in page.locator("[data-chart=frontier] .role-legend-label").last.text_content()
    assert page.locator("[data-chart=frontier] .mark-symbol path:not([fill])").count() == 0
    assert page.locator("svg text :not(tspan)").count() == 0


def test_a_tip_is_text_too(page):
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator("[data-chart=frontier] .mark-symbol.role-mark path").first.hover(force=True)
    tip = page.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    assert "<script>" in tip.inner_text()
    assert tip.locator("script, img, h1").count() == 0
    box = tip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1280


@pytest.mark.parametrize("width", [360, 1280])
def test_the_layout_holds(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    for opened in ("false", "true"):
        page.evaluate(f"document.querySelectorAll('details').forEach(each => {{ each.open = {opened}; }})")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("document.documentElement.scrollHeight") < 60_000
    assert page.evaluate("Math.max(...[...document.querySelectorAll('pre')].map(each => each.offsetHeight))") <= 320


def test_a_megabyte_of_it_makes_no_large_page(html):
    assert len(html.encode()) < 1_300_000
    assert "998,000 more characters" in html


def test_500_checkpoints_of_1000_problems_are_a_page_of_less_than_3_megabytes(calibrated):
    rows = tuple("1" * (place % 9) + "0" * (8 - place % 9) for place in range(1000))
    run = []
    for step in range(5, 2501, 5):
        shown = calibrated(step, reason=Reason.REACHED if step == 2500 else Reason.WAITING)
        bank = dataclasses.replace(shown.observation.bank, correct_PN=rows, greedy_correct_P="10" * 500)
        curve = dataclasses.replace(shown.decision.k_curve, flops_K=(1e7, 2e7, 4e7, 8e7, 16e7, 32e7, 64e7))
        observed = dataclasses.replace(shown.observation, bank=bank)
        decision = dataclasses.replace(shown.decision, k_curve=curve)
        run.append(dataclasses.replace(shown, observation=observed, decision=decision))
    assert 1e6 < len(render_page(decided_document("r", {}, run)).encode()) < 3e6
