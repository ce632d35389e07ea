"""Countdown: reach a target from given numbers, each used exactly once, with + - * / and parentheses.

The task has a checker that works without a reference answer (`check`), at training and at serving time alike,
so Pass@K on it is accuracy one can deploy. Knows nothing about models; all arrays are numpy.

Splits never share a problem: a problem's split is a hash of (its sorted numbers, its target), independent of any
seed, so no seed, order of numbers or number of draws can move a problem from one split to another.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from breakeven.data.made.arithmetic import evaluate_expression
from breakeven.data.made.generated import GeneratedTask
from breakeven.data.splits import EOS, IntArray, Split, draws_for, in_split, split_bucket
from breakeven.errors import argument_error
from breakeven.records import Problem

__all__ = ["EOS", "Countdown"]

_SYMBOLS = ("<pad>", "<eos>", "+", "-", "*", "/", "(", ")", "->", "=")
_ADD, _SUB, _MUL, _DIV, _OPEN, _CLOSE, _ARROW, _EQUALS = range(2, 10)

_Tree: TypeAlias = "int | tuple[_Tree, _Tree]"  # a leaf is the index of a number


@dataclass(frozen=True, kw_only=True)
class Countdown(GeneratedTask):
    """One difficulty of Countdown, with its vocabulary, its generator and its checker.

    Args:
        num_numbers: numbers per problem, 2 to 5.
        max_number: each number is uniform on 1..max_number.
        max_target: problems with a larger target are not generated.
    """

    kind: Literal["countdown"] = "countdown"
    num_numbers: int = 3
    max_number: int = 20
    max_target: int = 99
    _more_by: ClassVar[str] = "max_number"

    def __post_init__(self) -> None:
        if not 2 <= self.num_numbers <= 5:
            raise argument_error("num_numbers", "be from 2 to 5", self.num_numbers)
        if not 2 <= self.max_number <= 999:
            raise argument_error("max_number", "be from 2 to 999", self.max_number)
        if not 1 <= self.max_target <= 9999:
            raise argument_error("max_target", "be from 1 to 9999", self.max_target)

    # -- vocabulary: one token per symbol and per integer ---------------------------------------------------------

    @property
    def prompt_tokens(self) -> int:
        """Tokens in every prompt: `a b c -> target =`."""
        return self.num_numbers + 3

    @property
    def output_tokens(self) -> int:
        """Tokens in every reference solution, end token included; also the sampling limit."""
        return 2 * self.num_numbers - 1 + 2 * (self.num_numbers - 2) + 1

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The word of each token, padding and end token first."""
        return (*_SYMBOLS, *map(str, range(max(self.max_number, self.max_target) + 1)))

    # -- generation -----------------------------------------------------------------------------------------------

    def _id(self, prompt: str) -> str:
        numbers, target = prompt.removesuffix("=").split("->")
        return f"{'+'.join(map(str, sorted(map(int, numbers.split()))))}={target.strip()}"

    def _draw(self, count: int, rng: np.random.Generator, split: Split) -> IntArray:
        """Random solvable problems of `split` with one solution each: at most `count` rows of tokens."""
        n = self.num_numbers
        num_draws = draws_for(count, split)
        numbers = rng.integers(1, self.max_number + 1, (num_draws, n))
        operators = rng.integers(_ADD, _DIV + 1, (num_draws, n - 1))
        shape = rng.integers(0, len(self._trees), num_draws)
        target = np.zeros(num_draws, np.int64)
        for index, tree in enumerate(self._trees):
            rows = shape == index
            target[rows] = _evaluate_tree(tree, numbers[rows], operators[rows])
        keep = (target >= 1) & (target <= self.max_target)
        keep &= in_split(self._bucket(numbers, target), split)
        rows = np.flatnonzero(keep)[:count]
        numbers, operators, shape, target = numbers[rows], operators[rows], shape[rows], target[rows]

        order = rng.permuted(np.tile(np.arange(n), (len(rows), 1)), axis=1)  # the prompt must not give the order away
        shown = np.take_along_axis(numbers, order, axis=1)
        tokens = np.empty((len(rows), self.prompt_tokens + self.output_tokens), np.int64)
        tokens[:, :n] = shown + len(_SYMBOLS)
        tokens[:, n] = _ARROW
        tokens[:, n + 1] = target + len(_SYMBOLS)
        tokens[:, n + 2] = _EQUALS
        for index, tree in enumerate(self._trees):
            picked = shape == index
            columns = [
                numbers[picked, at] + len(_SYMBOLS)
                if kind == "number"
                else operators[picked, at]
                if kind == "operator"
                else np.full(picked.sum(), at)
                for kind, at in _render(tree)
            ]
            tokens[picked, self.prompt_tokens :] = np.stack(columns, axis=1)
        return tokens

    @cached_property
    def _trees(self) -> tuple[_Tree, ...]:
        return tuple(_all_trees(0, self.num_numbers))

    def _bucket(self, numbers: IntArray, target: IntArray) -> npt.NDArray[np.uint64]:
        """Split bucket 0..19 of each problem: a hash of its sorted numbers and its target (splitmix64 finalizer)."""
        return split_bucket([target, *np.sort(numbers, axis=1).T])

    # -- checking -------------------------------------------------------------------------------------------------

    def check(self, problem: Problem, completion: str) -> bool:
        """True if `completion` is an expression that uses each number of the prompt once and equals the target."""
        numbers_text, target_text = problem.prompt.removesuffix("=").split("->")
        numbers = sorted(map(int, numbers_text.split()))
        if len(re.findall("[0-9]+", completion)) != len(numbers):  # a long product would take minutes to evaluate
            return False
        try:
            value, used = evaluate_expression(completion)
        except (ValueError, ZeroDivisionError, RecursionError):
            return False
        return sorted(used) == numbers and value == int(target_text)


def _all_trees(start: int, stop: int) -> Iterator[_Tree]:
    """Every binary tree over the leaves start..stop-1, in order (2 for three leaves, 5 for four)."""
    if stop - start == 1:
        yield start
    for middle in range(start + 1, stop):
        for left in _all_trees(start, middle):
            for right in _all_trees(middle, stop):
                yield (left, right)


def _rightmost(tree: _Tree) -> int:
    return tree if isinstance(tree, int) else _rightmost(tree[1])


def _evaluate_tree(tree: _Tree, numbers: IntArray, operators: IntArray) -> IntArray:
    """Value of each row's expression, or 0 where a step leaves the positive integers (as in the TV game)."""
    if isinstance(tree, int):
        return numbers[:, tree]
    left, right = (_evaluate_tree(branch, numbers, operators) for branch in tree)
    operator = operators[:, _rightmost(tree[0])]
    quotient, remainder = np.divmod(left, np.maximum(right, 1))
    value = np.select(
        [operator == _ADD, operator == _SUB, operator == _MUL],
        [left + right, left - right, left * right],
        np.where(remainder == 0, quotient, 0),
    )
    return np.where((left > 0) & (right > 0) & (value > 0), value, 0)


def _render(tree: _Tree) -> list[tuple[str, int]]:
    """Completion as (kind, index or token) pairs; every inner pair in parentheses, so all trees have one length."""

    def inner(node: _Tree) -> list[tuple[str, int]]:
        if isinstance(node, int):
            return [("number", node)]
        return [("symbol", _OPEN), *pair(node), ("symbol", _CLOSE)]

    def pair(node: tuple[_Tree, _Tree]) -> list[tuple[str, int]]:
        return [*inner(node[0]), ("operator", _rightmost(node[0])), *inner(node[1])]

    assert not isinstance(tree, int)
    return [*pair(tree), ("symbol", EOS)]
