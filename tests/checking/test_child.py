"""A child process: fed while it is read, never longer than the deadline, and gone with all that it started."""

import os
import sys
import time

import pytest

from breakeven.checking.child import Child

LATER = 60.0


def child(source: str, listen: bool = False) -> Child:
    return Child([sys.executable, "-S", "-c", source], environment={"ONLY": "this"}, listen=listen)


def ended(pid: int) -> bool:
    """Whether the process is no more, at most a second from now: a killed one is reaped by whoever adopted it."""
    for _ in range(100):
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] in "ZX":
                    return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


def test_it_is_fed_and_read_at_the_same_time() -> None:
    """What it says at once would fill the pipe before all is fed."""
    echo = child("import sys\nfor line in sys.stdin: sys.stdout.write(line)")
    message = b"x" * 999 + b"\n"
    assert echo.exchange(message * 2000, time.monotonic() + LATER, lambda: False, and_close=True)
    echo.kill()
    assert echo.said == message * 2000
    assert (echo.exit_status, echo.alive) == (0, False)


def test_it_can_be_asked_again_and_sees_its_own_environment_only() -> None:
    asked = child("import os, sys\nfor line in sys.stdin: print(eval(line), flush=True)")
    for request, reply in ((b"1 + 1\n", b"2\n"), (b"sorted(set(os.environ) - {'LC_CTYPE'})\n", b"['ONLY']\n")):
        asked.said.clear()
        assert not asked.exchange(request, time.monotonic() + LATER, lambda: asked.said.endswith(b"\n"))
        assert asked.said == reply
    assert asked.alive
    asked.kill()


def test_errors_are_kept_where_they_are_asked_for() -> None:
    source = "import os; os.write(2, b'why'); os.write(1, b'what')"
    for listen, printed in ((True, b"why"), (False, b"")):
        made = child(source, listen=listen)
        assert made.exchange(b"", time.monotonic() + LATER, lambda: False)
        made.kill()
        assert made.said == b"what"
        assert made.printed == printed


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import time; time.sleep(100)", b""),
        ("import time; time.sleep(100)", b"never read" * 1_000_000),
        ("while True: pass", b""),
        ("import os, time; os.close(2); time.sleep(100)", b""),
    ],
)
def test_nothing_lasts_longer_than_the_deadline(source: str, message: bytes) -> None:
    late = child(source, listen=True)
    started = time.monotonic()
    assert not late.exchange(message, started + 0.5, lambda: False)
    late.kill()
    assert 0.5 <= time.monotonic() - started < 30
    assert late.exit_status == -9


def test_it_is_left_when_enough_was_said() -> None:
    talker = child("while True: print('x' * 1000)")
    assert not talker.exchange(b"", time.monotonic() + LATER, lambda: len(talker.said) > 10_000)
    assert 10_000 < len(talker.said) <= 10_000 + (1 << 16)
    talker.kill()
    assert talker.exit_status == -9


def test_what_it_started_is_killed_with_it() -> None:
    source = """if True:
        import os, time
        inner = os.fork()
        if inner:
            os.write(1, b"%d\\n" % inner)
        time.sleep(100)
        """
    made = child(source)
    assert not made.exchange(b"", time.monotonic() + LATER, lambda: made.said.endswith(b"\n"))
    inner = int(made.said)
    os.kill(inner, 0)
    made.kill()
    assert ended(inner)
    made.kill()  # again, which does nothing


def test_what_nobody_reads_is_dropped() -> None:
    deaf = child("import os; os.close(0); os.write(1, b'no')")
    assert deaf.exchange(b"x" * 10_000_000, time.monotonic() + LATER, lambda: False)
    deaf.kill()
    assert deaf.said == b"no"


def test_a_command_that_is_none_is_an_error() -> None:
    with pytest.raises(OSError, match="/nowhere/command"):
        Child(["/nowhere/command"], environment={})
