"""What every node of every graph answers: node by node, each question that any graph asks once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from breakeven.data.made.revision import Revision
from breakeven.errors import argument_error
from breakeven.plan.agents.dag import ASSISTANT, FUSER, Dag
from breakeven.plan.trials.measured import Floats
from breakeven.records import Problem

Asked: TypeAlias = tuple[int, tuple[str, ...]]
"""The place of a problem, and the attempts that are shown with it."""
Ints: TypeAlias = npt.NDArray[np.int64]
_MOST: Final = 4096
"""Solutions of a problem that are told apart."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """A node with all that it hears of: what its answers follow from."""

    place: int
    """Among the places of the largest graph: nodes in different places draw different samples."""
    role: str
    model: str
    parents: "tuple[_Heard, ...]"


@dataclass(frozen=True, kw_only=True)
class Answers:
    """All answers, in the order in which graphs need them.

    What an agent answers to a problem with some attempts depends on these, its model and its place alone. So graphs
    share answers where they ask the same, as runs with the same random numbers would.
    """

    task: Revision
    problems: Sequence[Problem]
    num_nodes: int
    """Of the largest graph: smaller ones have the last places."""
    sample: Callable[[int, str, Sequence[Asked]], list[str]]
    """Solutions at a place, by a model, to what is asked; empty where there is none."""

    def right(self, dags: Sequence[Dag]) -> Floats:
        """Whether each graph is right on each problem, shape (C, P)."""
        heard = [self._heard(each) for each in dags]
        said: dict[_Heard, Ints] = {}
        for place in range(self.num_nodes):
            here = dict.fromkeys(each for row in heard for each in row if each.place == place)
            answer_PS = self._table(self._answer)
            for each in here:
                if each.role == FUSER:
                    said[each] = _vote(answer_PS, np.stack([said[parent] for parent in each.parents]))
            for model in dict.fromkeys(each.model for each in here if each.role == ASSISTANT):
                nodes = [each for each in here if each.role == ASSISTANT and each.model == model]
                said.update(zip(nodes, self._solve(place, model, nodes, said), strict=True))
        right_PS, problems = self._table(self._right), np.arange(len(self.problems))
        right_CP: Floats = np.array([right_PS[problems, said[row[-1]]] for row in heard], dtype=np.float64)
        return right_CP

    def _heard(self, dag: Dag) -> list[_Heard]:
        first, found = self.num_nodes - len(dag.nodes), list[_Heard]()
        for at, node in enumerate(dag.nodes):
            found.append(_Heard(first + at, node.role, node.model, tuple(found[each] for each in node.parents)))
        return found

    # -- solutions as numbers: 0 is none, others count up within a problem ------------------------------------------

    @cached_property
    def _known(self) -> list[dict[str, int]]:
        return [{"": 0} for _ in self.problems]

    def _number(self, problem: int, text: str) -> int:
        known = self._known[problem]
        if len(known) >= _MOST and text not in known:
            raise argument_error(
                "temperature", f"leave at most {_MOST} solutions of a problem", len(known), "Lower it."
            )
        return known.setdefault(text, len(known))

    def _table(self, value: Callable[[int, str], int]) -> Ints:
        """A number of each solution so far, shape (P, S)."""
        found = np.zeros((len(self.problems), max(map(len, self._known))), dtype=np.int64)
        for problem, known in enumerate(self._known):
            found[problem, : len(known)] = [value(problem, text) for text in known]
        return found

    def _right(self, problem: int, text: str) -> int:
        return int(bool(text) and self.task.check(self.problems[problem], text))

    def _answer(self, problem: int, text: str) -> int:
        """As a number above 0; 0: there is none."""
        answer = self.task.answer(text) if text else None
        return 0 if answer is None else 1 + int(answer)

    # -- assistants ----------------------------------------------------------------------------------------------

    def _solve(self, place: int, model: str, nodes: Sequence[_Heard], said: dict[_Heard, Ints]) -> Ints:
        """What a model answers at a place, for all nodes that ask it, shape (N, P)."""
        asked_NP = np.stack([self._packed([said[parent] for parent in each.parents]) for each in nodes])
        distinct, where = np.unique(asked_NP, return_inverse=True)
        asked = list(self._unpacked(distinct))
        texts = self.sample(place, model, asked)
        numbers = np.array([self._number(problem, text) for (problem, _), text in zip(asked, texts, strict=True)])
        answers_NP: Ints = numbers[where.reshape(asked_NP.shape)]
        return answers_NP

    def _packed(self, parents: Sequence[Ints]) -> Ints:
        """A number for each problem and what is shown with it, whatever the order of the parents."""
        most = self.num_nodes - 1
        shown_AP = np.zeros((most, len(self.problems)), dtype=np.int64)
        for at, each in enumerate(parents):
            shown_AP[at] = each
        packed = np.arange(len(self.problems))
        for each in np.sort(shown_AP, axis=0):
            packed = packed * _MOST + each
        return packed

    def _unpacked(self, packed: Ints) -> Iterator[Asked]:
        texts = [list(each) for each in self._known]
        for each in packed.tolist():
            shown, left = list[int](), each
            for _ in range(self.num_nodes - 1):
                left, number = divmod(left, _MOST)
                shown.append(number)
            yield left, tuple(texts[left][number] for number in reversed(shown) if number)


def _vote(answer_PS: Ints, parents_NP: Ints) -> Ints:
    """The solution that most parents agree with in their answer, of equals the first, shape (P,).

    Args:
        answer_PS: the answer of each solution; 0: it has none.
        parents_NP: the solution of each parent.
    """
    problems = np.arange(parents_NP.shape[1])
    answers_NP = answer_PS[problems, parents_NP]
    votes_NP = (answers_NP[:, None] == answers_NP[None]).sum(axis=1) * (answers_NP > 0)
    voted: Ints = parents_NP[votes_NP.argmax(axis=0), problems]
    return voted
