"""Questions about the sync group of a router; nothing here changes anything."""

from libc.stdint cimport int32_t, uint32_t

from fastvrrp.core.model cimport core_t

# How many members of a group ...
ctypedef struct census_t:
    int32_t absent              # were never started
    int32_t pending             # wait for the first verdict of a tracker
    int32_t faulty

# Put `vr` at the end of `group` (set-up only).
cdef void join(core_t* core, int32_t vr, int32_t group) noexcept nogil
# First other member of the group of `vr`, -1: none; and the one after `member`.
cdef int32_t first_other(const core_t* core, int32_t vr) noexcept nogil
cdef int32_t next_other(const core_t* core, int32_t vr, int32_t member) noexcept nogil
cdef void take_census(const core_t* core, int32_t vr, census_t* census) noexcept nogil
# What holds `vr` back: its own faults, FAULT_GROUP for those of others, FAULT_PENDING while they wait. The census is
# that of its group; held_back_now() takes it.
cdef uint32_t held_back(const core_t* core, int32_t vr, const census_t* census) noexcept nogil
cdef uint32_t held_back_now(const core_t* core, int32_t vr) noexcept nogil
# The member that keeps `vr` from becoming ACTIVE, -1: none.
cdef int32_t blocker(const core_t* core, int32_t vr) noexcept nogil
# Whether every member owns its addresses and takes over at start.
cdef bint all_owners(const core_t* core, int32_t vr) noexcept nogil
