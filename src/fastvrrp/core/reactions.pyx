"""What a received advert does (RFC 9568 §6.4.2 and §6.4.3): the second half of the state machine.

Everything that only a packet can cause is limited: notes, replies, ARP bursts. A rejected packet moves a
counter and shows a condition, nothing else (docs/adr/0013).
"""

from libc.string cimport memcmp, memcpy

from fastvrrp.core cimport groups, senders
from fastvrrp.core.deadlines cimport NEVER
from fastvrrp.core.machine cimport (
    active_down_interval,
    arm_announce,
    arm_protocol,
    change_priority,
    end_reduction,
    enter,
    leave_active,
    look_for_stall,
    skew_time,
    tell,
    watch,
    yield_group,
)
from fastvrrp.core.model cimport (
    ACTIVE,
    BACKUP,
    BY_HIGHER_ADDRESS,
    BY_HIGHER_PRIORITY,
    CONDITION_ADDRESSES,
    CONDITION_AUTHENTICATION,
    CONDITION_INTERVAL,
    CONDITION_SAME_ADDRESS,
    CONDITION_STALE,
    CONDITION_VERSION,
    NOTE_ACTIVE_ROUTER,
    NOTE_ADDRESS_LIST,
    NOTE_CHECKSUM_STYLE,
    NOTE_DISCARDED,
    NOTE_INTERVAL,
    NOTE_LOWER_PRIORITY,
    NOTE_OWNER_CONFLICT,
    NOTE_OWNER_REDUCED,
    NOTE_PREEMPT_DELAY,
    NOTE_REJECT,
    NOTE_RESIGNED_PEER,
    NOTE_RIVAL,
    NOTE_SAME_ADDRESS,
    NOTE_STALE_PEER,
    PRIORITY_OWNER,
    PRIORITY_REDUCED,
    PRIORITY_RESIGN,
    reason_t,
    sender_t,
    vr_t,
)
from fastvrrp.core.queue cimport note, passes, push_announce, push_farewell, push_send
from fastvrrp.wire.packet cimport (
    CHECKSUM_GROUP,
    REJECT_AUTH_REPLAY,
    REJECT_AUTH_TYPE,
    REJECT_HMAC_INVALID,
    REJECT_HMAC_MISSING,
    REJECT_HMAC_REPLAY,
    REJECT_HMAC_STALE,
    REJECT_INACTIVE,
    REJECT_INTERVAL,
    REJECT_OWN_SOURCE,
    REJECT_OWNER,
    REJECT_VERSION,
)

cdef enum:
    VALID_NOTE_WINDOW = 900000000           # ns: notes that well-behaved peers cause, once a second
    REJECT_NOTE_WINDOW = 60000000000        # ns: notes that rejected packets cause
    REPLY_WINDOW = 100000000                # ns: adverts sent in reply
    LOWER_BURST_WINDOW = 1000000000         # ns: ARP bursts after a lower-priority advert
    AUTOMATIC = 0                           # vr_t.old_checksum


# ---- about the sender ----

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
    if not router.settings.skip_check_addresses or memcmp(router.active_source, advert.src, 16) != 0:
        compare_addresses(core, vr, advert, now)
    if advert.interval != router.settings.advert_interval:
        senders.show(router, CONDITION_INTERVAL, advert.interval, advert.src, now)
    if router.settings.version == 3 and router.settings.address_len == 4:
        compare_checksums(core, vr, advert, now)


cdef void compare_addresses(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    cdef vr_t* router = &core.vrs[vr]
    cdef uint32_t digest = address_digest(advert.addresses, advert.count, router.settings.address_len)
    if advert.count == router.settings.address_count and digest == router.settings.address_digest:
        return
    router.counters.address_list_mismatch += 1
    senders.show(router, CONDITION_ADDRESSES, advert.count, advert.src, now)
    tell(core, vr, NOTE_ADDRESS_LIST, REJECT_NOTE_WINDOW, advert.count, advert.src, now)


cdef void compare_checksums(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """Tell each sender's convention once, and speak that of an old keepalived to it."""
    cdef vr_t* router = &core.vrs[vr]
    cdef sender_t* sender = senders.find(router, advert.src)
    sender.heard = now
    if sender.checksum_style == advert.checksum_style + 1:
        return
    sender.checksum_style = advert.checksum_style + 1
    if advert.checksum_style == CHECKSUM_GROUP and router.settings.old_checksum == AUTOMATIC:
        router.sends_old_checksum = 1
    tell(core, vr, NOTE_CHECKSUM_STYLE, VALID_NOTE_WINDOW, advert.checksum_style, advert.src, now)


# ---- in BACKUP ----

cdef void learn_active(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """Remember the active router; VRRPv3 takes its interval (RFC 9568 §6.4.2)."""
    cdef vr_t* router = &core.vrs[vr]
    cdef uint32_t suppressed = 0
    if router.settings.version == 3 and advert.interval != router.active_adver_interval:
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
    if not router.settings.preempt and router.priority != PRIORITY_OWNER:
        return True                         # the owner preempts in either Preempt_Mode (RFC 9568 §6.1)
    if router.settings.preempt_delay == 0:
        return False
    if router.preempt_until == NEVER:
        router.preempt_until = now + router.settings.preempt_delay
        tell(core, vr, NOTE_PREEMPT_DELAY, VALID_NOTE_WINDOW, router.settings.preempt_delay, NULL, now)
    return now < router.preempt_until


cdef bint may_resign(vr_t* router, const advert_t* advert, int64_t now) noexcept nogil:
    """One resignation of one router counts in an Active_Down_Interval: who sends more in the name of a router that
    lives would have us take its place again and again."""
    if now < router.resign_opens and memcmp(router.resigner, advert.src, 16) == 0:
        return False
    router.resign_opens = now + active_down_interval(router)
    memcpy(router.resigner, advert.src, 16)
    return True


cdef int64_t running(const core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """When the Active_Down_Timer expires; NEVER if it has, while the host stood still."""
    cdef int64_t due = core.deadlines.due[2 * vr]
    return due if due > now else NEVER


cdef void on_advert_in_backup(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """RFC 9568 §6.4.2, "If an ADVERTISEMENT is received"."""
    cdef vr_t* router = &core.vrs[vr]
    if advert.priority == PRIORITY_RESIGN:
        if may_resign(router, advert, now):
            # Never later than it was: else a stream of resignations would keep a dead router's place free.
            watch(core, vr, min(running(core, vr, now), now + skew_time(router)))
            router.resigned = 1
        tell(core, vr, NOTE_RESIGNED_PEER, VALID_NOTE_WINDOW, BACKUP, advert.src, now)
    elif yields_to(core, vr, advert, now):
        learn_active(core, vr, advert, now)
        watch(core, vr, now + active_down_interval(router))
        if router.group >= 0 and now - core.groups[router.group].yielded_at > router.settings.advert_interval // 2:
            core.groups[router.group].yielded_at = 0    # the better router is there
    else:
        # A lower-priority active router: let Active_Down_Timer run out.
        router.preempting = 1
        tell(core, vr, NOTE_DISCARDED, VALID_NOTE_WINDOW, advert.priority, advert.src, now)


# ---- while ACTIVE ----

cdef void reply(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """Send an advert at once and restart the Adver_Timer, at most once per REPLY_WINDOW or half an interval:
    whoever can send adverts must not make us an amplifier (docs/adr/0013)."""
    cdef vr_t* router = &core.vrs[vr]
    if router.pending_sends:
        # One that waits to be sent says the same: after a stall, many packets are judged at once.
        router.counters.replies_suppressed += 1
        arm_protocol(core, vr, now + router.settings.advert_interval)
        return
    if now < router.reply_opens:
        router.counters.replies_suppressed += 1
        return
    router.reply_opens = now + min(<int64_t>REPLY_WINDOW, router.settings.advert_interval // 2)
    push_send(core, vr, router.priority, now)
    arm_protocol(core, vr, now + router.settings.advert_interval)


cdef void on_lower_advert(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """Another router of lower rank believes that it is active: tell it, and every switch and host."""
    cdef int32_t member = groups.first_other(core, vr)
    tell(core, vr, NOTE_LOWER_PRIORITY, VALID_NOTE_WINDOW, advert.priority, advert.src, now)
    if not core.vrs[vr].settings.lower_prio_no_advert:
        reply(core, vr, now)
    announce_again(core, vr, now)
    while member >= 0:
        if core.vrs[member].state == ACTIVE:
            announce_again(core, member, now)
        member = groups.next_other(core, vr, member)


cdef void announce_again(core_t* core, int32_t vr, int64_t now) noexcept nogil:
    """Send the ARP bursts that follow an advert of lower rank, at most once in LOWER_BURST_WINDOW."""
    cdef vr_t* router = &core.vrs[vr]
    if now < router.lower_burst_opens or router.settings.garp.lower_repeat == 0:
        return
    router.lower_burst_opens = now + max(router.settings.garp.lower_delay, <int64_t>LOWER_BURST_WINDOW)
    push_announce(core, vr, router.settings.garp.lower_repeat, now)
    if router.settings.garp.lower_delay > 0:
        router.burst_repeat = router.settings.garp.lower_repeat
        router.burst_due = now + router.settings.garp.lower_delay
        arm_announce(core, vr)


cdef bint insists(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """Another address owner of lower rank is active, which must not be. Complain; tell whether it has not
    yielded for two intervals of ours and more than one of its own, so that one of the two must."""
    cdef vr_t* router = &core.vrs[vr]
    cdef int64_t own = router.settings.advert_interval
    cdef int64_t patience = 2 * own + max(own, advert.interval) * 6 // 5
    cdef bint known = router.rival_since != 0 and now <= router.rival_until
    if not known:
        router.rival_since = now
        tell(core, vr, NOTE_OWNER_CONFLICT, REJECT_NOTE_WINDOW, advert.priority, advert.src, now)
    router.rival_until = now + patience
    return known and now - router.rival_since >= patience


cdef void reduce_owner(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """Go on as an ordinary router while the other owner is there."""
    cdef vr_t* router = &core.vrs[vr]
    note(core, vr, NOTE_OWNER_REDUCED, PRIORITY_REDUCED, 0, 0, advert.src, now)
    router.reduced = 1
    memcpy(router.rival, advert.src, 16)
    change_priority(core, vr, PRIORITY_REDUCED, now)


cdef void yield_active(core_t* core, int32_t vr, const advert_t* advert, reason_t reason, int64_t now) noexcept nogil:
    """RFC 9568 §6.4.3: a router of higher rank is active."""
    cdef vr_t* router = &core.vrs[vr]
    if router.settings.higher_prio_send_advert:
        push_farewell(core, vr, router.priority, now)
    leave_active(core, vr)
    if router.settings.version == 3:
        router.active_adver_interval = advert.interval
    memcpy(router.active_source, advert.src, 16)
    router.active_priority = advert.priority
    enter(core, vr, BACKUP, reason, now)
    watch(core, vr, now + active_down_interval(router))
    yield_group(core, vr, now)


cdef void on_advert_in_active(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """RFC 9568 §6.4.3, "If an ADVERTISEMENT is received". Addresses compare as unsigned, network order."""
    cdef vr_t* router = &core.vrs[vr]
    cdef int order
    if advert.priority == PRIORITY_RESIGN:
        tell(core, vr, NOTE_RESIGNED_PEER, VALID_NOTE_WINDOW, ACTIVE, advert.src, now)
        reply(core, vr, now)
        return
    order = memcmp(advert.src, router.profile.own, router.settings.address_len)
    if advert.priority == PRIORITY_OWNER == router.priority and order < 0 and insists(core, vr, advert, now):
        reduce_owner(core, vr, advert, now)
    if advert.priority > router.priority:
        yield_active(core, vr, advert, BY_HIGHER_PRIORITY, now)
        return
    if advert.priority < router.priority or order < 0:
        on_lower_advert(core, vr, advert, now)
    elif order > 0:
        yield_active(core, vr, advert, BY_HIGHER_ADDRESS, now)
    else:
        on_same_address(core, vr, advert, now)


cdef void on_same_address(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    senders.show(&core.vrs[vr], CONDITION_SAME_ADDRESS, advert.priority, advert.src, now)
    tell(core, vr, NOTE_SAME_ADDRESS, REJECT_NOTE_WINDOW, advert.priority, advert.src, now)


# ---- every packet ----

cdef void on_advert(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """An advert that every stateless check has passed."""
    cdef vr_t* router = &core.vrs[vr]
    if (advert.ah_sequence or advert.hmac_sequence) and senders.is_replay(
        router, advert, active_down_interval(router), now + core.wall_offset, now,
    ):
        on_rejected(core, vr, REJECT_AUTH_REPLAY if advert.ah_sequence else REJECT_HMAC_REPLAY, advert, now)
        return
    if router.state != BACKUP and router.state != ACTIVE:
        on_rejected(core, vr, REJECT_INACTIVE, advert, now)
        return
    if router.settings.owner_ignores_adverts and router.priority == PRIORITY_OWNER:
        on_rejected(core, vr, REJECT_OWNER, advert, now)
        return
    look_for_stall(core, vr, now)
    router.counters.adverts_received += 1
    if advert.priority == PRIORITY_RESIGN:
        router.counters.priority_zero_received += 1
    check_peer(core, vr, advert, now)
    if router.reduced and (advert.priority != PRIORITY_OWNER or memcmp(advert.src, router.rival, 16) != 0):
        end_reduction(core, vr, now)
    if router.state == BACKUP:
        on_advert_in_backup(core, vr, advert, now)
    else:
        on_advert_in_active(core, vr, advert, now)


cdef bint show_misconfiguration(vr_t* router, uint8_t reason, const advert_t* advert, int64_t now) noexcept nogil:
    """Show what a well-formed advert of a differently configured router reveals; False if it is no such."""
    if reason == REJECT_VERSION:
        senders.show(router, CONDITION_VERSION, advert.version, advert.src, now)
    elif reason == REJECT_INTERVAL:
        senders.show(router, CONDITION_INTERVAL, advert.interval, advert.src, now)
    elif reason == REJECT_HMAC_STALE and advert.authentic:
        senders.show(router, CONDITION_STALE, advert.hmac_skew, advert.src, now)
    elif REJECT_AUTH_TYPE <= reason < REJECT_AUTH_REPLAY or REJECT_HMAC_MISSING <= reason <= REJECT_HMAC_INVALID:
        senders.show(router, CONDITION_AUTHENTICATION, reason, advert.src, now)
    else:
        return reason == REJECT_AUTH_REPLAY or reason == REJECT_HMAC_REPLAY
    return True


cdef void on_rejected(core_t* core, int32_t vr, uint8_t reason, const advert_t* advert, int64_t now) noexcept nogil:
    """A packet for this router that is not used: it moves a counter, shows a condition and nothing else; the
    first of its kind is told. While ACTIVE, a rejected advert from another router that is active too is the one
    thing an operator must hear about: two holders, and why."""
    cdef vr_t* router = &core.vrs[vr]
    cdef uint32_t suppressed = 0
    cdef bint misconfigured
    router.counters.rejected[reason] += 1
    if reason == REJECT_INACTIVE or reason == REJECT_OWNER:
        return
    if reason == REJECT_OWN_SOURCE:
        # Our own adverts do not come back: another host has our address.
        if router.state == BACKUP or router.state == ACTIVE:
            on_same_address(core, vr, advert, now)
        return
    if reason == REJECT_HMAC_STALE and advert.authentic:
        on_stale(core, vr, advert, now)
    if passes(&router.reject_limits[reason], REJECT_NOTE_WINDOW, now, &suppressed):
        note(core, vr, NOTE_REJECT, reason, suppressed, 0, advert.src, now)
    misconfigured = show_misconfiguration(router, reason, advert, now)
    if router.state != ACTIVE or not misconfigured or advert.priority == PRIORITY_RESIGN:
        return
    if passes(&router.note_limits[<int>NOTE_RIVAL], REJECT_NOTE_WINDOW, now, &suppressed):
        note(core, vr, NOTE_RIVAL, reason, advert.priority, 0, advert.src, now)


cdef void on_stale(core_t* core, int32_t vr, const advert_t* advert, int64_t now) noexcept nogil:
    """A router that ought to be active lives, but the clocks differ: raise the alarm and, if so configured, let
    it be. Whoever recorded its adverts could do the same, so that is not the default."""
    cdef vr_t* router = &core.vrs[vr]
    if advert.priority == PRIORITY_RESIGN or advert.priority < router.priority:
        return
    if router.state == BACKUP or router.state == ACTIVE:
        if passes(&router.note_limits[<int>NOTE_STALE_PEER], REJECT_NOTE_WINDOW, now, NULL):
            note(core, vr, NOTE_STALE_PEER, advert.hmac_skew, advert.priority, 0, advert.src, now)
    if router.settings.holds_for_stale and router.state == BACKUP:
        watch(core, vr, now + active_down_interval(router))
