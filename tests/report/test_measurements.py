"""What an evaluation measured, as rows and as a table of 100 characters."""

import dataclasses
import io

import pytest
from rich.console import Console

from breakeven.records import Measurement, Score
from breakeven.report.measurements import (
    HEADINGS,
    SCORE_HEADINGS,
    measurement_rows,
    measurement_table,
    score_rows,
    score_table,
)


def shown(measurements: list[Measurement], width: int = 100) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=width, highlight=False).print(measurement_table(measurements, width))
    return text.getvalue().splitlines()


# -- the table on a terminal ------------------------------------------------------------------------------------------


def test_where_checks_failed_the_accuracy_were_they_wrong_is_beside(measurements, measured):
    rows = [measured("greedy", 1, accuracy_unknown_wrong=0.2), measured(k=2, accuracy_unknown_wrong=None)]
    heading, _, first, second = shown(rows)
    assert heading.split()[:5] == ["strategy", "K", "accuracy", "?", "wrong"]
    assert first.split()[:4] == ["greedy", "1", "0.260", "0.200"]
    assert second.split()[3:5] == ["0.270", "-"]
    assert [row[2] for row in measurement_rows(rows)] == ["0.260 (0.200 if unknown is wrong)", "0.270"]
    assert "? wrong" not in shown([measured()])[0]
    wide = [dataclasses.replace(each, accuracy_unknown_wrong=0.123) for each in measurements]
    assert max(map(len, shown(wide))) <= 100


def test_one_line_a_measurement_within_100_characters(measurements):
    lines = shown(measurements)
    assert len(lines) == 2 + len(measurements)
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
def test_a_narrower_terminal_does_without_columns_and_folds_nothing(width, columns, measurements):
    lines = shown(measurements, width)
    assert len(lines) == 2 + len(measurements)
    assert max(map(len, lines)) <= width
    assert " ".join(lines[0].split()) == columns
    assert "0.840-0.940" in lines[7], "an accuracy keeps its interval"


def test_prices_that_are_nothing_or_not_known_have_no_column(measured):
    assert shown([measured()])[0].split()[-2:] == ["FLOPs", "unshared"]
    unknown = measured(model_flops=None, model_flops_unshared=None)
    assert shown([unknown])[0].split()[-2:] == ["samples", "tokens"]


def test_on_a_narrow_terminal_nothing_is_lost(measurements):
    text = "".join(shown(measurements, width=60))
    assert "…" not in text
    cells = [line.split()[0] for line in shown(measurements, width=60)]
    assert any(each.startswith("gen") for each in cells)


# -- the table of the page --------------------------------------------------------------------------------------------


def test_rows_say_what_is_known(measured):
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
        "-",
    ]
    assert len(row) == len(HEADINGS)
    (unknown,) = measurement_rows([measured(model_flops=None, model_flops_unshared=None, reward_flops=None)])
    assert unknown[0] == "pass@k (oracle, an upper bound)"
    assert unknown[-4:] == ["-", "-", "-", "-"]
    (judged,) = measurement_rows([measured("generative_verification", 4, num_verdicts=2)])
    assert judged[1] == "4 x 2"


# -- of a classifier --------------------------------------------------------------------------------------------------


def test_gains_are_shown_with_their_interval_where_there_are_any_and_tokens_are_not(measured):
    greedy = measured("greedy", 1, output_tokens=0.0)
    vote = measured("soft_vote", 4, output_tokens=0.0, gain=0.0123, gain_lo=-0.0004, gain_hi=0.025)
    alike = measured("soft_vote", 8, output_tokens=0.0, gain=-0.01)
    assert [row[-1] for row in measurement_rows([greedy, vote, alike])] == ["-", "+0.012 (+0.000 to +0.025)", "-0.010"]
    heading, _, *rows = shown([greedy, vote, alike])
    assert " ".join(heading.split()) == "strategy K accuracy interval gain samples FLOPs unshared"
    assert "+0.012 (+0.000 to +0.025)" in rows[1]


def test_scores_stand_one_a_row():
    score = Score(metric="matthews", strategy="soft_vote", k=4, value=-0.1, standard_error=0.05, lo=-0.2, hi=0.0)
    held = dataclasses.replace(score, gain=0.1, gain_lo=0.05, gain_hi=0.2)
    assert score_rows([score, held]) == [
        ["matthews", "soft_vote", "4", "-0.100", "-0.200 to 0.000", "0.0500", gain]
        for gain in ("-", "+0.100 (+0.050 to +0.200)")
    ]
    text = io.StringIO()
    Console(file=text, width=100, highlight=False).print(score_table([score, held]))
    lines = [" ".join(line.split()) for line in text.getvalue().splitlines()]
    assert lines[0] == " ".join(SCORE_HEADINGS)
    assert lines[3] == "matthews soft_vote 4 -0.100 -0.200 to 0.000 0.0500 +0.100 (+0.050 to +0.200)"
