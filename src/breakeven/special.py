"""The functions of scipy that decisions need, without the packages around them, which take longer than all of numpy.

`scipy.special` and `scipy.linalg` import what adapts them to other array libraries, and with it numpy's tools for tests
and Fortran. The compiled functions lie in modules of their own, which are loaded here by themselves, under the names
that these packages would load them by; or come from the packages, where scipy is of another version or these are
imported already. They are the same functions, so that no digit of a decision depends on the way.
"""

import importlib
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]

_KNOWN: Final = (1, 17)
"""The version of scipy whose layout is known."""


def _compiled(package: str, module: str) -> ModuleType | None:
    """A compiled module of a package of scipy that is not imported yet; None where it is, or the layout is another."""
    name = f"scipy.{package}.{module}"
    if f"scipy.{package}" in sys.modules or tuple(map(int, scipy.__version__.split(".")[:2])) != _KNOWN:
        return None
    if name not in sys.modules:
        spec = PathFinder.find_spec(name, [f"{path}/{package}" for path in scipy.__path__])
        if spec is None or spec.loader is None:
            return None
        sys.modules[name] = module_from_spec(spec)
        try:
            spec.loader.exec_module(sys.modules[name])
        except ImportError:
            del sys.modules[name]
            return None
    return sys.modules[name]


_special: Any = _compiled("special", "_special_ufuncs") or importlib.import_module("scipy.special")
expit, log_expit, logit = _special.expit, _special.log_expit, _special.logit
gammaln, ndtr = _special.gammaln, _special.ndtr
_lapack: Any = _compiled("linalg", "_flapack")


def eigh_tridiagonal(diagonal: Floats, beside: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues and vectors of a symmetric matrix of finite numbers, as of `scipy.linalg.eigh_tridiagonal`.

    Args:
        diagonal: at least 2.
        beside: those next to it.

    >>> eigh_tridiagonal(np.array([2.0, 2.0]), np.array([1.0]))[0].round(9).tolist()
    [1.0, 3.0]
    """
    if _lapack is not None:
        values, vectors, failed = _lapack.dstevd(diagonal, beside, compute_v=True)
        if not failed:
            return values, vectors
    from scipy.linalg import eigh_tridiagonal  # also says what went wrong

    values, vectors = eigh_tridiagonal(diagonal, beside)
    return values, vectors


def logsumexp(log_L: Floats) -> float:
    """Log of the sum of exponentials, as of `scipy.special.logsumexp` to the last bit, in a twentieth of the time.

    >>> logsumexp(np.log([1.0, 2.0])) == np.log(3.0)
    True
    """
    top = log_L.max()
    at_top_L = log_L == top
    others = np.exp(np.where(at_top_L, -np.inf, log_L) - top).sum() / at_top_L.sum()
    return float(np.log1p(others) + np.log(float(at_top_L.sum())) + top)
