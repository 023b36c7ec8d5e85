"""Sync groups: routers that are ACTIVE, BACKUP or in FAULT together (keepalived's vrrp_sync_group).

A group is a list of members in the order of the configuration. The rules about it are asked here; what
follows from the answers is done by the machine.
"""

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
    cdef int32_t member = core.groups[group]
    core.vrs[vr].group = group
    core.vrs[vr].next_member = -1
    if member < 0:
        core.groups[group] = vr
        return
    while core.vrs[member].next_member >= 0:
        member = core.vrs[member].next_member
    core.vrs[member].next_member = vr


cdef int32_t first_other(const core_t* core, int32_t vr) noexcept nogil:
    cdef int32_t group = core.vrs[vr].group
    if group < 0:
        return -1
    if core.groups[group] == vr:
        return core.vrs[vr].next_member
    return core.groups[group]


cdef int32_t next_other(const core_t* core, int32_t vr, int32_t member) noexcept nogil:
    member = core.vrs[member].next_member
    return core.vrs[vr].next_member if member == vr else member


cdef uint32_t held_back(const core_t* core, int32_t vr) noexcept nogil:
    cdef uint32_t held = core.vrs[vr].faults
    cdef int32_t member = first_other(core, vr)
    cdef const vr_t* other
    while member >= 0:
        other = &core.vrs[member]
        if other.started == NOT_STARTED and core.vrs[vr].state != BACKUP and core.vrs[vr].state != ACTIVE:
            held |= FAULT_PENDING           # the group starts together
        elif other.started == STARTED and other.faults == FAULT_PENDING:
            held |= FAULT_PENDING
        elif other.started == STARTED and other.faults != 0:
            held |= FAULT_GROUP
        member = next_other(core, vr, member)
    return held


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
    cdef int32_t member = vr
    if core.vrs[vr].group >= 0:
        member = core.groups[core.vrs[vr].group]
    while member >= 0:
        if core.vrs[member].started != SHUT_DOWN and not (
            core.vrs[member].priority == PRIORITY_OWNER and core.vrs[member].start_active
        ):
            return False
        member = core.vrs[member].next_member
    return True
