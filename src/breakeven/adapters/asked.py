"""What a run is watched on, from the few things that a user names: a task, or problems and a function."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from breakeven.data.named import head, task_from
from breakeven.data.task import TextTask
from breakeven.errors import argument_error
from breakeven.records import Problem
from breakeven.records.agree import answers_from
from breakeven.records.protocols import Answers, Verifier

_FIELDS = tuple(each.name for each in fields(Problem))
_MAX_TOKENS = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """Problems, and all that is needed to ask and to grade them."""

    problems: tuple[Problem, ...]
    test_problems: tuple[Problem, ...]
    """None of `problems`; empty where no decision is verified."""
    verifier: Verifier
    answers: Answers | None
    """None: samples are not voted on."""
    max_tokens: int
    """Of one completion."""
    stop: tuple[str, ...]
    """Strings before which a completion ends."""


class RightIf:
    """A `Verifier` of a function."""

    def __init__(self, is_right: Callable[[Problem, str], bool]) -> None:
        self.is_right = is_right

    def check(self, problem: Problem, completion: str) -> bool:
        """What the function says."""
        return self.is_right(problem, completion)


def asked_from(
    *,
    task: str | TextTask | None,
    problems: Sequence[Problem | Mapping[str, Any] | str],
    is_right: Callable[[Problem, str], bool] | None,
    extract: Callable[[str], str | None] | None,
    test_problems: Sequence[Problem | Mapping[str, Any] | str],
    num_problems: int,
    verified: bool,
    seed: int,
) -> Asked:
    """What a user asks for.

    Args:
        task: as in `breakeven eval --task`, or a task of one's own.
        problems: in place of a task: Problems, their fields by name, or prompts.
        is_right: in place of a task: whether a completion solves a problem.
        extract: the final answer of a completion, or None, where such samples are voted on.
        test_problems: to verify a decision on; of a task, others than those it is made on.
        num_problems: most problems of a task.
        verified: whether a decision is to be verified.
        seed: by which problems of a task are chosen.

    Raises:
        ArgumentError: neither or both of them, no problems, or a function that does not say True or False.
        MissingExtraError, SandboxError: as of the task.
    """
    if (task is None) == (not problems) or (task is None) == (is_right is None):
        got = ", ".join(n for n, v in (("task", task), ("problems", problems), ("is_right", is_right)) if v) or "none"
        remedy = 'Such as task="gsm8k:validation.jsonl".'
        raise argument_error("task", "be given, or else both problems and is_right", got, remedy)
    tests = tuple(_problem("test_problems", place, each) for place, each in enumerate(test_problems))
    if task is None:
        assert is_right is not None, "seen above"
        own = tuple(_problem("problems", place, each) for place, each in enumerate(problems))
        _try_out(is_right, own[0])
        if verified and not tests:
            remedy = "They are others than problems and training data."
            raise argument_error("test_problems", "be given in mode shadow", [], remedy)
        verifier, answers = RightIf(is_right), answers_from(extract)
        return Asked(
            problems=own, test_problems=tests, verifier=verifier, answers=answers, max_tokens=_MAX_TOKENS, stop=()
        )
    halves = 2 if verified and not tests else 1
    if isinstance(task, str):
        task = task_from(task, num_problems=halves * num_problems, seed=seed)
    if not isinstance(task, TextTask):
        raise argument_error("task", "be a name or a breakeven.data.task.TextTask", task)
    some = head(task, halves * num_problems, seed).problems
    if len(some) < halves:
        raise argument_error("task", f"have {halves} problems at least", len(some))
    return Asked(
        problems=some[::halves],
        test_problems=some[1::2] if halves == 2 else tests,
        verifier=task,
        answers=task,
        max_tokens=task.max_tokens,
        stop=task.stop,
    )


def _problem(name: str, place: int, given: Problem | Mapping[str, Any] | str) -> Problem:
    if isinstance(given, Problem):
        return given
    known: object = {"prompt": given} if isinstance(given, str) else given
    if not isinstance(known, Mapping) or not set(known) <= set(_FIELDS) or not isinstance(known.get("prompt"), str):
        remedy = f"Its fields are {', '.join(_FIELDS)}."
        raise argument_error(f"{name}[{place}]", "be a Problem, its fields by name, or a prompt", given, remedy)
    return Problem(**({"id": str(place)} | dict(known)))


def _try_out(is_right: Callable[[Problem, str], bool], problem: Problem) -> None:
    """Before training: a function that fails at the first evaluation would have cost the steps until then."""
    try:
        verdict = is_right(problem, "")
    except Exception as error:
        got = f"{type(error).__name__}: {error}"
        raise argument_error("is_right", "take any text", got, "An empty one is wrong.") from error
    if not isinstance(verdict, bool):
        raise argument_error("is_right", "return True or False", verdict, "Such as reward > 0.5.")
