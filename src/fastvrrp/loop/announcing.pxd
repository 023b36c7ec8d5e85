"""Gratuitous ARP and neighbour advertisements in rounds; see worker.pxd."""

from libc.stdint cimport int32_t, int64_t

from fastvrrp.loop.transition cimport transition_t
from fastvrrp.loop.worker cimport host_t, lane_t

cdef lane_t* lane_of(host_t* h, int32_t number) noexcept nogil
cdef void begin_rounds(host_t* h, transition_t* t, int32_t rounds, bint first_is_sent) noexcept nogil
cdef void end_rounds(transition_t* t) noexcept nogil
cdef int32_t rounds_left(const transition_t* t) noexcept nogil
# Take the frames that may leave now into the step; return when the next ones may.
cdef int64_t gather_frames(host_t* h, int64_t now) noexcept nogil
