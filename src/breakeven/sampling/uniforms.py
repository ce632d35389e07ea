"""Counter-based uniforms: every one is a hash of (seed, problem, sample, position), and no random generator is touched.

Sampling therefore cannot disturb training, and sample i is the same whether 4 or 64 are drawn.
"""

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def sample_keys(seed: int, problem_ids: Sequence[str], num_samples: int, first: int = 0) -> npt.NDArray[np.uint64]:
    """One 64-bit key per (problem, sample), shape (P x N,), from the seed and the problem's id, not its place.

    >>> bool((sample_keys(3, ["a", "b"], 4)[6:] == sample_keys(3, ["b"], 2, first=2)).all())
    True
    """
    ids_P = np.array([zlib.crc32(each.encode()) for each in problem_ids], dtype=np.uint64)
    keys_P = _mix(_mix(np.full_like(ids_P, seed)) ^ ids_P)
    samples_N = np.arange(first + 1, first + num_samples + 1, dtype=np.uint64)
    return _mix(keys_P[:, None] + samples_N * _GOLDEN).ravel()


def uniforms(keys_B: npt.NDArray[np.uint64], position: int) -> npt.NDArray[np.float64]:
    """Uniforms in [0, 1) with 53 bits, one per row."""
    bits_B = _mix(keys_B + np.arange(position + 1, position + 2, dtype=np.uint64) * _GOLDEN)
    return (bits_B >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mix(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The splitmix64 finalizer (Steele, Lea, Flood, 2014): a bijection that scatters every bit."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
