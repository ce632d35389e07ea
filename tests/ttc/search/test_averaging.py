"""A classifier served by the mean of several passes."""

from dataclasses import replace

import numpy as np
import pytest

from breakeven.errors import ArgumentError, SamplerError
from breakeven.records import ClassPass, Draw
from breakeven.testing import PassSampler, RateSampler
from breakeven.ttc.search.averaging import soft_vote
from breakeven.ttc.strategies.named import STRATEGIES
from breakeven.ttc.strategies.soft_vote import soft_vote as estimate
from breakeven.ttc.strategies.strategy import Need, Tools

CLASSES = ("ant", "bee", "cow")
SAMPLER = PassSampler(
    classes=CLASSES,
    logits={str(each): np.random.default_rng(each).normal(size=3).tolist() for each in range(300)},
    labels={str(each): CLASSES[int(np.random.default_rng(each).normal(size=3).argmax())] for each in range(300)},
    noise=1.5,
)


def passes_of(draw: Draw) -> list[ClassPass]:
    return [each for each in draw.completions if isinstance(each, ClassPass)]


def test_what_is_served_is_as_good_as_was_measured_on_other_passes() -> None:
    served = STRATEGIES["soft_vote"].serve(SAMPLER.problems, 4, Tools(sampler=SAMPLER, temperature=1.0, seed=1))
    right = np.mean([each.served is not None and each.served.text == each.problem.reference for each in served])
    draws = SAMPLER.sample(SAMPLER.problems, 8, temperature=1.0, seed=2)
    passes_PNC = np.array([[each.probabilities for each in passes_of(draw)] for draw in draws])
    right_PC = np.array([[each.reference == name for name in CLASSES] for each in SAMPLER.problems])
    assert right == pytest.approx(estimate(passes_PNC, right_PC, [4]).accuracy_K[0], abs=0.06)
    assert {each.cost.num_samples for each in served} == {4}


def test_a_class_that_is_no_pass_first_choice_can_be_the_mean() -> None:
    class Scripted(PassSampler):
        def sample(self, problems, num_samples, **settings):
            draws = super().sample(problems, num_samples, **settings)
            rows = np.array([[0.5, 0.49, 0.01], [0.01, 0.49, 0.5]], dtype=np.float32)
            passes = [ClassPass(text=CLASSES[int(row.argmax())], output_tokens=2, probabilities=row) for row in rows]
            return [replace(draws[0], completions=tuple(passes))]

    sampler = Scripted(classes=CLASSES, logits={"a": [0.0, 0.0, 0.0]}, labels={"a": "bee"})
    (found,) = soft_vote(sampler.problems, sampler, 2, temperature=1.0, seed=0)
    assert found.served is not None
    assert (found.served.text, found.chosen, found.cost.num_samples) == ("bee", 2, 2)


def test_what_is_no_classifier_is_refused() -> None:
    sampler = RateSampler({"a": 0.5})
    assert Need.PROBABILITIES not in Tools(sampler=sampler, temperature=1.0).has
    with pytest.raises(ArgumentError, match="tools must hold class probabilities of several passes for soft_vote"):
        STRATEGIES["soft_vote"].serve(sampler.problems, 2, Tools(sampler=sampler, temperature=1.0))

    class Bare(PassSampler):
        def sample(self, problems, num_samples, **settings):
            return RateSampler({each.id: 0.5 for each in problems}).sample(problems, num_samples, **settings)

    bare = Bare(classes=CLASSES, logits={"a": [0.0, 0.0, 0.0]}, labels={"a": "bee"})
    with pytest.raises(SamplerError, match="problem 'a' came without the probabilities"):
        soft_vote(bare.problems, bare, 2, temperature=1.0, seed=0)
    assert soft_vote([], SAMPLER, 2, temperature=1.0, seed=0) == []
