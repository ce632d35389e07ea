"""A setting of test-time compute (strategy, K, reward model) for each difficulty of a problem, or a larger model?"""

from dataclasses import dataclass

from breakeven import check
from breakeven.plan.by_difficulty.answer import Asking, answer_of
from breakeven.plan.by_difficulty.drawn import Split
from breakeven.plan.by_difficulty.files import population_from
from breakeven.plan.by_difficulty.measuring import Recipe
from breakeven.plan.by_difficulty.recipe import made
from breakeven.plan.by_difficulty.worth import Bins
from breakeven.plan.row import Asked, Row
from breakeven.records.plans import PlanAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is trained, drawn and asked. The defaults take about 5 minutes on one idle core."""

    seed: int = 0
    recipe: str = "chain"
    """Of the task and the training, as `breakeven run` takes it."""
    overrides: tuple[str, ...] = (
        "task.num_terms=2",
        "train.num_sequences=0",
        "train.learning_rate=5e-3",
        "train.decay_share=0.2",
        'evaluate.segment_ends=["+", "="]',
        "evaluate.segment_tokens=64",
    )
    """Settings of that recipe, key=value each."""
    steps: int = 1200
    """Optimizer steps of either model: both see the same tokens."""
    small: tuple[str, ...] = (
        "model.num_layers=2",
        "model.embedding=24",
        "model.num_heads=3",
        "model.feed_forward=48",
    )
    """Further settings of the recipe, for the small model."""
    large: tuple[str, ...] = (
        "model.num_layers=2",
        "model.embedding=96",
        "model.num_heads=4",
        "model.feed_forward=160",
    )
    num_problems: int = 360
    num_samples: int = 64
    """Of each problem by the small model, on which settings are measured."""
    large_samples: int = 16
    held: int = 32
    """Further ones, that tell the true difficulty."""
    probe: int = 4
    """So many of these tell the predicted one."""
    k_values: tuple[int, ...] = (1, 2, 4, 8, 15, 16, 32)
    searches: tuple[str, ...] = ("beam_search/weighted_vote", "dvts/weighted_vote", "rebase/weighted_vote")
    search_k: tuple[int, ...] = (4, 16)
    reward_problems: int = 1500
    reward_samples: int = 16
    reward_epochs: int = 4
    budgets: tuple[float, ...] = (8, 32, 128, 512)
    """Per query, in samples of the small model without any reward model."""
    num_bins: int = 5
    """By quantiles."""
    thresholds: tuple[float, ...] = (0.1, 0.5)
    """Of bins by the score itself."""
    ratios: tuple[float, ...] = (0.08, 0.4, 11.0)
    """D_inf / D_pre of the exchange."""
    splits: int = 20
    """Halvings of the problems, over which held-out accuracies are averaged."""
    params: float = 0.0
    """Of the model whose samples are read from files; 0: not said."""
    reward_params: float = 0.0
    """Of the reward model that scored them."""
    published: bool = False
    """Whether the points of arXiv 2502.06703 are among the options; their table is there anyway."""

    def __post_init__(self) -> None:
        for name in ("steps", "num_samples", "large_samples", "reward_problems", "reward_samples", "reward_epochs"):
            check.at_least(name, getattr(self, name), 1)
        check.at_least(
            "num_problems", self.num_problems, 2, "Settings are chosen on one half, and scored on the other."
        )
        check.at_least("num_bins", self.num_bins, 1)
        check.at_least("splits", self.splits, 1)
        check.increasing("k_values", self.k_values)
        check.between("k_values", self.k_values[-1], 1, self.num_samples, "Or raise num_samples.")
        for name in ("budgets", "ratios"):
            for value in getattr(self, name):
                check.positive(name, value)
        Split(held=self.held, probe=self.probe)

    @property
    def split(self) -> Split:
        """Which samples are for what."""
        return Split(held=self.held, probe=self.probe)


def answer(asked: Asked) -> PlanAnswer:
    """By difficulty or not, from files or from models trained here; and small or large."""
    settings: Settings = asked.settings
    asking = Asking(
        bins=(
            Bins(name=f"{settings.num_bins} quantiles", num_bins=settings.num_bins),
            Bins(
                name=f"at {', '.join(f'{each:g}' for each in settings.thresholds)}",
                num_bins=len(settings.thresholds) + 1,
                thresholds=settings.thresholds,
            ),
        ),
        budgets=settings.budgets,
        ratios=settings.ratios,
        splits=settings.splits,
        published=settings.published,
    )
    if asked.files:
        population = population_from(
            asked.files,
            split=settings.split,
            k_values=settings.k_values,
            params=settings.params,
            reward_params=settings.reward_params,
        )
        return answer_of(population, asking)
    recipe = Recipe(
        seed=settings.seed,
        small=settings.small,
        large=settings.large,
        recipe=settings.recipe,
        overrides=settings.overrides,
        steps=settings.steps,
        num_problems=settings.num_problems,
        num_samples=settings.num_samples,
        large_samples=settings.large_samples,
        split=settings.split,
        k_values=settings.k_values,
        searches=settings.searches,
        search_k=settings.search_k,
        reward_problems=settings.reward_problems,
        reward_samples=settings.reward_samples,
        reward_epochs=settings.reward_epochs,
    )
    found = made(asked.cells, recipe)
    return answer_of(found.population, asking, found)


ROW = Row(
    name="difficulty",
    settings=Settings,
    answer=answer,
    presets={
        "gpu": {
            "steps": 20_000,
            "small": ("model.num_layers=4", "model.embedding=128", "model.num_heads=4", "model.feed_forward=256"),
            "large": ("model.num_layers=8", "model.embedding=352", "model.num_heads=8", "model.feed_forward=640"),
            "overrides": (
                "task.num_terms=5",
                "task.num_digits=2",
                "train.num_sequences=0",
                "train.decay_share=0.2",
                'evaluate.segment_ends=["+", "="]',
                "evaluate.segment_tokens=64",
            ),
            "num_problems": 2_000,
            "num_samples": 256,
            "held": 128,
            "k_values": (1, 2, 4, 8, 15, 16, 32, 64, 128),
            "search_k": (4, 16, 64),
            "reward_problems": 4_000,
            "budgets": (8, 32, 128, 512, 2048),
        }
    },
    takes_files=(
        "directories of breakeven eval, trees of compute-optimal-tts (question_*/*.jsonl), or search-and-learn's JSONL"
    ),
)
