"""Sums of powers: a floor and a term that falls with each axis, the form of most scaling laws."""

from collections.abc import Callable, Sequence

import numpy as np

from breakeven.plan.laws.law import Columns, Floats, Law


def power_sum(*columns: str, name: str = "", unit: str = "", source: str = "ours") -> Law:
    """E + A / x^a + B / y^b + ..., a term for each column.

    Args:
        columns: the axes.
        name: of the law.
        unit: of its value.
        source: of the form.

    >>> power_sum("params", "train_tokens").parameters
    ('log_E', 'log_A_params', 'log_A_train_tokens', 'a_params', 'a_train_tokens')
    """
    return Law(
        name=name or f"power sum in {', '.join(columns)}",
        columns=columns,
        parameters=power_parameters(*columns),
        formula=lambda x, p: sum_of_powers(x, p, columns),
        start=power_start(*columns),
        unit=unit,
        source=source,
    )


def power_parameters(*columns: str) -> tuple[str, ...]:
    """By which a sum of powers is known: floor, coefficients, exponents."""
    return ("log_E", *(f"log_A_{each}" for each in columns), *(f"a_{each}" for each in columns))


def sum_of_powers(x: Columns, p: Columns, columns: Sequence[str]) -> Floats:
    """E + A / x^a + ..., of parameters named as `power_parameters` names them."""
    total: Floats = np.exp(p["log_E"])
    for each in columns:
        total = total + np.exp(p[f"log_A_{each}"] - p[f"a_{each}"] * np.log(x[each]))
    return total


def power_start(*columns: str) -> Callable[[np.random.Generator, Columns, Floats], list[float]]:
    """Starting points: exponents from .1 to 1, and terms that share the median value in the middle of each axis."""

    def start(random: np.random.Generator, x: Columns, values: Floats) -> list[float]:
        share = np.log(random.dirichlet(np.ones(len(columns) + 1))) + np.log(np.median(values))
        powers = random.uniform(0.1, 1.0, len(columns))
        middle = [float(np.log(x[each]).mean()) for each in columns]
        return [share[0], *(share[1:] + powers * middle), *powers]

    return start


def power_law(column: str, *, name: str = "", unit: str = "", source: str = "ours") -> Law:
    """A x^a, a line in logs: how a best size, or a best number of samples, grows with FLOPs."""
    return Law(
        name=name or f"power law in {column}",
        columns=(column,),
        parameters=("log_A", "a"),
        formula=lambda x, p: np.exp(p["log_A"] + p["a"] * np.log(x[column])),
        start=lambda random, x, values: _line_start(float(random.uniform(-1.0, 1.0)), np.log(x[column]), values),
        unit=unit,
        source=source,
    )


def _line_start(power: float, log_N: Floats, values: Floats) -> list[float]:
    return [float(np.log(np.median(values)) - power * log_N.mean()), power]
