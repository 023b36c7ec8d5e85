"""The acts of all routers by kind: all adverts, then withdrawals, then addresses, then announcements.

An act is performed only if it is still true (docs/adr/0010). Adverts leave from here; the rest is the worker's, whose
thread works in parallel: then addresses follow the adverts of the same TX_BATCH routers at once.
"""

from libc.errno cimport errno
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from fastvrrp.core.model cimport ACTIVE, ANNOUNCE, INSTALL, PRIORITY_RESIGN, SEND, WITHDRAW, vr_t
from fastvrrp.loop cimport worker
from fastvrrp.loop.clock cimport monotonic
from fastvrrp.loop.linux cimport EINTR, MSG_DONTWAIT, MSG_NOSIGNAL, iovec, msghdr, sendmmsg
from fastvrrp.loop.recorder cimport INSTALL_FAILED, SEND_FAILED, SENT, feed, take_acts
from fastvrrp.loop.transition cimport outgoing_t
from fastvrrp.wire.datagram cimport finish, sending_t


cdef int create(
    transmit_t* t, core_t* core, recorder_t* recorder, int netlink_fd, int frame_fd, bint threaded,
) except -1:
    """Allocate; raises MemoryError, and destroy() frees what there is."""
    t.core = core
    t.recorder = recorder
    worker.create(&t.host, core.capacity, netlink_fd, frame_fd, threaded)
    allocate(t, core)
    return 0


cdef int allocate(transmit_t* t, const core_t* core) except -1:
    t.ip_ids = <uint16_t*>calloc(core.capacity, sizeof(uint16_t))
    t.batch = <act_t*>calloc(core.acts.size, sizeof(act_t))
    if not (t.ip_ids and t.batch):
        raise MemoryError
    return 0


cdef void destroy(transmit_t* t) noexcept:
    """Free everything; after create(), once."""
    worker.destroy(&t.host)
    free(t.ip_ids)
    free(t.batch)


cdef void perform(transmit_t* t) noexcept nogil:
    """What fails may ask for more."""
    while t.core.acts.count > 0:
        t.n_batch = take_acts(t.core, t.recorder, t.batch, monotonic())
        perform_batch(t)
    if not t.host.threaded:
        work_here(t)


cdef void perform_batch(transmit_t* t) noexcept nogil:
    cdef int first = 0
    cdef int sends = 0
    cdef int i
    for i in range(t.n_batch):
        if t.batch[i].kind != SEND:
            continue
        if sends == TX_BATCH and t.host.threaded:
            perform_range(t, first, i)
            first = i
            sends = 0
        sends += 1
    perform_range(t, first, t.n_batch)


cdef void perform_range(transmit_t* t, int first, int end) noexcept nogil:
    cdef int i
    for i in range(first, end):
        if t.batch[i].kind == SEND:
            queue_advert(t, &t.batch[i])
    flush(t)
    worker.begin(&t.host)
    ask_for(t, WITHDRAW, first, end)
    ask_for(t, INSTALL, first, end)
    ask_for(t, ANNOUNCE, first, end)
    worker.end(&t.host)


# ---- the worker's share ----

cdef void ask_for(transmit_t* t, uint8_t kind, int first, int end) noexcept nogil:
    cdef const act_t* act
    cdef bint active
    cdef int i
    for i in range(first, end):
        act = &t.batch[i]
        if act.kind != kind:
            continue
        active = t.core.vrs[act.vr].state == ACTIVE
        worker.set_active(&t.host, act.vr, active)
        if kind == WITHDRAW and not active:
            worker.withdraw(&t.host, act.vr)
        elif kind == INSTALL and active:
            worker.install(&t.host, act.vr)
        elif kind == ANNOUNCE and active:
            worker.announce(&t.host, act.vr, <int32_t>act.a)


cdef void work_here(transmit_t* t) noexcept nogil:
    """Do the worker's work, where it has no thread."""
    while worker.work(&t.host, monotonic()):
        tell_failed_requests(t)


cdef void tell_failed_requests(transmit_t* t) noexcept nogil:
    """Tell the core what the last step of the worker could not hand to the kernel."""
    cdef int i
    cdef int32_t vr
    if t.host.step.error == 0:
        return
    for i in range(t.host.step.n_pieces):
        vr = t.host.step.routers[i]
        if t.core.vrs[vr].used:
            feed(t.core, t.recorder, INSTALL_FAILED, vr, t.host.step.error, monotonic())


cdef transition_t* replace(transmit_t* t, int32_t vr, transition_t* new) noexcept nogil:
    """See the .pxd."""
    cdef transition_t* old
    worker.begin(&t.host)
    old = worker.replace(&t.host, vr, new)
    worker.end(&t.host)
    return old


cdef void post_once(transmit_t* t, int32_t vr, transition_t* once) noexcept nogil:
    """See the .pxd."""
    worker.begin(&t.host)
    worker.set_active(&t.host, vr, t.core.vrs[vr].state == ACTIVE)
    worker.post_once(&t.host, vr, once, t.core.vrs[vr].settings.garp.repeat)
    worker.end(&t.host)


# ---- growing ----

cdef int reserve(transmit_t* larger, const core_t* core) except -1:
    """See the .pxd."""
    allocate(larger, core)
    worker.reserve(&larger.host, core.capacity)
    return 0


cdef void adopt(transmit_t* t, transmit_t* larger) noexcept nogil:
    """See the .pxd."""
    memcpy(larger.ip_ids, t.ip_ids, t.host.capacity * sizeof(uint16_t))
    t.ip_ids, larger.ip_ids = larger.ip_ids, t.ip_ids
    t.batch, larger.batch = larger.batch, t.batch
    worker.begin(&t.host)
    worker.adopt(&t.host, &larger.host)
    worker.end(&t.host)


cdef void let_go(transmit_t* larger) noexcept:
    """See the .pxd."""
    free(larger.ip_ids)
    free(larger.batch)
    worker.let_go(&larger.host)


# ---- adverts ----

cdef void queue_advert(transmit_t* t, const act_t* act) noexcept nogil:
    """Bring the router's datagrams up to date and queue them."""
    cdef vr_t* router = &t.core.vrs[act.vr]
    cdef transition_t* made = t.host.current[act.vr]
    cdef outgoing_t* out
    cdef sending_t sending
    cdef int i
    if made == NULL or ((act.a == PRIORITY_RESIGN) == (router.state == ACTIVE) and not act.c):
        return                              # what it would say is true no longer
    for i in range(t.queue.count):
        if t.queue.vr[i] == act.vr:
            flush(t)                        # the bytes are about to change
            break
    t.ip_ids[act.vr] += 1
    if t.ip_ids[act.vr] == 0:
        t.ip_ids[act.vr] = 1
    sending.priority = <uint8_t>act.a
    sending.old_checksum = router.sends_old_checksum
    sending.ip_id = t.ip_ids[act.vr]
    sending.ah_sequence = <uint32_t>act.b   # it is one of the two
    sending.hmac_sequence = <uint64_t>act.b
    for i in range(made.n_outgoing):
        out = &made.outgoing[i]
        finish(&out.datagram, &sending, &router.profile, out.source, out.destination)
        queue_message(
            t, act.vr, made.fd, made.flags, &out.piece, &out.to, out.to_len, out.control, out.control_len,
        )


# ---- the queue of messages for one socket ----

cdef void queue_message(
    transmit_t* t, int32_t vr, int fd, int flags, iovec* piece, void* to, uint32_t to_len, void* control,
    size_t control_len,
) noexcept nogil:
    cdef queue_t* queue = &t.queue
    cdef msghdr* header
    if queue.count == TX_BATCH or (queue.count > 0 and (queue.fd != fd or queue.flags != flags)):
        flush(t)
    header = &queue.message[queue.count].msg_hdr
    header.msg_name = to
    header.msg_namelen = to_len
    header.msg_iov = piece
    header.msg_iovlen = 1
    header.msg_control = control if control_len else NULL
    header.msg_controllen = control_len
    header.msg_flags = 0
    queue.vr[queue.count] = vr
    queue.fd = fd
    queue.flags = flags
    queue.count += 1


cdef void flush(transmit_t* t) noexcept nogil:
    """Send what is queued; a message that fails is counted and does not stop the others."""
    cdef queue_t* queue = &t.queue
    cdef int done = 0
    cdef int result
    while done < queue.count:
        result = sendmmsg(
            queue.fd, &queue.message[done], <unsigned int>(queue.count - done),
            queue.flags | MSG_DONTWAIT | MSG_NOSIGNAL,
        )
        if result > 0:
            tell_sent(t, done, done + result)
            done += result
        elif result < 0 and errno == EINTR:
            continue
        else:
            tell_failed(t, done, errno)
            done += 1
    queue.count = 0


cdef void tell_sent(transmit_t* t, int first, int end) noexcept nogil:
    cdef int i
    for i in range(first, end):
        feed(t.core, t.recorder, SENT, t.queue.vr[i], 0, monotonic())


cdef void tell_failed(transmit_t* t, int index, int error) noexcept nogil:
    feed(t.core, t.recorder, SEND_FAILED, t.queue.vr[index], error, monotonic())
