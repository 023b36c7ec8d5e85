from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from fastvrrp.core.core cimport Core
from fastvrrp.core.model cimport core_t
from fastvrrp.loop.linux cimport epoll_event, iovec, mmsghdr, pthread_mutex_t, sockaddr_storage
from fastvrrp.loop.recorder cimport Recorder, entry_kind_t, entry_t, recorder_t
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


cdef class Loop:
    cdef readonly Core owner
    cdef core_t* core
    cdef Recorder recorder
    cdef recorder_t* ring        # NULL: nothing is recorded
    cdef pthread_mutex_t mutex
    cdef int epoll_fd
    cdef int timer_fd
    cdef int wake_fd
    cdef int note_fd
    cdef bint opened
    cdef epoll_event* events
    cdef int n_events
    cdef epoll_event* more_events    # for the hot thread to take, then those that it had
    cdef int n_more_events           # 0: it has taken them
    cdef int stopping
    cdef int note_told
    cdef int64_t armed
    cdef int64_t early           # ns by which a takeover is awaited awake, 0: not at all
    cdef int64_t slept           # ns suspended since boot, as last seen
    cdef int64_t next_due        # of the core, as scheduled last
    cdef int64_t heard           # ns, when the last turn received something
    cdef uint64_t received_before
    cdef bint imminent           # a takeover is due within `early`: do not sleep
    cdef port_t* ports
    cdef rx_t* rx
    cdef transmit_t out
    cdef totals_t totals

    cdef int _record_mark(self, entry_t entry) except -1
    cdef void take_more_events(self) noexcept nogil
    cdef void give(self, entry_kind_t kind, int32_t vr, int64_t a) noexcept nogil
    cdef void tell_failures(self) noexcept nogil
    cdef void turn(self, int timeout_ms) noexcept nogil
    cdef void receive(self, int32_t port, int fd) noexcept nogil
    cdef void take_breath(self) noexcept nogil
    cdef void look_at_clocks(self) noexcept nogil
    cdef void schedule(self) noexcept nogil
    cdef void tell(self) noexcept nogil
    cdef void lock(self) noexcept nogil
    cdef void unlock(self) noexcept nogil
    cdef void poke(self) noexcept nogil
