"""See applying.pxd, and docs/adr/0030. Everything that takes time or can fail is done in `compile_step()`: the mutex
is held for some copying, and for handing over what the farewells and the changes send."""

from libc.stdint cimport uint32_t
from libc.stdlib cimport calloc, free

from fastvrrp.core cimport revision as revisions
from fastvrrp.core.core cimport note_from
from fastvrrp.core.model cimport core_t
from fastvrrp.core.revision cimport RUNS_ON, change_t, compile_revision
from fastvrrp.loop.clock cimport monotonic
from fastvrrp.loop.recorder cimport RETIRE, feed, feed_revision, take_notes
from fastvrrp.loop.transition cimport compile_transition, release
from fastvrrp.loop.transmit cimport perform, post_once, replace

from fastvrrp.loop.prepared import Prepared


# ---- under the mutex ----

cdef outcome_t carry_out(step_t* step, transmit_t* out) noexcept nogil:
    """Old routers resign with what was made for it, then all is new, then the difference is set."""
    perform(out)
    if not is_as_expected(step, out.core):
        return STALE
    step.taken = revisions.collision(out.core, step.revision)
    if step.taken >= 0:
        return TAKEN
    say_farewell(step, out)
    keep_notes(step, out)
    feed_revision(out.core, out.recorder, step.revision, step.number, monotonic())
    exchange_prepared(step, out)
    perform(out)
    post_differences(step, out)
    perform(out)
    return APPLIED


cdef bint is_as_expected(const step_t* step, const core_t* core) noexcept nogil:
    cdef int32_t i
    for i in range(step.n_expected):
        if core.vrs[step.expected[i]].state != step.states[i]:
            return False
    return True


cdef void say_farewell(step_t* step, transmit_t* out) noexcept nogil:
    """Routers that end or begin anew resign."""
    cdef const change_t* change
    cdef int i
    for i in range(step.n_changes):
        change = &step.revision.changes[i]
        if change.fate == RUNS_ON or not out.core.vrs[change.vr].used:
            continue
        if step.farewells[i] != NULL:
            step.farewells[i] = replace(out, change.vr, step.farewells[i])
        feed(out.core, out.recorder, RETIRE, change.vr, 0, monotonic())
    perform(out)


cdef void keep_notes(step_t* step, transmit_t* out) noexcept nogil:
    """They belong to the routers of the time before, as do the lengths of their addresses."""
    cdef int i
    step.n_notes = take_notes(out.core, out.recorder, step.notes, monotonic())
    for i in range(step.n_notes):
        step.address_lens[i] = out.core.vrs[step.notes[i].vr].settings.address_len


cdef void exchange_prepared(step_t* step, transmit_t* out) noexcept nogil:
    cdef int i
    for i in range(step.n_changes):
        step.prepared[i] = replace(out, step.revision.changes[i].vr, step.prepared[i])


cdef void post_differences(step_t* step, transmit_t* out) noexcept nogil:
    cdef int i
    for i in range(step.n_changes):
        if step.once[i] != NULL:
            post_once(out, step.revision.changes[i].vr, step.once[i])
            step.once[i] = NULL             # its reference went with it


# ---- cold ----

cdef class CompiledStep:
    """See the .pxd."""

    def __dealloc__(self):
        cdef int i
        for i in range(self.step.n_changes):
            release(self.step.prepared[i])
            release(self.step.farewells[i])
            release(self.step.once[i])
        free(self.step.expected)
        free(self.step.states)
        free(self.step.prepared)
        free(self.step.farewells)
        free(self.step.once)
        free(self.step.notes)
        free(self.step.address_lens)

    cdef list notes(self):
        """See the .pxd."""
        return [note_from(&self.step.notes[i], self.step.address_lens[i]) for i in range(self.step.n_notes)]


cdef CompiledStep compile_step(Core core, step):
    """See the .pxd."""
    cdef CompiledStep made = CompiledStep()
    made.revision = compile_revision(&core.core, step)
    made.step.revision = &made.revision.revision
    _allocate(&made.step, len(step.changes), len(step.expected), core.core.notes.size)
    for vr, state in step.expected.items():
        core._router(vr)
        made.step.expected[made.step.n_expected] = vr
        made.step.states[made.step.n_expected] = state
        made.step.n_expected += 1
    for i, change in enumerate(step.changes):
        made.step.prepared[i] = _compile(change.prepared)
        made.step.farewells[i] = _compile(change.farewell)
        if change.withdraw or change.install:
            made.step.once[i] = compile_transition(
                Prepared(fd=-1, ifindex=0, datagrams=(), withdraw=change.withdraw, install=change.install)
            )
    return made


cdef int _allocate(step_t* step, int changes, int expected, uint32_t notes) except -1:
    step.expected = <int32_t*>calloc(max(expected, 1), sizeof(int32_t))
    step.states = <uint8_t*>calloc(max(expected, 1), 1)
    step.prepared = <transition_t**>calloc(max(changes, 1), sizeof(transition_t*))
    step.farewells = <transition_t**>calloc(max(changes, 1), sizeof(transition_t*))
    step.once = <transition_t**>calloc(max(changes, 1), sizeof(transition_t*))
    step.notes = <act_t*>calloc(notes, sizeof(act_t))
    step.address_lens = <uint8_t*>calloc(notes, 1)
    if not (
        step.expected and step.states and step.prepared and step.farewells and step.once and step.notes
        and step.address_lens
    ):
        raise MemoryError
    step.n_changes = changes
    return 0


cdef transition_t* _compile(prepared) except? NULL:
    return NULL if prepared is None else compile_transition(prepared)
