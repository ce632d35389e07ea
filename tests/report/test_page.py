"""The page holds the facts, is valid, needs no network, and shows foreign text as text."""

import re
from html.parser import HTMLParser

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import NOT_COUNTED, Action, Reason
from breakeven.report import render_page
from breakeven.report.table import HEADINGS

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Checker(HTMLParser):
    """Collects visible text and checks that tags are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)


def read(page: str) -> str:
    """The page's text in one line, after checking its tags."""
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert not checker.open
    assert not checker.tags & {"script", "link", "img", "iframe"}
    return " ".join(" ".join(checker.words).replace("\u00a0", " ").split())


def test_the_page_states_the_decision_and_its_numbers(run, verification):
    text = read(render_page("my run", {"train": {"steps": 2500}}, run(), verification()))
    for fact in (
        "my run",
        "Stop at step 600, serve 8 samples per query",
        "73 %",
        "net of evaluation; 76 % before evaluation",
        "extrapolated; pass@k, deployable",
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
    page = render_page("r", {}, [calibrated(300, reason=Reason.UNSURE), calibrated(600, **queries)], None)
    text = read(page)
    for fact in (
        "Stop at step 600, serve at most 8 samples per query",
        "Accuracy with at most 8 samples 0.679 extrapolated; pass@k, deployable",
        "Sure 0.93 forecast; probability to reach that less 0.010",
        "forecast; one greedy sample; 90 % interval 0.450 to 0.600",
        "Saved over the declared queries 40 % forecast",
        "As decided, at most 8 samples per query, 2.34 expected (extrapolated), with pass@k (deployable)",
        "Training, evaluation and all declared queries (forecast), stopped here 3 PFLOPs 0.6 times",
        "K=8 pass@k, 0.679 extrapolated",
    ):
        assert fact in text, fact
    assert "declared queries" not in read(render_page("r", {}, [calibrated(600)], None))


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("strategy", ["greedy", "pass@k", "majority_vote"])
def test_every_calibrated_reason_has_a_page(calibrated, reason, strategy):
    text = read(render_page("r", {}, [calibrated(300, strategy=strategy, k=4), calibrated(600, reason=reason)], None))
    assert "None" not in text
    assert "majority_vote" not in text


def test_every_checkpoint_has_a_row_and_the_chosen_one_stands_out(run):
    page = render_page("r", {}, run(), None)
    table = page[page.index('class="checkpoints"') :]
    assert table.count("<tr") - 1 == 25
    assert re.search(r'<tr class="chosen"><td>600</td>', table)
    assert table.count('class="later"') == 19


def test_of_very_many_checkpoints_some_are_shown_and_it_is_said(run, monkeypatch):
    checkpoints = run()
    whole = render_page("r", {}, checkpoints, None)
    monkeypatch.setattr("breakeven.report.page._MOST", 4)
    page = render_page("r", {}, checkpoints, None)
    text, rows = read(page), page.count("<tr class=") + page.count("<tr><td>")
    (shown,) = map(int, re.findall(rf"(\d+) of {len(checkpoints)} checkpoints Evenly chosen", text))
    assert shown in (4, 5), "the one that stopped is among them"
    assert "Every checkpoint" not in text
    assert whole.count("<tr class=") + whole.count("<tr><td>") - rows == len(checkpoints) - shown
    assert text.split("How the decision came about")[0] == read(whole).split("How the decision came about")[0]
    assert len(page) < len(whole)


def test_the_decision_of_each_checkpoint_stays_in_sight_where_the_table_is_wider_than_the_page(run):
    page = render_page("run", {}, run(), None)
    assert '<div class="scroll decided" role="region" aria-label="Every checkpoint"' in page
    (rule,) = re.findall(r"\.decided th:last-child, \.decided td:last-child \{(.*?)\}", page)
    assert "position: sticky; right: 0;" in rule
    assert "background: var(--paper)" in rule  # or what is scrolled below it would show through
    assert HEADINGS[-1] == "decision"


def test_no_external_resource(run, verification):
    page = render_page("r", {}, run(), verification())
    assert set(re.findall(r"https?://[^\"'\s<)]*", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|url\(|\ssrc=|\shref=", page)


def test_foreign_text_stays_text(run):
    evil = "<script>alert(1)</script>"
    changes = {"strategy": evil, "policy": evil, "baseline": evil}
    page = render_page(evil, {evil: evil, "list": [evil]}, run(**changes), None)
    assert "<script" not in page
    assert evil in read(page)


def test_without_a_check_nothing_is_said_about_one(run):
    text = read(render_page("r", {}, run(last_step=600), None))
    assert "Was it right?" not in text
    assert "Training went on" not in text


@pytest.mark.parametrize(
    ("difference", "words"),
    [(0.03, "cannot be told apart"), (0.09, "the better choice"), (-0.09, "stopped too early")],
)
def test_the_check_claims_no_more_than_its_error_allows(run, verification, difference, words):
    assert words in read(render_page("r", {}, run(), verification(difference, 0.02)))


def test_a_run_that_goes_on(run):
    text = read(render_page("r", {}, run(last_step=400), None))
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
    text = read(render_page("r", {}, [bare], None))
    assert "No accuracy against K was recorded" in text
    assert "No checkpoint so far had a number of samples that suffices" in text
    assert "No projection was made" in text
    assert "None" not in text


def test_a_spent_budget_is_headed_as_such(checkpoint):
    spent = checkpoint(2500, reason=Reason.BUDGET_SPENT, action=Action.CONTINUE, serving=None)
    assert "The full budget is used at step 2500" in read(render_page("r", {}, [spent], None))


def test_a_stop_without_a_serving_point(checkpoint):
    text = read(render_page("r", {}, [checkpoint(serving=None)], None))
    assert "Stop at step 600" in text
    assert "Nothing was saved" not in text


def test_a_log_without_training_flops_still_renders(checkpoint):
    assert "Training so far" in read(render_page("r", {}, [checkpoint(used=0.0)], None))


@pytest.mark.parametrize(("queries", "words"), [(None, "unlimited"), (0.0, "cheaper from the first one on")])
def test_break_even_at_its_ends(checkpoint, queries, words):
    assert words in read(render_page("r", {}, [checkpoint(break_even_queries=queries)], None))


def test_no_checkpoint_is_an_argument_error():
    with pytest.raises(ArgumentError, match="run-7 has no evaluations to report"):
        render_page("run-7", {}, [], None)
