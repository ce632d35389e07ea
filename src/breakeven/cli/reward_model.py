"""`breakeven reward-model`: train a reward model on the graded samples of earlier checkpoints."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from breakeven.cli.common import JsonOption, TrustOption, console, is_animated, print_json, trusting
from breakeven.cli.shown import say
from breakeven.errors import MissingExtraError, argument_error
from breakeven.names import named_in
from breakeven.report.format import format_accuracy, format_flops


def reward_model(
    samples: Annotated[list[Path], typer.Argument(help="Directories that `breakeven eval` filled, one a checkpoint.")],
    start: Annotated[
        Path, typer.Option("--start", help="Checkpoint that the reward model starts from, such as RUN/stopped.")
    ],
    out: Annotated[Path, typer.Option(help="Directory for the reward model.")],
    epochs: Annotated[int, typer.Option(help="Passes over the samples, at most.")] = 8,
    seed: Annotated[int, typer.Option(help="Of the split and of the order.")] = 0,
    trust_recipe: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Train a reward model for best-of-N, weighted votes and searches, on samples of problems it will never score.

    Draw them on the training split: breakeven eval CHECKPOINT --task chain --task-set num_terms=3
    --task-set num_digits=1 --task-set split=train --num-problems 500
    """
    try:
        from breakeven.train.reward_model.files import save_reward_model
        from breakeven.train.reward_model.fit import RewardModelSettings
        from breakeven.train.reward_model.samples import graded_samples
        from breakeven.train.reward_model.train import train_reward_model
        from breakeven.train.saved_model import load_saved_model
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        raise MissingExtraError("breakeven reward-model needs PyTorch: pip install 'breakeven[torch]'") from error

    if (out / "reward_model.json").exists():
        raise argument_error("--out", "be a new directory", str(out), "It holds a reward model.")
    settings = RewardModelSettings(epochs=epochs)
    with named_in("", trusting(trust_recipe)):
        saved = load_saved_model(start, name="--start")
    graded = [each for directory in samples for each in graded_samples(directory)]
    with ExitStack() as stack:
        status = console.status(f"Training on {len(graded)} samples")
        if is_animated(console) and not json:
            stack.enter_context(status)
        trained = train_reward_model(
            graded,
            saved.task,
            saved.model.shape,
            start=saved.model.state_dict(),
            settings=settings,
            seed=seed,
            on_epoch=lambda epoch, loss: status.update(
                f"Training on {len(graded)} samples: epoch {epoch} of at most {epochs}, held-out loss {loss:.3f}"
            ),
        )
    save_reward_model(out, trained, saved.task)
    report = trained.report
    if json:
        print_json({"reward-model": str(out), "report": report})
        return
    say(
        f"Trained on {report.num_samples} samples of {report.num_problems} problems for {report.num_epochs} epochs, "
        f"{format_flops(report.train_flops)}."
    )
    say(
        f"Held out, {report.num_heldout_samples} samples of {report.num_heldout_problems} problems: accuracy "
        f"{format_accuracy(report.accuracy)} (always the more common: {format_accuracy(report.constant_accuracy)})."
    )
    for words, value in (
        ("a right sample above a wrong one", report.auc),
        ("the same among samples of one problem, which is what best-of-N lives on", report.problem_auc),
        ("the same halfway through a solution, which is what a search lives on", report.halfway_auc),
    ):
        if value is not None:
            say(f"Chance to score {words}: {format_accuracy(value)}.")
    say(f"To use: breakeven eval ... --reward-model {out}, or evaluate.reward_model={out} in a recipe.")
