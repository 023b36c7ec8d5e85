"""Loop: sockets, timer and threads around one core; with `transmit` and `worker`, the only system calls of the hot
path.

Laws: the loop's mutex is held for a whole turn, everything except waiting; no function that holds it takes
the GIL, and no function that holds the GIL waits for it. A turn drains the sockets before it fires
deadlines, so that a host that stood still does not fail over on adverts that wait in its queue
and performs the acts of all routers by kind, so that every advert leaves before the first
address is touched.

A cold caller may use every method from any thread; `run()` belongs to the hot thread, `process()` to
whoever has none, `run_worker()` to a thread that does the work on the host beside the hot one: requests wait for
locks of the kernel, and a thousand of them take their time.
"""

import os

from libc.errno cimport errno
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset
from posix.time cimport CLOCK_MONOTONIC, itimerspec, timespec
from posix.unistd cimport close

from fastvrrp.core.core cimport core_awaits_takeover, core_deadline, note_from
from fastvrrp.core.deadlines cimport NEVER
from fastvrrp.core.groups cimport held_back_now
from fastvrrp.core.model cimport ACTIVE, NS_PER_SECOND, act_t
from fastvrrp.loop cimport worker
from fastvrrp.loop.applying cimport APPLIED, STALE, TAKEN, CompiledStep, carry_out, compile_step, outcome_t
from fastvrrp.loop.clock cimport arrival, monotonic, suspended, wall_clock
from fastvrrp.loop.linux cimport (
    EAGAIN,
    EFD_CLOEXEC,
    EFD_NONBLOCK,
    EINTR,
    EPOLL_CLOEXEC,
    EPOLL_CTL_ADD,
    EPOLL_CTL_DEL,
    EPOLLIN,
    MSG_DONTWAIT,
    MSG_TRUNC,
    PTHREAD_PRIO_INHERIT,
    TFD_CLOEXEC,
    TFD_NONBLOCK,
    TFD_TIMER_ABSTIME,
    epoll_create1,
    epoll_ctl,
    epoll_event,
    epoll_wait,
    eventfd,
    eventfd_read,
    eventfd_write,
    msghdr,
    nanosleep,
    pthread_mutex_destroy,
    pthread_mutex_init,
    pthread_mutex_lock,
    pthread_mutex_unlock,
    pthread_mutexattr_destroy,
    pthread_mutexattr_init,
    pthread_mutexattr_setprotocol,
    pthread_mutexattr_t,
    recvmmsg,
    timerfd_create,
    timerfd_settime,
)
from fastvrrp.loop.recorder cimport (
    ADVANCE,
    CLOSE_PORT,
    FAULTS,
    HOST_CHANGED,
    LINK_CHANGED,
    MARK,
    PRIORITY,
    RESUME,
    SEQUENCE,
    SHUTDOWN,
    STARTUP,
    Recorder,
    entry_kind_t,
    entry_t,
    feed,
    feed_datagram,
    feed_growth,
    feed_place,
    is_filling,
    mark_entry,
    record,
    take_notes,
    up_to_now,
)
from fastvrrp.loop.resignation cimport finished, resignation_t, take
from fastvrrp.loop.transition cimport compile_transition, release, transition_t
from fastvrrp.loop.transmit cimport (
    adopt,
    create,
    destroy,
    let_go,
    perform,
    post_once,
    replace,
    tell_failed_requests,
    transmit_t,
)
from fastvrrp.loop.transmit cimport reserve as transmit_reserve
from fastvrrp.wire cimport cmsg
from fastvrrp.wire.packet cimport fv_rx_meta_t

from fastvrrp.errors import KernelError
from fastvrrp.loop.prepared import Prepared

assert <int>cmsg.FV_RX_CONTROL <= <int>RX_CONTROL_ROOM

cdef enum:
    EARLY = 150000              # ns; an idle (virtual) CPU takes 50 to 100 us to come round
    THICK = 1000000             # ns between two turns that receive: adverts come thick and fast
    BREATH = 500000             # ns; then they are taken in gulps
    FAR = 2000000               # ns; but only if nothing is due so soon
    READY = 500000              # ns; the worker stays awake so long after a takeover is due: adverts come first
    SUSPEND = 5000000           # ns; the two clocks that tell a suspend are not read at one instant

cdef enum:
    MAX_GROUPS = 1 << 20        # of frames with a common pace

cdef int64_t DRAINED_IN = 2 * <int64_t>NS_PER_SECOND    # at the shutdown

# epoll data: these, or the number of a port, for its second socket added to OTHER_EVENT.
cdef enum:
    TIMER_EVENT = 0x10000
    WAKE_EVENT = 0x10001
    OTHER_EVENT = 0x20000


cdef int _checked(int result, op) except -1:
    if result < 0:
        raise KernelError(op, "event loop", errno)
    return result


cdef int events_of(int32_t ports) noexcept nogil:
    """Return how many descriptors there can be: one wait sees all sockets before a deadline fires."""
    return 2 * ports + 2


cdef epoll_event* _make_events(int32_t ports) except NULL:
    cdef epoll_event* events = <epoll_event*>calloc(events_of(ports), sizeof(epoll_event))
    if events == NULL:
        raise MemoryError
    return events


cdef port_t* _make_ports(int32_t count) except NULL:
    """Return closed ports."""
    cdef int32_t port
    cdef port_t* ports = <port_t*>calloc(count, sizeof(port_t))
    if ports == NULL:
        raise MemoryError
    for port in range(count):
        ports[port].rx_fd = ports[port].other_fd = -1
    return ports


cdef class Loop:
    """The loop of `core`, a core.Core of `routers` routers and `ports` ports.

    `netlink_fd` (rtnetlink) and `frame_fd` (AF_PACKET) send what `prepare()` gives; -1: there is nothing to
    send. The descriptors stay the caller's. `threaded`: `run_worker()` does the work on the host, which waits for it;
    else the loop does. `recorder`: writes down what happens to `core`, see `entries()`.
    """

    def __cinit__(
        self, Core core not None, *, int netlink_fd=-1, int frame_fd=-1, bint threaded=False, Recorder recorder=None
    ):
        cdef pthread_mutexattr_t attributes
        self.epoll_fd = self.timer_fd = self.wake_fd = self.note_fd = -1
        self.owner = core
        self.core = &core.core
        if recorder is not None:
            if recorder.owner is not core:
                raise ValueError("the recorder is one of another core")
            self.recorder = recorder
            self.ring = &recorder.ring
        self.opened = True
        self.armed = NEVER
        self.slept = suspended()
        pthread_mutexattr_init(&attributes)
        pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT)
        pthread_mutex_init(&self.mutex, &attributes)
        pthread_mutexattr_destroy(&attributes)
        create(&self.out, self.core, self.ring, netlink_fd, frame_fd, threaded)
        self._allocate()
        self.epoll_fd = _checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")
        self.timer_fd = _checked(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create")
        self.wake_fd = _checked(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")
        self.note_fd = _checked(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")
        self._watch(self.timer_fd, TIMER_EVENT)
        self._watch(self.wake_fd, WAKE_EVENT)

    def __dealloc__(self):
        if not self.opened:                 # the arguments were refused: every field is still 0
            return
        self._close()
        destroy(&self.out)
        free(self.ports)
        free(self.rx)
        free(self.events)
        free(self.more_events)
        pthread_mutex_destroy(&self.mutex)

    def _allocate(self):
        cdef int i
        self.ports = _make_ports(self.core.n_ports)
        self.n_events = events_of(self.core.n_ports)
        self.events = _make_events(self.core.n_ports)
        self.rx = <rx_t*>calloc(1, sizeof(rx_t))
        if not self.rx:
            raise MemoryError
        for i in range(RX_BATCH):
            self.rx.piece[i].iov_base = self.rx.data[i]
            self.rx.piece[i].iov_len = RX_SIZE
            self.rx.message[i].msg_hdr.msg_iov = &self.rx.piece[i]
            self.rx.message[i].msg_hdr.msg_iovlen = 1
            self.rx.message[i].msg_hdr.msg_name = &self.rx.sender[i]
            self.rx.message[i].msg_hdr.msg_control = self.rx.control[i]

    def _watch(self, int fd, uint64_t data):
        cdef epoll_event event
        memset(&event, 0, sizeof(event))
        event.events = EPOLLIN
        event.data.u64 = data
        _checked(epoll_ctl(self.epoll_fd, EPOLL_CTL_ADD, fd, &event), "epoll_ctl")

    def _close(self):
        for fd in (self.epoll_fd, self.timer_fd, self.wake_fd, self.note_fd):
            if fd >= 0:
                close(fd)
        self.epoll_fd = self.timer_fd = self.wake_fd = self.note_fd = -1

    def close(self):
        """Close the loop's own descriptors; `run()` must have returned. May be repeated."""
        self._close()

    # ---- set-up (cold) ----

    def open_port(self, int32_t port, int rx_fd, int family, *, int other_fd=-1):
        """Receive from `rx_fd`, a non-blocking raw socket of `family` (4 or 6), as `port`; and from `other_fd`, which
        hears the routers whose authentication is of another kind, if it is one."""
        if not 0 <= port < self.core.n_ports:
            raise ValueError(f"no port {port}")
        with nogil:
            self.lock()
            self.ports[port].rx_fd = rx_fd
            self.ports[port].other_fd = other_fd
            self.ports[port].family = <uint8_t>family
            self.unlock()
        self._watch(rx_fd, port)
        if other_fd >= 0:
            self._watch(other_fd, OTHER_EVENT + port)

    def close_port(self, int32_t port):
        """Stop receiving from `port`; call it before its sockets are closed."""
        cdef int fd, other
        with nogil:
            self.lock()
            fd = self.ports[port].rx_fd
            other = self.ports[port].other_fd
            self.ports[port].rx_fd = self.ports[port].other_fd = -1
            self.give(CLOSE_PORT, -1, port)
            self.unlock()
        if fd >= 0:
            epoll_ctl(self.epoll_fd, EPOLL_CTL_DEL, fd, NULL)
        if other >= 0:
            epoll_ctl(self.epoll_fd, EPOLL_CTL_DEL, other, NULL)

    def prepare(self, int32_t vr, prepared):
        """Replace what the transitions of `vr` send (loop.prepared.Prepared, None: nothing), in one step; what
        waits to be sent goes out before."""
        self.owner._router(vr)
        cdef transition_t* new = NULL if prepared is None else compile_transition(prepared)
        cdef transition_t* old
        with nogil:
            self.lock()
            perform(&self.out)
            old = replace(&self.out, vr, new)
            if self.core.vrs[vr].state == ACTIVE:
                self.give(HOST_CHANGED, vr, 0)
            self.unlock()
            self.poke()
            release(old)

    def send_now(self, int32_t vr, withdraw, install):
        """Remove what the requests `withdraw` say, then, if `vr` is active, set and announce the batches `install`."""
        self.owner._router(vr)
        cdef transition_t* once = compile_transition(
            Prepared(fd=-1, ifindex=0, datagrams=(), withdraw=tuple(withdraw), install=tuple(install))
        )
        with nogil:
            self.lock()
            perform(&self.out)
            post_once(&self.out, vr, once)
            perform(&self.out)
            self.unlock()

    def set_pace(self, int32_t group, int64_t arp, int64_t na):
        """Let frames of pace `group` leave at least `arp` ns (gratuitous ARP) or `na` ns (neighbour advertisements)
        apart; 0: as they come."""
        if not 0 <= group < MAX_GROUPS or arp < 0 or na < 0:
            raise ValueError("no such group or interval")
        worker.set_pace(&self.out.host, group, arp, na)

    def reinstall(self, int32_t vr):
        """Set and announce the addresses again, if `vr` is active."""
        self.owner._router(vr)
        with nogil:
            self.lock()
            if self.core.vrs[vr].state == ACTIVE:
                self.give(HOST_CHANGED, vr, 0)
            self.unlock()
            self.poke()

    def place(self, int32_t vr, int32_t port, bytes source not None):
        """Let `vr` listen on `port` with own address `source`; raises ValueError if its VRID is taken there."""
        cdef uint8_t address[16]
        cdef bint moved
        self.owner._router(vr)
        if not 0 <= port < self.core.n_ports or len(source) not in (0, 4, 16):
            raise ValueError("no such port, or no address")
        memset(address, 0, 16)
        memcpy(address, <const uint8_t*>source, len(source))
        with nogil:
            self.lock()
            moved = feed_place(self.core, self.ring, vr, port, address, monotonic())
            self.unlock()
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
            self.lock()
            outcome = carry_out(&made.step, &self.out)
            self.tell()
            self.unlock()
            self.poke()
        if outcome != APPLIED and self.recorder is not None:
            del self.recorder.revisions[made.step.number]
        if outcome == TAKEN:
            raise ValueError(f"router {made.step.taken}: its VRID is taken on its port")
        return None if outcome == STALE else made.notes()

    def reserve(self, int32_t routers, int32_t ports, int32_t groups=0):
        """Make room for as many, if there is less. As to other methods: see `apply()`."""
        cdef Core larger = self.owner.larger(routers, ports, groups)
        cdef port_t* room
        cdef epoll_event* events
        cdef epoll_event* unused
        cdef transmit_t out
        cdef int32_t n_ports
        if larger is None:
            return
        memset(&out, 0, sizeof(transmit_t))
        n_ports = larger.core.n_ports
        room = _make_ports(n_ports)
        events = _make_events(n_ports)
        transmit_reserve(&out, &larger.core)
        with nogil:
            self.lock()
            memcpy(room, self.ports, self.core.n_ports * sizeof(port_t))
            self.ports, room = room, self.ports
            unused, self.more_events = self.more_events, events
            self.n_more_events = events_of(n_ports)
            feed_growth(self.core, self.ring, &larger.core, monotonic())
            adopt(&self.out, &out)
            self.unlock()
            self.poke()
        let_go(&out)
        free(room)
        free(unused)

    def capacity(self):
        """Return for how many (routers, ports, sync groups) there is room."""
        return self.owner.capacity

    # ---- inputs (cold) ----

    def startup(self, int32_t vr):
        """RFC 9568 §6.4.1, Startup."""
        self.owner._router(vr)
        with nogil:
            self.lock()
            self.give(STARTUP, vr, 0)
            self.unlock()
            self.poke()

    def set_priority(self, int32_t vr, int priority):
        """Set the effective priority, 1..255."""
        if not 1 <= priority <= 255:
            raise ValueError(f"priority {priority} is outside 1..255")
        self.owner._router(vr)
        with nogil:
            self.lock()
            self.give(PRIORITY, vr, priority)
            self.unlock()
            self.poke()

    def set_faults(self, int32_t vr, unsigned int faults):
        """Replace the set of faults (names.Fault)."""
        self.owner._router(vr)
        with nogil:
            self.lock()
            self.give(FAULTS, vr, faults)
            self.unlock()
            self.poke()

    def clear_send_fault(self, int32_t vr):
        """The link is another one: adverts that could not be sent may go out now."""
        self.owner._router(vr)
        with nogil:
            self.lock()
            self.give(LINK_CHANGED, vr, 0)
            self.unlock()
            self.poke()

    def shutdown(self):
        """RFC 9568 §6.4.2 and §6.4.3, Shutdown, for every router: priority 0 and the withdrawals have been
        handed to the kernel when this returns, whatever the hot thread does.

        Returns False when the kernel has not taken all withdrawals within two seconds; the worker goes on.
        """
        cdef int32_t vr
        cdef bint done
        with nogil:
            self.lock()
            perform(&self.out)
            for vr in range(self.core.capacity):
                if self.core.vrs[vr].used:
                    self.give(SHUTDOWN, vr, 0)
            perform(&self.out)
            self.tell()
            self.unlock()
            done = worker.drain(&self.out.host, monotonic() + DRAINED_IN)
        return done

    # ---- outputs (cold) ----

    def notes(self):
        """Return the notes since the last call (core.acts.Note), oldest first."""
        cdef uint64_t told = 0
        cdef act_t* taken
        cdef int count = 0
        cdef int i
        with nogil:
            eventfd_read(self.note_fd, &told)
        taken = <act_t*>malloc(self.core.notes.size * sizeof(act_t))
        if taken == NULL:
            raise MemoryError
        with nogil:
            self.lock()
            self.note_told = 0
            count = take_notes(self.core, self.ring, taken, monotonic())
            self.unlock()
        try:
            return [note_from(&taken[i], self.core.vrs[taken[i].vr].settings.address_len) for i in range(count)]
        finally:
            free(taken)

    def farewell(self, int32_t vr):
        """Return the adverts of priority 0 of `vr`, which somebody else may send should this process die; None if it is
        not active. Those that are protected from being replayed are good for a second."""
        cdef resignation_t words
        self.owner._router(vr)
        with nogil:
            self.lock()
            take(&words, self.core, self.out.host.current[vr], vr, monotonic())
            self.unlock()
        return finished(&words, vr)

    def entries(self):
        """Return what the recorder wrote down since the last call (loop.entries.Entry), oldest first."""
        cdef uint64_t head
        if self.recorder is None:
            return []
        with nogil:
            self.lock()
            head = up_to_now(self.core, self.ring)
            self.unlock()
        found = self.recorder.read(head)
        with nogil:
            self.lock()
            self.ring.tail = head
            self.unlock()
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
            self.lock()
            copy.core.vrs[0] = self.core.vrs[vr]
            copy.core.vrs[0].faults = held_back_now(self.core, vr)
            copy.core.vrs[0].group = -1
            copy.core.vrs[0].next_member = -1
            copy.core.deadlines.due[0] = self.core.deadlines.due[2 * vr]
            self.unlock()
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
        if self.ring == NULL:
            return 0
        with nogil:
            self.lock()
            record(self.core, self.ring, &entry)
            self.unlock()
        return 0

    def port_rejects(self, int32_t port):
        """Return `Core.port_rejects(port)`."""
        return self.owner.port_rejects(port)

    def stats(self):
        """Return the loop's own totals; `latest` is the largest lateness of a deadline in ns."""
        cdef totals_t totals
        with nogil:
            self.lock()
            totals = self.totals
            self.unlock()
        return dict(totals) | worker.stats(&self.out.host) | {"lost_notes": self.core.notes.lost}

    # ---- running ----

    def fileno(self):
        """The epoll descriptor: readable when `process()` has something to do."""
        return self.epoll_fd

    def note_fileno(self):
        """Readable when `notes()` has something to give."""
        return self.note_fd

    def process(self):
        """Handle what is ready, without waiting."""
        with nogil:
            self.turn(0)

    def run(self):
        """Run until `stop()`, without the GIL: the body of the hot thread."""
        with nogil:
            self.early = EARLY
            while not self.stopping:
                self.turn(0 if self.imminent else -1)
                self.take_breath()

    def run_worker(self):
        """Do the work on the host until `stop()`, without the GIL: the body of the worker's thread."""
        with nogil:
            while worker.wait(&self.out.host):
                while worker.work(&self.out.host, monotonic()):
                    self.tell_failures()

    def stop(self):
        """Make `run()` return after its turn, and `run_worker()` when all requests are in the kernel. May be
        repeated."""
        self.stopping = 1
        self.poke()
        with nogil:
            worker.stop(&self.out.host)

    cdef void tell_failures(self) noexcept nogil:
        if self.out.host.step.error == 0:
            return
        self.lock()
        tell_failed_requests(&self.out)
        self.tell()
        self.unlock()

    # ---- the turn (hot) ----

    cdef void lock(self) noexcept nogil:
        pthread_mutex_lock(&self.mutex)

    cdef void unlock(self) noexcept nogil:
        pthread_mutex_unlock(&self.mutex)

    cdef void poke(self) noexcept nogil:
        """Wake the loop: the core has new acts, or an earlier deadline."""
        eventfd_write(self.wake_fd, 1)

    cdef void give(self, entry_kind_t kind, int32_t vr, int64_t a) noexcept nogil:
        """Give the core an input, now."""
        feed(self.core, self.ring, kind, vr, a, monotonic())

    cdef void turn(self, int timeout_ms) noexcept nogil:
        """Wait, receive, advance, perform, re-arm."""
        cdef uint64_t drained = 0
        cdef uint64_t what
        cdef int64_t now, due
        cdef int i
        cdef int ready = epoll_wait(self.epoll_fd, self.events, self.n_events, timeout_ms)
        while ready < 0 and errno == EINTR:
            ready = epoll_wait(self.epoll_fd, self.events, self.n_events, 0)
        self.lock()
        self.totals.turns += 1
        self.look_at_clocks()
        perform(&self.out)
        for i in range(ready):
            what = self.events[i].data.u64
            if what == TIMER_EVENT:
                # A timerfd reads like an eventfd: eight bytes, and it is quiet again.
                eventfd_read(self.timer_fd, &drained)
                self.armed = NEVER
            elif what == WAKE_EVENT:
                eventfd_read(self.wake_fd, &drained)
            elif what >= OTHER_EVENT:
                self.receive(<int32_t>(what - OTHER_EVENT), self.ports[what - OTHER_EVENT].other_fd)
            else:
                self.receive(<int32_t>what, self.ports[what].rx_fd)
        now = monotonic()
        due = core_deadline(self.core)
        if due <= now:
            self.totals.latest = max(self.totals.latest, now - due)
            feed(self.core, self.ring, ADVANCE, -1, 0, now)
        perform(&self.out)
        self.schedule()
        self.tell()
        self.take_more_events()
        self.unlock()

    cdef void take_more_events(self) noexcept nogil:
        """Only the thread that waits exchanges what it waits with."""
        if self.n_more_events:
            self.events, self.more_events = self.more_events, self.events
            self.n_events = self.n_more_events
            self.n_more_events = 0

    cdef void take_breath(self) noexcept nogil:
        """Let adverts gather when many come at once, as of a thousand routers, or in a flood: a wake-up costs more than
        ten of them, and elections count from their arrival."""
        cdef timespec time
        cdef int64_t now, before
        if self.totals.received == self.received_before:
            return
        now = monotonic()
        before = self.heard
        self.received_before = self.totals.received
        self.heard = now
        if now - before < THICK and self.next_due - now > FAR:
            time.tv_sec = 0
            time.tv_nsec = BREATH
            nanosleep(&time, NULL)

    cdef void look_at_clocks(self) noexcept nogil:
        """Tell the core the wall clock, and whether the host was suspended, before it hears what came since."""
        cdef int64_t slept = suspended() - self.slept
        cdef int64_t now = monotonic()
        self.core.wall_offset = wall_clock() - now
        if slept > SUSPEND:
            self.slept += slept
            feed(self.core, self.ring, RESUME, -1, slept, now)

    cdef void schedule(self) noexcept nogil:
        """Arm the timer when the earliest deadline came nearer; a deadline that moved away costs one idle
        wake-up instead of a system call for every advert.

        The hot thread is woken before a takeover is due and takes turns until then, so that neither a
        sleeping CPU nor cold caches make it late; adverts, which come all the time, are not worth that.
        """
        cdef itimerspec when
        cdef int64_t due = core_deadline(self.core)
        cdef bint was_imminent = self.imminent
        self.imminent = False
        self.next_due = due
        if self.early and core_awaits_takeover(self.core):
            due -= self.early
            self.imminent = due <= monotonic()
            if self.imminent and not was_imminent:
                worker.expect(&self.out.host, due + self.early + READY)
        if not self.out.host.threaded:
            due = min(due, self.out.host.due)
        if due >= self.armed or self.imminent:
            return
        self.armed = due
        memset(&when, 0, sizeof(when))
        when.it_value.tv_sec = due // NS_PER_SECOND
        when.it_value.tv_nsec = due % NS_PER_SECOND
        timerfd_settime(self.timer_fd, TFD_TIMER_ABSTIME, &when, NULL)

    cdef void tell(self) noexcept nogil:
        """Wake the cold side, once for all notes that it has not taken yet, and when a recorder fills."""
        if (self.core.notes.count > 0 or is_filling(self.ring)) and not self.note_told:
            self.note_told = 1
            eventfd_write(self.note_fd, 1)

    cdef void receive(self, int32_t port, int fd) noexcept nogil:
        """Drain a socket of one port, at most RX_ROUNDS batches, so that a flood cannot hold up an advert of ours."""
        cdef port_t* p = &self.ports[port]
        cdef fv_rx_meta_t meta
        cdef msghdr* header
        cdef int64_t now, wall
        cdef int _round, i, count
        for _round in range(RX_ROUNDS):
            if fd < 0:
                return
            for i in range(RX_BATCH):
                self.rx.message[i].msg_hdr.msg_namelen = sizeof(sockaddr_storage)
                self.rx.message[i].msg_hdr.msg_controllen = RX_CONTROL_ROOM
            count = recvmmsg(fd, self.rx.message, RX_BATCH, MSG_DONTWAIT, NULL)
            if count <= 0:
                if count < 0 and errno != EAGAIN and errno != EINTR:
                    self.totals.receive_errors += 1     # ENETDOWN and the like: the link monitor decides
                return
            now = monotonic()
            wall = wall_clock()
            self.totals.received += <unsigned int>count
            for i in range(count):
                header = &self.rx.message[i].msg_hdr
                if header.msg_flags & MSG_TRUNC:
                    self.totals.truncated += 1
                    continue
                memset(&meta, 0, sizeof(meta))
                meta.family = p.family
                meta.ttl = -1
                if p.family == 6:
                    cmsg.fv_rx_meta(&meta, 6, <const cmsg.msghdr*>header)
                feed_datagram(
                    self.core, self.ring, port, self.rx.data[i], self.rx.message[i].msg_len, &meta,
                    arrival(<const cmsg.msghdr*>header, now, wall),
                )
            perform(&self.out)
            if count < RX_BATCH:
                return


def set_realtime(int priority):
    """Give the calling thread SCHED_RR at `priority` (1..99); returns whether the kernel allowed it."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError:
        return False
    return True
