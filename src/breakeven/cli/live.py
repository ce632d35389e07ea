"""What `breakeven run` shows while it trains: a line a checkpoint, and on a terminal a display below them."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from breakeven.classifiers.recipe import ClassifierConfig
from breakeven.cli.common import is_animated
from breakeven.config import RunConfig
from breakeven.records import CheckpointRecord, Cooldown
from breakeven.report import cooldown_words, progress_line
from breakeven.report.format import format_accuracy, format_share
from breakeven.report.spark import spark
from breakeven.report.words import baseline_accuracy, interval_words, projection
from breakeven.session.session import Mode

if TYPE_CHECKING:
    from breakeven.train.loop import Progress

_BAR = 40
"""Characters of the bar at most."""
_CURVE = 30
"""Characters of a small curve at most."""


class RunDisplay:
    """Progress of a run, all of it on one console; nothing where `quiet`.

    Args:
        config: the run.
        mode: whether it ends at a stop.
        checkpoints: recorded before.
        console: where a display is drawn if it is a terminal; lines go there in any case.
        quiet: whether nothing is printed.
        clock: seconds.
    """

    def __init__(
        self,
        config: RunConfig | ClassifierConfig,
        mode: Mode,
        checkpoints: Sequence[CheckpointRecord],
        *,
        console: Console,
        quiet: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config, self.mode, self.console, self.quiet, self.clock = config, mode, console, quiet, clock
        self.checkpoints = list(checkpoints)
        self.step = checkpoints[-1].observation.step if checkpoints else 0
        self.loss: float | None = None
        self.evaluating_since: float | None = None
        self._num_steps = self._num_evaluations = 0
        self._train_seconds = self._evaluation_seconds = 0.0
        self._then: float | None = None
        """When it was last told something; the first step, with all that comes before it, is not timed."""
        # What others write to standard error while the display stands goes above it, unless that is a file.
        self._live = Live(
            get_renderable=self.rendered, console=console, transient=True, redirect_stderr=sys.stderr.isatty()
        )

    def __enter__(self) -> "RunDisplay":
        if not self.quiet and is_animated(self.console):
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        """Print a line, above the display."""
        if not self.quiet:
            self.console.print(text)

    def trained(self, progress: "Progress") -> None:
        """Take in that a step was trained, and its evaluation done if there was one."""
        self._pass(progress)
        self.evaluating_since = None
        if progress.checkpoint is not None:
            self.checkpoints.append(progress.checkpoint)
            line = progress_line(progress.checkpoint, self.config.train.steps)
            self.say(folded(line, self.console.width) if self.console.is_terminal else line)

    def evaluating(self, progress: "Progress") -> None:
        """Take in that an evaluation begins."""
        self._pass(progress)
        self.evaluating_since = self._then

    def cooling(self, plan: Cooldown) -> None:
        """Take in that a cooldown is planned, or left out."""
        for sentence in cooldown_words(plan):
            self.say(sentence)

    def _pass(self, progress: "Progress") -> None:
        """Charge the time since the last call to what was under way."""
        now, then = self.clock(), self._then
        self._then, self.step, self.loss = now, progress.step, progress.loss
        if then is None:
            return
        if self.evaluating_since is not None:
            self._evaluation_seconds += now - then
            self._num_evaluations += 1
        else:
            self._train_seconds += now - then
            self._num_steps += 1

    def seconds_left(self) -> float | None:
        """Seconds to the end of the budget, of steps and evaluations as long as those until now; None before any."""
        if not self._num_steps:
            return None
        total, every = self.config.train.steps, self.config.evaluate.every_steps
        each = self._evaluation_seconds / self._num_evaluations if self._num_evaluations else 0.0
        due = -(-total // every) - self.step // every if self.step < total else 0  # the last at the end of the budget
        left = due * each + (total - self.step) * self._train_seconds / self._num_steps
        if self.evaluating_since is not None:
            left += max(0.0, each - (self.clock() - self.evaluating_since))
        return left

    def rendered(self) -> Group:
        """The display: share of the budget, what is under way, and curves of what was measured and foretold."""
        width, total = self.console.width, self.config.train.steps
        loss = "" if self.loss is None else f"  loss {self.loss:.3f}"
        state = f"{format_share(self.step / total)} of the budget  step {self.step}/{total}{loss}"
        room = min(_BAR, width - len(state) - 2)
        first = Table.grid(padding=(0, 2, 0, 0))
        bar = [ProgressBar(total=total, completed=self.step, width=room)] if room > 0 else []
        first.add_row(*bar, Text(state, no_wrap=True, overflow="ellipsis"))
        lines = [Text(f"{self._under_way()}{self._left()}", style="dim"), *self._curves(width)]
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
        return Group(first, *lines)

    def _under_way(self) -> str:
        if self.evaluating_since is None:
            return "starting" if self._then is None else "training"
        return f"evaluating for {_clock_time(self.clock() - self.evaluating_since)}"

    def _left(self) -> str:
        left = self.seconds_left()
        if left is None:
            return ""
        rest = "at most " if self.mode == "stop" else "about "
        rest += f"{_clock_time(left)} left"
        rest += ", evaluations included" if self._num_evaluations else ", without evaluations"
        return f"; {rest}" + ("; less if it stops" if self.mode == "stop" else "")

    def _curves(self, width: int) -> list[Text]:
        if not self.checkpoints:
            return []
        measured = [baseline_accuracy(each) for each in self.checkpoints]
        forecasts = [projection(each.decision) for each in self.checkpoints]
        means = [None if each is None else each.mean for each in forecasts]
        top = max(1e-9, *measured, *(each for each in means if each is not None))
        columns = max(4, min(_CURVE, width - 64))
        decision = self.checkpoints[-1].decision
        now = f"{format_accuracy(measured[-1])}  measured, {decision.baseline}, step {decision.step}"
        lines = [Text(f"accuracy  {spark(measured, top, columns):{min(columns, len(measured))}}  {now}")]
        if (forecast := forecasts[-1]) is not None:
            k = "" if decision.serving is None else f"; K={decision.serving.k}"
            rest = f"{format_accuracy(forecast.mean)}  forecast{interval_words(forecast.lo, forecast.hi)}{k}"
            lines.append(Text(f"full run  {spark(means, top, columns)}  {rest}"))
        return lines


def folded(line: str, width: int) -> str:
    """A line of parts with bars between, in lines of at most `width` characters that break at bars where they can."""
    lines: list[str] = []
    for part in line.split(" | "):
        if lines and len(lines[-1]) + 3 + len(part) <= width:
            lines[-1] += f" | {part}"
        else:
            lines.append(f"  | {part}" if lines else part)
    return "\n".join(lines)


def _clock_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
