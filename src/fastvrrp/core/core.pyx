"""Core: the virtual routers of one engine, without clock, socket or thread.

Inputs and `now` go in, acts come out. The loop drives it through the C functions; simulations and tests
through the Python methods, which run the same code.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from fastvrrp.core cimport deadlines, listeners, machine, queue, reactions, senders, settings, storage
from fastvrrp.core cimport groups as sync_groups
from fastvrrp.core cimport revision as revisions
from fastvrrp.core.deadlines cimport NEVER
from fastvrrp.core.model cimport (
    ACTIVE,
    ANNOUNCE,
    BACKUP,
    BY_MISSED,
    FAULT,
    FAULT_GROUP,
    FAULT_PENDING,
    FAULT_SEND,
    INIT,
    INSTALL,
    MAX_SENDERS,
    N_CONDITIONS,
    N_NOTES,
    NOTE,
    NOTE_CARP,
    NOTE_UNKNOWN_VRID,
    SEND,
    WITHDRAW,
    act_t,
    core_t,
    limiter_t,
    params_t,
    sender_t,
    vr_t,
)
from fastvrrp.core.revision cimport CompiledRevision, compile_revision
from fastvrrp.core.settings cimport copy_address
from fastvrrp.wire cimport advert as wire_advert
from fastvrrp.wire.packet cimport (
    ACCEPTED,
    N_REJECTS,
    REJECT_CARP,
    REJECT_VRID,
    advert_t,
    fv_rx_meta_t,
    packet_t,
    reject_t,
)

from fastvrrp.core.acts import Act, Note
from fastvrrp.names import Condition, Fault, NoteKind, Reason, RejectReason, State

assert (State.INIT, State.BACKUP, State.ACTIVE, State.FAULT) == (INIT, BACKUP, ACTIVE, FAULT)
assert (Fault.PENDING, Fault.GROUP, Fault.SEND) == (FAULT_PENDING, FAULT_GROUP, FAULT_SEND)
assert max(Reason) == BY_MISSED
assert NoteKind.UNKNOWN_VRID == NOTE_UNKNOWN_VRID and len(NoteKind) == N_NOTES
assert len(RejectReason) == N_REJECTS and len(Condition) == N_CONDITIONS

cdef enum:
    COALESCED = 256             # of an advert's interval
    PORT_NOTE_WINDOW = 60000000000          # ns: notes about packets that no router can answer for


cdef reject_t core_receive(
    core_t* core, int32_t port, const uint8_t* data, size_t length, fv_rx_meta_t* meta, int64_t now,
) noexcept nogil:
    """Take one datagram from `port` (see wire.advert.locate for its form)."""
    cdef heard_t heard
    meta.wall = now + core.wall_offset
    core_listen(core, port, data, length, meta, &heard)
    core_hear(core, port, &heard, now)
    return heard.verdict


cdef void core_listen(
    const core_t* core, int32_t port, const uint8_t* data, size_t length, fv_rx_meta_t* meta, heard_t* heard,
) noexcept nogil:
    """See the .pxd."""
    cdef packet_t packet
    heard.verdict = wire_advert.locate(data, length, meta, &packet)
    heard.vr = listeners.addressed(core, port, packet.vrid, meta.src) if heard.verdict == ACCEPTED else -1
    if heard.vr >= 0:
        heard.verdict = wire_advert.decode(&packet, meta, &core.vrs[heard.vr].profile, &heard.advert)
        return
    if heard.verdict == ACCEPTED:
        heard.verdict = REJECT_VRID
    memset(&heard.advert, 0, sizeof(advert_t))
    heard.advert.vrid = packet.vrid
    memcpy(heard.advert.src, meta.src, sizeof(heard.advert.src))


cdef void core_hear(core_t* core, int32_t port, const heard_t* heard, int64_t now) noexcept nogil:
    """See the .pxd."""
    if heard.vr < 0:
        core.port_rejects[port * N_REJECTS + heard.verdict] += 1
        tell_stranger(core, port, heard, now)
    elif heard.verdict == ACCEPTED:
        reactions.on_advert(core, heard.vr, &heard.advert, now)
    else:
        reactions.on_rejected(core, heard.vr, heard.verdict, &heard.advert, now)


cdef void tell_stranger(core_t* core, int32_t port, const heard_t* heard, int64_t now) noexcept nogil:
    """Note, once in a while, who else speaks on this port: in the name of the first router that listens there."""
    cdef bint carp = heard.verdict == REJECT_CARP
    cdef uint8_t vrid = heard.advert.vrid
    cdef limiter_t* limiter = &core.port_limits[2 * port + carp]
    cdef uint32_t suppressed = 0
    cdef int32_t vr
    if now < limiter.opens:
        limiter.suppressed += 1
        return
    if vrid == 0 or not (carp or (heard.verdict == REJECT_VRID and core.tells_unknown_vrids)):
        return
    for vr in range(core.capacity):
        if core.vrs[vr].used and core.vrs[vr].port == port:
            if not carp and is_known_elsewhere(core, vr, vrid):
                return                      # a port of the other authentication, or of the other kind, has it
            queue.passes(limiter, PORT_NOTE_WINDOW, now, &suppressed)
            queue.note(
                core, vr, NOTE_CARP if carp else NOTE_UNKNOWN_VRID, vrid, suppressed, 0, heard.advert.src, now,
            )
            return


cdef bint is_known_elsewhere(const core_t* core, int32_t like, uint8_t vrid) noexcept nogil:
    """Whether any router of the family of `like` has `vrid`."""
    cdef int32_t vr
    for vr in range(core.capacity):
        if core.vrs[vr].used and core.vrs[vr].profile.vrid == vrid:
            if core.vrs[vr].settings.address_len == core.vrs[like].settings.address_len:
                return True
    return False


cdef void core_advance(core_t* core, int64_t now) noexcept nogil:
    """Fire every deadline that is not after `now`, and the Adver_Timers that are nearly due with them."""
    cdef int32_t slot = deadlines.pop(&core.deadlines, now)
    while slot >= 0:
        if slot & 1:
            machine.on_announce_deadline(core, slot >> 1, now)
        else:
            machine.on_deadline(core, slot >> 1, core.deadlines.key[slot], now)
        slot = deadlines.pop(&core.deadlines, horizon(core, now))


cdef int64_t horizon(core_t* core, int64_t now) noexcept nogil:
    """Up to when the earliest deadline may be due to fire at `now`, when another one has: one wake-up for many
    adverts. The next one is due after a whole interval all the same, so that nothing adds up."""
    cdef int64_t due = deadlines.earliest(&core.deadlines)
    cdef const vr_t* router
    cdef int32_t slot
    if due == NEVER or due <= now:
        return now
    slot = core.deadlines.heap[0]
    router = &core.vrs[slot >> 1]
    if slot & 1 or router.state != ACTIVE:
        return now
    return now + router.settings.advert_interval // COALESCED


cdef int64_t core_deadline(core_t* core) noexcept nogil:
    """Return when core_advance() must be called next, NEVER for not at all."""
    return deadlines.earliest(&core.deadlines)


cdef bint core_awaits_takeover(core_t* core) noexcept nogil:
    """See the .pxd."""
    cdef int32_t slot
    if deadlines.earliest(&core.deadlines) == NEVER:
        return False
    slot = core.deadlines.heap[0]
    return not slot & 1 and core.vrs[slot >> 1].state == BACKUP


cdef void core_resume(core_t* core, int64_t slept, int64_t now) noexcept nogil:
    """See the .pxd."""
    cdef int32_t vr
    for vr in range(core.capacity):
        if core.vrs[vr].used:
            machine.on_resume(core, vr, slept, now)


cdef object note_from(const act_t* act, int address_len):
    """Return a Note for an act of kind NOTE whose router has addresses of `address_len` bytes."""
    return Note(
        kind=NoteKind(act.note), vr=act.vr, at=act.at, a=act.a, b=act.b, c=act.c,
        source=(<bytes>act.source[:16])[:address_len],
    )


cdef class Core:
    """Up to `routers` virtual routers on `ports` ports, some in `groups` sync groups. Not thread-safe."""

    def __cinit__(self, int32_t routers, int32_t ports=1, int32_t groups=0):
        if routers < 1 or ports < 1 or groups < 0:
            raise ValueError("a core needs at least one router and one port")
        storage.create(&self.core, routers, ports, groups)

    def __dealloc__(self):
        storage.destroy(&self.core)

    cdef vr_t* _router(self, int32_t vr) except NULL:
        if not 0 <= vr < self.core.capacity or not self.core.vrs[vr].used:
            raise IndexError(f"no virtual router {vr}")
        return &self.core.vrs[vr]

    # ---- configuration ----

    def add(self, params):
        """Add a virtual router in Initialize and return its number; raises ValueError when there is no room
        or the VRID is taken on the port."""
        cdef params_t laid_out
        cdef int32_t vr
        for vr in range(self.core.capacity):
            if not self.core.vrs[vr].used:
                break
        else:
            raise ValueError("no room for another virtual router")
        if not -1 <= params.port < self.core.n_ports:
            raise ValueError(f"no port {params.port}")
        if params.group >= self.core.n_groups:
            raise ValueError(f"no sync group {params.group}")
        settings.lay_out(&laid_out, params)
        revisions.begin(&self.core, vr, &laid_out)
        if params.port >= 0 and not listeners.move(&self.core, vr, params.port):
            self.core.vrs[vr].used = 0
            raise ValueError(f"VRID {params.vrid} is taken on port {params.port}")
        if params.group >= 0:
            sync_groups.join(&self.core, vr, params.group)
        return vr

    @property
    def capacity(self):
        """For how many (routers, ports, sync groups) there is room."""
        return self.core.capacity, self.core.n_ports, self.core.n_groups

    def grow(self, int32_t routers, int32_t ports, int32_t groups):
        """Make room for as many, if there is less."""
        cdef Core larger = self.larger(routers, ports, groups)
        if larger is not None:
            storage.adopt(&self.core, &larger.core)

    cdef Core larger(self, int32_t routers, int32_t ports, int32_t groups):
        """See the .pxd."""
        cdef core_t* core = &self.core
        if routers <= core.capacity and ports <= core.n_ports and groups <= core.n_groups:
            return None
        return Core(max(routers, core.capacity), max(ports, core.n_ports), max(groups, core.n_groups))

    def retire(self, int32_t vr, int64_t now):
        """End a router that a revision takes away or begins anew: RFC 9568 §6.4.3, Shutdown, without a note. Drain
        its acts before `revise()`, as long as they mean what was configured for it."""
        self._router(vr)
        machine.retire(&self.core, vr, now)

    def revise(self, revision, int64_t now):
        """Change what core.acts.Revision says, in one step; raises ValueError, with nothing changed, for what cannot
        be."""
        cdef CompiledRevision compiled = compile_revision(&self.core, revision)
        cdef int32_t taken = revisions.collision(&self.core, &compiled.revision)
        if taken >= 0:
            raise ValueError(f"router {taken}: its VRID is taken on its port")
        revisions.revise(&self.core, &compiled.revision, now)

    def set_source(self, int32_t vr, source):
        """Set the own source address (4 or 16 bytes), which decides between equal priorities."""
        cdef vr_t* router = self._router(vr)
        copy_address(router.profile.own, source)

    @property
    def tells_unknown_vrids(self):
        """Whether adverts for VRIDs that are not configured are noted (log_unknown_vrids)."""
        return self.core.tells_unknown_vrids

    @tells_unknown_vrids.setter
    def tells_unknown_vrids(self, bint value):
        self.core.tells_unknown_vrids = value

    # ---- inputs ----

    def startup(self, int32_t vr, int64_t now):
        """RFC 9568 §6.4.1, Startup."""
        self._router(vr)
        machine.on_startup(&self.core, vr, now)

    def shutdown(self, int32_t vr, int64_t now):
        """RFC 9568 §6.4.2 and §6.4.3, Shutdown."""
        self._router(vr)
        machine.on_shutdown(&self.core, vr, now)

    def set_priority(self, int32_t vr, int priority, int64_t now):
        """Set the effective priority, 1..255."""
        if not 1 <= priority <= 255:
            raise ValueError(f"priority {priority} is outside 1..255")
        self._router(vr)
        machine.on_priority(&self.core, vr, <uint8_t>priority, now)

    def set_faults(self, int32_t vr, uint32_t faults, int64_t now):
        """Replace the set of faults (names.Fault)."""
        self._router(vr)
        machine.on_faults(&self.core, vr, faults, now)

    def set_clock(self, int64_t offset):
        """Say how far the wall clock is ahead of the monotonic one, ns (auth_hmac compares times)."""
        self.core.wall_offset = offset

    def resume(self, int64_t slept, int64_t now):
        """The host was suspended for `slept` ns, which the monotonic clock does not show."""
        core_resume(&self.core, slept, now)

    def sent(self, int32_t vr):
        """A copy of an advert of `vr` was sent."""
        self._router(vr)
        machine.on_sent(&self.core, vr)

    def send_failed(self, int32_t vr, int error, int64_t now):
        """A copy of an advert of `vr` could not be sent, for `error` (errno)."""
        self._router(vr)
        machine.on_send_failed(&self.core, vr, error, now)

    def clear_send_fault(self, int32_t vr, int64_t now):
        """The link is another one: adverts that could not be sent may go out now."""
        self._router(vr)
        machine.on_link_changed(&self.core, vr, now)

    def restore_marks(self, int32_t vr, marks, sequence, int64_t now):
        """Take what `marks()` and `sequence()` of an earlier run said: (source, AH sequence, HMAC sequence) for each
        sender; the sequence pair of our own adverts. Later marks of this run win. Nobody listened meanwhile: the
        silence after which a sender may start again counts from `now`."""
        cdef vr_t* router = self._router(vr)
        cdef sender_t* sender
        ah, hmac = sequence
        router.ah_sequence = max(router.ah_sequence, <uint32_t>ah)
        router.hmac_sequence = max(router.hmac_sequence, <uint64_t>hmac)
        for source, ah, hmac in marks[:senders.slots(router)]:
            if len(source) != router.settings.address_len:
                raise ValueError("a source has the router's address length")
            address = bytes(source).ljust(16, b"\0")
            if router.profile.n_peers and not listeners.is_peer(router, address):
                continue                    # of a peer that is none any more
            sender = senders.find(router, address)
            if sender.heard == 0:
                sender.heard = max(1, now)
                sender.ah_sequence = <uint32_t>ah
                sender.hmac_sequence = <uint64_t>hmac

    def receive(self, const uint8_t[::1] data, *, family, src, dst, int ttl, int64_t now, int32_t port=0):
        """Take one datagram as the raw socket of `family` gives it; returns the RejectReason.

        A packet that is stopped later by state (a replay, a router in FAULT) returns ACCEPTED here too: its
        counters tell.
        """
        cdef fv_rx_meta_t meta
        memset(&meta, 0, sizeof(meta))
        meta.family = family
        meta.ttl = ttl
        copy_address(meta.src, src)
        copy_address(meta.dst, dst)
        if not 0 <= port < self.core.n_ports:
            raise ValueError(f"no port {port}")
        return RejectReason(
            core_receive(&self.core, port, &data[0] if len(data) else NULL, len(data), &meta, now)
        )

    def hear(self, int32_t vr, *, int priority, int64_t interval, source, int64_t now, addresses=()):
        """Take an advert that is already decoded and authentic (for models; simulations use receive())."""
        cdef vr_t* router = self._router(vr)
        cdef advert_t advert
        cdef bytes joined = b"".join(addresses)
        memset(&advert, 0, sizeof(advert))
        advert.version = router.settings.version
        advert.vrid = router.profile.vrid
        advert.priority = <uint8_t>priority
        advert.interval = interval
        advert.count = <uint8_t>len(addresses)
        advert.addresses = joined
        copy_address(advert.src, source)
        reactions.on_advert(&self.core, vr, &advert, now)

    def advance(self, int64_t now):
        """Fire every deadline that is not after `now`."""
        core_advance(&self.core, now)

    def deadline(self):
        """Return when advance() must be called next (ns), or None."""
        cdef int64_t due = core_deadline(&self.core)
        return None if due == NEVER else due

    # ---- outputs ----

    def drain(self):
        """Return the acts since the last call, in the order in which they were asked for."""
        cdef act_t act
        acts = []
        while queue.take(&self.core.acts, &act):
            if act.kind == SEND:
                self.core.vrs[act.vr].pending_sends -= 1
            else:
                self.core.vrs[act.vr].pending &= ~(1u << act.kind)
            acts.append(Act(kind=_ACT_NAMES[act.kind], vr=act.vr, at=act.at, a=act.a, b=act.b, c=act.c))
        return acts

    def drain_notes(self):
        """Return the notes since the last call, oldest first."""
        cdef act_t act
        notes = []
        while queue.take(&self.core.notes, &act):
            notes.append(note_from(&act, self.core.vrs[act.vr].settings.address_len))
        return notes

    @property
    def lost_notes(self):
        """How many notes were dropped because nobody drained them."""
        return self.core.notes.lost

    def state(self, int32_t vr):
        """Return the names.State of `vr`."""
        return State(self._router(vr).state)

    def status(self, int32_t vr):
        """Return what the router knows, as a dict of plain values (times in ns)."""
        cdef vr_t* router = self._router(vr)
        cdef int64_t due = self.core.deadlines.due[2 * vr]
        return {
            "state": State(router.state),
            "priority": router.priority,
            "faults": Fault(sync_groups.held_back_now(&self.core, vr) if router.started else router.faults),
            "active_source": (<bytes>router.active_source[:16])[: router.settings.address_len],
            "active_priority": router.active_priority,
            "active_adver_interval": router.active_adver_interval,
            "active_down_interval": machine.active_down_interval(router),
            "deadline": None if due == NEVER else due,
            "conditions": _conditions(router),
        }

    def marks(self, int32_t vr):
        """Return what protects `vr` from replayed adverts: (source, AH sequence, HMAC sequence) for each sender."""
        cdef vr_t* router = self._router(vr)
        cdef sender_t* sender
        cdef int i
        found = []
        for i in range(MAX_SENDERS):
            sender = &router.senders[i]
            if sender.ah_sequence or sender.hmac_sequence:
                source = (<bytes>sender.source[:16])[: router.settings.address_len]
                found.append((source, sender.ah_sequence, sender.hmac_sequence))
        return found

    def sequence(self, int32_t vr):
        """Return (AH sequence, HMAC sequence) of our own last advert."""
        cdef vr_t* router = self._router(vr)
        return router.ah_sequence, router.hmac_sequence

    def counters(self, int32_t vr):
        """Return the counters of `vr`; rejects under their RejectReason key."""
        cdef vr_t* router = self._router(vr)
        counters = dict(router.counters)
        rejected = counters.pop("rejected")
        return counters | {f"rejected_{r.key}": rejected[r] for r in RejectReason if r}

    def port_rejects(self, int32_t port=0):
        """Return how many packets of `port` no router could answer for, by RejectReason."""
        if not 0 <= port < self.core.n_ports:
            raise ValueError(f"no port {port}")
        cdef uint64_t* row = self.core.port_rejects + port * N_REJECTS
        return {r: row[<int>r] for r in RejectReason if row[<int>r]}


cdef dict _conditions(const vr_t* router):
    """Return (source, when it was last seen in ns, detail) by names.Condition."""
    cdef int kind
    found = {}
    for kind in range(<int>N_CONDITIONS):
        if router.conditions[kind].seen:
            source = (<bytes>router.conditions[kind].source[:16])[: router.settings.address_len]
            found[Condition(kind)] = (source, router.conditions[kind].seen, router.conditions[kind].detail)
    return found


_ACT_NAMES = {SEND: "SEND", WITHDRAW: "WITHDRAW", INSTALL: "INSTALL", ANNOUNCE: "ANNOUNCE", NOTE: "NOTE"}
