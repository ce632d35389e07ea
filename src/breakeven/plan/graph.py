"""A graph of agents: which model and role at each node, who reads whom, and what is it worth to look for it?

Agents are models trained to read what others answered. All graphs of at most four are measured once, so that every
method of looking can be held against the truth, with all that its trials cost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

from breakeven import check
from breakeven.errors import argument_error
from breakeven.plan.agents.closed_form import MODELS, closed_form
from breakeven.plan.agents.from_files import own_graphs
from breakeven.plan.agents.insights import Insights
from breakeven.plan.agents.published import unit_table
from breakeven.plan.agents.recipe import Recipe, Run
from breakeven.plan.agents.told import (
    counts_findings,
    counts_table,
    default_option,
    exhaustive_table,
    left_out_notes,
    own_findings,
    own_options,
)
from breakeven.plan.row import Asked, Row
from breakeven.plan.trials.compared import (
    compared,
    course_picture,
    method_table,
    optimum_findings,
    proposer_of,
    reached_findings,
)
from breakeven.plan.trials.winners import Winner, winner_findings, winner_table, winners_of
from breakeven.records.plans import PlanAnswer

_HINTS = (
    "Graphs differ in which mix of models suits them: many small ones or a large one. Width and depth each have a best "
    "value, beyond which more is worse, and the best width depends on the depth. The last node answers."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The real run and the trials. The defaults are the CPU recipe."""

    executor: Literal["models", "closed form"] = "models"
    """Models that are trained and sampled, or accuracies by a formula."""
    num_digits: int = 1
    """Of the first factor of each product of the task, chain."""
    sizes: tuple[str, ...] = ("2x64", "2x64", "2x64")
    """Layers x embedding of each, from the cheapest to the dearest; equal ones are checkpoints of one run."""
    steps: tuple[int, ...] = (600, 700, 800)
    """Training steps of each."""
    learning_rates: tuple[float, ...] = (3e-3, 3e-3, 3e-3)
    """Of each; checkpoints of one run have that of the last."""
    plain_steps: int = 400
    """The first steps of each run, without attempts to read."""
    batch_size: int = 128
    threads: int = 1
    nodes: int = 4
    """Of a graph, at most."""
    trial_problems: int = 380
    """Problems that trials are made on, and as many at most for one."""
    fresh_problems: int = 360
    """On which what is true is measured."""
    temperature: float = 0.8
    seed: int = 0
    tokens_per_second: tuple[float, ...] = ()
    """At which each model writes, for latency in seconds; none: not known."""
    most_tokens: int = 0
    """Along the longest path of a graph, at most: latency as a condition; 0: any number."""
    budgets: tuple[float, ...] = (2.6, 4.2, 6.0)
    """FLOPs a query, in the price of the default: one node of the dearest model."""
    seen_problems: int = 128
    """That a trial sees."""
    num_trials: int = 100
    """Of a method, at most."""
    seeds: int = 10
    """Of each method, and of the problems that its trials see."""
    proposer: str = ""
    """Address of an OpenAI-compatible server whose model proposes configurations, including /v1; none: empty."""
    proposer_name: str = ""
    """As the server calls its model; empty: the only one it serves."""
    proposer_key_env: str = ""
    """Variable of the environment that holds the server's key."""
    proposer_params: float = 0.0
    """Active parameters of that model, by which its tokens are charged; 0: not known."""

    def __post_init__(self) -> None:
        for name in ("steps", "learning_rates"):
            if len(getattr(self, name)) != len(self.sizes):
                raise argument_error(name, f"have one for each of {len(self.sizes)} sizes", list(getattr(self, name)))
        if len({*zip(self.sizes, self.steps, strict=True)}) < max(2, len(self.sizes)):
            raise argument_error("sizes", "be at least two, each once at a number of steps", list(self.sizes))
        for each in self.steps:
            check.at_least("steps", each, 1)
        check.between("nodes", self.nodes, 2, 4, "More graphs are too many to measure them all.")
        models = MODELS if self.executor == "closed form" else self.sizes
        if self.tokens_per_second and len(self.tokens_per_second) != len(models):
            raise argument_error(
                "tokens_per_second", f"have one for each of {len(models)} models", len(self.tokens_per_second)
            )
        for name in ("trial_problems", "fresh_problems", "seeds"):
            check.at_least(name, getattr(self, name), 2)
        for name in ("plain_steps", "most_tokens"):
            check.at_least(name, getattr(self, name), 0)
        check.at_least("num_trials", self.num_trials, 1)
        if not self.budgets:
            raise argument_error("budgets", "hold at least one", [])
        for name in ("budgets", "learning_rates", "tokens_per_second"):
            for rate in getattr(self, name):
                check.positive(name, rate)
        check.between("seen_problems", self.seen_problems, 1, self.trial_problems, "Or raise trial_problems.")
        check.positive("temperature", self.temperature)
        check.finite("proposer_params", self.proposer_params)

    @property
    def recipe(self) -> Recipe:
        """The real run of these sizes."""
        return Recipe(**{each.name: getattr(self, each.name) for each in fields(Recipe)})


_FREE = (
    "tokens_per_second",
    "most_tokens",
    "budgets",
    "seen_problems",
    "num_trials",
    "seeds",
    "proposer",
    "proposer_name",
    "proposer_key_env",
    "proposer_params",
)
"""What changes no cell: those of trials name all that they depend on."""


def answer(asked: Asked) -> PlanAnswer:
    """By real models, or in closed form; graphs of files beside those that are found."""
    settings: Settings = asked.settings
    if settings.executor == "models":
        table = Run(recipe=settings.recipe, cells=asked.cells).table()
    else:
        table = closed_form(settings.nodes, tokens_per_second=settings.tokens_per_second, seed=settings.seed)
    if settings.most_tokens:
        table = replace(table, most_tokens=float(settings.most_tokens))
    own = own_graphs(asked.files, asked.cells, table)
    default = default_option(table)
    budgets = tuple(sorted(each * default.per_query for each in settings.budgets))
    found = compared(
        table,
        budgets,
        asked.cells,
        seeds=settings.seeds,
        num_trials=settings.num_trials,
        num_problems=settings.seen_problems,
        proposer=proposer_of(
            settings.proposer,
            name=settings.proposer_name,
            key_env=settings.proposer_key_env,
            params=settings.proposer_params,
            hints=_HINTS,
            seed=settings.seed,
            cells=asked.cells,
            condition=table.condition,
        ),
    )
    central, winners = found[len(found) // 2], winners_of(table, found)
    insights = Insights(table=table, budgets=budgets)
    return PlanAnswer(
        options=(default, *(each.option for each in winners), *own_options(table, own)),
        findings=(
            *optimum_findings(found),
            *reached_findings(central),
            *counts_findings(central),
            *winner_findings(winners, "rules", central.budget, default),
            *insights.findings(),
            *own_findings(table, own, budgets),
        ),
        tables=(
            insights.shape_table(),
            insights.latency_table(),
            method_table(found),
            counts_table(central),
            exhaustive_table(found, num_problems=settings.seen_problems, seeds=settings.seeds),
            winner_table(table, winners),
            unit_table(),
        ),
        pictures=(insights.shape_picture(), course_picture(central)),
        target=default.quality.value,
        target_of=f"No target was given: it is what the default reaches, {default.quality.value:.3f}.",
        not_counted=(*table.not_counted, *(each for won in winners for each in won.outcome.not_counted())),
        notes=(*table.notes, *left_out_notes(table, own, budgets), *_notes(winners), *NOTES),
    )


def _notes(winners: Sequence[Winner]) -> Iterator[str]:
    """What the language model was refused, and what failed."""
    for each in winners:
        if each.method.startswith("proposals"):
            yield from (f"{each.name}: {note}" for note in each.outcome.notes())


NOTES = (
    "The optimum is the graph that is best on all problems of trials, and what it is worth is read from the fresh "
    "ones: the highest of thousands of numbers on these would be the luckiest. In closed form it is the best in truth.",
    "Every method begins with the default. In a name, numbers in brackets are the places of a node's parents, from 0.",
)
"""What a reader has to know, wherever the numbers come from."""
ROW = Row(
    name="graph",
    settings=Settings,
    answer=answer,
    presets={
        "gpu": {
            "num_digits": 3,
            "sizes": ("4x128", "6x256", "8x512"),
            "steps": (12000, 8000, 5000),
            "learning_rates": (3e-3, 1e-3, 5e-4),
            "plain_steps": 2000,
            "batch_size": 512,
            "threads": 4,
            "trial_problems": 1000,
            "fresh_problems": 4000,
            "seeds": 50,
        }
    },
    free=_FREE,
    takes_files="graphs of your own (TOML or JSON), to be measured beside",
)
