"""Settings of test-time compute that were measured on the same problems, and how difficult these problems look."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records.curves import computed_share

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A strategy, its K and its reward model, on each of P problems."""

    strategy: str
    k: int
    """Samples or candidates of a query."""
    reward_model: str = ""
    """Empty: it asks none."""
    accuracy_P: tuple[float, ...]
    model_flops_P: tuple[float, ...]
    """Per query, of the model."""
    reward_flops_P: tuple[float, ...]
    """Per query, of the reward model."""

    def __post_init__(self) -> None:
        size = len(self.accuracy_P)
        for name in ("model_flops_P", "reward_flops_P"):
            if len(getattr(self, name)) != size:
                rule = f"have a number for each of the {size} problems"
                raise argument_error(f"{name} of {self.name}", rule, len(getattr(self, name)))
            check.numbers(f"{name} of {self.name}", getattr(self, name), "hold finite numbers of at least 0")
        for accuracy in self.accuracy_P:
            computed_share(f"accuracy_P of {self.name}", accuracy)

    @property
    def name(self) -> str:
        """In words, "weighted_vote K=8 (small reward model)"."""
        asked = f" ({self.reward_model} reward model)" if self.reward_model else ""
        return self.strategy + (f" K={self.k}" if self.strategy != "greedy" else "") + asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Difficulty:
    """What tells how difficult each problem is: the higher the score, the easier. Of samples that no setting uses."""

    name: str
    """Of the score: "solve rate", "agreement", "mean reward"."""
    num_samples: int
    score_P: tuple[float, ...]
    model_flops: float = 0.0
    """Per query, of drawing these samples, the prompt being read for the setting anyway."""
    reward_flops: float = 0.0
    """Per query, of scoring them."""
    oracle: bool = False
    """Whether it needs the gold answer, and so cannot be had when serving. It is then not charged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Settings on the same problems."""

    of: str
    """What the problems are, in words."""
    ids: tuple[str, ...]
    settings: tuple[Setting, ...]
    difficulties: tuple[Difficulty, ...]
    sample_flops: float
    """Of a query with one sample, mean over the problems: the unit in which budgets are declared."""
    evaluation_flops: float = 0.0
    """Of measuring all this, once."""
    model: str = ""
    """What the sampled model is called; empty: it is the only one."""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.ids) < 2:
            rule = "have at least 2 problems, to choose on one half and score on the other"
            raise argument_error(f"the problems of {self.of}", rule, len(self.ids))
        if not self.settings:
            raise argument_error(f"the settings of {self.of}", "be at least one", "none")
        names = [each.name for each in self.settings]
        if twice := sorted({each for each in names if names.count(each) > 1}):
            raise argument_error(f"the settings of {self.of}", "be there once each", twice[0])
        for setting in self.settings:
            self._fits(setting.name, setting.accuracy_P)
        for each in self.difficulties:
            self._fits(each.name, each.score_P)
            check.numbers(each.name, each.score_P, "hold finite scores", -check.LARGEST)
        check.positive("sample_flops", self.sample_flops)

    def _fits(self, name: str, values: Sequence[float]) -> None:
        if len(values) != len(self.ids):
            rule = f"be measured on the {len(self.ids)} problems of {self.of}"
            raise argument_error(name, rule, f"{len(values)} problems", "Match the problems first.")

    @property
    def accuracy_SP(self) -> Floats:
        """Of each setting on each problem."""
        accuracy_SP: Floats = np.clip(np.array([each.accuracy_P for each in self.settings]), 0.0, 1.0)
        return accuracy_SP

    @property
    def model_SP(self) -> Floats:
        """FLOPs of the model per query."""
        return np.array([each.model_flops_P for each in self.settings])

    @property
    def reward_SP(self) -> Floats:
        """FLOPs of the reward model per query."""
        return np.array([each.reward_flops_P for each in self.settings])

    def keeping(self, places: Sequence[int], note: str) -> Self:
        """Of some of the problems; the note says why not of all."""

        def kept(values: Sequence[float]) -> tuple[float, ...]:
            return tuple(values[place] for place in places)

        return replace(
            self,
            ids=tuple(self.ids[place] for place in places),
            settings=tuple(
                replace(
                    each,
                    accuracy_P=kept(each.accuracy_P),
                    model_flops_P=kept(each.model_flops_P),
                    reward_flops_P=kept(each.reward_flops_P),
                )
                for each in self.settings
            ),
            difficulties=tuple(replace(each, score_P=kept(each.score_P)) for each in self.difficulties),
            notes=(*self.notes, note),
        )


def joined(parts: Sequence[Population]) -> Population:
    """One population of the settings of several, on the problems that all of them have, and what was left out said.

    Raises:
        ArgumentError: fewer than two problems are in all of them, or a setting is in two.
    """
    first, *others = parts
    if not others:
        return first
    shared = [each for each in first.ids if all(each in other.ids for other in others)]
    most = max(len(each.ids) for each in parts)
    if len(shared) < 2:
        rule = "share at least 2 problems, to be compared"
        raise argument_error(", ".join(each.of for each in parts), rule, f"{len(shared)} shared of up to {most}")
    left_out = f"matched on the {len(shared)} problems that all settings have, of up to {most}"
    matched = []
    for each in parts:
        place = {name: at for at, name in enumerate(each.ids)}
        same = each.ids == tuple(shared)
        matched.append(each if same else each.keeping([place[name] for name in shared], f"{each.of}: {left_out}"))
    return replace(
        matched[0],
        settings=tuple(setting for each in matched for setting in each.settings),
        evaluation_flops=sum(each.evaluation_flops for each in matched),
        notes=tuple(dict.fromkeys(note for each in matched for note in each.notes)),
    )
