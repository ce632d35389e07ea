"""The real run: a model for every arm and seed, what it answers, and for REBASE a scorer of it and the trees."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from breakeven.cost.evaluation import price_of
from breakeven.data.made.hidden_chain import HiddenChain
from breakeven.data.task import answers_of
from breakeven.plan.cells import Cells
from breakeven.plan.models import model_at, sampler_of, train_to
from breakeven.plan.thinking.arms import STEPS, Arm, Recipe
from breakeven.plan.thinking.kept import graded_texts, kept_batches
from breakeven.plan.thinking.searched import Searched, scorer_of, trees
from breakeven.records import Problem, SampleBank
from breakeven.train.costs import cost_of

if TYPE_CHECKING:
    from breakeven.config import RunConfig
    from breakeven.model.transformer import Transformer
    from breakeven.sampling.collect import Collector

_KEPT, _TEST, _SCORED, _TREES = 101, 102, 103, 104
"""What is added to a seed, for each kind of sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A model's own hidden steps on training problems, of which those that led to the right answer are learnt."""

    num_samples: int
    num_right: int
    flops: float
    """Of drawing all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The graded samples of a model on the test problems."""

    bank: SampleBank
    num_leaks: int
    """Samples, greedy ones included, in which a thought was shown. They are wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """An arm trained with one seed, and what it answers."""

    arm: Arm
    seed: int
    train_flops: float
    """Of all its training."""
    kept: Kept | None
    """Of hidden steps."""
    answered: Answered


@dataclass(frozen=True, kw_only=True)
class Run:
    """The pieces of the recipe, each computed when it is asked for."""

    recipe: Recipe
    cells: Cells

    @property
    def problems(self) -> str:
        """Which problems are tested on, with how many models of each arm."""
        recipe = self.recipe
        return f"chain {recipe.num_terms}x{recipe.num_digits}, {recipe.num_problems} of test, {recipe.seeds} seeds"

    def models(self) -> tuple[Model, ...]:
        """Every arm with every seed."""
        return tuple(self.model(arm, seed) for seed in range(self.recipe.seeds) for arm in self.recipe.arms)

    def model(self, arm: Arm, seed: int) -> Model:
        """An arm trained with a seed."""
        trained, kept = self._steps(seed) if arm == STEPS else (self._trained(arm, seed), None)
        answered = self.cells.of(f"answer {_name(arm, seed)}", Answered, lambda: self._answer(arm, seed))
        return Model(arm=arm, seed=seed, train_flops=trained, kept=kept, answered=answered)

    def searched(self, arm: Arm, seed: int) -> Searched:
        """A scorer for an arm, and REBASE by it."""
        return self.cells.of(f"search {_name(arm, seed)}", Searched, lambda: self._search(arm, seed))

    def _trained(self, arm: Arm, seed: int) -> float:
        config, name = self.recipe.trained(arm, seed), _name(arm, seed)
        return train_to(self.cells, name, config, [config.train.steps])[config.train.steps].train_flops

    def _steps(self, seed: int) -> tuple[float, Kept]:
        """Hidden steps: trained on those that somebody wrote, then on one's own that led to right answers."""
        first, second, name = self.recipe.written(seed), self.recipe.trained(STEPS, seed), _name(STEPS, seed)
        written = train_to(self.cells, _written(seed), first, [first.train.steps])[first.train.steps]
        kept = self.cells.of(f"keep {name}", Kept, lambda: self._keep(seed))
        steps = second.train.steps
        known = f"train {name} step={steps}" in self.cells.file
        trained = train_to(
            self.cells,
            name,
            second,
            [steps],
            start=None if known else model_at(self.cells, _written(seed), first.train.steps, first).state_dict(),
            batches=None
            if known
            else kept_batches(list(graded_texts(*self._own(seed))), second, self.recipe.written_problems),
        )[steps]
        return written.train_flops + trained.train_flops, kept

    def _own(self, seed: int) -> "tuple[Collector, tuple[Problem, ...]]":
        """Samples on training problems, drawn anew where they are needed: texts are no cell."""
        recipe, config = self.recipe, self.recipe.written(seed)
        problems = config.task.problems("train", recipe.kept_problems, seed=seed)
        model = model_at(self.cells, _written(seed), config.train.steps, config)
        return _collected(model, config, problems, recipe.kept_samples, seed + _KEPT), problems

    def _keep(self, seed: int) -> Kept:
        collector, problems = self._own(seed)
        bank = collector.bank()
        return Kept(
            num_samples=bank.num_drawn + bank.num_problems,
            num_right=sum(right for _, _, right in graded_texts(collector, problems)),
            flops=price_of(bank, cost_of(self.recipe.written(seed))).evaluation_flops,
        )

    def _model(self, arm: Arm, seed: int) -> "tuple[Transformer, RunConfig]":
        config = self.recipe.trained(arm, seed)
        return model_at(self.cells, _name(arm, seed), config.train.steps, config), config

    def _test(self, config: "RunConfig") -> tuple[Problem, ...]:
        """The same for all arms and seeds, but for pauses in their prompts."""
        return config.task.problems("test", self.recipe.num_problems)

    def _answer(self, arm: Arm, seed: int) -> Answered:
        model, config = self._model(arm, seed)
        problems = self._test(config)
        collector = _collected(model, config, problems, self.recipe.num_samples, seed + _TEST)
        task = config.task
        assert isinstance(task, HiddenChain)
        num_leaks = sum(task.leaks(text) for _, text, _ in graded_texts(collector, problems))
        return Answered(bank=collector.bank(), num_leaks=num_leaks)

    def _search(self, arm: Arm, seed: int) -> Searched:
        recipe = self.recipe
        model, config = self._model(arm, seed)
        problems = config.task.problems("validation", recipe.scorer_problems)
        collector = _collected(model, config, problems, recipe.scorer_samples, seed + _SCORED)
        scorer = scorer_of(model, config, list(graded_texts(collector, problems)), recipe.scorer_epochs)
        return Searched(
            label_flops=price_of(collector.bank(), cost_of(config)).evaluation_flops,
            train_flops=scorer.report.train_flops + scorer.report.heldout_flops,
            auc=scorer.report.auc,
            trees=trees(
                model,
                config,
                scorer,
                self._test(config),
                sizes=recipe.tree_sizes,
                segments=recipe.segments(arm),
                seed=seed + _TREES,
            ),
        )


def _collected(
    model: "Transformer", config: "RunConfig", problems: tuple[Problem, ...], num_samples: int, seed: int
) -> "Collector":
    from breakeven.sampling.collect import Collector

    task = config.task
    collector = Collector(
        sampler_of(model, config),
        task,
        problems,
        temperature=config.evaluate.temperature,
        seed=seed,
        answers=answers_of(task),
    )
    collector.draw(len(problems), num_samples)
    collector.grade()
    return collector


def _name(arm: Arm, seed: int) -> str:
    return f"{arm.name.replace(' ', '-')}-seed-{seed}"


def _written(seed: int) -> str:
    return f"written-seed-{seed}"
