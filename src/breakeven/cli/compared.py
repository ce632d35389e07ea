"""Several recorded runs, read to be shown side by side."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from breakeven.errors import argument_error, printable
from breakeven.report import headline
from breakeven.report.charts.overlaid import ComparedRun
from breakeven.store import LOG_NAME, RunRecord, read_log

_LONGEST = 60
"""Characters of a name in charts and tables."""


def compared_runs(runs: Sequence[Path]) -> list[ComparedRun]:
    """The runs with the names by which a report tells them apart: their own, and, where these are equal, directories.

    Raises:
        ArgumentError: a run is named twice, or holds no evaluation yet.
        LogError: a log cannot be read.
    """
    places = Counter((run / LOG_NAME if run.is_dir() else run).resolve() for run in runs)
    for place, times in places.items():
        if times > 1:
            raise argument_error("RUN", "be named once each", str(place), "Leave out the second one.")
    records = [read_log(run) for run in runs]
    own = [_name(record, run) for record, run in zip(records, runs, strict=True)]
    names = _told_apart(_told_apart(own, [_directory(run).name for run in runs]), list(map(str, runs)))
    twice = Counter(names)
    return [
        _compared(record, name if twice[name] == 1 else f"{name} ({place})")
        for place, (record, name) in enumerate(zip(records, names, strict=True), start=1)
    ]


def _told_apart(names: Sequence[str], others: Sequence[str]) -> list[str]:
    """The names, with others in place of those that are equal."""
    alike = Counter(names)
    return [_cut(other) if alike[name] > 1 else name for name, other in zip(names, others, strict=True)]


def _directory(run: Path) -> Path:
    return (run if run.is_dir() else run.parent).resolve()


def _compared(record: RunRecord, name: str) -> ComparedRun:
    header, changes = record.header, record.budget_changes
    headline(record.checkpoints, name)
    spec = changes[-1].spec if changes else header.spec
    declared = {**msgspec.to_builtins(spec), "like": [each.name for each in spec.like]}
    del declared["budget_flops"]  # among the decisions
    made = {"seed": header.seed, "machine": header.machine or "not recorded", "versions": header.versions}
    config = changes[-1].config if changes else header.config
    return ComparedRun(
        name=name,
        checkpoints=record.checkpoints,
        budget_flops=spec.budget_flops,
        problems=None if record.fingerprint is None else record.fingerprint.parts.get("problems"),
        verification=record.verification,
        settings={**declared, "policy": header.policy, **made, **config},
    )


def _name(record: RunRecord, run: Path) -> str:
    return _cut(str(record.header.config.get("name") or _directory(run).name))


def _cut(name: str) -> str:
    """The end of a long path tells more than its beginning."""
    shown = printable(" ".join(name.split()))
    return shown if len(shown) <= _LONGEST else f"...{shown[3 - _LONGEST :]}"
