"""Who listens on which port: the table from a port and a VRID to a router, and its few changes (cold).

Unicast routers may share a VRID on one port: their peers tell them apart. They are chained.
"""

from libc.stdint cimport uint16_t
from libc.string cimport memcmp


cdef int32_t addressed(const core_t* core, int32_t port, uint8_t vrid, const uint8_t* source) noexcept nogil:
    """Return the router that `source` speaks to, -1: none. Unicast routers may share a VRID: their peers tell them
    apart."""
    cdef int32_t first = core.lookup[port * VRIDS + vrid]
    cdef int32_t vr = first
    if first < 0 or core.vrs[first].next_same < 0:
        return first
    while vr >= 0:
        if is_peer(&core.vrs[vr], source):
            return vr
        vr = core.vrs[vr].next_same
    return first


cdef bint is_peer(const vr_t* router, const uint8_t* source) noexcept nogil:
    return is_one_of(&router.profile, source)


cdef bint is_one_of(const profile_t* profile, const uint8_t* source) noexcept nogil:
    cdef uint16_t i
    for i in range(profile.n_peers):
        if memcmp(profile.peers[i], source, 16) == 0:
            return True
    return False


cdef bint are_told_apart(const profile_t* one, const profile_t* other) noexcept nogil:
    """Unicast routers are, by their peers."""
    cdef uint16_t i
    if not one.unicast or not other.unicast:
        return False
    for i in range(one.n_peers):
        if is_one_of(other, one.peers[i]):
            return False
    return True


cdef bint move(core_t* core, int32_t vr, int32_t port) noexcept nogil:
    """See the .pxd."""
    cdef vr_t* router = &core.vrs[vr]
    cdef int32_t* end = &core.lookup[port * VRIDS + router.profile.vrid]
    if router.port == port:
        return True
    while end[0] >= 0:
        if not are_told_apart(&router.profile, &core.vrs[end[0]].profile):
            return False
        end = &core.vrs[end[0]].next_same
    leave_port(core, vr)
    end[0] = vr
    router.port = port
    return True


cdef void leave_port(core_t* core, int32_t vr) noexcept nogil:
    cdef vr_t* router = &core.vrs[vr]
    cdef int32_t* link
    if router.port < 0:
        return
    link = &core.lookup[router.port * VRIDS + router.profile.vrid]
    while link[0] != vr:
        link = &core.vrs[link[0]].next_same
    link[0] = router.next_same
    router.next_same = -1
    router.port = -1


cdef void close_port(core_t* core, int32_t port) noexcept nogil:
    """See the .pxd."""
    cdef int vrid
    for vrid in range(VRIDS):
        while core.lookup[port * VRIDS + vrid] >= 0:
            leave_port(core, core.lookup[port * VRIDS + vrid])
