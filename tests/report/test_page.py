"""The page holds the facts, is valid, needs no network, and shows foreign text as text."""

import dataclasses
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import NOT_COUNTED, Action, Reason
from breakeven.report import Beside, decided_document, render_page
from breakeven.report.charts.chart import Axis, Band, Chart, Series
from breakeven.report.page import chart_rows
from breakeven.report.table import HEADINGS

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Checker(HTMLParser):
    """Collects visible text and checks that tags are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "action", "data", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.words.append(data)


def read(page: str) -> str:
    """The page's text in one line, after checking its tags."""
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert not checker.open
    assert not {"img", "iframe", "object", "embed"} & set(checker.tags)
    assert checker.tags.count("script") == 3, "the numbers, the library and the page's own"
    assert checker.links == ["data:,"], "an icon that is not asked for; else nothing is fetched"
    return " ".join(" ".join(checker.words).replace("\u00a0", " ").split())


def written(title, config, checkpoints, verification=None, **beside):
    return render_page(decided_document(title, config, checkpoints, Beside(verification=verification, **beside)))


def data_of(page: str) -> dict:
    """The numbers that a page is drawn from."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    return json.loads(text)


def test_the_page_states_the_decision_and_its_numbers(run, verification):
    text = read(written("my run", {"train": {"steps": 2500}}, run(), verification()))
    for fact in (
        "my run",
        "Stop at step 600, serve 8 samples per query",
        "73 %",
        "of the training FLOPs, net of evaluation; 76 % before it",
        "What to deploy 8 samples per query, pass@k (deployable): the first that a checker accepts, which must run at "
        "serving time too; accuracy 0.679 (extrapolated)",
        "21.9 million",
        "Training went on to step 2500 after",
        "Checked on 400 test problems that no decision saw",
        "+0.021 ± 0.019",
        "4.2 PFLOPs",
        "7.67 times one sample",
        "1 MFLOPs to read the prompt, 20 MFLOPs to answer",
        f"Not counted: {NOT_COUNTED}.",
        "0.55 (1 - exp(-2.5 x)) + 0.02",
        "200 validation problems, 4 samples each at temperature 0.8, and one greedy sample each",
        "train.steps 2500",
    ):
        assert fact in text, fact


def test_the_page_of_a_calibrated_stop(calibrated):
    queries = {"lifetime_flops": 3e15, "full_lifetime_flops": 5e15}
    page = written("r", {}, [calibrated(300, reason=Reason.UNSURE), calibrated(600, **queries)])
    text = read(page)
    for fact in (
        "Stop at step 600, serve at most 8 samples per query",
        "What to deploy at most 8 samples per query, pass@k (deployable): the first that a checker accepts, which must "
        "run at serving time too; 2.34 expected; accuracy 0.679",
        "How sure 0.93 probability to reach the fully trained model, 0.525, 90 % interval 0.450 to 0.600, less 0.010",
        "If it is wrong, which has probability 0.07 (forecast), the fully trained model would have been more accurate",
        "0.525 (forecast, 90 % interval 0.450 to 0.600) for the fully trained model with one greedy sample",
        "Saved over the declared queries 40 % forecast",
        "As decided, at most 8 samples per query, 2.34 expected (extrapolated), with pass@k (deployable)",
        "Training, evaluation and all declared queries (forecast), stopped here 3 PFLOPs 0.6 times",
        "K=8 pass@k, 0.679 extrapolated",
    ):
        assert fact in text, fact
    assert "declared queries" not in read(written("r", {}, [calibrated(600)]))


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("strategy", ["greedy", "pass@k", "majority_vote"])
def test_every_calibrated_reason_has_a_page(calibrated, reason, strategy):
    text = read(written("r", {}, [calibrated(300, strategy=strategy, k=4), calibrated(600, reason=reason)]))
    assert "None" not in text
    assert "majority_vote" not in text


def table_of(page: str, label: str) -> str:
    """The rows of one table."""
    (table,) = re.findall(rf"<caption[^>]*>{label}</caption>(.*?)</table>", page, re.DOTALL)
    return table


def test_every_checkpoint_has_a_row_and_the_chosen_one_stands_out(run):
    table = table_of(written("r", {}, run()), "Every checkpoint")
    assert table.count("<tr") - 1 == 25
    assert re.search(r'<tr class="chosen"><td>600</td>', table)
    assert table.count('class="later"') == 19


def test_of_very_many_checkpoints_some_are_shown_and_it_is_said(run, monkeypatch):
    checkpoints = run()
    whole = written("r", {}, checkpoints)
    monkeypatch.setattr("breakeven.report.decided._MOST", 4)
    page = written("r", {}, checkpoints)
    text, rows = read(page), table_of(page, "Every checkpoint").count("<tr") - 1
    (shown,) = map(int, re.findall(rf"(\d+) of {len(checkpoints)} checkpoints Evenly chosen", text))
    assert shown in (4, 5), "the one that stopped is among them"
    assert rows == shown
    assert table_of(whole, "Every checkpoint").count("<tr") - 1 == len(checkpoints)
    assert text.split("How the decision came about")[0] == read(whole).split("How the decision came about")[0]
    assert len(page) < len(whole)


def test_the_decision_of_each_checkpoint_stays_in_sight_where_the_table_is_wider_than_the_page(run):
    page = written("run", {}, run())
    region = (
        '<div class="scroll" role="region" aria-label="Every checkpoint" tabindex="0">\n<table class="checkpoints">'
    )
    assert region in page
    last = r"\.checkpoints th:last-child, \.checkpoints td:last-child \{(.*?)\}"
    (rule,) = re.findall(last, page)
    assert "position: sticky; right: 0;" in rule
    assert "background: var(--paper)" in rule  # or what is scrolled below it would show through
    assert HEADINGS[-1] == "decision"


def test_no_external_resource(run, verification):
    page = written("r", {}, run(), verification())
    read(page)
    outside = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"https?://", outside)
    assert not re.search(r"@import|url\(|\ssrc=", outside)


def test_each_chart_has_a_place_its_numbers_and_a_drawing(run, verification):
    page = written("r", {}, run(), verification())
    data = data_of(page)
    assert re.findall(r'data-chart="(.*?)"', page) == list(data["charts"])
    assert list(data["charts"]) == ["learning", "samples", "smallest-k", "lifetime", "losses"]
    assert page.count("<summary>Its numbers</summary>") == len(data["charts"])
    assert all(spec["width"] == "container" and "title" not in spec for spec in data["charts"].values())
    assert not data["live"]


def test_foreign_text_stays_text(run):
    evil = "</script><script>alert(1)</script>"
    changes = {"strategy": evil, "policy": evil, "baseline": evil}
    page = written(evil, {evil: evil, "list": [evil]}, run(**changes))
    assert evil in read(page)
    assert evil not in page
    assert evil in json.dumps(data_of(page)), "the charts name the strategy"


def test_the_numbers_of_a_chart_are_its_points_and_bands_and_of_many_some():
    line = Series(label="line", points=tuple((place / 100, place / 200) for place in range(101)))
    one = Series(label="one", points=((0.5, 0.25),))
    bands = (Band(label="interval", points=((0.5, 0.2, 0.31),)),)
    axes: dict[str, Any] = {"x": Axis(label="x", percent=True), "y": Axis(label="y")}
    rows = chart_rows(Chart(name="c", title="t", description="d", series=(line, one), bands=bands, **axes))
    assert [row[0] for row in rows].count("line (25 of 101 points)") == 25
    assert rows[0] == ("line (25 of 101 points)", "0.0 %", "0")
    assert rows[24:] == [
        ("line (25 of 101 points)", "100.0 %", "0.5"),
        ("one", "50.0 %", "0.25"),
        ("interval", "50.0 %", "0.2 to 0.31"),
    ]


def test_without_a_check_nothing_is_said_about_one(run):
    text = read(written("r", {}, run(last_step=600)))
    assert "Was it right?" not in text
    assert "Training went on" not in text


@pytest.mark.parametrize(
    ("difference", "words"),
    [(0.03, "cannot be told apart"), (0.09, "the better choice"), (-0.09, "stopped too early")],
)
def test_the_check_claims_no_more_than_its_error_allows(run, verification, difference, words):
    assert words in read(written("r", {}, run(), verification(difference, 0.02)))


def test_a_run_that_goes_on(run):
    text = read(written("r", {}, run(last_step=400)))
    assert "Train on after step 400" in text
    assert "Saved if stopped here" in text
    assert "Would be saved by stopping here, net of evaluation" in text


def test_a_first_checkpoint_that_knows_little(checkpoint):
    bare = checkpoint(
        100,
        reason=Reason.NO_SIGNAL,
        forecast=None,
        k_curve=None,
        serving=None,
        baseline_accuracy=None,
        gross_saving=None,
        net_saving=None,
    )
    text = read(written("r", {}, [bare]))
    assert "No accuracy against K was recorded" in text
    assert "No checkpoint so far had a number of samples that suffices" in text
    assert "No projection was made" in text
    assert "None" not in text


def test_a_spent_budget_is_headed_as_such(checkpoint):
    spent = checkpoint(2500, reason=Reason.BUDGET_SPENT, action=Action.CONTINUE, serving=None)
    assert "The full budget is used at step 2500" in read(written("r", {}, [spent]))


def test_a_stop_without_a_serving_point(checkpoint):
    text = read(written("r", {}, [checkpoint(serving=None)]))
    assert "Stop at step 600" in text
    assert "Nothing was saved" not in text


def test_a_log_without_training_flops_still_renders(checkpoint):
    assert "Training so far" in read(written("r", {}, [checkpoint(used=0.0)]))


@pytest.mark.parametrize(("queries", "words"), [(None, "unlimited"), (0.0, "cheaper from the first one on")])
def test_break_even_at_its_ends(checkpoint, queries, words):
    assert words in read(written("r", {}, [checkpoint(break_even_queries=queries)]))


def test_no_checkpoint_is_an_argument_error():
    with pytest.raises(ArgumentError, match="run-7 has no evaluations to report"):
        written("run-7", {}, [])


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e290, 1e305])
def test_whatever_a_float_holds_has_a_page(priced, scale):
    """FLOPs, losses and queries at the ends of what a number can be."""
    shown = priced(500)
    observation = dataclasses.replace(shown.observation, train_flops=scale, evaluation_flops=scale, loss=scale)
    serving = dataclasses.replace(shown.decision.serving, flops_per_query=scale)
    for even in (scale, None):
        decision = dataclasses.replace(
            shown.decision, evaluation_flops=scale, break_even_queries=even, serving=serving, used=1e-3
        )
        page = written("run", {}, [dataclasses.replace(shown, observation=observation, decision=decision)])
        assert "NaN" not in data_of(page)
        read(page)
