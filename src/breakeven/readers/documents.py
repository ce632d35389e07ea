"""JSON files that hold one value: which of them are results of evaluations, and whose."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from breakeven.errors import LogError
from breakeven.readers.lines import json_value, lines_of

RESULTS: Final = "lm-eval results"
INSPECT: Final = "inspect_ai log"
EVALPLUS: Final = "EvalPlus results"


@dataclass(frozen=True, slots=True)
class Document:
    """A file of results, read."""

    path: Path
    kind: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Documents:
    """The results among some JSON files, in the order of the files."""

    results: tuple[Document, ...]
    others: tuple[LogError, ...]
    """Of JSON that is no object, what it is."""
    faults: tuple[LogError, ...]
    """Why files could not be read."""

    def has_task(self, task: str | None) -> bool:
        """Whether some results of lm-eval's layout hold a task."""
        return any(each.kind == RESULTS and task in each.content["results"] for each in self.results)

    def none(self, root: Path) -> LogError:
        """Why there are no results, where there are none."""
        generic = LogError(f"{root} must hold lm-eval results; no JSON file in it has the key results.")
        return next(iter((*self.faults, *self.others)), generic)


def load(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        LogError: not JSON, or nothing in it.
    """
    text = "".join(lines_of(path))
    if not text.strip():
        raise LogError(f"{path} must hold lm-eval results; it is empty.")
    try:
        return json_value(text)
    except (ValueError, RecursionError) as error:
        raise LogError(f"{path} must be JSON: {error}.") from error


def documents(paths: Iterable[Path]) -> Documents:
    """The results among JSON files; what is no JSON object is no result."""
    results, others, faults = [], [], []
    for path in paths:
        try:
            content = load(path)
        except LogError as error:
            faults.append(error)
            continue
        kind, content = _kind(content)
        if kind:
            results.append(Document(path, kind, content))
        elif not isinstance(content, dict):
            others.append(LogError(f"{path} must hold a JSON object; got {type(content).__name__}."))
    return Documents(tuple(results), tuple(others), tuple(faults))


def _kind(content: Any) -> tuple[str, Any]:
    """Whose results a value holds, empty for none; and the value, in lm-eval's layout where it differs only in that."""
    if not isinstance(content, dict):
        return "", content
    if isinstance(content.get("eval"), dict):
        if "status" in content and "model" in content["eval"]:
            rows = content.get("samples")  # without their transcripts, which may be large
            rows = rows if isinstance(rows, list) else []
            samples = [{key: row.get(key) for key in ("id", "scores")} for row in rows if isinstance(row, dict)]
            return INSPECT, {**content, "samples": samples}
        return (EVALPLUS if {"date", "hash"} & set(content) else ""), content
    if isinstance(content.get("results"), dict):
        groups = content.get("groups")
        return RESULTS, {**content, "results": {**(groups if isinstance(groups, dict) else {}), **content["results"]}}
    tasks = {name: each for name, each in content.items() if name != "config"}
    if tasks and "config" in content and all(isinstance(each, dict) and "pass@1" in each for each in tasks.values()):
        return RESULTS, {"results": tasks, "config": content["config"]}  # bigcode's evaluation_results.json
    return "", content
