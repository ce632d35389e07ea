"""Which column of a table holds the accuracy, and which the loss on the same problems."""

import re
from collections.abc import Collection
from pathlib import Path

from breakeven.errors import LogError, SeveralTasksError
from breakeven.readers.columns import plain
from breakeven.readers.metrics import no_verdict
from breakeven.readers.options import ReadOptions

_ACCURACY = re.compile(
    r"(.*[/_.])?(accuracy|acc|exact_match|em|pass@1|pass_at_1|solve_rate|success_rate|prompt_level_strict_acc)"
)
_NO_ACCURACY = re.compile(r"train|token|loss")
_EXTREMES = ("__MIN", "__MAX")
"""What wandb writes beside each column of a chart."""
TENSORBOARD = ("wall_time", "step", "value")


def candidates(columns: Collection[str]) -> list[str]:
    """The columns that may hold the accuracy."""
    if set(map(plain, columns)) == set(TENSORBOARD):
        return [each for each in columns if plain(each) == "value"]
    usable = [each for each in columns if not each.endswith(_EXTREMES)]
    exact = [each for each in usable if plain(each) == "accuracy"]
    return exact or [
        each
        for each in usable
        if _ACCURACY.fullmatch(metric_in(each))
        and not _NO_ACCURACY.search(metric_in(each))
        and not _no_verdict(metric_in(each))
    ]


def accuracy_column(columns: Collection[str], options: ReadOptions, path: Path) -> str:
    """The column asked for with --metric, or else with --task, or the only one that may hold the accuracy.

    Raises:
        LogError: none, several, or one asked for that is no verdict on one sample.
        SeveralTasksError: several of one run.
    """
    found = candidates(columns)
    if options.metric is not None:
        usable = [each for each in columns if not each.endswith(_EXTREMES)]
        found = [each for each in usable if plain(options.metric) in (plain(each), metric_in(each))]
        if found and (reason := _no_verdict(metric_in(found[0]))):
            raise LogError(
                f"{path} must have a --metric in which each problem is right or wrong; got {options.metric}, {reason}. "
                f'If it is a share of problems solved all the same, add --column "accuracy={found[0]}".'
            )
    elif options.task is not None and len(found) > 1:
        found = [each for each in found if plain(options.task) in (plain(each), metric_in(each))] or found
    if len(found) == 1:
        return found[0]
    listed = ", ".join(found or columns)
    if not found:
        what = "an accuracy" if options.metric is None else f"the metric {options.metric} (--metric)"
        raise LogError(f"{path} must have {what}; it has {listed}. Say which column it is with --column accuracy=...")
    several = f'{path} has several accuracies: {listed}. Choose one with --column "accuracy={found[0]}".'
    if options.metric is None and options.task is None and len({each.rpartition(" - ")[0] for each in found}) == 1:
        raise SeveralTasksError(f"{several} For one decision on several, name each with --task.", tuple(found))
    raise LogError(several)


def loss_beside(accuracy: str) -> str | None:
    """What the loss on the same problems would be called: `eval_gsm8k_loss` for `eval_gsm8k_accuracy`."""
    match = _ACCURACY.fullmatch(metric_in(accuracy))
    return f"{accuracy[: -len(match[2])]}loss" if match and match[1] else None


def metric_in(column: str) -> str:
    """The metric in a column of a wandb chart, `RUN - METRIC`, or the column itself."""
    return plain(column.rpartition(" - ")[2])


def _no_verdict(metric: str) -> str:
    """Why a part of a metric's path says that it is no verdict on one sample; empty where none does."""
    return next((reason for part in metric.split("/") if (reason := no_verdict(part))), "")
