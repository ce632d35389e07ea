"""Stop, then cool down: from a checkpoint the learning rate falls to the end over a few more steps.

The third way beside serving the checkpoint as it is and training on.
"""

import math

from breakeven import check
from breakeven.errors import argument_error


def cooldown_steps(step: int, share: float) -> int:
    """Steps of a cooldown over `share` of the tokens used until `step`; one at least.

    >>> cooldown_steps(400, 0.1)
    40
    """
    check.whole("step", step, 1)
    if not 0.0 < share <= 1.0:
        raise argument_error("share", "be above 0 and up to 1", share, "0.1 is a tenth of the tokens used.")
    return max(1, round(share * step))


def cooldown_factor(step: int, steps: int) -> float:
    """What the learning rate at the stop is multiplied by at step `step` of a cooldown, from 1 to `steps`.

    The first step is below 1 already, and the last above 0, where it would train nothing.

    Source:
        arXiv 2405.18392, section 3: 1 - sqrt, of one step more.

    >>> [round(cooldown_factor(step, 3), 3) for step in (1, 2, 3)]
    [0.5, 0.293, 0.134]
    """
    return 1.0 - math.sqrt(step / (steps + 1))
