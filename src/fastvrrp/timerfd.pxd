"""A CLOCK_MONOTONIC timer as a file descriptor (timerfd_create(2))."""

from libc.stdint cimport int64_t

cpdef int create() except -1
cpdef int arm(int fd, int64_t at) except -1
