"""Recorder: the inputs of a core on their way in, its acts and notes on their way out.

The loop and the replay feed a core through the same functions, so what is recorded is what was done. The hot
side writes to a ring that was allocated before, under the loop's mutex; the cold side takes from it
what lies before the mark that it has read under the mutex. A ring without room ends the recording (`lost`):
waiting for a disk would hold up an advert, and a recording with a gap would replay to something else.
"""

from libc.stdint cimport INT32_MAX, UINT32_MAX
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from fastvrrp.core cimport listeners, machine, queue, storage
from fastvrrp.core cimport revision as revisions
from fastvrrp.core.core cimport (
    core_advance,
    core_hear,
    core_listen,
    core_receive,
    core_resume,
    heard_t,
)
from fastvrrp.core.model cimport SEND, ring_t, vr_t
from fastvrrp.core.revision cimport CompiledRevision, change_t, compile_revision
from fastvrrp.wire.packet cimport ACCEPTED, advert_t, reject_t

from fastvrrp.core.acts import Revision, RouterChange
from fastvrrp.loop.entries import Entry, EntryKind, Heard
from fastvrrp.names import RejectReason

assert len(EntryKind) == N_ENTRY_KINDS
assert (EntryKind.SENT, EntryKind.ADVANCE, EntryKind.ADVERT, EntryKind.ACT) == (SENT, ADVANCE, ADVERT, ACT)

cdef enum:
    MOST = 65535                # routers, ports, groups
    SHORTEST = 10000000         # ns, the interval of an advert: 1 cs
    LARGEST = sizeof(entry_t) + sizeof(heard_t) + 255 * 16


# ---- the ring (hot) ----

cdef void _copy_in(recorder_t* r, const void* data, size_t length) noexcept nogil:
    cdef size_t start = <size_t>(r.head & (r.size - 1))
    cdef size_t first = min(length, <size_t>r.size - start)
    memcpy(r.data + start, data, first)
    memcpy(r.data, <const uint8_t*>data + first, length - first)
    r.head += length


cdef void _write(recorder_t* r, entry_t* entry, const heard_t* heard, size_t addresses_len) noexcept nogil:
    """Append one entry whole, or stop for good."""
    cdef size_t length = sizeof(entry_t)
    if heard != NULL:
        length += sizeof(heard_t) + addresses_len
    if r.lost:
        return
    if r.head - r.tail + length > r.size:
        r.lost_at = entry.at
        r.lost = True
        return
    entry.size = <uint16_t>length
    _copy_in(r, entry, sizeof(entry_t))
    if heard != NULL:
        _copy_in(r, heard, sizeof(heard_t))
        if addresses_len:
            _copy_in(r, heard.advert.addresses, addresses_len)


cdef entry_t _entry(entry_kind_t kind, int32_t vr, int64_t a, int64_t now) noexcept nogil:
    cdef entry_t entry
    memset(&entry, 0, sizeof(entry_t))
    entry.kind = kind
    entry.vr = vr
    entry.a = a
    entry.at = now
    return entry


cdef void _write_outputs(recorder_t* r, entry_kind_t kind, const ring_t* ring, uint32_t* seen) noexcept nogil:
    """Append what the core has asked for or told since the last call."""
    cdef const act_t* act
    cdef entry_t entry
    while seen[0] < ring.count:
        act = &ring.slots[(ring.head + seen[0]) % ring.size]
        entry = _entry(kind, act.vr, act.a, act.at)
        entry.tag = act.note if kind == TOLD else act.kind
        entry.b = act.b
        entry.c = act.c
        memcpy(entry.address, act.source, 16)
        _write(r, &entry, NULL, 0)
        seen[0] += 1


cdef void _write_all_outputs(recorder_t* r, const core_t* core) noexcept nogil:
    _write_outputs(r, ACT, &core.acts, &r.acts_seen)
    _write_outputs(r, TOLD, &core.notes, &r.notes_seen)


cdef void _begin(recorder_t* r, const core_t* core, int64_t now) noexcept nogil:
    """Append what comes before an input: the outputs of the last one, and the wall clock if it matters."""
    cdef entry_t clock
    _write_all_outputs(r, core)
    if r.follows_clock and core.wall_offset != r.offset:
        r.offset = core.wall_offset
        clock = _entry(CLOCK, -1, core.wall_offset, now)
        _write(r, &clock, NULL, 0)


cdef void record(const core_t* core, recorder_t* recorder, entry_t* entry) noexcept nogil:
    _begin(recorder, core, entry.at)
    _write(recorder, entry, NULL, 0)


cdef uint64_t up_to_now(const core_t* core, recorder_t* recorder) noexcept nogil:
    _write_all_outputs(recorder, core)
    return recorder.head


cdef bint is_filling(const recorder_t* recorder) noexcept nogil:
    return recorder != NULL and not recorder.lost and recorder.head - recorder.tail > recorder.size // 4


# ---- inputs (hot) ----

cdef void feed(
    core_t* core, recorder_t* recorder, entry_kind_t kind, int32_t vr, int64_t a, int64_t now,
) noexcept nogil:
    cdef entry_t entry
    if recorder != NULL:
        entry = _entry(kind, vr, a, now)
        record(core, recorder, &entry)
    if kind == STARTUP:
        machine.on_startup(core, vr, now)
    elif kind == SHUTDOWN:
        machine.on_shutdown(core, vr, now)
    elif kind == PRIORITY:
        machine.on_priority(core, vr, <uint8_t>a, now)
    elif kind == FAULTS:
        machine.on_faults(core, vr, <uint32_t>a, now)
    elif kind == HOST_CHANGED:
        machine.on_host_changed(core, vr, now)
    elif kind == LINK_CHANGED:
        machine.on_link_changed(core, vr, now)
    elif kind == INSTALL_FAILED:
        machine.on_install_failed(core, vr, <int>a, now)
    elif kind == SENT:
        machine.on_sent(core, vr)
    elif kind == SEND_FAILED:
        machine.on_send_failed(core, vr, <int>a, now)
    elif kind == RESUME:
        core_resume(core, a, now)
    elif kind == CLOCK:
        core.wall_offset = a
    elif kind == ADVANCE:
        core_advance(core, now)
    elif kind == CLOSE_PORT:
        listeners.close_port(core, <int32_t>a)
    elif kind == RETIRE:
        machine.retire(core, vr, now)


cdef void feed_growth(core_t* core, recorder_t* recorder, core_t* larger, int64_t now) noexcept nogil:
    cdef entry_t entry
    if recorder != NULL:
        entry = _entry(GROW, -1, larger.capacity, now)
        entry.b = larger.n_ports
        entry.c = larger.n_groups
        record(core, recorder, &entry)
    storage.adopt(core, larger)


cdef void feed_revision(
    core_t* core, recorder_t* recorder, revision_t* revision, int64_t number, int64_t now,
) noexcept nogil:
    cdef entry_t entry
    if recorder != NULL:
        entry = _entry(REVISE, -1, number, now)
        record(core, recorder, &entry)
    revisions.revise(core, revision, now)


cdef bint feed_place(
    core_t* core, recorder_t* recorder, int32_t vr, int32_t port, const uint8_t* own, int64_t now,
) noexcept nogil:
    cdef entry_t entry
    if recorder != NULL:
        entry = _entry(PLACE, vr, port, now)
        memcpy(entry.address, own, 16)
        record(core, recorder, &entry)
    if not listeners.move(core, vr, port):
        return False
    memcpy(core.vrs[vr].profile.own, own, 16)
    return True


cdef void feed_datagram(
    core_t* core, recorder_t* recorder, int32_t port, const uint8_t* data, size_t length, fv_rx_meta_t* meta,
    int64_t now,
) noexcept nogil:
    cdef heard_t heard
    if recorder == NULL:
        core_receive(core, port, data, length, meta, now)
        return
    meta.wall = now + core.wall_offset
    core_listen(core, port, data, length, meta, &heard)
    _feed_heard(core, recorder, port, &heard, now)


cdef void _feed_heard(
    core_t* core, recorder_t* recorder, int32_t port, const heard_t* heard, int64_t now,
) noexcept nogil:
    """What a decoder made of a packet; its bytes, which may hold a password, are not kept."""
    cdef entry_t entry = _entry(STRANGER if heard.vr < 0 else ADVERT, heard.vr, port, now)
    cdef size_t addresses_len = 0
    if heard.vr >= 0 and heard.advert.addresses != NULL:
        addresses_len = <size_t>heard.advert.count * core.vrs[heard.vr].settings.address_len
    memcpy(entry.address, heard.advert.src, 16)
    _begin(recorder, core, now)
    _write(recorder, &entry, heard, addresses_len)
    core_hear(core, port, heard, now)


# ---- outputs (hot) ----

cdef int take_acts(core_t* core, recorder_t* recorder, act_t* batch, int64_t now) noexcept nogil:
    cdef entry_t entry
    cdef vr_t* router
    cdef int count = 0
    if recorder != NULL:
        entry = _entry(TAKE_ACTS, -1, 0, now)
        record(core, recorder, &entry)
        recorder.acts_seen = 0
    while queue.take(&core.acts, &batch[count]):
        router = &core.vrs[batch[count].vr]
        if batch[count].kind == SEND:
            router.pending_sends -= 1
        else:
            router.pending &= ~(1u << batch[count].kind)
        count += 1
    return count


cdef int take_notes(core_t* core, recorder_t* recorder, act_t* batch, int64_t now) noexcept nogil:
    cdef entry_t entry
    cdef int count = 0
    if recorder != NULL:
        entry = _entry(TAKE_NOTES, -1, 0, now)
        record(core, recorder, &entry)
        recorder.notes_seen = 0
    while queue.take(&core.notes, &batch[count]):
        count += 1
    return count


# ---- the cold side ----

cdef class Recorder:
    """A ring of `size` bytes (a power of two, 64 KiB or more) for what happens to `core`, from its first input on.

    Not thread-safe: a loop that writes to it is asked with `Loop.entries()` instead.
    """

    def __cinit__(self, Core core not None, *, uint64_t size=4 * 1024 * 1024):
        if size < 65536 or size & (size - 1):
            raise ValueError("the size of a ring is a power of two, 64 KiB or more")
        self.owner = core
        self.revisions = {}
        self.ring.size = size
        self.ring.data = <uint8_t*>malloc(size)
        if self.ring.data == NULL:
            raise MemoryError
        memset(self.ring.data, 0, size)     # the pages are there before the hot thread needs them

    def __dealloc__(self):
        free(self.ring.data)

    @property
    def follows_clock(self):
        """Whether the wall clock is recorded too, which matters for auth_hmac only."""
        return self.ring.follows_clock

    @follows_clock.setter
    def follows_clock(self, bint value):
        self.ring.follows_clock = value

    @property
    def lost_at(self):
        """When there was no room for an entry (ns), and recording ended; None: it goes on."""
        return self.ring.lost_at if self.ring.lost else None

    @property
    def shape(self):
        """The arguments that a core of the same shape is made with, and `tells_unknown_vrids`."""
        cdef core_t* core = &self.owner.core
        return {
            "capacity": core.capacity,
            "ports": core.n_ports,
            "groups": core.n_groups,
            "tells_unknown_vrids": bool(core.tells_unknown_vrids),
        }

    def entries(self):
        """Return the entries since the last call, oldest first."""
        cdef uint64_t head = up_to_now(&self.owner.core, &self.ring)
        found = self.read(head)
        self.ring.tail = head
        return found

    cdef list read(self, uint64_t head):
        """Return the entries before `head`, which stay in the ring."""
        cdef uint64_t at = self.ring.tail
        cdef uint8_t[LARGEST] whole
        cdef entry_t* entry = <entry_t*>whole
        found = []
        while at < head:
            _copy_out(&self.ring, at, whole, sizeof(entry_t))
            _copy_out(&self.ring, at, whole, entry.size)
            found.append(_to_python(entry, self.revisions))
            at += entry.size
        return found

    def feed(self, entry):
        """Give the core the input `entry`, and record it again; raises ValueError or IndexError for what cannot
        have happened to this core."""
        cdef core_t* core = &self.owner.core
        cdef int32_t vr = entry.vr
        cdef int64_t now = entry.at
        cdef int64_t a = entry.a
        cdef entry_kind_t kind = entry.kind
        if kind >= ACT:
            raise ValueError("acts and notes are no inputs")
        if kind <= SEND_FAILED or kind in (PLACE, MARK, SEQUENCE, ADVERT, RETIRE):
            self.owner._router(vr)
        if kind in (PLACE, CLOSE_PORT, ADVERT, STRANGER) and not 0 <= a < core.n_ports:
            raise ValueError(f"no port {a}")
        if kind == PRIORITY and not 1 <= a <= 255 or kind == FAULTS and not 0 <= a <= UINT32_MAX:
            raise ValueError(f"{a} is out of range")
        if kind in (INSTALL_FAILED, SEND_FAILED) and not 0 <= a <= INT32_MAX:
            raise ValueError(f"{a} is no errno")
        if kind == GROW and not all(0 <= each <= MOST for each in (a, entry.b, entry.c)):
            raise ValueError("no engine has so much room")
        if kind in (TAKE_ACTS, TAKE_NOTES):
            self._take(kind, now)
        elif kind in (MARK, SEQUENCE):
            self._restore(entry)
        elif kind in (ADVERT, STRANGER):
            self._hear(entry)
        elif kind == PLACE:
            feed_place(core, &self.ring, vr, <int32_t>a, _address(entry), now)
        elif kind == GROW:
            self._grow(entry)
        elif kind == REVISE:
            self._revise(entry)
        else:
            feed(core, &self.ring, kind, vr, a, now)

    cdef int64_t keep(self, revision, CompiledRevision compiled) except -1:
        cdef const change_t* change
        changes = []
        for i, each in enumerate(revision.changes):
            change = &compiled.revision.changes[i]
            changes.append(
                RouterChange(
                    slot=each.slot, params=each.params, fresh=each.fresh, port=each.port, source=each.source,
                    listens_anew=bool(change.listens_anew), name=each.name,
                )
            )
        if any(each.params is not None and each.params.hmac is not None for each in changes):
            self.ring.follows_clock = True
        self.n_revisions += 1
        self.revisions[self.n_revisions] = Revision(
            changes=tuple(changes), groups=revision.groups, old_groups=revision.old_groups,
        )
        return self.n_revisions

    cdef int _grow(self, entry) except -1:
        cdef Core larger = self.owner.larger(entry.a, entry.b, entry.c)
        if larger is not None:
            feed_growth(&self.owner.core, &self.ring, &larger.core, entry.at)
        return 0

    cdef int _revise(self, entry) except -1:
        cdef core_t* core = &self.owner.core
        cdef CompiledRevision compiled = compile_revision(core, entry.revision)
        cdef int32_t taken = revisions.collision(core, &compiled.revision)
        if taken >= 0:
            raise ValueError(f"router {taken}: its VRID is taken on its port")
        feed_revision(core, &self.ring, &compiled.revision, self.keep(entry.revision, compiled), entry.at)
        return 0

    cdef int _restore(self, entry) except -1:
        cdef vr_t* router = self.owner._router(entry.vr)
        cdef entry_t mark = mark_entry(entry.kind, entry.vr, entry.a, entry.b, entry.address, entry.at)
        cdef uint64_t ah = <uint64_t>mark.a
        cdef uint64_t hmac = <uint64_t>mark.b
        record(&self.owner.core, &self.ring, &mark)
        if mark.kind == MARK:
            marks = [(entry.address[: router.settings.address_len], ah, hmac)]
            self.owner.restore_marks(mark.vr, marks, (0, 0), mark.at)
        else:
            self.owner.restore_marks(mark.vr, [], (ah, hmac), mark.at)
        return 0

    cdef int _take(self, entry_kind_t kind, int64_t now) except -1:
        cdef core_t* core = &self.owner.core
        cdef act_t* batch = <act_t*>malloc(max(core.acts.size, core.notes.size) * sizeof(act_t))
        if batch == NULL:
            raise MemoryError
        if kind == TAKE_ACTS:
            take_acts(core, &self.ring, batch, now)
        else:
            take_notes(core, &self.ring, batch, now)
        free(batch)
        return 0

    cdef int _hear(self, entry) except -1:
        cdef heard_t heard
        cdef bytes addresses = entry.heard.addresses
        cdef int expected
        memset(&heard, 0, sizeof(heard_t))
        heard.vr = entry.vr if entry.kind == ADVERT else -1
        if heard.vr >= 0:
            expected = entry.heard.count * self.owner._router(heard.vr).settings.address_len
            if len(addresses) == expected:
                heard.advert.addresses = addresses
            elif addresses or entry.heard.verdict == ACCEPTED:
                raise ValueError("the addresses are not as many as the advert says")
        if entry.heard.verdict == ACCEPTED and entry.heard.interval < SHORTEST:
            raise ValueError(f"{entry.heard.interval} ns is no interval of an advert")
        _fill(&heard, entry.heard)
        memcpy(heard.advert.src, _address(entry), 16)
        _feed_heard(&self.owner.core, &self.ring, <int32_t>entry.a, &heard, entry.at)
        return 0


cdef entry_t mark_entry(
    entry_kind_t kind, int32_t vr, uint64_t ah, uint64_t hmac, bytes source, int64_t now,
):
    cdef entry_t entry = _entry(kind, vr, <int64_t>ah, now)
    cdef bytes padded = source.ljust(16, b"\0")
    entry.b = <int64_t>hmac
    memcpy(entry.address, <const uint8_t*>padded, 16)
    return entry


cdef const uint8_t* _address(entry) except NULL:
    """The 16 bytes, which are `entry`'s."""
    cdef bytes address = entry.address
    if len(address) != 16:
        raise ValueError("an address has 16 bytes here")
    return address


cdef int _fill(heard_t* heard, told) except -1:
    cdef advert_t* advert = &heard.advert
    heard.verdict = <reject_t><int>told.verdict
    advert.version = told.version
    advert.vrid = told.vrid
    advert.priority = told.priority
    advert.count = told.count
    advert.auth_type = told.auth_type
    advert.checksum_style = told.checksum_style
    advert.interval = told.interval
    advert.ah_sequence = told.ah_sequence
    advert.hmac_sequence = told.hmac_sequence
    advert.hmac_skew = told.hmac_skew
    advert.authentic = told.authentic
    return 0


cdef void _copy_out(const recorder_t* r, uint64_t at, uint8_t* target, size_t length) noexcept nogil:
    cdef size_t start = <size_t>(at & (r.size - 1))
    cdef size_t first = min(length, <size_t>r.size - start)
    memcpy(target, r.data + start, first)
    memcpy(target + first, r.data, length - first)


cdef object _to_python(const entry_t* entry, dict kept):
    return Entry(
        kind=EntryKind(entry.kind), at=entry.at, vr=entry.vr, tag=entry.tag, a=entry.a, b=entry.b, c=entry.c,
        address=<bytes>entry.address[:16], heard=_heard_of(entry),
        revision=kept.pop(entry.a) if entry.kind == REVISE else None,
    )


cdef object _heard_of(const entry_t* entry):
    cdef const heard_t* heard = <const heard_t*>(<const uint8_t*>entry + sizeof(entry_t))
    cdef const advert_t* advert = &heard.advert
    cdef const char* addresses = <const char*>heard + sizeof(heard_t)
    cdef size_t length
    if entry.size == sizeof(entry_t):
        return None
    length = entry.size - sizeof(entry_t) - sizeof(heard_t)
    return Heard(
        verdict=RejectReason(heard.verdict), version=advert.version, vrid=advert.vrid, priority=advert.priority,
        count=advert.count, auth_type=advert.auth_type, checksum_style=advert.checksum_style,
        interval=advert.interval, ah_sequence=advert.ah_sequence, hmac_sequence=advert.hmac_sequence,
        hmac_skew=advert.hmac_skew, authentic=bool(advert.authentic), addresses=addresses[:length],
    )
