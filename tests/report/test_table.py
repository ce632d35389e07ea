"""One row a checkpoint, the same in the terminal and on the page."""

from rich.console import Console

from breakeven.report.table import HEADINGS, decision_rows, decision_table


def test_rows_hold_what_was_recorded(run):
    rows = decision_rows(run(last_step=600))
    assert {len(row) for row in rows} == {len(HEADINGS)}
    assert rows[0] == ["100", "4 %", "0.079", "0.313 at K=4", "-", "-", "0", "too few checkpoints"]
    assert rows[5] == [
        "600",
        "24 %",
        "0.261",
        "0.387 at K=4",
        "0.531",
        "K=8, 0.679 extrapolated",
        "3",
        "stop: reached",
    ]


def test_an_interval_and_an_oracle_show(checkpoint, forecast):
    (row,) = decision_rows([checkpoint(deployable=False, forecast=forecast(lo=0.4, hi=0.6))])
    assert row[3:5] == ["0.387 at K=4 (oracle)", "0.525 (0.400 to 0.600)"]


def test_the_terminal_table_prints_every_row_and_no_markup(run):
    console = Console(width=120)
    with console.capture() as capture:
        console.print(decision_table(run(last_step=600, strategy="[red]x[/red]"), title="[b]run[/b]"))
    text = capture.get()
    assert "[b]run[/b]" in text
    assert "stop: reached" in text
    assert "K=8, 0.679 extrapolated" in text


def test_no_checkpoints_make_an_empty_table():
    assert decision_rows([]) == []
    assert decision_table([]).row_count == 0
