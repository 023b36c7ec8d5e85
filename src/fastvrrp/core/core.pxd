"""The core of one engine: five verbs (receive, advance, deadline, set_*, drain) over plain structs.

Every `core_*` function is nogil, takes `now` in ns, makes no system call and is not thread-safe: the loop's
mutex is around them.
"""

from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t

from fastvrrp.core.model cimport act_t, core_t, vr_t
from fastvrrp.wire.packet cimport advert_t, fv_rx_meta_t, reject_t

# What was made of one datagram. `advert` of a packet that no router can answer for (`vr` -1) has VRID and source.
ctypedef struct heard_t:
    reject_t verdict
    int32_t vr
    advert_t advert

cdef reject_t core_receive(
    core_t* core, int32_t port, const uint8_t* data, size_t length, fv_rx_meta_t* meta, int64_t now,
) noexcept nogil
# The two halves of core_receive(): what the bytes say, which changes nothing, and what follows from it.
cdef void core_listen(
    const core_t* core, int32_t port, const uint8_t* data, size_t length, fv_rx_meta_t* meta, heard_t* heard,
) noexcept nogil
cdef void core_hear(core_t* core, int32_t port, const heard_t* heard, int64_t now) noexcept nogil
cdef void core_advance(core_t* core, int64_t now) noexcept nogil
cdef int64_t core_deadline(core_t* core) noexcept nogil
# Whether core_deadline() is an Active_Down_Timer: a router may be dead, and its clients wait.
cdef bint core_awaits_takeover(core_t* core) noexcept nogil
# The host was suspended for `slept` ns.
cdef void core_resume(core_t* core, int64_t slept, int64_t now) noexcept nogil
cdef object note_from(const act_t* act, int address_len)

cdef class Core:
    cdef core_t core

    cdef vr_t* _router(self, int32_t vr) except NULL
    # An empty core with room for as many and for what is here, None if this one has it.
    cdef Core larger(self, int32_t routers, int32_t ports, int32_t groups)
