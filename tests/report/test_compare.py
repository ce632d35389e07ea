"""Several runs on one page: what each decided, and what they differ by."""

import dataclasses

import pytest

from breakeven.records import NORMAL_95, Reason
from breakeven.report import render_page
from breakeven.report.charts.chart import Figure, Marker
from breakeven.report.charts.overlaid import ComparedRun
from breakeven.report.compare import compared_document
from breakeven.report.document import Figures, Paragraphs, Table


@pytest.fixture
def compared(checkpoint, run):
    """A run of 25 checkpoints that stops at step 600; of that one alone where its verdicts are given."""

    def make(name="one", greedy="", rows=(), problems="4 problems, 00000001", **changes):
        checkpoints = run()
        if greedy:
            served = dataclasses.replace(checkpoints[5].decision.serving, k=2, accuracy=0.5)
            made = checkpoint(serving=served)
            bank = dataclasses.replace(made.observation.bank, greedy_correct_P=greedy, correct_PN=tuple(rows))
            checkpoints = [
                dataclasses.replace(made, observation=dataclasses.replace(made.observation, bank=bank)),
            ]
        return ComparedRun(
            **{"name": name, "checkpoints": checkpoints, "budget_flops": 4.2e15, "problems": problems} | changes
        )

    return make


@pytest.fixture
def pair(compared):
    return [
        compared("one", "1100", ("1000", "0000", "0000", "0000")),
        compared("two", "1110", ("1100", "1000", "0000", "0000")),
    ]


def table_of(document, label):
    return next(
        block
        for section in document.sections
        for block in section.blocks
        if isinstance(block, Table) and block.label == label
    )


def charts_of(document):
    return {each.chart.name: each.chart for each in document.figures}


def test_two_runs_on_the_same_problems_are_paired(pair):
    document = compared_document(pair)
    rows = table_of(document, "Differences").rows
    # greedy: 0, 0, 1, 0 more; any of two: 1/2 and 5/6, 0 and 1/2, so that 1/3, 1/2, 0, 0 more
    mean = (1 / 3 + 1 / 2) / 4
    squares = (1 / 3 - mean) ** 2 + (1 / 2 - mean) ** 2 + 2 * mean**2
    half = NORMAL_95 * (squares / 3 / 4) ** 0.5
    assert [row[:5] for row in rows] == [
        ("One greedy sample", "0.500", "0.750", "+0.250", "-0.161 to +0.661"),
        ("What is served", "0.125", "0.333", "+0.208", f"{mean - half:+.3f} to {mean + half:+.3f}"),
    ]
    assert rows[0][5] == "steps 600 and 600; measured, paired over 4 problems"
    assert (
        rows[1][5] == "steps 600 and 600; pass@k of 2 samples and pass@k of 2 samples; measured, paired over 4 problems"
    )
    assert document.verdict == "one and two alike: Stop at step 600, serve 2 samples per query"
    assert document.lead.startswith("What is served: two is 0.208 more accurate than one (90 % interval ")
    assert document.lead.endswith(".")
    assert "cannot be told apart" not in document.lead
    assert [fact.number for fact in document.facts] == ["+0.250", "+0.208"]
    assert document.remarks == ()


def test_two_classifiers_are_compared_in_passes_and_beside_a_language_model_in_samples(pair):
    bank = dataclasses.replace(pair[1].lead.observation.bank, soft_votes=())
    observation = dataclasses.replace(pair[1].lead.observation, bank=bank)
    passes = dataclasses.replace(pair[1], checkpoints=[dataclasses.replace(pair[1].lead, observation=observation)])
    both = compared_document([dataclasses.replace(passes, name="samples-1"), passes])
    assert table_of(both, "Differences").rows[0][0] == "One plain pass"
    assert both.title == "samples-1 beside two"
    assert "samples-1" in table_of(both, "Decisions").headings
    assert table_of(compared_document([pair[0], passes]), "Differences").rows[0][0] == "One greedy sample"


@pytest.mark.parametrize("problems", [None, "4 problems, 00000002"])
def test_runs_not_known_to_be_on_the_same_problems_are_not_paired_and_it_is_said(pair, problems):
    pair[1] = dataclasses.replace(pair[1], problems=problems)
    document = compared_document(pair)
    # variances 1/3 and 1/4, each over 4 problems
    half = NORMAL_95 * ((1 / 3 + 1 / 4) / 4) ** 0.5
    row = table_of(document, "Differences").rows[0]
    assert row[4] == f"{0.25 - half:+.3f} to {0.25 + half:+.3f}"
    assert row[5].endswith("measured, not paired, 4 and 4 problems")
    assert document.remarks[0].startswith("two: not evaluated on the same problems as one")
    assert document.lead.endswith("They cannot be told apart at this number of problems.")


def test_what_is_served_is_compared_with_as_many_samples_as_were_drawn(pair):
    lead = pair[1].checkpoints[0]
    more = dataclasses.replace(lead.decision, serving=dataclasses.replace(lead.decision.serving, k=64))
    pair[1] = dataclasses.replace(pair[1], checkpoints=[dataclasses.replace(lead, decision=more)])
    row = table_of(compared_document(pair), "Differences").rows[1]
    assert row[0] == "What is served, with as many samples as were drawn"
    assert row[2] == "0.500"  # any of four
    assert "pass@k of 2 samples and pass@k of 4 of its 64 samples" in row[5]


def test_at_the_last_share_in_common_runs_are_compared_as_well(compared):
    long, short = compared("long"), compared("short")
    short = dataclasses.replace(short, checkpoints=short.checkpoints[:4])  # trains on
    rows = table_of(compared_document([long, short]), "Differences").rows
    assert [row[0] for row in rows] == ["One greedy sample", "One greedy sample at 16 % of the budget"]
    assert rows[0][5].startswith("steps 600 and 400;")
    assert rows[1][3] == "+0.000"
    assert rows[1][4] == "-"  # equal on every problem: no interval can be told
    assert rows[1][5].startswith("steps 400 and 400;")


def test_a_run_that_used_its_budget_is_served_with_one_sample(compared, checkpoint):
    full = dataclasses.replace(compared("full"), checkpoints=[checkpoint(2500, reason=Reason.BUDGET_SPENT)])
    row = table_of(compared_document([compared("stopped"), full]), "Differences").rows[-1]
    assert row[0] == "What is served, with as many samples as were drawn"
    assert "pass@k of 4 of its 8 samples and one greedy sample" in row[5]


def test_decisions_stand_in_one_table_a_column_a_run(compared, verification):
    runs = [compared("one", verification=verification()), compared("two")]
    table = table_of(compared_document(runs), "Decisions")
    assert table.headings == ("", "one", "two")
    rows = {row[0]: row[1] for row in table.rows}
    assert rows["Decision"] == "Stop at step 600, serve 8 samples per query"
    assert rows["Budget used"] == "24 %"
    assert rows["Net saving of training FLOPs, stopping here"] == "73 %"
    assert rows["Evaluation beside training so far"] == "12 %"
    assert rows["Verified, ± one standard error"] == "+0.021 ± 0.019 beside full training, 400 problems"
    assert "How sure" not in rows  # the paper's rule gives no probability
    assert {len(row) for row in table.rows} == {3}


def test_an_accuracy_has_the_interval_of_its_k_curve(calibrated, compared):
    run = dataclasses.replace(compared(), checkpoints=[calibrated()])
    rows = {row[0]: row[1] for row in table_of(compared_document([run, run]), "Decisions").rows}
    assert rows["Its accuracy"] == "0.679 (extrapolated), 90 % interval 0.649 to 0.709"  # 0.9 / (1 + exp(-1.12)) ± 0.03
    assert rows["Fully trained model"] == "0.525 (forecast), 90 % interval 0.450 to 0.600"


def test_where_budgets_differ_curves_are_drawn_over_flops_too(compared):
    alike = compared_document([compared("one"), compared("two")])
    assert list(charts_of(alike)) == ["learning", "samples", "training-loss"]
    unlike = compared_document([compared("one"), compared("two", budget_flops=8.4e15)])
    chart = charts_of(unlike)["learning-flops"]
    assert chart.x.label == "training FLOPs"
    assert chart.series[0].points[-1][0] == pytest.approx(4.2e15)
    rings = [each for each in chart.series if each.marker is Marker.RING]
    assert [(each.label[:18], each.points[0][0]) for each in rings] == [
        ("one: fully trained", pytest.approx(4.2e15)),
        ("two: fully trained", pytest.approx(8.4e15)),
    ]
    assert "The budgets differ" in " ".join(unlike.remarks)


def test_nine_runs_have_eight_colours_and_one_faint_line(compared):
    runs = [compared(f"run {place}") for place in range(9)]
    document = compared_document(runs)
    lines = [each for each in charts_of(document)["learning"].series if each.line]
    assert len({each.role for each in lines[:8]}) == 8
    assert (lines[8].label, lines[8].strength) == ("the other runs (1)", 0.35)
    assert document.verdict == "9 runs: 9 stopped early"
    assert "run 7: Stop at step 600" in document.lead
    assert document.lead.endswith("; 1 more in the table.")
    assert any("the first 8 runs" in each for each in document.remarks)
    assert len(table_of(document, "Decisions").headings) == 10
    differences = table_of(document, "Differences")
    assert {row[1] for row in differences.rows} == {f"run {place}" for place in range(1, 9)}
    said = [text for section in document.sections for block in section.blocks for text in getattr(block, "texts", ())]
    assert "Each interval stands on its own: none is adjusted for how many there are." in said


def test_settings_that_differ_are_shown_alone(compared):
    one = compared("one", settings={"name": "one", "train": {"steps": 100, "rate": 0.1}, "seed": 0})
    two = compared("two", settings={"name": "two", "train": {"steps": 100, "rate": 0.2}, "seed": 0, "extra": "x"})
    table = table_of(compared_document([one, two]), "Settings that differ")
    assert table.rows == (("train.rate", "0.1", "0.2"), ("extra", "-", "x"))
    (same,) = compared_document([one, one]).sections[-1].blocks
    assert isinstance(same, Paragraphs)
    assert same.texts == ("All settings that were recorded are the same.",)


def test_names_are_text_wherever_they_stand(compared):
    page = render_page(compared_document([compared("<script>alert(1)</script>"), compared("<b>two</b>")]))
    assert "<script>alert" not in page
    assert "<b>two" not in page
    assert "&lt;b&gt;two" in page


def test_a_difference_that_rounds_to_nothing_is_none(pair):
    pair[1] = dataclasses.replace(pair[0], name="two", problems=None)
    lead = compared_document(pair).lead
    assert lead.startswith("What is served: two is as accurate as one (90 % interval -")
    pair[1] = dataclasses.replace(pair[0], name="two")
    assert compared_document(pair).lead.startswith("What is served: two and one are equal on every problem (")


def test_long_courses_are_thinned(compared):
    run = compared()
    long = dataclasses.replace(run, checkpoints=run.checkpoints * 100)
    chart = charts_of(compared_document([long, run]))["learning"]
    assert len(chart.series[0].points) == 400


def test_every_kind_of_block_is_one_that_a_page_knows(pair):
    blocks = [block for section in compared_document(pair).sections for block in section.blocks]
    assert any(isinstance(block, Figure) for block in blocks)
    assert any(isinstance(block, Figures) for block in blocks)
