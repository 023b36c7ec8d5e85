"""See turn.pxd; with `transmit` and `worker`, the only system calls of the hot path."""

from libc.errno cimport errno
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from posix.time cimport CLOCK_MONOTONIC, itimerspec, timespec
from posix.unistd cimport close

from fastvrrp.core.core cimport core_awaits_takeover, core_deadline
from fastvrrp.core.deadlines cimport NEVER
from fastvrrp.core.model cimport NS_PER_SECOND
from fastvrrp.loop cimport transmit, worker
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
from fastvrrp.loop.recorder cimport ADVANCE, CLOSE_PORT, RESUME, feed, feed_datagram, feed_growth, is_filling
from fastvrrp.loop.transmit cimport perform
from fastvrrp.wire cimport cmsg
from fastvrrp.wire.packet cimport fv_rx_meta_t

from fastvrrp.errors import KernelError

assert <int>cmsg.FV_RX_CONTROL <= <int>RX_CONTROL_ROOM

cdef enum:
    EARLY = 150000              # ns; an idle (virtual) CPU takes 50 to 100 us to come round
    THICK = 1000000             # ns between two turns that receive: adverts come thick and fast
    BREATH = 500000             # ns; then they are taken in gulps
    FAR = 2000000               # ns; but only if nothing is due so soon
    READY = 500000              # ns; the worker stays awake so long after a takeover is due: adverts come first
    SUSPEND = 5000000           # ns; the two clocks that tell a suspend are not read at one instant

# epoll data: these, or the number of a port, for its second socket added to OTHER_EVENT.
cdef enum:
    TIMER_EVENT = 0x10000
    WAKE_EVENT = 0x10001
    OTHER_EVENT = 0x20000


# ---- the turn (hot) ----

cdef void run(hot_t* h) noexcept nogil:
    h.early = EARLY
    while not h.stopping:
        take_turn(h, 0 if h.imminent else -1)
        take_breath(h)


cdef void take_turn(hot_t* h, int timeout_ms) noexcept nogil:
    cdef uint64_t drained = 0
    cdef uint64_t what
    cdef int64_t now, due
    cdef int i
    cdef int ready = epoll_wait(h.epoll_fd, h.events, h.n_events, timeout_ms)
    while ready < 0 and errno == EINTR:
        ready = epoll_wait(h.epoll_fd, h.events, h.n_events, 0)
    lock(h)
    h.totals.turns += 1
    look_at_clocks(h)
    perform(&h.out)
    for i in range(ready):
        what = h.events[i].data.u64
        if what == TIMER_EVENT:
            # A timerfd reads like an eventfd: eight bytes, and it is quiet again.
            eventfd_read(h.timer_fd, &drained)
            h.armed = NEVER
        elif what == WAKE_EVENT:
            eventfd_read(h.wake_fd, &drained)
        elif what >= OTHER_EVENT:
            receive(h, <int32_t>(what - OTHER_EVENT), h.ports[what - OTHER_EVENT].other_fd)
        else:
            receive(h, <int32_t>what, h.ports[what].rx_fd)
    now = monotonic()
    due = core_deadline(h.core)
    if due <= now:
        h.totals.latest = max(h.totals.latest, now - due)
        feed(h.core, h.recorder, ADVANCE, -1, 0, now)
    perform(&h.out)
    schedule(h)
    tell(h)
    take_more_events(h)
    unlock(h)


cdef void receive(hot_t* h, int32_t port, int fd) noexcept nogil:
    """Drain a socket of one port, at most RX_ROUNDS batches, so that a flood cannot hold up an advert of ours."""
    cdef port_t* p = &h.ports[port]
    cdef fv_rx_meta_t meta
    cdef msghdr* header
    cdef int64_t now, wall
    cdef int _round, i, count
    for _round in range(RX_ROUNDS):
        if fd < 0:
            return
        for i in range(RX_BATCH):
            h.rx.message[i].msg_hdr.msg_namelen = sizeof(sockaddr_storage)
            h.rx.message[i].msg_hdr.msg_controllen = RX_CONTROL_ROOM
        count = recvmmsg(fd, h.rx.message, RX_BATCH, MSG_DONTWAIT, NULL)
        if count <= 0:
            if count < 0 and errno != EAGAIN and errno != EINTR:
                h.totals.receive_errors += 1     # ENETDOWN and the like: the link monitor decides
            return
        now = monotonic()
        wall = wall_clock()
        h.totals.received += <unsigned int>count
        for i in range(count):
            header = &h.rx.message[i].msg_hdr
            if header.msg_flags & MSG_TRUNC:
                h.totals.truncated += 1
                continue
            memset(&meta, 0, sizeof(meta))
            meta.family = p.family
            meta.ttl = -1
            if p.family == 6:
                cmsg.fv_rx_meta(&meta, 6, <const cmsg.msghdr*>header)
            feed_datagram(
                h.core, h.recorder, port, h.rx.data[i], h.rx.message[i].msg_len, &meta,
                arrival(<const cmsg.msghdr*>header, now, wall),
            )
        perform(&h.out)
        if count < RX_BATCH:
            return


cdef void look_at_clocks(hot_t* h) noexcept nogil:
    """Tell the core the wall clock, and whether the host was suspended, before it hears what came since."""
    cdef int64_t slept = suspended() - h.slept
    cdef int64_t now = monotonic()
    h.core.wall_offset = wall_clock() - now
    if slept > SUSPEND:
        h.slept += slept
        feed(h.core, h.recorder, RESUME, -1, slept, now)


cdef void schedule(hot_t* h) noexcept nogil:
    """Arm the timer when the earliest deadline came nearer; a deadline that moved away costs one idle
    wake-up instead of a system call for every advert.

    The hot thread is woken before a takeover is due and takes turns until then, so that neither a
    sleeping CPU nor cold caches make it late; adverts, which come all the time, are not worth that.
    """
    cdef itimerspec when
    cdef int64_t due = core_deadline(h.core)
    cdef bint was_imminent = h.imminent
    h.imminent = False
    h.next_due = due
    if h.early and core_awaits_takeover(h.core):
        due -= h.early
        h.imminent = due <= monotonic()
        if h.imminent and not was_imminent:
            worker.expect(&h.out.host, due + h.early + READY)
    if not h.out.host.threaded:
        due = min(due, h.out.host.due)
    if due >= h.armed or h.imminent:
        return
    h.armed = due
    memset(&when, 0, sizeof(when))
    when.it_value.tv_sec = due // NS_PER_SECOND
    when.it_value.tv_nsec = due % NS_PER_SECOND
    timerfd_settime(h.timer_fd, TFD_TIMER_ABSTIME, &when, NULL)


cdef void tell(hot_t* h) noexcept nogil:
    if (h.core.notes.count > 0 or is_filling(h.recorder)) and not h.note_told:
        h.note_told = 1
        eventfd_write(h.note_fd, 1)


cdef void take_more_events(hot_t* h) noexcept nogil:
    """Only the thread that waits exchanges what it waits with."""
    if h.n_more_events:
        h.events, h.more_events = h.more_events, h.events
        h.n_events = h.n_more_events
        h.n_more_events = 0


cdef void take_breath(hot_t* h) noexcept nogil:
    """Let adverts gather when many come at once, as of a thousand routers, or in a flood: a wake-up costs more than
    ten of them, and elections count from their arrival."""
    cdef timespec time
    cdef int64_t now, before
    if h.totals.received == h.received_before:
        return
    now = monotonic()
    before = h.heard
    h.received_before = h.totals.received
    h.heard = now
    if now - before < THICK and h.next_due - now > FAR:
        time.tv_sec = 0
        time.tv_nsec = BREATH
        nanosleep(&time, NULL)


# ---- beside it (hot) ----

cdef void lock(hot_t* h) noexcept nogil:
    pthread_mutex_lock(&h.mutex)


cdef void unlock(hot_t* h) noexcept nogil:
    pthread_mutex_unlock(&h.mutex)


cdef void poke(hot_t* h) noexcept nogil:
    eventfd_write(h.wake_fd, 1)


cdef void give(hot_t* h, entry_kind_t kind, int32_t vr, int64_t a) noexcept nogil:
    feed(h.core, h.recorder, kind, vr, a, monotonic())


cdef void run_worker(hot_t* h) noexcept nogil:
    while worker.wait(&h.out.host):
        while worker.work(&h.out.host, monotonic()):
            tell_failures(h)


cdef void tell_failures(hot_t* h) noexcept nogil:
    if h.out.host.step.error == 0:
        return
    lock(h)
    transmit.tell_failed_requests(&h.out)
    tell(h)
    unlock(h)


# ---- making and growing (cold) ----

cdef int create(
    hot_t* h, core_t* core, recorder_t* recorder, int netlink_fd, int frame_fd, bint threaded,
) except -1:
    cdef pthread_mutexattr_t attributes
    h.epoll_fd = h.timer_fd = h.wake_fd = h.note_fd = -1
    h.core = core
    h.recorder = recorder
    h.armed = NEVER
    h.slept = suspended()
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT)
    pthread_mutex_init(&h.mutex, &attributes)
    pthread_mutexattr_destroy(&attributes)
    transmit.create(&h.out, core, recorder, netlink_fd, frame_fd, threaded)
    allocate(h)
    h.epoll_fd = checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")
    h.timer_fd = checked(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create")
    h.wake_fd = checked(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")
    h.note_fd = checked(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")
    watch(h, h.timer_fd, TIMER_EVENT)
    watch(h, h.wake_fd, WAKE_EVENT)
    return 0


cdef int allocate(hot_t* h) except -1:
    cdef int i
    h.n_events = events_of(h.core.n_ports)
    h.ports = make_ports(h.core.n_ports)
    h.events = make_events(h.core.n_ports)
    h.rx = <rx_t*>calloc(1, sizeof(rx_t))
    if h.rx == NULL:
        raise MemoryError
    for i in range(RX_BATCH):
        h.rx.piece[i].iov_base = h.rx.data[i]
        h.rx.piece[i].iov_len = RX_SIZE
        h.rx.message[i].msg_hdr.msg_iov = &h.rx.piece[i]
        h.rx.message[i].msg_hdr.msg_iovlen = 1
        h.rx.message[i].msg_hdr.msg_name = &h.rx.sender[i]
        h.rx.message[i].msg_hdr.msg_control = h.rx.control[i]
    return 0


cdef port_t* make_ports(int32_t count) except NULL:
    """Return closed ports."""
    cdef int32_t port
    cdef port_t* ports = <port_t*>calloc(count, sizeof(port_t))
    if ports == NULL:
        raise MemoryError
    for port in range(count):
        ports[port].rx_fd = ports[port].other_fd = -1
    return ports


cdef int events_of(int32_t ports) noexcept nogil:
    """Return how many descriptors there can be: one wait sees all sockets before a deadline fires."""
    return 2 * ports + 2


cdef epoll_event* make_events(int32_t ports) except NULL:
    cdef epoll_event* events = <epoll_event*>calloc(events_of(ports), sizeof(epoll_event))
    if events == NULL:
        raise MemoryError
    return events


cdef int checked(int result, op) except -1:
    if result < 0:
        raise KernelError(op, "event loop", errno)
    return result


cdef int watch(hot_t* h, int fd, uint64_t data) except -1:
    cdef epoll_event event
    memset(&event, 0, sizeof(event))
    event.events = EPOLLIN
    event.data.u64 = data
    return checked(epoll_ctl(h.epoll_fd, EPOLL_CTL_ADD, fd, &event), "epoll_ctl")


cdef void destroy(hot_t* h) noexcept:
    close_descriptors(h)
    transmit.destroy(&h.out)
    free(h.ports)
    free(h.rx)
    free(h.events)
    free(h.more_events)
    pthread_mutex_destroy(&h.mutex)


cdef void close_descriptors(hot_t* h) noexcept nogil:
    shut(&h.epoll_fd)
    shut(&h.timer_fd)
    shut(&h.wake_fd)
    shut(&h.note_fd)


cdef void shut(int* fd) noexcept nogil:
    if fd[0] >= 0:
        close(fd[0])
    fd[0] = -1


cdef int open_port(hot_t* h, int32_t port, port_t what) except -1:
    with nogil:
        lock(h)
        h.ports[port] = what
        unlock(h)
    watch(h, what.rx_fd, port)
    if what.other_fd >= 0:
        watch(h, what.other_fd, OTHER_EVENT + port)
    return 0


cdef void close_port(hot_t* h, int32_t port) noexcept nogil:
    cdef int fd, other
    lock(h)
    fd = h.ports[port].rx_fd
    other = h.ports[port].other_fd
    h.ports[port].rx_fd = h.ports[port].other_fd = -1
    give(h, CLOSE_PORT, -1, port)
    unlock(h)
    if fd >= 0:
        epoll_ctl(h.epoll_fd, EPOLL_CTL_DEL, fd, NULL)
    if other >= 0:
        epoll_ctl(h.epoll_fd, EPOLL_CTL_DEL, other, NULL)


cdef int reserve(room_t* larger, const core_t* core) except -1:
    larger.ports = make_ports(core.n_ports)
    larger.events = make_events(core.n_ports)
    larger.n_events = events_of(core.n_ports)
    return transmit.reserve(&larger.out, core)


cdef void adopt(hot_t* h, room_t* larger, core_t* core) noexcept nogil:
    lock(h)
    memcpy(larger.ports, h.ports, h.core.n_ports * sizeof(port_t))
    h.ports, larger.ports = larger.ports, h.ports
    h.more_events, larger.events = larger.events, h.more_events
    h.n_more_events = larger.n_events
    feed_growth(h.core, h.recorder, core, monotonic())
    transmit.adopt(&h.out, &larger.out)
    unlock(h)
    poke(h)


cdef void let_go(room_t* larger) noexcept:
    free(larger.ports)
    free(larger.events)
    transmit.let_go(&larger.out)
