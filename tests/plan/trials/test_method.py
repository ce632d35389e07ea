"""The loop: what it charges, refuses, fills in and resumes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from breakeven.errors import ArgumentError, LogError
from breakeven.plan.cells import Cells
from breakeven.plan.trials.archive import Archive, Evaluation, Refusal, Trial
from breakeven.plan.trials.bayesian import Bayesian
from breakeven.plan.trials.method import Method, run_trials
from breakeven.plan.trials.reinforce import Reinforce
from breakeven.plan.trials.rules import Rules
from breakeven.plan.trials.space import Configuration, Space, integers
from breakeven.plan.trials.synthetic import graph
from breakeven.records.options import Quality
from breakeven.store import CELLS_NAME, CellFile, PlanHeader

GRAPH = graph()
LINE = Space(choices=(integers("n", 1, 9),), price=lambda each: float(each["n"]), budget=6.0)


def square(each: Configuration) -> Evaluation:
    return Evaluation(quality=Quality(value=-((float(each["n"]) - 4) ** 2)), flops=10.0 * float(each["n"]))


@dataclass
class Scripted:
    """Proposes what it was given, and notes what it is told."""

    script: list[Sequence[Configuration] | None]
    name: str = "scripted"
    told: list[tuple[Configuration, Trial | None]] = field(default_factory=list)

    def ask(self, archive: Archive) -> Sequence[Configuration] | None:
        return self.script.pop(0) if self.script else []

    def tell(self, configuration: Configuration, trial: Trial | None) -> None:
        self.told.append((configuration, trial))


def cells_in(directory: Path) -> Cells:
    return Cells(file=CellFile(directory, PlanHeader(versions={}, row="trials", settings={})))


def test_what_cannot_be_tried_costs_nothing_and_is_counted() -> None:
    method = Scripted([[{"n": 3}, {"n": 8}, {"n": 3}, {"m": 3}, {"n": "x"}, {"n": 5}], None])
    archive = run_trials(LINE, square, method, num_trials=10)
    assert [each.configuration for each in archive.trials] == [{"n": 3}, {"n": 5}]
    assert archive.refused == {Refusal.OVER_BUDGET: 1, Refusal.REPEATED: 1, Refusal.INVALID: 2}
    assert archive.flops == 80.0
    assert [trial and trial.number for _, trial in method.told] == [1, None, 1, None, None, 2]


def test_the_best_is_the_cheaper_of_equals() -> None:
    archive = run_trials(LINE, square, Scripted([[{"n": 5}, {"n": 3}, {"n": 1}], None]), num_trials=10)
    assert archive.best is not None
    assert archive.best.configuration == {"n": 3}
    assert archive.best.price == 3.0


def test_trials_end_with_their_number_or_their_flops() -> None:
    every = [[{"n": number} for number in range(1, 7)]]
    assert len(run_trials(LINE, square, Scripted([*every]), num_trials=4).trials) == 4
    found = run_trials(LINE, square, Scripted([*every]), num_trials=10, most_flops=55.0)
    assert [each.flops for each in found.trials] == [10.0, 20.0, 30.0]  # none begins once 55 are spent


def test_what_comes_first_is_told_and_what_a_silent_method_lacks_is_random() -> None:
    method = Scripted([])
    archive = run_trials(LINE, square, method, num_trials=10, first=[{"n": 2}, {"n": 7}])
    assert [each.proposed_by for each in archive.trials] == ["first", *["random"] * 5]
    assert sorted(int(each.configuration["n"]) for each in archive.trials) == [1, 2, 3, 4, 5, 6]
    assert len(method.told) == 7  # the one over the budget too
    with pytest.raises(ArgumentError, match=r"first must hold configurations of the space; got .* n cannot be 10\."):
        run_trials(LINE, square, Scripted([]), num_trials=10, first=[{"n": 10}])


def test_a_budget_that_nothing_meets_names_the_cheapest() -> None:
    tight = Space(choices=LINE.choices, price=LINE.price, budget=0.5)
    with pytest.raises(
        ArgumentError, match="budget must be at least 1 FLOPs per query, the price of the cheapest, n=1"
    ):
        run_trials(tight, square, Scripted([]), num_trials=1)


@pytest.mark.parametrize(
    ("name", "value"), [("num_trials", 0), ("num_trials", 1.5), ("most_flops", 0.0), ("most_flops", math.nan)]
)
def test_limits_that_are_none(name: str, value: float) -> None:
    with pytest.raises(ArgumentError, match=f"{name} must be"):
        run_trials(LINE, square, Scripted([]), **{"num_trials": 3, name: value})  # type: ignore[arg-type]


def test_an_evaluation_costs_a_finite_number_of_flops() -> None:
    with pytest.raises(ArgumentError, match="flops of an evaluation must be finite"):
        Evaluation(quality=Quality(value=0.5), flops=math.inf)


@pytest.mark.parametrize("name", ["rules", "reinforce", "bayesian"])
def test_trials_that_are_cut_anywhere_and_resumed_leave_the_same_bytes(name: str, tmp_path: Path) -> None:
    def method() -> Method:
        if name == "rules":
            return Rules(GRAPH.moves, seed=5)
        return Reinforce(GRAPH.space, seed=5) if name == "reinforce" else Bayesian(GRAPH.space, seed=5)

    def run(directory: Path, cut_after: int | None = None) -> Archive:
        paid = 0

        def evaluate(each: Configuration) -> Evaluation:
            nonlocal paid
            if paid == cut_after:
                raise KeyboardInterrupt
            paid += 1
            return GRAPH.evaluate(each, seed=5)

        cells = cells_in(directory)
        with cells.file:
            return run_trials(
                GRAPH.space, evaluate, method(), num_trials=13, first=[GRAPH.default], cells=cells, seed=5
            )

    whole = run(tmp_path / "whole")
    cuts = (0, 1, 5, 12) if name != "bayesian" else (11,)
    for cut in cuts:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / str(cut), cut_after=cut)
        resumed = run(tmp_path / str(cut))
        assert resumed.trials == whole.trials
        assert resumed.refused == whole.refused
        lines = (tmp_path / str(cut) / CELLS_NAME).read_bytes()
        assert lines == (tmp_path / "whole" / CELLS_NAME).read_bytes()


def test_a_file_that_was_torn_anywhere_is_completed_to_the_same_bytes(tmp_path: Path) -> None:
    """As a kill while a line is written leaves it."""

    def run(directory: Path) -> bytes:
        cells = cells_in(directory)
        with cells.file:
            run_trials(GRAPH.space, GRAPH.evaluate, Rules(GRAPH.moves, seed=2), num_trials=6, cells=cells)
        return (directory / CELLS_NAME).read_bytes()

    whole = run(tmp_path / "whole")
    begun = whole.index(b"\n") + 1
    for size in (*range(begun, len(whole), len(whole) // 9), len(whole) - 1):
        torn = tmp_path / str(size)
        torn.mkdir()
        (torn / CELLS_NAME).write_bytes(whole[:size])
        assert run(torn) == whole


def test_methods_that_share_cells_share_evaluations_and_are_charged_apart(tmp_path: Path) -> None:
    paid: list[Configuration] = []

    def evaluate(each: Configuration) -> Evaluation:
        paid.append(each)
        return square(each)

    cells = cells_in(tmp_path)
    for script in ([{"n": 3}, {"n": 4}], [{"n": 4}, {"n": 5}]):
        archive = run_trials(LINE, evaluate, Scripted([script, None]), num_trials=9, cells=cells)
        assert archive.flops == sum(10.0 * float(each["n"]) for each in script)
    assert paid == [{"n": 3}, {"n": 4}, {"n": 5}]


def test_cells_of_something_else_are_refused(tmp_path: Path) -> None:
    cells = cells_in(tmp_path)
    cells.of("trial n=3", int, lambda: 3)
    with pytest.raises(LogError, match="cell trial n=3 does not hold a Evaluation"):
        run_trials(LINE, square, Scripted([[{"n": 3}], None]), num_trials=2, cells=cells)
