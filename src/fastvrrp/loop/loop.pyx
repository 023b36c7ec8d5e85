"""Loop: sockets, timer and threads around one core, and the only system calls of the hot path.

Laws: the loop's mutex is held for a whole turn, everything except waiting; no function that holds it takes
the GIL, and no function that holds the GIL waits for it. A turn drains the sockets before it fires
deadlines, so that a host that stood still does not fail over on adverts that wait in its queue
and performs the acts of all routers by kind, so that every advert leaves before the first
address is touched.

A cold caller may use every method from any thread; `run()` belongs to the hot thread, `process()` to
whoever has none.
"""

import os

from libc.errno cimport errno
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset
from posix.time cimport CLOCK_MONOTONIC, itimerspec
from posix.unistd cimport close

from fastvrrp.core cimport machine, queue
from fastvrrp.core.core cimport (
    core_advance,
    core_awaits_takeover,
    core_close_port,
    core_deadline,
    core_move,
    core_receive,
    note_from,
)
from fastvrrp.core.deadlines cimport NEVER
from fastvrrp.core.model cimport (
    ACTIVE,
    ANNOUNCE,
    INSTALL,
    NS_PER_SECOND,
    PRIORITY_RESIGN,
    SEND,
    WITHDRAW,
    vr_t,
)
from fastvrrp.loop.clock cimport arrival, monotonic, wall_clock
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
    MSG_NOSIGNAL,
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
    pthread_mutex_destroy,
    pthread_mutex_init,
    pthread_mutex_lock,
    pthread_mutex_unlock,
    pthread_mutexattr_destroy,
    pthread_mutexattr_init,
    pthread_mutexattr_setprotocol,
    pthread_mutexattr_t,
    recvmmsg,
    send,
    sendmmsg,
    timerfd_create,
    timerfd_settime,
)
from fastvrrp.loop.transition cimport compile_transition, frame_t, outgoing_t
from fastvrrp.wire cimport cmsg
from fastvrrp.wire.advert cimport set_ip_id, set_priority
from fastvrrp.wire.auth cimport seal_ah
from fastvrrp.wire.packet cimport AUTH_AH, fv_rx_meta_t

from fastvrrp.errors import KernelError

assert <int>cmsg.FV_RX_CONTROL <= <int>RX_CONTROL_ROOM

cdef enum:
    EARLY = 150000              # ns; an idle (virtual) CPU takes 50 to 100 us to come round

# epoll data: these, or the number of a port.
cdef enum:
    TIMER_EVENT = 0x10000
    WAKE_EVENT = 0x10001


cdef int _checked(int result, op) except -1:
    if result < 0:
        raise KernelError(op, "event loop", errno)
    return result


cdef class Loop:
    """The loop of `core`, a core.Core of `routers` routers and `ports` ports.

    `netlink_fd` (rtnetlink) and `frame_fd` (AF_PACKET) send what `prepare()` gives; -1: there is nothing to
    send. The descriptors stay the caller's.
    """

    def __cinit__(self, Core core not None, *, int netlink_fd=-1, int frame_fd=-1):
        cdef pthread_mutexattr_t attributes
        self.epoll_fd = self.timer_fd = self.wake_fd = self.note_fd = -1
        self.opened = True
        self.owner = core
        self.core = &core.core
        self.netlink_fd = netlink_fd
        self.frame_fd = frame_fd
        self.armed = NEVER
        pthread_mutexattr_init(&attributes)
        pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT)
        pthread_mutex_init(&self.mutex, &attributes)
        pthread_mutexattr_destroy(&attributes)
        self._allocate()
        self.epoll_fd = _checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")
        self.timer_fd = _checked(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create")
        self.wake_fd = _checked(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")
        self.note_fd = _checked(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")
        self._watch(self.timer_fd, TIMER_EVENT)
        self._watch(self.wake_fd, WAKE_EVENT)

    def __dealloc__(self):
        cdef int32_t vr
        if not self.opened:                 # the arguments were refused: every field is still 0
            return
        self._close()
        if self.transitions != NULL:
            for vr in range(self.core.capacity):
                free(self.transitions[vr])
        free(self.transitions)
        free(self.ports)
        free(self.ip_ids)
        free(self.batch)
        free(self.rx)
        free(self.events)
        pthread_mutex_destroy(&self.mutex)

    def _allocate(self):
        cdef int32_t port
        cdef int i
        self.ports = <port_t*>calloc(self.core.n_ports, sizeof(port_t))
        self.transitions = <transition_t**>calloc(self.core.capacity, sizeof(transition_t*))
        self.ip_ids = <uint16_t*>calloc(self.core.capacity, sizeof(uint16_t))
        self.batch = <act_t*>calloc(self.core.acts.size, sizeof(act_t))
        self.rx = <rx_t*>calloc(1, sizeof(rx_t))
        # Room for every descriptor, so that one wait sees all sockets before a deadline fires.
        self.n_events = self.core.n_ports + 2
        self.events = <epoll_event*>calloc(self.n_events, sizeof(epoll_event))
        if not (self.ports and self.transitions and self.ip_ids and self.batch and self.rx and self.events):
            raise MemoryError
        for port in range(self.core.n_ports):
            self.ports[port].rx_fd = -1
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

    def open_port(self, int32_t port, int rx_fd, int family):
        """Receive from `rx_fd`, a non-blocking raw socket of `family` (4 or 6), as `port`."""
        if not 0 <= port < self.core.n_ports:
            raise ValueError(f"no port {port}")
        with nogil:
            self.lock()
            self.ports[port].rx_fd = rx_fd
            self.ports[port].family = <uint8_t>family
            self.unlock()
        self._watch(rx_fd, port)

    def close_port(self, int32_t port):
        """Stop receiving from `port`; call it before its socket is closed."""
        cdef int fd
        with nogil:
            self.lock()
            fd = self.ports[port].rx_fd
            self.ports[port].rx_fd = -1
            core_close_port(self.core, port)
            self.unlock()
        if fd >= 0:
            epoll_ctl(self.epoll_fd, EPOLL_CTL_DEL, fd, NULL)

    def prepare(self, int32_t vr, prepared):
        """Replace what the transitions of `vr` send (loop.prepared.Prepared, None: nothing), in one step; what
        waits to be sent goes out before."""
        self.owner._router(vr)
        cdef transition_t* new = NULL if prepared is None else compile_transition(prepared)
        cdef transition_t* old
        with nogil:
            self.lock()
            self.perform()
            old = self.transitions[vr]
            self.transitions[vr] = new
            if self.core.vrs[vr].state == ACTIVE:
                machine.on_host_changed(self.core, vr, monotonic())
            self.unlock()
            self.poke()
        free(old)

    def reinstall(self, int32_t vr):
        """Set and announce the addresses again, if `vr` is active."""
        self.owner._router(vr)
        with nogil:
            self.lock()
            if self.core.vrs[vr].state == ACTIVE:
                machine.on_host_changed(self.core, vr, monotonic())
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
            moved = core_move(self.core, vr, port)
            if moved:
                memcpy(self.core.vrs[vr].profile.own, address, 16)
            self.unlock()
        if not moved:
            raise ValueError("the VRID is taken on this interface")

    # ---- inputs (cold) ----

    def startup(self, int32_t vr):
        """RFC 9568 §6.4.1, Startup."""
        self.owner._router(vr)
        with nogil:
            self.lock()
            machine.on_startup(self.core, vr, monotonic())
            self.unlock()
            self.poke()

    def set_priority(self, int32_t vr, int priority):
        """Set the effective priority, 1..255."""
        if not 1 <= priority <= 255:
            raise ValueError(f"priority {priority} is outside 1..255")
        self.owner._router(vr)
        with nogil:
            self.lock()
            machine.on_priority(self.core, vr, <uint8_t>priority, monotonic())
            self.unlock()
            self.poke()

    def set_faults(self, int32_t vr, unsigned int faults):
        """Replace the set of faults (names.Fault)."""
        self.owner._router(vr)
        with nogil:
            self.lock()
            machine.on_faults(self.core, vr, faults, monotonic())
            self.unlock()
            self.poke()

    def shutdown(self):
        """RFC 9568 §6.4.2 and §6.4.3, Shutdown, for every router: priority 0 and the withdrawals have been
        handed to the kernel when this returns, whatever the hot thread does."""
        cdef int32_t vr
        with nogil:
            self.lock()
            self.perform()
            for vr in range(self.core.capacity):
                if self.core.vrs[vr].used:
                    machine.on_shutdown(self.core, vr, monotonic())
            self.perform()
            self.tell()
            self.unlock()

    # ---- outputs (cold) ----

    def notes(self):
        """Return the notes since the last call (core.acts.Note), oldest first."""
        cdef uint64_t told = 0
        cdef size_t room
        cdef act_t* taken
        cdef size_t count = 0
        cdef size_t i
        with nogil:
            eventfd_read(self.note_fd, &told)
        room = self.core.notes.size
        taken = <act_t*>malloc(room * sizeof(act_t))
        if taken == NULL:
            raise MemoryError
        with nogil:
            self.lock()
            self.note_told = 0
            while count < room and queue.take(&self.core.notes, &taken[count]):
                count += 1
            self.unlock()
        try:
            return [note_from(&taken[i], self.core.vrs[taken[i].vr].address_len) for i in range(count)]
        finally:
            free(taken)

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
            copy.core.deadlines.due[0] = self.core.deadlines.due[2 * vr]
            self.unlock()
        return copy

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
        return dict(totals) | {"lost_notes": self.core.notes.lost}

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

    def stop(self):
        """Make `run()` return after its turn. May be repeated."""
        self.stopping = 1
        self.poke()

    # ---- the turn (hot) ----

    cdef void lock(self) noexcept nogil:
        pthread_mutex_lock(&self.mutex)

    cdef void unlock(self) noexcept nogil:
        pthread_mutex_unlock(&self.mutex)

    cdef void poke(self) noexcept nogil:
        """Wake the loop: the core has new acts, or an earlier deadline."""
        eventfd_write(self.wake_fd, 1)

    cdef void turn(self, int timeout_ms) noexcept nogil:
        """Wait, receive, advance, perform, re-arm."""
        cdef uint64_t drained = 0
        cdef uint64_t what
        cdef int64_t now, due
        cdef int i
        cdef int ready = epoll_wait(self.epoll_fd, self.events, self.n_events, timeout_ms)
        self.lock()
        self.totals.turns += 1
        self.perform()
        for i in range(ready):
            what = self.events[i].data.u64
            if what == TIMER_EVENT:
                # A timerfd reads like an eventfd: eight bytes, and it is quiet again.
                eventfd_read(self.timer_fd, &drained)
                self.armed = NEVER
            elif what == WAKE_EVENT:
                eventfd_read(self.wake_fd, &drained)
            else:
                self.receive(<int32_t>what)
        now = monotonic()
        due = core_deadline(self.core)
        if due <= now:
            self.totals.latest = max(self.totals.latest, now - due)
            core_advance(self.core, now)
        self.perform()
        self.schedule()
        self.tell()
        self.unlock()

    cdef void schedule(self) noexcept nogil:
        """Arm the timer when the earliest deadline came nearer; a deadline that moved away costs one idle
        wake-up instead of a system call for every advert.

        The hot thread is woken before a takeover is due and takes turns until then, so that neither a
        sleeping CPU nor cold caches make it late; adverts, which come all the time, are not worth that.
        """
        cdef itimerspec when
        cdef int64_t due = core_deadline(self.core)
        self.imminent = False
        if self.early and core_awaits_takeover(self.core):
            due -= self.early
            self.imminent = due <= monotonic()
        if due >= self.armed or self.imminent:
            return
        self.armed = due
        memset(&when, 0, sizeof(when))
        when.it_value.tv_sec = due // NS_PER_SECOND
        when.it_value.tv_nsec = due % NS_PER_SECOND
        timerfd_settime(self.timer_fd, TFD_TIMER_ABSTIME, &when, NULL)

    cdef void tell(self) noexcept nogil:
        """Wake the cold side, once for all notes that it has not taken yet."""
        if self.core.notes.count > 0 and not self.note_told:
            self.note_told = 1
            eventfd_write(self.note_fd, 1)

    cdef void receive(self, int32_t port) noexcept nogil:
        """Drain one port, at most RX_ROUNDS batches, so that a flood cannot hold up an advert of ours."""
        cdef port_t* p = &self.ports[port]
        cdef fv_rx_meta_t meta
        cdef msghdr* header
        cdef int64_t now, wall
        cdef int _round, i, count
        for _round in range(RX_ROUNDS):
            if p.rx_fd < 0:
                return
            for i in range(RX_BATCH):
                self.rx.message[i].msg_hdr.msg_namelen = sizeof(sockaddr_storage)
                self.rx.message[i].msg_hdr.msg_controllen = RX_CONTROL_ROOM
            count = recvmmsg(p.rx_fd, self.rx.message, RX_BATCH, MSG_DONTWAIT, NULL)
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
                core_receive(
                    self.core, port, self.rx.data[i], self.rx.message[i].msg_len, &meta,
                    arrival(<const cmsg.msghdr*>header, now, wall),
                )
            self.perform()
            if count < RX_BATCH:
                return

    # ---- acts (hot) ----

    cdef void perform(self) noexcept nogil:
        """Perform every waiting act: all adverts, then withdrawals, then addresses, then announcements."""
        self.n_batch = 0
        while queue.take(&self.core.acts, &self.batch[self.n_batch]):
            self.n_batch += 1
        if self.n_batch == 0:
            return
        self.perform_sends()
        self.perform_requests(WITHDRAW)
        self.perform_requests(INSTALL)
        self.perform_announcements()

    cdef void perform_sends(self) noexcept nogil:
        cdef int i
        for i in range(self.n_batch):
            if self.batch[i].kind == SEND:
                self.queue_advert(&self.batch[i])
        self.flush()

    cdef void queue_advert(self, act_t* act) noexcept nogil:
        """Bring the router's datagrams up to date and queue them."""
        cdef vr_t* router = &self.core.vrs[act.vr]
        cdef transition_t* t = self.transitions[act.vr]
        cdef outgoing_t* out
        cdef int i
        router.pending_sends -= 1
        if t == NULL or (act.a == PRIORITY_RESIGN) == (router.state == ACTIVE):
            return                          # what it would say is true no longer
        for i in range(self.tx.count):
            if self.tx.vr[i] == act.vr:
                self.flush()                # the bytes are about to change
                break
        self.ip_ids[act.vr] += 1
        if self.ip_ids[act.vr] == 0:
            self.ip_ids[act.vr] = 1
        for i in range(t.n_outgoing):
            out = &t.outgoing[i]
            if out.priority != act.a:
                out.priority = <int32_t>act.a
                set_priority(&out.datagram, <uint8_t>act.a, out.source, out.destination)
            set_ip_id(&out.datagram, self.ip_ids[act.vr])
            if router.profile.auth_type == AUTH_AH:
                seal_ah(&out.datagram, &router.profile.ah_key, <unsigned int>act.b)
            self.queue_message(
                act.vr, t.fd, t.flags, &out.piece, &out.to, out.to_len, out.control, out.control_len,
            )

    cdef void queue_message(
        self, int32_t vr, int fd, int flags, iovec* piece, void* to, uint32_t to_len, void* control, size_t control_len,
    ) noexcept nogil:
        cdef msghdr* header
        if self.tx.count == TX_BATCH or (self.tx.count > 0 and (self.tx.fd != fd or self.tx.flags != flags)):
            self.flush()
        header = &self.tx.message[self.tx.count].msg_hdr
        header.msg_name = to
        header.msg_namelen = to_len
        header.msg_iov = piece
        header.msg_iovlen = 1
        header.msg_control = control if control_len else NULL
        header.msg_controllen = control_len
        header.msg_flags = 0
        self.tx.vr[self.tx.count] = vr
        self.tx.fd = fd
        self.tx.flags = flags
        self.tx.count += 1

    cdef void flush(self) noexcept nogil:
        """Send what is queued; a message that fails is counted and does not stop the others."""
        cdef int sent = 0
        cdef int result
        while sent < self.tx.count:
            result = sendmmsg(
                self.tx.fd, &self.tx.message[sent], <unsigned int>(self.tx.count - sent),
                self.tx.flags | MSG_DONTWAIT | MSG_NOSIGNAL,
            )
            if result > 0:
                sent += result
            elif result < 0 and errno == EINTR:
                continue
            else:
                if self.tx.fd == self.frame_fd:
                    self.totals.frame_errors += 1
                else:
                    machine.on_send_failed(self.core, self.tx.vr[sent], errno, monotonic())
                sent += 1
        self.tx.count = 0

    cdef void perform_requests(self, uint8_t kind) noexcept nogil:
        """Hand prepared rtnetlink requests to the kernel, which carries them out before send() returns; only
        what is still true: addresses of a router that is active, removals of one that is not."""
        cdef act_t* act
        cdef vr_t* router
        cdef transition_t* t
        cdef iovec* requests
        cdef int i, j, count
        for i in range(self.n_batch):
            act = &self.batch[i]
            if act.kind != kind:
                continue
            router = &self.core.vrs[act.vr]
            router.pending &= ~(1u << kind)
            t = self.transitions[act.vr]
            if t == NULL or (router.state == ACTIVE) != (kind == INSTALL):
                continue
            requests = t.install if kind == INSTALL else t.withdraw
            count = t.n_install if kind == INSTALL else t.n_withdraw
            for j in range(count):
                if send(self.netlink_fd, requests[j].iov_base, requests[j].iov_len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0:
                    machine.on_install_failed(self.core, act.vr, errno, monotonic())

    cdef void perform_announcements(self) noexcept nogil:
        """Send one frame for every address of every router first, then the repeats."""
        cdef act_t* act
        cdef transition_t* t
        cdef frame_t* frame
        cdef int i, j
        cdef int64_t wave = 0
        cdef bint more = True
        while more:
            more = False
            for i in range(self.n_batch):
                act = &self.batch[i]
                if act.kind != ANNOUNCE:
                    continue
                self.core.vrs[act.vr].pending &= ~(1u << <int>ANNOUNCE)
                t = self.transitions[act.vr]
                if t == NULL or self.core.vrs[act.vr].state != ACTIVE or wave >= act.a:
                    continue
                more = wave + 1 < act.a or more
                for j in range(t.n_frames):
                    frame = &t.frames[j]
                    self.queue_message(
                        act.vr, self.frame_fd, 0, &frame.piece, &frame.to, sizeof(frame.to), NULL, 0,
                    )
            wave += 1
        self.flush()


def set_realtime(int priority):
    """Give the calling thread SCHED_RR at `priority` (1..99); returns whether the kernel allowed it."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError:
        return False
    return True
