"""The state machine of one virtual router (RFC 9568 §6.4). All instants in ns."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from fastvrrp.core.model cimport core_t, vr_t
from fastvrrp.wire.packet cimport advert_t

cdef int64_t skew_time(const vr_t* vr) noexcept nogil
cdef int64_t active_down_interval(const vr_t* vr) noexcept nogil
cdef uint32_t address_digest(const uint8_t* addresses, int count, int length) noexcept nogil

cdef void on_startup(core_t* core, int32_t vr, int64_t now) noexcept nogil
cdef void on_shutdown(core_t* core, int32_t vr, int64_t now) noexcept nogil
cdef void on_advert(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil
cdef void on_rejected(core_t* core, int32_t vr, uint8_t reason, const advert_t* advert, int64_t now) noexcept nogil
cdef void on_deadline(core_t* core, int32_t vr, int64_t due, int64_t now) noexcept nogil
cdef void on_announce_deadline(core_t* core, int32_t vr, int64_t now) noexcept nogil
cdef void on_priority(core_t* core, int32_t vr, uint8_t priority, int64_t now) noexcept nogil
cdef void on_faults(core_t* core, int32_t vr, uint32_t faults, int64_t now) noexcept nogil
cdef void on_host_changed(core_t* core, int32_t vr, int64_t now) noexcept nogil
cdef void on_send_failed(core_t* core, int32_t vr, int error, int64_t now) noexcept nogil
cdef void on_install_failed(core_t* core, int32_t vr, int error, int64_t now) noexcept nogil
