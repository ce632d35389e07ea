"""The functions of scipy that decisions rest on: the package's own, however they were come by."""

import subprocess
import sys

import numpy as np
import scipy.linalg
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from breakeven import special

FINITE = st.floats(-700, 700)

ALONE = """
import sys
import breakeven.stopping.calibrated, breakeven.ttc.evaluate
print(*sorted(each for each in ("scipy.special", "scipy.linalg") if each in sys.modules))
import scipy.special, scipy.linalg
from breakeven import special
for name in ("expit", "gammaln", "log_expit", "logit", "ndtr"):
    assert getattr(special, name) is getattr(scipy.special, name), name
scipy.special.betainc(1.0, 2.0, 0.5), scipy.linalg.eigh_tridiagonal([1.0, 2.0], [0.5])
"""


def test_decisions_import_no_package_of_scipy_and_leave_it_whole() -> None:
    ran = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    known = special._KNOWN == tuple(map(int, scipy.__version__.split(".")[:2]))
    assert ran.stdout.strip() == ("" if known else "scipy.linalg scipy.special")


@given(arrays(np.float64, 9, elements=FINITE))
def test_functions_are_those_of_the_package_to_the_last_bit(x: np.ndarray) -> None:
    for name in ("expit", "log_expit", "ndtr"):
        assert getattr(special, name)(x).tolist() == getattr(scipy.special, name)(x).tolist()
    assert special.gammaln(np.abs(x)).tolist() == scipy.special.gammaln(np.abs(x)).tolist()
    assert special.logsumexp(x) == scipy.special.logsumexp(x)


@given(st.integers(2, 12).flatmap(lambda n: arrays(np.float64, (2, n), elements=st.floats(-50, 50))))
def test_eigenvalues_and_vectors_are_those_of_the_package(made: np.ndarray) -> None:
    diagonal, beside = made[0], made[1, 1:]
    values, vectors = special.eigh_tridiagonal(diagonal, beside)
    expected = scipy.linalg.eigh_tridiagonal(diagonal, beside)
    assert (values.tolist(), vectors.tolist()) == (expected[0].tolist(), expected[1].tolist())
    again = np.linalg.eigvalsh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
    assert np.allclose(values, again, atol=1e-9)


def test_another_version_of_scipy_takes_the_packages(monkeypatch) -> None:
    monkeypatch.setattr(special, "_KNOWN", (0, 1))
    assert special._compiled("special", "_special_ufuncs") is None
    monkeypatch.setattr(special, "_lapack", None)
    values, _ = special.eigh_tridiagonal(np.array([2.0, 2.0]), np.array([1.0]))
    assert np.allclose(values, [1.0, 3.0])
