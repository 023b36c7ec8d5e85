"""The data of the core: plain C structs. No behaviour here."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from fastvrrp.core.deadlines cimport deadlines_t
from fastvrrp.wire.packet cimport MAX_PEERS, N_REJECTS, profile_t

cdef enum:
    NS_PER_SECOND = 1000000000

cdef enum:
    PRIORITY_RESIGN = 0
    PRIORITY_OWNER = 255
    PRIORITY_REDUCED = 254      # of an owner that another owner does not yield to

# Mirrors names.State; equality is asserted when core.core is imported.
cdef enum state_t:
    INIT = 0
    BACKUP = 1
    ACTIVE = 2
    FAULT = 3

# Mirrors the bits of names.Fault that the machine itself looks at.
cdef enum:
    FAULT_PENDING = 8
    FAULT_GROUP = 32
    FAULT_SEND = 64

# Mirrors names.Reason.
cdef enum reason_t:
    BY_STARTUP = 0
    BY_TIMEOUT = 1
    BY_OWNER = 2
    BY_HIGHER_PRIORITY = 3
    BY_HIGHER_ADDRESS = 4
    BY_FAULT = 5
    BY_FAULT_CLEARED = 6
    BY_SHUTDOWN = 7
    BY_RESIGNED = 8
    BY_PREEMPTION = 9
    BY_GROUP = 10
    BY_RESUME = 11
    BY_STALL = 12
    BY_SEQUENCE = 13
    BY_MISSED = 14              # of the cold side

# What the core asks for. The numbers are the order in which the acts of one instant are performed, over all
# routers: every advert leaves before the first address is touched.
cdef enum act_kind_t:
    SEND = 0                    # a = priority, b = AH or HMAC sequence, c = 1: even if ACTIVE no longer
    WITHDRAW = 1
    INSTALL = 2
    ANNOUNCE = 3                # a = repeats
    NOTE = 4                    # note, a, b, c, source: see names.NoteKind

# Mirrors names.NoteKind.
cdef enum note_t:
    NOTE_STATE = 0
    NOTE_REJECT = 1
    NOTE_RIVAL = 2
    NOTE_LOWER_PRIORITY = 3
    NOTE_RESIGNED_PEER = 4
    NOTE_PRIORITY = 5
    NOTE_ACTIVE_ROUTER = 6
    NOTE_SAME_ADDRESS = 7
    NOTE_ADDRESS_LIST = 8
    NOTE_INTERVAL = 9
    NOTE_PREEMPT_DELAY = 10
    NOTE_DISCARDED = 11
    NOTE_STALLED = 12
    NOTE_SEND_FAILED = 13
    NOTE_CHECKSUM_STYLE = 14
    NOTE_INSTALL_FAILED = 15
    NOTE_OWNER_CONFLICT = 16
    NOTE_OWNER_REDUCED = 17
    NOTE_GROUP_WAITS = 18
    NOTE_SEND_FAULT = 19
    NOTE_RESUMED = 20
    NOTE_SEQUENCE_END = 21
    NOTE_STALE_PEER = 22
    NOTE_CARP = 23
    NOTE_UNKNOWN_VRID = 24
    N_NOTES = 25

ctypedef struct act_t:
    uint8_t kind
    uint8_t note
    uint16_t c
    int32_t vr
    int64_t a
    int64_t b
    int64_t at                  # ns
    uint8_t source[16]

# One rate limiter: the first event passes, then one in each window; the rest is counted.
ctypedef struct limiter_t:
    int64_t opens               # ns; events before it are suppressed
    uint32_t suppressed

cdef enum:
    LAST_AH_SEQUENCE = 0xFFFFF000   # the rest is for the replies of 255 s, and the resignation
    AH_SEQUENCE_RESERVE = 0x100     # whoever becomes ACTIVE has so many before it, or starts again

# What is remembered of one router that sends adverts (for each source, not for the instance: docs/adr/0011).
ctypedef struct sender_t:
    int64_t heard               # ns, 0: free slot
    uint64_t hmac_sequence      # replay marks, 0: none
    uint32_t ah_sequence
    uint8_t checksum_style      # told style + 1, 0: none yet
    uint8_t source[16]

cdef enum:
    MAX_SENDERS = MAX_PEERS     # a mark for each unicast peer
    MULTICAST_SENDERS = 8       # the longest unheard is replaced

# Mirrors names.Condition.
cdef enum condition_kind_t:
    CONDITION_VERSION = 0
    CONDITION_INTERVAL = 1
    CONDITION_AUTHENTICATION = 2
    CONDITION_ADDRESSES = 3
    CONDITION_SAME_ADDRESS = 4
    CONDITION_STALE = 5
    N_CONDITIONS = 6

ctypedef struct condition_t:
    int64_t seen                # ns, 0: never
    int64_t detail
    uint8_t source[16]

# vr_t.started
cdef enum:
    NOT_STARTED = 0
    STARTED = 1
    SHUT_DOWN = 2

ctypedef struct counters_t:
    uint64_t adverts_received
    uint64_t adverts_sent
    uint64_t became_active
    uint64_t released_active
    uint64_t priority_zero_received
    uint64_t priority_zero_sent
    uint64_t address_list_mismatch
    uint64_t send_errors
    uint64_t replies_suppressed
    uint64_t announcements
    uint64_t rejected[N_REJECTS]

ctypedef struct garp_t:
    int64_t delay               # ns
    int64_t refresh
    int64_t lower_delay
    int32_t repeat
    int32_t refresh_repeat
    int32_t lower_repeat

# What the configuration says of one virtual router; a reload replaces it whole.
ctypedef struct settings_t:
    uint8_t version
    uint8_t address_len         # 4 or 16
    uint8_t start_active        # owner that takes over at start (RFC 9568 §6.4.1)
    uint8_t preempt
    uint8_t down_timer_adverts  # Active_Down_Interval is so many intervals, and Skew_Time
    uint8_t timer_expired_backup    # highest priority of the other routers, 0: off
    uint8_t owner_ignores_adverts
    uint8_t lower_prio_no_advert
    uint8_t higher_prio_send_advert
    uint8_t skip_check_addresses
    uint8_t old_checksum        # 0: as peers do, 1: always, 2: never
    uint8_t holds_for_stale     # authentic adverts outside the window keep a backup back
    uint16_t address_count
    uint32_t address_digest     # order-independent
    int64_t advert_interval     # ns
    int64_t preempt_delay
    garp_t garp

# A RouterParams in C.
ctypedef struct params_t:
    settings_t settings
    profile_t profile           # with the own address
    uint8_t priority            # effective
    uint32_t faults

# One virtual router: what is configured, and what has become of it.
ctypedef struct vr_t:
    uint8_t used
    uint8_t state               # assigned by machine.pyx only
    uint8_t started             # NOT_STARTED, STARTED, SHUT_DOWN
    uint8_t priority            # effective
    uint8_t sends_old_checksum  # v3 unicast: pseudo-header with the group, as a peer does
    uint8_t reduced             # owner that goes on with PRIORITY_REDUCED
    uint8_t wants_active        # its Active_Down_Timer ran out, its sync group was not ready
    uint8_t failed_adverts      # in a row, none of whose copies went out
    uint8_t resigned            # the active router resigned: the running deadline is Skew_Time
    uint8_t preempting          # a lower-priority advert was discarded since
    uint8_t waited              # one more interval was granted after a stall
    uint8_t active_priority
    uint8_t active_source[16]   # zero: unknown
    int32_t port
    int32_t next_same           # next router of the same VRID on this port, -1: the last
    int32_t group               # sync group, -1: none
    int32_t next_member         # of the group, -1: the last
    uint32_t faults             # its own, not those of its group
    int64_t active_adver_interval   # ns
    int64_t preempt_until       # NEVER: not running
    int64_t burst_due           # second gratuitous ARP burst, NEVER: none
    int64_t refresh_due
    int32_t burst_repeat
    int64_t reply_opens         # a reply is allowed from then on
    int64_t lower_burst_opens
    int64_t resign_opens        # then another resignation of the same router counts
    uint8_t resigner[16]
    int64_t rival_since         # another address owner is heard, 0: none
    int64_t rival_until         # then it counts as gone
    uint8_t rival[16]
    int64_t retry_after         # ns from a send fault to the next attempt, 0: none yet
    uint64_t failed_at          # counters.adverts_sent of the last advert that failed
    uint32_t ah_sequence        # highest seen or sent
    uint64_t hmac_sequence      # last sent
    sender_t senders[MAX_SENDERS]
    condition_t conditions[N_CONDITIONS]
    uint32_t pending            # which acts are queued already, see queue.pyx
    uint8_t pending_sends
    limiter_t note_limits[N_NOTES]
    limiter_t reject_limits[N_REJECTS]
    counters_t counters
    settings_t settings
    profile_t profile           # of the packets that are for it; its own address is as it was placed

# One sync group.
ctypedef struct group_t:
    int32_t first               # member, -1: none
    int64_t active_since        # ns, when it became ACTIVE last
    int64_t yielded_at          # ns, when it has yielded, and nobody was heard since; 0: no
    int64_t defers_for          # ns, for how long another node may go first then
    int64_t defers_until        # 0: it has not begun to
    int32_t meetings            # how often in a row it has yielded as soon as it was ACTIVE

ctypedef struct ring_t:
    act_t* slots
    uint32_t size
    uint32_t head
    uint32_t count
    uint64_t lost

ctypedef struct core_t:
    int32_t capacity
    int32_t n_ports
    vr_t* vrs
    int32_t* lookup             # [port][vrid] -> router, -1: none
    uint64_t* port_rejects      # [port][reject_t]: packets that no router can answer for
    limiter_t* port_limits      # [port]: notes about such packets
    bint tells_unknown_vrids
    int64_t wall_offset         # ns from the monotonic to the wall clock
    int32_t n_groups
    group_t* groups
    deadlines_t deadlines       # slot 2*vr: protocol, 2*vr + 1: announce
    ring_t acts
    ring_t notes
