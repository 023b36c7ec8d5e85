"""Loop: sockets, timer and threads around one core, as the cold side sees them; what the hot thread does is in
`turn`, beginning with `run`.

A cold caller may use every method from any thread; `run()` belongs to the hot thread, `process()` to
whoever has none, `run_worker()` to a thread that does the work on the host beside the hot one: requests wait for
locks of the kernel, and a thousand of them take their time.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from fastvrrp.core.core cimport Core, note_from
from fastvrrp.core.groups cimport held_back_now
from fastvrrp.core.model cimport ACTIVE, NS_PER_SECOND, act_t
from fastvrrp.loop cimport turn, worker
from fastvrrp.loop.applying cimport APPLIED, STALE, TAKEN, CompiledStep, carry_out, compile_step, outcome_t
from fastvrrp.loop.clock cimport monotonic
from fastvrrp.loop.linux cimport eventfd_read
from fastvrrp.loop.recorder cimport (
    FAULTS,
    HOST_CHANGED,
    LINK_CHANGED,
    MARK,
    PRIORITY,
    SEQUENCE,
    SHUTDOWN,
    STARTUP,
    Recorder,
    entry_t,
    feed_place,
    mark_entry,
    record,
    take_notes,
    up_to_now,
)
from fastvrrp.loop.resignation cimport finished, resignation_t, take
from fastvrrp.loop.transition cimport compile_transition, release, transition_t
from fastvrrp.loop.transmit cimport perform, post_once, replace
from fastvrrp.loop.turn cimport give, hot_t, lock, poke, port_t, room_t, tell, totals_t, unlock

from fastvrrp.loop.prepared import Prepared

cdef enum:
    MAX_GROUPS = 1 << 20        # of frames with a common pace

cdef int64_t DRAINED_IN = 2 * <int64_t>NS_PER_SECOND    # at the shutdown


cdef class Loop:
    """The loop of `core`, a core.Core of `routers` routers and `ports` ports.

    `netlink_fd` (rtnetlink) and `frame_fd` (AF_PACKET) send what `prepare()` gives; -1: there is nothing to
    send. The descriptors stay the caller's. `threaded`: `run_worker()` does the work on the host, which waits for it;
    else the loop does. `recorder`: writes down what happens to `core`, see `entries()`.
    """

    cdef readonly Core owner
    cdef Recorder recorder
    cdef hot_t hot
    cdef bint opened

    def __cinit__(
        self, Core core not None, *, int netlink_fd=-1, int frame_fd=-1, bint threaded=False, Recorder recorder=None
    ):
        if recorder is not None and recorder.owner is not core:
            raise ValueError("the recorder is one of another core")
        self.owner = core
        self.recorder = recorder
        self.opened = True
        turn.create(
            &self.hot, &core.core, NULL if recorder is None else &recorder.ring, netlink_fd, frame_fd, threaded
        )

    def __dealloc__(self):
        if self.opened:                     # else the arguments were refused: every field is still 0
            turn.destroy(&self.hot)

    def close(self):
        """Close the loop's own descriptors; `run()` must have returned. May be repeated."""
        turn.close_descriptors(&self.hot)

    # ---- set-up (cold) ----

    def open_port(self, int32_t port, int rx_fd, int family, *, int other_fd=-1):
        """Receive from `rx_fd`, a non-blocking raw socket of `family` (4 or 6), as `port`; and from `other_fd`, which
        hears the routers whose authentication is of another kind, if it is one."""
        if not 0 <= port < self.hot.core.n_ports:
            raise ValueError(f"no port {port}")
        turn.open_port(&self.hot, port, port_t(rx_fd, other_fd, <uint8_t>family))

    def close_port(self, int32_t port):
        """Stop receiving from `port`; call it before its sockets are closed."""
        with nogil:
            turn.close_port(&self.hot, port)

    def prepare(self, int32_t vr, prepared):
        """Replace what the transitions of `vr` send (loop.prepared.Prepared, None: nothing), in one step; what
        waits to be sent goes out before."""
        self.owner._router(vr)
        cdef transition_t* new = NULL if prepared is None else compile_transition(prepared)
        cdef transition_t* old
        with nogil:
            lock(&self.hot)
            perform(&self.hot.out)
            old = replace(&self.hot.out, vr, new)
            if self.hot.core.vrs[vr].state == ACTIVE:
                give(&self.hot, HOST_CHANGED, vr, 0)
            unlock(&self.hot)
            poke(&self.hot)
            release(old)

    def send_now(self, int32_t vr, withdraw, install):
        """Remove what the requests `withdraw` say, then, if `vr` is active, set and announce the batches `install`."""
        self.owner._router(vr)
        cdef transition_t* once = compile_transition(
            Prepared(fd=-1, ifindex=0, datagrams=(), withdraw=tuple(withdraw), install=tuple(install))
        )
        with nogil:
            lock(&self.hot)
            perform(&self.hot.out)
            post_once(&self.hot.out, vr, once)
            perform(&self.hot.out)
            unlock(&self.hot)

    def set_pace(self, int32_t group, int64_t arp, int64_t na):
        """Let frames of pace `group` leave at least `arp` ns (gratuitous ARP) or `na` ns (neighbour advertisements)
        apart; 0: as they come."""
        if not 0 <= group < MAX_GROUPS or arp < 0 or na < 0:
            raise ValueError("no such group or interval")
        worker.set_pace(&self.hot.out.host, group, arp, na)

    def reinstall(self, int32_t vr):
        """Set and announce the addresses again, if `vr` is active."""
        self.owner._router(vr)
        with nogil:
            lock(&self.hot)
            if self.hot.core.vrs[vr].state == ACTIVE:
                give(&self.hot, HOST_CHANGED, vr, 0)
            unlock(&self.hot)
            poke(&self.hot)

    def place(self, int32_t vr, int32_t port, bytes source not None):
        """Let `vr` listen on `port` with own address `source`; raises ValueError if its VRID is taken there."""
        cdef uint8_t address[16]
        cdef bint moved
        self.owner._router(vr)
        if not 0 <= port < self.hot.core.n_ports or len(source) not in (0, 4, 16):
            raise ValueError("no such port, or no address")
        memset(address, 0, 16)
        memcpy(address, <const uint8_t*>source, len(source))
        with nogil:
            lock(&self.hot)
            moved = feed_place(self.hot.core, self.hot.recorder, vr, port, address, monotonic())
            unlock(&self.hot)
        if not moved:
            raise ValueError("the VRID is taken on this interface")

    # ---- apply (cold) ----

    def apply(self, step):
        """Make what loop.step.Step says true, in one step; nothing if a state is not as expected, then None.

        Returns the notes (core.acts.Note) that belong to the routers until now, oldest first; that a router ends or
        begins anew is none. Raises ValueError, with nothing changed, for what cannot be. No other method may run
        meanwhile but `run()` and `run_worker()`.
        """
        cdef outcome_t outcome
        self.reserve(step.routers, step.ports, len(step.groups))
        cdef CompiledStep made = compile_step(self.owner, step)
        if self.recorder is not None:
            made.step.number = self.recorder.keep(step, made.revision)
        with nogil:
            lock(&self.hot)
            outcome = carry_out(&made.step, &self.hot.out)
            tell(&self.hot)
            unlock(&self.hot)
            poke(&self.hot)
        if outcome != APPLIED and self.recorder is not None:
            del self.recorder.revisions[made.step.number]
        if outcome == TAKEN:
            raise ValueError(f"router {made.step.taken}: its VRID is taken on its port")
        return None if outcome == STALE else made.notes()

    def reserve(self, int32_t routers, int32_t ports, int32_t groups=0):
        """Make room for as many, if there is less. As to other methods: see `apply()`."""
        cdef Core larger = self.owner.larger(routers, ports, groups)
        cdef room_t room
        if larger is None:
            return
        memset(&room, 0, sizeof(room_t))
        try:
            turn.reserve(&room, &larger.core)
            with nogil:
                turn.adopt(&self.hot, &room, &larger.core)
        finally:
            turn.let_go(&room)

    def capacity(self):
        """Return for how many (routers, ports, sync groups) there is room."""
        return self.owner.capacity

    # ---- inputs (cold) ----

    def startup(self, int32_t vr):
        """RFC 9568 §6.4.1, Startup."""
        self.owner._router(vr)
        with nogil:
            lock(&self.hot)
            give(&self.hot, STARTUP, vr, 0)
            unlock(&self.hot)
            poke(&self.hot)

    def set_priority(self, int32_t vr, int priority):
        """Set the effective priority, 1..255."""
        if not 1 <= priority <= 255:
            raise ValueError(f"priority {priority} is outside 1..255")
        self.owner._router(vr)
        with nogil:
            lock(&self.hot)
            give(&self.hot, PRIORITY, vr, priority)
            unlock(&self.hot)
            poke(&self.hot)

    def set_faults(self, int32_t vr, unsigned int faults):
        """Replace the set of faults (names.Fault)."""
        self.owner._router(vr)
        with nogil:
            lock(&self.hot)
            give(&self.hot, FAULTS, vr, faults)
            unlock(&self.hot)
            poke(&self.hot)

    def clear_send_fault(self, int32_t vr):
        """The link is another one: adverts that could not be sent may go out now."""
        self.owner._router(vr)
        with nogil:
            lock(&self.hot)
            give(&self.hot, LINK_CHANGED, vr, 0)
            unlock(&self.hot)
            poke(&self.hot)

    def shutdown(self):
        """RFC 9568 §6.4.2 and §6.4.3, Shutdown, for every router: priority 0 and the withdrawals have been
        handed to the kernel when this returns, whatever the hot thread does.

        Returns False when the kernel has not taken all withdrawals within two seconds; the worker goes on.
        """
        cdef int32_t vr
        cdef bint done
        with nogil:
            lock(&self.hot)
            perform(&self.hot.out)
            for vr in range(self.hot.core.capacity):
                if self.hot.core.vrs[vr].used:
                    give(&self.hot, SHUTDOWN, vr, 0)
            perform(&self.hot.out)
            tell(&self.hot)
            unlock(&self.hot)
            done = worker.drain(&self.hot.out.host, monotonic() + DRAINED_IN)
        return done

    # ---- outputs (cold) ----

    def notes(self):
        """Return the notes since the last call (core.acts.Note), oldest first."""
        cdef uint64_t told = 0
        cdef act_t* taken
        cdef int count = 0
        cdef int i
        with nogil:
            eventfd_read(self.hot.note_fd, &told)
        taken = <act_t*>malloc(self.hot.core.notes.size * sizeof(act_t))
        if taken == NULL:
            raise MemoryError
        with nogil:
            lock(&self.hot)
            self.hot.note_told = 0
            count = take_notes(self.hot.core, self.hot.recorder, taken, monotonic())
            unlock(&self.hot)
        try:
            return [note_from(&taken[i], self.hot.core.vrs[taken[i].vr].settings.address_len) for i in range(count)]
        finally:
            free(taken)

    def farewell(self, int32_t vr):
        """Return the adverts of priority 0 of `vr`, which somebody else may send should this process die; None if it is
        not active. Those that are protected from being replayed are good for a second."""
        cdef resignation_t words
        self.owner._router(vr)
        with nogil:
            lock(&self.hot)
            take(&words, self.hot.core, self.hot.out.host.current[vr], vr, monotonic())
            unlock(&self.hot)
        return finished(&words, vr)

    def entries(self):
        """Return what the recorder wrote down since the last call (loop.entries.Entry), oldest first."""
        cdef uint64_t head
        if self.recorder is None:
            return []
        with nogil:
            lock(&self.hot)
            head = up_to_now(self.hot.core, self.hot.recorder)
            unlock(&self.hot)
        found = self.recorder.read(head)
        with nogil:
            lock(&self.hot)
            self.hot.recorder.tail = head
            unlock(&self.hot)
        return found

    def status(self, int32_t vr):
        """Return `Core.status(vr)`."""
        return self._copy(vr).status(0)

    def counters(self, int32_t vr):
        """Return `Core.counters(vr)`."""
        return self._copy(vr).counters(0)

    def _copy(self, int32_t vr):
        """Return a core of one router that is a copy of `vr`, taken in one step."""
        cdef Core copy = Core(1)
        self.owner._router(vr)
        with nogil:
            lock(&self.hot)
            copy.core.vrs[0] = self.hot.core.vrs[vr]
            copy.core.vrs[0].faults = held_back_now(self.hot.core, vr)
            copy.core.vrs[0].group = -1
            copy.core.vrs[0].next_member = -1
            copy.core.deadlines.due[0] = self.hot.core.deadlines.due[2 * vr]
            unlock(&self.hot)
        return copy

    def marks(self, int32_t vr):
        """Return `Core.marks(vr)` and `Core.sequence(vr)`."""
        cdef Core copy = self._copy(vr)
        return copy.marks(0), copy.sequence(0)

    def restore_marks(self, int32_t vr, marks, sequence):
        """See `Core.restore_marks`; before `startup()`, for it does not wait for the hot thread."""
        cdef int64_t now = monotonic()
        self.owner.restore_marks(vr, marks, sequence, now)
        for source, ah, hmac in marks:
            self._record_mark(mark_entry(MARK, vr, ah, hmac, source, now))
        self._record_mark(mark_entry(SEQUENCE, vr, sequence[0], sequence[1], b"", now))

    cdef int _record_mark(self, entry_t entry) except -1:
        if self.hot.recorder == NULL:
            return 0
        with nogil:
            lock(&self.hot)
            record(self.hot.core, self.hot.recorder, &entry)
            unlock(&self.hot)
        return 0

    def port_rejects(self, int32_t port):
        """Return `Core.port_rejects(port)`."""
        return self.owner.port_rejects(port)

    def stats(self):
        """Return the loop's own totals; `latest` is the largest lateness of a deadline in ns."""
        cdef totals_t totals
        with nogil:
            lock(&self.hot)
            totals = self.hot.totals
            unlock(&self.hot)
        return dict(totals) | worker.stats(&self.hot.out.host) | {"lost_notes": self.hot.core.notes.lost}

    # ---- running ----

    def fileno(self):
        """The epoll descriptor: readable when `process()` has something to do."""
        return self.hot.epoll_fd

    def note_fileno(self):
        """Readable when `notes()` has something to give."""
        return self.hot.note_fd

    def process(self):
        """Handle what is ready, without waiting."""
        with nogil:
            turn.take_turn(&self.hot, 0)

    def run(self):
        """Run until `stop()`, without the GIL: the body of the hot thread."""
        with nogil:
            turn.run(&self.hot)

    def run_worker(self):
        """Do the work on the host until `stop()`, without the GIL: the body of the worker's thread."""
        with nogil:
            turn.run_worker(&self.hot)

    def stop(self):
        """Make `run()` return after its turn, and `run_worker()` when all requests are in the kernel. May be
        repeated."""
        self.hot.stopping = 1
        poke(&self.hot)
        with nogil:
            worker.stop(&self.hot.out.host)
