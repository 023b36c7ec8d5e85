"""Reload: what a new configuration changes in a running core (docs/adr/0030).

A router that runs on keeps everything that it has become: its state, timers, counters, sequence numbers, and what it
knows of others. Nothing here assigns a state; faults and sync groups settle once, when all is in place.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from fastvrrp.core cimport groups, listeners, machine, senders
from fastvrrp.core.deadlines cimport NEVER, disarm
from fastvrrp.core.model cimport ACTIVE, BACKUP, counters_t, settings_t, vr_t
from fastvrrp.core.settings cimport copy_address, lay_out
from fastvrrp.wire.packet cimport profile_t


# ---- one router ----

cdef void clear(core_t* core, int32_t vr) noexcept nogil:
    """Forget the router, but not what waits to be performed for it."""
    cdef vr_t* router = &core.vrs[vr]
    cdef uint32_t pending = router.pending
    cdef uint8_t pending_sends = router.pending_sends
    disarm(&core.deadlines, 2 * vr)
    disarm(&core.deadlines, 2 * vr + 1)
    memset(router, 0, sizeof(vr_t))
    router.pending = pending
    router.pending_sends = pending_sends
    router.port = -1
    router.next_same = -1
    router.group = -1
    router.next_member = -1


cdef void begin(core_t* core, int32_t vr, const params_t* params) noexcept nogil:
    """Put a router into Initialize that waits for its startup. Counters go on, and so do the sequence numbers of its
    own: whoever heard them refuses lower ones."""
    cdef vr_t* router = &core.vrs[vr]
    cdef counters_t counters = router.counters
    cdef uint32_t ah_sequence = router.ah_sequence
    cdef uint64_t hmac_sequence = router.hmac_sequence
    clear(core, vr)
    router.used = 1
    router.counters = counters
    router.ah_sequence = ah_sequence
    router.hmac_sequence = hmac_sequence
    router.settings = params.settings
    memcpy(&router.profile, &params.profile, sizeof(profile_t))
    router.priority = params.priority
    router.faults = params.faults
    router.sends_old_checksum = params.settings.old_checksum == 1
    router.active_adver_interval = params.settings.advert_interval
    router.preempt_until = NEVER
    router.burst_due = NEVER
    router.refresh_due = NEVER


cdef void run_on(
    core_t* core, int32_t vr, const params_t* params, bint listens_anew, int64_t now,
) noexcept nogil:
    """Go on with other settings. `params` are of the same VRID and family."""
    cdef vr_t* router = &core.vrs[vr]
    cdef bint speaks_otherwise = params.settings.old_checksum != router.settings.old_checksum
    cdef int64_t before
    machine.set_faults(router, params.faults)
    machine.on_priority(core, vr, params.priority, now)
    before = patience(router)
    if router.preempt_until != NEVER:
        router.preempt_until += params.settings.preempt_delay - router.settings.preempt_delay
    if params.settings.garp.refresh != router.settings.garp.refresh and router.state == ACTIVE:
        router.refresh_due = now + params.settings.garp.refresh if params.settings.garp.refresh > 0 else NEVER
        machine.arm_announce(core, vr)
    if goes_by_another_interval(router, &params.settings):
        router.active_adver_interval = params.settings.advert_interval
    router.settings = params.settings
    memcpy(&router.profile, &params.profile, sizeof(profile_t))
    if speaks_otherwise:
        router.sends_old_checksum = router.settings.old_checksum == 1
    if listens_anew or speaks_otherwise:
        senders.review(router)
    move_deadline(core, vr, before, listens_anew, now)


cdef bint goes_by_another_interval(const vr_t* router, const settings_t* settings) noexcept nogil:
    """Whether Active_Adver_Interval follows the settings: not while it is that of a router that was heard (RFC 9568
    §6.4.2)."""
    if settings.version != router.settings.version:
        return True
    if router.state == BACKUP and settings.version == 3 and router.active_priority != 0:
        return False
    return settings.advert_interval != router.settings.advert_interval


cdef int64_t patience(const vr_t* router) noexcept nogil:
    """For how long the running Active_Down_Timer was set."""
    if router.resigned:
        return machine.skew_time(router)
    if router.waited:
        return router.active_adver_interval
    return machine.active_down_interval(router)


cdef void move_deadline(core_t* core, int32_t vr, int64_t before, bint listens_anew, int64_t now) noexcept nogil:
    """Let the running timer follow the settings. One that is shorter now ends within its new length at the latest,
    and never at once."""
    cdef vr_t* router = &core.vrs[vr]
    cdef int64_t due = core.deadlines.due[2 * vr]
    cdef int64_t after
    if router.state == ACTIVE:
        machine.arm_protocol(core, vr, min(due, now + router.settings.advert_interval))
    elif router.state == BACKUP and listens_anew:
        machine.watch(core, vr, now + machine.active_down_interval(router))
    elif router.state == BACKUP:
        after = patience(router)
        if after > before:
            machine.arm_protocol(core, vr, due + after - before)
        elif after < before:
            machine.arm_protocol(core, vr, min(due, now + after))


# ---- sync groups ----

cdef void remember_waits(const core_t* core, uint8_t* waited) noexcept nogil:
    cdef int32_t vr
    for vr in range(core.capacity):
        waited[vr] = is_in_the_way_of(core, vr)


cdef bint is_in_the_way_of(const core_t* core, int32_t vr) noexcept nogil:
    """Whether other members keep `vr` from becoming ACTIVE although its timer has run out."""
    return core.vrs[vr].used and core.vrs[vr].wants_active and groups.blocker(core, vr) >= 0


cdef void regroup(core_t* core, revision_t* revision) noexcept nogil:
    """Make the groups those of the revision; one that was there before remembers when it yielded."""
    cdef int32_t vr, group
    memcpy(revision.before, core.groups, core.n_groups * sizeof(group_t))
    for group in range(core.n_groups):
        memset(&core.groups[group], 0, sizeof(group_t))
        core.groups[group].first = -1
    for group in range(revision.n_groups):
        if revision.old_group[group] >= 0:
            core.groups[group] = revision.before[revision.old_group[group]]
        core.groups[group].first = revision.first[group]
    for vr in range(core.capacity):
        core.vrs[vr].group = revision.group_of[vr]
        core.vrs[vr].next_member = revision.next_member[vr]


cdef void settle_all(core_t* core, const uint8_t* waited, int64_t now) noexcept nogil:
    """Let everybody go where the faults that are left allow, and those take over who waited for members that are in
    their way no longer."""
    cdef int32_t vr
    for vr in range(core.capacity):
        if core.vrs[vr].used and (core.vrs[vr].group < 0 or core.groups[core.vrs[vr].group].first == vr):
            machine.settle_group(core, vr, now)
    for vr in range(core.capacity):
        if waited[vr] and core.vrs[vr].wants_active and not is_in_the_way_of(core, vr):
            machine.arm_protocol(core, vr, now)


# ---- all of them ----

cdef int32_t collision(const core_t* core, const revision_t* revision) noexcept nogil:
    """See the .pxd."""
    cdef const change_t* change
    cdef int32_t i, other
    for i in range(revision.n_changes):
        change = &revision.changes[i]
        if change.fate == GOES or change.port < 0:
            continue
        other = core.lookup[change.port * listeners.VRIDS + change.params.profile.vrid]
        while other >= 0:
            if not revision.touched[other] and not listeners.are_told_apart(
                &change.params.profile, &core.vrs[other].profile,
            ):
                return change.vr
            other = core.vrs[other].next_same
    return -1


cdef void retire_all(core_t* core, const revision_t* revision, int64_t now) noexcept nogil:
    """See the .pxd."""
    cdef int32_t i
    for i in range(revision.n_changes):
        if revision.changes[i].fate != RUNS_ON:
            machine.retire(core, revision.changes[i].vr, now)


cdef void revise(core_t* core, revision_t* revision, int64_t now) noexcept nogil:
    """Change everything at the instant `now`: first all let go of what others may take."""
    cdef change_t* change
    cdef vr_t* router
    cdef int32_t i
    retire_all(core, revision, now)
    remember_waits(core, revision.waited)
    for i in range(revision.n_changes):
        change = &revision.changes[i]
        router = &core.vrs[change.vr]
        if router.used and (change.fate != RUNS_ON or change.port != router.port):
            listeners.leave_port(core, change.vr)
    for i in range(revision.n_changes):
        change = &revision.changes[i]
        if change.fate == GOES:
            clear(core, change.vr)
        elif change.fate == BEGINS:
            begin(core, change.vr, &change.params)
        else:
            run_on(core, change.vr, &change.params, change.listens_anew, now)
    regroup(core, revision)
    for i in range(revision.n_changes):
        change = &revision.changes[i]
        if change.fate != GOES and change.port >= 0:
            listeners.move(core, change.vr, change.port)
    settle_all(core, revision.waited, now)


# ---- cold ----

cdef class CompiledRevision:
    """See the .pxd."""

    def __dealloc__(self):
        free(self.revision.changes)
        free(self.revision.first)
        free(self.revision.old_group)
        free(self.revision.next_member)
        free(self.revision.group_of)
        free(self.revision.before)
        free(self.revision.touched)
        free(self.revision.waited)


cdef CompiledRevision compile_revision(const core_t* core, revision):
    """See the .pxd."""
    cdef CompiledRevision made = CompiledRevision()
    cdef revision_t* compiled = &made.revision
    _allocate(compiled, core, len(revision.changes), len(revision.groups))
    for i, change in enumerate(revision.changes):
        _lay_out_change(core, compiled, &compiled.changes[i], change)
    _look_for_twins(compiled)
    _lay_out_groups(core, compiled, revision)
    return made


cdef int _allocate(revision_t* compiled, const core_t* core, int32_t changes, int32_t n_groups) except -1:
    if n_groups > core.n_groups:
        raise ValueError(f"there is room for {core.n_groups} sync groups")
    compiled.n_changes = changes
    compiled.n_groups = n_groups
    compiled.changes = <change_t*>calloc(max(changes, 1), sizeof(change_t))
    compiled.first = <int32_t*>calloc(max(n_groups, 1), sizeof(int32_t))
    compiled.old_group = <int32_t*>calloc(max(n_groups, 1), sizeof(int32_t))
    compiled.before = <group_t*>calloc(max(core.n_groups, 1), sizeof(group_t))
    compiled.next_member = <int32_t*>calloc(core.capacity, sizeof(int32_t))
    compiled.group_of = <int32_t*>calloc(core.capacity, sizeof(int32_t))
    compiled.touched = <uint8_t*>calloc(core.capacity, 1)
    compiled.waited = <uint8_t*>calloc(core.capacity, 1)
    if not (
        compiled.changes and compiled.first and compiled.old_group and compiled.before
        and compiled.next_member and compiled.group_of and compiled.touched and compiled.waited
    ):
        raise MemoryError
    return 0


cdef int _lay_out_change(const core_t* core, revision_t* compiled, change_t* target, change) except -1:
    cdef int32_t slot = change.slot
    cdef const vr_t* router
    if not 0 <= slot < core.capacity or compiled.touched[slot]:
        raise ValueError(f"router {slot} does not exist, or is there twice")
    router = &core.vrs[slot]
    compiled.touched[slot] = 1
    target.vr = slot
    if change.params is None:
        if not router.used:
            raise ValueError(f"router {slot} does not exist")
        target.fate = GOES
        return 0
    if not -1 <= change.port < core.n_ports:
        raise ValueError(f"router {slot}: there is no port {change.port}")
    target.fate = BEGINS if change.fresh or not router.used else RUNS_ON
    target.port = change.port
    lay_out(&target.params, change.params)
    copy_address(target.params.profile.own, change.source)
    if target.fate == RUNS_ON and (
        target.params.profile.vrid != router.profile.vrid or target.params.profile.family != router.profile.family
    ):
        raise ValueError(f"router {slot} cannot run on with another VRID or family")
    if target.fate == RUNS_ON:
        target.listens_anew = change.listens_anew or _hears_otherwise(router, &target.params)
    return 0


cdef bint _hears_otherwise(const vr_t* router, const params_t* params):
    """Whether other adverts are accepted than before."""
    cdef profile_t now_heard
    memcpy(&now_heard, &router.profile, sizeof(profile_t))
    memcpy(now_heard.own, params.profile.own, sizeof(now_heard.own))
    if now_heard.version == 3:
        now_heard.advert_interval = params.profile.advert_interval      # every interval is accepted
    return memcmp(&now_heard, &params.profile, sizeof(profile_t)) != 0


cdef int _look_for_twins(revision_t* compiled) except -1:
    """Raise ValueError when two changes want one VRID on one port."""
    cdef change_t* change
    cdef int i, j
    placed = {}
    for i in range(compiled.n_changes):
        change = &compiled.changes[i]
        if change.fate == GOES or change.port < 0:
            continue
        alike = placed.setdefault((change.port, change.params.profile.vrid), [])
        for j in alike:
            if not listeners.are_told_apart(&change.params.profile, &compiled.changes[j].params.profile):
                raise ValueError(f"router {change.vr}: its VRID is taken on its port")
        alike.append(i)
    return 0


cdef int _lay_out_groups(const core_t* core, revision_t* compiled, revision) except -1:
    cdef int32_t member, group, old
    cdef int32_t vr
    gone = {compiled.changes[i].vr for i in range(compiled.n_changes) if compiled.changes[i].fate == GOES}
    for vr in range(core.capacity):
        compiled.group_of[vr] = compiled.next_member[vr] = -1
    for group in range(compiled.n_groups):
        compiled.first[group] = -1
        old = revision.old_groups.get(group, -1)
        if not -1 <= old < core.n_groups:
            raise ValueError(f"there was no sync group {old}")
        compiled.old_group[group] = old
        for member in reversed(revision.groups[group]):
            if not 0 <= member < core.capacity or member in gone or compiled.group_of[member] >= 0:
                raise ValueError(f"router {member} cannot be in sync group {group}")
            if not (compiled.touched[member] or core.vrs[member].used):
                raise ValueError(f"sync group {group} has a member {member} that does not exist")
            compiled.group_of[member] = group
            compiled.next_member[member] = compiled.first[group]
            compiled.first[group] = member
    return 0
