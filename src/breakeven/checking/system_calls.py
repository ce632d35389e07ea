"""A filter of system calls, as data: what of the kernel no namespace covers, and no limit, a program may not ask for.

The filter is a program of the kernel's packet filter (BPF), 8 bytes an instruction, which is run on the number and the
arguments of each call. It refuses what is listed here, and every call that is newer than this list.
"""

import errno
import struct
from typing import Final

REFUSED: Final = {
    # Keys belong to the user, not to a namespace; so do messages, semaphores and memory of System V and of POSIX.
    **{"keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218)},
    **{"shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197)},
    **{"semget": (64, 190), "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192)},
    **{"msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187)},
    **{"mq_open": (240, 180), "mq_unlink": (241, 181)},
    # Memory that no limit counts.
    **{"memfd_create": (319, 279), "memfd_secret": (447, 447), "vmsplice": (278, 75)},
    **{"setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7)},
    **{"fanotify_init": (300, 262), "fanotify_mark": (301, 263), "inotify_init": (253, None)},
    **{"inotify_init1": (294, 26), "inotify_add_watch": (254, 27)},
    # Large parts of the kernel that no program needs, with a history of holes.
    **{"io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427)},
    **{"userfaultfd": (323, 282), "bpf": (321, 280), "perf_event_open": (298, 241), "modify_ldt": (154, None)},
    **{"personality": (135, 92), "mbind": (237, 235), "set_mempolicy": (238, 237), "migrate_pages": (256, 238)},
    **{"move_pages": (279, 239), "set_mempolicy_home_node": (450, 450), "lookup_dcookie": (212, 18)},
    # Other processes.
    **{"ptrace": (101, 117), "pidfd_getfd": (438, 438), "kcmp": (312, 272), "process_madvise": (440, 440)},
    **{"process_mrelease": (448, 448)},
    # What the checker is given of the machine: who slows it down says later that nobody could tell.
    **{"ioprio_set": (251, 30)},
    # Locks of files that all sandboxes and the machine share: they need no right to write. Of whose file a descriptor
    # is, a filter cannot see; the POSIX locks of fcntl, which of shared files need that right, are let through.
    **{"flock": (73, 32)},
    # The network: of sockets, only a pair of AF_UNIX.
    **{"socket": (41, 198)},
    # Namespaces, mounts and the machine.
    **{"unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "chroot": (161, 51)},
    **{"pivot_root": (155, 41), "move_mount": (429, 429), "open_tree": (428, 428), "mount_setattr": (442, 442)},
    **{"fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433)},
    **{"name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "init_module": (175, 105)},
    **{"finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104)},
    **{"kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225)},
    **{"acct": (163, 89), "syslog": (103, 116), "quotactl": (179, 60), "quotactl_fd": (443, 443)},
}
"""Numbers on x86-64 and on aarch64, by name; None where there is no such call."""
OF_ITSELF: Final = {"prlimit64": (302, 261), "sched_setaffinity": (203, 122)}
"""Let through with a first argument of 0, for the caller itself, else refused: see what the checker is given, above."""
UNHEEDED: Final = {
    **{"setpriority": (141, 140), "sched_setparam": (142, 118), "sched_setscheduler": (144, 119)},
    **{"sched_setattr": (314, 274)},
}
"""Likewise, but answered as done and not done: a program may be told that it is as nice as it wanted to be. `os.nice`
is made of the first, whose second argument must be 0 too: it says which process, the first that it is one."""
_NEWEST: Final = 462
"""The last call that was looked at (mseal). Numbers above are newer, or of another interface of x86-64."""
_CLONE3: Final = 435  # its flags lie in memory, which a filter cannot read: the C library falls back to clone
_CLONE: Final = (56, 220)
_FCNTL: Final = (72, 25)
_SOCKETPAIR: Final = (53, 199)
_NEW_NAMESPACES: Final = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET."""
_FCNTLS: Final = (1024, 1026, 1031)
"""F_SETLEASE and F_NOTIFY, on files that are shared with the machine; F_SETPIPE_SZ, memory that no limit counts."""
_AF_UNIX: Final = 1
_MACHINES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Column of the table, and AUDIT_ARCH of <linux/audit.h>."""
_LOAD, _IF_EQUAL, _IF_ABOVE, _IF_ANY, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_NUMBER, _MACHINE, _FIRST, _SECOND = 0, 4, 16, 24
"""Offsets in struct seccomp_data; of arguments, the lower half."""
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_UNDONE: Final = _FAIL  # with errno 0: the answer of a call that succeeded


def filter_for(machine: str) -> bytes | None:
    """The filter for a machine, as `platform.machine` calls it; None for one whose numbers are not known here.

    Source: the kernel's Documentation/userspace-api/seccomp_filter.rst, <linux/filter.h>, <asm/unistd.h>.
    """
    if machine not in _MACHINES:
        return None
    column, arch = _MACHINES[machine]
    clone, fcntl, socketpair = _CLONE[column], _FCNTL[column], _SOCKETPAIR[column]
    refused = sorted(number for numbers in REFUSED.values() if (number := numbers[column]) is not None)
    refuse, missing = _FAIL | errno.EPERM, _FAIL | errno.ENOSYS
    code = [(_LOAD, 0, 0, _MACHINE), (_IF_EQUAL, 1, 0, arch), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NUMBER)]
    for test, number in ((_IF_ABOVE, _NEWEST), (_IF_EQUAL, _CLONE3)):
        code += [(test, 0, 1, number), (_RETURN, 0, 0, missing)]
    for number, argument, test, value, met, otherwise in (
        (clone, _FIRST, _IF_ANY, _NEW_NAMESPACES, refuse, None),
        *((fcntl, _SECOND, _IF_EQUAL, each, refuse, None) for each in _FCNTLS),
        *((numbers[column], _FIRST, _IF_EQUAL, 0, _ALLOW, refuse) for numbers in OF_ITSELF.values()),
        (UNHEEDED["setpriority"][column], _SECOND, _IF_ABOVE, 0, refuse, None),
        *((numbers[column], _FIRST, _IF_EQUAL, 0, _UNDONE, refuse) for numbers in UNHEEDED.values()),
        (socketpair, _FIRST, _IF_EQUAL, _AF_UNIX, _ALLOW, refuse),
    ):
        code += [(_IF_EQUAL, 0, 4, number), (_LOAD, 0, 0, argument), (test, 0, 1, value), (_RETURN, 0, 0, met)]
        code.append((_LOAD, 0, 0, _NUMBER) if otherwise is None else (_RETURN, 0, 0, otherwise))
    code += [(_IF_EQUAL, len(refused) - place, 0, number) for place, number in enumerate(refused)]
    code += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, refuse)]
    return b"".join(struct.pack("<HBBI", *each) for each in code)
