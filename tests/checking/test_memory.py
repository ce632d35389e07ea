"""The memory of a sandbox: each kind is bounded, and a control group bounds their sum where the system gives one."""

import shutil
import subprocess
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from breakeven.checking import Limits, Program, Sandbox, Verdict
from breakeven.checking.bubblewrap import Bubblewrap
from breakeven.checking.memory import Group, own_group

LIMITS = Limits()
COUNTED = """
    import mmap, os, resource, socket
    def f(kind):
        held = []
        def more(make):
            try:
                while len(held) < 50_000: held.append(make())
            except (OSError, MemoryError): pass
            return len(held)
        if kind == "descriptors": return more(os.pipe)
        if kind == "socket pairs": return more(socket.socketpair)
        if kind == "files": return more(lambda: open(f"/tmp/{len(held)}", "w").close())
        if kind == "links": return more(lambda: os.symlink("x" * 100, f"/tmp/{len(held)}"))
        if kind == "folders": return more(lambda: os.mkdir(f"/tmp/{len(held)}"))
        open("/tmp/x", "w").close()
        if kind == "hard links": return more(lambda: os.link("/tmp/x", f"/tmp/{len(held)}"))
        if kind == "mappings": return more(lambda: mmap.mmap(-1, 1 << 20)) << 20
        if kind == "attributes": return more(lambda: os.setxattr("/tmp/x", f"user.{len(held)}", b"x"))
        if kind == "locked": return resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
        if kind == "queues": return resource.getrlimit(resource.RLIMIT_MSGQUEUE)[1]
        if kind == "signals": return resource.getrlimit(resource.RLIMIT_SIGPENDING)[1]
    """
MOST = {
    "descriptors": LIMITS.max_files / 2,
    "socket pairs": LIMITS.max_files / 2,
    **dict.fromkeys(("files", "links", "folders", "hard links"), LIMITS.file_bytes // 4096 + 2),
    "mappings": LIMITS.memory_bytes,
    "attributes": 0,
    "locked": 0,
    "queues": 0,
    "signals": 64,
}


@pytest.mark.parametrize(("kind", "most"), MOST.items(), ids=MOST.keys())
def test_each_kind_of_memory_is_bounded(bubblewrap: Sandbox, kind: str, most: int) -> None:
    if "counts_files=False" in repr(bubblewrap) and most > LIMITS.max_files:
        pytest.skip("this system lets a sandbox mount nothing")
    test = f"held = f({kind!r})\nassert held <= {most}, held\nassert held >= {most // 2}, held"
    outcome = bubblewrap.run(Program(source=textwrap.dedent(COUNTED), test=test, functions=("f",)))
    assert outcome.verdict is Verdict.PASSED, outcome


def test_the_bound_adds_up() -> None:
    small = Limits(memory_bytes=100, file_bytes=7, max_processes=2)
    assert small.held_bytes == 2 * (300 + (64 << 20)) + 7
    assert small.group_bytes == 207


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like one of control groups, in which this process has one of its own."""
    (tmp_path / "slice" / "own").mkdir(parents=True)
    (tmp_path / "slice" / "cgroup.subtree_control").write_text("cpu memory pids\n")
    (tmp_path / "self").write_text("4:memory:/old\n0::/slice/own\n")
    monkeypatch.setattr(Path, "rmdir", shutil.rmtree)  # a real group is empty whatever its files
    return tmp_path


def test_a_group_is_made_beside_ones_own_and_is_gone_afterwards(groups: Path) -> None:
    group = own_group(groups / "self", groups)
    assert group == Group(groups / "slice")
    with group.bounded(12345) as joining:
        folder = Path(joining[-1])
        assert folder.parent == groups / "slice"
        written = {"memory.max": "12345", "memory.swap.max": "0", "memory.oom.group": "1"}
        assert {name: (folder / name).read_text() for name in written} == written
        subprocess.run([*joining, "true"], check=True)
        assert (folder / "cgroup.procs").read_text() == "0\n"
    assert not folder.exists()


@pytest.mark.parametrize(
    ("own", "controllers"),
    [("0::/slice/own", "cpu"), ("4:memory:/old", "memory"), ("", "memory"), ("0::/nowhere/own", "memory")],
)
def test_where_memory_is_not_bounded_there_is_no_group(groups: Path, own: str, controllers: str) -> None:
    (groups / "self").write_text(own)
    (groups / "slice" / "cgroup.subtree_control").write_text(controllers)
    assert own_group(groups / "self", groups) is None
    assert own_group(groups / "missing", groups) is None


def test_where_groups_cannot_be_made_there_is_none(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert own_group(groups / "self", groups) is None


def test_a_program_runs_in_a_group_of_its_own(groups: Path, bubblewrap: Bubblewrap) -> None:
    program = Program(source="def f(x): return x", test="assert f(2) == 2", functions=("f",))
    assert replace(bubblewrap, group=Group(groups / "slice")).run(program).verdict is Verdict.PASSED
    refused = replace(bubblewrap, group=Group(groups / "missing")).run(program)
    assert refused.verdict is Verdict.CHECK_FAILED
    assert refused.reason.startswith("no control group for the sandbox: ")
