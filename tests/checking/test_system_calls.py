"""The filter of system calls: as data, on each kind of machine; and in a sandbox, where each kind is tried."""

import errno
import platform
import re
import struct
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from breakeven.checking import Outcome, Program, Sandbox, Verdict
from breakeven.checking.system_calls import OF_ITSELF, REFUSED, UNHEEDED, filter_for

ALLOWED, KILLED = 0x7FFF0000, 0x80000000
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
NEEDED = {
    "read": (0, 63), "write": (1, 64), "mmap": (9, 222), "munmap": (11, 215), "futex": (202, 98), "exit": (60, 93),
    "execve": (59, 221), "wait4": (61, 260), "kill": (62, 129), "getpid": (39, 172), "openat": (257, 56),
    "epoll_create1": (291, 20), "process_vm_readv": (310, 270), "sendmsg": (46, 211), "getrandom": (318, 278),
}  # fmt: skip


def outcome(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the kernel's filter machine makes of one call: written after its documentation."""
    code = filter_for(machine)
    assert code is not None
    assert len(code) % 8 == 0
    audit = AUDIT[machine] if audit is None else audit
    data = struct.pack("<IIQ6Q", number, audit, 0, *arguments, *(0,) * (6 - len(arguments)))
    program, place, held = list(struct.iter_unpack("<HBBI", code)), 0, 0
    while True:
        kind, then, otherwise, value = program[place]
        place += 1
        if kind == 0x06:
            return value
        if kind == 0x20:
            [held] = struct.unpack_from("<I", data, value)
        else:
            met = {0x15: held == value, 0x25: held > value, 0x45: bool(held & value)}[kind]
            place += then if met else otherwise


def fails_with(number: int) -> int:
    return 0x00050000 | number


@pytest.mark.parametrize(("column", "machine"), list(enumerate(AUDIT)))
def test_what_is_listed_is_refused_and_all_else_is_let_through(column: int, machine: str) -> None:
    refused = {numbers[column] for numbers in REFUSED.values()} - {None}
    fcntl, socketpair, clone3 = ((72, 25)[column], (53, 199)[column], 435)
    answers = dict.fromkeys(refused | {socketpair}, fails_with(errno.EPERM)) | {clone3: fails_with(errno.ENOSYS)}
    answers |= {numbers[column]: fails_with(0) for numbers in UNHEEDED.values()}
    for number in range(463):
        assert outcome(machine, number) == answers.get(number, ALLOWED), number
    assert all(outcome(machine, numbers[column]) == ALLOWED for numbers in NEEDED.values())
    for command in (1024, 1026, 1031):  # F_SETLEASE, F_NOTIFY, F_SETPIPE_SZ
        assert outcome(machine, fcntl, 3, command, 1 << 20) == fails_with(errno.EPERM)
    assert all(outcome(machine, fcntl, 3, command) == ALLOWED for command in (*range(17), 1030, 1032))
    for numbers in (OF_ITSELF | UNHEEDED).values():  # of another process
        assert outcome(machine, numbers[column], 1) == fails_with(errno.EPERM)
        assert outcome(machine, numbers[column], 1 << 31) == fails_with(errno.EPERM)
    assert outcome(machine, fcntl, 1031, 3) == ALLOWED
    assert outcome(machine, socketpair, 1, 1) == ALLOWED
    assert outcome(machine, socketpair, 2, 1) == fails_with(errno.EPERM)


@pytest.mark.parametrize(("column", "machine"), list(enumerate(AUDIT)))
def test_only_its_own_priority_is_said_to_be_set(column: int, machine: str) -> None:
    setpriority = (141, 140)[column]
    assert outcome(machine, setpriority, 0, 0, 19) == fails_with(0)
    for which, who in ((0, 1), (0, 1 << 31), (1, 0), (2, 0), (1, 7), (2, 65534)):  # a process, a group, a user
        assert outcome(machine, setpriority, which, who, 19) == fails_with(errno.EPERM)


@pytest.mark.parametrize(("column", "machine"), list(enumerate(AUDIT)))
def test_forks_and_threads_are_let_through_and_namespaces_are_not(column: int, machine: str) -> None:
    clone, fork, thread = (56, 220)[column], 0x01200011, 0x003D0F00
    assert outcome(machine, clone, fork) == outcome(machine, clone, thread) == ALLOWED
    for flag in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert outcome(machine, clone, fork | flag) == fails_with(errno.EPERM)


@pytest.mark.parametrize("machine", AUDIT)
def test_calls_newer_than_the_list_or_of_another_interface_are_not_there(machine: str) -> None:
    for number in (463, 467, 1000, 0x40000000, 0x40000000 + 56, 0xFFFFFFFF):
        assert outcome(machine, number) == fails_with(errno.ENOSYS)
    for audit in (0x40000003, 0x40000028, *set(AUDIT.values()) - {AUDIT[machine]}):
        assert outcome(machine, 0, audit=audit) == KILLED


@pytest.mark.parametrize(("column", "machine"), list(enumerate(AUDIT)))
def test_numbers_are_those_of_the_kernels_headers(column: int, machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip(f"no {HEADERS[machine]}")
    text = HEADERS[machine].read_text()
    known = {name: int(number) for name, number in re.findall(r"#define __NR_(\w+)\s+(\d+)", text)}
    known |= {name: int(number) for name, number in re.findall(r"#define __NR3264_(\w+)\s+(\d+)", text)}
    others = {"clone": (56, 220), "fcntl": (72, 25), "clone3": (435, 435)}
    for name, numbers in {**REFUSED, **OF_ITSELF, **UNHEEDED, **NEEDED, **others}.items():
        assert numbers[column] == known.get(name), name


def test_other_machines_have_none() -> None:
    assert filter_for("riscv64") is None


# -- in a sandbox -----------------------------------------------------------------------------------------------------

TRIED = """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    def tried(*arguments):
        made = libc.syscall(*map(lambda each: ctypes.c_long(each) if isinstance(each, int) else each, arguments))
        return "done" if made >= 0 else ctypes.get_errno()
    def f(numbers):
        open("/tmp/file", "w").close()
        data, pipe = ctypes.create_string_buffer(256), os.pipe()[1]
        arguments = {
            "keyctl": (0, -3, 1), "add_key": (b"user", b"x", b"secret", 6, -3),
            "request_key": (b"user", b"x", None, -3),
            "io_uring_setup": (1, data), "userfaultfd": (1,), "bpf": (0, data, 48),
            "perf_event_open": (data, 0, -1, -1, 0),
            "ptrace": (0, 0, 0, 0), "fanotify_init": (0, 0), "memfd_create": (b"x", 0), "memfd_secret": (0,),
            "shmget": (0, 4096, 0o1600), "semget": (0, 1, 0o1600), "msgget": (0, 0o1600),
            "mq_open": (b"x", 0o102, 0o600, None), "setxattr": (b"/tmp/file", b"user.x", b"y", 1, 0),
            "fsetxattr": (0, b"user.x", b"y", 1, 0), "lsetxattr": (b"/tmp/file", b"user.x", b"y", 1, 0),
            "inotify_init1": (0,), "vmsplice": (pipe, data, 0, 0), "unshare": (0x10000000,),
            "personality": (0xFFFFFFFF,),
            "mount": (b"tmpfs", b"/tmp", b"tmpfs", 0, None), "pidfd_getfd": (0, 0, 0), "kcmp": (1, 1, 0, 0, 0),
        }
        outcomes = {name: tried(numbers[name], *given) for name, given in arguments.items()}
        for family in (1, 2, 10, 16, 17, 38, 40):  # AF_UNIX, INET, INET6, NETLINK, PACKET, ALG, VSOCK
            outcomes[f"socket {family}"] = tried(numbers["socket"], family, 2, 0)
        return outcomes
    """


def run(sandbox: Sandbox, source: str, test: str) -> Outcome:
    return sandbox.run(Program(source=textwrap.dedent(source), test=textwrap.dedent(test), functions=("f",)))


def test_every_kind_is_refused_in_a_sandbox(bubblewrap: Sandbox) -> None:
    if platform.machine() not in AUDIT:
        pytest.skip("no filter for this machine")
    column = list(AUDIT).index(platform.machine())
    numbers = {name: each[column] for name, each in REFUSED.items() if each[column] is not None}
    test = f"outcomes = f({numbers!r})\nassert set(outcomes.values()) == {{1}} and len(outcomes) == 32, outcomes"
    assert run(bubblewrap, TRIED, test) == Outcome(verdict=Verdict.PASSED)


def test_what_programs_need_of_the_kernel_is_there(bubblewrap: Sandbox) -> None:
    source = """
        import asyncio, ctypes, multiprocessing.connection, os, socket, subprocess, sys, tempfile, threading, zoneinfo
        import ssl, sqlite3, decimal, zlib, lzma, hashlib, uuid
        def f(x):
            first, second = socket.socketpair()
            first.send(b"a")
            callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda number: number + 1)
            async def later():
                await asyncio.sleep(0)
                return 5
            with tempfile.TemporaryFile() as file:
                file.write(b"b")
            started = subprocess.run([sys.executable, "-S", "-c", "print(4)"], capture_output=True, text=True)
            table = sqlite3.connect(":memory:").execute("select 6").fetchone()
            zone = str(zoneinfo.ZoneInfo("Europe/Berlin"))
            return second.recv(1), callback(2), started.stdout, asyncio.run(later()), table, zone
        """
    assert (
        run(bubblewrap, source, "assert f(1) == (b'a', 3, '4\\n', 5, (6,), 'Europe/Berlin'), f(1)").verdict
        is Verdict.PASSED
    )


def test_a_programs_own_priority_processors_and_locks(bubblewrap: Sandbox) -> None:
    source = """
        import fcntl, os
        def f(x):
            parameters = os.sched_getscheduler(0), os.sched_param(0)
            os.sched_setscheduler(0, *parameters), os.sched_setparam(0, parameters[1])
            os.sched_setaffinity(0, os.sched_getaffinity(0))
            before, refused = os.getpriority(os.PRIO_PROCESS, 0), []
            for alter in (
                lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19),
                lambda: os.setpriority(os.PRIO_PGRP, 0, 19),
                lambda: os.setpriority(os.PRIO_USER, 0, 19),
            ):
                try: alter()
                except PermissionError: refused.append(1)
            with open("/tmp/file", "w") as file:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return os.nice(0) == os.nice(3) == before, refused
        """
    assert run(bubblewrap, source, "assert f(1) == (True, [1] * 3), f(1)") == Outcome(verdict=Verdict.PASSED)


def test_what_sandboxes_share_with_the_machine_can_be_neither_held_nor_altered(bubblewrap: Sandbox) -> None:
    """A lock, a lease or a mode of a shared file is seen by other programs, and may stop the machine's own."""
    source = """
        import fcntl, os
        def f(x):
            done = []
            for path in ("/dev/null", "/dev/urandom", os.__file__, os.path.dirname(os.__file__)):
                file = os.open(path, os.O_RDONLY)
                for name, alter in {
                    "lock": lambda: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB),
                    "lease": lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK),
                    "watch": lambda: fcntl.fcntl(file, fcntl.F_NOTIFY, fcntl.DN_ACCESS),
                    "mode": lambda: os.chmod(path, 0o666),
                    "times": lambda: os.utime(path),
                    "owner": lambda: os.chown(path, -1, -1),
                }.items():
                    try: alter(); done.append((path, name))
                    except OSError: pass
            return done, open("/dev/null", "w").write("to be written to")
        """
    test = "assert f(1) == ([], 16), f(1)"
    assert run(bubblewrap, source, test) == Outcome(verdict=Verdict.PASSED)
    if getattr(bubblewrap, "counts_files", False):  # as where root has no setpriv, and so owns the devices
        assert run(replace(bubblewrap, setpriv=None), source, test) == Outcome(verdict=Verdict.PASSED)  # type: ignore[type-var]


def test_a_sandbox_has_no_capability_left(bubblewrap: Sandbox) -> None:
    source = """
        import ctypes
        def f(x):
            header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[9] * 6)
            return ctypes.CDLL(None).capget(header, data), list(data), ctypes.CDLL(None).prctl(39, 0, 0, 0, 0)
        """
    assert run(bubblewrap, source, "assert f(1) == (0, [0] * 6, 1), f(1)") == Outcome(verdict=Verdict.PASSED)


def test_the_callers_keys_are_not_inherited() -> None:
    if platform.machine() != "x86_64":
        pytest.skip("numbers of x86-64")
    script = """
        import ctypes, struct
        from breakeven.checking.confine import confine
        libc = ctypes.CDLL(None, use_errno=True)
        own = libc.syscall(250, 1, None)
        key = libc.syscall(248, b"user", b"x:secret", b"secret", 6, -3)
        if own < 0 or key < 0: raise SystemExit("no keys here")
        before = libc.syscall(250, 10, -3, b"user", b"x:secret", 0)
        confine("x86_64", struct.pack("<HBBI", 6, 0, 0, 0x7FFF0000), "")
        print(before == key, libc.syscall(250, 10, -3, b"user", b"x:secret", 0), libc.syscall(250, 0, -3, 0) != own)
        """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    if "no keys here" in done.stderr:
        pytest.skip("this kernel keeps no keys, or a container forbids them")
    assert done.stdout == "True -1 True\n", done.stderr


def test_a_step_that_the_kernel_refuses_ends_the_sandbox() -> None:
    script = "from breakeven.checking.confine import confine; confine('x86_64', b'', '')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "the kernel refuses a filter of system calls: Invalid argument" in done.stderr
