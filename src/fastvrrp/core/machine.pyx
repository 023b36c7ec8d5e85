"""The state machine of a virtual router (RFC 9568 §6.4, RFC 3768 §6.4, and keepalived's additions).

Laws: only this file assigns `vr.state`; every assignment goes through `enter()`; nothing here can fail,
allocates, or reads a clock. Sync groups attach at two places and nowhere else: `take_over()` asks before a
router becomes ACTIVE, and `enter()` is where the other members learn of a change.

                 startup                        Active_Down_Timer
    INIT ───────────────────────► BACKUP ───────────────────────────────► ACTIVE
     │  └─ owner (priority 255) ─────┼───────────────────────────────────► │ │
     │                               ◄──── higher priority, or equal ──────┘ │
     └──────► FAULT ◄── a fault ─────┴────── and higher address              │
                ▲ └── last fault cleared ──► BACKUP                          │
                └────────────────────────── a fault (priority 0 is sent) ────┘
"""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcmp, memcpy, memset

from fastvrrp.core.deadlines cimport NEVER, arm, disarm
from fastvrrp.core.model cimport (
    ACTIVE,
    BACKUP,
    BY_FAULT,
    BY_FAULT_CLEARED,
    BY_HIGHER_ADDRESS,
    BY_HIGHER_PRIORITY,
    BY_OWNER,
    BY_PREEMPTION,
    BY_RESIGNED,
    BY_SHUTDOWN,
    BY_STARTUP,
    BY_TIMEOUT,
    FAULT,
    FAULT_PENDING,
    INIT,
    MAX_AH_SENDERS,
    NOTE_ACTIVE_ROUTER,
    NOTE_ADDRESS_LIST,
    NOTE_CHECKSUM_STYLE,
    NOTE_DISCARDED,
    NOTE_INSTALL_FAILED,
    NOTE_INTERVAL,
    NOTE_LOWER_PRIORITY,
    NOTE_PREEMPT_DELAY,
    NOTE_PRIORITY,
    NOTE_REJECT,
    NOTE_RESIGNED_PEER,
    NOTE_RIVAL,
    NOTE_SAME_ADDRESS,
    NOTE_SEND_FAILED,
    NOTE_STALLED,
    NOTE_STATE,
    NS_PER_SECOND,
    PRIORITY_OWNER,
    PRIORITY_RESIGN,
    ah_mark_t,
    note_t,
    reason_t,
    state_t,
)
from fastvrrp.core.queue cimport note, passes, push_announce, push_install, push_send, push_withdraw
from fastvrrp.wire.packet cimport (
    AUTH_AH,
    REJECT_AUTH_MISMATCH,
    REJECT_AUTH_REPLAY,
    REJECT_INACTIVE,
    REJECT_INTERVAL,
    REJECT_OWN_SOURCE,
    REJECT_VERSION,
)

cdef enum:
    VALID_NOTE_WINDOW = 900000000           # ns: notes that well-behaved peers cause, once a second
    REJECT_NOTE_WINDOW = 60000000000        # ns: notes that rejected packets cause
    REPLY_WINDOW = 100000000                # ns: adverts sent in reply
    LOWER_BURST_WINDOW = 1000000000         # ns: ARP bursts after a lower-priority advert


# ---- durations ----

cdef int64_t skew_time(const vr_t* vr) noexcept nogil:
    """Skew_Time in ns (RFC 9568 §6.1; VRRPv2 scales one second instead, RFC 3768 §6.1)."""
    cdef int64_t base = vr.active_adver_interval if vr.version == 3 else NS_PER_SECOND
    return (256 - vr.priority) * base // 256


cdef int64_t active_down_interval(const vr_t* vr) noexcept nogil:
    """Active_Down_Interval in ns (RFC 9568 §6.1)."""
    return 3 * vr.active_adver_interval + skew_time(vr)


# ---- notes ----

cdef void tell(
    core_t* core, int32_t vr, note_t kind, int64_t window, int64_t a, const uint8_t* source, int64_t now,
) noexcept nogil:
    """Note what packets can cause: once in `window` (ns), with the number of suppressed ones as `b`."""
    cdef uint32_t suppressed = 0
    if passes(&core.vrs[vr].note_limits[<int>kind], window, now, &suppressed):
        note(core, vr, kind, a, suppressed, 0, source, now)


# ---- transitions ----

cdef inline void arm_protocol(core_t* core, int32_t vr, int64_t due) noexcept nogil:
    arm(&core.deadlines, 2 * vr, due)


cdef void arm_announce(core_t* core, int32_t vr) noexcept nogil:
    cdef vr_t* router = &core.vrs[vr]
    cdef int64_t due = min(router.burst_due, router.refresh_due)
    if due == NEVER:
        disarm(&core.deadlines, 2 * vr + 1)
    else:
        arm(&core.deadlines, 2 * vr + 1, due)


cdef void enter(core_t* core, int32_t vr, state_t state, reason_t reason, int64_t now) noexcept nogil:
    """Change state, with the acts that belong to it, in their order."""
    cdef vr_t* router = &core.vrs[vr]
    cdef uint8_t old = router.state
    if old == ACTIVE:
        router.counters.released_active += 1
        if state != BACKUP:
            push_send(core, vr, PRIORITY_RESIGN, now)
    router.state = state
    if state == ACTIVE:
        router.counters.became_active += 1
        push_send(core, vr, router.priority, now)
        push_install(core, vr, now)
        push_announce(core, vr, router.garp.repeat, now)
    elif old == ACTIVE:
        push_withdraw(core, vr, now)
    note(core, vr, NOTE_STATE, state, reason, old, router.active_source, now)


cdef void take_part(core_t* core, int32_t vr, reason_t reason, int64_t now) noexcept nogil:
    """Join the election (RFC 9568 §6.4.1), at start or after the last fault has cleared."""
    cdef vr_t* router = &core.vrs[vr]
    router.active_adver_interval = router.advert_interval
    router.preempt_until = NEVER
    memset(router.active_source, 0, 16)
    if router.priority == PRIORITY_OWNER and router.start_active:
        take_over(core, vr, BY_OWNER, now)
    else:
        enter(core, vr, BACKUP, reason, now)
        watch(core, vr, now + active_down_interval(router))


cdef void watch(core_t* core, int32_t vr, int64_t due) noexcept nogil:
    """Arm the Active_Down_Timer."""
    core.vrs[vr].resigned = 0
    core.vrs[vr].preempting = 0
    core.vrs[vr].waited = 0
    arm_protocol(core, vr, due)


cdef void take_over(core_t* core, int32_t vr, reason_t reason, int64_t now) noexcept nogil:
    """Become the active router (RFC 9568 §6.4.2, Active_Down_Timer fires)."""
    cdef vr_t* router = &core.vrs[vr]
    router.active_adver_interval = router.advert_interval
    router.preempt_until = NEVER
    enter(core, vr, ACTIVE, reason, now)
    memset(router.active_source, 0, 16)
    arm_protocol(core, vr, now + router.advert_interval)
    router.burst_repeat = router.garp.repeat
    router.burst_due = now + router.garp.delay if router.garp.delay > 0 else NEVER
    router.refresh_due = now + router.garp.delay + router.garp.refresh if router.garp.refresh > 0 else NEVER
    arm_announce(core, vr)


cdef void leave_active(core_t* core, int32_t vr) noexcept nogil:
    """Drop what only an active router has to do later."""
    core.vrs[vr].burst_due = NEVER
    core.vrs[vr].refresh_due = NEVER
    arm_announce(core, vr)


cdef void stand_aside(core_t* core, int32_t vr, state_t state, reason_t reason, int64_t now) noexcept nogil:
    """Leave the election: FAULT or Initialize."""
    leave_active(core, vr)
    disarm(&core.deadlines, 2 * vr)
    enter(core, vr, state, reason, now)


# ---- start, stop, faults, priority ----

cdef void on_startup(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """RFC 9568 §6.4.1, "If a Startup event is received"; a router that waits for its first verdicts stays
    in Initialize without a word."""
    cdef vr_t* router = &core.vrs[vr]
    if router.started:
        return
    router.started = 1
    if router.faults == 0:
        take_part(core, vr, BY_STARTUP, now)
    elif router.faults != FAULT_PENDING:
        stand_aside(core, vr, FAULT, BY_FAULT, now)


cdef void on_shutdown(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """RFC 9568 §6.4.2, §6.4.3, "If a Shutdown event is received"."""
    cdef vr_t* router = &core.vrs[vr]
    if not router.started:
        return
    router.started = 0
    stand_aside(core, vr, INIT, BY_SHUTDOWN, now)


cdef void on_faults(core_t* core, int32_t vr, uint32_t faults, int64_t now) noexcept nogil:
    """Replace the set of faults (names.Fault)."""
    cdef vr_t* router = &core.vrs[vr]
    router.faults = faults
    if not router.started:
        return
    if faults == 0:
        if router.state == INIT:
            take_part(core, vr, BY_STARTUP, now)
        elif router.state == FAULT:
            take_part(core, vr, BY_FAULT_CLEARED, now)
    elif router.state != FAULT and not (router.state == INIT and faults == FAULT_PENDING):
        stand_aside(core, vr, FAULT, BY_FAULT, now)


cdef void on_priority(core_t* core, int32_t vr, uint8_t priority, int64_t now) noexcept nogil:
    """Set the effective priority, 1..255; a running Active_Down_Timer moves by the change of Skew_Time."""
    cdef vr_t* router = &core.vrs[vr]
    cdef int64_t old_skew = skew_time(router)
    cdef int64_t due = core.deadlines.due[2 * vr]
    cdef int64_t moved
    if priority == router.priority:
        return
    note(core, vr, NOTE_PRIORITY, priority, router.priority, 0, NULL, now)
    router.priority = priority
    if router.state == BACKUP:
        moved = due + skew_time(router) - old_skew
        # A timer that has not expired is not moved into the past: there it means that the host stood still.
        arm_protocol(core, vr, max(now, moved) if due >= now else moved)


# ---- deadlines ----

cdef void on_deadline(core_t* core, int32_t vr, int64_t due, int64_t now) noexcept nogil:
    """Active_Down_Timer or Adver_Timer, due at `due`, fires at `now`."""
    cdef vr_t* router = &core.vrs[vr]
    cdef int64_t missed
    if router.state == BACKUP:
        if now - due > router.active_adver_interval // 2 and not router.waited:
            # The host stood still: adverts may have been lost meanwhile. A live router
            # sends one within an interval; wait for it, once.
            router.waited = 1
            note(core, vr, NOTE_STALLED, now - due, 0, 0, NULL, now)
            arm_protocol(core, vr, now + router.active_adver_interval)
        else:
            take_over(core, vr, why(router), now)
    elif router.state == ACTIVE:
        push_send(core, vr, router.priority, now)
        missed = (now - due) // router.advert_interval
        arm_protocol(core, vr, due + (missed + 1) * router.advert_interval)


cdef reason_t why(const vr_t* router) noexcept nogil:
    """Return why the Active_Down_Timer ran out."""
    if router.resigned:
        return BY_RESIGNED
    return BY_PREEMPTION if router.preempting else BY_TIMEOUT


cdef void on_announce_deadline(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """The second burst or a refresh of gratuitous ARP is due."""
    cdef vr_t* router = &core.vrs[vr]
    cdef int32_t repeats = 0
    if router.burst_due <= now:
        repeats = router.burst_repeat
        router.burst_due = NEVER
    if router.refresh_due <= now:
        repeats = max(repeats, router.garp.refresh_repeat)
        router.refresh_due = now + router.garp.refresh
    push_announce(core, vr, repeats, now)
    arm_announce(core, vr)


# ---- adverts ----

cdef bint is_replay(vr_t* router, const advert_t* advert, int64_t now) noexcept nogil:
    """Check and advance the sender's mark. A sender that was silent for longer than the Active_Down_Interval
    may have restarted its counter. Our own counter follows the highest seen: receivers that keep one
    counter for all senders would refuse us otherwise."""
    cdef ah_mark_t* mark = &router.ah_marks[0]
    cdef ah_mark_t* candidate
    cdef int i
    for i in range(MAX_AH_SENDERS):
        candidate = &router.ah_marks[i]
        if candidate.heard != 0 and memcmp(candidate.source, advert.src, 4) == 0:
            if advert.ah_sequence <= candidate.sequence and now - candidate.heard <= active_down_interval(router):
                return True
            mark = candidate
            break
        if candidate.heard < mark.heard:
            mark = candidate                # a free slot, or the one unheard for longest
    memcpy(mark.source, advert.src, 4)
    mark.sequence = advert.ah_sequence
    mark.heard = now
    router.ah_sequence = max(router.ah_sequence, advert.ah_sequence)
    return False


cdef uint32_t address_digest(const uint8_t* addresses, int count, int length) noexcept nogil:
    """Return a digest of `count` addresses of `length` bytes that does not depend on their order: linear in
    the packet, whatever a sender puts into it. Only a note hangs on it, so collisions do no harm."""
    cdef uint32_t total = 0
    cdef uint32_t one
    cdef int i, j
    for i in range(count):
        one = 2166136261u
        for j in range(length):
            one = (one ^ addresses[i * length + j]) * 16777619u
        total += one
    return total


cdef void check_peer(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """Note what is odd about an accepted advert; it counts all the same (RFC 9568 §7.1: MAY)."""
    cdef vr_t* router = &core.vrs[vr]
    cdef uint32_t digest = address_digest(advert.addresses, advert.count, router.address_len)
    if advert.count != router.address_count or digest != router.address_digest:
        router.counters.address_list_mismatch += 1
        tell(core, vr, NOTE_ADDRESS_LIST, REJECT_NOTE_WINDOW, advert.count, advert.src, now)
    if router.version == 3 and router.address_len == 4 and router.checksum_style != advert.checksum_style + 1:
        router.checksum_style = advert.checksum_style + 1
        tell(core, vr, NOTE_CHECKSUM_STYLE, REJECT_NOTE_WINDOW, advert.checksum_style, advert.src, now)


cdef void learn_active(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """Remember the active router; VRRPv3 takes its interval (RFC 9568 §6.4.2)."""
    cdef vr_t* router = &core.vrs[vr]
    cdef uint32_t suppressed = 0
    if router.version == 3 and advert.interval != router.active_adver_interval:
        if passes(&router.note_limits[<int>NOTE_INTERVAL], VALID_NOTE_WINDOW, now, &suppressed):
            note(core, vr, NOTE_INTERVAL, advert.interval, router.active_adver_interval, 0, advert.src, now)
        router.active_adver_interval = advert.interval
    if memcmp(router.active_source, advert.src, 16) != 0:
        memcpy(router.active_source, advert.src, 16)
        tell(core, vr, NOTE_ACTIVE_ROUTER, VALID_NOTE_WINDOW, advert.priority, advert.src, now)
    router.active_priority = advert.priority


cdef bint yields_to(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """Decide in BACKUP whether the sender stays active; runs the preemption delay."""
    cdef vr_t* router = &core.vrs[vr]
    if advert.priority >= router.priority:
        if router.preempt_until != NEVER:
            router.preempt_until = NEVER
            tell(core, vr, NOTE_PREEMPT_DELAY, VALID_NOTE_WINDOW, 0, NULL, now)
        return True
    if not router.preempt and router.priority != PRIORITY_OWNER:
        return True                         # the owner preempts in either Preempt_Mode (RFC 9568 §6.1)
    if router.preempt_delay == 0:
        return False
    if router.preempt_until == NEVER:
        router.preempt_until = now + router.preempt_delay
        tell(core, vr, NOTE_PREEMPT_DELAY, VALID_NOTE_WINDOW, router.preempt_delay, NULL, now)
    return now < router.preempt_until


cdef void on_advert_in_backup(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """RFC 9568 §6.4.2, "If an ADVERTISEMENT is received"."""
    cdef vr_t* router = &core.vrs[vr]
    if advert.priority == PRIORITY_RESIGN:
        watch(core, vr, now + skew_time(router))
        router.resigned = 1
        tell(core, vr, NOTE_RESIGNED_PEER, VALID_NOTE_WINDOW, BACKUP, advert.src, now)
    elif yields_to(core, vr, advert, now):
        learn_active(core, vr, advert, now)
        watch(core, vr, now + active_down_interval(router))
    else:
        # A lower-priority active router: let Active_Down_Timer run out.
        router.preempting = 1
        tell(core, vr, NOTE_DISCARDED, VALID_NOTE_WINDOW, advert.priority, advert.src, now)


cdef void reply(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """Send an advert at once and restart the Adver_Timer, at most once per REPLY_WINDOW or half an interval:
    whoever can send adverts must not make us an amplifier (docs/adr/0013)."""
    cdef vr_t* router = &core.vrs[vr]
    if now < router.reply_opens:
        router.counters.replies_suppressed += 1
        return
    router.reply_opens = now + min(<int64_t>REPLY_WINDOW, router.advert_interval // 2)
    push_send(core, vr, router.priority, now)
    arm_protocol(core, vr, now + router.advert_interval)


cdef void on_lower_advert(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """Another router of lower rank believes that it is active: tell it, and every switch and host."""
    cdef vr_t* router = &core.vrs[vr]
    tell(core, vr, NOTE_LOWER_PRIORITY, VALID_NOTE_WINDOW, advert.priority, advert.src, now)
    reply(core, vr, now)
    if now < router.lower_burst_opens or router.garp.lower_repeat == 0:
        return
    router.lower_burst_opens = now + max(router.garp.lower_delay, <int64_t>LOWER_BURST_WINDOW)
    push_announce(core, vr, router.garp.lower_repeat, now)
    if router.garp.lower_delay > 0:
        router.burst_repeat = router.garp.lower_repeat
        router.burst_due = now + router.garp.lower_delay
        arm_announce(core, vr)


cdef void yield_active(core_t* core, int32_t vr, const advert_t* advert, reason_t reason, int64_t now) noexcept nogil:
    """RFC 9568 §6.4.3: a router of higher rank is active."""
    cdef vr_t* router = &core.vrs[vr]
    leave_active(core, vr)
    if router.version == 3:
        router.active_adver_interval = advert.interval
    memcpy(router.active_source, advert.src, 16)
    router.active_priority = advert.priority
    enter(core, vr, BACKUP, reason, now)
    watch(core, vr, now + active_down_interval(router))


cdef void on_advert_in_active(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """RFC 9568 §6.4.3, "If an ADVERTISEMENT is received". Addresses compare as unsigned, network order."""
    cdef vr_t* router = &core.vrs[vr]
    cdef int order
    if advert.priority == PRIORITY_RESIGN:
        tell(core, vr, NOTE_RESIGNED_PEER, VALID_NOTE_WINDOW, ACTIVE, advert.src, now)
        reply(core, vr, now)
        return
    if advert.priority > router.priority:
        yield_active(core, vr, advert, BY_HIGHER_PRIORITY, now)
        return
    order = memcmp(advert.src, router.profile.own, router.address_len)
    if advert.priority < router.priority or order < 0:
        on_lower_advert(core, vr, advert, now)
    elif order > 0:
        yield_active(core, vr, advert, BY_HIGHER_ADDRESS, now)
    else:
        tell(core, vr, NOTE_SAME_ADDRESS, REJECT_NOTE_WINDOW, advert.priority, advert.src, now)


cdef void on_advert(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """An advert that every stateless check has passed."""
    cdef vr_t* router = &core.vrs[vr]
    if router.state != BACKUP and router.state != ACTIVE:
        on_rejected(core, vr, REJECT_INACTIVE, advert, now)
        return
    if router.profile.auth_type == AUTH_AH and is_replay(router, advert, now):
        on_rejected(core, vr, REJECT_AUTH_REPLAY, advert, now)
        return
    router.counters.adverts_received += 1
    if advert.priority == PRIORITY_RESIGN:
        router.counters.priority_zero_received += 1
    check_peer(core, vr, advert, now)
    if router.state == BACKUP:
        on_advert_in_backup(core, vr, advert, now)
    else:
        on_advert_in_active(core, vr, advert, now)


cdef bint is_misconfiguration(uint8_t reason) noexcept nogil:
    """True for rejects that a well-formed advert of a differently configured router causes."""
    return (
        reason == REJECT_VERSION
        or reason == REJECT_INTERVAL
        or REJECT_AUTH_MISMATCH <= reason <= REJECT_AUTH_REPLAY
    )


cdef void on_rejected(core_t* core, int32_t vr, uint8_t reason, const advert_t* advert, int64_t now) noexcept nogil:
    """A packet for this router that is not used: it moves a counter and nothing else; the first
    of its kind is told. While ACTIVE, a rejected advert from another router that is active too is the one
    thing an operator must hear about: two holders, and why."""
    cdef vr_t* router = &core.vrs[vr]
    cdef uint32_t suppressed = 0
    router.counters.rejected[reason] += 1
    if reason == REJECT_INACTIVE:
        return
    if reason == REJECT_OWN_SOURCE:
        # Our own adverts do not come back: another host has our address.
        if router.state == BACKUP or router.state == ACTIVE:
            tell(core, vr, NOTE_SAME_ADDRESS, REJECT_NOTE_WINDOW, advert.priority, advert.src, now)
        return
    if passes(&router.reject_limits[reason], REJECT_NOTE_WINDOW, now, &suppressed):
        note(core, vr, NOTE_REJECT, reason, suppressed, 0, advert.src, now)
    if router.state != ACTIVE or not is_misconfiguration(reason) or advert.priority == PRIORITY_RESIGN:
        return
    if passes(&router.note_limits[<int>NOTE_RIVAL], REJECT_NOTE_WINDOW, now, &suppressed):
        note(core, vr, NOTE_RIVAL, reason, advert.priority, 0, advert.src, now)


# ---- what the host did, and what the loop could not do ----

cdef void on_host_changed(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """The interface of an active router is another one now, or lost its addresses: set them again."""
    push_install(core, vr, now)
    push_announce(core, vr, core.vrs[vr].garp.repeat, now)


cdef void on_send_failed(core_t* core, int32_t vr, int error, int64_t now) noexcept nogil:
    """An advert was refused by the kernel. A last word through an interface that went down is no news."""
    core.vrs[vr].counters.send_errors += 1
    if core.vrs[vr].state == ACTIVE:
        tell(core, vr, NOTE_SEND_FAILED, REJECT_NOTE_WINDOW, error, NULL, now)


cdef void on_install_failed(core_t* core, int32_t vr, int error, int64_t now) noexcept nogil:
    """A request for addresses could not be handed to the kernel."""
    tell(core, vr, NOTE_INSTALL_FAILED, VALID_NOTE_WINDOW, error, NULL, now)
