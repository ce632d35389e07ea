"""The report of a plan: what leads, every cost line, what is published or left out, and what its charts hold."""

from dataclasses import replace
from typing import Any

import pytest

from breakeven.plan.conclude import conclude
from breakeven.plan.wanted import Wanted
from breakeven.records.curves import Made
from breakeven.records.options import Option, Quality
from breakeven.records.plans import Finding, Line, Picture, PlanAnswer, PlanResult, PlanTable
from breakeven.report.charts.chart import Chart, Marker
from breakeven.report.document import Document, Table
from breakeven.report.forms import to_json, to_markdown
from breakeven.report.page import render_page
from breakeven.report.plan import plan_document, plan_lines

EARLY = Option(
    name="early", train_flops=10.0, query_flops=8.0, reward_flops=1.0, quality=Quality(value=0.8, lo=0.7, hi=0.9)
)
LATER = Option(name="later", train_flops=35.0, one_off={"teacher": 5.0}, query_flops=3.0, quality=Quality(value=0.85))
FULL = Option(name="full", train_flops=100.0, query_flops=1.0, quality=Quality(value=0.9, made=Made.FORECAST))
READ = Option(name="<read> *me*", query_flops=2.0, quality=Quality(value=0.95, made=Made.PUBLISHED), seconds=0.25)
ANSWER = PlanAnswer(
    options=(EARLY, LATER, FULL, READ),
    findings=(
        Finding(text="exponent", value=0.57, lo=0.5, hi=0.6),
        Finding(text="crossover, FLOPs a query: none up to 1e9", value=None, made=Made.EXTRAPOLATED),
    ),
    tables=(PlanTable(label="Sizes", headings=("size", "loss"), rows=(("S", "1.5"),)),),
    pictures=(
        Picture(
            name="sizes",
            title="Loss by size",
            x="parameters",
            y="loss",
            log_x=True,
            lines=(
                Line(
                    label="ours",
                    points=((1e5, 2.0), (1e6, 1.5), (1e7, 1.2)),
                    intervals=((1.9, 2.1), (1.4, 1.6), (1.1, 1.3)),
                ),
                Line(label="theirs", points=((1e6, 1.4),), made=Made.PUBLISHED),
            ),
        ),
    ),
    not_counted=("data preparation",),
    notes=("One seed.",),
)


def result(**asked: Any) -> PlanResult:
    return replace(
        conclude("options", ANSWER, Wanted(**({"target": 0.8} | asked))),
        settings={"margin": 0.01}, files=("t.csv",), versions={"breakeven": "1.2.3"},
    )  # fmt: skip


def chart(document: Document, name: str) -> Chart:
    return next(each.chart for each in document.figures if each.chart.name == name)


def table(document: Document, label: str) -> Table:
    blocks = (block for section in document.sections for block in section.blocks)
    return next(block for block in blocks if isinstance(block, Table) and block.label == label)


def test_it_leads_with_the_verdict_and_the_numbers_of_the_chosen() -> None:
    document = plan_document(result(queries=10), "Which?")
    assert document.title == "breakeven plan options: Which?"
    assert document.verdict == "later is the cheapest that reaches accuracy 0.800, over 10 queries"
    assert [(each.what, each.number) for each in document.facts] == [
        ("Accuracy", "0.850"),
        ("In all", "70 FLOPs"),
        ("Before the first query", "40 FLOPs"),
        ("Cheapest", "to 30 queries"),
    ]
    assert document.facts[2].how == "training 35 FLOPs, teacher 5 FLOPs"
    assert document.facts[3].how == "from 5 on; then full is"
    last = plan_document(result()).facts
    assert [each.number for each in last if each.what in ("A query", "Cheapest")] == ["1 FLOPs", "from 30 queries"]
    none = plan_document(result(target=0.99))
    assert (none.facts, none.verdict) == ((), "Nothing reaches accuracy 0.990: the best, full, has 0.900 (forecast)")
    assert "plan-envelope" not in {each.chart.name for each in none.figures}


def test_every_cost_line_stands_in_the_tables_and_what_is_left_out_says_so() -> None:
    document = plan_document(result(queries=2, without=("reward model",)))
    assert table(document, "early").rows == (
        ("training", "10 FLOPs", "once"),
        ("model", "8 FLOPs", "a query"),
        ("reward model", "1 FLOPs", "a query, left out as was asked"),
        ("All that is counted once", "10 FLOPs", "before the first query"),
        ("All that is counted of a query", "8 FLOPs", ""),
        ("In all", "26 FLOPs", "2 queries; 38 % of it before the first"),
    )
    options = table(document, "Options")
    assert options.headings == (
        "Option", "accuracy", "How it was made", "training", "teacher", "model a query",
        "reward model a query, left out as was asked", "seconds a query", "Place",
    )  # fmt: skip
    assert options.rows[0] == (
        "early", "0.800 (0.700 to 0.900)", "measured", "10 FLOPs", "0 FLOPs", "8 FLOPs", "1 FLOPs", "-", "chosen",
    )  # fmt: skip
    assert options.rows[3][-2:] == ("0.25", "")
    assert document.remarks[0].startswith(
        "Left out, as was asked: reward model. With every cost counted the choice is the same. Accuracy 0.800"
    )
    rows = table(document, "Who is the cheapest with every cost counted").rows
    assert [row[:2] for row in rows] == [("early", "the first"), ("later", "5"), ("full", "30")]
    assert [row[1] for row in table(document, "Who is the cheapest").rows] == ["the first", "6", "30"]  # 30 / 5
    shown = dict(plan_lines(result(queries=2, without=("reward model",))))
    assert shown["All costs"].startswith("With every cost counted the choice is the same. Accuracy 0.800")


def test_the_charts_hold_the_options_by_how_they_were_made_and_who_is_cheapest_when() -> None:
    document = plan_document(result(queries=10))
    frontier, envelope = chart(document, "plan-frontier"), chart(document, "plan-envelope")
    points = {each.label: (each.points, each.marker, each.names) for each in frontier.series}
    assert points["measured"] == (((70.0, 0.85), (100.0, 0.8)), Marker.DOT, ("later", "early"))
    assert points["published, not measured here"] == (((20.0, 0.95),), Marker.RING, ("<read> *me*",))
    assert points["none cheaper is as good"][0] == ((70.0, 0.85), (110.0, 0.9))
    assert points["chosen: later"][0] == ((70.0, 0.85),)
    assert frontier.bands[0].points == ((100.0, 0.7, 0.9),)
    assert [each.y for each in frontier.references] == [0.8]
    assert [each.label for each in envelope.series if each.in_legend] == [
        "early",
        "later, from 5 queries on",
        "full, from 30 queries on",
    ]
    assert [each.x for each in envelope.references] == [10, 5.0, 30.0]
    for x, y in (
        point for each in envelope.series if each.label == "later, from 5 queries on" for point in each.points
    ):
        assert y == pytest.approx(40.0 + 3.0 * x)
    rows = table(document, "Who is the cheapest").rows
    assert [row[:2] for row in rows] == [("early", "the first"), ("later", "5"), ("full", "30")]
    assert [row[2] for row in rows] == ["0.800 (0.700 to 0.900)", "0.850", "0.900 (forecast)"]


def test_what_a_row_found_is_shown_with_intervals_tables_and_pictures() -> None:
    document = plan_document(result())
    assert table(document, "Findings").rows == (
        ("exponent", "0.57", "0.5 to 0.6", "measured"),
        ("crossover, FLOPs a query: none up to 1e9", "none", "-", "extrapolated"),
    )
    assert table(document, "Sizes").rows == (("S", "1.5"),)
    picture = chart(document, "plan-sizes")
    assert [(each.label, each.dashed, each.marker) for each in picture.series] == [
        ("ours", False, Marker.DOT),
        ("theirs (published)", True, Marker.RING),
    ]
    assert picture.bands[0].points == ((1e5, 1.9, 2.1), (1e6, 1.4, 1.6), (1e7, 1.1, 1.3))
    limits = next(each for each in document.sections if each.heading == "What this rests on, and what not")
    texts = limits.blocks[0].texts  # type: ignore[union-attr]
    assert texts[:2] == (
        "How the options' quality was made: 2 measured, 1 forecast, 1 published.",
        "Not counted: data preparation.",
    )
    assert texts[-1] == "One seed."


def test_all_charts_compile_and_all_forms_escape_what_others_wrote(capfd: pytest.CaptureFixture[str]) -> None:
    import json

    import vl_convert

    from breakeven.report.charts.theme import config, resolved
    from breakeven.report.charts.vega import sized

    document = plan_document(result(queries=10))
    for figure in document.figures:
        spec = json.dumps(resolved({**sized(figure.spec, "t", 400), "config": config()}), allow_nan=False)
        assert vl_convert.vegalite_to_vega(spec, show_warnings=True)["marks"]
    assert capfd.readouterr().err == ""
    page = render_page(document)
    assert "<read>" not in page
    assert "&lt;read&gt; *me*" in page
    assert "&lt;read&gt; \\*me\\*" in to_markdown(document)
    assert json.loads(to_json(document))["charts"]["plan-frontier"]["series"]


def test_a_terminal_shows_choice_envelope_findings_and_notes() -> None:
    lines = list(plan_lines(result(queries=10)))
    assert [label for label, _ in lines] == [
        "Choice", "Gives", "Cheapest", "", "", "Found", "", "Notes", "", "", "",
    ]  # fmt: skip
    assert lines[2:5] == [
        ("Cheapest", "below 5 queries: early"),
        ("", "from 5 queries on: later"),
        ("", "from 30 queries on: full (forecast)"),
    ]
    assert lines[5][1] == "exponent: 0.57 (90 % interval 0.5 to 0.6), measured"
    assert lines[-1][1] == "Not counted: data preparation."
    alone = list(plan_lines(result(target=0.9)))
    assert ("Cheapest", "for any number of queries: full (forecast)") in alone


def test_thousands_of_options_are_drawn_and_told_in_part() -> None:
    many = tuple(
        Option(name=f"o{place}", query_flops=1.0 + place, quality=Quality(value=0.5 - 1e-5 * place, lo=0.1, hi=0.9))
        for place in range(3000)
    )
    document = plan_document(conclude("options", PlanAnswer(options=many), Wanted(target=0.4)))
    frontier = chart(document, "plan-frontier")
    assert sum(len(each.points) for each in frontier.series if each.label == "measured") == 1001
    assert [len(each.points) for each in frontier.bands] == [1]
    assert len(table(document, "The first 1,000 options; plan.json has all").rows) == 1000
