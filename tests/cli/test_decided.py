"""What `decide` prints fits the terminal, and no number is broken."""

import io

import pytest
from rich.console import Console

from breakeven.cli.decided import decided_table, filled, fitted, row_of
from breakeven.records import Action, Decision, FitStatus, Forecast, LearningPoint, Made, Reason, ServingPoint


def decision(step: int) -> Decision:
    return Decision(
        action=Action.STOP,
        reason=Reason.REACHED,
        step=step,
        used=0.6123,
        policy="calibrated",
        forecast=Forecast(mean=0.5, lo=0.4, hi=0.6, status=FitStatus.FITTED, method="calibrated", num_points=4),
        serving=ServingPoint(
            step=step,
            strategy="majority_vote",
            deployable=True,
            k=64,
            accuracy=0.512,
            made=Made.MEASURED,
            flops_per_query=None,
        ),
        confidence=0.93,
    )


def point(greedy: float | None) -> LearningPoint:
    return LearningPoint(
        step=1,
        train_flops=1.0,
        evaluation_flops=None,
        query_flops=None,
        output_tokens=None,
        num_problems=10,
        num_drawn=20,
        greedy_accuracy=greedy,
        sampled_accuracy=0.487,
        disagreement=0.1,
    )


@pytest.mark.parametrize("greedy", [0.51, None])
@pytest.mark.parametrize("width", [60, 80, 100])
def test_table_fits_the_terminal_and_breaks_no_number(width: int, greedy: float | None) -> None:
    steps = [1_000_000, 1_250_000]
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=False)
    console.print(decided_table([decision(step) for step in steps], [point(greedy)] * 2, 1, width))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in out.getvalue()
    for step, line in zip(steps, lines[-2:], strict=True):
        assert line.split()[0] == str(step)
        assert "0.500" in line
        assert line.rstrip().endswith("stop: reached")
    assert ("0.400-0.600" in lines[-1]) == (width >= 80)
    assert "pass@1" in out.getvalue() or greedy is not None
    assert "greedy" in out.getvalue() or greedy is None or width == 60


@pytest.mark.parametrize("width", [50, 80])
def test_long_names_of_tasks_are_folded_and_not_cut(width: int) -> None:
    names = ["leaderboard|arc:challenge|25|0", "gsm8k"]
    table, shown = fitted([{"task": name} | row_of(decision(1), point(0.5)) for name in names], width)
    for cells in shown:
        table.add_row(*cells)
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=False).print(table)
    assert max(map(len, out.getvalue().splitlines())) <= width
    assert "…" not in out.getvalue()
    first = "".join(line.split()[0] for line in out.getvalue().splitlines() if "gsm" not in line and line.strip())
    assert names[0] in first
    assert "stop: reached" in out.getvalue()


def test_lines_break_between_words_and_never_inside_a_percentage() -> None:
    lines = filled("of the budget 75 % is used", 14, "Now ")
    assert lines == ["Now of the", "    budget", "    75 % is", "    used"]
