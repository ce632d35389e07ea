"""Every seed that is made of another, and which of its bits say what: no other module does arithmetic on seeds.

A run's own seed has 31 bits. Seeds made of it have 63, so that signed integers of servers and logs hold them: above bit
32 is the run's, below it the step of a checkpoint, with bit 31 set for searches at it; the highest are of test draws.
"""

import hashlib
from typing import Final

MAX_SEED: Final = 2**63 - 1
"""Of a bank."""


def bank_seed(run_seed: int, step: int) -> int:
    """Of the samples of one checkpoint."""
    return (run_seed << 32) + step


def search_seed(run_seed: int, step: int) -> int:
    """Of the searches at one checkpoint."""
    return bank_seed(run_seed, step) + (1 << 31)


def verification_seed(run_seed: int, number: int) -> int:
    """Of test draw 0, 1, ... of a verification."""
    return (run_seed << 32) + 2**32 - 1 - number


def batch_seed(seed: int, first: int) -> int:
    """Of samples `first`, `first + 1`, ... of a bank, for a sampler that begins to count anew with every call.

    >>> batch_seed(7, 0), batch_seed(7, 4) == batch_seed(7, 5), batch_seed(7, 4) <= MAX_SEED
    (7, False, True)
    """
    if first == 0:
        return seed
    digest = hashlib.blake2b(f"{seed} {first}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
