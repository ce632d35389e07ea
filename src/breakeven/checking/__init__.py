"""Running foreign work in processes of its own: checks that may hang, and model-written code that may attack.

A program runs in a process of its own and is asked for values; the tests run in another process, which it cannot reach.
`workers` runs checkers under a deadline. Knows nothing of tasks or models; imports `errors` only.
"""

from breakeven.checking.found import find_sandbox
from breakeven.checking.program import Limits, Outcome, Program, Sandbox, Verdict

__all__ = ["Limits", "Outcome", "Program", "Sandbox", "Verdict", "find_sandbox"]
