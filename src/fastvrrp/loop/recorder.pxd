"""What goes into a core and what comes out of it, on its way past: applied, and written down if asked for.

Every function with a `recorder_t*` takes NULL: nothing is recorded then, at the price of one branch. The
loop's mutex is around them all. All instants in ns.
"""

from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from fastvrrp.core.core cimport Core
from fastvrrp.core.model cimport act_t, core_t
from fastvrrp.core.revision cimport CompiledRevision, revision_t
from fastvrrp.wire.packet cimport fv_rx_meta_t

# Mirrors loop.entries.EntryKind; equality is asserted when loop.recorder is imported.
cdef enum entry_kind_t:
    STARTUP = 0                 # vr
    SHUTDOWN = 1                # vr
    PRIORITY = 2                # vr, a = effective priority
    FAULTS = 3                  # vr, a = names.Fault
    HOST_CHANGED = 4            # vr
    LINK_CHANGED = 5            # vr
    INSTALL_FAILED = 6          # vr, a = errno
    SENT = 7                    # vr
    SEND_FAILED = 8             # vr, a = errno
    RESUME = 9                  # a = ns
    CLOCK = 10                  # a = ns
    ADVANCE = 11
    PLACE = 12                  # vr, a = port, address = own source
    CLOSE_PORT = 13             # a = port
    MARK = 14                   # vr, a = AH sequence, b = HMAC sequence, address
    SEQUENCE = 15               # vr, a = AH sequence, b = HMAC sequence
    ADVERT = 16                 # vr, a = port, heard
    STRANGER = 17               # a = port, heard
    TAKE_ACTS = 18
    TAKE_NOTES = 19
    GROW = 20                   # a = routers, b = ports, c = sync groups
    RETIRE = 21                 # vr
    REVISE = 22                 # a = its number in Recorder.revisions
    ACT = 23                    # vr, a, b, c, tag = act_kind_t
    TOLD = 24                   # vr, a, b, c, tag = note_t, address
    N_ENTRY_KINDS = 25

ctypedef struct entry_t:
    uint16_t size               # bytes, with what follows: a heard_t and its addresses
    uint8_t kind
    uint8_t tag
    int32_t vr                  # -1: none
    int64_t at
    int64_t a
    int64_t b
    int64_t c
    uint8_t address[16]

ctypedef struct recorder_t:
    uint8_t* data
    uint64_t size               # bytes, a power of two
    uint64_t head               # bytes ever written
    uint64_t tail               # bytes ever taken
    uint32_t acts_seen          # of those that wait in the core: recorded already
    uint32_t notes_seen
    int64_t offset              # of the wall clock, as recorded last
    bint follows_clock
    bint lost                   # there was no room: nothing is recorded any more
    int64_t lost_at

cdef class Recorder:
    cdef readonly Core owner
    cdef recorder_t ring
    cdef dict revisions          # core.acts.Revision by number, until its entry is read
    cdef int64_t n_revisions

    # Return the entries before `head`, which stay in the ring.
    cdef list read(self, uint64_t head)
    cdef int _restore(self, entry) except -1
    cdef int _take(self, entry_kind_t kind, int64_t now) except -1
    cdef int _hear(self, entry) except -1
    cdef int _grow(self, entry) except -1
    cdef int _revise(self, entry) except -1
    # Keep what a core.acts.Revision says for its entry, and return its number. What only the secrets tell, whether a
    # router listens anew, is written out.
    cdef int64_t keep(self, revision, CompiledRevision compiled) except -1

# Write one input down that is applied elsewhere.
cdef void record(const core_t* core, recorder_t* recorder, entry_t* entry) noexcept nogil
# A MARK or a SEQUENCE for record().
cdef entry_t mark_entry(
    entry_kind_t kind, int32_t vr, uint64_t ah, uint64_t hmac, bytes source, int64_t now,
)
# Write down what the core said since its last input, and return up to where the ring can be read.
cdef uint64_t up_to_now(const core_t* core, recorder_t* recorder) noexcept nogil
# Whether the cold side should come and take what is there.
cdef bint is_filling(const recorder_t* recorder) noexcept nogil
# Exchange the arrays of the core for those of `larger`, as storage.adopt() does.
cdef void feed_growth(core_t* core, recorder_t* recorder, core_t* larger, int64_t now) noexcept nogil
# Apply a revision, whose number the recorder knows.
cdef void feed_revision(
    core_t* core, recorder_t* recorder, revision_t* revision, int64_t number, int64_t now,
) noexcept nogil
# One input without an address.
cdef void feed(
    core_t* core, recorder_t* recorder, entry_kind_t kind, int32_t vr, int64_t a, int64_t now,
) noexcept nogil
# listeners.move() with the own address of 16 bytes.
cdef bint feed_place(
    core_t* core, recorder_t* recorder, int32_t vr, int32_t port, const uint8_t* own, int64_t now,
) noexcept nogil
# core.core_receive()
cdef void feed_datagram(
    core_t* core, recorder_t* recorder, int32_t port, const uint8_t* data, size_t length, fv_rx_meta_t* meta,
    int64_t now,
) noexcept nogil
# Move the waiting acts to `batch`, which has room for all of the core's ring, and return how many there were.
# They wait no longer: an act that is asked for while they are performed is another one.
cdef int take_acts(core_t* core, recorder_t* recorder, act_t* batch, int64_t now) noexcept nogil
# As take_acts().
cdef int take_notes(core_t* core, recorder_t* recorder, act_t* batch, int64_t now) noexcept nogil
