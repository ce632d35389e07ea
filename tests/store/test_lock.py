"""The lock: one process on one machine and one machine on one disk; the dead hold nothing."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from breakeven import store
from breakeven.errors import RunInUseError, RunStorageError
from breakeven.store import lock
from breakeven.store.lock import lock_directory, unlock

HOLD = """
import sys
import time
from pathlib import Path
from breakeven.store import lock
lock._is_local = lambda directory: sys.argv[2] == "local"
lock.lock_directory(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""
LOST = "4711 on node3\n11111111-2222-3333-4444-555555555555\n"


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every disk is one that other machines may share."""
    monkeypatch.setattr(lock, "_is_local", lambda directory: False)


def names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


@pytest.mark.parametrize("disk", ["local", "shared"])
def test_a_second_process_is_refused_and_a_killed_one_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: str
) -> None:
    monkeypatch.setattr(lock, "_is_local", lambda directory: disk == "local")
    environment = os.environ | {"PYTHONPATH": str(Path(store.__file__).parents[2])}
    command = [sys.executable, "-c", HOLD, str(tmp_path), disk]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "held\n"
            rule = rf"{tmp_path} is in use by process {child.pid} on {os.uname().nodename}\. Wait for it to end"
            with pytest.raises(RunInUseError, match=rule):
                lock_directory(tmp_path)
            assert names(tmp_path) == (["lock"] if disk == "local" else ["lock", "lock.owner"])
            child.send_signal(signal.SIGKILL)
            child.wait()
        finally:
            child.kill()
    fd = lock_directory(tmp_path)
    with pytest.raises(RunInUseError, match=rf"in use by process {os.getpid()} on"):
        lock_directory(tmp_path)
    unlock(tmp_path, fd)
    assert names(tmp_path) == ["lock"]


@pytest.mark.usefixtures("shared")
def test_another_machine_is_respected_and_can_be_taken_over_from(tmp_path: Path) -> None:
    owner = tmp_path / "lock.owner"
    owner.write_text(LOST)
    with pytest.raises(RunInUseError) as error:
        lock_directory(tmp_path)
    assert str(error.value) == (
        f"run directory {tmp_path} is in use by process 4711 on node3. Wait for it to end, or choose another "
        f"directory. If it has died, or its machine has, delete {owner} and start again."
    )
    assert owner.read_text() == LOST
    owner.unlink()
    unlock(tmp_path, lock_directory(tmp_path))


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("same", ["host", "machine"])
def test_what_is_left_of_this_machine_is_taken_over(tmp_path: Path, same: str) -> None:
    """The same host name: before a restart of the machine. The same kernel: in a container of another name."""
    host, machine = (lock._host(), "other") if same == "host" else ("other", lock._machine())
    (tmp_path / "lock.owner").write_text(f"4711 on {host}\n{machine}\n")
    fd = lock_directory(tmp_path)
    assert (tmp_path / "lock.owner").read_text() == f"{os.getpid()} on {lock._host()}\n{lock._machine()}\n"
    unlock(tmp_path, fd)
    assert names(tmp_path) == ["lock"]


@pytest.mark.usefixtures("shared")
def test_an_owner_without_a_word_is_waited_for_and_then_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = tmp_path / "lock.owner"
    owner.touch()
    monkeypatch.setattr(time, "sleep", lambda seconds: owner.write_text(LOST))
    with pytest.raises(RunInUseError, match="4711 on node3"):
        lock_directory(tmp_path)
    owner.write_text("")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    unlock(tmp_path, lock_directory(tmp_path))
    assert names(tmp_path) == ["lock"]


@pytest.mark.usefixtures("shared")
def test_the_owner_is_removed_by_the_owner_alone(tmp_path: Path) -> None:
    fd = lock_directory(tmp_path)
    (tmp_path / "lock.owner").write_text(LOST)  # taken over from elsewhere
    unlock(tmp_path, fd)
    assert (tmp_path / "lock.owner").read_text() == LOST


@pytest.mark.usefixtures("shared")
def test_a_disk_too_full_for_the_owner_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(RunStorageError, match="lock cannot be locked: No space left on device"):
            lock_directory(tmp_path)
    assert names(tmp_path) == ["lock"]
    unlock(tmp_path, lock_directory(tmp_path))


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_disk_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(fd: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(RunStorageError, match=rf"{os.strerror(number)}\. Choose .* on a disk that supports locks"):
        lock_directory(tmp_path)


def test_only_disks_known_to_be_of_one_machine_do_without_an_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = tmp_path.stat().st_dev
    mounts = "22 1 {}:{} / /mnt rw,relatime shared:1 - {} server:/export rw\n"
    said = ""
    monkeypatch.setattr(Path, "read_text", lambda self, **_: said)
    for name, is_local in (("ext4", True), ("tmpfs", True), ("nfs4", False), ("lustre", False), ("fuse.sshfs", False)):
        said = mounts.format(0, 999, "ext4") + mounts.format(os.major(device), os.minor(device), name)
        assert lock._is_local(tmp_path) is is_local, name
    said = mounts.format(0, 999, "ext4")
    assert not lock._is_local(tmp_path), "what is not listed may be shared"


def test_a_machine_without_a_boot_id_has_a_name_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: Path, **_: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert lock._machine() == lock._machine() != ""
