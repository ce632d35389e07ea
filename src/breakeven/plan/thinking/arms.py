"""What is thought before an answer, and the task and the training of each: a function of the recipe alone."""

from dataclasses import dataclass, replace
from typing import Final

from breakeven.config import EvaluateConfig, ModelConfig, RunConfig, TrainConfig
from breakeven.data.made.hidden_chain import THOUGHT_ENDS, HiddenChain, Thought
from breakeven.records import SegmentRule
from breakeven.train.costs import cost_of, sequence_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way to answer."""

    name: str
    thought: Thought = "none"
    num_pauses: int = 0


AT_ONCE: Final = Arm(name="at once")
STEPS: Final = Arm(name="hidden steps", thought="steps")


def pauses(count: int) -> Arm:
    """An answer after so many pauses."""
    return Arm(name=f"{count} pauses", thought="pauses", num_pauses=count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Sizes of the real run."""

    num_terms: int
    num_digits: int
    num_pauses: tuple[int, ...]
    model: ModelConfig
    batch_size: int
    learning_rate: float
    threads: int
    written_steps: int
    written_problems: int
    kept_problems: int
    kept_samples: int
    kept_steps: int
    scorer_problems: int
    scorer_samples: int
    scorer_epochs: int
    num_problems: int
    num_samples: int
    tree_sizes: tuple[int, ...]
    answer_tokens: int
    temperature: float
    seeds: int

    @property
    def arms(self) -> tuple[Arm, ...]:
        """All ways to answer, without a thought first, with hidden steps last."""
        return (AT_ONCE, *map(pauses, self.num_pauses), STEPS)

    def task(self, arm: Arm) -> HiddenChain:
        """What its model is trained for."""
        return HiddenChain(
            num_terms=self.num_terms, num_digits=self.num_digits, thought=arm.thought, num_pauses=arm.num_pauses
        )

    def segments(self, arm: Arm) -> SegmentRule:
        """Where a tree branches: behind each hidden step, or, where none is written, within the answer."""
        if arm.thought == "steps":
            return SegmentRule(ends=("+", "=", THOUGHT_ENDS), max_tokens=self.task(arm).output_tokens)
        return SegmentRule(ends=(), max_tokens=self.answer_tokens)

    def config(self, arm: Arm, seed: int, steps: int) -> RunConfig:
        """The training of an arm on fresh problems, for so many steps."""
        return RunConfig(
            name="think-or-search",
            seed=seed,
            task=self.task(arm),
            model=self.model,
            train=TrainConfig(
                steps=steps, batch_size=self.batch_size, learning_rate=self.learning_rate, threads=self.threads
            ),
            evaluate=EvaluateConfig(every_steps=steps, temperature=self.temperature),
        )

    def written(self, seed: int) -> RunConfig:
        """The first training of hidden steps, on the few problems whose steps somebody wrote."""
        config = self.config(STEPS, seed, self.written_steps)
        return replace(config, train=replace(config.train, num_sequences=self.written_problems))

    def trained(self, arm: Arm, seed: int) -> RunConfig:
        """The training that an arm is served after: of hidden steps the second, of the others one of as many FLOPs."""
        if arm == STEPS:
            return self.config(arm, seed, self.kept_steps)
        thinking = _step_flops(self.config(STEPS, seed, 1)) * (self.written_steps + self.kept_steps)
        return self.config(arm, seed, round(thinking / _step_flops(self.config(arm, seed, 1))))


def _step_flops(config: RunConfig) -> float:
    """Of one optimizer step."""
    return cost_of(config).train_flops(config.train.batch_size, sequence_tokens(config.task))
