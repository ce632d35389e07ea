"""Rewards of a trainer's own evaluation, kept by problem: its metrics hold only their means."""

import functools
import inspect
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from breakeven import check
from breakeven.adapters.asked import Asked
from breakeven.errors import argument_error
from breakeven.records import CHECK_FAILED, Problem, SampleBank
from breakeven.records.agree import label_answers
from breakeven.records.protocols import Answers
from breakeven.session.live import Elsewhere

_SAID_BY_TRAINER = (
    *("task", "problems", "is_right", "test_problems", "num_problems", "evaluate_every"),
    *("num_samples", "temperature", "max_tokens", "stop", "chat", "average", "classification"),
)

_GIVEN = ("prompts", "completions", "completion_ids")
"""What TRL names of samples to a reward function, besides the columns of the data set."""


class Rewarded(NamedTuple):
    """One sample."""

    prompt: str
    text: str
    tokens: int
    reward: float | None
    """None where the function gave none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluated:
    """How a trainer evaluates."""

    problems: tuple[Problem, ...]
    prompt_tokens_P: tuple[int, ...]
    num_samples: int
    """Of a problem, at each evaluation."""
    temperature: float
    seed: int
    answers: Answers | None
    """How answers are voted on; None: they are not."""


class RecordedReward:
    """A reward function of TRL that says what it said, and is remembered where the trainer evaluates.

        exact = RecordedReward(exact_match, threshold=1.0)
        GRPOTrainer(..., reward_funcs=exact, callbacks=[EarlyStop(rewards=exact)])

    Args:
        reward: as in `reward_funcs`: a function of completions and columns of the data set, no model.
        threshold: a completion with such a reward, or a higher one, is right.

    Raises:
        ArgumentError: anything but a plain function, or a threshold that is no number.
    """

    def __init__(self, reward: Callable[..., Any], *, threshold: float) -> None:
        given: object = reward
        is_async = any(map(inspect.iscoroutinefunction, (given, type(given).__call__)))
        if not callable(given) or isinstance(given, type) or hasattr(given, "forward") or is_async:
            remedy = "A reward model goes on beside it, in reward_funcs."
            raise argument_error("reward", "be a function that returns rewards itself", given, remedy)
        check.number("threshold", threshold)
        functools.update_wrapper(self, reward)
        self.__name__: str = getattr(reward, "__name__", type(reward).__name__)  # TRL's metrics are called so
        self.threshold = threshold
        self._reward = reward
        self._model: Any = None
        self._evaluated: Evaluated | None = None
        self._seen: list[Rewarded] = []

    def __call__(self, *args: Any, **given: Any) -> Any:
        """The rewards of the function itself, given the same."""
        rewards = self._reward(*args, **given)
        if isinstance(rewards, Iterator):  # as `map` returns: read here, nothing would be left for the trainer
            rewards = list(rewards)
        if self._model is not None and not self._model.training and set(_GIVEN) <= set(given):
            samples = zip(*(given[name] for name in _GIVEN), rewards, strict=False)
            for prompt, completion, tokens, reward in samples:
                known = None if reward is None or math.isnan(reward) else float(reward)
                self._seen.append(Rewarded(text_of(prompt), text_of(completion), max(1, len(tokens)), known))
        return rewards

    def watch(self, model: Any, evaluated: Evaluated | None = None) -> None:
        """Remember from now on what is asked while this model is in evaluation mode; None: nothing more."""
        self._model, self._evaluated, self._seen = model, evaluated, []

    def taken(self) -> list[Rewarded]:
        """What was remembered since the last call, in this process."""
        seen, self._seen = self._seen, []
        return seen

    def bank(self, seen: Sequence[Rewarded]) -> SampleBank:
        """The bank of one evaluation, without greedy samples; each prompt was read for each of its samples.

        Args:
            seen: of all processes. Of a problem that filled up an incomplete batch there are too many.

        Raises:
            ArgumentError: a sample of another problem, or none at all.
        """
        on = self._evaluated
        assert on is not None, "it is watched"
        rows: dict[str, list[Rewarded]] = {each.prompt: [] for each in on.problems}
        for each in seen:
            if each.prompt not in rows:
                raise argument_error("eval_dataset", "stay the same in a run", f"another prompt, {each.prompt!r}")
            rows[each.prompt].append(each)
        row_PN = [rows[each.prompt][: on.num_samples] for each in on.problems]
        if not any(row_PN):
            remedy = "Is it among the trainer's reward_funcs as it is?"
            raise argument_error("rewards", "be asked in each evaluation", "none", remedy)
        length_PN = tuple(tuple(each.tokens for each in row) for row in row_PN)
        answers = on.answers
        return SampleBank(
            correct_PN=tuple("".join(self._verdict(each) for each in row) for row in row_PN),
            greedy_correct_P="",
            temperature=on.temperature,
            seed=on.seed,
            prompt_tokens=sum(on.prompt_tokens_P),
            output_tokens=sum(map(sum, length_PN)),
            greedy_output_tokens=0,
            oracle=any(each.reference is not None for each in on.problems),
            num_prefills=sum(map(len, row_PN)),
            answer_PN=()
            if answers is None
            else tuple(label_answers([answers.extract(each.text) for each in row], answers).row for row in row_PN),
            prompt_tokens_P=on.prompt_tokens_P,
            output_tokens_PN=length_PN,
        )

    def _verdict(self, sample: Rewarded) -> str:
        return CHECK_FAILED if sample.reward is None else "1" if sample.reward >= self.threshold else "0"


def check_alone(rewards: object, others: Mapping[str, Any]) -> None:
    """Nothing, if these are recorded, and nothing else of an `EarlyStop` says what is measured.

    Raises:
        ArgumentError: otherwise.
    """
    if not isinstance(rewards, RecordedReward):
        remedy = "Such as RecordedReward(exact_match, threshold=1.0)."
        raise argument_error("rewards", "be a breakeven.transformers.RecordedReward", rewards, remedy)
    allowed = {"mode": ("advise", "stop"), "on_stop": ("serve",), "baseline": ("sampled",)}
    for name, values in allowed.items():
        if others.get(name, values[0]) not in values:
            remedy = "The trainer's own evaluation has no greedy samples, and no other problems. Give a task for more."
            raise argument_error(name, f"be {' or '.join(values)} with rewards", others[name], remedy)
    for name in _SAID_BY_TRAINER:
        if name in others:
            remedy = "The trainer's own evaluation is what is decided on."
            raise argument_error(name, "be left out with rewards", others[name], remedy)


def asked_of_trainer(
    rewards: RecordedReward, args: Any, trainer: Any, *, tokenizer: Any, answers: Answers | None
) -> tuple[Asked, Evaluated]:
    """What a trainer of TRL evaluates on: the different prompts of its set; the other columns are their references.

    Args:
        rewards: one of its reward functions.
        args: its own.
        trainer: itself; None: no trainer.
        tokenizer: None: its own.
        answers: how answers are voted on; None: they are not.

    Raises:
        ArgumentError: it does not ask these rewards, does not evaluate, or not on one set with prompts.
    """
    if not any(each is rewards for each in getattr(trainer, "reward_funcs", ())):
        remedy = "Give it to both: GRPOTrainer(reward_funcs=exact, callbacks=[EarlyStop(rewards=exact)])."
        raise argument_error("rewards", "be among the trainer's reward_funcs", rewards.__name__, remedy)
    if str(args.eval_strategy.value) == "no":
        remedy = 'Its own evaluation is what is decided on. Such as eval_strategy="steps", eval_steps=50.'
        raise argument_error("eval_strategy", "be steps or epoch with rewards", "no", remedy)
    dataset, tokenizer = trainer.eval_dataset, tokenizer or trainer.processing_class
    columns = getattr(dataset, "column_names", None)
    if not isinstance(columns, list) or "prompt" not in columns or not hasattr(dataset, "__len__") or not len(dataset):
        got = type(dataset).__name__ if columns is None else f"columns {columns}"
        raise argument_error("eval_dataset", "be one Dataset with a column prompt", got)
    problems, prompt_tokens = dict[str, Problem](), list[int]()
    for row in dataset:
        prompt, others = text_of(row["prompt"]), {name: value for name, value in row.items() if name != "prompt"}
        if prompt not in problems:
            reference = json.dumps(others, sort_keys=True, default=str) if others else None
            problems[prompt] = Problem(id=str(len(problems)), prompt=prompt, reference=reference)
            prompt_tokens.append(num_tokens(tokenizer, row["prompt"]))
    own = tuple(problems.values())
    asked = Asked(problems=own, test_problems=(), verifier=Elsewhere(), answers=answers, max_tokens=1, stop=())
    return asked, Evaluated(
        problems=own,
        prompt_tokens_P=tuple(prompt_tokens),
        num_samples=args.num_generations_eval or args.num_generations,
        temperature=args.temperature,
        seed=args.seed,
        answers=answers,
    )


def num_tokens(tokenizer: Any, prompt: str | Sequence[Mapping[str, Any]]) -> int:
    """Tokens of a prompt as TRL writes it: a text as it is, messages through the chat template."""
    is_text = isinstance(prompt, str)
    text = prompt if is_text else tokenizer.apply_chat_template(prompt, add_generation_prompt=True, tokenize=False)
    return max(1, len(tokenizer(text, add_special_tokens=is_text)["input_ids"]))


def text_of(given: str | Sequence[Mapping[str, Any]]) -> str:
    """A prompt or a completion as text; of messages, the one there is, or all of them as JSON."""
    if isinstance(given, str):
        return given
    if len(given) == 1 and isinstance(given[0].get("content"), str):
        return str(given[0]["content"])
    return json.dumps(given, sort_keys=True, default=str)
