"""A model and a number of samples for each subtask of a pipeline: which, and what is it worth to look for them?

Small models of three sizes are trained for two subtasks, products and their sum. All their configurations are measured
once, so that every method of looking can be held against the truth, with all that its trials cost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial

from breakeven import check
from breakeven.errors import argument_error
from breakeven.plan.pipelining.from_files import table_of_files
from breakeven.plan.pipelining.insights import Insights
from breakeven.plan.pipelining.published import published_table
from breakeven.plan.pipelining.recipe import Recipe, Run
from breakeven.plan.pipelining.told import (
    default_option,
    insight_findings,
    left_out_notes,
    stage_picture,
    stage_table,
)
from breakeven.plan.row import Asked, Row
from breakeven.plan.trials.compared import (
    compared,
    course_picture,
    method_table,
    optimum_findings,
    problems_table,
    proposer_of,
    reached_findings,
    stuck_table,
)
from breakeven.plan.trials.winners import Winner, winner_findings, winner_table, winners_of
from breakeven.records.plans import PlanAnswer

_HINTS = (
    "Stages differ: one prefers a large model and few samples, another a small model and many. More samples help, then "
    "no more. What a stage should have depends on how good the stage before it is, and the budget is shared."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The real run, the trials, and how files are read. The defaults are the CPU recipe."""

    num_digits: int = 2
    """Of the first factor of each product."""
    sizes: tuple[str, ...] = ("2x16", "2x32", "2x64")
    """Layers x embedding, from the cheapest to the dearest."""
    product_steps: tuple[int, ...] = (650, 500, 380)
    """Training steps of each size for the products, and for their sum."""
    sum_steps: tuple[int, ...] = (1900, 620, 440)
    learning_rates: tuple[float, ...] = (1.5e-2, 7e-3, 3e-3)
    """Of each size."""
    batch_size: int = 128
    threads: int = 1
    samples: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    """Votes of a stage that may be chosen."""
    trial_problems: int = 400
    """Problems that trials are made on, and as many at most for one."""
    fresh_problems: int = 800
    """On which what is true is measured."""
    temperature: float = 0.8
    seed: int = 0
    budgets: tuple[float, ...] = (0.25, 1.0, 3.0)
    """FLOPs a query, in the price of the default: one sample of the largest model of each stage."""
    seen_problems: int = 100
    """That a trial sees."""
    by_seen_problems: tuple[int, ...] = (25, 50, 400)
    """Other such numbers, for the budget in the middle."""
    num_trials: int = 40
    """Of a method that draws, at most."""
    seeds: int = 20
    """Of each method, and of the problems that its trials see."""
    proposer: str = ""
    """Address of an OpenAI-compatible server whose model proposes configurations, including /v1; none: empty."""
    proposer_name: str = ""
    """As the server calls its model; empty: the only one it serves."""
    proposer_key_env: str = ""
    """Variable of the environment that holds the server's key."""
    proposer_params: float = 0.0
    """Active parameters of that model, by which its tokens are charged; 0: not known."""
    draws: int = 1000
    """Resamplings of the problems, of each interval."""

    def __post_init__(self) -> None:
        for name in ("product_steps", "sum_steps", "learning_rates"):
            if len(getattr(self, name)) != len(self.sizes):
                raise argument_error(name, f"have one for each of {len(self.sizes)} sizes", list(getattr(self, name)))
        if len(set(self.sizes)) < max(2, len(self.sizes)):
            raise argument_error("sizes", "be at least two, each once", list(self.sizes))
        check.increasing("samples", self.samples)
        for name in ("trial_problems", "fresh_problems", "draws", "seeds"):
            check.at_least(name, getattr(self, name), 2)
        check.at_least("num_trials", self.num_trials, 1)
        if not self.budgets:
            raise argument_error("budgets", "hold at least one", [])
        for name in ("budgets", "learning_rates"):
            for each in getattr(self, name):
                check.positive(name, each)
        for name, counts in (("seen_problems", (self.seen_problems,)), ("by_seen_problems", self.by_seen_problems)):
            for each in counts:
                check.between(name, each, 1, self.trial_problems, "Or raise trial_problems.")
        check.positive("temperature", self.temperature)
        check.finite("proposer_params", self.proposer_params)

    @property
    def recipe(self) -> Recipe:
        """The real run of these sizes."""
        return Recipe(
            num_digits=self.num_digits,
            sizes=self.sizes,
            product_steps=self.product_steps,
            sum_steps=self.sum_steps,
            learning_rates=self.learning_rates,
            batch_size=self.batch_size,
            threads=self.threads,
            samples=self.samples,
            trial_problems=self.trial_problems,
            fresh_problems=self.fresh_problems,
            temperature=self.temperature,
            seed=self.seed,
        )


_FREE = tuple(each.name for each in fields(Settings) if each.name not in {own.name for own in fields(Recipe)})
"""What changes no cell: those of trials name all that they depend on."""


def answer(asked: Asked) -> PlanAnswer:
    """From files where some are given, else by the real run."""
    settings: Settings = asked.settings
    if asked.files:
        table, budgets = table_of_files(asked.files, asked.cells, num_problems=settings.trial_problems)
    else:
        table, budgets = Run(recipe=settings.recipe, cells=asked.cells).table(), ()
    default = default_option(table)
    budgets = tuple(sorted(budgets or (each * default.per_query for each in settings.budgets)))
    tried = partial(compared, table, cells=asked.cells, seeds=settings.seeds, num_trials=settings.num_trials)
    proposer = proposer_of(
        settings.proposer,
        name=settings.proposer_name,
        key_env=settings.proposer_key_env,
        params=settings.proposer_params,
        hints=_HINTS,
        seed=settings.seed,
        cells=asked.cells,
    )
    found = tried(budgets, num_problems=settings.seen_problems, proposer=proposer)
    central = found[len(found) // 2]
    by_seen_problems = {settings.seen_problems: central}
    for count in settings.by_seen_problems if table.knows_problems else ():
        (by_seen_problems[count],) = tried([central.budget], num_problems=count)
    winners = winners_of(table, found)
    insights = Insights(table=table, draws=settings.draws, seed=settings.seed)
    return PlanAnswer(
        options=(default, *(each.option for each in winners)),
        findings=(
            *optimum_findings(found),
            *reached_findings(central),
            *winner_findings(winners, "rules", central.budget, default),
            *insight_findings(insights),
        ),
        tables=(
            stage_table(insights),
            method_table(found),
            problems_table(dict(sorted(by_seen_problems.items()))),
            stuck_table(found),
            winner_table(table, winners),
            published_table(),
        ),
        pictures=(stage_picture(insights), course_picture(central)),
        target=default.quality.value,
        target_of=f"No target was given: it is what the default reaches, {default.quality.value:.3f}.",
        not_counted=(*table.not_counted, *(each for won in winners for each in won.outcome.not_counted())),
        notes=(*table.notes, *left_out_notes(table, budgets), *_notes(winners), *NOTES),
    )


def _notes(winners: Sequence[Winner]) -> Iterator[str]:
    """What the language model was refused, and what failed."""
    for each in winners:
        if each.method.startswith("proposals"):
            yield from (f"{each.name}: {note}" for note in each.outcome.notes())


NOTES = (
    "Every method begins with the default. Factorised tries each option of a stage beside the cheapest "
    "configuration; stages, the same beside the default, with trials that may cost more a query than is chosen.",
)
"""What a reader has to know, wherever the numbers come from."""
ROW = Row(
    name="pipeline",
    settings=Settings,
    answer=answer,
    presets={
        "gpu": {
            "num_digits": 4,
            "sizes": ("4x128", "6x256", "8x512"),
            "product_steps": (8000, 6000, 4000),
            "sum_steps": (12000, 8000, 5000),
            "learning_rates": (3e-3, 1e-3, 5e-4),
            "batch_size": 512,
            "threads": 4,
            "samples": (1, 2, 4, 8, 16, 32, 64, 128),
            "trial_problems": 1000,
            "fresh_problems": 4000,
            "by_seen_problems": (50, 200, 500, 1000),
            "seeds": 50,
        }
    },
    free=_FREE,
    takes_files="a table of stages (TOML), or one of configurations as they were measured (CSV or JSONL)",
)
