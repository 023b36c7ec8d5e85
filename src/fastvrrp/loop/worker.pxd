"""The work on the host that a transition asks for, done beside the hot loop: rtnetlink requests, and the
gratuitous ARP or neighbour advertisements that announce their addresses.

`host_t` has a mutex of its own, which is held for a few instructions at a time and never over a system call.
Whoever holds it takes no other one; whoever holds the loop's mutex may take it.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from fastvrrp.loop.linux cimport iovec, mmsghdr, pthread_cond_t, pthread_mutex_t
from fastvrrp.loop.transition cimport (
    BATCH_MESSAGES,
    batch_t,
    frame_t,
    job_t,
    track_t,
    transition_t,
)

# Frames that keep an interval: the tracks of all transitions that wait there take turns.
ctypedef struct lane_t:
    int64_t interval            # ns between two frames, 0: none
    int64_t opens               # ns, not before
    track_t* first
    track_t* last

# What one step does, gathered under the mutex, done without it.
ctypedef struct step_t:
    iovec pieces[BATCH_MESSAGES]
    int n_pieces
    int n_messages
    frame_t* frames[BATCH_MESSAGES]
    int n_frames
    transition_t* used[BATCH_MESSAGES]  # released afterwards
    int n_used
    int32_t routers[BATCH_MESSAGES]     # [piece]
    uint8_t kind
    int error                   # errno of the requests, 0: none
    mmsghdr message[BATCH_MESSAGES]

ctypedef struct host_totals_t:
    uint64_t sends              # system calls that handed requests to the kernel
    uint64_t frames_sent
    uint64_t frame_errors

ctypedef struct host_t:
    pthread_mutex_t mutex
    pthread_cond_t wake         # the worker waits for work
    pthread_cond_t rest         # somebody waits until there is none
    int netlink_fd
    int frame_fd
    int32_t capacity
    transition_t** current      # [vr], NULL: nothing is prepared; written under the loop's mutex, too
    uint8_t* active             # [vr]
    job_t* first
    job_t* last
    int room                    # messages of the next send
    int32_t n_lanes
    lane_t* lanes
    int64_t due                 # ns, when frames can be sent next; NEVER: there are none
    bint threaded               # a thread of its own works; else the loop does
    bint sleeps
    bint sends                  # requests are on their way
    bint stopping
    int64_t expects             # ns until which work is awaited awake
    int32_t arrived             # atomic: work came
    step_t step
    host_totals_t totals

cdef int create(host_t* h, int32_t capacity, int netlink_fd, int frame_fd, bint threaded) except -1
cdef void destroy(host_t* h) noexcept

# See transmit.pxd; adopt() between begin() and end().
cdef int reserve(host_t* larger, int32_t capacity) except -1
cdef void adopt(host_t* h, host_t* larger) noexcept nogil
cdef void let_go(host_t* larger) noexcept

# ---- for the loop; `begin` and `end` are around them ----

cdef void begin(host_t* h) noexcept nogil
cdef void end(host_t* h) noexcept nogil
# Whether `vr` is active, which decides what is still to be done for it.
cdef void set_active(host_t* h, int32_t vr, bint active) noexcept nogil
cdef void install(host_t* h, int32_t vr) noexcept nogil
cdef void withdraw(host_t* h, int32_t vr) noexcept nogil
cdef void announce(host_t* h, int32_t vr, int32_t rounds) noexcept nogil
# Remove what `once` removes in any case, then set and announce what it sets if `vr` is active then.
cdef void post_once(host_t* h, int32_t vr, transition_t* once, int32_t rounds) noexcept nogil
# Make `new` what is prepared for `vr`, with its reference, and return the old one with its own.
cdef transition_t* replace(host_t* h, int32_t vr, transition_t* new) noexcept nogil

# ---- for whoever works ----

# Do a part of the work that is due; False when nothing is. The mutex is not held.
cdef bint work(host_t* h, int64_t now) noexcept nogil
# Wait for work; False when there will be none any more.
cdef bint wait(host_t* h) noexcept nogil

# ---- any thread ----

# Be awake until `until`: a takeover is near.
cdef void expect(host_t* h, int64_t until) noexcept nogil
# Wait until all requests are in the kernel, at most until `until`; whether they are.
cdef bint drain(host_t* h, int64_t until) noexcept nogil
# Make wait() return False when the requests are done.
cdef void stop(host_t* h) noexcept nogil
# Set the intervals of a group; raises MemoryError.
cdef int set_pace(host_t* h, int32_t group, int64_t arp, int64_t na) except -1
cdef object stats(host_t* h)
