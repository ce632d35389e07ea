"""One row a checkpoint, the same in the terminal and on the page."""

import pytest
from rich.console import Console

from breakeven.records import Reason
from breakeven.report.table import HEADINGS, decision_rows, decision_table


def test_rows_hold_what_was_recorded(run):
    rows = decision_rows(run(last_step=600))
    assert {len(row) for row in rows} == {len(HEADINGS)}
    assert rows[0] == ["100", "4 %", "0.079", "0.313 at K=4", "-", "-", "-", "0", "too few checkpoints"]
    assert rows[5] == [
        "600",
        "24 %",
        "0.261",
        "0.387 at K=4",
        "0.531",
        "K=8 pass@k, 0.679 extrapolated",
        "-",
        "3",
        "stop: reached",
    ]


def test_an_interval_and_an_oracle_show(checkpoint, forecast):
    (row,) = decision_rows([checkpoint(deployable=False, forecast=forecast(lo=0.4, hi=0.6))])
    assert row[3:5] == ["0.387 at K=4 (oracle)", "0.525 (0.400 to 0.600)"]
    assert row[5] == "K=8 pass@k (oracle), 0.679 extrapolated"


def test_the_terminal_table_prints_every_row_and_no_markup(run):
    console = Console(width=120)
    with console.capture() as capture:
        console.print(decision_table(run(last_step=600, strategy="[red]x[/red]"), title="[b]run[/b]"))
    text = capture.get()
    assert "[b]run[/b]" in text
    assert "stop: reached" in text
    assert "K=8 pass@k, 0.679" in text
    assert "extrapolated" in text


@pytest.mark.parametrize(
    ("strategy", "served"),
    [
        ("pass@k", "K=8 pass@k, 0.679 extrapolated"),
        ("majority_vote", "K=4 majority vote, 0.387 measured"),
        ("greedy", "greedy, 0.188 measured"),
    ],
)
def test_a_calibrated_row_says_what_to_serve_and_how_surely(calibrated, strategy, served):
    (row,) = decision_rows([calibrated(strategy=strategy, k=4 if strategy == "majority_vote" else 8)])
    assert row[4:7] == ["0.525 (0.450 to 0.600)", served, "0.93"]


def test_the_terminal_table_fits_100_columns_without_breaking_a_word(calibrated):
    checkpoints = [
        calibrated(step, reason=reason, strategy=strategy, k=16, streak=12, used=step / 24_000)
        for strategy in ("pass@k", "majority_vote", "greedy")
        for step, reason in zip(range(10_000, 24_000, 1100), Reason, strict=False)
    ]
    console = Console(width=100)
    with console.capture() as capture:
        console.print(decision_table(checkpoints))
    text = capture.get()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 100
    words = {word.strip("()") for row in decision_rows(checkpoints) for cell in row for word in cell.split()}
    words |= {word for heading in HEADINGS for word in heading.split()}
    assert words <= set(text.split())


def printed(checkpoints, width: int) -> str:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(decision_table(checkpoints, width=width))
    return capture.get()


@pytest.mark.parametrize("width", [60, 80, 99])
def test_a_narrow_terminal_does_without_columns_and_cuts_nothing(calibrated, width):
    checkpoints = [
        calibrated(step, reason=reason, k=16, streak=12, used=step / 24_000)
        for step, reason in zip(range(10_000, 24_000, 1100), Reason, strict=False)
    ]
    text = printed(checkpoints, width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    for each, row in zip(checkpoints, decision_rows(checkpoints), strict=True):
        assert str(each.decision.step) in text.split()
        assert set(row[-1].split()) <= set(text.split())
    assert "0.450-0.600" in text  # an interval stays on one line
    assert len(text.splitlines()) <= 2 * len(checkpoints) + 6, "a row takes two lines at most"


def test_a_narrow_terminal_leaves_out_columns_that_hold_nothing(run):
    assert "sure," in printed(run(last_step=600), 100)
    assert "sure," not in printed(run(last_step=600), 80)


def test_no_checkpoints_make_an_empty_table():
    assert decision_rows([]) == []
    assert decision_table([]).row_count == 0
