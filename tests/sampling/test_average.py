"""The average of weights, against its definition, and what it leaves alone."""

import pytest

pytest.importorskip("torch")

import torch

from breakeven.sampling.average import WeightAverage, rate


def test_it_is_the_recursion_of_its_definition() -> None:
    model, expected = torch.nn.Linear(1, 1, bias=False), 0.0
    average = WeightAverage(model)
    for step in range(1, 101):
        model.weight.data.fill_(float(step))
        average.update(step)
        weight = 1 / max(1, 0.05 * step)
        expected = (1 - weight) * expected + weight * step
    assert average.state_dict()["weight"].item() == pytest.approx(expected, rel=1e-5)
    assert rate(20) == 1.0
    assert rate(40) == 0.5


def test_weights_come_back_bit_for_bit_also_after_an_error_and_frozen_ones_are_left_alone() -> None:
    first, second = torch.nn.Linear(3, 3).bfloat16(), torch.nn.Linear(3, 3)
    model = torch.nn.Sequential(first, second)
    second.bias.requires_grad_(False)
    average = WeightAverage(model)
    with torch.no_grad():
        first.weight.add_(1.0)
    before = {name: each.clone() for name, each in model.state_dict().items()}
    with pytest.raises(KeyError), average.swapped():  # noqa: PT012
        assert not torch.equal(first.weight, before["0.weight"])
        raise KeyError
    assert all(torch.equal(each, before[name]) for name, each in model.state_dict().items())
    assert "1.bias" not in average.state_dict()
    assert average.state_dict()["0.weight"].dtype == torch.float32


def test_a_saved_average_is_gone_on_with_and_another_models_is_refused_whole() -> None:
    one, other = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    average = WeightAverage(other)
    average.load_state_dict(WeightAverage(one).state_dict())
    assert torch.equal(average.state_dict()["weight"], one.weight)
    for state in ({"weight": torch.zeros(2, 2)}, {"weight": torch.zeros(2, 2), "bias": torch.zeros(1)}):
        with pytest.raises(ValueError, match="bias is missing or of another shape"):
            average.load_state_dict(state)
    assert torch.equal(average.state_dict()["weight"], one.weight)
