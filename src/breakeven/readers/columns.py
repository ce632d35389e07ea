"""Which of a log's columns are ours: as --column says, by our name in any case, or by one that other tools write."""

import re
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from breakeven import check
from breakeven.errors import LogError, argument_error

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "step": ("global_step", "_step", "train/global_step", "trainer/global_step", "steps", "iteration", "iter"),
        "train_flops": ("total_flos", "train/total_flos"),
        "train_tokens": ("num_input_tokens_seen", "train/num_input_tokens_seen", "tokens_seen"),
        "hours": (),
        "seconds": ("_runtime", "runtime", "relative_time_(process)", "relative_time_(wall)"),
        "wall_time": ("_timestamp",),
        "task": (),
        "problem": (),
        "n": (),
        "c": (),
        "greedy": (),
        "answer": (),
        "correct": (),
        "task_id": (),
        "passed": (),
        "result": (),
        "accuracy": (),
        "validation_loss": (
            "eval_loss",
            "eval/loss",
            "val_loss",
            "val/loss",
            "valid_loss",
            "valid/loss",
            "validation/loss",
        ),
        "stderr": ("accuracy_stderr", "acc_stderr", "eval_accuracy_stderr", "standard_error"),
        "num_problems": ("n_problems", "num_examples", "num_questions"),
    }
)
"""Our columns, each with what wandb, tensorboard and transformers call it, written as `plain` writes."""


def plain(name: str) -> str:
    """A name without capitals, with `_` for its spaces.

    >>> plain(" Wall time")
    'wall_time'
    """
    return re.sub(r"\s+", "_", name.strip().lower())


def renaming(given: Iterable[str]) -> dict[str, str]:
    """The columns that `--column ours=theirs` names: their name by ours.

    Raises:
        ArgumentError: no `=`, or ours is none of `COLUMNS`.
    """
    names = {}
    for each in given:
        ours, equals, theirs = (part.strip() for part in each.partition("="))
        if not equals or not theirs:
            raise argument_error("--column", "be ours=theirs", each, 'For example --column "accuracy=eval/acc".')
        if plain(ours) not in COLUMNS:
            remedy = check.did_you_mean(plain(ours), COLUMNS)
            raise argument_error("--column", f"begin with one of {', '.join(COLUMNS)}", each, remedy)
        names[plain(ours)] = theirs
    return names


def names_in(columns: Collection[str], asked: Mapping[str, str], where: object) -> dict[str, str]:
    """Their name of each of our columns that is there.

    Raises:
        LogError: a column of `asked` is not.
    """
    written = {plain(each): each for each in reversed(list(columns))}
    found = {}
    for ours, theirs in asked.items():
        name = theirs if theirs in columns else written.get(plain(theirs))
        if name is None:
            has = ", ".join(columns)
            raise LogError(f"{where} must have the column {theirs} (--column {ours}={theirs}); it has {has}.")
        found[ours] = name
    free = {key: each for key, each in written.items() if each not in found.values()}
    for ours, others in COLUMNS.items():
        match = next((free[each] for each in (ours, *others) if each in free), None)
        if ours not in found and match is not None:
            found[ours] = ours if ours in columns and ours not in asked.values() else match
    return found
