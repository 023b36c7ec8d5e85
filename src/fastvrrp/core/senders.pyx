"""Senders: replay marks for each source (docs/adr/0011), and what is wrong with whom.

A slot is claimed by accepted adverts only: where every advert must be authentic, whoever has no key cannot
push a mark out.
"""

from libc.string cimport memcmp, memcpy, memset

from fastvrrp.core.listeners cimport is_peer
from fastvrrp.core.model cimport LAST_AH_SEQUENCE, MAX_SENDERS, MULTICAST_SENDERS
from fastvrrp.wire.hmac cimport hmac_in_window, hmac_is_newer
from fastvrrp.wire.packet cimport AUTH_AH


cdef int slots(const vr_t* router) noexcept nogil:
    return max(<int>MULTICAST_SENDERS, <int>router.profile.n_peers)


cdef sender_t* find(vr_t* router, const uint8_t* source) noexcept nogil:
    cdef sender_t* oldest = &router.senders[0]
    cdef sender_t* candidate
    cdef int i
    for i in range(slots(router)):
        candidate = &router.senders[i]
        if candidate.heard != 0 and memcmp(candidate.source, source, 16) == 0:
            return candidate
        if candidate.heard < oldest.heard:
            oldest = candidate              # a free slot, or the one unheard for longest
    memset(oldest, 0, sizeof(sender_t))
    memcpy(oldest.source, source, 16)
    return oldest


cdef bint may_speak(const vr_t* router, const uint8_t* source) noexcept nogil:
    return router.profile.n_peers == 0 or router.profile.any_source or is_peer(router, source)


cdef void review(vr_t* router) noexcept nogil:
    """The marks of the rest stay, where find() looks for them; which checksum they use is found out again."""
    cdef sender_t* sender
    cdef int kept = 0
    cdef int i
    for i in range(MAX_SENDERS):
        sender = &router.senders[i]
        if sender.heard == 0 or not may_speak(router, sender.source):
            continue
        router.senders[kept] = sender[0]
        router.senders[kept].checksum_style = 0
        kept += 1
    kept = min(kept, slots(router))
    memset(&router.senders[kept], 0, (MAX_SENDERS - kept) * sizeof(sender_t))


cdef bint is_replay(vr_t* router, const advert_t* advert, int64_t silence, int64_t wall, int64_t now) noexcept nogil:
    """`silence` (ns): an AH sender that was quiet for longer may have restarted its counter. `wall`: ns of the
    wall clock; in time mode a mark outside the window is forgotten (keepalived). Our own AH counter follows
    the highest seen: receivers that keep one counter for all senders would refuse us otherwise."""
    cdef sender_t* sender = find(router, advert.src)
    if router.profile.auth_type == AUTH_AH:
        if sender.ah_sequence != 0 and advert.ah_sequence <= sender.ah_sequence and now - sender.heard <= silence:
            return True
        sender.ah_sequence = advert.ah_sequence
        if advert.ah_sequence < LAST_AH_SEQUENCE:
            router.ah_sequence = max(router.ah_sequence, advert.ah_sequence)
    if advert.hmac_sequence != 0:
        if sender.hmac_sequence != 0 and not hmac_is_newer(advert.hmac_sequence, sender.hmac_sequence):
            if router.profile.hmac_monotonic or hmac_in_window(sender.hmac_sequence, wall, router.profile.hmac_window):
                return True
        sender.hmac_sequence = advert.hmac_sequence
    sender.heard = now
    return False


cdef void show(vr_t* router, condition_kind_t kind, int64_t detail, const uint8_t* source, int64_t now) noexcept nogil:
    router.conditions[<int>kind].seen = now
    router.conditions[<int>kind].detail = detail
    memcpy(router.conditions[<int>kind].source, source, 16)
