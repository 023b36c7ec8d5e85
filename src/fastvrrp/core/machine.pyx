"""The state machine of a virtual router (RFC 9568 §6.4, RFC 3768 §6.4, and keepalived's additions).

Laws: only this file assigns `vr.state`, in `change_state()`; nothing here can fail, allocates, or reads a clock.
What adverts do is in reactions.pyx, which calls this file; what a reload does, in revision.pyx. A sync group is
asked at two places, `take_over()` and `settle()`; where one member leads, the others follow in the functions
named `*_group`.

                 startup                        Active_Down_Timer
    INIT ───────────────────────► BACKUP ───────────────────────────────► ACTIVE
     │  └─ owner (priority 255) ─────┼───────────────────────────────────► │ │
     │                               ◄──── higher priority, or equal ──────┘ │
     └──────► FAULT ◄── a fault ─────┴────── and higher address              │
                ▲ └── last fault cleared ──► BACKUP                          │
                └────────────────────────── a fault (priority 0 is sent) ────┘
"""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memset

from fastvrrp.core cimport groups
from fastvrrp.core.deadlines cimport NEVER, arm, disarm
from fastvrrp.core.groups cimport census_t
from fastvrrp.core.model cimport (
    ACTIVE,
    AH_SEQUENCE_RESERVE,
    BACKUP,
    BY_FAULT,
    BY_FAULT_CLEARED,
    BY_GROUP,
    BY_OWNER,
    BY_PREEMPTION,
    BY_RESIGNED,
    BY_RESUME,
    BY_SEQUENCE,
    BY_SHUTDOWN,
    BY_STALL,
    BY_STARTUP,
    BY_TIMEOUT,
    FAULT,
    FAULT_GROUP,
    FAULT_PENDING,
    FAULT_SEND,
    INIT,
    LAST_AH_SEQUENCE,
    NOTE_GROUP_WAITS,
    NOTE_INSTALL_FAILED,
    NOTE_PRIORITY,
    NOTE_RESUMED,
    NOTE_SEND_FAILED,
    NOTE_SEND_FAULT,
    NOTE_SEQUENCE_END,
    NOTE_STALLED,
    NOTE_STATE,
    NS_PER_SECOND,
    PRIORITY_OWNER,
    PRIORITY_RESIGN,
    SHUT_DOWN,
    STARTED,
    garp_t,
    group_t,
    note_t,
    reason_t,
    state_t,
)
from fastvrrp.core.queue cimport note, passes, push_announce, push_install, push_send, push_withdraw
from fastvrrp.wire.packet cimport AUTH_AH

cdef enum:
    ONCE_A_MINUTE = 60000000000             # ns: notes about what does not change soon
    MAX_FAILED_ADVERTS = 3
    FIRST_RETRY = 10000000000               # ns from a send fault to the next attempt
    LAST_RETRY = 300000000000


# ---- durations ----

cdef int64_t skew_of(const vr_t* vr, uint8_t priority) noexcept nogil:
    """Skew_Time of `priority` in ns (RFC 9568 §6.1; VRRPv2 scales one second instead, RFC 3768 §6.1)."""
    cdef int64_t base = vr.active_adver_interval if vr.settings.version == 3 else NS_PER_SECOND
    return (256 - priority) * base // 256


cdef int64_t skew_time(const vr_t* vr) noexcept nogil:
    """Skew_Time in ns."""
    return skew_of(vr, vr.priority)


cdef int64_t active_down_interval(const vr_t* vr) noexcept nogil:
    """Active_Down_Interval in ns (RFC 9568 §6.1)."""
    return vr.settings.down_timer_adverts * vr.active_adver_interval + skew_time(vr)


# ---- notes ----

cdef void tell(
    core_t* core, int32_t vr, note_t kind, int64_t window, int64_t a, const uint8_t* source, int64_t now,
) noexcept nogil:
    """Note what packets can cause: once in `window` (ns), with the number of suppressed ones as `b`."""
    cdef uint32_t suppressed = 0
    if passes(&core.vrs[vr].note_limits[<int>kind], window, now, &suppressed):
        note(core, vr, kind, a, suppressed, 0, source, now)


# ---- transitions ----

cdef void arm_protocol(core_t* core, int32_t vr, int64_t due) noexcept nogil:
    arm(&core.deadlines, 2 * vr, due)


cdef void arm_announce(core_t* core, int32_t vr) noexcept nogil:
    cdef vr_t* router = &core.vrs[vr]
    cdef int64_t due = min(router.burst_due, router.refresh_due)
    if due == NEVER:
        disarm(&core.deadlines, 2 * vr + 1)
    else:
        arm(&core.deadlines, 2 * vr + 1, due)


cdef void enter(core_t* core, int32_t vr, state_t state, reason_t reason, int64_t now) noexcept nogil:
    """Change state, with the acts that belong to it, and tell."""
    cdef uint8_t old = core.vrs[vr].state
    change_state(core, vr, state, now)
    note(core, vr, NOTE_STATE, state, reason, old, core.vrs[vr].active_source, now)


cdef void change_state(core_t* core, int32_t vr, state_t state, int64_t now) noexcept nogil:
    """The acts are asked for in their order."""
    cdef vr_t* router = &core.vrs[vr]
    cdef uint8_t old = router.state
    if old == ACTIVE:
        router.counters.released_active += 1
        if state != BACKUP:
            push_send(core, vr, PRIORITY_RESIGN, now)
    router.state = state
    router.wants_active = 0
    if state == ACTIVE:
        router.counters.became_active += 1
        push_send(core, vr, router.priority, now)
        push_install(core, vr, now)
        push_announce(core, vr, router.settings.garp.repeat, now)
    elif old == ACTIVE:
        push_withdraw(core, vr, now)


cdef void forget_active(vr_t* router) noexcept nogil:
    memset(router.active_source, 0, 16)
    router.active_priority = 0


cdef void take_part(core_t* core, int32_t vr, reason_t reason, int64_t now) noexcept nogil:
    """Join the election (RFC 9568 §6.4.1), at start or after the last fault has cleared."""
    cdef vr_t* router = &core.vrs[vr]
    router.active_adver_interval = router.settings.advert_interval
    router.preempt_until = NEVER
    forget_active(router)
    if groups.all_owners(core, vr):
        become_active(core, vr, BY_OWNER, now)
    else:
        enter(core, vr, BACKUP, reason, now)
        watch(core, vr, now + active_down_interval(router))


cdef void watch(core_t* core, int32_t vr, int64_t due) noexcept nogil:
    """Arm the Active_Down_Timer."""
    cdef vr_t* router = &core.vrs[vr]
    router.resigned = 0
    router.preempting = 0
    router.waited = 0
    router.wants_active = 0
    arm_protocol(core, vr, due)


cdef void take_over(core_t* core, int32_t vr, reason_t reason, int64_t now) noexcept nogil:
    """Become the active router (RFC 9568 §6.4.2, Active_Down_Timer fires), together with the sync group, or
    wait for it."""
    cdef vr_t* router = &core.vrs[vr]
    cdef int32_t blocker = groups.blocker(core, vr)
    cdef int32_t member
    end_reduction(core, vr, now)
    if blocker >= 0:
        if router.wants_active:             # for the second time: it is no matter of some milliseconds
            tell(core, vr, NOTE_GROUP_WAITS, ONCE_A_MINUTE, blocker, NULL, now)
        router.wants_active = 1
        router.waited = 0
        arm_protocol(core, vr, now + active_down_interval(router))
        return
    if router.group >= 0 and defers(core, vr, now):
        router.wants_active = 1
        arm_protocol(core, vr, core.groups[router.group].defers_until)
        return
    become_active(core, vr, reason, now)
    member = groups.first_other(core, vr)
    while member >= 0:
        if core.vrs[member].state == BACKUP:
            end_reduction(core, member, now)
            become_active(core, member, BY_GROUP, now)
        member = groups.next_other(core, vr, member)


cdef bint defers(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """Whether the group lets another node go first. Nodes whose members outrank each other crosswise yield to
    each other at one instant, and would take over at one instant, again and again: so whoever has yielded waits
    0 to 7 half intervals longer, once; who meets the others again takes the next three bits of its address."""
    cdef group_t* group = &core.groups[core.vrs[vr].group]
    if group.yielded_at == 0:
        return False
    if group.defers_until == 0 and now - group.yielded_at <= 2 * active_down_interval(&core.vrs[vr]):
        group.defers_until = now + group.defers_for
    if now < group.defers_until:
        return True
    group.yielded_at = group.defers_until = 0
    return False


cdef void yield_group(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """`vr` heard a better router, and the other members go with it."""
    cdef vr_t* router = &core.vrs[vr]
    cdef group_t* group
    if groups.first_other(core, vr) < 0:
        return
    group = &core.groups[router.group]
    group.meetings = group.meetings + 1 if now - group.active_since <= router.settings.advert_interval else 0
    group.defers_for = bits_of(core, group.first, group.meetings) * router.settings.advert_interval // 2
    group.yielded_at = now
    group.defers_until = 0
    follow_group(core, vr, now)


cdef int32_t bits_of(const core_t* core, int32_t vr, int32_t which) noexcept nogil:
    """Three bits of a digest of the own address of `vr`, others for each `which`; two nodes of a network differ
    in one of them."""
    cdef uint32_t digest = 2166136261u
    cdef int i
    for i in range(core.vrs[vr].settings.address_len):
        digest = (digest ^ core.vrs[vr].profile.own[i]) * 16777619u
    return digest >> (3 * (which % 10)) & 7


cdef void become_active(core_t* core, int32_t vr, reason_t reason, int64_t now) noexcept nogil:
    cdef vr_t* router = &core.vrs[vr]
    cdef const garp_t* garp = &router.settings.garp
    router.active_adver_interval = router.settings.advert_interval
    router.preempt_until = NEVER
    router.failed_adverts = 0
    if router.ah_sequence >= <uint32_t>LAST_AH_SEQUENCE - AH_SEQUENCE_RESERVE:
        router.ah_sequence = 0              # nobody has heard us for a while, so that low numbers are accepted
    elif router.ah_sequence:
        # A router that we did not hear may have gone on counting. Where all senders have one counter, ours
        # must not be behind it (keepalived).
        router.ah_sequence += router.settings.down_timer_adverts + 1
    enter(core, vr, ACTIVE, reason, now)
    if router.group >= 0:
        core.groups[router.group].active_since = now
    forget_active(router)
    arm_protocol(core, vr, now + router.settings.advert_interval)
    router.burst_repeat = garp.repeat
    router.burst_due = now + garp.delay if garp.delay > 0 else NEVER
    router.refresh_due = now + garp.delay + garp.refresh if garp.refresh > 0 else NEVER
    arm_announce(core, vr)


cdef void leave_active(core_t* core, int32_t vr) noexcept nogil:
    """Drop what only an active router has to do later."""
    core.vrs[vr].burst_due = NEVER
    core.vrs[vr].refresh_due = NEVER
    arm_announce(core, vr)


cdef void step_down(core_t* core, int32_t vr, reason_t reason, int64_t now) noexcept nogil:
    """Go from ACTIVE to BACKUP without having heard a better router; the whole group does."""
    leave_active(core, vr)
    forget_active(&core.vrs[vr])
    enter(core, vr, BACKUP, reason, now)
    watch(core, vr, now + active_down_interval(&core.vrs[vr]))
    if reason != BY_GROUP:
        follow_group(core, vr, now)


cdef void follow_group(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """`vr` is ACTIVE no longer: nor are the other members. They say no farewell, for the better router of
    `vr` takes over what they hold."""
    cdef int32_t member = groups.first_other(core, vr)
    while member >= 0:
        if core.vrs[member].state == ACTIVE:
            step_down(core, member, BY_GROUP, now)
        member = groups.next_other(core, vr, member)


cdef void stand_aside(core_t* core, int32_t vr, state_t state, reason_t reason, int64_t now) noexcept nogil:
    """Leave the election: FAULT or Initialize."""
    leave_active(core, vr)
    disarm(&core.deadlines, 2 * vr)
    end_reduction(core, vr, now)
    core.vrs[vr].rival_since = 0
    enter(core, vr, state, reason, now)


# ---- start, stop, faults ----

cdef void on_startup(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """RFC 9568 §6.4.1, "If a Startup event is received"; a router that waits for its first verdicts, or for
    the rest of its group, stays in Initialize without a word."""
    if core.vrs[vr].started == STARTED:
        return
    core.vrs[vr].started = STARTED
    settle_group(core, vr, now)


cdef void on_shutdown(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """RFC 9568 §6.4.2, §6.4.3, "If a Shutdown event is received"."""
    cdef vr_t* router = &core.vrs[vr]
    if router.started != STARTED:
        return
    router.started = SHUT_DOWN
    router.faults &= ~<uint32_t>FAULT_SEND
    stand_aside(core, vr, INIT, BY_SHUTDOWN, now)


cdef void retire(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """The configuration has it no longer: as a shutdown, of which the cold side needs no note. The rest of its
    group goes on."""
    if core.vrs[vr].started != STARTED:
        return
    core.vrs[vr].started = SHUT_DOWN
    leave_active(core, vr)
    disarm(&core.deadlines, 2 * vr)
    change_state(core, vr, INIT, now)


cdef void set_faults(vr_t* router, uint32_t faults) noexcept nogil:
    """Replace what the host side knows."""
    cdef uint32_t inner = FAULT_GROUP | FAULT_SEND
    router.faults = (faults & ~inner) | (router.faults & FAULT_SEND)


cdef void on_faults(core_t* core, int32_t vr, uint32_t faults, int64_t now) noexcept nogil:
    """Replace the set of faults (names.Fault) that the host side knows."""
    set_faults(&core.vrs[vr], faults)
    settle_group(core, vr, now)


cdef void settle_group(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """Let `vr` and every member of its group go where their faults allow."""
    cdef int32_t member = groups.first_other(core, vr)
    cdef census_t census
    groups.take_census(core, vr, &census)   # no fault changes below
    settle(core, vr, &census, now)
    while member >= 0:
        settle(core, member, &census, now)
        member = groups.next_other(core, vr, member)


cdef void settle(core_t* core, int32_t vr, const census_t* census, int64_t now) noexcept nogil:
    """Enter FAULT, leave it, or wait on."""
    cdef vr_t* router = &core.vrs[vr]
    cdef uint32_t held = groups.held_back(core, vr, census)
    if router.started != STARTED:
        return
    if held == 0:
        if router.state == INIT:
            take_part(core, vr, BY_STARTUP, now)
        elif router.state == FAULT:
            take_part(core, vr, BY_FAULT_CLEARED, now)
    elif router.state != FAULT and not (held == FAULT_PENDING and router.state == INIT):
        stand_aside(core, vr, FAULT, BY_FAULT if router.faults else BY_GROUP, now)


# ---- priority ----

cdef void on_priority(core_t* core, int32_t vr, uint8_t priority, int64_t now) noexcept nogil:
    """Set the effective priority, 1..255. An owner that goes on with less stays there until its rival does."""
    if core.vrs[vr].reduced and priority == PRIORITY_OWNER:
        return
    core.vrs[vr].reduced = 0
    change_priority(core, vr, priority, now)


cdef void change_priority(core_t* core, int32_t vr, uint8_t priority, int64_t now) noexcept nogil:
    """Use `priority` from now on; a running Active_Down_Timer moves by the change of Skew_Time."""
    cdef vr_t* router = &core.vrs[vr]
    cdef int64_t old_skew = skew_time(router)
    cdef int64_t due = core.deadlines.due[2 * vr]
    cdef int64_t moved
    if priority == router.priority:
        return
    note(core, vr, NOTE_PRIORITY, priority, router.priority, 0, NULL, now)
    router.priority = priority
    if router.state == BACKUP and due != NEVER:
        moved = due + skew_time(router) - old_skew
        # A timer that has not expired is not moved into the past: there it means that the host stood still.
        arm_protocol(core, vr, max(now, moved) if due >= now else moved)


cdef void end_reduction(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """End the reduction of an address owner."""
    if core.vrs[vr].reduced:
        core.vrs[vr].reduced = 0
        core.vrs[vr].rival_since = 0
        change_priority(core, vr, PRIORITY_OWNER, now)


# ---- deadlines ----

cdef void on_deadline(core_t* core, int32_t vr, int64_t due, int64_t now) noexcept nogil:
    """Active_Down_Timer, Adver_Timer, or in FAULT the retry after failed adverts: due at `due`, it fires at
    `now`."""
    cdef vr_t* router = &core.vrs[vr]
    if router.state == BACKUP:
        on_active_down(core, vr, due, now)
    elif router.state == ACTIVE:
        on_adver(core, vr, due, now)
    elif router.state == FAULT:
        on_link_changed(core, vr, now)


cdef void on_active_down(core_t* core, int32_t vr, int64_t due, int64_t now) noexcept nogil:
    cdef vr_t* router = &core.vrs[vr]
    if now - due > router.active_adver_interval // 2 and not router.waited:
        # The host stood still: adverts may have been lost meanwhile. A live router
        # sends one within an interval; wait for it, once.
        router.waited = 1
        note(core, vr, NOTE_STALLED, now - due, 0, 0, NULL, now)
        arm_protocol(core, vr, now + router.active_adver_interval)
    else:
        take_over(core, vr, why(router), now)


cdef reason_t why(const vr_t* router) noexcept nogil:
    """Return why the Active_Down_Timer ran out."""
    if router.resigned:
        return BY_RESIGNED
    return BY_PREEMPTION if router.preempting else BY_TIMEOUT


cdef void on_adver(core_t* core, int32_t vr, int64_t due, int64_t now) noexcept nogil:
    cdef vr_t* router = &core.vrs[vr]
    cdef int64_t missed
    if was_replaced(router, now - due):
        step_down(core, vr, BY_STALL, now)
        return
    if router.profile.auth_type == AUTH_AH and router.ah_sequence >= <uint32_t>LAST_AH_SEQUENCE:
        # RFC 2402 §3.3.2: it must not wrap. Receivers accept lower numbers after a silence.
        note(core, vr, NOTE_SEQUENCE_END, router.ah_sequence, 0, 0, NULL, now)
        router.ah_sequence = 0
        step_down(core, vr, BY_SEQUENCE, now)
        return
    push_send(core, vr, router.priority, now)
    missed = (now - due) // router.settings.advert_interval
    arm_protocol(core, vr, due + (missed + 1) * router.settings.advert_interval)


cdef bint was_replaced(const vr_t* router, int64_t late) noexcept nogil:
    """Whether this host stood still for so long that another router has taken over (keepalived's
    timer_expired_backup, which names the highest priority of the others)."""
    cdef int64_t patience = router.settings.down_timer_adverts * router.settings.advert_interval
    if router.settings.timer_expired_backup == 0:
        return False
    return late + router.settings.advert_interval > patience + skew_of(router, router.settings.timer_expired_backup)


cdef void look_for_stall(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """Before an advert is judged: after a stall the sockets are read first, and an Adver_Timer that an answer
    restarts would never be late."""
    cdef int64_t due = core.deadlines.due[2 * vr]
    if core.vrs[vr].state == ACTIVE and due != NEVER and was_replaced(&core.vrs[vr], now - due):
        step_down(core, vr, BY_STALL, now)


cdef void on_announce_deadline(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """The second burst or a refresh of gratuitous ARP is due."""
    cdef vr_t* router = &core.vrs[vr]
    cdef int32_t repeats = 0
    if router.burst_due <= now:
        repeats = router.burst_repeat
        router.burst_due = NEVER
    if router.refresh_due <= now:
        repeats = max(repeats, router.settings.garp.refresh_repeat)
        router.refresh_due = now + router.settings.garp.refresh
    push_announce(core, vr, repeats, now)
    arm_announce(core, vr)


# ---- what the host did, and what the loop could not do ----

cdef void on_host_changed(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """The interface of an active router is another one now, or lost its addresses: set them again."""
    push_install(core, vr, now)
    push_announce(core, vr, core.vrs[vr].settings.garp.repeat, now)


cdef void on_resume(core_t* core, int32_t vr, int64_t slept, int64_t now) noexcept nogil:
    """The host was suspended for `slept` ns, which the monotonic clock does not show. Others went on: listen
    like after a start. An owner needs no permission."""
    cdef vr_t* router = &core.vrs[vr]
    if slept <= router.settings.advert_interval or router.started != STARTED:
        return
    note(core, vr, NOTE_RESUMED, slept, 0, 0, NULL, now)
    if router.state == BACKUP:
        watch(core, vr, now + active_down_interval(router))
    elif router.state == ACTIVE and groups.all_owners(core, vr):
        push_send(core, vr, router.priority, now)
        arm_protocol(core, vr, now + router.settings.advert_interval)
    elif router.state == ACTIVE:
        step_down(core, vr, BY_RESUME, now)


cdef void on_sent(core_t* core, int32_t vr) noexcept nogil:
    """A copy of an advert was handed to the kernel."""
    core.vrs[vr].failed_adverts = 0
    core.vrs[vr].retry_after = 0


cdef void on_send_failed(core_t* core, int32_t vr, int error, int64_t now) noexcept nogil:
    """A copy of an advert was refused by the kernel. A last word through an interface that went down is no
    news; an active router whom nobody hears is no active router."""
    cdef vr_t* router = &core.vrs[vr]
    router.counters.send_errors += 1
    if router.state != ACTIVE:
        return
    tell(core, vr, NOTE_SEND_FAILED, ONCE_A_MINUTE, error, NULL, now)
    if router.failed_at == router.counters.adverts_sent:
        return
    router.failed_at = router.counters.adverts_sent
    router.failed_adverts += 1
    if router.failed_adverts < MAX_FAILED_ADVERTS and router.retry_after == 0:
        return                              # after a retry, one tells that nothing has changed
    note(core, vr, NOTE_SEND_FAULT, error, 0, 0, NULL, now)
    router.failed_adverts = 0
    router.retry_after = min(2 * router.retry_after, <int64_t>LAST_RETRY) if router.retry_after else FIRST_RETRY
    router.faults |= FAULT_SEND
    settle_group(core, vr, now)
    arm_protocol(core, vr, now + router.retry_after)


cdef void on_link_changed(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """Adverts may go out again: the link is another one, or enough time went by."""
    if core.vrs[vr].faults & FAULT_SEND:
        core.vrs[vr].faults &= ~<uint32_t>FAULT_SEND
        if core.vrs[vr].state == FAULT:
            disarm(&core.deadlines, 2 * vr)
        settle_group(core, vr, now)


cdef void on_install_failed(core_t* core, int32_t vr, int error, int64_t now) noexcept nogil:
    """A request for addresses could not be handed to the kernel."""
    tell(core, vr, NOTE_INSTALL_FAILED, NS_PER_SECOND, error, NULL, now)
