"""Names that a user writes: one's own objects as `package.module:name`, and strategies as they were once called."""

import os
import sys
from importlib import import_module
from typing import Any

from breakeven.check import did_you_mean
from breakeven.errors import argument_error

_RULES = {"naive": "best_of_n", "weighted": "weighted_vote", "vote": "majority_vote"}
"""Rules of choice that searches had names of their own for, and what the same rule is called everywhere."""


def load_object(name: str, argument: str) -> Any:
    """The object that `package.module:name` names; modules of the working directory are found too.

    Args:
        name: as written; what is named may have dots in it, as of an attribute of a class.
        argument: what the user wrote it for, such as "policy.strategies".

    Raises:
        ArgumentError: no such form, module or name, or a module that cannot be imported.

    >>> load_object("math:pi", "x")
    3.141592653589793
    """
    module, separator, inside = name.partition(":")
    if not (separator and module and inside):
        raise argument_error(argument, "be written package.module:name", name)
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
