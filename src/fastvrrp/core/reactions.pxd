"""What received packets do to a virtual router. All instants in ns."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from fastvrrp.core.model cimport core_t
from fastvrrp.wire.packet cimport advert_t

cdef uint32_t address_digest(const uint8_t* addresses, int count, int length) noexcept nogil
# An advert that every stateless check has passed, and one that has not.
cdef void on_advert(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil
cdef void on_rejected(core_t* core, int32_t vr, uint8_t reason, const advert_t* advert, int64_t now) noexcept nogil
