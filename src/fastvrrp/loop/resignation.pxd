"""A copy of what one active router would resign with, taken under the loop's mutex and finished without it."""

from libc.stdint cimport int32_t, int64_t

from fastvrrp.core.model cimport core_t, vr_t
from fastvrrp.loop.transition cimport outgoing_t, transition_t

ctypedef struct resignation_t:
    int fd
    int flags
    int32_t n_outgoing
    outgoing_t* outgoing        # with their datagrams behind them, in one block that `finished` frees; NULL: none
    vr_t* router                # a copy as well
    int64_t wall                # ns, the time of day

# Fill `r` from what is prepared for `vr`, at `now`; the caller holds the mutex.
cdef void take(resignation_t* r, const core_t* core, const transition_t* made, int32_t vr, int64_t now) noexcept nogil
# Return it as a loop.farewell.Farewell, None if there is nothing to say.
cdef object finished(resignation_t* r, int32_t vr)
