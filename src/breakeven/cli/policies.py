"""The stop rule that the options of a command name."""

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from breakeven.config import policy_from
from breakeven.errors import ArgumentError, argument_error
from breakeven.stopping.course import Policy
from breakeven.stopping.decide import RULES

_FLAGS = {"fluctuation_filter": "--filter/--no-filter", "name": "--policy"}


def chosen_policy(settings: dict[str, Any], name: str | None, options: dict[str, Any]) -> Policy:
    """The policy of `settings`, or another rule, with what the options give.

    Args:
        settings: with their `name`, as `policy_settings` gives them.
        name: of another rule, whose own defaults then hold; None: that of the settings.
        options: settings given on the command line; None: not given.

    Raises:
        ArgumentError: no such rule, a setting it does not have, or one out of range.
    """
    given = {option: value for option, value in options.items() if value is not None}
    start = settings if name in (None, settings["name"]) else {"name": name}
    if (rule := start["name"]) in RULES:
        own = {each.name for each in dataclasses.fields(cast(Any, RULES[rule][0]))} | {"patience"}
        if (foreign := next((each for each in given if each not in own), None)) is not None:
            raise argument_error(_flag(foreign), f"be an option of policy {rule}", given[foreign], "Leave it out.")
    with naming_options():
        return policy_from(start | given)


@contextmanager
def naming_options() -> Iterator[None]:
    """Name the option in what a policy refuses, which is worded for a recipe."""
    try:
        yield
    except ArgumentError as error:
        setting, _, rest = str(error).removeprefix("policy.").partition(" ")
        raise ArgumentError(f"{_flag(setting)} {rest}") from None


def _flag(setting: str) -> str:
    return _FLAGS.get(setting, f"--{setting.replace('_', '-')}")


def required_of(policy: Mapping[str, Any]) -> float | None:
    """The probability that a policy asks for, by its settings."""
    risk = policy.get("risk")
    return 1.0 - risk if isinstance(risk, float) else None
