"""Core: the virtual routers of one engine, without clock, socket or thread.

Inputs and `now` go in, acts come out. The loop drives it through the C functions; simulations and tests
through the Python methods, which run the same code.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from fastvrrp.core cimport deadlines, machine, queue
from fastvrrp.core.deadlines cimport NEVER
from fastvrrp.core.model cimport (
    ACTIVE,
    ANNOUNCE,
    BACKUP,
    BY_PREEMPTION,
    FAULT,
    FAULT_PENDING,
    INIT,
    INSTALL,
    N_NOTES,
    NOTE,
    NOTE_INSTALL_FAILED,
    SEND,
    WITHDRAW,
    act_t,
    core_t,
    vr_t,
)
from fastvrrp.wire cimport advert as wire_advert
from fastvrrp.wire cimport auth as wire_auth
from fastvrrp.wire.packet cimport (
    ACCEPTED,
    AUTH_NONE,
    MAX_PEERS,
    N_REJECTS,
    REJECT_VRID,
    advert_t,
    fv_rx_meta_t,
    packet_t,
    profile_t,
    reject_t,
)

from fastvrrp.core.acts import Act, Note, RouterParams
from fastvrrp.names import Fault, NoteKind, Reason, RejectReason, State

assert (State.INIT, State.BACKUP, State.ACTIVE, State.FAULT) == (INIT, BACKUP, ACTIVE, FAULT)
assert Fault.PENDING == FAULT_PENDING and max(Reason) == BY_PREEMPTION
assert NoteKind.INSTALL_FAILED == NOTE_INSTALL_FAILED and len(NoteKind) == N_NOTES
assert len(RejectReason) == N_REJECTS

cdef enum:
    VRIDS = 256
    NOTES_PER_ROUTER = 64


cdef reject_t core_receive(
    core_t* core, int32_t port, const uint8_t* data, size_t length, fv_rx_meta_t* meta, int64_t now,
) noexcept nogil:
    """Take one datagram from `port` (see wire.advert.locate for its form)."""
    cdef packet_t packet
    cdef advert_t advert
    cdef int32_t vr
    cdef reject_t verdict = wire_advert.locate(data, length, meta, &packet)
    if verdict == ACCEPTED:
        vr = core.lookup[port * VRIDS + packet.vrid]
        verdict = ACCEPTED if vr >= 0 else REJECT_VRID
    if verdict != ACCEPTED:
        core.port_rejects[port * N_REJECTS + verdict] += 1
        return verdict
    verdict = wire_advert.decode(&packet, meta, &core.vrs[vr].profile, &advert)
    if verdict == ACCEPTED:
        machine.on_advert(core, vr, &advert, now)
    else:
        machine.on_rejected(core, vr, verdict, &advert, now)
    return verdict


cdef void core_advance(core_t* core, int64_t now) noexcept nogil:
    """Fire every deadline that is not after `now`."""
    cdef int32_t slot
    while True:
        slot = deadlines.pop(&core.deadlines, now)
        if slot < 0:
            break
        if slot & 1:
            machine.on_announce_deadline(core, slot >> 1, now)
        else:
            machine.on_deadline(core, slot >> 1, core.deadlines.key[slot], now)


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


cdef bint core_move(core_t* core, int32_t vr, int32_t port) noexcept nogil:
    """See the .pxd."""
    cdef vr_t* router = &core.vrs[vr]
    cdef int32_t* target = &core.lookup[port * VRIDS + router.profile.vrid]
    if target[0] >= 0 and target[0] != vr:
        return False
    if router.port >= 0:
        core.lookup[router.port * VRIDS + router.profile.vrid] = -1
    target[0] = vr
    router.port = port
    return True


cdef void core_close_port(core_t* core, int32_t port) noexcept nogil:
    """See the .pxd."""
    cdef int vrid
    cdef int32_t vr
    for vrid in range(VRIDS):
        vr = core.lookup[port * VRIDS + vrid]
        if vr >= 0:
            core.lookup[port * VRIDS + vrid] = -1
            core.vrs[vr].port = -1


cdef object note_from(const act_t* act, int address_len):
    """Return a Note for an act of kind NOTE whose router has addresses of `address_len` bytes."""
    return Note(
        kind=NoteKind(act.note), vr=act.vr, at=act.at, a=act.a, b=act.b, c=act.c,
        source=(<bytes>act.source[:16])[:address_len],
    )


cdef class Core:
    """Up to `routers` virtual routers on `ports` ports. Not thread-safe."""

    def __cinit__(self, int32_t routers, int32_t ports=1):
        cdef core_t* core = &self.core
        if routers < 1 or ports < 1:
            raise ValueError("a core needs at least one router and one port")
        core.capacity = routers
        core.n_ports = ports
        core.vrs = <vr_t*>calloc(routers, sizeof(vr_t))
        core.lookup = <int32_t*>calloc(ports * VRIDS, sizeof(int32_t))
        core.port_rejects = <uint64_t*>calloc(ports * N_REJECTS, sizeof(uint64_t))
        if core.vrs == NULL or core.lookup == NULL or core.port_rejects == NULL:
            raise MemoryError
        memset(core.lookup, 0xFF, ports * VRIDS * sizeof(int32_t))
        deadlines.create(&core.deadlines, 2 * routers)
        queue.create(&core.acts, 8 * routers)
        queue.create(&core.notes, NOTES_PER_ROUTER * routers)

    def __dealloc__(self):
        free(self.core.vrs)
        free(self.core.lookup)
        free(self.core.port_rejects)
        deadlines.destroy(&self.core.deadlines)
        queue.destroy(&self.core.acts)
        queue.destroy(&self.core.notes)

    cdef vr_t* _router(self, int32_t vr) except NULL:
        if not 0 <= vr < self.core.capacity or not self.core.vrs[vr].used:
            raise IndexError(f"no virtual router {vr}")
        return &self.core.vrs[vr]

    # ---- configuration ----

    def add(self, params):
        """Add a virtual router in Initialize and return its number; raises ValueError when there is no room
        or the VRID is taken on the port."""
        cdef int32_t vr
        for vr in range(self.core.capacity):
            if not self.core.vrs[vr].used:
                break
        else:
            raise ValueError("no room for another virtual router")
        if not -1 <= params.port < self.core.n_ports:
            raise ValueError(f"no port {params.port}")
        _fill(&self.core.vrs[vr], params)
        if params.port >= 0 and not core_move(&self.core, vr, params.port):
            self.core.vrs[vr].used = 0
            raise ValueError(f"VRID {params.vrid} is taken on port {params.port}")
        return vr

    def set_source(self, int32_t vr, source):
        """Set the own source address (4 or 16 bytes), which decides between equal priorities."""
        cdef vr_t* router = self._router(vr)
        _copy_address(router.profile.own, source)

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

    def receive(self, const uint8_t[::1] data, *, family, src, dst, int ttl, int64_t now, int32_t port=0):
        """Take one datagram as the raw socket of `family` gives it; returns the RejectReason.

        A packet that is stopped later by state (a replay, a router in FAULT) returns ACCEPTED here too: its
        counters tell.
        """
        cdef fv_rx_meta_t meta
        memset(&meta, 0, sizeof(meta))
        meta.family = family
        meta.ttl = ttl
        _copy_address(meta.src, src)
        _copy_address(meta.dst, dst)
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
        advert.version = router.version
        advert.vrid = router.profile.vrid
        advert.priority = <uint8_t>priority
        advert.interval = interval
        advert.count = <uint8_t>len(addresses)
        advert.addresses = joined
        _copy_address(advert.src, source)
        machine.on_advert(&self.core, vr, &advert, now)

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
            acts.append(Act(kind=_ACT_NAMES[act.kind], vr=act.vr, at=act.at, a=act.a, b=act.b))
        return acts

    def drain_notes(self):
        """Return the notes since the last call, oldest first."""
        cdef act_t act
        notes = []
        while queue.take(&self.core.notes, &act):
            notes.append(note_from(&act, self.core.vrs[act.vr].address_len))
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
            "faults": Fault(router.faults),
            "active_source": (<bytes>router.active_source[:16])[: router.address_len],
            "active_priority": router.active_priority,
            "active_adver_interval": router.active_adver_interval,
            "active_down_interval": machine.active_down_interval(router),
            "deadline": None if due == NEVER else due,
        }

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


_ACT_NAMES = {SEND: "SEND", WITHDRAW: "WITHDRAW", INSTALL: "INSTALL", ANNOUNCE: "ANNOUNCE", NOTE: "NOTE"}


cdef int _copy_address(uint8_t* target, source) except -1:
    cdef bytes raw = bytes(source)
    if len(raw) not in (0, 4, 16):
        raise ValueError("an address is 4 or 16 bytes")
    memset(target, 0, 16)
    memcpy(target, <const uint8_t*>raw, len(raw))
    return 0


cdef int _fill(vr_t* router, params) except -1:
    """Lay out a fresh router from RouterParams, which has checked the ranges."""
    cdef profile_t* profile = &router.profile
    cdef bytes password, joined
    memset(router, 0, sizeof(vr_t))
    router.version = params.version
    router.address_len = 4 if params.family == 4 else 16
    router.priority = params.priority
    router.start_active = params.start_active
    router.preempt = params.preempt
    router.port = -1
    router.faults = params.faults
    router.advert_interval = params.advert_interval
    router.active_adver_interval = params.advert_interval
    router.preempt_delay = params.preempt_delay
    router.preempt_until = NEVER
    router.burst_due = NEVER
    router.refresh_due = NEVER
    router.garp.delay = params.garp.delay
    router.garp.repeat = params.garp.repeat
    router.garp.refresh = params.garp.refresh
    router.garp.refresh_repeat = params.garp.refresh_repeat
    router.garp.lower_delay = params.garp.lower_prio_delay
    router.garp.lower_repeat = params.garp.lower_prio_repeat
    joined = b"".join(params.addresses)
    router.address_count = len(params.addresses)
    router.address_digest = machine.address_digest(joined, router.address_count, router.address_len)
    profile.version = params.version
    profile.family = params.family
    profile.vrid = params.vrid
    profile.advert_interval = params.advert_interval
    profile.unicast = bool(params.peers)
    profile.any_source = params.any_source
    profile.n_peers = len(params.peers)
    for i, peer in enumerate(params.peers):
        _copy_address(profile.peers[i], peer)
    _copy_address(profile.own, params.source)
    profile.auth_type = params.auth_type
    if params.auth_type != AUTH_NONE:
        password = bytes(params.password[:8]).ljust(8, b"\0")
        memcpy(profile.password, <const uint8_t*>password, 8)
        wire_auth.prepare_key(&profile.ah_key, profile.password)
    router.used = 1
    return 0


assert RouterParams.MAX_PEERS == MAX_PEERS
