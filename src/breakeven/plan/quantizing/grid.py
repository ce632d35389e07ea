"""Which trainings there are: models of some sizes, durations, bits and shares of quantization-aware training."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from breakeven import check
from breakeven.config import EvaluateConfig, ModelConfig, RunConfig, TrainConfig
from breakeven.data.made.chain import Chain
from breakeven.errors import argument_error
from breakeven.plan.models import layers_and_width
from breakeven.plan.quantizing.fake import check_bits
from breakeven.train.costs import cost_of, sequence_tokens

Schedule: TypeAlias = Literal["fused", "classic", "none"]
FUSED: Final = "fused"
"""One schedule for both phases: the decay is the last part of the whole, quantized or not."""
CLASSIC: Final = "classic"
"""Two: the first phase decays at its end, the second warms up again and decays from there to its end."""
NONE: Final = "none"
"""Where there is one phase only: no share of QAT, or all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One training, and the bits at which its weights are measured at the end."""

    size: str
    """Layers x embedding."""
    seed: int
    steps: int
    """In all."""
    level: int
    """The duration that it stands for: courses of one level take the same training FLOPs, but for a step."""
    bits: int
    """Of the weights; 0: full precision."""
    fraction: float
    """Share of the steps with quantized weights: 0 quantizes after training, 1 from the start."""
    schedule: Schedule

    @property
    def switch(self) -> int:
        """Steps in full precision."""
        return self.steps - round(self.fraction * self.steps)

    @property
    def key(self) -> str:
        """By which its cell is known."""
        how = f"bits={self.bits} {self.schedule} fraction={self.fraction:g}" if self.bits else "full precision"
        return f"loss size={self.size} seed={self.seed} steps={self.steps} {how}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """What is trained and measured. The defaults take 10 minutes of one idle core."""

    num_terms: int = 2
    """Of the task, chain."""
    num_digits: int = 1
    sizes: tuple[str, ...] = ("2x64", "1x64")
    """Layers x embedding. The first is trained with all seeds and both schedules, others once and fused, for the same
    training FLOPs."""
    steps: tuple[int, ...] = (200, 400, 800)
    """Durations of the first size."""
    bits: tuple[int, ...] = (2, 4)
    seeds: tuple[int, ...] = (3, 1)
    """Trainings of the first size at each of `bits`."""
    fractions: tuple[float, ...] = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
    """Shares of quantization-aware training."""
    batch_size: int = 64
    learning_rate: float = 3e-3
    warmup_steps: int = 20
    """Of a training; of the second phase of a classic one a tenth of its steps, if that is less."""
    decay_share: float = 0.2
    """Of a schedule, but for the second phase of a classic one, which decays throughout."""
    num_heads: int = 4
    num_problems: int = 300
    """Test problems, the same for all."""
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for each in self.bits:
            check_bits("bits", each)
        for name in ("sizes", "bits"):
            if not getattr(self, name) or len({*getattr(self, name)}) < len(getattr(self, name)):
                raise argument_error(name, "hold at least one, and each once", list(getattr(self, name)))
        if len(self.seeds) != len(self.bits):
            raise argument_error("seeds", f"have one number for each of {len(self.bits)} bits", list(self.seeds))
        for number in self.seeds:
            check.whole("seeds", number, 1)
        check.increasing("steps", self.steps)
        if not self.fractions or list(self.fractions) != sorted({*self.fractions}):
            raise argument_error("fractions", "ascend", list(self.fractions))
        for share in self.fractions:
            check.share("fractions", share, "0 quantizes after training, 1 trains with quantized weights throughout.")
        check.whole("num_problems", self.num_problems, 2)
        check.between("seed", self.seed, 0, 2**31 - 1)
        for size in self.sizes:
            for course in self.courses(size):
                if course.fraction not in (0, 1) and not 0 < course.switch < course.steps:
                    rule = f"leave a step to either phase of {course.steps} steps"
                    raise argument_error("fractions", rule, course.fraction)

    def config(self, size: str, seed: int) -> RunConfig:
        """A size, its task and the schedule of its longest training."""
        layers, width = layers_and_width(size)
        steps = self.durations(size)[-1]
        return replace(self._config(layers, width, seed), train=self._train(steps))

    def durations(self, size: str) -> tuple[int, ...]:
        """Steps of each duration: those of the first size, or as many as take the same training FLOPs."""
        first, own = (self._step_flops(each) for each in (self.sizes[0], size))
        return tuple(max(1, round(steps * first / own)) for steps in self.steps)

    def courses(self, size: str) -> Iterator[Course]:
        """All trainings of a size, by seed and duration, the one in full precision first."""
        main = size == self.sizes[0]
        seeds = self.seeds if main else (1,) * len(self.bits)
        for seed in range(max(seeds)):
            for level, steps in zip(self.steps, self.durations(size), strict=True):
                whole = Course(
                    size=size, seed=self.seed + seed, steps=steps, level=level, bits=0, fraction=0.0, schedule=NONE
                )
                yield whole
                for bits, count in zip(self.bits, seeds, strict=True):
                    if seed >= count:
                        continue
                    for share in self.fractions:
                        both: tuple[Schedule, ...] = (FUSED, CLASSIC) if main else (FUSED,)
                        for schedule in both if 0 < share < 1 else (NONE,):
                            yield replace(whole, bits=bits, fraction=float(share), schedule=schedule)

    def _config(self, layers: int, width: int, seed: int) -> RunConfig:
        return RunConfig(
            name="quantization",
            seed=seed,
            task=Chain(num_terms=self.num_terms, num_digits=self.num_digits),
            model=ModelConfig(num_layers=layers, embedding=width, num_heads=self.num_heads, feed_forward=2 * width),
            train=self._train(self.steps[-1]),
            evaluate=EvaluateConfig(every_steps=self.steps[-1]),
        )

    def _train(self, steps: int) -> TrainConfig:
        return TrainConfig(
            steps=steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            warmup_steps=self.warmup_steps,
            decay_share=self.decay_share,
            threads=self.threads,
        )

    def _step_flops(self, size: str) -> float:
        config = self._config(*layers_and_width(size), self.seed)
        return cost_of(config).train_flops(self.batch_size, sequence_tokens(config.task))
