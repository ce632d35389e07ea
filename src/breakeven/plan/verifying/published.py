"""What the authors of arXiv 2504.01005 released: votes, and best-of-N over S solutions x V verdicts, four settings."""

from dataclasses import dataclass
from importlib.resources import files

import msgspec

from breakeven.choice.choose import value_of
from breakeven.choice.crossover import crossover
from breakeven.choice.prices import per_query
from breakeven.plan.verifying.compared import best_of
from breakeven.plan.verifying.families import Family
from breakeven.records import Made
from breakeven.records.options import Option, Quality
from breakeven.records.plans import PlanTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """A setting: what solved and verified which problems."""

    what: str
    verification_tokens_over_solution: float
    """lambda: a cell costs S (1 + lambda V) solutions."""
    majority_vote: dict[int, float]
    """Share of problems solved, by S."""
    coverage: dict[int, float]
    """Share with a right solution among S."""
    best_of_n: list[tuple[int, int, float]]
    """S, V, share of problems solved."""

    @property
    def votes(self) -> Family:
        """V = 0, in units of a solution."""
        options = [_option(f"{self.what}, vote of {s}", s, 0, rate, s) for s, rate in self.majority_vote.items()]
        return Family(name=f"{self.what}, vote", options=tuple(options))

    @property
    def verified(self) -> Family:
        """Best of S by V verdicts, in units of a solution."""
        ratio = self.verification_tokens_over_solution
        options = [
            _option(f"{self.what}, best of {s} x {v}", s, v, rate, s * (1 + ratio * v)) for s, v, rate in self.best_of_n
        ]
        return Family(name=f"{self.what}, best", options=tuple(options))


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The file that ships."""

    paper: str
    source: str
    commit: str
    licence: str
    surfaces: dict[str, Surface]
    """All settings by name."""


def released() -> Released:
    """What was released, and where."""
    text = files("breakeven").joinpath("plan", "published", "genrm_surfaces.json").read_bytes()
    return msgspec.json.decode(text, type=Released)


def gain(surface: Surface, votes: int) -> float:
    """Best S x V less the vote of so many solutions."""
    return value_of(best_of(surface.verified)) - surface.majority_vote[votes]


def published_table() -> PlanTable:
    """The crossovers of the released surfaces, in solutions: each multiple in the paper has a reference of its own."""
    read, rows = released(), []
    for each in read.surfaces.values():
        largest, best = max(s for s, _, _ in each.best_of_n), best_of(each.verified)
        crossed = crossover(each.votes.options, each.verified.options, per_query)
        rows.append(
            (
                each.what,
                "none" if crossed is None else f"{crossed:.0f}",
                f"{best.settings['k']} x {best.settings['num_verdicts']}, {best.per_query:.0f}",
                f"{best.quality.value:.3f}",
                f"{100 * gain(each, largest):+.2f} over the vote of {largest}",
                f"{100 * (value_of(best) - value_of(best_of(each.votes))):+.2f}",
            )
        )
    headings = (
        "published setting",
        "crossover, solutions",
        "best S x V, solutions",
        "solved",
        "points",
        "over the best vote of any size",
    )
    where = f"{read.paper}; {read.source} at {read.commit[:7]}, {read.licence}"
    return PlanTable(label=f"Published ({where}), without intervals", headings=headings, rows=tuple(rows))


def _option(name: str, solutions: int, verdicts: int, rate: float, price: float) -> Option:
    return Option(
        name=name,
        settings={"k": solutions, "num_verdicts": verdicts},
        query_flops=float(solutions),
        reward_flops=price - solutions,
        quality=Quality(value=rate, made=Made.PUBLISHED),
    )
