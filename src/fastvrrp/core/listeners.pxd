"""Who listens on which port. Nothing here changes what a router does."""

from libc.stdint cimport int32_t, uint8_t

from fastvrrp.core.model cimport core_t, vr_t
from fastvrrp.wire.packet cimport profile_t

cdef enum:
    VRIDS = 256

cdef int32_t addressed(const core_t* core, int32_t port, uint8_t vrid, const uint8_t* source) noexcept nogil
# Whether `source` is one of the peers, or of the routers that are heard at all.
cdef bint is_peer(const vr_t* router, const uint8_t* source) noexcept nogil
# Whether two routers of one VRID can listen on one port.
cdef bint are_told_apart(const profile_t* one, const profile_t* other) noexcept nogil
# Let `vr` listen on another port; False when its VRID is taken there by one that could not be told from it.
cdef bint move(core_t* core, int32_t vr, int32_t port) noexcept nogil
# Let it listen nowhere.
cdef void leave_port(core_t* core, int32_t vr) noexcept nogil
# Nobody listens on `port` any more.
cdef void close_port(core_t* core, int32_t port) noexcept nogil
