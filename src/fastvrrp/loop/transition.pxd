"""A `Prepared` as C structs in one block of memory: what the loop sends, without a Python object.

It has a place of its own for each job that can be done with it, so that a queue of jobs needs no memory.
"""

from libc.stddef cimport size_t
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t

from fastvrrp.loop.linux cimport iovec, sockaddr_ll, sockaddr_storage, socklen_t
from fastvrrp.wire.advert cimport datagram_t

cdef enum:
    CONTROL_ROOM = 64
    BATCH_MESSAGES = 64         # rtnetlink requests, and frames, of one batch: so many errors fit the socket

ctypedef struct outgoing_t:
    datagram_t datagram
    uint8_t source[16]
    uint8_t destination[16]
    sockaddr_storage to
    socklen_t to_len
    uint8_t control[CONTROL_ROOM]
    size_t control_len
    iovec piece

ctypedef struct frame_t:
    sockaddr_ll to
    socklen_t to_len            # 0: to where the socket is bound
    iovec piece

# Requests of one send, and the frames that announce what they set.
ctypedef struct batch_t:
    iovec requests
    int32_t n_messages
    int32_t n_frames
    frame_t* frames
    int32_t* lanes              # [frame]

cdef struct transition_t

# A place in the queue of requests: INSTALL or WITHDRAW of its owner.
cdef struct job_t:
    job_t* next
    transition_t* owner
    batch_t* batches
    int32_t n_batches
    int32_t at                  # the next batch
    int32_t rounds              # of announcements that are asked for meanwhile
    uint8_t kind
    bint waits

# The frames of one lane, in order, and a place in its queue.
cdef struct track_t:
    track_t* next
    transition_t* owner
    frame_t** frames
    int32_t n_frames
    int32_t lane
    int32_t at                  # the next frame
    int32_t rounds              # left, with the one that is under way
    bint waits

cdef struct transition_t:
    int32_t references          # atomic
    int32_t vr
    bint once                   # belongs to no state: done once
    int fd
    int flags
    int32_t n_outgoing
    int32_t n_tracks
    outgoing_t* outgoing
    track_t* tracks
    job_t install
    job_t withdraw

cdef transition_t* compile_transition(prepared) except NULL
# One user more.
cdef void retain(transition_t* t) noexcept nogil
# One user less; the last one frees it. NULL is nothing.
cdef void release(transition_t* t) noexcept nogil
