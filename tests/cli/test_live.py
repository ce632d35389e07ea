"""What a run shows on a terminal: one display, torn by nothing, and times that hold."""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

import pytest
from rich.console import Console

from breakeven.cli.live import RunDisplay, folded
from breakeven.config import load_recipe
from breakeven.records import CheckpointRecord
from breakeven.report import progress_line
from breakeven.store import read_log

WIDTH = 80
CONTROL = re.compile(r"\x1b\[[?\d;]*[A-Za-z]|\r|\n|[^\x1b\r\n]+")


def progress(step: int, loss: float, checkpoint: CheckpointRecord | None = None) -> Any:
    """As the training loop tells it, without torch."""
    return SimpleNamespace(step=step, loss=loss, checkpoint=checkpoint)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def screen(written: str) -> list[str]:
    """The lines of a terminal after so much was written to it, empty ones left out."""
    lines, row, column = [""], 0, 0
    for token in CONTROL.findall(written):
        if token == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif token == "\r":
            column = 0
        elif token.endswith("A"):
            row -= int(token[2:-1])
        elif token == "\x1b[2K":
            lines[row] = ""
        elif not token.startswith("\x1b"):
            assert column + len(token) <= WIDTH, "a terminal would break this line where no word ends"
            lines[row] = lines[row][:column].ljust(column) + token + lines[row][column + len(token) :]
            column += len(token)
    return [line.rstrip() for line in lines if line.strip()]


@pytest.fixture
def terminal() -> Iterator[tuple[TextIO, Callable[[], str]]]:
    """A pseudo-terminal of 80 columns: a file to write to, and a function that gives what was written."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, WIDTH, 0, 0))
    os.set_blocking(master, False)
    got = b""

    def read() -> str:
        nonlocal got
        while True:
            try:
                got += os.read(master, 1 << 16)
            except BlockingIOError:
                return got.decode()

    with os.fdopen(slave, "w") as file:
        yield file, read
    os.close(master)


@pytest.fixture
def checkpoints(recorded: Path) -> list[CheckpointRecord]:
    return list(read_log(recorded).checkpoints)


def display(console: Console, clock: Clock | None = None, mode: Any = "stop", **options: Any) -> RunDisplay:
    config = load_recipe("countdown", ["train.steps=1000", "evaluate.every_steps=100"])
    given: dict[str, Any] = {"quiet": False, "checkpoints": (), **options}
    return RunDisplay(config, mode, console=console, clock=clock or Clock(), **given)


def shown(live: RunDisplay, width: int = WIDTH) -> list[str]:
    live.console = Console(width=width, file=io.StringIO())
    with live.console.capture() as capture:
        live.console.print(live.rendered())
    return [line.rstrip() for line in capture.get().splitlines()]


def test_no_line_is_glued_to_the_display(terminal, checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    file, read = terminal
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", file)
    expected: list[str] = []
    with display(Console(file=file, width=WIDTH, highlight=False, markup=False)) as live:
        live.say("a first line")
        for place, each in enumerate(checkpoints):
            step = each.observation.step
            live.evaluating(progress(step, 1.0))
            if place == 3:
                print("a warning of somebody else", file=sys.stderr)
            live.trained(progress(step, 1.0, each))
            live._live.refresh()
            expected += folded(progress_line(each, 1000), WIDTH).splitlines()
            read()  # or the pseudo-terminal is full, and who writes waits
    text = read()
    assert "step 400/1000  loss 1.000" in text, "the display was drawn"
    found = screen(text)
    assert [line for line in found if "a warning" not in line] == ["a first line", *expected]
    assert "a warning of somebody else" in found


def test_where_lines_go_to_a_pipe_there_is_no_display(checkpoints) -> None:
    for forced in (False, True):  # colours may be forced on a pipe
        file = io.StringIO()
        with display(Console(file=file, width=WIDTH, force_terminal=forced, soft_wrap=True)) as live:
            live.trained(progress(100, 1.0, checkpoints[0]))
        assert [each.split(" | ")[0] for each in file.getvalue().splitlines()][:1] == ["step 100/1000"]
        assert "of the budget" not in file.getvalue()


def test_with_json_nothing_is_said(checkpoints) -> None:
    file = io.StringIO()
    with display(Console(file=file, force_terminal=True), quiet=True) as live:
        live.say("a line")
        live.trained(progress(100, 1.0, checkpoints[0]))
    assert file.getvalue() == ""


def test_before_the_first_step_there_is_no_loss_and_no_time() -> None:
    lines = shown(display(Console()))
    assert lines[0].endswith("0 % of the budget  step 0/1000")
    assert lines[1:] == ["starting"]
    assert "nan" not in "".join(lines)


def test_the_time_left_counts_evaluations_as_they_were_and_not_the_start() -> None:
    clock = Clock()
    live = display(Console(), clock)
    clock.now = 50.0  # before the first step all is made
    for step in range(1, 101):
        clock.now += 0.5
        live.trained(progress(step, 1.0)) if step < 100 else live.evaluating(progress(step, 1.0))
    assert live.seconds_left() == pytest.approx(900 * 0.5)
    assert shown(live)[1] == "evaluating for 0:00; at most 7:30 left, without evaluations; less if it stops"
    clock.now += 20.0
    assert shown(live)[1].startswith("evaluating for 0:20; ")
    live.trained(progress(100, 1.0))
    assert live.seconds_left() == pytest.approx(900 * 0.5 + 9 * 20.0)
    assert shown(live)[1] == "training; at most 10:30 left, evaluations included; less if it stops"
    live.mode = "shadow"
    assert shown(live)[1] == "training; about 10:30 left, evaluations included"
    clock.now += 0.5
    live.evaluating(progress(200, 1.0))
    clock.now += 5.0
    assert live.seconds_left() == pytest.approx(800 * 0.5 + 8 * 20.0 + 15.0, rel=0.01)


@pytest.mark.parametrize("width", [50, 80, 120])
def test_the_display_fits_and_has_the_forecast_with_its_interval_and_k(checkpoints, width: int) -> None:
    last = next(each for each in checkpoints if each.decision.stop)
    assert last.decision.forecast is not None
    assert last.decision.serving is not None
    wide = replace(last.decision.forecast, lo=0.25, hi=1.0)
    last = replace(last, decision=replace(last.decision, forecast=wide))
    live = display(Console(), checkpoints=[*checkpoints[:-1], last] * 9)
    live.step, live.loss = 1000, 0.4567
    lines = shown(live, width)
    assert max(map(len, lines)) <= width
    assert lines[0].endswith("step 1000/1000  loss 0.457")
    assert "accuracy  " in lines[2]
    assert "full run  " in lines[3]
    if width >= WIDTH:
        assert lines[0].count("100 % of the budget") == 1
        assert "  measured, " in lines[2]
        assert lines[3].endswith(f"90 % interval 0.250 to 1.000; K={last.decision.serving.k}")
        assert lines[2].index("0.") == lines[3].index("0."), "curves end in the same column"


def test_a_line_is_folded_where_it_has_bars(checkpoints) -> None:
    assert folded("one | two | three", 20) == "one | two | three"
    assert folded("one | two | three", 12) == "one | two\n  | three"
    assert folded("one", 2) == "one"


@pytest.mark.slow
def test_a_run_on_a_terminal_leaves_whole_lines(recipe: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, WIDTH, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES", "NO_COLOR")}
    command = [sys.executable, "-m", "breakeven", "run", str(recipe), "--out", "here"]
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, cwd=tmp_path, env=environment | {"TERM": "xterm"}
    )
    os.close(slave)
    written = b""
    while True:
        try:
            read = os.read(master, 1 << 16)
        except OSError:  # the other end is closed
            break
        written += read
        if not read:
            break
    os.close(master)
    assert process.wait(timeout=100) == 0
    lines = screen(written.decode())
    assert lines[0] == "tiny: 12 steps planned; recording to here"
    steps = [line.split(" | ")[0] for line in lines if line.startswith("step ")]
    assert steps == [f"step {each.observation.step}/12" for each in read_log(tmp_path / "here").checkpoints]
    assert "of the budget  step" in written.decode()
    assert not [line for line in lines if "━" in line or "of the budget  step" in line], "the display is gone"
    assert lines[-1] == "Why, in one page: here/report.html"
