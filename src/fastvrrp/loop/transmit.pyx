"""The acts of all routers by kind: all adverts, then withdrawals, then addresses, then announcements.

An act is performed only if it is still true (docs/adr/0010).
"""

from libc.errno cimport errno
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free

from fastvrrp.core.model cimport ACTIVE, ANNOUNCE, INSTALL, PRIORITY_RESIGN, SEND, WITHDRAW, vr_t
from fastvrrp.loop.clock cimport monotonic
from fastvrrp.loop.linux cimport EINTR, MSG_DONTWAIT, MSG_NOSIGNAL, msghdr, send, sendmmsg
from fastvrrp.loop.recorder cimport INSTALL_FAILED, SEND_FAILED, SENT, feed, take_acts
from fastvrrp.loop.transition cimport frame_t, outgoing_t
from fastvrrp.wire.datagram cimport finish, sending_t


cdef int create(transmit_t* t, core_t* core, recorder_t* recorder, int netlink_fd, int frame_fd) except -1:
    """Allocate; raises MemoryError, and destroy() frees what there is."""
    t.core = core
    t.recorder = recorder
    t.netlink_fd = netlink_fd
    t.frame_fd = frame_fd
    t.transitions = <transition_t**>calloc(core.capacity, sizeof(transition_t*))
    t.ip_ids = <uint16_t*>calloc(core.capacity, sizeof(uint16_t))
    t.batch = <act_t*>calloc(core.acts.size, sizeof(act_t))
    if not (t.transitions and t.ip_ids and t.batch):
        raise MemoryError
    return 0


cdef void destroy(transmit_t* t) noexcept:
    """Free everything; safe to repeat, and before create()."""
    cdef int32_t vr
    if t.transitions != NULL:
        for vr in range(t.core.capacity):
            free(t.transitions[vr])
    free(t.transitions)
    free(t.ip_ids)
    free(t.batch)
    t.transitions = NULL
    t.ip_ids = NULL
    t.batch = NULL


cdef void perform(transmit_t* t) noexcept nogil:
    """What fails may ask for more."""
    while t.core.acts.count > 0:
        t.n_batch = take_acts(t.core, t.recorder, t.batch, monotonic())
        perform_sends(t)
        perform_requests(t, WITHDRAW)
        perform_requests(t, INSTALL)
        perform_announcements(t)


# ---- adverts ----

cdef void perform_sends(transmit_t* t) noexcept nogil:
    cdef int i
    for i in range(t.n_batch):
        if t.batch[i].kind == SEND:
            queue_advert(t, &t.batch[i])
    flush(t)


cdef void queue_advert(transmit_t* t, const act_t* act) noexcept nogil:
    """Bring the router's datagrams up to date and queue them."""
    cdef vr_t* router = &t.core.vrs[act.vr]
    cdef transition_t* made = t.transitions[act.vr]
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
    if t.queue.fd == t.frame_fd:
        return
    for i in range(first, end):
        feed(t.core, t.recorder, SENT, t.queue.vr[i], 0, monotonic())


cdef void tell_failed(transmit_t* t, int index, int error) noexcept nogil:
    if t.queue.fd == t.frame_fd:
        t.frame_errors += 1
    else:
        feed(t.core, t.recorder, SEND_FAILED, t.queue.vr[index], error, monotonic())


# ---- addresses ----

cdef void perform_requests(transmit_t* t, uint8_t kind) noexcept nogil:
    """Hand prepared rtnetlink requests to the kernel, which carries them out before send() returns; only
    what is still true: addresses of a router that is active, removals of one that is not."""
    cdef const act_t* act
    cdef transition_t* made
    cdef iovec* requests
    cdef int i, j, count
    for i in range(t.n_batch):
        act = &t.batch[i]
        if act.kind != kind:
            continue
        made = t.transitions[act.vr]
        if made == NULL or (t.core.vrs[act.vr].state == ACTIVE) != (kind == INSTALL):
            continue
        requests = made.install if kind == INSTALL else made.withdraw
        count = made.n_install if kind == INSTALL else made.n_withdraw
        for j in range(count):
            if send(t.netlink_fd, requests[j].iov_base, requests[j].iov_len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0:
                feed(t.core, t.recorder, INSTALL_FAILED, act.vr, errno, monotonic())


# ---- announcements ----

cdef void perform_announcements(transmit_t* t) noexcept nogil:
    """Send one frame for every address of every router first, then the repeats."""
    cdef const act_t* act
    cdef transition_t* made
    cdef frame_t* frame
    cdef int i, j
    cdef int64_t wave = 0
    cdef bint more = True
    while more:
        more = False
        for i in range(t.n_batch):
            act = &t.batch[i]
            made = t.transitions[act.vr]
            if act.kind != ANNOUNCE or made == NULL or t.core.vrs[act.vr].state != ACTIVE or wave >= act.a:
                continue
            more = wave + 1 < act.a or more
            for j in range(made.n_frames):
                frame = &made.frames[j]
                queue_message(t, act.vr, t.frame_fd, 0, &frame.piece, &frame.to, sizeof(frame.to), NULL, 0)
        wave += 1
    flush(t)
