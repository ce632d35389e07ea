"""Which checkpoint a file is of, where a log has many: steps that begin again, other runs, later evaluations."""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from breakeven.errors import LogError
from breakeven.readers.options import required_step, step_in_name, step_in_text

_SERIES = re.compile(r"(?<![a-z])(?:stage|phase|epoch|ep)[-_=]?(\d+)", re.IGNORECASE)
_BRANCH = re.compile(r"(?<![a-z])(?:ingredient|seed|trial|fold|replica)[-_=]?\d+", re.IGNORECASE)
_RANKS = [
    re.compile(rf"(?<![a-z])(?:{each})(?![a-z])", re.IGNORECASE)
    for each in (
        r"pre-?train\w*",
        r"(?:re-?start|re-?sum|contin)\w*",
        r"mid-?train\w*",
        r"anneal\w*|cool-?down|decay",
        r"sft|fine-?tun\w*|instruct",
        r"dpo|ppo|grpo|rl|rlhf|rlvr",
    )
]
"""Words for the stages of one training, in their order."""
_RESUMED = 1
_TOKENS = re.compile(r"tokens?[-_=]?(\d+(?:\.\d+)?)([KMBT]?)", re.IGNORECASE)
_DIGITS = re.compile(r"(\d+)")
_DATES = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+\-]+?(?=[_.][a-z]|_|$)|\d\d-\d\d-\d{4}(?:-\d\d){3}", re.IGNORECASE)


_ID = re.compile(r"_[0-9A-Za-z]{22}(?=\.json)")
"""What inspect_ai ends the names of its logs with."""


def step_of(path: Path, root: Path, content: Mapping[str, Any]) -> int:
    """The step that a file's name, a folder's, or else the settings recorded in the file speak of.

    Raises:
        LogError: none does.
    """
    step = step_if_any(path, root, content)
    return required_step(path, root) if step is None else step


def step_if_any(path: Path, root: Path, content: Mapping[str, Any]) -> int | None:
    """`step_of`, or None."""
    if (step := step_in_name(path, root)) is not None:
        return step
    return next((found[0] for text in _settings(content) if (found := step_in_text(text))), None)


def _settings(content: Mapping[str, Any]) -> list[str]:
    """What may name the checkpoint: revision and path of the model, as lm-eval, lighteval and bigcode record them."""
    found: list[str] = []
    for place in (content.get("config"), content.get("config_general"), content.get("eval"), content):
        if isinstance(place, dict):
            nested = [place.get(key) for key in ("model_args", "model_config")]
            for each in [place, *(each for each in nested if isinstance(each, dict))]:
                named = ("model_revision", "revision", "model_args", "pretrained", "model_path", "model_name", "model")
                found += [text for key in named if isinstance(text := each.get(key), str)]
    return found


def counted(steps: Mapping[Path, int], root: Path) -> tuple[dict[Path, int], list[str]]:
    """Steps of the files' checkpoints as one count over the whole run, and notes.

    Stages whose counter begins again, in the order of their numbers or names, are counted on from the last step before.

    Raises:
        LogError: several runs, or a counter that begins again without saying which part is the later one.
    """
    heads = {path: _head(path, root) for path in steps}
    result, notes = dict(steps), list[str]()
    last = before = -1
    for stage, paths in _stages(steps, root):
        example = min(paths, key=steps.__getitem__)
        if steps[example] <= last:
            shown = example.relative_to(root)
            if stage[0] == _RESUMED or steps[example] > before:  # continued from a checkpoint before the last
                raise _begins_again(root, shown, last)
            notes.append(
                f"Steps begin again at {shown}: {len(paths)} files are counted on from step {last}, the last before "
                f"them; training between them is not in their FLOPs."
            )
            for path in paths:
                result[path] += last
                if steps[path] == 0:
                    del result[path]
        last, before = max((result[path] for path in paths if path in result), default=last), steps[example]
        _check_tokens({path: steps[path] for path in paths}, heads, root)
    return result, notes + _names(result, heads, root)


def _head(path: Path, root: Path) -> str:
    """The path below `root` up to the number of its step; without a step in it, its folder."""
    parts = path.relative_to(root).parts if path.is_relative_to(root) else (path.name,)
    for place in reversed(range(len(parts))):
        if found := step_in_text(parts[place]):
            return "/".join((*parts[:place], parts[place][: found[1]]))
    return "/".join((*parts[:-1], ""))


def _stages(paths: Collection[Path], root: Path) -> list[tuple[tuple[int, ...], list[Path]]]:
    """The files of each stage of the training, in the order of the stages.

    Raises:
        LogError: several runs in one of them.
    """
    stages: dict[tuple[int, ...], list[Path]] = defaultdict(list)
    branches: dict[tuple[int, ...], set[str]] = defaultdict(set)
    for path in paths:
        head = _head(path, root)
        text = head + path.relative_to(root).as_posix()[len(head) :].partition("/")[0]
        rank = max((place for place, each in enumerate(_RANKS) if each.search(text)), default=0)
        stage = (rank, *map(int, _SERIES.findall(text)))
        stages[stage].append(path)
        branches[stage].add("".join(_BRANCH.findall(text)))
    for several in branches.values():
        if len(several) > 1:
            raise _several(root, " and ".join(sorted(each or "others" for each in several)))
    return sorted(stages.items())


def _check_tokens(steps: Mapping[Path, int], heads: Mapping[Path, str], root: Path) -> None:
    sized = []
    for path, step in sorted(steps.items(), key=lambda each: each[1]):
        if found := _TOKENS.search(path.relative_to(root).as_posix(), len(heads[path])):
            sized.append((step, float(found[1]) * 1000.0 ** " KMBT".index(found[2].upper() or " "), found[0]))
    for earlier, later in pairwise(sized):
        if later[1] < earlier[1]:
            raise LogError(
                f"{root}: {later[2]} at step {later[0]} must not be less than {earlier[2]} at step {earlier[0]}: the "
                f"counter of steps begins again. Name the files by one count, or give the folder of one part."
            )


def _check_order(parts: Mapping[str, Collection[int]], root: Path) -> None:
    """Refuse parts of two steps or more that are numbered, but do not follow each other, or whose steps interleave."""
    several = {name: steps for name, steps in parts.items() if len(set(steps)) > 1}
    ordered = sorted(several, key=lambda name: [int(each) if each.isdigit() else each for each in _DIGITS.split(name)])
    for earlier, later in pairwise(ordered):
        last, first = max(several[earlier]), min(several[later])
        numbered = _DIGITS.sub("", earlier) == _DIGITS.sub("", later)
        shared = set(several[earlier]) & set(several[later])
        if not shared and first <= last and (numbered or min(several[earlier]) <= max(several[later])):
            raise _begins_again(root, Path(later), last)


def _names(steps: Mapping[Path, int], heads: Mapping[Path, str], root: Path) -> list[str]:
    """A note where names differ in more than their stage: they may be those of several runs.

    Raises:
        LogError: they lie in folders whose steps do not follow each other.
    """
    named: dict[str, list[int]] = defaultdict(list)
    folders: dict[str, list[int]] = defaultdict(list)
    for path, step in steps.items():
        bare = heads[path]
        for each in (_SERIES, *_RANKS):
            bare = each.sub("", bare)
        named[bare].append(step)
        folders[bare.rpartition("/")[0]].append(step)
    _check_order(folders, root)
    if not 1 < len(named) < len(set(steps.values())):
        return []
    listed = [f"{name}... ({min(of)} to {max(of)})" for name, of in sorted(named.items())]
    more = f" and {len(listed) - 4} more" if len(listed) > 4 else ""
    return [f"Files are named in several ways and taken for one run: {', '.join(listed[:4])}{more}."]


def latest(steps: Mapping[Path, int], root: Path) -> tuple[dict[int, Path], int]:
    """The file of each step, of several evaluations the one with the latest date, and how many were left out.

    Raises:
        LogError: several files of a step that differ in more than their dates.
    """
    chosen: dict[int, Path] = {}
    for path, step in steps.items():
        other = chosen.setdefault(step, path)
        if other is not path and (_undated(other) != _undated(path) or not _date(path)):
            raise LogError(
                f"{path} must be the only file of step {step} in {root}; {other} is there too. "
                f"Give the folder of one run."
            )
        chosen[step] = max(other, path, key=_date)
    return chosen, len(steps) - len(chosen)


def overlapping(steps: Mapping[Path, Collection[int]], root: Path) -> list[str]:
    """A note where files that name their steps in a column share some.

    Raises:
        LogError: several runs, or the steps of a later stage begin again.
    """
    last = -1
    for _, paths in _stages(steps, root):
        example = min(paths, key=lambda path: min(steps[path]))
        if min(steps[example]) <= last:
            raise _begins_again(root, example.relative_to(root), last)
        last = max(last, *(max(steps[path]) for path in paths))
    shared = sum(map(len, steps.values())) - len(set().union(*steps.values()))
    if shared:
        return [f"Several of the {len(steps)} files have rows of the same steps; those were joined."]
    _check_order({path.relative_to(root).as_posix(): each for path, each in steps.items()}, root)
    return []


def joined(steps: Mapping[Path, int], root: Path) -> list[str]:
    """A note where a checkpoint has several files of rows.

    Raises:
        LogError: several files of a step in different places.
    """
    first: dict[int, Path] = {}
    for path, step in steps.items():
        other = first.setdefault(step, path)
        if _head(other, root) != _head(path, root):
            raise _several(root, f"{other.relative_to(root)} and {path.relative_to(root)}, both of step {step}")
    several = len(steps) - len(first)
    return [f"{len(first)} checkpoints have {len(steps)} files; those of a checkpoint were joined."] if several else []


def _undated(path: Path) -> str:
    return _ID.sub("", _DATES.sub("", str(path)))


def _date(path: Path) -> str:
    """The last date in a path, so that later ones are greater."""
    found = _DATES.findall(str(path))
    if not found:
        return ""
    day, month, year, time = found[-1][3:5], found[-1][:2], found[-1][6:10], found[-1][10:]
    return found[-1] if "T" in found[-1] else f"{year}-{month}-{day}{time}"


def _begins_again(root: Path, shown: Path, last: int) -> LogError:
    return LogError(
        f"{root}: steps must be counted over the whole run; those of {shown} begin again below {last}. "
        f"Name them by one count, or give the folder of one part."
    )


def _several(root: Path, got: str) -> LogError:
    return LogError(f"{root} must hold the checkpoints of one run; got {got}. Give the folder of one of them.")
