"""Logs of inspect_ai, as JSON: one file a checkpoint, each sample of a problem (an epoch) with its score."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from breakeven.errors import LogError
from breakeven.readers.documents import INSPECT, Document
from breakeven.readers.log import EvalLog
from breakeven.readers.metrics import check_same, choose_task
from breakeven.readers.options import ReadOptions
from breakeven.readers.places import counted, latest, step_of
from breakeven.readers.single import Lines, choose_score
from breakeven.readers.table import Table

_VALUES: dict[object, int] = {"C": 1, "I": 0, "N": 0, 1: 1, 0: 0, "1": 1, "0": 0}
"""Right, wrong, no answer. A partial "P" is neither right nor wrong."""


def read_inspect(read: Sequence[Document], root: Path, options: ReadOptions) -> EvalLog:
    """The log in a folder of inspect_ai's logs. Samples are greedy where their temperature was 0 and there is one each.

    Raises:
        LogError: no samples in a file, several scorers to choose from, or a score between right and wrong.
    """
    contents = {each.path: each.content for each in read}
    task = choose_task(sorted({str(each["eval"].get("task")) for each in contents.values()}), options.task, root)
    of_task = {path: each for path, each in contents.items() if str(each["eval"].get("task")) == task}
    finished = {path: each for path, each in of_task.items() if each["status"] == "success"}
    if not finished:
        raise LogError(f"{root} must hold a finished evaluation of {task}; none has the status success.")
    steps, notes = counted({path: step_of(path, root, each) for path, each in finished.items()}, root)
    chosen, older = latest(steps, root)
    table = Table(root, single=True)
    table.notes += notes
    if broken := len(of_task) - len(finished):
        table.notes.append(f"{broken} evaluations that did not finish were left out.")
    if older:
        table.notes.append(f"{older} older evaluations of a checkpoint were left out: the latest of each counts.")
    unscored = 0
    scorers: dict[Path, str] = {}
    for step, path in sorted(chosen.items()):
        code = table.code_of(step, options.flops_at(step, INSPECT), path)
        lines, without, scorers[path] = _samples(path, contents[path], options)
        unscored += without
        lines.into(table, path, code)
    check_same(scorers)
    if unscored:
        table.notes.append(f"{unscored} samples without a score were left out.")
    return table.log(INSPECT, oracle=not options.checker)


def _samples(path: Path, content: dict[str, Any], options: ReadOptions) -> tuple[Lines, int, str]:
    """The samples of one log, how many have no score, and the scorer chosen."""
    rows = content.get("samples") or []
    scored = [(row, row["scores"]) for row in rows if isinstance(row.get("scores"), dict) and row["scores"]]
    if not scored:
        raise LogError(f"{path} must hold scored samples; it has none. Log samples, or give the complete log.")
    scorer = choose_score(list(scored[0][1]), options.metric, path)
    greedy = _temperature(content) == 0 and len({str(row["id"]) for row, _ in scored}) == len(scored)
    lines = Lines()
    for number, (row, scores) in enumerate(scored, 1):
        score = scores.get(scorer)
        value = score.get("value") if isinstance(score, dict) else None
        if isinstance(value, dict | list) or value not in _VALUES:
            raise LogError(
                f'{path}, sample {row["id"]}, score {scorer}, must be "C" or "I", or 1 or 0; got {str(value)[:60]!r}. '
                f"A score in between does not say what is right."
            )
        lines.add(row["id"], _VALUES[value], greedy=greedy, answer=score.get("answer"), row=number)
    return lines, len(rows) - len(scored), scorer


def _temperature(content: dict[str, Any]) -> object:
    """The temperature of all samples, None where it is not said."""
    for holder, key in ((content.get("plan"), "config"), (content["eval"], "model_generate_config")):
        config = holder.get(key) if isinstance(holder, dict) else None
        if isinstance(config, dict) and config.get("temperature") is not None:
            return config["temperature"]
    return None
