"""More solutions and a vote, verdicts on them, or more training of the solver?

A solver is trained, then verifiers of its solutions: one that writes verdicts, briefly and well trained, and one that
scores. What each took is charged once, what it reads and writes per query, and all are held at equal FLOPs against the
plain vote, and against the solver trained on instead.
"""

from dataclasses import dataclass

from breakeven import check
from breakeven.choice.choose import value_of
from breakeven.config import ModelConfig, TrainConfig
from breakeven.errors import argument_error
from breakeven.plan.row import Asked, Row
from breakeven.plan.verifying.compared import (
    Unit,
    accuracy_picture,
    best_of,
    compared,
    comparison_findings,
    exponent_findings,
    family_table,
    gap_picture,
    gap_table,
    paid_back,
    trained_on_findings,
)
from breakeven.plan.verifying.families import RULES, together
from breakeven.plan.verifying.judged import families_of_files
from breakeven.plan.verifying.published import published_table
from breakeven.plan.verifying.recipe import Recipe
from breakeven.plan.verifying.trained import families_of_run
from breakeven.records.plans import PlanAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The real run, and how files are priced. The defaults are the CPU recipe."""

    num_terms: int = 2
    """Of the task, chain."""
    num_digits: int = 1
    num_layers: int = 2
    embedding: int = 64
    num_heads: int = 4
    feed_forward: int = 128
    batch_size: int = 128
    learning_rate: float = 3e-3
    threads: int = 1
    solver_steps: int = 440
    """After which the solver is sampled and verified."""
    brief_steps: int = 350
    """Of the verifier that is trained briefly."""
    well_steps: int = 1600
    """Of the one that is trained well."""
    trained_on_steps: int = 1000
    """Of the solver that is trained on instead of being verified."""
    label_problems: int = 1500
    """Training problems whose solutions the verifiers are trained on."""
    label_samples: int = 8
    scorer_epochs: int = 40
    """Of the scorer over those, at most."""
    num_problems: int = 200
    """Test problems."""
    num_samples: int = 32
    """S, most solutions of a query."""
    num_verdicts: int = 8
    """V, most verdicts on a solution."""
    temperature: float = 0.8
    seed: int = 0
    draws: int = 1000
    """Resamplings of the problems, of each interval."""
    verdict_ratio: float = 1.0
    """Of files: FLOPs of a verdict over those of a solution."""
    solution_flops: float = 1.0
    """Of files: FLOPs of a solution; 1 counts in solutions."""

    def __post_init__(self) -> None:
        for name in ("solver_steps", "brief_steps", "well_steps", "label_problems", "label_samples", "num_verdicts"):
            check.at_least(name, getattr(self, name), 1)
        check.at_least("scorer_epochs", self.scorer_epochs, 1)
        for name in ("num_problems", "num_samples", "batch_size", "draws"):
            check.at_least(name, getattr(self, name), 2)
        if self.trained_on_steps <= self.solver_steps:
            rule = f"be above solver_steps, {self.solver_steps}"
            raise argument_error("trained_on_steps", rule, self.trained_on_steps, "It is the solver trained on.")
        if self.brief_steps >= self.well_steps:
            raise argument_error("brief_steps", f"be below well_steps, {self.well_steps}", self.brief_steps)
        check.each_field(self, check.positive, "temperature", "verdict_ratio", "solution_flops")

    @property
    def recipe(self) -> Recipe:
        """The real run of these sizes."""
        return Recipe(
            num_terms=self.num_terms,
            num_digits=self.num_digits,
            model=ModelConfig(
                num_layers=self.num_layers,
                embedding=self.embedding,
                num_heads=self.num_heads,
                feed_forward=self.feed_forward,
            ),
            train=TrainConfig(
                steps=self.solver_steps,
                batch_size=self.batch_size,
                learning_rate=self.learning_rate,
                threads=self.threads,
            ),
            label_problems=self.label_problems,
            label_samples=self.label_samples,
            scorer_epochs=self.scorer_epochs,
            num_problems=self.num_problems,
            num_samples=self.num_samples,
            num_verdicts=self.num_verdicts,
            temperature=self.temperature,
            seed=self.seed,
        )


def answer(asked: Asked) -> PlanAnswer:
    """From files where some are given, else by the real run."""
    settings: Settings = asked.settings
    if asked.files:
        found = families_of_files(
            asked.files,
            asked.cells,
            verdict_ratio=settings.verdict_ratio,
            solution_flops=settings.solution_flops,
        )
    else:
        found = families_of_run(
            settings.recipe,
            asked.cells,
            verifier_steps=(settings.brief_steps, settings.well_steps),
            trained_on_steps=settings.trained_on_steps,
        )
    draws, seed = settings.draws, settings.seed
    unit = Unit(name="solutions") if asked.files and settings.solution_flops == 1 else Unit()
    rivals = [compared(found.voted, each, draws=draws, seed=seed) for each in found.verifying]
    findings = [each for rival in rivals for each in comparison_findings(rival, unit)]
    for each in found.verifying:
        findings.append(paid_back(found.voted, each))
    for each in found.by_verdicts[:: len(RULES)]:  # best of S, as the paper regresses it
        findings += exponent_findings(each, unit, draws=draws, seed=seed)
    families = [found.voted, *found.verifying]
    if found.trained_on is not None:
        findings += trained_on_findings(together(found.verifying), found.trained_on, draws=draws, seed=seed)
        families.append(found.trained_on)
    return PlanAnswer(
        options=together(families).options,
        findings=tuple(findings),
        tables=(family_table(families, unit), gap_table(rivals, unit), *found.tables, published_table()),
        pictures=(accuracy_picture(families, unit), gap_picture(rivals, unit)),
        target=value_of(best_of(found.voted)),
        not_counted=found.not_counted,
        notes=(
            f"The target is what {best_of(found.voted).name} reaches, unless another is asked for.",
            *found.notes,
            *NOTES,
        ),
    )


NOTES = (
    "Every interval is over the problems, with the samples that were drawn of each: other problems of the same kind. "
    "Seeds of training are not in it.",
    "The best at each price is chosen on the problems that it is shown on, in the resamplings too.",
    "Exponents are those of this grid and these models: no replication of arXiv 2504.01005, whose own do not follow "
    "from what is released with it.",
)
"""What a reader has to know, wherever the numbers come from."""
ROW = Row(
    name="solve-or-verify",
    settings=Settings,
    answer=answer,
    presets={
        "gpu": {
            "num_digits": 3,
            "num_terms": 3,
            "num_layers": 6,
            "embedding": 384,
            "num_heads": 6,
            "feed_forward": 1024,
            "batch_size": 512,
            "learning_rate": 1e-3,
            "solver_steps": 6000,
            "brief_steps": 4000,
            "well_steps": 20000,
            "trained_on_steps": 12000,
            "label_problems": 20000,
            "num_problems": 1000,
            "num_samples": 128,
            "num_verdicts": 32,
        }
    },
    free=("draws",),
    takes_files="folders of solutions and of verifications (YAML, as sc-genrm-scaling writes them), or one JSON file "
    "with answers, gold and scores",
)
