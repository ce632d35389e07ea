"""Names that a user writes: one's own objects as `package.module:name`, and strategies as they were once called."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias

from breakeven.check import did_you_mean
from breakeven.errors import argument_error

_RULES = {"naive": "best_of_n", "weighted": "weighted_vote", "vote": "majority_vote"}
"""Rules of choice that searches had names of their own for, and what the same rule is called everywhere."""

Trust: TypeAlias = Callable[[str], None] | None
_SOURCE: Final[ContextVar[tuple[str, Trust]]] = ContextVar("_SOURCE", default=("", None))
"""The file that names come from, "" where it is the user's own words; and whether such a file is trusted."""


@contextmanager
def named_in(file: str | Path, trust: Trust = None) -> Iterator[None]:
    """While this lasts, names stand in a file that may be somebody else's, and lead to no code that does not ship.

    Args:
        file: where they stand; "" for a recipe or an option, which are the user's own words: then `trust` is only what
            holds for the files that these lead to.
        trust: the file is trusted, and this is told of each name before it is loaded; None: as it is around this.
    """
    token = _SOURCE.set((str(file), trust or _SOURCE.get()[1]))
    try:
        yield
    finally:
        _SOURCE.reset(token)


def check_trusted(name: str, argument: str) -> None:
    """Nothing, if the code of `package.module:name` may be run: the user wrote the name, or trusts the file it is in.

    Raises:
        ArgumentError: it may not.
    """
    file, trust = _SOURCE.get()
    if file and trust is None:
        rule = f"name what breakeven ships, for it stands in {file}, which may be somebody else's"
        raise argument_error(argument, rule, name, "To run that code, read it and give --trust-recipe.")
    if file and trust is not None:
        trust(f"{file} names {name}, which is run as it is trusted (--trust-recipe).")


def load_object(name: str, argument: str, *, shipped: bool = False) -> Any:
    """The object that `package.module:name` names; modules of the working directory are found too.

    Args:
        name: as written; what is named may have dots in it, as of an attribute of a class.
        argument: what the user wrote it for, such as "policy.strategies".
        shipped: whether breakeven itself wrote it, so that nobody has to be trusted.

    Raises:
        ArgumentError: no such form, module or name, or a module that cannot be imported; or it stands in a file that
            nobody trusts, see `named_in`.

    >>> load_object("math:pi", "x")
    3.141592653589793
    """
    module, separator, inside = name.partition(":")
    if not (separator and module and inside):
        raise argument_error(argument, "be written package.module:name", name)
    if not shipped:
        check_trusted(name, argument)
    here = os.getcwd()
    added = [] if here in sys.path else [here]
    sys.path += added
    try:
        found: Any = import_module(module)
    except Exception as error:  # whatever the module does when it is imported
        rule = f"name a module that can be imported, as {module} cannot"
        raise argument_error(argument, rule, name, f"{type(error).__name__}: {error}.") from error
    finally:
        for each in added:
            sys.path.remove(each)
    for part in inside.split("."):
        if not hasattr(found, part):
            rule = f"name something in {module}, which has no {part}"
            raise argument_error(argument, rule, name, did_you_mean(part, dir(found)))
        found = getattr(found, part)
    return found


def strategy_name(name: str) -> str:
    """What the strategy that an earlier version, or its user, called `name` is called now; all others keep theirs.

    >>> strategy_name("dvts/weighted"), strategy_name("revision/last"), strategy_name("best_of_n")
    ('dvts/weighted_vote', 'revision/last', 'best_of_n')
    """
    search, separator, rule = name.rpartition("/")
    return f"{search}{separator}{_RULES.get(rule, rule)}" if search else name
