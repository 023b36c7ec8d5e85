"""Arrays of a core: allocated before they are needed, exchanged for larger ones while it runs."""

from libc.stdint cimport uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from fastvrrp.core cimport deadlines, queue
from fastvrrp.core.listeners cimport VRIDS
from fastvrrp.core.model cimport group_t, limiter_t, vr_t
from fastvrrp.wire.packet cimport N_REJECTS

cdef enum:
    NOTES_PER_ROUTER = 64
    ACTS_PER_ROUTER = 8


cdef int create(core_t* core, int32_t routers, int32_t ports, int32_t groups) except -1:
    """Allocate; raises MemoryError, and destroy() frees what there is. `core` is zeroed memory."""
    cdef int32_t group
    core.capacity = routers
    core.n_ports = ports
    core.n_groups = groups
    core.vrs = <vr_t*>calloc(routers, sizeof(vr_t))
    core.lookup = <int32_t*>calloc(ports * VRIDS, sizeof(int32_t))
    core.port_rejects = <uint64_t*>calloc(ports * N_REJECTS, sizeof(uint64_t))
    core.port_limits = <limiter_t*>calloc(2 * ports, sizeof(limiter_t))
    core.groups = <group_t*>calloc(max(groups, 1), sizeof(group_t))
    if not (core.vrs and core.lookup and core.port_rejects and core.port_limits and core.groups):
        raise MemoryError
    memset(core.vrs, 0, routers * sizeof(vr_t))     # the pages are there before the hot thread needs them
    memset(core.lookup, 0xFF, ports * VRIDS * sizeof(int32_t))
    for group in range(groups):
        core.groups[group].first = -1
    deadlines.create(&core.deadlines, 2 * routers)
    queue.create(&core.acts, ACTS_PER_ROUTER * routers)
    queue.create(&core.notes, NOTES_PER_ROUTER * routers)
    return 0


cdef void destroy(core_t* core) noexcept:
    """Free everything; once."""
    free(core.vrs)
    free(core.lookup)
    free(core.port_rejects)
    free(core.port_limits)
    free(core.groups)
    deadlines.destroy(&core.deadlines)
    queue.destroy(&core.acts)
    queue.destroy(&core.notes)


cdef void adopt(core_t* core, core_t* larger) noexcept nogil:
    """See the .pxd."""
    cdef core_t smaller
    memcpy(larger.vrs, core.vrs, core.capacity * sizeof(vr_t))
    memcpy(larger.lookup, core.lookup, core.n_ports * VRIDS * sizeof(int32_t))
    memcpy(larger.port_rejects, core.port_rejects, core.n_ports * N_REJECTS * sizeof(uint64_t))
    memcpy(larger.port_limits, core.port_limits, 2 * core.n_ports * sizeof(limiter_t))
    memcpy(larger.groups, core.groups, core.n_groups * sizeof(group_t))
    deadlines.copy(&larger.deadlines, &core.deadlines)
    queue.move_all(&larger.acts, &core.acts)
    queue.move_all(&larger.notes, &core.notes)
    larger.tells_unknown_vrids = core.tells_unknown_vrids
    larger.wall_offset = core.wall_offset
    smaller = core[0]
    core[0] = larger[0]
    larger[0] = smaller
