"""Plain nested settings, as TOML and JSON hold them, made into records; what is wrong is named by where it stands."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import msgspec

from breakeven.check import did_you_mean
from breakeven.errors import ArgumentError, argument_error

_Record = TypeVar("_Record")


def as_record(settings: Any, owner: type[_Record], section: str = "") -> _Record:
    """`settings`, plain values, as a record of type `owner`.

    Args:
        settings: of the record.
        owner: any type that msgspec converts to.
        section: where they stand in the whole; "" for the whole.

    Raises:
        ArgumentError: a wrong type, or what the record itself refuses.
    """
    try:
        return msgspec.convert(settings, owner)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        inner = where.strip("`").removeprefix("$").lstrip(".")
        path = ".".join(filter(None, (section, inner)))
        if isinstance(error.__cause__, ArgumentError):  # worded by the record itself, which knows its own name only
            message = str(error.__cause__)
            prefix = "" if not path or message.startswith(path) else f"{path}."
            raise ArgumentError(prefix + message) from None
        value: Any = settings
        for key in inner.split(".") if inner else ():
            value = value.get(key.partition("[")[0]) if isinstance(value, dict) else value
        rule = what[0].lower() + what[1:].replace("`", "")
        raise argument_error(path or "the recipe", f"be of its type: {rule}", value) from error


def refuse_unknown(settings: Mapping[str, Any], known: Mapping[str, Any], section: str = "") -> None:
    """Nothing, if all settings are known, those of their sections too.

    Args:
        settings: plain values.
        known: names, and what is of each: a dataclass is a section.
        section: where they stand in the whole; "" for the whole.

    Raises:
        ArgumentError: a name that is not known; those written nearly so are given, else all.
    """
    for key, value in settings.items():
        path = f"{section}.{key}" if section else key
        if key not in known:
            rule = f"be a setting of [{section}]" if section else "be a setting or section"
            remedy = did_you_mean(key, sorted(known)) or f"Known: {', '.join(sorted(known))}."
            raise argument_error(path, rule, key, remedy)
        if isinstance(value, dict) and is_dataclass(known[key]):
            refuse_unknown(value, types_of(known[key]), path)


def types_of(owner: Any) -> dict[str, Any]:
    """The fields of a dataclass, with their types."""
    return {each.name: each.type for each in fields(owner)}


def key_value(option: str, text: str, example: str) -> tuple[str, Any]:
    """A name and its value from `key=value`; the value is TOML, or a bare word a string.

    >>> key_value("--set", "train.steps=600", ""), key_value("--set", "style=chat", "")
    (('train.steps', 600), ('style', 'chat'))
    """
    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise argument_error(option, "be key=value", text, f"For example {option} {example}.")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        return key.strip(), value


def override(settings: dict[str, Any], text: str) -> None:
    """Put `section.key=value` into `settings`, as --set does."""
    key, value = key_value("--set", text, "train.steps=600")
    *sections, name = key.split(".")
    for section in sections:
        settings = settings.setdefault(section, {})
        if not isinstance(settings, dict):
            raise argument_error("--set", "name a setting inside a section", key)
    settings[name] = value
