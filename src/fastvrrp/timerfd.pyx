"""A CLOCK_MONOTONIC timer as a file descriptor (timerfd_create(2)); `os` has it from Python 3.13 on."""

from cpython.exc cimport PyErr_SetFromErrno
from libc.stdint cimport int64_t
from posix.time cimport itimerspec

cdef extern from "<sys/timerfd.h>" nogil:
    int TFD_CLOEXEC
    int TFD_NONBLOCK
    int TFD_TIMER_ABSTIME
    int timerfd_create(int clockid, int flags)
    int timerfd_settime(int fd, int flags, const itimerspec* new_value, itimerspec* old_value)

cdef extern from "<time.h>" nogil:
    int CLOCK_MONOTONIC

cdef enum:
    NS_PER_SECOND = 1000000000


cpdef int create() except -1:
    """Return a new disarmed timer, close-on-exec and non-blocking; raises OSError."""
    cdef int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)
    if fd < 0:
        PyErr_SetFromErrno(OSError)
    return fd


cpdef int arm(int fd, int64_t at) except -1:
    """Make `fd` readable from the instant `at` (ns, CLOCK_MONOTONIC) on; 0 disarms it. Raises OSError.

    An instant in the past is due at once. What was due before is forgotten, so nobody needs to read `fd`.
    """
    cdef itimerspec spec
    spec.it_interval.tv_sec = 0
    spec.it_interval.tv_nsec = 0
    spec.it_value.tv_sec = at // NS_PER_SECOND
    spec.it_value.tv_nsec = at % NS_PER_SECOND
    if timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL) < 0:
        PyErr_SetFromErrno(OSError)
    return 0
