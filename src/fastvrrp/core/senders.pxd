"""What a virtual router remembers of each router that sends it adverts."""

from libc.stdint cimport int64_t, uint8_t

from fastvrrp.core.model cimport condition_kind_t, sender_t, vr_t
from fastvrrp.wire.packet cimport advert_t

# How many senders are remembered.
cdef int slots(const vr_t* router) noexcept nogil
# The slot of `source`, claimed from the longest unheard when it is new.
cdef sender_t* find(vr_t* router, const uint8_t* source) noexcept nogil
# The peers or the way to speak to them are others now: forget who is none any more.
cdef void review(vr_t* router) noexcept nogil
# Check an authentic advert against the marks of its sender, and advance them.
cdef bint is_replay(vr_t* router, const advert_t* advert, int64_t silence, int64_t wall, int64_t now) noexcept nogil
# Remember that `source` shows `kind`.
cdef void show(vr_t* router, condition_kind_t kind, int64_t detail, const uint8_t* source, int64_t now) noexcept nogil
