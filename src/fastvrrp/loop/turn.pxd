"""The hot turn: wait, receive, advance, perform, re-arm.

Laws: the mutex is held for a whole turn, everything except waiting; no function that holds it takes
the GIL, and no function that holds the GIL waits for it. A turn drains the sockets before it fires
deadlines, so that a host that stood still does not fail over on adverts that wait in its queue
and performs the acts of all routers by kind, so that every advert leaves before the first
address is touched.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from fastvrrp.core.model cimport core_t
from fastvrrp.loop.linux cimport epoll_event, iovec, mmsghdr, pthread_mutex_t, sockaddr_storage
from fastvrrp.loop.recorder cimport entry_kind_t, recorder_t
from fastvrrp.loop.transmit cimport transmit_t

cdef enum:
    RX_BATCH = 32               # datagrams of one recvmmsg
    RX_ROUNDS = 16              # recvmmsg calls of one port in one turn: more than a receive queue holds
    RX_SIZE = 9216              # bytes, a jumbo frame
    RX_CONTROL_ROOM = 128

ctypedef struct port_t:
    int rx_fd                   # -1: closed
    int other_fd                # hears routers of the other kind of authentication, -1: none
    uint8_t family

ctypedef struct rx_t:
    uint8_t data[RX_BATCH][RX_SIZE]
    uint8_t control[RX_BATCH][RX_CONTROL_ROOM]
    sockaddr_storage sender[RX_BATCH]
    iovec piece[RX_BATCH]
    mmsghdr message[RX_BATCH]

ctypedef struct totals_t:
    uint64_t turns
    uint64_t received
    uint64_t receive_errors
    uint64_t truncated
    int64_t latest              # ns, the largest lateness of a deadline so far

# What grows with a core.
ctypedef struct room_t:
    port_t* ports
    epoll_event* events
    int n_events
    transmit_t out

ctypedef struct hot_t:
    core_t* core
    recorder_t* recorder        # NULL: nothing is recorded
    pthread_mutex_t mutex
    transmit_t out
    int epoll_fd
    int timer_fd
    int wake_fd
    int note_fd
    port_t* ports
    rx_t* rx
    epoll_event* events
    int n_events
    epoll_event* more_events    # for the hot thread to take, then those that it had
    int n_more_events           # 0: it has taken them
    int stopping
    int note_told
    int64_t armed               # ns, when the timer fires, NEVER: it does not
    int64_t early               # ns by which a takeover is awaited awake, 0: not at all
    int64_t slept               # ns suspended since boot, as last seen
    int64_t next_due            # of the core, as scheduled last
    int64_t heard               # ns, when the last turn received something
    uint64_t received_before
    bint imminent               # a takeover is due within `early`: do not sleep
    totals_t totals

# ---- cold ----

# Fill `h`, which is zero; raises MemoryError, KernelError, and destroy() frees what there is.
cdef int create(
    hot_t* h, core_t* core, recorder_t* recorder, int netlink_fd, int frame_fd, bint threaded,
) except -1
cdef void destroy(hot_t* h) noexcept
# Close our own descriptors; may be repeated.
cdef void close_descriptors(hot_t* h) noexcept nogil
# Receive from the sockets of `what` as `port`; raises KernelError.
cdef int open_port(hot_t* h, int32_t port, port_t what) except -1
# Receive from them no longer.
cdef void close_port(hot_t* h, int32_t port) noexcept nogil
# Allocate in `larger`, which is zero, what goes with a core that is larger. Raises MemoryError; let_go() in any case.
cdef int reserve(room_t* larger, const core_t* core) except -1
# Move into it, and the core into `core`; `larger` has the old room then, for let_go().
cdef void adopt(hot_t* h, room_t* larger, core_t* core) noexcept nogil
cdef void let_go(room_t* larger) noexcept

# ---- the bodies of the threads ----

# Take turns until `stopping`.
cdef void run(hot_t* h) noexcept nogil
# Do the work on the host until worker.stop().
cdef void run_worker(hot_t* h) noexcept nogil
# One turn; -1: wait for as long as it takes.
cdef void take_turn(hot_t* h, int timeout_ms) noexcept nogil

# ---- any thread ----

cdef void lock(hot_t* h) noexcept nogil
cdef void unlock(hot_t* h) noexcept nogil
# Wake the hot thread: the core has new acts, or an earlier deadline.
cdef void poke(hot_t* h) noexcept nogil

# ---- with the mutex ----

# Give the core an input, now.
cdef void give(hot_t* h, entry_kind_t kind, int32_t vr, int64_t a) noexcept nogil
# Wake the cold side, once for all notes that it has not taken yet, and when a recorder fills.
cdef void tell(hot_t* h) noexcept nogil
