"""The clocks of the hot path, in ns."""

from libc.stdint cimport int64_t
from posix.time cimport CLOCK_MONOTONIC, CLOCK_REALTIME, clock_gettime, clockid_t, timespec

from fastvrrp.core.model cimport NS_PER_SECOND
from fastvrrp.loop.linux cimport CLOCK_BOOTTIME
from fastvrrp.wire.cmsg cimport fv_rx_stamp, msghdr


cdef inline int64_t read_clock(clockid_t clock) noexcept nogil:
    cdef timespec now
    clock_gettime(clock, &now)
    return <int64_t>now.tv_sec * NS_PER_SECOND + now.tv_nsec


cdef inline int64_t monotonic() noexcept nogil:
    """CLOCK_MONOTONIC."""
    return read_clock(CLOCK_MONOTONIC)


cdef inline int64_t wall_clock() noexcept nogil:
    """CLOCK_REALTIME, which the kernel stamps packets with."""
    return read_clock(CLOCK_REALTIME)


cdef inline int64_t suspended() noexcept nogil:
    """Return for how long this host has been suspended since it was booted: CLOCK_BOOTTIME goes on then."""
    cdef int64_t before
    cdef int64_t boot = 0
    cdef int64_t after = 0
    cdef int _attempt
    for _attempt in range(4):
        before = read_clock(CLOCK_MONOTONIC)
        boot = read_clock(CLOCK_BOOTTIME)
        after = read_clock(CLOCK_MONOTONIC)
        if after - before < 1000000:
            break                           # nothing came between the three
    return boot - after


cdef inline int64_t arrival(const msghdr* message, int64_t now, int64_t wall) noexcept nogil:
    """Return when the kernel took in a message that is read at `now`, when the wall clock shows `wall`.

    An election counts from there, not from when the reader has come round. Without a stamp, or when the
    wall clock was set meanwhile, the age is absurd, and `now` is the answer.
    """
    cdef int64_t age = wall - fv_rx_stamp(message)
    return now - age if 0 <= age <= NS_PER_SECOND else now
