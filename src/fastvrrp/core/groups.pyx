"""Sync groups: routers that are ACTIVE, BACKUP or in FAULT together (keepalived's vrrp_sync_group).

A group is a list of members in the order of the configuration. The rules about it are asked here; what
follows from the answers is done by the machine.
"""

from libc.string cimport memset

from fastvrrp.core.model cimport (
    ACTIVE,
    BACKUP,
    FAULT_GROUP,
    FAULT_PENDING,
    NOT_STARTED,
    PRIORITY_OWNER,
    SHUT_DOWN,
    STARTED,
    vr_t,
)


cdef void join(core_t* core, int32_t vr, int32_t group) noexcept nogil:
    cdef int32_t member = core.groups[group].first
    core.vrs[vr].group = group
    core.vrs[vr].next_member = -1
    if member < 0:
        core.groups[group].first = vr
        return
    while core.vrs[member].next_member >= 0:
        member = core.vrs[member].next_member
    core.vrs[member].next_member = vr


cdef int32_t first_member(const core_t* core, int32_t vr) noexcept nogil:
    """A router without a group is the only member of its own."""
    cdef int32_t group = core.vrs[vr].group
    return vr if group < 0 else core.groups[group].first


cdef int32_t first_other(const core_t* core, int32_t vr) noexcept nogil:
    cdef int32_t group = core.vrs[vr].group
    if group < 0:
        return -1
    if core.groups[group].first == vr:
        return core.vrs[vr].next_member
    return core.groups[group].first


cdef int32_t next_other(const core_t* core, int32_t vr, int32_t member) noexcept nogil:
    member = core.vrs[member].next_member
    return core.vrs[vr].next_member if member == vr else member


cdef void take_census(const core_t* core, int32_t vr, census_t* census) noexcept nogil:
    cdef int32_t member = first_member(core, vr)
    memset(census, 0, sizeof(census_t))
    while member >= 0:
        count(census, &core.vrs[member], 1)
        member = core.vrs[member].next_member


cdef void count(census_t* census, const vr_t* router, int32_t by) noexcept nogil:
    if router.started == NOT_STARTED:
        census.absent += by
    elif router.started == STARTED and router.faults == FAULT_PENDING:
        census.pending += by
    elif router.started == STARTED and router.faults != 0:
        census.faulty += by


cdef uint32_t held_back(const core_t* core, int32_t vr, const census_t* census) noexcept nogil:
    """A member that was never started holds others back while they do not take part either: a group starts
    together. Those that run already go on."""
    cdef const vr_t* router = &core.vrs[vr]
    cdef census_t others = census[0]
    cdef uint32_t held = router.faults
    count(&others, router, -1)
    if others.pending or (others.absent and router.state != BACKUP and router.state != ACTIVE):
        held |= FAULT_PENDING
    if others.faulty:
        held |= FAULT_GROUP
    return held


cdef uint32_t held_back_now(const core_t* core, int32_t vr) noexcept nogil:
    cdef census_t census
    take_census(core, vr, &census)
    return held_back(core, vr, &census)


cdef int32_t blocker(const core_t* core, int32_t vr) noexcept nogil:
    cdef int32_t member = first_other(core, vr)
    cdef int32_t found = -1
    while member >= 0:
        if core.vrs[member].state == ACTIVE:
            return -1
        if found < 0 and core.vrs[member].started == STARTED and not core.vrs[member].wants_active:
            found = member
        member = next_other(core, vr, member)
    return found


cdef bint all_owners(const core_t* core, int32_t vr) noexcept nogil:
    cdef int32_t member = first_member(core, vr)
    while member >= 0:
        if core.vrs[member].started != SHUT_DOWN and not (
            core.vrs[member].priority == PRIORITY_OWNER and core.vrs[member].settings.start_active
        ):
            return False
        member = core.vrs[member].next_member
    return True
