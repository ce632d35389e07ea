"""`breakeven run` of a recipe that trains a classifier."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from breakeven.classifiers.data import Splits, load_splits
from breakeven.classifiers.recipe import ClassifierConfig, classifier_from
from breakeven.cli.common import console, new_directory
from breakeven.cli.interrupts import Interrupts
from breakeven.cli.live import RunDisplay
from breakeven.cli.ran import print_fields, print_result
from breakeven.cli.report import write_report
from breakeven.errors import argument_error
from breakeven.records import CheckpointRecord
from breakeven.session.session import Mode
from breakeven.session.steering import withdraw_stop
from breakeven.store import LOG_NAME, RunLog
from breakeven.ttc.strategies.named import strategy_of
from breakeven.ttc.strategies.strategy import Need


def refuse(given: Mapping[str, Any]) -> None:
    """Nothing, if none of these options is given.

    Raises:
        ArgumentError: one is.
    """
    for name, value in given.items():
        if value:
            raise argument_error(name, "be left out of a classifier's run", value, "It is for language models so far.")


def begin(settings: dict[str, Any], out: Path | None, *, verbose: bool, json: bool) -> None:
    """A new run, of the plain settings of a recipe, in the directory `out` or in a new one."""
    from breakeven.classifiers.saved import start_run

    config = classifier_from(settings)
    splits = load_splits(config)  # refused before anything is made
    run_dir = out if out is not None else new_directory("runs", config.name)
    start_run(config, run_dir)
    _run(config, splits, run_dir, config.mode, flags="", verbose=verbose, json=json)


def go_on(run_dir: Path, *, mode: Mode | None, past_stop: bool, trusted: bool, verbose: bool, json: bool) -> None:
    """A run that is there, in another mode if one is given; `trusted`: the user trusts its recipe."""
    from breakeven.classifiers.saved import last_checkpoint, recorded_config, step_of

    config = recorded_config(run_dir)
    if past_stop and (run_dir / LOG_NAME).exists():
        with RunLog.open(run_dir) as log:
            withdraw_stop(log, step_of(last_checkpoint(run_dir)))
    chosen = mode or ("advise" if past_stop and config.mode == "stop" else config.mode)
    flags = ("" if chosen == config.mode else f" --mode {chosen}") + (" --trust-recipe" if trusted else "")
    _run(config, load_splits(config), run_dir, chosen, flags=flags, verbose=verbose, json=json)


def _run(
    config: ClassifierConfig, splits: Splits, run_dir: Path, mode: Mode, *, flags: str, verbose: bool, json: bool
) -> None:
    from breakeven.classifiers.saved import recorded_run
    from breakeven.classifiers.train import run

    recorded = recorded_run(run_dir)
    checkpoints = recorded.checkpoints if recorded else ()
    display = RunDisplay(config, mode, checkpoints, console=console, quiet=json)
    with Interrupts() as signals, display as live:
        live.say(f"{config.name}: {config.train.steps} steps planned; recording to {run_dir}")
        if checkpoints:
            live.say(f"Resuming after {len(checkpoints)} recorded checkpoints.")
        if recorded is not None and recorded.recovered:
            live.say("The log's last line was cut short and was left out.")
        result = run(
            config,
            splits,
            run_dir,
            mode=mode,
            on_progress=live.trained,
            on_evaluation=live.evaluating,
            interrupted=lambda: signals.received is not None,
        )
    recorded = recorded_run(run_dir)
    checkpoints = recorded.checkpoints if recorded else ()
    page = write_report(run_dir) if checkpoints else None
    if json:
        print_fields(result, run_dir, page, checkpoints)
    else:
        print_result(
            result,
            run_dir,
            page,
            checkpoints,
            served="" if result.stopped is None else _served(result.stopped, checkpoints, run_dir),
            left=run_dir / f"checkpoint-{result.step}",
            flag=flags,
            verbose=verbose,
        )
    if result.interrupted and signals.received is not None:
        raise typer.Exit(128 + signals.received)


def _served(stopped: CheckpointRecord, checkpoints: tuple[CheckpointRecord, ...], run_dir: Path) -> str:
    """The checkpoints to be served: of a snapshot ensemble K of them."""
    serving = stopped.decision.serving
    assert serving is not None, "a stop has a serving point"
    steps = [each.observation.step for each in checkpoints if each.observation.step <= stopped.observation.step]
    number = serving.k if Need.SNAPSHOTS in strategy_of(serving.strategy).needs else 1
    names = ", ".join(f"checkpoint-{each}" for each in steps[-number:])
    return f"{names} in {run_dir} (weights; strategy and K in {run_dir / 'serving.json'})"
