"""A report as data: what it says, shows and tabulates, before it is a page, Markdown or JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Final, TypeAlias, TypeVar

from breakeven.report.charts.chart import Figure
from breakeven.report.charts.workload import Workload

Row: TypeAlias = tuple[str, ...]
_Part = TypeVar("_Part")
_LONG: Final = 60
"""Rows of a table from which on it is folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One of the few numbers that matter most."""

    what: str
    number: str
    how: str
    """How it was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraphs:
    """Sentences, or points of a list."""

    texts: tuple[str, ...]
    listed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of plain text."""

    label: str
    headings: Row
    rows: tuple[Row, ...]
    kind: str = "plain"
    """By which a page lays it out: "plain", "amounts" (three columns, stacked on a phone), "checkpoints", or "runs" (a
    column a run)."""
    chosen: int | None = None
    """Row of the checkpoint that leads; those after it are drawn fainter."""

    @property
    def is_long(self) -> bool:
        """Whether it is shown when asked for."""
        return len(self.rows) > _LONG


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanings:
    """Words, and what they mean here."""

    of: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Charts that stand side by side where there is room."""

    of: tuple[Figure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sliders:
    """Of the workload: number and length of queries."""

    load: Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """A slider over the number of queries, which says what is then the cheapest."""

    options: tuple[tuple[str, float, float], ...]
    """Name, FLOPs before the first query, and of each."""
    queries: float
    """Where it begins."""
    declared: bool
    low: int
    """Least power of ten."""
    high: int
    """Largest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completions:
    """What the model wrote on some problems."""

    of: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """A problem in words; (what, text) of some completions."""


Block: TypeAlias = Paragraphs | Table | Meanings | Figure | Figures | Sliders | Lives | Completions


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Blocks under a heading."""

    heading: str
    blocks: tuple[Block, ...]
    folded: bool = False
    """Shown when asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole report."""

    title: str
    """Of what: a run, a log, a model on a task."""
    verdict: str
    lead: str
    remarks: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    sections: tuple[Section, ...] = field(default_factory=tuple)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All charts, in order."""
        found: list[Figure] = []
        for section in self.sections:
            for block in section.blocks:
                found += [block] if isinstance(block, Figure) else block.of if isinstance(block, Figures) else ()
        return tuple(found)


def reworded(part: _Part, say: Callable[[str], str]) -> _Part:
    """A section or block with every text of it as `say` has it; names, and whatever is no text, stay."""
    changed: Any = part
    if type(part) is str:
        changed = say(changed)
    elif isinstance(part, tuple | list):
        changed = type(part)(reworded(each, say) for each in part)
    elif isinstance(part, Mapping):
        changed = {key: reworded(each, say) for key, each in part.items()}
    elif is_dataclass(part) and not isinstance(part, type):
        kept = {each.name: getattr(part, each.name) for each in fields(part) if each.name != "name"}
        changed = replace(part, **{name: reworded(value, say) for name, value in kept.items()})
    return changed  # type: ignore[no-any-return]
