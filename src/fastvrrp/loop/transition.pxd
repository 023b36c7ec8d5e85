"""A `Prepared` as C structs in one block of memory: what the loop sends, without a Python object."""

from libc.stddef cimport size_t
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t

from fastvrrp.loop.linux cimport iovec, sockaddr_ll, sockaddr_storage, socklen_t
from fastvrrp.wire.advert cimport datagram_t

cdef enum:
    CONTROL_ROOM = 64

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
    iovec piece

ctypedef struct transition_t:
    int fd
    int flags
    int32_t n_outgoing
    int32_t n_install
    int32_t n_withdraw
    int32_t n_frames
    outgoing_t* outgoing
    iovec* install
    iovec* withdraw
    frame_t* frames

cdef transition_t* compile_transition(prepared) except NULL
