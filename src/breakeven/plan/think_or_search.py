"""Answer at once or after a hidden thought, by a vote of samples or by REBASE: what does each bring, and both together?

Models are trained to answer at once, after pauses and after hidden steps, on equal FLOPs. First it is asked whether a
thought beats none, whatever it costs a query; only if it does, scorers are trained and all four ways compared at equal
FLOPs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from breakeven import check
from breakeven.config import ModelConfig
from breakeven.errors import argument_error
from breakeven.plan.row import Asked, Row
from breakeven.plan.thinking.arms import AT_ONCE, STEPS, Recipe
from breakeven.plan.thinking.recipe import Run
from breakeven.records.plans import PlanAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The real run. The defaults are the CPU recipe."""

    num_terms: int = 2
    """Of the task, chain."""
    num_digits: int = 1
    num_pauses: tuple[int, ...] = (4, 8)
    """Pauses before an answer, a model for each number."""
    num_layers: int = 2
    embedding: int = 64
    num_heads: int = 4
    feed_forward: int = 128
    batch_size: int = 64
    learning_rate: float = 5e-3
    threads: int = 1
    written_problems: int = 1000
    """Training problems whose steps somebody wrote."""
    written_steps: int = 300
    """Optimizer steps on these."""
    kept_problems: int = 1500
    """Training problems whose answers alone are known: the model's own steps are kept where they led there."""
    kept_samples: int = 4
    """Of each, besides the greedy one."""
    kept_steps: int = 500
    """Optimizer steps on both. All other arms are trained for as many FLOPs as these and `written_steps` together."""
    scorer_problems: int = 350
    """Validation problems on whose samples the scorer of REBASE is trained."""
    scorer_samples: int = 8
    scorer_epochs: int = 8
    """At most."""
    num_problems: int = 300
    """Test problems."""
    num_samples: int = 16
    """Most samples of a vote."""
    tree_sizes: tuple[int, ...] = (2, 4, 8, 16)
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
    run = Run(recipe=settings.recipe, cells=asked.cells)
    models = run.models()
    for each in models:
        print(each.arm.name, each.seed, each.answered.bank.greedy_correct_P.count("1"), each.kept and (each.kept.num_samples, each.kept.num_right), each.answered.num_leaks)
    for seed in range(settings.seeds):
        for arm in (AT_ONCE, STEPS):
            found = run.searched(arm, seed)
            print(arm.name, seed, found.auc, [(t.size, sum(t.right_P) / len(t.right_P), t.model_flops, t.reward_flops) for t in found.trees])
    raise SystemExit


ROW = Row(name="think-or-search", settings=Settings, answer=answer, free=("draws",))
