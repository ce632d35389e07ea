"""What an evaluation measured, as a table of 100 characters, two charts and a page of its own."""

import dataclasses
import io
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from rich.console import Console

from breakeven.records import Measurement
from breakeven.report.measurements import (
    HEADINGS,
    accuracy_against_flops,
    accuracy_against_k,
    measurement_rows,
    measurement_table,
    render_measurements,
)


def measured(strategy: str = "pass@k", k: int = 4, **changes: Any) -> Measurement:
    values: dict[str, Any] = {
        "strategy": strategy,
        "deployable": strategy != "pass@k",
        "k": k,
        "accuracy": 0.25 + 0.01 * k,
        "standard_error": 0.03,
        "lo": 0.2 + 0.01 * k,
        "hi": 0.3 + 0.01 * k,
        "num_problems": 100,
        "expected_samples": 0.75 * k,
        "output_tokens": 123.4 * k,
        "model_flops": 1.5e12 * k,
        "model_flops_unshared": 2.5e12 * k,
        "reward_flops": 0.0,
    }
    return Measurement(**(values | changes))


def every() -> list[Measurement]:
    """The widest names and numbers there are."""
    judged = {"reward_flops": 9.99e17, "num_verdicts": 16, "monte_carlo_error": 0.0123, "output_tokens": 123456.0}
    return [
        measured("greedy", 1, deployable=True),
        *(measured(k=k) for k in (1, 2, 64)),
        *(measured("generative_verification", k, **judged) for k in (1, 64)),
        measured("beam_search/weighted_vote", 16, reward_flops=None),
        *(measured("majority_vote", k) for k in (1, 64)),
    ]


def shown(measurements: list[Measurement], width: int = 100) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=width, highlight=False).print(measurement_table(measurements, width))
    return text.getvalue().splitlines()


# -- the table on a terminal ------------------------------------------------------------------------------------------


def test_where_checks_failed_the_accuracy_were_they_wrong_is_beside() -> None:
    rows = [measured("greedy", 1, accuracy_unknown_wrong=0.2), measured(k=2, accuracy_unknown_wrong=None)]
    heading, _, first, second = shown(rows)
    assert heading.split()[:5] == ["strategy", "K", "accuracy", "?", "wrong"]
    assert first.split()[:4] == ["greedy", "1", "0.260", "0.200"]
    assert second.split()[3:5] == ["0.270", "-"]
    assert [row[2] for row in measurement_rows(rows)] == ["0.260 (0.200 if unknown is wrong)", "0.270"]
    assert "? wrong" not in shown([measured()])[0]
    wide = [dataclasses.replace(each, accuracy_unknown_wrong=0.123) for each in every()]
    assert max(map(len, shown(wide))) <= 100


def test_one_line_a_measurement_within_100_characters() -> None:
    lines = shown(every())
    assert len(lines) == 2 + len(every())
    assert max(map(len, lines)) <= 100
    words = [" ".join(line.split()) for line in lines]
    assert words[0] == "strategy K accuracy interval samples tokens FLOPs reward unshared"
    assert words[4] == "pass@k (oracle) 2 0.270 0.220-0.320 1.5 247 3 T 0 5 T"
    assert words[7] == "generative_verification 64 x 16 0.890 0.840-0.940 48.0 123456 999 P 999 P 160 T"
    assert words[8] == "beam_search/weighted_vote 16 0.410 0.360-0.460 12.0 1974 - - 40 T"


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (81, "strategy K accuracy interval samples tokens FLOPs"),  # 25 + 7 + 8 + 11 + 7 + 6 + 5, and 6 x 2 between
        (80, "strategy K accuracy interval samples FLOPs"),
        (70, "strategy K accuracy interval FLOPs"),
    ],
)
def test_a_narrower_terminal_does_without_columns_and_folds_nothing(width: int, columns: str) -> None:
    lines = shown(every(), width)
    assert len(lines) == 2 + len(every())
    assert max(map(len, lines)) <= width
    assert " ".join(lines[0].split()) == columns
    assert "0.840-0.940" in lines[7], "an accuracy keeps its interval"


def test_prices_that_are_nothing_or_not_known_have_no_column() -> None:
    assert shown([measured()])[0].split()[-2:] == ["FLOPs", "unshared"]
    unknown = measured(model_flops=None, model_flops_unshared=None)
    assert shown([unknown])[0].split()[-2:] == ["samples", "tokens"]


def test_on_a_narrow_terminal_nothing_is_lost() -> None:
    text = "".join(shown(every(), width=60))
    assert "…" not in text
    cells = [line.split()[0] for line in shown(every(), width=60)]
    assert any(each.startswith("gen") for each in cells)


# -- the table of the page --------------------------------------------------------------------------------------------


def test_rows_say_what_is_known() -> None:
    (row,) = measurement_rows([measured("weighted_vote", 8, monte_carlo_error=0.00123, reward_flops=2e12)])
    assert row == [
        "weighted_vote (deployable)",
        "8",
        "0.330 (MC error 0.0012)",
        "0.280 to 0.380",
        "6.0",
        "987",
        "14 TFLOPs",
        "2 TFLOPs",
        "20 TFLOPs",
    ]
    assert len(row) == len(HEADINGS)
    (unknown,) = measurement_rows([measured(model_flops=None, model_flops_unshared=None, reward_flops=None)])
    assert unknown[0] == "pass@k (oracle, an upper bound)"
    assert unknown[-3:] == ["-", "-", "-"]
    (judged,) = measurement_rows([measured("generative_verification", 4, num_verdicts=2)])
    assert judged[1] == "4 x 2"


# -- charts -----------------------------------------------------------------------------------------------------------


def test_a_line_for_each_strategy_dashed_for_oracles() -> None:
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


def test_price_is_that_of_policy_and_verifier_and_what_is_not_known_is_left_out() -> None:
    known = measured("best_of_n", 4, reward_flops=1e12)
    chart = accuracy_against_flops([known, measured(model_flops=None), measured("majority_vote", reward_flops=None)])
    assert chart is not None
    assert [each.label for each in chart.series] == ["best_of_n (deployable)"]
    assert chart.x.label == "TFLOPs per query, verifier included"
    assert chart.series[0].points == ((7.0, known.accuracy),)
    assert accuracy_against_flops([measured(model_flops=None)]) is None


def test_many_strategies_are_still_told_apart() -> None:
    chart = accuracy_against_k([measured(f"s{n}") for n in range(12)])
    assert len({(each.role, each.marker) for each in chart.series}) == 12


# -- the page ---------------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """What a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action", "data", "xlink:href")]


def test_the_page_holds_both_charts_every_number_and_the_notes() -> None:
    page = render_measurements("m on t", "What was drawn.", every(), ["One note.", "Another."])
    found = Tags(page)
    assert found.tags.count("svg") == 4, "each chart wide and narrow"
    assert found.tags.count("tr") == 1 + len(every())
    assert all(heading in page for heading in HEADINGS[:-1])
    for words in ("What more samples buy", "What a query costs", "What was drawn.", "One note.", "Another."):
        assert words in page
    assert page.startswith("<!doctype html>")


def test_without_prices_there_is_one_chart_and_without_notes_no_heading_for_them() -> None:
    page = render_measurements("m on t", "s", [measured(model_flops=None)], [])
    assert Tags(page).tags.count("svg") == 2
    assert "<h2>Notes</h2>" not in page


def test_names_and_notes_are_escaped() -> None:
    evil = "<script>alert('x')</script>"
    page = render_measurements(evil, evil, [measured(evil, 1)], [evil])
    assert "script" not in Tags(page).tags
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4


def test_it_needs_no_network_and_no_other_file() -> None:
    page = render_measurements("m", "s", every(), ["n"])
    found = Tags(page)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(found.tags)
    assert found.links == []
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page)
    assert "@import" not in page
    assert "url(" not in page


def test_a_single_measurement_is_enough() -> None:
    page = render_measurements("m", "s", [dataclasses.replace(measured(k=1), accuracy=0.0, lo=0.0)], [])
    assert "0.000" in page
