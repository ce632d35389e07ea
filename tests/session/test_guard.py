"""The guard around an evaluation: what a sampler disturbs is put back and said."""

import random

import numpy as np
import pytest

from breakeven.session.guard import undisturbed

torch = pytest.importorskip("torch")


def test_an_evaluation_that_leaves_all_as_it_was_is_silent() -> None:
    model = torch.nn.Linear(2, 2)
    with undisturbed(model) as found:
        model(torch.zeros(1, 2))
    assert found.what == []


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("Python", random.random),
        ("NumPy", np.random.random),
        ("torch", lambda: torch.rand(1).item()),
    ],
)
def test_a_used_generator_is_put_back_and_named(name: str, draw) -> None:
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    with undisturbed() as found:
        first = draw()
    assert found.what == [f"the random generator of {name} was used"]
    assert draw() == first, "training goes on with the numbers it would have drawn"


def test_modes_are_put_back_and_changed_gradients_are_said() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout())
    model[1].eval()
    model(torch.ones(1, 2)).sum().backward()
    with undisturbed(model) as found:
        model.eval()
        model.zero_grad(set_to_none=False)
    assert [each.training for each in model.modules()] == [True, True, False]
    assert found.what == [
        "the model was left in eval mode",
        "gradients of the model were changed, which cannot be undone",
    ]


def test_what_was_found_is_kept_where_the_evaluation_fails() -> None:
    def fail() -> None:
        torch.rand(1)
        raise RuntimeError

    with pytest.raises(RuntimeError), undisturbed() as found:
        fail()
    assert found.what == ["the random generator of torch was used"]
