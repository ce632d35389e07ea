"""What the checker does to itself before there is a worker, so that both are without it: keys, rights, system calls.

Runs on Python 3.9 and later, without breakeven.
"""

import ctypes
import os

_JOIN_SESSION_KEYRING = {"x86_64": 250, "aarch64": 219}
_CAPSET = {"x86_64": 126, "aarch64": 91}
_NEW_MOUNTS = 0x00020000
_NO_SUID_NO_DEVICES = 2 | 4
_BOUND_AGAIN_READ_ONLY, _KEPT = 32 | 4096 | 1, 2 | 8
"""Of the flags that a mount has, a user namespace may not take away two: no set-user-id, no execution."""
_SHARED = (b"/dev/null", b"/dev/urandom")
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _BY_FILTER, _SET_DUMPABLE = 38, 22, 2, 4
_CAPABILITIES_3 = 0x20080522


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("process", ctypes.c_int))


def confine(machine: str, calls: bytes, tmp: str) -> None:
    """Give up what no program needs.

    Args:
        machine: as the kernel calls it.
        calls: the filter of system calls.
        tmp: options of a tmpfs that is mounted over /tmp, which takes CAP_SYS_ADMIN; "" for none.

    Raises:
        OSError: the kernel refuses one of the steps.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    # The caller's session keyring would be inherited, with all that lies in it: take an empty one. A kernel without
    # keys answers ENOSYS, and a container may refuse the call: then to the programs, too.
    libc.syscall(_JOIN_SESSION_KEYRING[machine], 1, None)
    if tmp:
        _done(libc.unshare(_NEW_MOUNTS), "a namespace of mounts")
        _done(libc.mount(b"tmpfs", b"/tmp", b"tmpfs", _NO_SUID_NO_DEVICES, tmp.encode()), "a /tmp of its own")
        os.chdir("/tmp")
        for device in _SHARED:  # the machine's own: chmod by a program of root's would take it from everybody
            flags = _BOUND_AGAIN_READ_ONLY | os.statvfs(device).f_flag & _KEPT
            _done(libc.mount(None, device, None, flags, None), "a device to be altered by nobody")
        nothing = ctypes.create_string_buffer(24)
        header = _Header(_CAPABILITIES_3, 0)
        _done(libc.syscall(_CAPSET[machine], ctypes.byref(header), nothing), "to drop capabilities")
    _done(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "to gain no privileges")
    filtered = _Filter(len(calls) // 8, calls)
    _done(libc.prctl(_SET_SECCOMP, _BY_FILTER, ctypes.byref(filtered), 0, 0), "a filter of system calls")


def bar_others() -> None:
    """Let no process of the same user read this one's memory or take its descriptors from now on.

    Raises:
        OSError: the kernel does not do it.
    """
    _done(ctypes.CDLL(None, use_errno=True).prctl(_SET_DUMPABLE, 0, 0, 0, 0), "to protect the checker's memory")


def _done(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"the kernel refuses {what}: {os.strerror(number)}")
