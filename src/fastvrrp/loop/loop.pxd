from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from fastvrrp.core.core cimport Core
from fastvrrp.core.model cimport act_t, core_t
from fastvrrp.loop.linux cimport epoll_event, iovec, mmsghdr, pthread_mutex_t, sockaddr_storage
from fastvrrp.loop.transition cimport transition_t

cdef enum:
    RX_BATCH = 32               # datagrams of one recvmmsg
    RX_ROUNDS = 16              # recvmmsg calls of one port in one turn: more than a receive queue holds
    RX_SIZE = 9216              # bytes, a jumbo frame
    RX_CONTROL_ROOM = 128
    TX_BATCH = 64

ctypedef struct port_t:
    int rx_fd                   # -1: closed
    uint8_t family

ctypedef struct rx_t:
    uint8_t data[RX_BATCH][RX_SIZE]
    uint8_t control[RX_BATCH][RX_CONTROL_ROOM]
    sockaddr_storage sender[RX_BATCH]
    iovec piece[RX_BATCH]
    mmsghdr message[RX_BATCH]

ctypedef struct tx_t:
    mmsghdr message[TX_BATCH]
    int32_t vr[TX_BATCH]
    int count
    int fd
    int flags

ctypedef struct totals_t:
    uint64_t turns
    uint64_t received
    uint64_t receive_errors
    uint64_t truncated
    uint64_t frame_errors
    int64_t latest              # ns, the largest lateness of a deadline so far


cdef class Loop:
    cdef readonly Core owner
    cdef core_t* core
    cdef pthread_mutex_t mutex
    cdef int epoll_fd
    cdef int timer_fd
    cdef int wake_fd
    cdef int note_fd
    cdef int netlink_fd
    cdef int frame_fd
    cdef bint opened
    cdef epoll_event* events
    cdef int n_events
    cdef int stopping
    cdef int note_told
    cdef int64_t armed
    cdef int64_t early           # ns by which a takeover is awaited awake, 0: not at all
    cdef bint imminent           # a takeover is due within `early`: do not sleep
    cdef port_t* ports
    cdef transition_t** transitions
    cdef uint16_t* ip_ids
    cdef act_t* batch
    cdef int n_batch
    cdef rx_t* rx
    cdef tx_t tx
    cdef totals_t totals

    cdef void turn(self, int timeout_ms) noexcept nogil
    cdef void receive(self, int32_t port) noexcept nogil
    cdef void perform(self) noexcept nogil
    cdef void perform_sends(self) noexcept nogil
    cdef void perform_requests(self, uint8_t kind) noexcept nogil
    cdef void perform_announcements(self) noexcept nogil
    cdef void queue_advert(self, act_t* act) noexcept nogil
    cdef void queue_message(
        self, int32_t vr, int fd, int flags, iovec* piece, void* to, uint32_t to_len, void* control, size_t control_len,
    ) noexcept nogil
    cdef void flush(self) noexcept nogil
    cdef void schedule(self) noexcept nogil
    cdef void tell(self) noexcept nogil
    cdef void lock(self) noexcept nogil
    cdef void unlock(self) noexcept nogil
    cdef void poke(self) noexcept nogil
