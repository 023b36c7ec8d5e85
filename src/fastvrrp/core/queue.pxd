"""Acts and notes on their way out of the core, and the rate limiters of notes."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

from fastvrrp.core.model cimport act_t, core_t, limiter_t, ring_t

cdef int create(ring_t* ring, uint32_t size) except -1
cdef void destroy(ring_t* ring) noexcept
cdef bint take(ring_t* ring, act_t* out) noexcept nogil
# Move everything to `target`, which is empty and has room.
cdef void move_all(ring_t* target, ring_t* source) noexcept nogil

cdef void push_send(core_t* core, int32_t vr, uint8_t priority, int64_t now) noexcept nogil
cdef void push_farewell(core_t* core, int32_t vr, uint8_t priority, int64_t now) noexcept nogil
cdef void push_withdraw(core_t* core, int32_t vr, int64_t now) noexcept nogil
cdef void push_install(core_t* core, int32_t vr, int64_t now) noexcept nogil
cdef void push_announce(core_t* core, int32_t vr, int32_t repeats, int64_t now) noexcept nogil
cdef void note(
    core_t* core, int32_t vr, uint8_t kind, int64_t a, int64_t b, uint16_t c, const uint8_t* source, int64_t now,
) noexcept nogil
# True when the event may be told now; `suppressed` (may be NULL) is then how many were not since the last one.
cdef bint passes(limiter_t* limiter, int64_t window, int64_t now, uint32_t* suppressed) noexcept nogil
