"""The tables of arXiv 2502.06703, recomputed, with the FLOPs of the reward model that they leave out beside them."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from breakeven.records.curves import Made
from breakeven.records.options import Option, Quality
from breakeven.records.plans import PlanTable

REWARD_PARAMS: Final = (7e9, 72e9)
"""Parameters of the paper's reward models, the smallest and the largest that it recommends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A row of table 4, with its accuracy on MATH-500 of table 3, as printed."""

    model: str
    params: float
    train_tokens: float
    train_flops: float
    inference_flops: float
    """Of all problems."""
    searches: bool
    """Whether its answers are searched for under a reward model."""
    accuracy: float

    @property
    def train_flops_again(self) -> float:
        """6 N D, which gives the printed number; of a mixture of experts N is all parameters there, not the active."""
        return 6 * self.params * self.train_tokens

    @property
    def inference_tokens(self) -> float:
        """Generated for all problems, by 2 N a token: nothing of the printed number is left for a reward model."""
        return self.inference_flops / (2 * self.params)

    def reward_flops(self, params: float) -> float:
        """Of a reward model that reads every one of these tokens once; 0 where nothing is searched for."""
        return 2 * params * self.inference_tokens if self.searches else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedGain:
    """A row of table 5, in percent."""

    model: str
    cot: float
    """One sample."""
    majority: float
    tts: float
    """The best strategy with 256 samples."""
    gain: float
    """As printed."""

    @property
    def gain_again(self) -> float:
        """Over one sample, in percent of it."""
        return 100 * (self.tts - self.cot) / self.cot


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What the paper prints."""

    source: str
    problems: int
    """Of MATH-500, over which the FLOPs of table 4 are summed."""
    flops: tuple[Published, ...]
    gains: tuple[PublishedGain, ...]


@cache
def published_tables() -> Tables:
    """The numbers in `published.json` beside this module."""
    text = files("breakeven.plan.by_difficulty").joinpath("published.json").read_bytes()
    return msgspec.json.decode(text, type=Tables)


def published_options(reward_params: float = REWARD_PARAMS[0]) -> tuple[Option, ...]:
    """Table 4 as options: drawn and labelled, and chosen only if asked for."""
    tables = published_tables()
    return tuple(
        Option(
            name=f"{each.model}, {'TTS' if each.searches else 'CoT'} (published)",
            settings={"source": tables.source, "params": each.params},
            train_flops=each.train_flops,
            query_flops=each.inference_flops / tables.problems,
            reward_flops=each.reward_flops(reward_params) / tables.problems,
            quality=Quality(value=each.accuracy, made=Made.PUBLISHED, problems="MATH-500"),
        )
        for each in tables.flops
    )


def published_by_flops() -> PlanTable:
    """Table 4 with both accountings."""
    tables = published_tables()
    return PlanTable(
        label=f"Published, and recomputed: {tables.source}",
        headings=(
            "model",
            "training FLOPs, printed",
            "6 N D",
            "inference FLOPs, printed",
            "tokens a problem",
            *(f"with a reward model of {each:.3g} parameters" for each in REWARD_PARAMS),
        ),
        rows=tuple(
            (
                each.model,
                f"{each.train_flops:.3g}",
                f"{each.train_flops_again:.4g}",
                f"{each.inference_flops:.3g}",
                f"{each.inference_tokens / tables.problems:,.0f}",
                *(f"{each.inference_flops + each.reward_flops(params):.3g}" for params in REWARD_PARAMS),
            )
            for each in tables.flops
        ),
    )


def published_gains() -> PlanTable:
    """Table 5, what 256 samples gain over one, with the gains computed again."""
    tables = published_tables()
    return PlanTable(
        label=f"Published gains on MATH-500, in percent: {tables.source}",
        headings=("model", "one sample", "majority vote", "best strategy", "gain, printed", "computed again"),
        rows=tuple(
            (
                each.model,
                *(f"{number:.1f}" for number in (each.cot, each.majority, each.tts, each.gain, each.gain_again)),
            )
            for each in tables.gains
        ),
    )
