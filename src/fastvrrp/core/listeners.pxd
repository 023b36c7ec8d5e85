"""Who listens on which port. Nothing here changes what a router does."""

from libc.stdint cimport int32_t, uint8_t

from fastvrrp.core.model cimport core_t, vr_t

cdef int32_t addressed(const core_t* core, int32_t port, uint8_t vrid, const uint8_t* source) noexcept nogil
# Whether `source` is one of the peers, or of the routers that are heard at all.
cdef bint is_peer(const vr_t* router, const uint8_t* source) noexcept nogil
# Let `vr` listen on another port; False when its VRID is taken there by one that could not be told from it.
cdef bint move(core_t* core, int32_t vr, int32_t port) noexcept nogil
# Nobody listens on `port` any more.
cdef void close_port(core_t* core, int32_t port) noexcept nogil
