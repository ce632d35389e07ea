"""What Agent-REINFORCE charges a node, recomputed."""

import pytest

from breakeven.plan.agents.published import MODELS, TASKS, node_flops, unit_table

SHAPES = {"1B": (1e9, 16, 2048), "3B": (3e9, 28, 3072), "8B": (8e9, 32, 4096), "70B": (70e9, 80, 8192)}


def published(model: str, num_parents: int, read: int, written: int) -> float:
    """The formula as it is published."""
    params, layers, width = SHAPES[model]
    n_p, n_d = read + num_parents * written, written
    reading = 2 * params * n_p + 2 * layers * width * n_p * (n_p + 1)
    return reading + 2 * params * n_d + 2 * layers * width * n_d * (2 * n_p + n_d + 1)


def test_units_are_those_of_the_authors_but_for_one_token_of_math() -> None:
    assert f"{node_flops('1B', 0):.4g}" == "9.689e+11"
    assert f"{published('1B', 0, 203, 275):.4g}" == "9.71e+11"
    assert f"{node_flops('1B', 0, task='MMLU'):.4g}" == "8.68e+11"
    assert f"{node_flops('1B', 0, task='HumanEval'):.4g}" == "5.957e+11"
    assert [row[3:] for row in unit_table().rows] == [
        ("9.71e+11", "9.689e+11"),
        ("8.68e+11", "8.68e+11"),
        ("5.957e+11", "5.957e+11"),
    ]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("num_parents", range(5))
def test_a_node_costs_what_the_formula_and_its_quadratic_form_say(model: str, num_parents: int, task: str) -> None:
    read, written = TASKS[task]
    params, layers, width = SHAPES[model]
    attention = 2 * layers * width
    alpha = attention * written**2
    beta = 2 * params * written + attention * written * (2 * read + 2 * written + 1)
    gamma = 2 * (params + layers * width) * (read + written) + attention * (read + written) ** 2
    found = node_flops(model, num_parents, task=task)
    assert found == pytest.approx(published(model, num_parents, read, written), rel=1e-9)
    assert found == pytest.approx(alpha * num_parents**2 + beta * num_parents + gamma, rel=1e-9)
