"""The judged does not decide whether it is judged: whatever a program does to its check, it is wrong."""

import sys
import textwrap
import time
from types import SimpleNamespace

import pytest

from breakeven.checking import Limits, Outcome, Program, Sandbox, Verdict, supervise
from breakeven.checking.supervise import harness_source
from breakeven.checking.supervise import supervise as supervised

PASSED, FAILED, CHECK_FAILED = Verdict.PASSED, Verdict.FAILED, Verdict.CHECK_FAILED
SIGNALS = "import os, signal\ndef f(x):\n    for _ in range(9): os.kill(os.getppid(), signal.{})\n    return 3"
ESCAPES = {
    "sleeps": "import time\ndef f(x): time.sleep(99)",
    "sleeps before it is loaded": "import time\ntime.sleep(99)",
    "waits for itself": "import threading\nlock = threading.Lock()\ndef f(x):\n    with lock, lock: return 3",
    "reads what never comes": "import os\ndef f(x): return os.read(os.pipe()[0], 1)",
    "stops itself": "import os, signal\ndef f(x): os.kill(os.getpid(), signal.SIGSTOP)",
    "kills itself": "import os, signal\ndef f(x): os.kill(os.getpid(), signal.SIGKILL)",
    "a chain of forks": """
        import os, time
        def f(x):
            while True:
                if os.fork(): time.sleep(99)
                while time.process_time() < 0.3: pass
        """,
    **{f"signals {name}": SIGNALS.format(name) for name in ("SIGINT", "SIGXCPU", "SIGALRM", "SIGTERM", "SIGSTOP")},
    "values that collide": "def f(x): return {(2**61 - 1) * number for number in range(1, 45_000)}",
    "keys that collide": "def f(x): return dict.fromkeys((2**61 - 1) * number for number in range(1, 45_000))",
    "a fraction that is hard to compare": """
        import fractions
        def f(x):
            made = fractions.Fraction(1, 2)
            made._numerator = made._denominator = "1e999999999"
            return made
        """,
    "a decimal that is hard to compare": "import decimal\ndef f(x): return decimal.Decimal('1e999999999')",
    "deep lists": "def f(x):\n    y = []\n    for _ in range(400): y = [y]\n    return y",
    "a name that the test lacks": "def f(x): raise NameError('assert_equal')",
    "a module that the test lacks": "def f(x): raise ImportError('No module named numpy')",
    "no memory, it says": "def f(x): raise MemoryError",
    "what cannot be passed on": "def f(x): return object()",
    "what has nothing in it": "def f(x): return []",
    "what cannot be computed with": "def f(x): return 'numbr'",
    **{
        f"a forged reply: {name}": f"""
            import os
            def f(x):
                body = {body!r}
                for number in range(3, 64):
                    try: os.write(number, len(body).to_bytes(8, "big") + body)
                    except OSError: pass
            """
        for name, body in {
            "long line": b"t3;Ft3;s1;As1;Bi" + b"f" * 6000 + b";N",
            "negative line": b"t3;Ft3;s1;As1;Bi-1;N",
            "nameless": b"t3;Ft3;i" + b"f" * 6000 + b";s1;Bi1;N",
            "short": b"t1;F",
            "arguments": b"t3;TNi7;",
            "unknown type": b"t3;Tm2;s2;ost1;s1;xN",
            "hard to make": b"t3;Tm2;s12;fractions.Fractiont1;sb;1e999999999N",
            "twice": b"t3;TTN" + (6).to_bytes(8, "big") + b"t3;TTN",
        }.items()
    },
}
TEST = """
value = f(1)
for last in value if isinstance(value, list) else [0]: pass
assert last == 0
if isinstance(value, str): eval(value)
assert f(value) == 2, f"got {value}"
assert value == 2.5
"""


def judged(sandbox: Sandbox, source: str, test: str = TEST, **limits: int) -> Outcome:
    allowed = Limits(**({"cpu_seconds": 1, "wall_seconds": 4} | limits))
    return sandbox.run(Program(source=textwrap.dedent(source), test=test, functions=("f",), limits=allowed))


@pytest.mark.parametrize("source", ESCAPES.values(), ids=ESCAPES.keys())
def test_a_program_cannot_escape_its_verdict(bubblewrap: Sandbox, source: str) -> None:
    started = time.monotonic()
    outcome = judged(bubblewrap, source)
    assert outcome.verdict is FAILED, outcome
    assert time.monotonic() - started < 25


SPOILS = {
    "a file that the test writes": "os.mkdir('/tmp/in')",
    "a file that the test reads": "os.remove('/tmp/given')",
    "the room for it": "fill('/tmp/full')",
    "the number of files it may open": "resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (1, 1))",
    "its memory": "resource.prlimit(os.getppid(), resource.RLIMIT_AS, (1, 1))",
    "processes it may start": "[os.fork() or time.sleep(9) for _ in range(9)]",
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS.keys())
def test_nor_by_spoiling_what_its_test_needs_before_the_first_answer(bubblewrap: Sandbox, spoil: str) -> None:
    source = f"""
        import os, resource, time
        def fill(path):
            with open(path, "wb") as file:
                while True: file.write(bytes(2**20))
        if os.fork() == 0:
            {spoil}
            os._exit(0)
        time.sleep(0.4)
        def f(x): return 3
        """
    test = """
import _decimal, subprocess, sys
large = [0] * 10**6
with open("/tmp/in", "w") as file: file.write(open("/tmp/given").read())
subprocess.run([sys.executable, "-S", "-c", ""])
assert f(1) == 2
"""
    allowed = Limits(cpu_seconds=1, wall_seconds=4)
    setup = "with open('/tmp/given', 'w') as file: file.write('x' * 10**5)"
    program = Program(source=textwrap.dedent(source), test=test, setup=setup, functions=("f",), limits=allowed)
    assert bubblewrap.run(program).verdict is FAILED


def test_a_checker_is_not_slowed_down(bubblewrap: Sandbox) -> None:
    source = """
        import ctypes, os, struct
        libc, checker = ctypes.CDLL(None), os.getppid()
        slower = [libc.setpriority(0, checker, 19), libc.sched_setscheduler(checker, 5, struct.pack("i", 0))]
        try: os.sched_setaffinity(checker, {0})
        except OSError: slower.append(-1)
        def f(x): return slower, os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        """
    assert judged(bubblewrap, source, "assert f(1) == ([-1] * 3, None), f(1)") == Outcome(verdict=PASSED)


@pytest.mark.parametrize("signal", ["SIGKILL", "SIGSTOP", "SIGINT"])
def test_nor_where_it_can_reach_its_checker(signal: str) -> None:
    from breakeven.checking.subprocess_backend import UnsafeSubprocess

    assert judged(UnsafeSubprocess(), SIGNALS.format(signal), wall_seconds=1).verdict is FAILED


def test_values_that_keep_a_test_busy_or_fill_its_memory_are_wrong(bubblewrap: Sandbox) -> None:
    busy = judged(bubblewrap, "def f(x): return 10**18", "for _ in range(f(1)): pass")
    assert busy == Outcome(verdict=FAILED, reason="keeps its test busy: more than 2 s of CPU time")
    large = judged(bubblewrap, "def f(x): return 10**12", "assert [0] * f(1)")
    assert (large.verdict, large.reason) == (FAILED, "MemoryError (line 1 of the test)")


def test_a_test_that_is_broken_by_itself_is_told_from_one_that_a_value_broke(sandbox: Sandbox) -> None:
    source = "def f(x): return []"
    assert judged(sandbox, source, "f(1)\nassert missing").verdict is FAILED
    assert judged(sandbox, source, "assert missing").verdict is CHECK_FAILED
    assert judged(sandbox, source, "assert f(missing)").verdict is CHECK_FAILED
    assert judged(sandbox, source, "x = [0] * 10**12").verdict is CHECK_FAILED
    program = Program(source=source, setup="open('/missing')", test="", functions=("f",))
    assert sandbox.run(program).verdict is CHECK_FAILED


def test_a_sandbox_that_does_not_start_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "_START_SECONDS", 0.3)
    program = Program(source="", test="", functions=())
    outcome = supervised([sys.executable, "-S", "-c", "import time; time.sleep(9)"], program)
    assert outcome == Outcome(verdict=CHECK_FAILED, reason="the sandbox did not start in time")


SLOW = """
class Poll:
    def register(self, *arguments): pass
    def poll(self, milliseconds): m.time.sleep(1.0)
m.select = type("select", (), {"poll": Poll, "POLLIN": 1})
"""


def test_a_checker_that_is_not_served_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that lets it sleep: each time it looks up, a second is gone."""
    slow = harness_source(sys.executable).replace("m.main(", f"{SLOW}m.main(")
    limits = Limits(wall_seconds=2)
    program = Program(source="import time\ntime.sleep(99)", test="", functions=(), limits=limits)
    outcome = supervised([sys.executable, "-S", "-s", "-c", slow], program)
    assert outcome == Outcome(verdict=CHECK_FAILED, reason="the machine let the check wait for 2 of 2 s")


@pytest.mark.parametrize(("late", "verdict"), [(0.0, FAILED), (3.0, CHECK_FAILED)])
def test_a_checker_that_is_silent_is_judged_by_whether_the_machine_served_anybody(
    monkeypatch: pytest.MonkeyPatch, late: float, verdict: Verdict
) -> None:
    """The program silences the checker, where it can: a machine that is asleep does so, too, but to all."""
    if late:
        clock = iter(range(10_000))
        ticking = SimpleNamespace(monotonic=lambda: time.monotonic() + late * next(clock))
        monkeypatch.setattr(supervise, "time", ticking)
    source = "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)"
    program = Program(source=source, test="", functions=(), limits=Limits(wall_seconds=4 if late else 1))
    outcome = supervised([sys.executable, "-S", "-s", "-c", harness_source(sys.executable)], program)
    assert outcome.verdict is verdict, outcome


def test_right_programs_are_right_whatever_they_return(sandbox: Sandbox) -> None:
    source = """
        import collections, datetime, decimal, fractions
        def f(x):
            return {
                "range": range(0, 9, 3), "fraction": fractions.Fraction(1, 2), "decimal": decimal.Decimal("2.0"),
                "day": datetime.date(2024, 2, 29), "queue": collections.deque([1, 2], 5), "keys": {1: 2}.keys(),
                "items": {1: 2}.items(), "bytes": memoryview(b"ab"), "nested": [(fractions.Fraction(3), range(2))],
            }[x]
        """
    test = """
import collections, datetime, decimal, fractions
assert f("range") == range(0, 7, 3) and f("range")[1] == 3 and f("range") != [0, 3, 6]
assert f("fraction") == 0.5 == f("fraction") and f("fraction") + 1 == fractions.Fraction(3, 2)
assert f("decimal") == 2 and f("decimal") == decimal.Decimal(2) and str(f("decimal")) == "2.0"
assert f("day") == datetime.date(2024, 2, 29) and f("queue") == collections.deque([1, 2])
assert f("keys") == {1} and f("items") == {(1, 2)} and f("bytes") == b"ab" and f("nested") == [(3, range(2))]
"""
    outcome = sandbox.run(Program(source=textwrap.dedent(source), test=test, functions=("f",)))
    assert outcome == Outcome(verdict=PASSED)
