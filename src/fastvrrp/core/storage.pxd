"""The memory of a core."""

from libc.stdint cimport int32_t

from fastvrrp.core.model cimport core_t

cdef int create(core_t* core, int32_t routers, int32_t ports, int32_t groups) except -1
cdef void destroy(core_t* core) noexcept
# Give everything that is in `core` to `larger`, which is empty and nowhere smaller, and exchange the two.
cdef void adopt(core_t* core, core_t* larger) noexcept nogil
