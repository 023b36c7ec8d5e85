"""What a new configuration changes in a running core, laid out before and done in one step."""

from libc.stdint cimport int32_t, int64_t, uint8_t

from fastvrrp.core.model cimport core_t, group_t, params_t

# What becomes of one router.
ctypedef enum fate_t:
    GOES = 0
    BEGINS = 1
    RUNS_ON = 2

ctypedef struct change_t:
    int32_t vr
    fate_t fate
    int32_t port                # where it listens, -1: nowhere
    bint listens_anew           # it accepts other adverts than before: the silence until now says nothing
    params_t params             # unless it goes

ctypedef struct revision_t:
    int32_t n_changes
    int32_t n_groups
    change_t* changes
    int32_t* first              # [group] its first member, -1: none
    int32_t* next_member        # [vr] -1: the last of its group, or in none
    int32_t* group_of           # [vr] -1: none
    int32_t* old_group          # [group] which it was before, -1: a new one
    group_t* before             # room for the groups as they were
    uint8_t* touched            # [vr] 1: there is a change
    uint8_t* waited             # [vr] room: 1: other members of its group were in its way

# The router of a change that could not listen on its port, beside one that stays as it is; -1: all can.
cdef int32_t collision(const core_t* core, const revision_t* revision) noexcept nogil
# End the routers that go or begin anew, as far as they still run: priority 0 and withdrawals are acts as always.
cdef void retire_all(core_t* core, const revision_t* revision, int64_t now) noexcept nogil
cdef void revise(core_t* core, revision_t* revision, int64_t now) noexcept nogil
# Put a router into Initialize that waits for its startup. What counts on goes on, if the slot was used before.
cdef void begin(core_t* core, int32_t vr, const params_t* params) noexcept nogil

# A core.acts.Revision, laid out.
cdef class CompiledRevision:
    cdef revision_t revision

# Lay out a core.acts.Revision for `core` as it is; raises ValueError for what cannot be, but for a collision().
cdef CompiledRevision compile_revision(const core_t* core, revision)
