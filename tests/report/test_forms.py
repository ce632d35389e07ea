"""Markdown shows every text as it is, and JSON holds every number: both of the document that the page is of."""

import dataclasses
import html
import json
import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from breakeven.errors import printable
from breakeven.report.charts.chart import Axis, Band, Chart, Reference, Series
from breakeven.report.charts.vega import figure_of
from breakeven.report.document import Completions, Document, Fact, Meanings, Paragraphs, Section, Table
from breakeven.report.forms import FORMS, to_json, to_markdown
from breakeven.report.page import render_page

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

EVIL = (
    "<script>alert(1)</script>",
    "![x](https://e.example/p.png) [a](javascript:b) <https://e.example>",
    "see https://e.example or www.e.example or me@e.example, @everyone",
    "| a | b |",
    "# heading\n\n## another",
    "1. one",
    "- [ ] to do",
    "--- ***bold*** ~~gone~~ __under__ `code` $x$",
    "&lt;b&gt; &amp;",
    "back\\slash \\| \\` end\\",
    "a\u202eb\u2066c\x1b[2J",
    "=====",
    "</details><!-- -->",
)


def shown(markdown: str) -> tuple[str, set[str]]:
    """What a reader of GitHub sees of Markdown, in one line, and the tags that it is made of."""
    page = MARKDOWN.render(markdown).replace("<!-- -->", "")
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split()), set(re.findall(r"<([a-z0-9]+)", page))


def plain(text: str) -> str:
    return printable(" ".join(text.split()))


def of(*blocks, **changes) -> Document:
    values = {"title": "t", "verdict": "v", "lead": "l", "sections": (Section(heading="h", blocks=blocks),)}
    return Document(**(values | changes))


# -- Markdown ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("evil", EVIL)
def test_every_text_of_a_report_stays_text(evil):
    chart = Chart(
        name="c",
        title=evil,
        description=evil,
        x=Axis(label=evil),
        y=Axis(label=evil),
        series=(Series(label=evil, points=((1.0, 2.0),)),),
        note=evil,
    )
    document = Document(
        title=evil,
        verdict=evil,
        lead=evil,
        remarks=(evil,),
        facts=(Fact(what=evil, number=evil, how=evil),),
        sections=(
            Section(
                heading=evil,
                blocks=(
                    Paragraphs(texts=(evil,)),
                    Paragraphs(texts=(evil,), listed=True),
                    Table(label=evil, headings=(evil, evil), rows=((evil, evil),), chosen=0),
                    Meanings(of=((evil, evil),)),
                    figure_of(chart),
                    Completions(of=((evil, ((evil, evil),)),)),
                ),
            ),
            Section(heading=evil, blocks=(Table(label=evil, headings=(evil,), rows=((evil,),) * 61),), folded=True),
        ),
    )
    words, tags = shown(to_markdown(document))
    table, details = {"table", "thead", "tbody", "tr", "th", "td"}, {"details", "summary", "pre", "code"}
    assert tags == {"h1", "h2", "h3", "p", "ul", "li", "strong"} | table | details
    assert words.count(plain(evil)) >= 25 + 61
    assert not re.search("[\u202e\u2066\x1b]", to_markdown(document)), "nothing that hides or turns a text"


@settings(max_examples=50)
@given(st.text(max_size=40))
def test_any_text_is_shown_as_it_is(text):
    words, tags = shown(
        to_markdown(of(Table(label="x", headings=("h",), rows=((text,),)), lead=f"a {text}", remarks=(text,)))
    )
    assert words == " ".join(f"v t a {plain(text)} {plain(text)} h x h {plain(text)}".split())
    assert tags <= {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td"}


def test_what_github_would_link_or_call_is_split_and_other_words_are_not():
    written = to_markdown(of(lead="ask @some, me@e.example, https://e.example, WWW.e.example; a:tada:, #12; pass@k"))
    split = "@- some, me@- e.example, https:- //e.example, WWW- .e.example; a:- tada:, \\#- 12; pass@k"
    assert split.replace("- ", "<!-- -->") in written


def test_what_a_model_wrote_keeps_its_lines_whatever_it_holds():
    text = "```\n# no heading\n    indented\r\n````\n</details>"
    written = to_markdown(of(Completions(of=(("Problem 1", (("greedy, wrong", text),)),))))
    (fenced,) = [token for token in MARKDOWN.parse(written) if token.type == "fence"]
    assert fenced.content == "```\n# no heading\n    indented\n````\n</details>\n"


def test_the_whole_report_is_there(document):
    whole = document()
    words, _ = shown(to_markdown(whole))
    for text in (whole.title, whole.verdict, whole.lead, *whole.remarks, *(each.heading for each in whole.sections)):
        assert plain(text) in words
    for fact in whole.facts:
        assert f"{fact.what} {fact.number} {fact.how}" in words
    for section in whole.sections:
        for block in section.blocks:
            if isinstance(block, Table):
                for row in (block.headings, *block.rows):
                    assert plain(" ".join(row)) in words
    for figure in whole.figures:
        assert f"{figure.chart.title} {figure.chart.description}" in words
    assert "with 1 million queries 1.02 PFLOPs 4.22 PFLOPs" in words, "both ways at the declared workload"


def test_a_chart_is_its_numbers_and_its_picture_where_there_is_one():
    axes: dict[str, Any] = {"x": Axis(label="x"), "y": Axis(label="y", percent=True)}
    chart = Chart(name="c", title="T", description="D.", series=(Series(label="s", points=((1.0, 0.5),)),), **axes)
    without = to_markdown(of(figure_of(chart)))
    assert "### T\n\nD.\n\n<details>\n<summary>Its numbers</summary>\n\n| what | x | y |\n" in without
    assert "| s | 1 | 50.0 % |\n\n</details>\n" in without
    assert "![" not in without
    assert "\n\n![T](<my%20figures/c.png>)\n\n" in to_markdown(of(figure_of(chart)), {"c": "my%20figures/c.png"})


def test_a_long_table_is_folded_and_the_row_that_leads_stands_out():
    def table(rows):
        return to_markdown(
            of(Table(label="Rows", headings=("n",), rows=tuple((str(n),) for n in range(rows)), chosen=2))
        )

    assert "<details>" not in table(60)
    assert "<summary>Rows: 61 rows</summary>\n\n| n |" in table(61)
    assert "| 1 |\n| **2** |\n| 3 |" in table(60)


# -- JSON --------------------------------------------------------------------------------------------------------------


def test_a_program_finds_every_number_by_a_stable_name(document, rich):
    whole = document()
    found = json.loads(to_json(whole, {"learning": "figures/learning.png"}))
    names = ("format", "title", "verdict", "lead", "remarks", "facts", "charts", "tables", "texts", "workload")
    assert tuple(found) == names
    assert (found["format"], found["title"], found["verdict"]) == (1, "my run", whole.verdict)
    assert found["facts"] == [dataclasses.asdict(each) for each in whole.facts]
    assert [each["label"] for each in found["tables"]] == [
        "FLOPs ledger",
        "FLOPs of serving",
        "Verification",
        "Every problem",
        "Every checkpoint",
        "Failed evaluations",
        "Configuration",
        "Versions, seeds, machine and date",
    ]
    every = next(each for each in found["tables"] if each["label"] == "Every checkpoint")
    assert (every["section"], len(every["rows"]), every["chosen"]) == ("Every checkpoint", 4, 2)
    learning = found["charts"]["learning"]
    parts = ("title", "description", "note", "x", "y", "series", "bands", "references", "rows", "image")
    assert tuple(learning) == parts
    assert learning["image"] == "figures/learning.png"
    measured = [[each.decision.used, each.decision.baseline_accuracy] for each in rich()]
    assert learning["series"][0]["points"] == measured[:3], "unrounded"
    ways = found["charts"]["frontier"]["rows"]
    assert [(each["step"], each["k"]) for each in ways] == [(step, k) for step in (300, 400, 500) for k in (1, 2, 4, 8)]
    assert set(ways[0]) == {"what", "deployable", "step", "k", "accuracy", "fixed", "per", "later"}
    assert found["workload"]["break_even"] == rich()[2].decision.break_even_queries
    assert [each["section"] for each in found["texts"]] == [each.heading for each in whole.sections]
    written = next(each for each in found["texts"] if each["section"] == "Problem by problem")
    problem, texts = written["completions"][0]
    assert problem.startswith("Problem ")
    assert [what for what, _ in texts] == ["greedy, wrong", "a sample, right", "a sample, wrong"]
    assert re.fullmatch("<b>[0-9]+</b> answer", texts[1][1])


def test_there_is_no_specification_and_no_mark_of_a_colour_in_it(document):
    text = to_json(document())
    assert "vega" not in text
    assert "\\ue000" not in text


def test_what_is_no_finite_number_is_null():
    axes: dict[str, Any] = {"x": Axis(label="x"), "y": Axis(label="y")}
    chart = Chart(
        name="c",
        title="T",
        description="D",
        series=(Series(label="s", points=((1.0, math.nan), (2.0, math.inf)), dashed=True),),
        bands=(Band(label="b", points=((1.0, -math.inf, 2.0),)),),
        references=(Reference(label="r", y=0.5),),
        **axes,
    )
    found = json.loads(to_json(of(figure_of(chart))), parse_constant=pytest.fail)["charts"]["c"]
    assert found["series"] == [{"label": "s", "dashed": True, "points": [[1.0, None], [2.0, None]]}]
    assert found["bands"] == [{"label": "b", "points": [[1.0, None, 2.0]]}]
    assert found["references"] == [{"label": "r", "x": None, "y": 0.5}]


def test_half_a_character_can_be_written():
    assert json.loads(to_json(of(title="a\udcffb")).encode())["title"] == "a\udcffb"
    to_markdown(of(title="a\udcffb")).encode()


def test_a_suffix_is_a_form(document):
    assert list(FORMS) == [".html", ".md", ".json"]
    whole = document()
    assert [form(whole, {}) for form in FORMS.values()] == [render_page(whole), to_markdown(whole), to_json(whole)]
