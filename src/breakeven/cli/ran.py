"""How a run ended, on the terminal or as JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from breakeven.cli.common import console, print_json
from breakeven.cli.shown import print_decision, say
from breakeven.records import CheckpointRecord, Start
from breakeven.report import hindsight_words, outcome_words, verification_lines
from breakeven.report.format import format_flops, format_share

if TYPE_CHECKING:
    from breakeven.train.loop import RunResult


def _evaluation_share(result: "RunResult") -> float:
    wall_seconds = result.train_seconds + result.evaluation_seconds
    return result.evaluation_seconds / wall_seconds if wall_seconds else 0.0


def print_fields(
    result: "RunResult",
    run_dir: Path,
    page: Path | None,
    checkpoints: Sequence[CheckpointRecord],
    *,
    start: Start | None = None,
) -> None:
    """One JSON object, of all that `print_result` tells, and the trained model that the run began with, if it did."""
    shown = result.stopped or (checkpoints[-1] if checkpoints else None)
    print_json(
        {
            "run": str(run_dir),
            "report": str(page) if page else None,
            "start": start,
            "step": result.step,
            "interrupted": result.interrupted,
            "stopped_by_hand": result.by_hand,
            "decision": shown.decision if shown else None,
            "verification": result.verification,
            "cooldown": result.cooldown,
            "wall_seconds": result.train_seconds + result.evaluation_seconds,
            "evaluation_wall_share": _evaluation_share(result),
        }
    )


def print_result(
    result: "RunResult",
    run_dir: Path,
    page: Path | None,
    checkpoints: Sequence[CheckpointRecord],
    *,
    served: str,
    left: Path,
    flag: str,
    verbose: bool,
) -> None:
    """Decision, what was spent, verification, and where things are.

    Args:
        result: of the run.
        run_dir: of it.
        page: that says why, if it was written.
        checkpoints: all that are recorded.
        served: where that is which a stop is served with.
        left: where the weights of a stop by hand are.
        flag: options to go on with, besides --resume.
        verbose: see `print_decision`.
    """
    last = checkpoints[-1] if checkpoints else None
    shown = result.stopped or last
    console.print()
    if result.interrupted:
        say(f"Interrupted at step {result.step}; everything recorded is kept.")
        say(f"Go on with: breakeven run --resume {run_dir}{flag}")
    elif result.by_hand:
        why = f": {result.by_hand.reason}" if result.by_hand.reason else "."
        say(f"Stopped by hand at step {result.step}, by no decision of the policy{why}", style="bold")
        say(f"Weights: {left}; to go on: breakeven run --resume {run_dir} --past-stop")
    elif shown:
        print_decision(shown.decision, verbose=verbose)
        for sentence in [*hindsight_words(checkpoints), *outcome_words(result.cooldown)]:
            say(sentence)
    if last and not result.interrupted:
        training, evaluation = last.observation.train_flops, last.decision.evaluation_flops or 0.0
        say(
            f"Spent up to step {last.observation.step}: {format_flops(training)} on training, "
            f"{format_flops(evaluation)} on evaluation ({format_share(evaluation / training)} of it)."
        )
    if result.evaluation_seconds:
        say(f"Evaluation took {format_share(_evaluation_share(result))} of this process's wall time.")
    for line in verification_lines(result.verification) if result.verification else []:
        say(line.lstrip(), label=" " * (len(line) - len(line.lstrip())))
    if not result.stopped and not result.interrupted and not result.by_hand:
        say("No stop was decided, so there is nothing to verify or to serve with K samples.")
    if result.stopped:
        say(f"To serve: {served}")
    if page:
        say(f"Why, in one page: {page}")
