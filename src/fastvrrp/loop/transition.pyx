"""Compile a `Prepared` into one block of memory that the hot thread reads; `free()` releases it whole."""

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from fastvrrp.loop.linux cimport (
    AF_INET,
    AF_INET6,
    AF_PACKET,
    MSG_DONTROUTE,
    sockaddr_in,
    sockaddr_in6,
)
from fastvrrp.wire.cmsg cimport FV_TX_CONTROL, fv_tx_pktinfo6

assert <int>FV_TX_CONTROL <= <int>CONTROL_ROOM


cdef class _Arena:
    """Hands out aligned pieces of one allocation; measures first (base NULL), then fills."""

    cdef uint8_t* base
    cdef size_t used

    cdef void* take(self, size_t size):
        cdef size_t at = self.used
        self.used += (size + 15) & ~<size_t>15
        return NULL if self.base == NULL else self.base + at

    cdef int copy(self, iovec* piece, bytes data) except -1:
        cdef void* target = self.take(len(data))
        if target != NULL:
            memcpy(target, <const uint8_t*>data, len(data))
            piece.iov_base = target
            piece.iov_len = len(data)
        return 0


cdef transition_t* compile_transition(prepared) except NULL:
    """Return a new block for `prepared` (loop.prepared.Prepared); raises MemoryError."""
    cdef _Arena measure = _Arena()
    cdef _Arena arena = _Arena()
    _lay_out(prepared, measure)
    arena.base = <uint8_t*>calloc(1, measure.used)
    if arena.base == NULL:
        raise MemoryError
    try:
        _lay_out(prepared, arena)
    except BaseException:
        free(arena.base)
        raise
    return <transition_t*>arena.base


cdef int _lay_out(prepared, _Arena arena) except -1:
    cdef transition_t nowhere
    cdef transition_t* t = <transition_t*>arena.take(sizeof(transition_t))
    if t == NULL:
        t = &nowhere
    t.fd = prepared.fd
    t.n_outgoing = len(prepared.datagrams)
    t.n_install = len(prepared.install)
    t.n_withdraw = len(prepared.withdraw)
    t.n_frames = len(prepared.frames)
    t.flags = 0
    t.outgoing = <outgoing_t*>arena.take(t.n_outgoing * sizeof(outgoing_t))
    t.install = <iovec*>arena.take(t.n_install * sizeof(iovec))
    t.withdraw = <iovec*>arena.take(t.n_withdraw * sizeof(iovec))
    t.frames = <frame_t*>arena.take(t.n_frames * sizeof(frame_t))
    for i, layout in enumerate(prepared.datagrams):
        _lay_out_datagram(t, i, layout, prepared.ifindex, arena)
    for i, request in enumerate(prepared.install):
        arena.copy(&t.install[i], request)
    for i, request in enumerate(prepared.withdraw):
        arena.copy(&t.withdraw[i], request)
    for i, frame in enumerate(prepared.frames):
        arena.copy(&t.frames[i].piece, frame.data)
        if arena.base != NULL:
            t.frames[i].to.sll_family = AF_PACKET
            t.frames[i].to.sll_ifindex = frame.ifindex
            t.frames[i].to.sll_halen = 6
            memcpy(t.frames[i].to.sll_addr, <const uint8_t*>(<bytes>frame.data), 6)
    return 0


cdef int _lay_out_datagram(transition_t* t, int i, layout, int ifindex, _Arena arena) except -1:
    cdef outgoing_t nowhere
    cdef outgoing_t* out = &nowhere if arena.base == NULL else &t.outgoing[i]
    cdef bytes source = layout.src
    cdef bytes destination = layout.dst
    cdef sockaddr_in* to4
    cdef sockaddr_in6* to6
    arena.copy(&out.piece, layout.data)
    if arena.base == NULL:
        return 0
    out.datagram.data = <uint8_t*>out.piece.iov_base
    out.datagram.length = <uint16_t>out.piece.iov_len
    out.datagram.vrrp = layout.vrrp
    out.datagram.ah = layout.ah
    out.datagram.trailer = layout.trailer
    out.datagram.family = layout.family
    out.datagram.version = layout.version
    out.datagram.unicast = layout.unicast
    out.datagram.checksum_style = layout.checksum_style
    memcpy(out.source, <const uint8_t*>source, len(source))
    memcpy(out.destination, <const uint8_t*>destination, len(destination))
    if layout.family == 4:
        to4 = <sockaddr_in*>&out.to
        to4.sin_family = AF_INET
        memcpy(&to4.sin_addr, <const uint8_t*>destination, 4)
        out.to_len = sizeof(sockaddr_in)
        if not layout.unicast:
            t.flags = MSG_DONTROUTE
    else:
        to6 = <sockaddr_in6*>&out.to
        to6.sin6_family = AF_INET6
        memcpy(&to6.sin6_addr, <const uint8_t*>destination, 16)
        to6.sin6_scope_id = ifindex
        out.to_len = sizeof(sockaddr_in6)
        out.control_len = fv_tx_pktinfo6(out.control, out.source, ifindex)
    return 0
