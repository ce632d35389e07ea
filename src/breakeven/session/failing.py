"""Which exceptions of an evaluation end a run, and whose they are."""

import traceback

from breakeven.errors import (
    DivergedError,
    LostProcessError,
    RunInUseError,
    RunStorageError,
    SandboxError,
    UsageError,
)

_NEVER_SWALLOWED = (UsageError, DivergedError, LostProcessError, RunInUseError, RunStorageError, SandboxError)
_PARTS = {
    "sample": "sampler",
    "extend": "sampler",
    "solution_losses": "sampler",
    "check": "verifier",
    "score": "reward model",
}


def is_usage_error(error: Exception, *, first: bool) -> bool:
    """Whether whoever wrote the loop has to mend something.

    That is what this package refuses, and at the first evaluation a wrong type or name in a part that never worked yet.

    Args:
        error: what an evaluation raised.
        first: whether no evaluation has been made before.
    """
    return isinstance(error, _NEVER_SWALLOWED) or (first and isinstance(error, TypeError | AttributeError | NameError))


def raised_by(error: Exception) -> str:
    """The part whose method raised: "sampler", "verifier" or "reward model"; else "evaluation"."""
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    return next((_PARTS[name] for name in reversed(names) if name in _PARTS), "evaluation")


def diverged(step: int, loss: float) -> DivergedError:
    """The error for a loss that is NaN or infinite."""
    return DivergedError(
        f"loss must be finite; got {loss} at step {step}: training diverged. Everything recorded before is kept. "
        "Lower the learning rate and start a new run."
    )
