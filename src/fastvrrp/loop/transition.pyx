"""Compile a `Prepared` into one block of memory, which the hot thread and the worker read; `release()` frees it
whole when nobody needs it any more."""

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from fastvrrp.core.model cimport INSTALL, WITHDRAW
from fastvrrp.loop.linux cimport (
    ACQ_REL,
    AF_INET,
    AF_INET6,
    AF_PACKET,
    MSG_DONTROUTE,
    RELAXED,
    add_and_fetch,
    sockaddr_in,
    sockaddr_in6,
)
from fastvrrp.wire.cmsg cimport FV_TX_CONTROL, fv_tx_pktinfo6

from fastvrrp.loop.prepared import MESSAGES_IN_ONE_SEND

assert <int>FV_TX_CONTROL <= <int>CONTROL_ROOM
assert MESSAGES_IN_ONE_SEND == BATCH_MESSAGES

cdef enum:
    NLMSG_HEADER = 16
    ETHERNET_HEADER = 14

IPV6 = b"\x86\xdd"


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
    """Return a new block for `prepared` (loop.prepared.Prepared) with one reference.

    Raises ValueError for requests that are not rtnetlink messages and for batches that are too large, MemoryError.
    """
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


cdef void retain(transition_t* t) noexcept nogil:
    """See the .pxd."""
    add_and_fetch(&t.references, 1, RELAXED)


cdef void release(transition_t* t) noexcept nogil:
    """See the .pxd."""
    if t != NULL and add_and_fetch(&t.references, -1, ACQ_REL) == 0:
        free(t)


cdef int _lay_out(prepared, _Arena arena) except -1:
    cdef transition_t nowhere
    cdef transition_t* t = <transition_t*>arena.take(sizeof(transition_t))
    if t == NULL:
        t = &nowhere
    t.references = 1
    t.fd = prepared.fd
    t.flags = 0
    t.n_outgoing = len(prepared.datagrams)
    t.outgoing = <outgoing_t*>arena.take(t.n_outgoing * sizeof(outgoing_t))
    for i, layout in enumerate(prepared.datagrams):
        _lay_out_datagram(t, i, layout, prepared.ifindex, arena)
    _lay_out_job(t, &t.install, INSTALL, [(one.requests, one.frames) for one in prepared.install], arena)
    _lay_out_job(t, &t.withdraw, WITHDRAW, [(requests, ()) for requests in prepared.withdraw], arena)
    _lay_out_tracks(t, list(prepared.install), arena)
    return 0


cdef int _lay_out_job(transition_t* t, job_t* job, uint8_t kind, list batches, _Arena arena) except -1:
    cdef batch_t nowhere
    cdef batch_t* batch = &nowhere
    job.owner = t
    job.kind = kind
    job.n_batches = len(batches)
    job.batches = <batch_t*>arena.take(job.n_batches * sizeof(batch_t))
    for i, (requests, frames) in enumerate(batches):
        if arena.base != NULL:
            batch = &job.batches[i]
        batch.n_messages = _count_messages(requests)
        batch.n_frames = len(frames)
        if max(batch.n_messages, batch.n_frames) > BATCH_MESSAGES:
            raise ValueError(f"more than {BATCH_MESSAGES} requests or frames in one batch")
        arena.copy(&batch.requests, requests)
        batch.frames = <frame_t*>arena.take(batch.n_frames * sizeof(frame_t))
        batch.lanes = <int32_t*>arena.take(batch.n_frames * sizeof(int32_t))
        for j, frame in enumerate(frames):
            _lay_out_frame(batch, j, frame, arena)
    return 0


cdef int _count_messages(bytes requests) except -1:
    """Return the number of rtnetlink messages, each padded to four bytes; raises ValueError."""
    cdef const uint8_t* data = requests
    cdef size_t size = len(requests)
    cdef size_t at = 0
    cdef uint32_t length = 0
    cdef int count = 0
    if size % 4:
        raise ValueError("rtnetlink messages are padded to four bytes")
    while at < size:
        if size - at < NLMSG_HEADER:
            raise ValueError("these are no rtnetlink messages")
        memcpy(&length, data + at, sizeof(length))
        if length < NLMSG_HEADER or length > size - at:
            raise ValueError("these are no rtnetlink messages")
        at += (length + 3) & ~<size_t>3
        count += 1
    return count


cdef int _lay_out_frame(batch_t* batch, int j, frame, _Arena arena) except -1:
    cdef frame_t nowhere
    cdef frame_t* out = &nowhere if arena.base == NULL else &batch.frames[j]
    cdef bytes data = frame.data
    if len(data) < ETHERNET_HEADER:
        raise ValueError("a frame is shorter than its header")
    arena.copy(&out.piece, data)
    if arena.base == NULL:
        return 0
    batch.lanes[j] = _lane(frame)
    if frame.ifindex:
        out.to_len = sizeof(sockaddr_ll)
        _fill_link(&out.to, frame.ifindex, data)
    return 0


cdef int _fill_link(sockaddr_ll* to, int ifindex, bytes frame) except -1:
    """Write where `frame`, which begins with its destination, is sent: out of interface `ifindex`."""
    to.sll_family = AF_PACKET
    to.sll_ifindex = ifindex
    to.sll_halen = 6
    memcpy(to.sll_addr, <const uint8_t*>frame, 6)
    return 0


cdef int32_t _lane(frame) except -1:
    """Lane 0 has no pace; of each group the first one is for ARP, the second for neighbour advertisements."""
    return 0 if frame.pace < 0 else 1 + 2 * <int32_t>frame.pace + (frame.data[12:14] == IPV6)


cdef int _lay_out_tracks(transition_t* t, list batches, _Arena arena) except -1:
    """Sort the frames of all batches by their lanes."""
    cdef dict lanes = {}
    cdef track_t* track
    cdef void* room
    cdef int k
    for i, batch in enumerate(batches):
        for j, frame in enumerate(batch.frames):
            lanes.setdefault(_lane(frame), []).append((i, j))
    t.n_tracks = len(lanes)
    t.tracks = <track_t*>arena.take(t.n_tracks * sizeof(track_t))
    for k, (lane, places) in enumerate(lanes.items()):
        room = arena.take(len(places) * sizeof(frame_t*))
        if room == NULL:
            continue
        track = &t.tracks[k]
        track.owner = t
        track.lane = lane
        track.n_frames = len(places)
        track.frames = <frame_t**>room
        for n, (i, j) in enumerate(places):
            track.frames[<int>n] = &t.install.batches[<int>i].frames[<int>j]
    return 0


cdef int _lay_out_datagram(transition_t* t, int i, layout, int ifindex, _Arena arena) except -1:
    cdef outgoing_t nowhere
    cdef outgoing_t* out = &nowhere if arena.base == NULL else &t.outgoing[i]
    cdef bytes source = layout.src
    cdef bytes destination = layout.dst
    cdef sockaddr_in* to4
    cdef sockaddr_in6* to6
    cdef bytes header = layout.link
    cdef size_t before = len(header)
    arena.copy(&out.piece, header + layout.data)
    if arena.base == NULL:
        return 0
    out.datagram.data = <uint8_t*>out.piece.iov_base + before
    out.datagram.length = <uint16_t>(out.piece.iov_len - before)
    out.datagram.vrrp = layout.vrrp
    out.datagram.ah = layout.ah
    out.datagram.trailer = layout.trailer
    out.datagram.family = layout.family
    out.datagram.version = layout.version
    out.datagram.unicast = layout.unicast
    out.datagram.checksum_style = layout.checksum_style
    memcpy(out.source, <const uint8_t*>source, len(source))
    memcpy(out.destination, <const uint8_t*>destination, len(destination))
    if before:
        _fill_link(<sockaddr_ll*>&out.to, ifindex, header)
        out.to_len = sizeof(sockaddr_ll)
    elif layout.family == 4:
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
