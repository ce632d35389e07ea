"""A solver, verifiers of its solutions, and the solver trained on instead: trained and sampled, as cells."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from breakeven.config import EvaluateConfig, ModelConfig, RunConfig, TrainConfig
from breakeven.cost.evaluation import price_of, scoring_of
from breakeven.cost.query import judging_flops, verdict_tokens
from breakeven.cost.tokens import ModelCost
from breakeven.data.made.chain import Chain
from breakeven.data.made.verification import TEMPLATE, Verification
from breakeven.plan.cells import Cells
from breakeven.plan.models import Trained, model_at, sampled, sampler_of, train_to, widened
from breakeven.plan.verifying.kept import Labelled, Scores, Verdicts
from breakeven.plan.verifying.lessons import graded_batches
from breakeven.records import Prefix, Problem, Reward, SampleBank
from breakeven.records.asking import draw_from
from breakeven.train.costs import cost_of

if TYPE_CHECKING:
    from breakeven.model.transformer import Transformer
    from breakeven.sampling.collect import Collector
    from breakeven.train.reward_model.train import GradedSample

_Value = TypeVar("_Value")
_LABELS, _TEST, _VERDICTS = 1, 2, 3
"""What is added to the seed of the recipe, for each kind of sample."""
_PATIENCE = 5
"""Epochs without a gain on held-out problems after which the scorer is trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Sizes of the real run."""

    num_terms: int
    num_digits: int
    model: ModelConfig
    train: TrainConfig
    """Of the solver; its `steps` are those after which it is sampled and verified."""
    label_problems: int
    label_samples: int
    scorer_epochs: int
    """Over the labelled samples, at most: it ends where held-out problems gain no more."""
    num_problems: int
    num_samples: int
    num_verdicts: int
    temperature: float
    seed: int


@dataclass(frozen=True, kw_only=True)
class Run:
    """The pieces of the recipe, each computed when it is asked for."""

    recipe: Recipe
    cells: Cells
    task: Chain = field(init=False)

    def __post_init__(self) -> None:
        task = Chain(num_terms=self.recipe.num_terms, num_digits=self.recipe.num_digits)
        object.__setattr__(self, "task", task)

    @property
    def cost(self) -> ModelCost:
        """Of a token, on the solver."""
        return cost_of(self._config(self.recipe.train.steps))

    @property
    def problems(self) -> str:
        """Which problems are tested on."""
        recipe = self.recipe
        return f"chain {recipe.num_terms}x{recipe.num_digits}, {recipe.num_problems} of test, seed {recipe.seed}"

    def solver(self, steps: int) -> tuple[Trained, SampleBank]:
        """A solver trained for so many steps, on a schedule of its own, and its samples on the test problems."""
        recipe, config, name = self.recipe, self._config(steps), f"solver-{steps}"
        trained = train_to(self.cells, name, config, [steps])[steps]
        bank = sampled(
            self.cells,
            name,
            steps,
            config,
            problems=self._test,
            num_samples=recipe.num_samples,
            of="test",
            seed=recipe.seed + _TEST,
        )
        return trained, bank

    def labelled(self) -> Labelled:
        """The price of the solver's graded samples on training problems."""

        def price() -> Labelled:
            bank = self._labels.bank()
            right = sum(bank.num_correct_P) + bank.greedy_correct_P.count("1")
            cost = price_of(bank, cost_of(self._config(self.recipe.train.steps)))
            count = bank.num_drawn + bank.num_problems
            return Labelled(num_samples=count, num_right=right, flops=cost.evaluation_flops)

        return self.cells.of("label", Labelled, price)

    def verifier(self, steps: int) -> tuple[Trained, Verdicts]:
        """A generative verifier fine-tuned from the solver for so many steps, and its verdicts on the test samples."""
        config, name = self._verifier_config(steps), f"verifier-{steps}"
        key = f"train {name} step={steps}"
        known = key in self.cells.file
        trained = train_to(
            self.cells,
            name,
            config,
            [steps],
            start=None if known else widened(self._solver_model(), config),
            batches=None if known else graded_batches(self._graded, self.task, config),
        )[steps]
        return trained, self.cells.of(f"verdicts {name}", Verdicts, lambda: self._judge(name, steps, config))

    def scorer(self) -> Scores:
        """A discriminative scorer trained from the solver on the same samples, and its scores of the test samples."""
        return self.cells.of("scorer", Scores, self._score)

    @cached_property
    def _test(self) -> tuple[Problem, ...]:
        return self.task.problems("test", self.recipe.num_problems, seed=self.recipe.seed)

    def _config(self, steps: int) -> RunConfig:
        recipe = self.recipe
        return RunConfig(
            name="solve-or-verify",
            seed=recipe.seed,
            task=self.task,
            model=recipe.model,
            train=replace(recipe.train, steps=steps),
            evaluate=EvaluateConfig(every_steps=steps, temperature=recipe.temperature),
        )

    def _verifier_config(self, steps: int) -> RunConfig:
        return replace(self._config(steps), task=Verification(solved=self.task))

    def _solver_model(self) -> "Transformer":
        steps = self.recipe.train.steps
        return model_at(self.cells, f"solver-{steps}", steps, self._config(steps))

    @cached_property
    def _labels(self) -> "Collector":
        """Samples of the solver on training problems, drawn anew where they are needed: texts are no cell."""
        from breakeven.sampling.collect import Collector

        recipe = self.recipe
        problems = self.task.problems("train", recipe.label_problems, seed=recipe.seed)
        sampler = sampler_of(self._solver_model(), self._config(recipe.train.steps))
        collector = Collector(sampler, self.task, problems, temperature=recipe.temperature, seed=recipe.seed + _LABELS)
        collector.draw(len(problems), recipe.label_samples)
        collector.grade()
        return collector

    @property
    def _graded(self) -> "list[GradedSample]":
        problems = self.task.problems("train", self.recipe.label_problems, seed=self.recipe.seed)
        return [
            (problems[batch.place], text, verdict == "1")
            for batch in self._labels.samples.batches
            for text, verdict in zip(batch.texts, batch.verdicts or "", strict=True)
        ]

    def _prefixes(self) -> list[Prefix]:
        """Every test sample of the solver, each a problem of its own, so that no two share their verdicts."""
        recipe = self.recipe
        sampler = sampler_of(self._solver_model(), self._config(recipe.train.steps))
        hidden = [each.hidden for each in self._test]
        seed = recipe.seed + _TEST
        draws = draw_from(sampler, hidden, recipe.num_samples, temperature=recipe.temperature, seed=seed)
        return [
            Prefix(problem=replace(problem, id=f"{problem.id}/{number}"), text=each.text)
            for problem, draw in zip(hidden, draws, strict=True)
            for number, each in enumerate(draw.completions)
        ]

    def _judge(self, name: str, steps: int, config: RunConfig) -> Verdicts:
        from breakeven.sampling.reward_models.judge import LMJudge

        recipe = self.recipe
        judge = LMJudge(
            sampler_of(model_at(self.cells, name, steps, config), config),
            num_verdicts=recipe.num_verdicts,
            temperature=recipe.temperature,
            template=TEMPLATE,
            seed=recipe.seed + _VERDICTS,
        )
        rewards, cost = judge.score(self._prefixes()), cost_of(config)
        read = [each.read_tokens for each in rewards]
        lengths = [verdict_tokens(each.output_tokens, recipe.num_verdicts)[:1] for each in rewards]

        def flops(num_verdicts: int) -> float:
            return judging_flops(cost, read, lengths, num_samples=1, num_verdicts=num_verdicts).reward_flops

        return Verdicts(
            verdict_PN=self._by_problem([each.verdicts for each in rewards]),
            read_flops=flops(0),
            verdict_flops=flops(1) - flops(0),
        )

    def _score(self) -> Scores:
        from breakeven.train.reward_model.fit import RewardModelSettings
        from breakeven.train.reward_model.train import train_reward_model

        config = self._config(self.recipe.train.steps)
        trained = train_reward_model(
            self._graded,
            self.task,
            config.model.shape_for(self.task),
            start=self._solver_model().state_dict(),
            settings=RewardModelSettings(
                epochs=self.recipe.scorer_epochs, patience=_PATIENCE, learning_rate=self.recipe.train.learning_rate / 3
            ),
            seed=self.recipe.seed,
        )
        rewards: Sequence[Reward] = trained.reward_model(self.task).score(self._prefixes())
        return Scores(
            score_PN=self._by_problem([round(each.value, 4) for each in rewards]),
            score_flops=scoring_of(trained.cost, rewards),
            train_flops=trained.report.train_flops + trained.report.heldout_flops,
            num_epochs=trained.report.num_epochs,
            auc=trained.report.auc,
        )

    def _by_problem(self, values: Sequence[_Value]) -> tuple[tuple[_Value, ...], ...]:
        width = self.recipe.num_samples
        return tuple(tuple(values[start : start + width]) for start in range(0, len(values), width))
