"""Sending: performs the acts of a core with what was prepared for them. The loop's mutex is around it."""

from libc.stddef cimport size_t
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

from fastvrrp.core.model cimport act_t, core_t
from fastvrrp.loop.linux cimport iovec, mmsghdr
from fastvrrp.loop.recorder cimport recorder_t
from fastvrrp.loop.transition cimport transition_t

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
    int netlink_fd
    int frame_fd
    transition_t** transitions  # [vr], NULL: nothing is prepared
    uint16_t* ip_ids            # [vr]
    act_t* batch
    int n_batch
    queue_t queue
    uint64_t frame_errors

cdef int create(transmit_t* t, core_t* core, recorder_t* recorder, int netlink_fd, int frame_fd) except -1
cdef void destroy(transmit_t* t) noexcept
# Perform every waiting act.
cdef void perform(transmit_t* t) noexcept nogil
