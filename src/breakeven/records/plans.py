"""What `breakeven plan` found: options, what was chosen, and every number that a page shows."""

from dataclasses import dataclass, field

from breakeven.records.curves import Made
from breakeven.records.options import Option, Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One number that answers the question, or part of it."""

    text: str
    """What it is, in words, its unit included."""
    value: float | None
    """None: there is none, as of lines that never cross; `text` says so."""
    lo: float | None = None
    """Lower end of the 90 % interval; None where there is none."""
    hi: float | None = None
    made: Made = Made.MEASURED


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTable:
    """Rows of plain text under headings."""

    label: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Points of a chart: (x, y), with their 90 % intervals where there are any."""

    label: str
    points: tuple[tuple[float, float], ...]
    intervals: tuple[tuple[float, float], ...] = ()
    """(lo, hi) of each y; empty: none."""
    made: Made = Made.MEASURED


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A chart of a row of its own."""

    name: str
    """Letters, digits and "-"."""
    title: str
    x: str
    """Label of the axis, with its unit."""
    y: str
    lines: tuple[Line, ...]
    log_x: bool = False
    log_y: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAnswer:
    """What a row computes; `PlanResult` is made of it."""

    options: tuple[Option, ...]
    findings: tuple[Finding, ...] = ()
    tables: tuple[PlanTable, ...] = ()
    pictures: tuple[Picture, ...] = ()
    target: float | None = None
    """Quality to reach where the user names none; None: the best there is."""
    target_of: str = ""
    """Where that target comes from, as a sentence; it is said where the user names none."""
    quality: str = "accuracy"
    """What the quality is, in words."""
    not_counted: tuple[str, ...] = ()
    """FLOPs that are in no line, in words."""
    notes: tuple[str, ...] = ()
    """What a reader has to know to take the findings for what they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheapest:
    """An option by name, and from how many queries on it is the cheapest."""

    option: str
    queries: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is chosen, and among what, when some costs are counted."""

    verdict: str
    """In a sentence."""
    lead: str
    """What the chosen has and costs, and from how many queries to how many it is the cheapest; empty: nothing is."""
    chosen: str | None = None
    """Option by name; None: nothing does what was asked for, and `verdict` says what comes nearest."""
    frontier: tuple[str, ...] = ()
    """By name, from the cheapest to the best, at the declared price."""
    envelope: tuple[Cheapest, ...] = ()
    """Of the options that reach the target, or are as good as the chosen where there is none, which is the cheapest
    from how many queries on; empty where nothing is chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanResult(Choice):
    """An answer with its frontier and its choice."""

    format: int = 1
    """Of plan.json: rises when a name changes."""
    row: str
    """The name that `breakeven plan` was called by."""
    settings: dict[str, Setting | list[Setting]] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    """Of what the cells were begun with."""
    answer: PlanAnswer
    queries: float | None = None
    """Declared workload; None: options are compared per query."""
    budget: float | None = None
    target: float | None = None
    """The quality that was asked for, or that the row takes; None: the best there is."""
    sure: bool = False
    """Whether the lower end of the interval had to reach the target."""
    published: bool = False
    """Whether points that were read somewhere could be chosen."""
    without: tuple[str, ...] = ()
    """Cost lines that were left out."""
    full: Choice | None = None
    """What is chosen with every cost counted, where `without` names some."""
    shares: tuple[float, ...] = ()
    """Of resamplings of the problems, in which each option, in the order of `answer.options`, is on the frontier; empty
    where options are not paired."""
    notes: tuple[str, ...] = ()
    """What the choice does not rest on, or should not be taken for."""
