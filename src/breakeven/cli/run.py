"""`breakeven run`: train a recipe, watch it decide, ship the checkpoint with its K."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from breakeven import check
from breakeven.classifiers.recipe import RECIPE
from breakeven.cli import run_classifier
from breakeven.cli.common import (
    JsonOption,
    TrustOption,
    console,
    new_directory,
    starting_with,
    trusting,
)
from breakeven.cli.interrupts import Interrupts
from breakeven.cli.live import RunDisplay
from breakeven.cli.ran import print_fields, print_result
from breakeven.cli.report import write_report
from breakeven.cli.shown import VerboseOption
from breakeven.config import (
    CLASSIFIERS,
    ON_STOP,
    OnStop,
    config_from,
    is_classifier,
    recipe_names,
    recipe_settings,
)
from breakeven.errors import MissingExtraError, argument_error
from breakeven.names import named_in
from breakeven.report import start_words
from breakeven.session.session import MODES, Mode
from breakeven.session.steering import withdraw_stop
from breakeven.store import RunLog, read_log

if TYPE_CHECKING:
    from breakeven.train.loop import RunResult


def run(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE",
            help="A shipped recipe, or a TOML file.",
            autocompletion=starting_with(lambda: (*recipe_names(), *recipe_names(CLASSIFIERS))),
        ),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting; may be repeated.")
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            help="stop; advise: record the decision and train on; shadow: and verify it on test problems.",
            autocompletion=starting_with(lambda: MODES),
        ),
    ] = None,
    to_end: Annotated[bool, typer.Option("--to-end", help="The same as --mode shadow.")] = False,
    resume: Annotated[Path | None, typer.Option(help="Go on with the run in this directory.")] = None,
    past_stop: Annotated[
        bool, typer.Option("--past-stop", help="With --resume: train on past a stop that was decided.")
    ] = False,
    budget_steps: Annotated[
        int | None, typer.Option(help="With --resume: another number of steps for the full run, from here on.")
    ] = None,
    on_stop: Annotated[
        str | None,
        typer.Option(
            help="serve; cooldown: let the learning rate fall to the end on a branch, and serve what is cheaper.",
            autocompletion=starting_with(lambda: ON_STOP),
        ),
    ] = None,
    like: Annotated[
        list[Path] | None,
        typer.Option(metavar="RUN", help="An earlier run of this task whose learning curve is like this one's."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="New directory for the run; default runs/NAME-N.")] = None,
    trust_recipe: TrustOption = False,
    verbose: VerboseOption = False,
    json: JsonOption = False,
) -> None:
    """Train until a checkpoint with K samples replaces the rest of the run, or to the end of the budget."""
    try:
        from breakeven.train import budget, loop
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        raise MissingExtraError("breakeven run needs PyTorch: pip install 'breakeven[torch]'") from error

    if to_end and mode not in (None, "shadow"):
        raise argument_error("--to-end", "be left out, or come with --mode shadow", mode)
    looking_on = "shadow" if to_end else mode and mode_of(mode)
    if on_stop is not None:
        check.one_of("--on-stop", on_stop, ON_STOP)
    trust = trusting(trust_recipe)
    of_texts = {"--on-stop": on_stop, "--like": like, "--budget-steps": budget_steps}
    if resume is not None:
        if recipe is not None or set_ or like or out is not None:
            rule = "stand alone: the run's own settings are used"
            raise argument_error("--resume", rule, str(resume), "Drop RECIPE, --set, --like and --out.")
        run_dir = resume.parent if resume.is_file() else resume  # its log.jsonl will do, as for replay and report
        if (run_dir / RECIPE).exists():
            run_classifier.refuse(of_texts)
            with named_in(run_dir / RECIPE, trust):
                run_classifier.go_on(
                    run_dir,
                    mode=looking_on or None,
                    past_stop=past_stop,
                    trusted=trust_recipe,
                    verbose=verbose,
                    json=json,
                )
            return
        record = read_log(run_dir)
        settings = record.budget_changes[-1].config if record.budget_changes else record.header.config
        if "name" not in settings:
            remedy = "Your own script wrote this log: start that script again."
            raise argument_error("--resume", "name a run of `breakeven run`", str(resume), remedy)
        with named_in(run_dir, trust):
            config = config_from(settings)
        if budget_steps is not None:
            parent = record.header.parent
            config = budget.changed_budget(config, run_dir, record.checkpoints, budget_steps, parent=parent)
        recorded_on_stop = config.on_stop
        if on_stop is not None:
            config = replace(config, on_stop=cast(OnStop, on_stop))
        log = RunLog.open(run_dir)
        if past_stop:
            withdraw_stop(log, budget.stands_at(run_dir, log.checkpoints))
        if budget_steps is not None:
            budget.record_budget(config, run_dir, log)
    else:
        if recipe is None:
            remedy = (
                f"Try breakeven run countdown; there are {', '.join((*recipe_names(), *recipe_names(CLASSIFIERS)))}."
            )
            raise argument_error("RECIPE", "be given, or --resume RUN", None, remedy)
        if past_stop:
            raise argument_error("--past-stop", "come with --resume", True, "A new run has no stop yet.")
        if budget_steps is not None:
            remedy = "Of a new run it is --set train.steps=..."
            raise argument_error("--budget-steps", "come with --resume", budget_steps, remedy)
        asked = {"mode": looking_on, "on_stop": on_stop}
        overrides = [*(set_ or []), *(f"{name}={value}" for name, value in asked.items() if value)]
        settings = recipe_settings(recipe, overrides)
        if is_classifier(settings):
            run_classifier.refuse(of_texts)
            run_classifier.begin(settings, out, verbose=verbose, json=json)
            return
        config = config_from(settings)
        recorded_on_stop = config.on_stop
        if like:
            config = replace(config, like=tuple(map(str, like)))
        run_dir = out if out is not None else new_directory("runs", config.name)
        try:
            log = loop.start_run(config, run_dir)
        except BaseException:
            if out is None:
                with suppress(OSError):  # nothing is left of a run that was refused
                    run_dir.rmdir()
                    run_dir.parent.rmdir()
            raise

    chosen = mode_of(looking_on or ("advise" if past_stop and config.mode == "stop" else config.mode))
    display = RunDisplay(config, chosen, log.checkpoints, console=console, quiet=json)
    with log, named_in(run_dir if resume else "", trust), Interrupts() as signals, display as live:
        live.say(f"{config.name}: {config.train.steps} steps planned; recording to {run_dir}")
        for sentence in start_words(log.header.start):
            live.say(sentence)
        if log.checkpoints:
            live.say(f"Resuming after {len(log.checkpoints)} recorded checkpoints.")
        if log.recovered:
            live.say("The log's last line was cut short and was left out.")
        result = loop.run(
            config,
            run_dir,
            log,
            mode=chosen,
            on_progress=live.trained,
            on_evaluation=live.evaluating,
            on_cooldown=live.cooling,
            interrupted=lambda: signals.received is not None,
        )
    page = write_report(run_dir) if log.checkpoints else None
    if json:
        print_fields(result, run_dir, page, log.checkpoints, start=log.header.start)
    else:
        flags = ("" if chosen == config.mode else f" --mode {chosen}") + (" --trust-recipe" if trust_recipe else "")
        flags += "" if config.on_stop == recorded_on_stop else f" --on-stop {config.on_stop}"
        print_result(
            result,
            run_dir,
            page,
            log.checkpoints,
            served=f"{run_dir / _shipped(result)} (weights, K and temperature)",
            left=run_dir / "stopped_by_hand",
            flag=flags,
            verbose=verbose,
        )
    if result.interrupted and signals.received is not None:
        raise typer.Exit(128 + signals.received)


def mode_of(name: str) -> Mode:
    """A mode by its name.

    Raises:
        ArgumentError: there is none of that name.
    """
    check.one_of("--mode", name, MODES)
    return cast(Mode, name)


def _shipped(result: "RunResult") -> str:
    cooled = result.cooldown.cooled if result.cooldown else None
    return f"{result.cooldown.branch}/full" if result.cooldown and cooled and cooled.serving else "stopped"
