"""The report of an evaluation: the most accurate way to deploy, two charts, and every number."""

import json
import re

import pytest

from breakeven.records import Score
from breakeven.report.document import Completions, Table
from breakeven.report.forms import to_json, to_markdown
from breakeven.report.measured import accuracy_against_flops, accuracy_against_k, measured_document
from breakeven.report.measurements import HEADINGS
from breakeven.report.page import render_page

# -- charts -----------------------------------------------------------------------------------------------------------


def test_a_line_for_each_strategy_dashed_for_oracles(measured):
    measurements = [
        *(measured(k=k) for k in (4, 1, 2)),
        measured("majority_vote", 1),
        *(measured("generative_verification", k, num_verdicts=v) for v in (1, 2) for k in (1, 2)),
    ]
    chart = accuracy_against_k(measurements)
    assert [(each.label, each.dashed, len(each.points)) for each in chart.series] == [
        ("pass@k (oracle, an upper bound)", True, 3),
        ("majority_vote (deployable)", False, 1),
        ("generative_verification, 1 verdicts (deployable)", False, 2),
        ("generative_verification, 2 verdicts (deployable)", False, 2),
    ]
    assert [x for x, _ in chart.series[0].points] == [1.0, 2.0, 4.0]
    assert [y for _, y in chart.series[0].points] == pytest.approx([0.26, 0.27, 0.29])
    assert len({each.role for each in chart.series}) == 4
    assert len(chart.bands) == 3, "more would hide one another"
    assert chart.bands[0].points[0] == pytest.approx((1.0, 0.21, 0.31))


def test_price_is_that_of_policy_and_verifier_and_what_is_not_known_is_left_out(measured):
    known = measured("best_of_n", 4, reward_flops=1e12)
    chart = accuracy_against_flops([known, measured(model_flops=None), measured("majority_vote", reward_flops=None)])
    assert chart is not None
    assert [each.label for each in chart.series] == ["best_of_n (deployable)"]
    assert chart.x.label == "FLOPs per query, verifier included"
    assert chart.series[0].points == ((7e12, known.accuracy),)
    assert accuracy_against_flops([measured(model_flops=None)]) is None


def test_many_strategies_are_still_told_apart(measured):
    chart = accuracy_against_k([measured(f"s{n}") for n in range(12)])
    assert len({(each.role, each.marker) for each in chart.series}) == 12


# -- the report -------------------------------------------------------------------------------------------------------


def facts(document) -> dict[str, tuple[str, str]]:
    return {each.what: (each.number, each.how) for each in document.facts}


def test_the_verdict_is_the_most_accurate_deployable_way_with_its_interval_and_what_one_sample_has(measured):
    document = measured_document(
        "m on t",
        [
            measured("greedy", 1, model_flops=2e12),
            *(measured(k=k) for k in (1, 4, 8)),
            *(measured("majority_vote", k) for k in (1, 4, 8)),
        ],
    )
    assert document.title == "m on t"
    assert document.verdict == "Most accurate to deploy: majority vote of 8 samples"
    assert document.lead == (
        "It is right in 0.330 of the problems, 90 % interval 0.280 to 0.380; one greedy sample is in 0.260, 90 % "
        "interval 0.210 to 0.310 (measured). As the best of 4 measured on the same samples it looks better than it is."
    )
    assert facts(document) == {
        "Accuracy, best deployable": (
            "0.330",
            "measured; majority vote of 8 samples, 90 % interval 0.280 to 0.380",
        ),
        "What a query costs": ("12 TFLOPs", "6 samples, 987.2 tokens, 6 times one sample"),
        "Accuracy of one sample": ("0.260", "measured; one greedy sample, 90 % interval 0.210 to 0.310"),
        "Upper bound": ("0.330", "measured; pass@k of 8 samples, 90 % interval 0.280 to 0.380"),
    }


def test_of_ways_as_accurate_the_cheapest_is_named(measured):
    ways = [measured("best_of_n", 4, reward_flops=1e15), measured("majority_vote", 4)]
    for order in (ways, ways[::-1]):
        assert measured_document("m", order).verdict == "Most accurate to deploy: majority vote of 4 samples"


def test_where_one_sample_is_best_it_is_not_held_against_itself(measured):
    document = measured_document("m", [measured("greedy", 1, model_flops=None)])
    assert document.verdict == "Most accurate to deploy: one greedy sample"
    assert document.lead == "It is right in 0.260 of the problems, 90 % interval 0.210 to 0.310 (measured)."
    assert facts(document)["What a query costs"] == ("0.75 samples", "0.75 samples, 123.4 tokens; FLOPs unknown")
    assert "Accuracy of one sample" not in facts(document)


def test_bounds_alone_are_no_advice(measured):
    document = measured_document("m", [measured(k=4)])
    assert document.verdict == "No deployable way was measured"
    assert list(facts(document)) == ["Upper bound"]


def test_what_must_be_said_before_any_number_is_a_remark_and_the_rest_are_notes(measurements):
    document = measured_document("m", measurements, warning="Half failed.", notes=["One note.", "Another."])
    assert document.remarks == ("Half failed.",)
    assert [each.heading for each in document.sections] == [
        "What more samples buy, and what they cost",
        "Every number",
        "Notes",
    ]


def test_the_page_holds_both_charts_every_number_the_notes_and_what_it_was_made_with(measurements):
    written = Completions(of=(("Problem 1", (("greedy, wrong", "I guess"),)),))
    page = render_page(
        measured_document(
            "m on t",
            measurements,
            warning="What was drawn.",
            notes=["One note.", "Another."],
            problems=[written],
            settings={"temperature": 0.8},
            made_by={"seed": 7},
        )
    )
    assert page.startswith("<!doctype html>")
    assert re.findall(r'data-chart="(.*?)"', page) == ["samples", "flops"]
    (table,) = re.findall(r"<caption[^>]*>Every strategy at every K</caption>(.*?)</table>", page, re.DOTALL)
    assert table.count("<tr") == 1 + len(measurements)
    assert all(heading in page for heading in HEADINGS[:-1])
    for words in ("What more samples buy", "What a query costs", "What was drawn.", "One note.", "Another.", "I guess"):
        assert words in page
    assert "<td>temperature</td><td>0.8</td>" in page
    assert "<td>seed</td><td>7</td>" in page


def test_without_prices_there_is_one_chart_and_without_notes_no_heading_for_them(measured):
    page = render_page(measured_document("m on t", [measured(model_flops=None)]))
    assert re.findall(r'data-chart="(.*?)"', page) == ["samples"]
    assert "<h2>Notes</h2>" not in page


def test_scores_and_gains_of_a_classifier_stand_beside_its_accuracies(measured):
    score = Score(metric="f1", strategy="soft_vote", k=4, value=0.5, standard_error=0.1, lo=0.4, hi=0.6)
    vote = measured("soft_vote", 1, output_tokens=0.0, gain=0.02, gain_lo=0.01, gain_hi=0.03)
    document = measured_document("m", [vote], scores=[score])
    assert document.verdict == "Most accurate to deploy: one sample"
    assert facts(document)["What a query costs"] == ("1.5 TFLOPs", "0.75 samples, 1 times one sample")
    (numbers,) = (each for each in document.sections if each.heading == "Every number")
    accuracies, scores = (each for each in numbers.blocks if isinstance(each, Table))
    assert accuracies.headings == HEADINGS
    assert accuracies.rows[0][-1] == "+0.020 (+0.010 to +0.030)"
    assert scores.label == "Scores of whole sets of served classes"
    assert scores.rows[0][:4] == ("f1", "soft_vote", "4", "0.500")


def test_names_and_notes_are_escaped(measured):
    evil = "<script>alert('x')</script>"
    document = measured_document(evil, [measured(evil, 1)], warning=evil, notes=[evil])
    page = render_page(document)
    assert evil not in page
    assert page.count("<script") == 3
    assert page.count("&lt;script&gt;") >= 4
    assert "<script" not in to_markdown(document)


def test_it_needs_no_network_and_no_other_file(measurements):
    page = render_page(measured_document("m", measurements, notes=["n"]))
    outside = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"<(?:img|iframe|object|embed)|\ssrc=", outside)
    assert re.findall(r'href="(.*?)"', outside) == ["data:,"]
    assert not re.findall(r"https?://|@import|url\(", outside)


def test_a_single_measurement_of_nothing_right_is_enough(measured):
    document = measured_document("m", [measured(k=1, accuracy=0.0, lo=0.0, standard_error=float("nan"))])
    assert "0.000" in render_page(document)


def test_its_json_holds_the_curves(measurements, measured):
    found = json.loads(to_json(measured_document("m on t", measurements)))
    vote = next(each for each in found["charts"]["samples"]["series"] if each["label"].startswith("majority_vote"))
    assert vote["points"] == [[1.0, 0.26], [64.0, 0.89]]
    assert found["workload"] is None
