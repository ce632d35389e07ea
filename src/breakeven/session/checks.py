"""What a user hands to a session, checked once at the start: each error says what it was, and what to hand over."""

from collections.abc import Mapping, Sequence

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records import Problem, SampleBank


def check_parts(*, sampler: object, verifier: object, problems: object, reward_model: object) -> None:
    """Nothing, if every part has the shape that the session will ask it in.

    Raises:
        ArgumentError: it has not.
    """
    _check_method("sampler", sampler, "sample", "sample(problems, num_samples, *, temperature, seed) -> list[Draw]")
    _check_method("verifier", verifier, "check", "check(problem, completion) -> bool")
    if reward_model is not None:
        _check_method("reward_model", reward_model, "score", "score(prefixes) -> list[Reward]")
    check_problems("problems", problems)


def check_problems(name: str, problems: object) -> None:
    """Nothing, if these are at least one Problem, with different ids.

    Raises:
        ArgumentError: they are not.
    """
    if isinstance(problems, str) or not isinstance(problems, Sequence) or not problems:
        raise argument_error(name, "be a sequence of at least one Problem", problems)
    seen = set[str]()
    for place, each in enumerate(problems):
        if not isinstance(each, Problem):
            remedy = "Use Problem(id=..., prompt=..., reference=...)."
            if isinstance(each, Mapping):
                remedy = "Make it one: Problem(**it)."
            raise argument_error(f"{name}[{place}]", "be a Problem", each, remedy)
        if each.id in seen:
            remedy = "Samples are functions of the id: equal ids would get equal samples."
            raise argument_error(name, "have different ids", each.id, remedy)
        seen.add(each.id)


def check_counts(least: int, **counts: float) -> None:
    """Nothing, if these are whole numbers of at least so many."""
    for name, count in counts.items():
        check.whole(name, count, least)


def check_settings(*, temperature: float, seed: int, mode: str, modes: Sequence[str]) -> None:
    """Nothing, if these are in their ranges.

    Raises:
        ArgumentError: one is not.
    """
    check.positive("temperature", temperature)
    if not 0 <= seed < 2**31:
        raise argument_error("seed", "be from 0 to 2147483647", seed)
    if mode not in modes:
        raise argument_error("mode", f"be one of {', '.join(modes)}", mode)


def check_tokens(step: int, train_tokens: int, sequence_tokens: int, last: tuple[int, int] | None = None) -> None:
    """Nothing, if so many tokens are plausible at `step`; `last`: step and tokens observed before it, if any.

    Raises:
        ArgumentError: at first, fewer than one sequence a step, as where sequences were counted; later, other tokens
            at the same step.
    """
    if last is not None:
        if step == last[0] and train_tokens != last[1]:
            rule = f"grow from {step}, already observed with {last[1]} tokens"
            remedy = "Observe once a step, after optimizer.step(), not at every micro-batch."
            raise argument_error("step", rule, step, remedy)
        return
    if step > 0 and train_tokens < 0.5 * step * sequence_tokens:
        raise argument_error(
            "train_tokens",
            f"count at least one sequence of {sequence_tokens} tokens a step",
            f"{train_tokens} at step {step}",
            "Count tokens, not sequences or micro-steps; and step counts optimizer steps.",
        )


def check_bank(bank: SampleBank, *, num_problems: int, temperature: float) -> None:
    """Nothing, if a bank is of so many problems at this temperature.

    Raises:
        ArgumentError: it is not.
    """
    if bank.num_problems != num_problems:
        remedy = "Each has a row, in the order of the session's problems."
        raise argument_error("bank", f"be of the session's {num_problems} problems", bank.num_problems, remedy)
    if bank.temperature != temperature:
        remedy = "Give the session that of the samples."
        raise argument_error("bank", f"be drawn at the session's temperature {temperature}", bank.temperature, remedy)


def _check_method(name: str, part: object, method: str, signature: str) -> None:
    if callable(getattr(part, method, None)) and not isinstance(part, type):
        return
    remedy = f"It takes an object with {signature}."
    if isinstance(part, type):
        remedy = f"That is the class: hand over an instance, {part.__name__}(...)."
    elif callable(part):
        remedy += f" Wrap the function: types.SimpleNamespace({method}=your_function)."
    raise argument_error(name, f"have a method {method}", part, remedy)
