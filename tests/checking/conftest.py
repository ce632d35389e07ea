"""The sandboxes under test. Without a working bubblewrap its tests are skipped, and say why."""

import pytest

from breakeven.checking import Sandbox, find_sandbox
from breakeven.checking.subprocess_backend import UnsafeSubprocess
from breakeven.errors import SandboxError


@pytest.fixture(scope="session")
def bubblewrap() -> Sandbox:
    try:
        return find_sandbox()
    except SandboxError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["bubblewrap", "subprocess"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Each of them in turn."""
    found: Sandbox = UnsafeSubprocess() if request.param == "subprocess" else request.getfixturevalue("bubblewrap")
    return found
