"""Worker processes: answers, exceptions, deadlines, crashes, attacks, threads, and their end."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from breakeven.checking.workers import CheckBrokeError, Workers
from breakeven.errors import ArgumentError, CheckFailedError

SOURCE = """
import os, time, sys, subprocess, socket, signal

def start(settings):
    state = {"calls": 0}

    def call(what, *arguments):
        state["calls"] += 1
        if what == "echo":
            return arguments
        if what == "calls":
            return state["calls"]
        if what == "pid":
            return os.getpid()
        if what == "environment":
            return dict(os.environ)
        if what == "hash":
            return hash("text")
        if what == "print":
            print("forged" * 1000)
            sys.stdout.flush()
            os.write(1, b"\\x00\\x00\\x00\\x02{}")
            return "printed"
        if what == "forge":
            for each in range(3, 20):
                try: os.write(each, arguments[0].encode("latin-1"))
                except OSError: pass
            return "said"
        if what == "hang":
            time.sleep(60)
        if what == "spin":
            return 9 ** 9 ** 9 ** 9
        if what == "exit":
            os._exit(0)
        if what == "memory":
            return len(bytearray(8 << 30))
        if what == "raise":
            raise ValueError("odd " * 500)
        if what == "recurse":
            return call("recurse")
        if what == "unjson":
            return {1, 2}
        if what == "write":
            open(arguments[0], "w")
        if what == "run":
            subprocess.run(["true"])
        if what == "fork":
            os.fork()
        if what == "connect":
            socket.socket().connect(("127.0.0.1", 9))

    return call

def broken(settings):
    raise RuntimeError("no start")
"""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("module")
    (folder / "worker_under_test.py").write_text(SOURCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        patch.setenv("SECRET_API_KEY", "hidden")
        yield "worker_under_test:start"


@pytest.fixture(scope="module")
def workers(target: str):
    made = Workers(target, {}, timeout_seconds=1.5)
    yield made
    made.close()


def test_a_call_is_answered_in_json(workers: Workers) -> None:
    assert workers.call("echo", 1, "ü\x00", None, [2.5]) == [1, "ü\x00", None, [2.5]]
    assert workers.call("echo", "x" * 3_000_000) == ["x" * 3_000_000]
    before = workers.call("calls")
    assert workers.call("calls") == before + 1, "one process answers all"


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("raise", "the checker raised ValueError: odd odd"),
        ("recurse", "the checker raised RecursionError"),
        ("memory", "the checker raised MemoryError"),
        ("unjson", "the checker raised TypeError"),
        ("run", "the checker raised PermissionError: a checker may not do subprocess.Popen"),
        ("fork", "the checker raised PermissionError: a checker may not do os.fork"),
        ("connect", "the checker raised PermissionError: a checker may not do socket"),
    ],
)
def test_an_exception_fails_the_check_and_keeps_the_process(workers: Workers, what: str, message: str) -> None:
    pid = workers.call("pid")
    with pytest.raises(CheckFailedError, match=message) as error:
        workers.call(what)
    assert len(str(error.value)) < 500
    assert workers.call("pid") == pid


def test_a_checker_does_not_write(workers: Workers, tmp_path: Path) -> None:
    with pytest.raises(CheckFailedError, match="a checker may not do open"):
        workers.call("write", str(tmp_path / "file"))
    assert not list(tmp_path.iterdir())


def test_what_breaks_a_check_is_told_from_what_keeps_it_waiting(workers: Workers) -> None:
    """A process without CPU time, be it asleep or stopped, was not served: that says nothing of what is checked."""
    for what in ("spin", "raise", "exit", "memory"):
        with pytest.raises(CheckBrokeError):
            workers.call(what)
    with pytest.raises(CheckFailedError, match="a busy machine") as error:
        workers.call("hang")
    assert not isinstance(error.value, CheckBrokeError)


@pytest.mark.parametrize("what", ["hang", "spin"])
def test_what_is_late_is_killed_and_the_next_call_served(workers: Workers, what: str) -> None:
    pid = workers.call("pid")
    started = time.monotonic()
    with pytest.raises(CheckFailedError, match=r"the checker took more than 1\.5 s for one check"):
        workers.call(what)
    assert time.monotonic() - started < 10.0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert workers.call("pid") != pid


def test_a_crash_fails_one_check(workers: Workers) -> None:
    with pytest.raises(CheckFailedError, match=r"the checker's process died \(exit code 0\)"):
        workers.call("exit")
    assert workers.call("echo") == []


def test_a_process_that_was_killed_meanwhile_is_replaced(workers: Workers) -> None:
    pid = workers.call("pid")
    os.kill(pid, 9)
    time.sleep(0.2)
    assert workers.call("pid") != pid


def test_what_is_printed_forges_no_reply(workers: Workers) -> None:
    assert workers.call("print") == "printed"
    assert workers.call("echo", 1) == [1]


DEEP = "\x00\x00\xc3\x50" + "[" * 50_000


@pytest.mark.parametrize("forged", ["\x00\x00\x00\x02{}", "\x00\x00\x00\x02xx", "\x00\x00\x00\x011", "\xff" * 9, DEEP])
def test_a_reply_that_is_none_fails_the_check_and_ends_the_process(workers: Workers, forged: str) -> None:
    with pytest.raises(CheckFailedError, match="the checker's reply must be"):
        workers.call("forge", forged)
    assert workers.call("echo", 1) == [1]


def test_a_request_that_nobody_reads_is_late(workers: Workers) -> None:
    pid = workers.call("pid")
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(CheckFailedError, match=r"the checker took more than 1\.5 s"):
        workers.call("echo", "x" * 10_000_000)
    assert workers.call("echo", 1) == [1]


def test_processes_see_no_secrets_and_hash_alike(workers: Workers, target: str) -> None:
    assert "SECRET_API_KEY" not in workers.call("environment")
    other = Workers(target, {}, timeout_seconds=5.0)
    assert other.call("hash") == workers.call("hash")
    other.close()


def test_a_process_that_cannot_start_says_why(target: str) -> None:
    for function, reason in (("broken", "RuntimeError: no start"), ("missing", "AttributeError")):
        workers = Workers(target.replace("start", function), {}, timeout_seconds=1.0)
        with pytest.raises(CheckFailedError, match=f"a checker's process could not be started: .*{reason}"):
            workers.call("echo")


def test_threads_share_processes(target: str) -> None:
    workers = Workers(target, {}, timeout_seconds=5.0, num_workers=2)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda n: workers.call("echo", n), range(200))) == [[n] for n in range(200)]
        assert len(set(pool.map(lambda _: workers.call("pid"), range(50)))) <= 2
    workers.close()


def test_a_closed_pool_ends_its_processes_and_can_go_on(workers: Workers) -> None:
    pid = workers.call("pid")
    workers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert workers.call("echo", 1) == [1]


def test_a_forgotten_pool_ends_its_processes(target: str) -> None:
    workers = Workers(target, {}, timeout_seconds=5.0)
    pid = workers.call("pid")
    del workers
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"timeout_seconds must be above 0; got 0\.0"):
        Workers("module:function", {}, timeout_seconds=0.0)
    with pytest.raises(ArgumentError, match="num_workers must be at least 1; got 0"):
        Workers("module:function", {}, timeout_seconds=1.0, num_workers=0)
