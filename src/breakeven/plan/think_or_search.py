"""Answer at once or after a hidden thought, by a vote of samples or by REBASE: what does each bring, and both together?

Models are trained to answer at once, after pauses and after hidden steps, on equal FLOPs. First it is asked whether a
thought beats none, whatever it costs a query; only if it does, scorers are trained and all four ways compared at equal
FLOPs.
"""

from dataclasses import dataclass, fields

from breakeven import check
from breakeven.config import ModelConfig
from breakeven.errors import argument_error
from breakeven.plan.row import Asked, Row
from breakeven.plan.thinking.arms import AT_ONCE, STEPS, Recipe
from breakeven.plan.thinking.effects import squares
from breakeven.plan.thinking.families import rebased, votes
from breakeven.plan.thinking.gate import gates
from breakeven.plan.thinking.published import published_findings, published_table
from breakeven.plan.thinking.recipe import Run
from breakeven.plan.thinking.told import (
    accuracy_picture,
    arm_table,
    effect_findings,
    scorer_table,
    seeds_needed,
    square_table,
)
from breakeven.records.plans import PlanAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The real run. The defaults are the CPU recipe."""

    num_terms: int = 2
    """Of the task, chain."""
    num_digits: int = 1
    num_pauses: tuple[int, ...] = ()
    """Pauses before an answer: a further model for each number, which is held to the gate and not searched."""
    num_layers: int = 2
    embedding: int = 64
    num_heads: int = 4
    feed_forward: int = 128
    batch_size: int = 64
    learning_rate: float = 5e-3
    threads: int = 1
    written_problems: int = 20000
    """Rows of training problems whose steps somebody wrote, drawn with repetition."""
    written_steps: int = 900
    """Optimizer steps on these."""
    kept_problems: int = 1500
    """Training problems whose answers alone are known: the model's own steps are kept where they led there."""
    kept_samples: int = 4
    """Of each, besides the greedy one."""
    kept_steps: int = 300
    """Optimizer steps on both. All other arms are trained for as many FLOPs as these and `written_steps` together."""
    scorer_problems: int = 350
    """Validation problems on whose samples the scorer of REBASE is trained."""
    scorer_samples: int = 8
    scorer_epochs: int = 8
    """At most."""
    num_problems: int = 300
    """Test problems."""
    num_samples: int = 64
    """Most samples of a vote."""
    tree_sizes: tuple[int, ...] = (2, 4, 8, 16, 32)
    """Whole solutions of a tree."""
    answer_tokens: int = 1
    """Of a segment of a tree whose answers have no steps."""
    temperature: float = 0.8
    seeds: int = 3
    """Models of each arm."""
    draws: int = 1000
    """Resamplings of seeds and problems, of each interval."""

    def __post_init__(self) -> None:
        own = ("batch_size", "written_problems", "written_steps", "kept_problems", "kept_samples", "kept_steps")
        for name in (*own, "scorer_problems", "scorer_samples", "scorer_epochs", "answer_tokens"):
            check.at_least(name, getattr(self, name), 1)
        for name in ("num_problems", "num_samples", "seeds", "draws"):
            check.at_least(name, getattr(self, name), 2)
        for each in self.num_pauses:
            if each < 1:
                remedy = "No pauses are no thought: answering at once is compared anyway."
                raise argument_error("num_pauses", "hold numbers from 1", list(self.num_pauses), remedy)
        if len(set(self.num_pauses)) < len(self.num_pauses):
            raise argument_error("num_pauses", "hold each number once", list(self.num_pauses))
        check.increasing("tree_sizes", self.tree_sizes)
        check.positive("temperature", self.temperature)

    @property
    def recipe(self) -> Recipe:
        """The real run of these sizes."""
        model = ModelConfig(
            num_layers=self.num_layers,
            embedding=self.embedding,
            num_heads=self.num_heads,
            feed_forward=self.feed_forward,
        )
        return Recipe(model=model, **{name: getattr(self, name) for name in _OWN})


_OWN = {each.name for each in fields(Recipe)} & {each.name for each in fields(Settings)}


def answer(asked: Asked) -> PlanAnswer:
    """The gate, and where it holds, all four ways at equal FLOPs."""
    settings: Settings = asked.settings
    recipe = settings.recipe
    run = Run(recipe=recipe, cells=asked.cells)
    models = run.models()
    found = gates(models)
    (gate,) = (each for each in found if each.arm == STEPS)
    voted = [votes([each for each in models if each.arm == arm], recipe, run.problems) for arm in recipe.arms]
    findings, tables = [each.finding for each in found], [arm_table(models)]
    families, notes = voted[:1], list(NOTES)
    if gate.holds:
        searched = {arm: [run.searched(arm, seed) for seed in range(recipe.seeds)] for arm in (AT_ONCE, STEPS)}
        trees = {
            arm: rebased([each for each in models if each.arm == arm], own, run.problems)
            for arm, own in searched.items()
        }
        square = (voted[0], trees[AT_ONCE], voted[-1], trees[STEPS])
        compared = squares(square, recipe.seeds, draws=settings.draws)
        findings += effect_findings(compared)
        tables += [square_table(compared, square), scorer_table({arm.name: own for arm, own in searched.items()})]
        families, notes = [*voted, *trees.values()], [*NOTES, *SEARCHED_NOTES]
    else:
        findings.append(seeds_needed(gate))
        notes.append(CLOSED_NOTE)
    return PlanAnswer(
        options=tuple(option for family in families for option in family.options),
        findings=(*findings, *published_findings()),
        tables=(*tables, published_table()),
        pictures=(accuracy_picture(families),),
        not_counted=NOT_COUNTED,
        notes=tuple(notes),
    )


NOTES = (
    "Hidden steps are first learnt from some that were written, then from the model's own that led to right answers. "
    "Every other arm is trained on fresh problems for as many FLOPs, on answers alone: more problems, no steps.",
    "Options are means of all seeds: training is that of one model. Intervals resample seeds and problems; of few "
    "seeds they are too narrow. The share of resamplings on the frontier takes each problem of each seed as one apart.",
    "Pauses are read with the prompt, once a query, however many samples are drawn.",
    "An answer that shows a word of a thought is wrong, and has no vote.",
)
SEARCHED_NOTES = (
    "Effects: thought is the mean of its gains with votes and with REBASE, REBASE the mean of its gains without and "
    "with thought, both beyond their sum is what the gain of REBASE gains by thought.",
    "Each family has its best option within the FLOPs of a query, chosen on the problems that it is shown on, in every "
    "resampling too. The family with more options is favoured.",
    "REBASE branches behind each hidden step; where there are none, within the answer. Its solutions are voted on with "
    "the scorer's weights.",
)
CLOSED_NOTE = (
    "The gate does not hold: at this size it is not known that a thought beats none, so that nothing is compared at "
    "equal FLOPs, no scorer was trained, and nothing is claimed of REBASE. All options answer at once."
)
NOT_COUNTED = (
    "writing the steps that are learnt first",
    "drawing and grading the test samples, and growing the trees that are compared",
    "checking the model's own steps and the labelled samples against reference answers",
)
"""What a reader has to know."""
ROW = Row(
    name="think-or-search",
    settings=Settings,
    answer=answer,
    presets={
        "gpu": {
            "num_terms": 4,
            "num_digits": 3,
            "num_pauses": (4, 8, 16),
            "num_layers": 6,
            "embedding": 384,
            "num_heads": 6,
            "feed_forward": 1024,
            "batch_size": 512,
            "learning_rate": 1e-3,
            "written_problems": 10000,
            "written_steps": 3000,
            "kept_problems": 50000,
            "kept_samples": 8,
            "kept_steps": 10000,
            "scorer_problems": 5000,
            "scorer_samples": 16,
            "num_problems": 1000,
            "num_samples": 256,
            "tree_sizes": (4, 8, 16, 32, 64, 128),
            "seeds": 5,
        }
    },
    free=("draws",),
)
