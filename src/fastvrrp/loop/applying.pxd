"""A loop.step.Step on its way into a running loop: compiled before, carried out under the loop's mutex."""

from libc.stdint cimport int32_t, int64_t, uint8_t

from fastvrrp.core.core cimport Core
from fastvrrp.core.model cimport act_t
from fastvrrp.core.revision cimport CompiledRevision, revision_t
from fastvrrp.loop.transition cimport transition_t
from fastvrrp.loop.transmit cimport transmit_t

ctypedef enum outcome_t:
    APPLIED = 0
    STALE = 1                   # a state is another one than was expected
    TAKEN = 2                   # `taken` could not listen on its port

ctypedef struct step_t:
    revision_t* revision
    int64_t number              # of the revision, for the recorder
    int32_t n_changes
    int32_t n_expected
    int32_t* expected           # routers ...
    uint8_t* states             # ... and the states that they must be in
    transition_t** prepared     # [change] what its transitions send from now on; afterwards what they sent before
    transition_t** farewells    # [change] NULL: what is prepared
    transition_t** once         # [change] what one that stays active sends at once; NULL: nothing
    act_t* notes                # of the time before
    uint8_t* address_lens       # [note]
    int n_notes
    int32_t taken

# Do all of it, or nothing.
cdef outcome_t carry_out(step_t* step, transmit_t* out) noexcept nogil

cdef class CompiledStep:
    cdef step_t step
    cdef CompiledRevision revision

    # The notes of the time before (core.acts.Note), oldest first.
    cdef list notes(self)

# Compile a loop.step.Step for a core that has room for it; raises ValueError for what cannot be.
cdef CompiledStep compile_step(Core core, step)
