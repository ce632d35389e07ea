"""Commands that are imported where they are called: `--help` of the whole shows their first lines without them."""

from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from breakeven.cli.examples import EXAMPLES

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": (
        "demo:demo",
        "Show a recorded run: where it could have stopped, what came of it, and the page that shows why.",
    ),
    "run": (
        "run:run",
        "Train until a checkpoint with K samples replaces the rest of the run, or to the end of the budget.",
    ),
    "status": (
        "status:status",
        "Show where a run stands: its decision, its curve, the next evaluation, and where time and FLOPs went.",
    ),
    "stop": (
        "steer:stop",
        "Have a run end at its next step: its state is saved, and it is recorded as a stop by hand.",
    ),
    "veto": (
        "steer:veto",
        "Have a run train on past the stops of its policy, which are recorded all the same, until it is withdrawn.",
    ),
    "init": ("init:init", "Print the lines that put breakeven into a training script, with the script's own names."),
    "decide": (
        "decide:decide",
        "Say whether training may stop now, and at each checkpoint of LOG whether it could have, and why.",
    ),
    "eval": (
        "eval:eval_",
        "Measure a model on a task: draws the samples that are missing, then every strategy at every K.",
    ),
    "reward-model": (
        "reward_model:reward_model",
        "Train a reward model for best-of-N, weighted votes and searches, on samples of problems it will never score.",
    ),
    "plan": (
        "plan:plan",
        "Say where the next FLOP should go: which option is the cheapest, from how many queries on.",
    ),
    "replay": (
        "replay:replay",
        "Decide a recorded run again; with no option the recorded decisions come back.",
    ),
    "report": (
        "report:report",
        "Write a page with the learning curve, the K-curves, the decision and the FLOPs ledger.",
    ),
    "bound": (
        "bound:bound",
        'Print the break-even in served queries; "never" where serving the checkpoint costs no more per query.',
    ),
    "flops": (
        "flops:flops",
        "Print the FLOPs of a recipe's full run, evaluation and query before anything is spent, or those of any model.",
    ),
    "validate": (
        "validate:validate",
        "Hold a task against itself: gold answers pass, wrong ones fail, forms and comparisons are sound.",
    ),
    "doctor": (
        "doctor:doctor",
        "Say what is active: the sandbox for model-written code, optional packages, CPUs and GPUs.",
    ),
}
"""Module and function of each, and the first line of its docstring."""
_EARLIER = {"scorer": "reward-model"}
"""Names up to 0.4."""


class Lazy(TyperCommand):
    """A command of `COMMANDS`, with its options only once they are asked for."""

    def __init__(self, name: str, of: str, *, hidden: bool = False) -> None:
        self._of = of
        super().__init__(name=name, help=COMMANDS[of][1], hidden=hidden, rich_markup_mode="rich")

    @cached_property
    def _whole(self) -> Any:
        from breakeven.cli.common import with_exit_codes

        module, _, function = COMMANDS[self._of][0].partition(":")
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        command = getattr(import_module(f"breakeven.cli.{module}"), function)
        app.command(self.name, epilog=EXAMPLES.get(str(self.name)))(with_exit_codes(command))
        return get_command(app)

    @property
    def params(self) -> list[Any]:
        """Arguments and options."""
        return list(self._whole.params)

    @params.setter
    def params(self, given: list[Any]) -> None:
        """None are given."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """A call of the command itself."""
        return self._whole.make_context(*args, **kwargs)


class Commands(TyperGroup):
    """All of `COMMANDS`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in COMMANDS:
            self.add_command(Lazy(name, name))
        for name, of in _EARLIER.items():
            self.add_command(Lazy(name, of, hidden=True))
