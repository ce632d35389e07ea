"""The exceptions breakeven raises, and the one place where argument errors are worded.

BreakevenError
|-- UsageError                      the caller has to change something; never swallowed, never tried again
|   |-- ArgumentError (ValueError)      a value the user wrote breaks a rule
|   `-- MissingExtraError (ImportError) an optional dependency is not installed
|-- LogError (ValueError)           a run log cannot be read as one
|   |-- SeveralTasksError           it holds several tasks, and none was chosen
|   |-- CorruptLogError             a record in the middle is damaged
|   `-- NewerLogError               written by a later version of breakeven
|-- RunInUseError (RuntimeError)    another process holds the run directory
|-- RunStorageError (OSError)       the disk refused a write
|-- DivergedError (ArithmeticError) the training loss is NaN or infinite
|-- LostProcessError (RuntimeError) another process of a run in several has ended
|-- SamplerError (RuntimeError)     a model or server gave no usable samples; those it gave before are kept
|-- CheckFailedError (RuntimeError) a checker crashed or timed out: neither right nor wrong
`-- SandboxError (RuntimeError)     model-written code cannot be run safely here

Code that others wrote (a sampler, a verifier, a reward model) may raise anything. Whoever goes on after its failures
lets a UsageError through: `except UsageError: raise`, then `except Exception`.
"""

import unicodedata


class BreakevenError(Exception):
    """Base of every exception breakeven raises on purpose."""


class UsageError(BreakevenError):
    """Whoever wrote the call has to change something: trying again, or going on without, cannot help."""


class ArgumentError(UsageError, ValueError):
    """A value the user wrote breaks a rule."""


class MissingExtraError(UsageError, ImportError):
    """An optional dependency is not installed; the message names the extra."""


class LogError(BreakevenError, ValueError):
    """A run log cannot be read as one."""


class SeveralTasksError(LogError):
    """A log of evaluations holds several tasks, and none was chosen."""

    def __init__(self, message: str, tasks: tuple[str, ...]) -> None:
        super().__init__(message)
        self.tasks = tasks


class CorruptLogError(LogError):
    """A record before the last is damaged; the message names its line."""


class NewerLogError(LogError):
    """The log was written by a later version of breakeven."""


class RunInUseError(BreakevenError, RuntimeError):
    """Another process holds the run directory."""


class RunStorageError(BreakevenError, OSError):
    """The disk refused a write; what was recorded before stays readable."""


class DivergedError(BreakevenError, ArithmeticError):
    """The training loss is NaN or infinite."""


class LostProcessError(BreakevenError, RuntimeError):
    """Another process of a run in several has ended or does not answer; what was recorded before stays readable."""


class SamplerError(BreakevenError, RuntimeError):
    """A model or a server gave no usable samples; what it gave before is kept."""


class CheckFailedError(BreakevenError, RuntimeError):
    """A checker crashed or timed out, so that nobody knows whether the answer is right."""


class SandboxError(BreakevenError, RuntimeError):
    """Model-written code cannot be run safely on this machine; the message says what is missing."""


def argument_error(name: str, rule: str, got: object, remedy: str = "") -> ArgumentError:
    """An ArgumentError worded `<name> must <rule>; got <value>. <remedy>`.

    >>> print(argument_error("patience", "be at least 0", -1, "Use 0 to stop at once."))
    patience must be at least 0; got -1. Use 0 to stop at once.
    """
    return ArgumentError(f"{name} must {rule}; got {got!r}.{' ' + remedy if remedy else ''}")


def printable(text: str) -> str:
    r"""The text with control characters and lone surrogates as escapes, so that a terminal shows them and obeys none.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(each if _is_shown(each) else each.encode("unicode_escape").decode("ascii") for each in text)


def _is_shown(character: str) -> bool:
    """Letters of some scripts and many emoji are joined by U+200C and U+200D; what has no category is no command."""
    return character in "\u200c\u200d" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
