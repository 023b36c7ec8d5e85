"""Changes in directories as a file descriptor (inotify(7)); Python has no module for it."""

from cpython.exc cimport PyErr_SetFromErrno
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport uint32_t, uint64_t
from posix.unistd cimport read as read_bytes

cdef extern from "<sys/inotify.h>" nogil:
    int IN_CLOEXEC
    int IN_NONBLOCK
    uint32_t IN_CLOSE_WRITE
    uint32_t IN_CREATE
    uint32_t IN_DELETE
    uint32_t IN_MOVED_FROM
    uint32_t IN_MOVED_TO
    uint32_t IN_DELETE_SELF
    uint32_t IN_MOVE_SELF
    uint32_t IN_ONLYDIR
    uint32_t IN_IGNORED
    uint32_t IN_Q_OVERFLOW
    uint32_t IN_UNMOUNT
    cdef struct inotify_event:
        int wd
        uint32_t mask
        uint32_t cookie
        uint32_t len
        char name[0]
    int inotify_init1(int flags)
    int inotify_add_watch(int fd, const char* path, uint32_t mask)
    int inotify_rm_watch(int fd, int wd)

cdef enum:
    WORDS = 512  # of 8 bytes; one event takes at most 16 + 256 bytes


cpdef int create() except -1:
    """Return a descriptor that is readable when something changed; non-blocking. Raises OSError."""
    cdef int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)
    if fd < 0:
        PyErr_SetFromErrno(OSError)
    return fd


cpdef int watch(int fd, bytes directory) except -1:
    """Watch which files of `directory` are written, come and go; return the number of this watch.

    A file counts as written when it is closed. Watching a directory again returns the same number.
    Raises OSError, ENOSPC when the user watches as much as may be.
    """
    cdef uint32_t mask = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO
    cdef int watched = inotify_add_watch(fd, directory, mask | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
    if watched < 0:
        PyErr_SetFromErrno(OSError)
    return watched


cpdef int forget(int fd, int watched) except -1:
    """End a watch; harmless when its directory is gone, which had ended it."""
    inotify_rm_watch(fd, watched)
    return 0


cpdef tuple read(int fd):
    """Return the names of files that changed, and True if a watch may have ended or events were lost.

    Takes one buffer of events; `fd` stays readable when there are more. Raises OSError.
    """
    cdef uint64_t aligned[WORDS]
    cdef char* room = <char*>aligned
    cdef const inotify_event* event
    cdef uint32_t lost = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_Q_OVERFLOW | IN_UNMOUNT
    cdef bint is_lost = False
    cdef ssize_t at = 0
    names = set()
    cdef ssize_t size = read_bytes(fd, aligned, sizeof(aligned))
    if size < 0:
        if errno in (EAGAIN, EINTR):
            return names, False
        PyErr_SetFromErrno(OSError)
    while at < size:
        event = <const inotify_event*>&room[at]
        if event.mask & lost:
            is_lost = True
        if event.len:
            names.add(<bytes>event.name)
        at += sizeof(inotify_event) + event.len
    return names, is_lost
