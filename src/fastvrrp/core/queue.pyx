"""Acts and notes on their way out of the core.

Acts cannot overflow: an act is performed only if it is still true (INSTALL while ACTIVE, WITHDRAW while
not), so a second one of the same kind for a router that waits already adds nothing and is not queued.
Notes are for people: when the cold side is late they are dropped, oldest kept, and counted; half of the
room is for changes of state alone.
"""

from libc.stdint cimport uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from fastvrrp.core.model cimport ANNOUNCE, INSTALL, NOTE, NOTE_STATE, PRIORITY_RESIGN, SEND, WITHDRAW, vr_t
from fastvrrp.wire.hmac cimport hmac_next
from fastvrrp.wire.packet cimport AUTH_AH

cdef enum:
    MAX_PENDING_SENDS = 4       # of one router between two turns: resign, take over, and a reply


cdef int create(ring_t* ring, uint32_t size) except -1:
    """Allocate room for `size` acts; raises MemoryError."""
    ring.slots = <act_t*>calloc(size, sizeof(act_t))
    if ring.slots == NULL:
        raise MemoryError
    ring.size = size
    ring.head = 0
    ring.count = 0
    ring.lost = 0
    return 0


cdef void destroy(ring_t* ring) noexcept:
    """Free; safe to repeat."""
    free(ring.slots)
    ring.slots = NULL
    ring.size = 0
    ring.count = 0


cdef void move_all(ring_t* target, ring_t* source) noexcept nogil:
    """See the .pxd."""
    target.lost = source.lost
    while take(source, &target.slots[target.count]):
        target.count += 1


cdef act_t* _next(ring_t* ring) noexcept nogil:
    """Return the next free slot, zeroed, or NULL (counted) when the ring is full."""
    cdef act_t* slot
    if ring.count == ring.size:
        ring.lost += 1
        return NULL
    slot = &ring.slots[(ring.head + ring.count) % ring.size]
    ring.count += 1
    memset(slot, 0, sizeof(act_t))
    return slot


cdef bint take(ring_t* ring, act_t* out) noexcept nogil:
    """Move the oldest act to `out`; False when there is none."""
    if ring.count == 0:
        return False
    out[0] = ring.slots[ring.head]
    ring.head = (ring.head + 1) % ring.size
    ring.count -= 1
    return True


cdef act_t* _push(core_t* core, int32_t vr, uint8_t kind, int64_t now) noexcept nogil:
    cdef act_t* act = _next(&core.acts)
    if act != NULL:
        act.kind = kind
        act.vr = vr
        act.at = now
    return act


cdef bint _claim(vr_t* vr, uint8_t kind) noexcept nogil:
    """Mark an act of `kind` as waiting; False when one waits already."""
    cdef uint32_t bit = 1u << kind
    if vr.pending & bit:
        return False
    vr.pending |= bit
    return True


cdef void push_send(core_t* core, int32_t vr, uint8_t priority, int64_t now) noexcept nogil:
    """Ask for one advert, which is not sent if its router is ACTIVE no longer."""
    _push_send(core, vr, priority, 0, now)


cdef void push_farewell(core_t* core, int32_t vr, uint8_t priority, int64_t now) noexcept nogil:
    """Ask for one advert of a router that ceases to be ACTIVE."""
    _push_send(core, vr, priority, 1, now)


cdef void _push_send(core_t* core, int32_t vr, uint8_t priority, uint16_t regardless, int64_t now) noexcept nogil:
    """The sequence number is taken here, once for all unicast copies."""
    cdef vr_t* router = &core.vrs[vr]
    cdef act_t* act
    cdef int64_t sequence = 0
    if router.pending_sends == MAX_PENDING_SENDS:
        return
    router.pending_sends += 1
    if router.profile.auth_type == AUTH_AH:
        if router.ah_sequence < 0xFFFFFFFFu:
            router.ah_sequence += 1
        sequence = router.ah_sequence
    elif router.profile.n_hmac_keys:
        router.hmac_sequence = hmac_next(
            router.hmac_sequence, now + core.wall_offset, router.profile.hmac_monotonic, router.profile.hmac_window,
        )
        sequence = <int64_t>router.hmac_sequence
    router.counters.adverts_sent += 1
    if priority == PRIORITY_RESIGN:
        router.counters.priority_zero_sent += 1
    act = _push(core, vr, SEND, now)
    if act != NULL:
        act.a = priority
        act.b = sequence
        act.c = regardless


cdef void push_withdraw(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """Ask for the removal of the addresses."""
    if _claim(&core.vrs[vr], WITHDRAW):
        _push(core, vr, WITHDRAW, now)


cdef void push_install(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """Ask for the addresses."""
    if _claim(&core.vrs[vr], INSTALL):
        _push(core, vr, INSTALL, now)


cdef void push_announce(core_t* core, int32_t vr, int32_t repeats, int64_t now) noexcept nogil:
    """Ask for `repeats` rounds of gratuitous ARP or neighbour advertisements."""
    cdef act_t* act
    if repeats > 0 and _claim(&core.vrs[vr], ANNOUNCE):
        core.vrs[vr].counters.announcements += <uint32_t>repeats
        act = _push(core, vr, ANNOUNCE, now)
        if act != NULL:
            act.a = repeats


cdef void note(
    core_t* core, int32_t vr, uint8_t kind, int64_t a, int64_t b, uint16_t c, const uint8_t* source, int64_t now,
) noexcept nogil:
    """Tell the cold side; `source` may be NULL."""
    cdef act_t* act
    if kind != NOTE_STATE and core.notes.count >= core.notes.size // 2:
        core.notes.lost += 1                # the other half is for changes of state: hooks hang on them
        return
    act = _next(&core.notes)
    if act == NULL:
        return
    act.kind = NOTE
    act.note = kind
    act.vr = vr
    act.a = a
    act.b = b
    act.c = c
    act.at = now
    if source != NULL:
        memcpy(act.source, source, 16)


cdef bint passes(limiter_t* limiter, int64_t window, int64_t now, uint32_t* suppressed) noexcept nogil:
    """Decide whether an event may be told; the first always may."""
    if now < limiter.opens:
        limiter.suppressed += 1
        return False
    if suppressed != NULL:
        suppressed[0] = limiter.suppressed
    limiter.suppressed = 0
    limiter.opens = now + window
    return True
