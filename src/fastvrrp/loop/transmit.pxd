"""Sending: performs the acts of a core with what was prepared for them. The loop's mutex is around it."""

from libc.stddef cimport size_t
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

from fastvrrp.core.model cimport act_t, core_t
from fastvrrp.loop.linux cimport mmsghdr
from fastvrrp.loop.recorder cimport recorder_t
from fastvrrp.loop.transition cimport transition_t
from fastvrrp.loop.worker cimport host_t

cdef enum:
    TX_BATCH = 64

ctypedef struct queue_t:
    mmsghdr message[TX_BATCH]
    int32_t vr[TX_BATCH]
    int count
    int fd
    int flags

ctypedef struct transmit_t:
    core_t* core
    recorder_t* recorder        # NULL: nothing is recorded
    uint16_t* ip_ids            # [vr]
    act_t* batch
    int n_batch
    queue_t queue
    host_t host

cdef int create(
    transmit_t* t, core_t* core, recorder_t* recorder, int netlink_fd, int frame_fd, bint threaded,
) except -1
cdef void destroy(transmit_t* t) noexcept
# Perform every waiting act.
cdef void perform(transmit_t* t) noexcept nogil
# Feed the core what the last step of the worker could not hand to the kernel.
cdef void tell_failed_requests(transmit_t* t) noexcept nogil
# Make `new` what is prepared for `vr`, with its reference; the old one comes back with its own: release() it when the
# mutex is free again.
cdef transition_t* replace(transmit_t* t, int32_t vr, transition_t* new) noexcept nogil
# Do what `once` withdraws in any case, then what it installs if `vr` is active when its turn comes; takes its
# reference.
cdef void post_once(transmit_t* t, int32_t vr, transition_t* once) noexcept nogil
# Allocate in `larger`, which is zero, what a core that has become larger needs; without the mutex. Raises MemoryError.
cdef int reserve(transmit_t* larger, const core_t* core) except -1
# Move into it; with the mutex. `larger` has the old room then, for let_go().
cdef void adopt(transmit_t* t, transmit_t* larger) noexcept nogil
cdef void let_go(transmit_t* larger) noexcept
