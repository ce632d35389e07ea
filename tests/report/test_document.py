"""A report as data: which sections there are, in which order, and what is left out where nothing is known."""

from breakeven.report import Beside, decided_document
from breakeven.report.charts.chart import Axis, Chart
from breakeven.report.charts.vega import figure_of
from breakeven.report.document import Document, Figures, Paragraphs, Section, Table


def chart(name: str) -> Chart:
    return Chart(name=name, title="t", description="d", x=Axis(label="x"), y=Axis(label="y"))


def test_the_figures_are_all_charts_in_order():
    one, two, three = (figure_of(chart(name)) for name in ("one", "two", "three"))
    sections = (
        Section(heading="a", blocks=(Paragraphs(texts=("p",)), one)),
        Section(heading="b", blocks=(Figures(of=(two, three)),), folded=True),
    )
    document = Document(title="t", verdict="v", lead="l", sections=sections)
    assert [each.chart.name for each in document.figures] == ["one", "two", "three"]
    assert Document(title="t", verdict="v", lead="l").figures == ()


def test_a_report_answers_in_this_order(document):
    assert [each.heading for each in document().sections] == [
        "How the decision came about",
        "What it costs, and until when",
        "What would change it",
        "Was it right?",
        "How training went",
        "Problem by problem",
        "Every checkpoint",
        "How each number was made",
        "What was read and assumed",
        "Configuration, versions and seeds",
    ]
    assert [each.heading for each in document().sections if each.folded] == ["Configuration, versions and seeds"]


def test_no_section_is_empty_and_no_two_charts_share_a_name(document, checkpoint):
    for made in (document(), decided_document("r", {}, [checkpoint()])):
        assert all(section.blocks for section in made.sections)
        names = [each.chart.name for each in made.figures]
        assert len(set(names)) == len(names)


def test_what_is_not_known_has_no_section(checkpoint):
    headings = [each.heading for each in decided_document("r", {}, [checkpoint()]).sections]
    assert "Was it right?" not in headings
    assert "What was read and assumed" not in headings
    assert "Configuration, versions and seeds" not in headings


def test_settings_are_shown_by_their_dotted_names(checkpoint):
    config = {"train": {"steps": 2500, "deep": {"on": True}}, "name": "x", "none": None}
    *_, last = decided_document("r", config, [checkpoint()], Beside(made_by={"seed": 7})).sections
    assert [each.rows for each in last.blocks if isinstance(each, Table)] == [
        (("train.steps", "2500"), ("train.deep.on", "true"), ("name", "x"), ("none", "null")),
        (("seed", "7"),),
    ]


def test_what_was_said_of_the_run_stands_below_the_verdict(document):
    made = document()
    assert made.verdict == "Stop at step 500, serve at most 8 samples per query"
    assert made.remarks[0].startswith("If it is wrong, which has probability 0.07 (forecast)")
    assert made.remarks[1].startswith("Checked on 400 test problems that no decision saw")
    assert made.remarks[2] == "A remark."
    assert made.remarks[3].endswith("What came later is drawn fainter and changed nothing above.")


def test_failed_evaluations_are_listed(document):
    tables = {each.label: each for section in document().sections for each in section.blocks if isinstance(each, Table)}
    assert tables["Failed evaluations"].rows == (("350", "verifier", "OSError: | disk `full`"),)
