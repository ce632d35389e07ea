"""Which metric of an evaluation says of each problem, by one sample, that it is right or wrong; and which task."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from breakeven.errors import LogError, SeveralTasksError

USUAL = ("acc", "exact_match", "pass@1", "pass_at_1", "prompt_level_strict_acc")
"""Taken unasked, in this order."""
_VERDICT = re.compile(
    r"acc(uracy)?|acc_(norm|bytes|all|mutual_info|norm_nospace)|\w+_acc|(\w+_)?mc1|p?q?em(_with_[\w&]+)?|(\w+_)?(exact|extractive)_match"
    r"|(\w+_)?pass(@|_at_)1(:\w+)?|\w*pass@k:k=1(&n=\d+)?",
    re.IGNORECASE,
)
"""Known to be a verdict: taken unasked where there is no other such one."""
_MEAN_PROBABILITY = re.compile(r".*mc2", re.IGNORECASE)
"""TruthfulQA's second task, whose mean probability lm-eval calls acc."""
_OF_SEVERAL = "which several samples make, not one"
_NO_VERDICT = {
    "where lower is better": r"\w*(perplexity|ppl|nll|loss|brier\w*|entropy)|bits_per_byte|bpb|[twc]er|mse|mae|rmse"
    r"|(log)?likelihood_diff\w*|ece|toxicity\w*",
    _OF_SEVERAL: r".*(pass(@|_at_|\^)(?!1(?!\d)|k:k=1(?!\d))|maj(ority)?(@|_|$)|cons@|vote"
    r"|best_?(of|@)|self.?consistency|any@).*",
    "which measures a bias or a difference": r"pct_\w+|.*(stereotyp|bias|_diff(erence)?$"
    r"|(log)?likelihood_(?!acc)|parity).*",
    "which is a degree, not right or wrong": r".*(f1|bleu|rouge|chrf|comet|bert_?score|meteor|mcc|matthews|pearson"
    r"|spearman|similarity|recall|precision|ndcg|mrr|win_?rate|(?<![a-z])(log)?prob(s|ability)?(?![a-z])).*|(\w+_)?mc2"
    r"|r@[2-9]\d*",
    "which counts parts of problems": r"inst_level\w*|accuracy_(dis)?amb\w*",
}
_REASONS = {reason: re.compile(pattern, re.IGNORECASE) for reason, pattern in _NO_VERDICT.items()}


def choose_metric(
    names: Collection[str], asked: str | None, *, where: Path, task: str, higher: Mapping[str, object] | None = None
) -> str:
    """The metric asked for with --metric, else the first of `USUAL`, else the only one known to be a verdict.

    Args:
        names: what was recorded, without standard errors.
        asked: the user's choice.
        where: file, for messages.
        task: for messages.
        higher: lm-eval's own `higher_is_better`, where it was recorded.

    Raises:
        LogError: no such metric, several to choose from, one that nobody knows to be a verdict on one sample and that
            was not asked for, or one that is known not to be, asked for or not.
    """
    listed = ", ".join(sorted(names)) or "none"
    if _MEAN_PROBABILITY.fullmatch(task):
        raise _refusal(where, task, {listed: "which is a mean probability in this task"})
    refused = {name: reason for name in sorted(names) if (reason := no_verdict(name, higher))}
    if asked is not None:
        if asked not in names:
            raise LogError(f"{where}, task {task}, must have the metric {asked} (--metric); it has {listed}.")
        if asked in refused:
            raise _refusal(where, task, {asked: refused[asked]})
        return asked
    usable = [name for name in names if name not in refused]
    for name in USUAL:
        if name in usable:
            return name
    known = [name for name in usable if _VERDICT.fullmatch(name)]
    if len(known) == 1:
        return known[0]
    if not usable:
        raise _refusal(where, task, refused)
    if len(usable) > 1:
        raise LogError(f"{where}, task {task}, has several metrics: {listed}. Choose one with --metric.")
    raise LogError(
        f"{where}, task {task}, must have a metric known to say right or wrong of each problem; got {listed}. "
        f"If {usable[0]} does, add --metric {usable[0]}."
    )


def check_same(chosen: Mapping[Path, str]) -> None:
    """Hold what was chosen in the files of the checkpoints against each other.

    Args:
        chosen: metric and filter of each file, as lm-eval writes them: "acc", or "acc,none".

    Raises:
        LogError: they are not those of the first file.
    """
    bare = {path: each.removesuffix(",none") for path, each in chosen.items()}
    first = next(iter(bare), None)
    for path, each in bare.items():
        if first is not None and each != bare[first]:
            raise LogError(
                f"{path} must have the metric and filter of the other checkpoints, {bare[first]} in {first}; got "
                f"{each}. Choose one that all have with --metric and --answer-filter."
            )


def no_verdict(name: str, higher: Mapping[str, object] | None = None) -> str:
    """Why a metric is no verdict on one sample of a problem; empty where nothing speaks against it.

    >>> no_verdict("pass@8"), no_verdict("pass@1"), no_verdict("acc_norm")
    ('which several samples make, not one', '', '')
    """
    if higher is not None and higher.get(name) is False:
        return "where lower is better"
    return next((reason for reason, pattern in _REASONS.items() if pattern.fullmatch(name)), "")


def choose_filter(names: Sequence[str], asked: str | None, where: str) -> str:
    """The filter asked for with --answer-filter, or the only one that is no vote.

    Args:
        names: the filters of one metric, "" where it has none.
        asked: the user's choice.
        where: file and task, for messages.

    Raises:
        LogError: no such filter, several to choose from, or one whose answer many samples make.
    """
    single = [name for name in names if not _REASONS[_OF_SEVERAL].fullmatch(name)]
    listed = ", ".join(names)
    if asked is not None and any(names):
        if asked not in names:
            raise LogError(f"{where} must have --answer-filter {asked}; it has {listed}.")
        if asked not in single:
            raise LogError(
                f"{where} filter {asked}, is a vote of many samples, not one sample. Choose another --answer-filter."
            )
        return asked
    if not single:
        raise LogError(f"{where} must have graded single answers; its filters are votes: {listed}.")
    if len(single) > 1:
        raise LogError(f"{where} has several filters: {', '.join(single)}. Choose one with --answer-filter.")
    return single[0]


def _refusal(where: Path, task: str, refused: Mapping[str, str]) -> LogError:
    got = "; ".join(f"{name}, {reason}" for name, reason in refused.items()) or "none"
    return LogError(
        f"{where}, task {task}, must have a metric in which each problem is right or wrong; got {got}. "
        f"Choose a task with an accuracy."
    )


def choose_task(names: Collection[str], asked: str | None, root: Path) -> str:
    """The task asked for with --task, or the only one there is.

    Raises:
        LogError: no such task.
        SeveralTasksError: several to choose from.
    """
    if not names:
        raise LogError(f"{root} must hold the results of a task; it has none.")
    listed = ", ".join(sorted(names)[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
    if asked is None and len(names) > 1:
        raise SeveralTasksError(
            f"{root} holds {len(names)} tasks, and a decision is about one. Choose one with --task: {listed}. "
            f"For one decision on several, repeat it, or say --task all.",
            tuple(sorted(names)),
        )
    if asked is not None and asked not in names:
        raise LogError(f"{root} must hold the task {asked} (--task); it holds {listed}.")
    return asked if asked is not None else next(iter(names))
