"""Answers of all graphs at once are those of each graph by itself."""

import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from breakeven.data.made.chain import Chain
from breakeven.data.made.revision import Revision
from breakeven.errors import ArgumentError
from breakeven.plan.agents import answers
from breakeven.plan.agents.answers import Answers, Asked
from breakeven.plan.agents.dag import ASSISTANT, Dag
from breakeven.plan.agents.recipe import Solutions
from breakeven.plan.agents.space import all_dags

TASK = Revision(solved=Chain(num_terms=2, num_digits=1))
PROBLEMS = TASK.problems("test", 6)


def solution(place: int, model: str, problem: int, attempts: Sequence[str]) -> str:
    """Some solution, right or wrong or none, that follows from what is asked alone."""
    random = np.random.default_rng(zlib.crc32(f"{place} {model} {problem} {sorted(attempts)}".encode()))
    choices = [PROBLEMS[problem].solution or "", "0 6 + 4 2 = 0 4 8", "0 6 + 4 3 = 0 4 9", "", *attempts]
    return choices[int(random.integers(len(choices)))]


def alone(dag: Dag, problem: int, num_nodes: int) -> bool:
    """One graph on one problem, node by node."""
    said = list[str]()
    for at, node in enumerate(dag.nodes):
        read = [said[parent] for parent in node.parents]
        if node.role == ASSISTANT:
            shown = [each for each in read if each]
            said.append(solution(num_nodes - len(dag.nodes) + at, node.model, problem, shown))
            continue
        votes = Counter(TASK.answer(each) for each in read if each)
        most = max(votes.values(), default=0)
        said.append(next((each for each in read if each and votes[TASK.answer(each)] == most), ""))
    return bool(said[-1]) and TASK.check(PROBLEMS[problem], said[-1])


def test_each_graph_is_as_right_as_by_itself_and_nothing_is_asked_twice() -> None:
    asked_so_far = Counter[tuple[int, str, int, tuple[str, ...]]]()

    def sample(place: int, model: str, asked: Sequence[Asked]) -> list[str]:
        asked_so_far.update((place, model, problem, attempts) for problem, attempts in asked)
        return [solution(place, model, problem, attempts) for problem, attempts in asked]

    dags = list(all_dags(4, ("S", "L"), fusers_vote=True))
    found = Answers(task=TASK, problems=PROBLEMS, num_nodes=4, sample=sample).right(dags)
    assert found.shape == (len(dags), 6)
    assert max(asked_so_far.values()) == 1
    for place in range(0, len(dags), 7):
        assert found[place].tolist() == [float(alone(dags[place], problem, 4)) for problem in range(6)]
    assert 0.1 < found.mean() < 0.9


def test_too_many_solutions_of_a_problem_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_MOST", 2)

    def sample(place: int, model: str, asked: Sequence[Asked]) -> list[str]:
        return [f"0 6 + 4 2 = 0 4 {place}" for _ in asked]

    dags = list(all_dags(3, ("S", "L"), fusers_vote=True))
    with pytest.raises(ArgumentError, match="temperature must leave at most 2 solutions of a problem"):
        Answers(task=TASK, problems=PROBLEMS, num_nodes=3, sample=sample).right(dags)


def test_solutions_are_kept_each_once() -> None:
    texts = [
        "0 6 + 4 2 = 0 4 8",
        "",
        "0 6 + 4 2 = 0 4 8",
        *(f"0 6 + 4 2 = 1 {n // 10} {n % 10}" for n in range(40)),
        "",
    ]
    kept = Solutions.of(texts)
    assert kept.texts == texts
    assert len(kept.distinct) == 42
    assert Solutions.of([]).texts == []
