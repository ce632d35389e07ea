"""What a hostile program may try. None is judged right, none reaches anything outside, nothing of it stays behind."""

import os
import re
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from breakeven.checking import Limits, Outcome, Program, Sandbox, Verdict

TEST = "assert f(1) == 'the right answer'"
PASSED, FAILED = Verdict.PASSED, Verdict.FAILED


def attack(sandbox: Sandbox, source: str, test: str = TEST, **limits: int) -> Outcome:
    """`source`, as it says itself, must not pass; nor does it anywhere."""
    return sandbox.run(Program(source=textwrap.dedent(source), test=test, functions=("f",), limits=Limits(**limits)))


def answer(sandbox: Sandbox, body: str) -> str:
    """What `body`, the lines of a function, returns, as text: how a test looks into the sandbox."""
    source = "import os, sys\ndef f(x):\n" + textwrap.indent(textwrap.dedent(body), "    ")
    outcome = attack(sandbox, source, "raise LookupError(repr(f(1)))")
    assert outcome.verdict is FAILED
    return outcome.reason.removeprefix("LookupError: ")


# -- verdicts cannot be forged ----------------------------------------------------------------------------------------

FORGERIES = {
    "sys.exit": "import sys\nsys.exit(0)",
    "sys.exit when called": "import sys\ndef f(x): sys.exit(0)",
    "os._exit": "import os\nos._exit(0)",
    "os._exit when called": "import os\ndef f(x): os._exit(0)",
    "exit in a thread": """
        import os, threading
        def f(x):
            thread = threading.Thread(target=os._exit, args=(0,))
            thread.start()
            thread.join()
        """,
    "SystemExit in a thread": """
        import threading
        def f(x):
            thread = threading.Thread(target=exit)
            thread.start()
            thread.join()
        """,
    "exit at exit": "import atexit, os, sys\natexit.register(os._exit, 0)\ndef f(x): sys.exit()",
    "quitting by signal": "import os, signal\ndef f(x): os.kill(os.getpid(), signal.SIGKILL)",
    "abort": "import os\ndef f(x): os.abort()",
    "exec": "import os\ndef f(x): os.execv('/usr/bin/true', ['true'])",
    "printing": """
        import sys
        def f(x):
            for word in ("passed", "P", "ok", "\\0" * 16 + "P"):
                print(word)
                print(word, file=sys.stderr)
        """,
    "writing to every descriptor": """
        import os
        def f(x):
            for number in range(64):
                try: os.write(number, b"\\0" * 16 + b"P")
                except OSError: pass
        """,
    "closing every descriptor": "import os\ndef f(x): os.closerange(0, 1000)",
    "closing them at once": "import os\nos.closerange(0, 1000)\ndef f(x): return 'the right answer'",
    "monkey-patched builtins": """
        import builtins, sys
        class Always:
            def __eq__(self, other): return True
            def __ne__(self, other): return False
            def __getattr__(self, name): return lambda *a, **k: self
        builtins.AssertionError = builtins.Exception = Always
        builtins.compile = builtins.exec = builtins.isinstance = builtins.repr = lambda *a, **k: True
        builtins.check = builtins.assertEqual = lambda *a, **k: None
        sys.exit = sys.excepthook = lambda *a: None
        def f(x): return Always()
        """,
    "equal to everything": """
        class Always:
            def __eq__(self, other): return True
            __hash__ = None
        def f(x): return Always()
        """,
    "text equal to everything": """
        class Always(str):
            def __eq__(self, other): return True
            def __ne__(self, other): return False
            __hash__ = None
        def f(x): return Always("wrong")
        """,
    "check replaced": """
        def check(candidate): pass
        def f(x):
            import sys
            frame = sys._getframe()
            while frame:
                frame.f_globals["check"] = frame.f_globals["f"] = lambda *a: "the right answer"
                frame.f_globals["PASSED"] = frame.f_globals["FAILED"] = b"P"
                frame = frame.f_back
        """,
    "tracing": """
        import sys, threading
        def trace(frame, event, argument):
            frame.f_lineno = frame.f_lineno + 1
            return trace
        sys.settrace(trace)
        sys.setprofile(lambda *a: None)
        threading.settrace(trace)
        def f(x): return None
        """,
    "the harness patched": """
        import sys
        for module in list(sys.modules.values()):
            for name in ("encode", "decode", "_encode", "_check", "_judged", "_bar_others"):
                if hasattr(module, name):
                    setattr(module, name, lambda *a, **k: b"P")
        def f(x): return None
        """,
    "killing the checker": "import os, signal\ndef f(x): os.kill(os.getppid(), signal.SIGKILL)",
    "stopping the checker": "import os, signal\ndef f(x): os.kill(os.getppid(), signal.SIGSTOP)",
    "an exception that the test may expect": "def f(x): raise AssertionError",
    "a flood of answers": """
        import os
        true = (1).to_bytes(8, "big") + b"T"
        def f(x):
            for number in range(3, 64):
                try:
                    for _ in range(100): os.write(number, true)
                except OSError: pass
        """,
    "an answer too long to come": """
        import os
        def f(x):
            for number in range(3, 64):
                try: os.write(number, b"\\xff" * 100)
                except OSError: pass
            os._exit(0)
        """,
}


@pytest.mark.parametrize("source", FORGERIES.values(), ids=FORGERIES.keys())
def test_verdict_cannot_be_forged(bubblewrap: Sandbox, source: str) -> None:
    assert attack(bubblewrap, source, wall_seconds=4).verdict is not PASSED


@pytest.mark.parametrize(
    "name", ["sys.exit", "os._exit when called", "printing", "equal to everything", "check replaced"]
)
def test_verdict_cannot_be_forged_by_simple_means_without_a_sandbox(name: str) -> None:
    from breakeven.checking.subprocess_backend import UnsafeSubprocess

    assert attack(UnsafeSubprocess(), FORGERIES[name], wall_seconds=4).verdict is FAILED


def test_neither_test_nor_nonce_is_in_the_memory_of_the_program(bubblewrap: Sandbox) -> None:
    source = """
        import gc, sys
        def f(x):
            found = []
            texts = [each for each in gc.get_objects() if isinstance(each, (dict, list, tuple))]
            frame = sys._getframe()
            while frame:
                texts.append(frame.f_locals)
                texts.append(frame.f_globals)
                frame = frame.f_back
            needle = " ".join(("the", "right", "answer"))
            for each in texts:
                values = each.values() if isinstance(each, dict) else each
                for value in list(values):
                    if isinstance(value, (str, bytes)) and needle in str(value):
                        found.append(value)
            return found[0] if found else "nothing found"
        """
    assert attack(bubblewrap, source, f"{TEST}, f(1)").reason == "AssertionError: nothing found (line 1 of the test)"


READING = """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    class Vector(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
    def reads(process):
        local = ctypes.create_string_buffer(8)
        here, there = Vector(ctypes.addressof(local), 8), Vector(id(None), 8)  # both came out of one fork
        libc.process_vm_readv.restype = ctypes.c_ssize_t
        return libc.process_vm_readv(process, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    def takes(process, descriptor):
        handle = libc.syscall(434, process, 0)  # pidfd_open
        return libc.syscall(438, handle, descriptor, 0)  # pidfd_getfd
    def traces(process):
        return libc.ptrace(16, process, None, None)  # PTRACE_ATTACH
    def f(x):
        parent = os.getppid()
        outcomes = [reads(parent), traces(parent), *(takes(parent, number) for number in range(5))]
        for name in ("mem", "fd/0", "fd/1", "maps", "environ"):
            try: os.open(f"/proc/{parent}/{name}", os.O_RDONLY); outcomes.append(name)
            except OSError: outcomes.append(-1)
        child = os.fork()
        if child == 0:
            import time; time.sleep(5); os._exit(0)
        own = reads(child)
        os.kill(child, 9)
        return outcomes, own
    """


def test_memory_and_descriptors_of_the_checker_are_out_of_reach(bubblewrap: Sandbox) -> None:
    test = "outcomes, own = f(1)\nassert set(outcomes) == {-1}, outcomes\nassert own == 8, own"
    # `own`: the calls are right, since they do read a child, which does not protect itself
    assert attack(bubblewrap, READING, test) == Outcome(verdict=PASSED)


def test_test_imports_nothing_that_the_program_wrote(bubblewrap: Sandbox) -> None:
    source = """
        import os, sys
        for name in ("random", "copy", "string", "decimal", "sitecustomize"):
            for folder in (".", "/tmp", *sys.path):
                try:
                    with open(f"{folder}/{name}.py", "w") as file:
                        file.write("import os; os._exit(0); randint = lambda *a: 'the right answer'")
                except OSError: pass
        def f(x): return "the right answer" if x == "the right answer" else None
        """
    test = (
        "import random, copy, string, decimal\nassert decimal.__file__.startswith('/usr')\nassert random.random() < 1"
    )
    outcome = attack(bubblewrap, source, test.replace("/usr", os.path.dirname(os.__file__)[:4]) + "\n" + TEST)
    assert outcome.verdict is FAILED
    assert outcome.reason.startswith("AssertionError (line ")


# -- limits -----------------------------------------------------------------------------------------------------------


def test_fork_bomb(bubblewrap: Sandbox) -> None:
    outcome = attack(bubblewrap, "import os\ndef f(x):\n    while True: os.fork()")
    assert outcome.verdict is not PASSED
    stubborn = """
        import os
        def f(x):
            while True:
                try: os.fork()
                except OSError: pass
        """
    started = time.monotonic()
    assert attack(bubblewrap, stubborn, cpu_seconds=1, wall_seconds=4).verdict is not PASSED
    assert time.monotonic() - started < 30


def test_processes_are_limited_in_number(bubblewrap: Sandbox) -> None:
    body = """
        children = []
        try:
            while len(children) < 100:
                child = os.fork()
                if child == 0:
                    import time; time.sleep(10); os._exit(0)
                children.append(child)
        except OSError: pass
        return len(children)
        """
    if os.geteuid() == 0 and "setpriv=None" in repr(bubblewrap):
        pytest.skip("the number of root's processes is not limited, and there is no setpriv to become another user")
    assert int(answer(bubblewrap, body).split()[0]) < Limits().max_processes


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_endless_output(bubblewrap: Sandbox, stream: str) -> None:
    source = f"import sys\ndef f(x):\n    while True: sys.{stream}.write('x' * 10_000)"
    outcome = attack(bubblewrap, source)
    assert outcome.verdict is FAILED
    assert outcome.reason == f"printed more than {Limits().output_bytes} bytes"
    assert len(outcome.output) <= 1000


def test_memory_hog(bubblewrap: Sandbox) -> None:
    hogs = ("x = []\ndef f(_):\n    while True: x.append(bytearray(10**7))", "def f(x): return 10 ** 10 ** 10")
    for source in hogs:
        assert attack(bubblewrap, source, cpu_seconds=1).verdict is FAILED


def test_files_are_limited_in_size(bubblewrap: Sandbox) -> None:
    for folder in ("/tmp", "/dev/shm", "."):
        body = f"""
            written = 0
            try:
                for number in range(100):
                    with open(f"{folder}/{{number}}", "wb") as file:
                        written += file.write(bytes(2**20))
            except OSError: pass
            return written
            """
        assert int(answer(bubblewrap, body).split()[0]) <= Limits().file_bytes


def test_huge_recursion(bubblewrap: Sandbox) -> None:
    source = "import sys\nsys.setrecursionlimit(10**9)\ndef f(x): return f(x)"
    assert attack(bubblewrap, source, cpu_seconds=1).verdict is FAILED
    nested = "def f(x):\n    y = []\n    for _ in range(10**5): y = [y]\n    return y"
    assert attack(bubblewrap, nested).verdict is FAILED


def test_infinite_sleep(bubblewrap: Sandbox) -> None:
    started = time.monotonic()
    assert attack(bubblewrap, "import time\ndef f(x): time.sleep(1e6)", wall_seconds=1).verdict is FAILED
    assert time.monotonic() - started < 30


def test_limits_cannot_be_raised(bubblewrap: Sandbox) -> None:
    body = """
        import resource
        raised = []
        for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_NPROC", "RLIMIT_FSIZE"):
            try: resource.setrlimit(getattr(resource, name), (-1, -1)); raised.append(name)
            except (OSError, ValueError): pass
        return raised
        """
    assert answer(bubblewrap, body).startswith("[]")


# -- nothing outside --------------------------------------------------------------------------------------------------


def test_nothing_outside_tmp_can_be_written(bubblewrap: Sandbox, tmp_path: Path) -> None:
    body = f"""
        written = []
        for folder in ("/", "/usr", "/usr/bin", "/usr/lib", "/etc", "/dev", "/home", "/root", {str(tmp_path)!r},
                       {str(Path.home())!r}, {str(Path.cwd())!r}, {sys.prefix!r}, os.path.dirname(os.__file__)):
            try:
                os.makedirs(folder, exist_ok=True)
                with open(folder + "/written", "w"): written.append(folder)
            except OSError: pass
        return [folder for folder in written if not folder.startswith("/tmp")]  # its own /tmp, as the last line shows
        """
    assert answer(bubblewrap, body).startswith("[]")
    assert list(tmp_path.iterdir()) == []


def test_files_of_the_user_cannot_be_read(bubblewrap: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    body = f"""
        read = []
        for path in ("/etc/shadow", "/etc/passwd", "/proc/1/environ", "/proc/self/status", "/sys", "/var",
                     {str(Path.home())!r}, {str(Path.cwd())!r}, {sys.prefix!r}, {str(tmp_path / "secret")!r}):
            if os.path.exists(path): read.append(path)
        return read
        """
    assert answer(bubblewrap, body).startswith("[]")


def test_benchmarks_installed_beside_the_interpreter_cannot_be_read(bubblewrap: Sandbox) -> None:
    body = """
        import glob
        places = ("/usr", "/usr/local", sys.prefix)
        return [each for place in places for each in glob.glob(f"{place}/lib*/python3*/*-packages/*")]
        """
    assert answer(bubblewrap, body).startswith("[]")


def test_environment_is_hidden(bubblewrap: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "secret")
    seen = answer(bubblewrap, "return sorted(os.environ)")
    assert "API_KEY" not in seen
    assert set(re.findall(r"\w+", seen.partition("]")[0])) <= {"HOME", "LC_ALL", "PATH", "PWD", "PYTHONHASHSEED"}


@pytest.fixture
def listener() -> Iterator[tuple[int, list[object]]]:
    """A server of the machine's, and who called."""
    calls: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                connection.close()
                calls.append(address)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], calls
        done.set()
        thread.join()


def test_there_is_no_network(bubblewrap: Sandbox, listener: tuple[int, list[object]]) -> None:
    port, calls = listener
    body = f"""
        import socket
        reached = []
        for address in (("127.0.0.1", {port}), ("localhost", {port}), ("8.8.8.8", 53), ("example.org", 443)):
            try: socket.create_connection(address, timeout=2).close(); reached.append(address)
            except OSError: pass
        return reached
        """
    assert answer(bubblewrap, body).startswith("[]")
    assert calls == []


def test_no_user_namespace_no_capability_no_other_user(bubblewrap: Sandbox) -> None:
    body = """
        import ctypes
        libc = ctypes.CDLL(None)
        gained = [name for name, flag in (("user", 0x10000000), ("mount", 0x20000), ("net", 0x40000000))
                  if libc.unshare(flag) == 0]
        for call in (lambda: os.setuid(0), lambda: os.chroot("/"), lambda: os.mknod("/tmp/d", 0o60666, 0x800)):
            try: call(); gained.append("call")
            except OSError: pass
        return gained, os.getuid()
        """
    allowed = "(['user'], 65534)" if "version=(0, 6" in repr(bubblewrap) else "([], 65534)"
    assert answer(bubblewrap, body).startswith(allowed)


def test_links_in_tmp_lead_nowhere(bubblewrap: Sandbox, tmp_path: Path) -> None:
    body = f"""
        os.symlink({str(tmp_path)!r}, "/tmp/away")
        os.symlink("/usr/lib", "/tmp/library")
        os.symlink("/tmp/loop", "/tmp/loop")
        written = []
        for path in ("away/x", "library/x", "loop/x", "../x"):
            try:
                with open("/tmp/" + path, "w"): written.append(path)
            except OSError: pass
        return written
        """
    before = set(os.listdir("/tmp"))
    assert answer(bubblewrap, body).startswith("[]")
    assert list(tmp_path.iterdir()) == []
    assert not {"away", "library", "loop"} & (set(os.listdir("/tmp")) - before)


def test_programs_do_not_see_what_others_left(bubblewrap: Sandbox) -> None:
    body = "before = os.listdir('/tmp')\nopen('/tmp/left', 'w').close()\nreturn before"
    assert answer(bubblewrap, body).startswith("[]")
    assert answer(bubblewrap, body).startswith("[]")


def test_everything_killed_that_can_be(bubblewrap: Sandbox) -> None:
    source = """
        import os
        def f(x):
            for process in (1, os.getppid(), *range(2, 3000), -1):
                try: os.kill(process, 9 if process != os.getpid() else 0)
                except OSError: pass
            return None
        """
    with subprocess.Popen(["sleep", "60"]) as bystander:
        assert attack(bubblewrap, source).verdict is not PASSED
        assert bystander.poll() is None
        bystander.kill()


# -- nothing stays ----------------------------------------------------------------------------------------------------


def processes_with(mark: str) -> list[int]:
    """Processes of this machine whose command line holds `mark`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [("return 'the right answer'", PASSED), ("return None", FAILED), ("time.sleep(100)", FAILED),
     ("os._exit(0)", FAILED), ("print('x' * 2**21)", FAILED)],
)  # fmt: skip
def test_no_process_survives_the_verdict(bubblewrap: Sandbox, ends: str, verdict: Verdict) -> None:
    mark = f"survivor-{os.getpid()}-{time.monotonic_ns()}"
    source = f"""
        import os, subprocess, sys, time
        def f(x):
            command = [sys.executable, "-S", "-c", "import time; time.sleep(300)", {mark!r}]
            subprocess.Popen(command, start_new_session=True, close_fds=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.3)
            {ends}
        """
    started = threading.Event()

    def watch() -> None:
        for _ in range(500):
            if processes_with(mark):
                return started.set()
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    outcome = attack(bubblewrap, source, wall_seconds=3)
    watcher.join()
    assert outcome.verdict is verdict, outcome
    assert started.is_set(), "the process was there"
    for _ in range(100):
        if not processes_with(mark):
            break
        time.sleep(0.02)
    assert processes_with(mark) == []
