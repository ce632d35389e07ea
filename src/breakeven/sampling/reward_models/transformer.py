"""The reward model that breakeven trains itself (`breakeven.train.reward_model.train`) as a reward model."""

from collections.abc import Collection, Sequence
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records import Prefix, Problem, Reward
from breakeven.sampling.modes import evaluating
from breakeven.sampling.transformer import EncodingTask


@runtime_checkable
class Keyed(Protocol):
    """A task whose problem ids do not say which problems are the same."""

    def problem_key(self, problem: Problem) -> str:
        """Equal for equal problems."""


def problem_key(task: object, problem: Problem) -> str:
    """By which a reward model knows the problems it has seen: their ids, unless the task knows better."""
    return task.problem_key(problem) if isinstance(task, Keyed) else problem.id


class TransformerReward:
    """A `RewardModel` of kind "process": the chance, at the last token so far, that the solution will be right.

    Of a whole solution that is the chance that it is right. The model is used without gradients in evaluation mode and
    left as it was.

    Args:
        model: token ids (B, T) to one logit a position (B, T, 1), looking only back.
        task: encodes prompts and solutions.
        max_tokens: most tokens that the model can read, prompt and solution together.
        max_rows: rows computed at once.
        trained_on: keys (`problem_key`) of the problems that it was trained on; of those it scores none.
    """

    kind: Literal["process"] = "process"

    def __init__(
        self,
        model: nn.Module,
        task: EncodingTask,
        *,
        max_tokens: int,
        max_rows: int = 1024,
        trained_on: Collection[str] = (),
    ) -> None:
        check.at_least("max_rows", max_rows, 1)
        self.model = model
        self.task = task
        self.max_tokens = max_tokens
        self.max_rows = max_rows
        self.trained_on = frozenset(trained_on)

    def score(self, prefixes: Sequence[Prefix]) -> list[Reward]:
        """See `breakeven.records.protocols.RewardModel.score`.

        Raises:
            ArgumentError: a problem that the model was trained on, a word it does not know, or too many of them.
        """
        if known := next((each for each in prefixes if problem_key(self.task, each.problem) in self.trained_on), None):
            rule = "be of problems that the reward model was not trained on"
            raise argument_error("prefixes", rule, known.problem.id, "It remembers their samples.")
        rows = [encode_solution(self.task, each.problem, each.text, self.max_tokens) for each in prefixes]
        tokens = [prompt + solution for prompt, solution in rows]
        values = token_values(self.model, tokens, max_rows=self.max_rows)
        return [
            Reward(value=float(value_T[-1]), read_tokens=len(row)) for row, value_T in zip(tokens, values, strict=True)
        ]


def encode_solution(task: EncodingTask, problem: Problem, text: str, max_tokens: int) -> tuple[list[int], list[int]]:
    """Token ids of a prompt and of a solution, without end token.

    Raises:
        ArgumentError: a word that the task does not have, nothing at all, or more than `max_tokens`.
    """
    where = f"problem {problem.id!r} with its solution"
    try:
        prompt = task.encode_prompt(problem)
        solution = task.encode_text(text)
    except ValueError as error:
        raise argument_error(where, "be written in words of the task", text[:80]) from error
    if not 1 <= len(prompt) or len(prompt) + len(solution) > max_tokens:
        raise argument_error(where, f"have a prompt and at most {max_tokens} tokens", len(prompt) + len(solution))
    return prompt, solution


def token_values(model: nn.Module, rows: Sequence[Sequence[int]], *, max_rows: int) -> list[Tensor]:
    """The value at every token of each row, in order; rows are computed with others about as long."""
    by_length = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    values: dict[int, Tensor] = {}
    with evaluating(model):
        for start in range(0, len(by_length), max_rows):
            part = by_length[start : start + max_rows]
            # What is filled up on the right is seen by nothing on its left.
            tokens_BT = nn.utils.rnn.pad_sequence([torch.tensor(rows[index]) for index in part], batch_first=True)
            values_BT = model(tokens_BT)[..., 0].sigmoid()
            values.update((index, values_BT[row, : len(rows[index])]) for row, index in enumerate(part))
    return [values[index] for index in range(len(rows))]
