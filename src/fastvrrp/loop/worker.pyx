"""See worker.pxd. Laws: requests come before frames, and leave in the order in which they were asked for; what
is no longer true when its turn comes is left out (docs/adr/0010, 0029).

A job waits at most once, so its place is in the transition itself, and no queue can be full. Asked for again
while it waits, or while it is half done, it keeps its place and begins anew. That is enough: the last change of
a router's state is followed by its job, and every other job of the same transition that runs later is untrue.
"""

from libc.errno cimport errno
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from posix.time cimport CLOCK_MONOTONIC, timespec

from fastvrrp.core.deadlines cimport NEVER
from fastvrrp.core.model cimport INSTALL, NS_PER_SECOND
from fastvrrp.loop.announcing cimport begin_rounds, end_rounds, gather_frames, lane_of, rounds_left
from fastvrrp.loop.clock cimport monotonic
from fastvrrp.loop.linux cimport (
    ACQUIRE,
    EAGAIN,
    EINTR,
    ENOBUFS,
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    PTHREAD_PRIO_INHERIT,
    RELEASE,
    load,
    msghdr,
    nanosleep,
    pthread_cond_destroy,
    pthread_cond_init,
    pthread_cond_signal,
    pthread_cond_t,
    pthread_cond_timedwait,
    pthread_cond_wait,
    pthread_condattr_destroy,
    pthread_condattr_init,
    pthread_condattr_setclock,
    pthread_condattr_t,
    pthread_mutex_destroy,
    pthread_mutex_init,
    pthread_mutex_lock,
    pthread_mutex_unlock,
    pthread_mutexattr_destroy,
    pthread_mutexattr_init,
    pthread_mutexattr_setprotocol,
    pthread_mutexattr_t,
    sched_yield,
    sendmmsg,
    sendmsg,
    store,
)
from fastvrrp.loop.transition cimport release, retain

cdef enum:
    FIRST_SEND = 8              # messages of the first send after a rest: the first address is announced soon
    PATIENCE = 10               # pauses of one step for frames that a full queue refuses
    PAUSE = 1000000             # ns


cdef int create(host_t* h, int32_t capacity, int netlink_fd, int frame_fd, bint threaded) except -1:
    """Allocate; raises MemoryError, and destroy() frees what there is."""
    cdef pthread_mutexattr_t attributes
    cdef pthread_condattr_t clock
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT)
    pthread_mutex_init(&h.mutex, &attributes)
    pthread_mutexattr_destroy(&attributes)
    pthread_condattr_init(&clock)
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC)
    pthread_cond_init(&h.wake, &clock)
    pthread_cond_init(&h.rest, &clock)
    pthread_condattr_destroy(&clock)
    h.netlink_fd = netlink_fd
    h.frame_fd = frame_fd
    h.threaded = threaded
    h.room = FIRST_SEND
    h.due = NEVER
    h.n_lanes = 1
    h.lanes = <lane_t*>calloc(h.n_lanes, sizeof(lane_t))
    if h.lanes == NULL:
        raise MemoryError
    return reserve(h, capacity)


cdef int reserve(host_t* larger, int32_t capacity) except -1:
    """See the .pxd."""
    larger.capacity = capacity
    larger.current = <transition_t**>calloc(capacity, sizeof(transition_t*))
    larger.active = <uint8_t*>calloc(capacity, sizeof(uint8_t))
    if not (larger.current and larger.active):
        raise MemoryError
    return 0


cdef void adopt(host_t* h, host_t* larger) noexcept nogil:
    """See the .pxd."""
    memcpy(larger.current, h.current, h.capacity * sizeof(transition_t*))
    memcpy(larger.active, h.active, h.capacity * sizeof(uint8_t))
    h.current, larger.current = larger.current, h.current
    h.active, larger.active = larger.active, h.active
    h.capacity, larger.capacity = larger.capacity, h.capacity


cdef void let_go(host_t* larger) noexcept:
    """See the .pxd."""
    free(larger.current)
    free(larger.active)


cdef void destroy(host_t* h) noexcept:
    """Free everything; after create(), once."""
    cdef job_t* job
    cdef track_t* track
    cdef int32_t i
    while h.first != NULL:
        job = h.first
        h.first = job.next
        release(job.owner)
    for i in range(h.n_lanes if h.lanes != NULL else 0):
        while h.lanes[i].first != NULL:
            track = h.lanes[i].first
            h.lanes[i].first = track.next
            release(track.owner)
    for i in range(h.capacity if h.current != NULL else 0):
        release(h.current[i])
    free(h.current)
    free(h.active)
    free(h.lanes)
    pthread_cond_destroy(&h.rest)
    pthread_cond_destroy(&h.wake)
    pthread_mutex_destroy(&h.mutex)


# ---- asking ----

cdef void begin(host_t* h) noexcept nogil:
    pthread_mutex_lock(&h.mutex)


cdef void end(host_t* h) noexcept nogil:
    """Let go, and wake the worker if it sleeps and there is something for it."""
    cdef bint calls = h.first != NULL or h.due == 0
    cdef bint sleeps = h.sleeps
    pthread_mutex_unlock(&h.mutex)
    if calls:
        store(&h.arrived, 1, RELEASE)
        if sleeps:
            pthread_cond_signal(&h.wake)


cdef void set_active(host_t* h, int32_t vr, bint active) noexcept nogil:
    h.active[vr] = active
    if not active and h.current[vr] != NULL:
        end_rounds(h.current[vr])


cdef void install(host_t* h, int32_t vr) noexcept nogil:
    if h.current[vr] != NULL:
        ask(h, vr, &h.current[vr].install)


cdef void withdraw(host_t* h, int32_t vr) noexcept nogil:
    if h.current[vr] != NULL:
        ask(h, vr, &h.current[vr].withdraw)


cdef void announce(host_t* h, int32_t vr, int32_t rounds) noexcept nogil:
    """Ask for `rounds` of announcements; when the addresses are yet to be set, after that."""
    cdef transition_t* t = h.current[vr]
    if t == NULL:
        return
    if t.install.waits:
        t.install.rounds = max(t.install.rounds, rounds)
    else:
        begin_rounds(h, t, rounds, False)


cdef void post_once(host_t* h, int32_t vr, transition_t* once, int32_t rounds) noexcept nogil:
    once.once = True
    ask(h, vr, &once.withdraw)
    ask(h, vr, &once.install)
    once.install.rounds = rounds
    release(once)


cdef transition_t* replace(host_t* h, int32_t vr, transition_t* new) noexcept nogil:
    """Announcements that are under way go on with what the new one has."""
    cdef transition_t* old = h.current[vr]
    h.current[vr] = new
    if new != NULL:
        new.vr = vr
        if old != NULL:
            begin_rounds(h, new, rounds_left(old), False)
    return old


cdef void ask(host_t* h, int32_t vr, job_t* job) noexcept nogil:
    job.at = 0
    if job.waits or job.n_batches == 0:
        return
    job.owner.vr = vr
    job.waits = True
    job.rounds = 0
    job.next = NULL
    retain(job.owner)
    if h.last == NULL:
        h.first = job
    else:
        h.last.next = job
    h.last = job


# ---- working ----

cdef bint work(host_t* h, int64_t now) noexcept nogil:
    cdef step_t* step = &h.step
    cdef int i
    step.n_pieces = step.n_messages = step.n_frames = step.n_used = step.error = 0
    begin(h)
    gather_requests(h)
    h.sends = step.n_pieces > 0
    if h.first == NULL and step.n_used == 0:
        h.room = FIRST_SEND
        h.due = gather_frames(h, now)
    pthread_mutex_unlock(&h.mutex)
    if step.n_messages > 0:
        send_requests(h)
    send_frames(h)
    for i in range(step.n_used):
        release(step.used[i])
    if h.sends:
        begin(h)
        h.sends = False
        if h.first == NULL:
            pthread_cond_signal(&h.rest)
        pthread_mutex_unlock(&h.mutex)
    return step.n_used > 0 or step.n_pieces > 0 or step.n_frames > 0


cdef void gather_requests(host_t* h) noexcept nogil:
    """Take the next batches of one kind, of one router or of several, and the frames that belong to them."""
    cdef step_t* step = &h.step
    cdef job_t* job
    cdef batch_t* batch
    while h.first != NULL and step.n_used < BATCH_MESSAGES and step.n_pieces < BATCH_MESSAGES:
        job = h.first
        if not is_true(h, job):
            take_off(h)
            continue
        batch = &job.batches[job.at]
        if step.n_pieces > 0 and not (
            job.kind == step.kind
            and step.n_messages + batch.n_messages <= h.room
            and step.n_frames + batch.n_frames <= BATCH_MESSAGES
        ):
            break
        step.kind = job.kind
        take_batch(step, job.owner.vr, batch)
        take_first_frames(h, batch)
        job.at += 1
        if job.at == job.n_batches:
            finish(h, job)
    if step.n_messages > 0:
        h.room = min(2 * h.room, <int>BATCH_MESSAGES)


cdef bint is_true(host_t* h, const job_t* job) noexcept nogil:
    """Whether `job` is still to be done. What another transition has set is removed whatever the state is now: the
    current one sets its own again."""
    cdef const transition_t* t = job.owner
    if job.kind == INSTALL:
        return h.active[t.vr]
    return not h.active[t.vr] or h.current[t.vr] != t


cdef void take_off(host_t* h) noexcept nogil:
    """Take the first job out of the queue; it is released after the step."""
    cdef job_t* job = h.first
    h.first = job.next
    if h.first == NULL:
        h.last = NULL
    job.waits = False
    h.step.used[h.step.n_used] = job.owner
    h.step.n_used += 1


cdef void take_batch(step_t* step, int32_t vr, const batch_t* batch) noexcept nogil:
    step.pieces[step.n_pieces] = batch.requests
    step.routers[step.n_pieces] = vr
    step.n_pieces += 1
    step.n_messages += batch.n_messages


cdef void take_first_frames(host_t* h, const batch_t* batch) noexcept nogil:
    """Those that keep an interval wait for it."""
    cdef int i
    for i in range(batch.n_frames):
        if lane_of(h, batch.lanes[i]).interval == 0:
            h.step.frames[h.step.n_frames] = &batch.frames[i]
            h.step.n_frames += 1


cdef void finish(host_t* h, job_t* job) noexcept nogil:
    """All batches of the first job are taken; what was asked for meanwhile follows."""
    cdef transition_t* t = job.owner
    take_off(h)
    if job.rounds > 0 and not t.once:
        t = h.current[t.vr]                 # it may have been replaced since
    if job.rounds > 0 and t != NULL:
        begin_rounds(h, t, job.rounds, True)


# ---- system calls ----

cdef void send_requests(host_t* h) noexcept nogil:
    """Hand the requests to the kernel, which carries them out before sendmsg() returns."""
    cdef msghdr message
    memset(&message, 0, sizeof(message))
    message.msg_iov = h.step.pieces
    message.msg_iovlen = h.step.n_pieces
    h.totals.sends += 1
    while sendmsg(h.netlink_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0:
        if errno != EINTR:
            h.step.error = errno
            return


cdef void send_frames(host_t* h) noexcept nogil:
    """Send the frames of this step. A full queue is given some time, if that holds up nobody; what cannot be sent is
    counted and does not stop the others."""
    cdef step_t* step = &h.step
    cdef int patience = PATIENCE if h.threaded else 0
    cdef int done = 0
    cdef int i, sent
    for i in range(step.n_frames):
        step.message[i].msg_hdr.msg_iov = &step.frames[i].piece
        step.message[i].msg_hdr.msg_iovlen = 1
        step.message[i].msg_hdr.msg_name = &step.frames[i].to if step.frames[i].to_len else NULL
        step.message[i].msg_hdr.msg_namelen = step.frames[i].to_len
    while done < step.n_frames:
        sent = sendmmsg(
            h.frame_fd, &step.message[done], <unsigned int>(step.n_frames - done), MSG_DONTWAIT | MSG_NOSIGNAL,
        )
        if sent > 0:
            h.totals.frames_sent += <unsigned int>sent
            done += sent
        elif errno == EINTR:
            continue
        elif (errno == EAGAIN or errno == ENOBUFS) and patience > 0:
            patience -= 1
            pause()
        else:
            h.totals.frame_errors += 1
            done += 1


cdef void pause() noexcept nogil:
    cdef timespec time
    time.tv_sec = 0
    time.tv_nsec = PAUSE
    nanosleep(&time, NULL)


# ---- waiting ----

cdef bint wait(host_t* h) noexcept nogil:
    cdef bint more
    cdef int64_t now = monotonic()
    begin(h)
    while h.first == NULL and not h.stopping and h.due > now:
        if h.expects > now:
            spin(h, h.expects)
        else:
            h.sleeps = True
            sleep(&h.wake, h, h.due)
            h.sleeps = False
        now = monotonic()
    more = h.first != NULL or not h.stopping
    pthread_mutex_unlock(&h.mutex)
    return more


cdef void spin(host_t* h, int64_t until) noexcept nogil:
    """Await work that is expected any moment; on one CPU the loop, which brings it, comes first."""
    store(&h.arrived, 0, RELEASE)
    pthread_mutex_unlock(&h.mutex)
    while not load(&h.arrived, ACQUIRE) and monotonic() < until:
        sched_yield()
    begin(h)


cdef void sleep(pthread_cond_t* condition, host_t* h, int64_t until) noexcept nogil:
    cdef timespec time
    if until == NEVER:
        pthread_cond_wait(condition, &h.mutex)
        return
    time.tv_sec = until // NS_PER_SECOND
    time.tv_nsec = until % NS_PER_SECOND
    pthread_cond_timedwait(condition, &h.mutex, &time)


cdef void expect(host_t* h, int64_t until) noexcept nogil:
    begin(h)
    h.expects = until
    pthread_cond_signal(&h.wake)
    pthread_mutex_unlock(&h.mutex)


cdef bint drain(host_t* h, int64_t until) noexcept nogil:
    cdef bint done
    begin(h)
    while (h.first != NULL or h.sends) and monotonic() < until:
        sleep(&h.rest, h, until)
    done = h.first == NULL and not h.sends
    pthread_mutex_unlock(&h.mutex)
    return done


cdef void stop(host_t* h) noexcept nogil:
    begin(h)
    h.stopping = True
    pthread_cond_signal(&h.wake)
    pthread_mutex_unlock(&h.mutex)


# ---- cold ----

cdef int set_pace(host_t* h, int32_t group, int64_t arp, int64_t na) except -1:
    """Everything that waits keeps its place."""
    cdef int32_t number = 1 + 2 * group
    cdef lane_t* larger = <lane_t*>calloc(number + 2, sizeof(lane_t))
    if larger == NULL:
        raise MemoryError
    with nogil:
        begin(h)
        if number + 2 > h.n_lanes:
            memcpy(larger, h.lanes, h.n_lanes * sizeof(lane_t))
            h.lanes, larger = larger, h.lanes
            h.n_lanes = number + 2
        h.lanes[number].interval = arp
        h.lanes[number + 1].interval = na
        end(h)
    free(larger)
    return 0


cdef object stats(host_t* h):
    cdef uint64_t requests = 0
    cdef uint64_t frames = 0
    cdef host_totals_t totals
    cdef job_t* job
    cdef track_t* track
    cdef int32_t i
    with nogil:
        begin(h)
        totals = h.totals
        job = h.first
        while job != NULL:
            requests += <uint64_t>(job.n_batches - job.at)
            job = job.next
        for i in range(h.n_lanes):
            track = h.lanes[i].first
            while track != NULL:
                frames += <uint64_t>(track.rounds * track.n_frames - track.at)
                track = track.next
        pthread_mutex_unlock(&h.mutex)
    return dict(totals) | {"requests_waiting": requests, "frames_waiting": frames}
