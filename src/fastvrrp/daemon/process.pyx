"""Attributes of the calling process that Python has no call for (prctl(2) and the argument area).

Not through `ctypes`: it costs memory, and its callbacks need writable code pages.
"""

from libc.string cimport memcpy, memset

cdef extern from "<sys/prctl.h>" nogil:
    int prctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4,
              unsigned long arg5)
    enum:
        PR_SET_PDEATHSIG
        PR_SET_DUMPABLE
        PR_SET_NAME


def forbid_core_dumps() -> None:
    """No core files, no tracing by other users: passwords are in this memory."""
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def set_parent_death_signal(int signum) -> None:
    """Let the kernel send `signum` when the thread that forked this process ends."""
    prctl(PR_SET_PDEATHSIG, <unsigned long> signum, 0, 0, 0)


def set_name(str name) -> None:
    """Set the name that `ps -o comm`, `pgrep` and `pidof` see; the kernel keeps 15 bytes."""
    cdef bytes raw = name.encode()
    prctl(PR_SET_NAME, <unsigned long> <const char *> raw, 0, 0, 0)


def set_title(str title) -> bool:
    """Show `title` as the command line in `ps`; returns whether it fits in place of the old one.

    The kernel reads the arguments from our memory between arg_start and arg_end. When the last byte
    is not zero it takes what is there up to the first zero as one string (as for setproctitle).
    """
    cdef bytes raw = title.encode(errors="surrogateescape")
    cdef size_t start, end, length = len(raw)
    cdef list fields = []
    cdef object stat
    with open("/proc/self/stat", "rb") as stat:
        fields = stat.read().rpartition(b") ")[2].split()
    start, end = int(fields[45]), int(fields[46])  # fields 48 and 49 of proc_pid_stat(5)
    if start == 0 or end < start + length + 2:
        return False
    memset(<void *> start, 0, end - start)
    memcpy(<void *> start, <const char *> raw, length)
    (<char *> (end - 1))[0] = c"."
    return True
