"""The state machine of one virtual router (RFC 9568 §6.4). All instants and durations in ns."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from fastvrrp.core.model cimport core_t, note_t, reason_t, state_t, vr_t

cdef int64_t skew_time(const vr_t* vr) noexcept nogil
cdef int64_t active_down_interval(const vr_t* vr) noexcept nogil

# ---- inputs ----
cdef void on_startup(core_t* core, int32_t vr, int64_t now) noexcept nogil
cdef void on_shutdown(core_t* core, int32_t vr, int64_t now) noexcept nogil
cdef void retire(core_t* core, int32_t vr, int64_t now) noexcept nogil
cdef void on_deadline(core_t* core, int32_t vr, int64_t due, int64_t now) noexcept nogil
cdef void on_announce_deadline(core_t* core, int32_t vr, int64_t now) noexcept nogil
cdef void on_priority(core_t* core, int32_t vr, uint8_t priority, int64_t now) noexcept nogil
cdef void on_faults(core_t* core, int32_t vr, uint32_t faults, int64_t now) noexcept nogil
cdef void on_host_changed(core_t* core, int32_t vr, int64_t now) noexcept nogil
cdef void on_link_changed(core_t* core, int32_t vr, int64_t now) noexcept nogil
cdef void on_resume(core_t* core, int32_t vr, int64_t slept, int64_t now) noexcept nogil
cdef void on_sent(core_t* core, int32_t vr) noexcept nogil
cdef void on_send_failed(core_t* core, int32_t vr, int error, int64_t now) noexcept nogil
cdef void on_install_failed(core_t* core, int32_t vr, int error, int64_t now) noexcept nogil

# ---- for reactions.pyx and revision.pyx ----
cdef void tell(
    core_t* core, int32_t vr, note_t kind, int64_t window, int64_t a, const uint8_t* source, int64_t now,
) noexcept nogil
cdef void arm_protocol(core_t* core, int32_t vr, int64_t due) noexcept nogil
cdef void arm_announce(core_t* core, int32_t vr) noexcept nogil
cdef void enter(core_t* core, int32_t vr, state_t state, reason_t reason, int64_t now) noexcept nogil
cdef void watch(core_t* core, int32_t vr, int64_t due) noexcept nogil
cdef void leave_active(core_t* core, int32_t vr) noexcept nogil
cdef void yield_group(core_t* core, int32_t vr, int64_t now) noexcept nogil
cdef void look_for_stall(core_t* core, int32_t vr, int64_t now) noexcept nogil
cdef void change_priority(core_t* core, int32_t vr, uint8_t priority, int64_t now) noexcept nogil
cdef void end_reduction(core_t* core, int32_t vr, int64_t now) noexcept nogil
cdef void set_faults(vr_t* router, uint32_t faults) noexcept nogil
cdef void settle_group(core_t* core, int32_t vr, int64_t now) noexcept nogil
