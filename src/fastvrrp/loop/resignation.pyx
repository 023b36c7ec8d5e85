"""Builds the adverts that somebody else sends for this process, should it die."""

import socket
import sys

from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from fastvrrp.core.model cimport ACTIVE, LAST_AH_SEQUENCE, NS_PER_SECOND, PRIORITY_RESIGN
from fastvrrp.loop.linux cimport AF_INET, AF_PACKET, sockaddr_in6, sockaddr_ll
from fastvrrp.wire.datagram cimport finish, sending_t
from fastvrrp.wire.hmac cimport hmac_next
from fastvrrp.wire.packet cimport AUTH_AH

from fastvrrp.loop.farewell import Farewell

cdef enum:
    AH_AHEAD = 16               # adverts of one second, and replies; marks.py leaves out as many after a restart
    HMAC_AHEAD_MS = 1500        # within every window that counts in seconds; marks.py again
    IP_ID = 1                   # any but 0, which the kernel replaces behind the back of an AH


cdef void take(
    resignation_t* r, const core_t* core, const transition_t* made, int32_t vr, int64_t now,
) noexcept nogil:
    """See the .pxd."""
    cdef size_t size = 0
    cdef uint8_t* data
    cdef int32_t i
    r.outgoing = NULL
    if made == NULL or made.n_outgoing == 0 or core.vrs[vr].state != ACTIVE:
        return
    for i in range(made.n_outgoing):
        size += made.outgoing[i].piece.iov_len
    r.outgoing = <outgoing_t*>malloc(sizeof(vr_t) + made.n_outgoing * sizeof(outgoing_t) + size)
    if r.outgoing == NULL:
        return                      # who is so short of memory has no farewell
    r.fd = made.fd
    r.flags = made.flags
    r.n_outgoing = made.n_outgoing
    r.wall = now + core.wall_offset
    memcpy(r.outgoing, made.outgoing, made.n_outgoing * sizeof(outgoing_t))
    r.router = <vr_t*>&r.outgoing[made.n_outgoing]
    r.router[0] = core.vrs[vr]
    data = <uint8_t*>(r.router + 1)
    for i in range(made.n_outgoing):
        move(&r.outgoing[i], data)
        data += r.outgoing[i].piece.iov_len


cdef void move(outgoing_t* out, uint8_t* to) noexcept nogil:
    """Let `out` have a copy of its bytes, at `to`; a link header may stand before the datagram."""
    cdef uint8_t* data = <uint8_t*>out.piece.iov_base
    memcpy(to, data, out.piece.iov_len)
    out.datagram.data = to + (out.datagram.data - data)
    out.piece.iov_base = to


cdef object finished(resignation_t* r, int32_t vr):
    """See the .pxd."""
    cdef sending_t sending
    cdef int32_t i
    if r.outgoing == NULL:
        return None
    sending.priority = PRIORITY_RESIGN
    sending.old_checksum = r.router.sends_old_checksum
    sending.ip_id = IP_ID
    sending.ah_sequence = min(r.router.ah_sequence, <uint32_t>LAST_AH_SEQUENCE) + AH_AHEAD
    sending.hmac_sequence = hmac_next(
        r.router.hmac_sequence, r.wall + HMAC_AHEAD_MS * (NS_PER_SECOND // 1000), r.router.profile.hmac_monotonic,
        r.router.profile.hmac_window,
    )
    try:
        for i in range(r.n_outgoing):
            finish(
                &r.outgoing[i].datagram, &sending, &r.router.profile, r.outgoing[i].source,
                r.outgoing[i].destination,
            )
        messages = tuple([_message(&r.outgoing[i]) for i in range(r.n_outgoing)])
        ages = r.router.profile.auth_type == AUTH_AH or r.router.profile.n_hmac_keys > 0
        return Farewell(slot=vr, fd=r.fd, flags=r.flags, messages=messages, ages=ages)
    except OSError:                 # the interface has gone, of which we have not heard yet
        return None
    finally:
        free(r.outgoing)


cdef object _message(const outgoing_t* out):
    """Return what socket.sendmsg takes: bytes, struct in6_pktinfo, address."""
    cdef bytes data = (<const uint8_t*>out.piece.iov_base)[:out.piece.iov_len]
    cdef const sockaddr_ll* link = <const sockaddr_ll*>&out.to
    cdef uint32_t ifindex
    if link.sll_family == AF_PACKET:
        name = socket.if_indextoname(link.sll_ifindex)
        return data, b"", (name, socket.ntohs(link.sll_protocol), 0, 0, link.sll_addr[:link.sll_halen])
    if link.sll_family == AF_INET:
        return data, b"", (socket.inet_ntop(socket.AF_INET, out.destination[:4]), 0)
    ifindex = (<const sockaddr_in6*>&out.to).sin6_scope_id
    control = out.source[:16] + int(ifindex).to_bytes(4, sys.byteorder)
    return data, control, (socket.inet_ntop(socket.AF_INET6, out.destination[:16]), 0, 0, ifindex)
