"""Indexed binary heap of deadlines over preallocated slots.

Pushing a deadline later, which every received advert does, is one store: the heap keeps the old key as a
lower bound and corrects it when it surfaces.
"""

from libc.stdint cimport int32_t, int64_t

cdef enum:
    ABSENT = -1

cdef extern from *:
    """
    #define FV_NEVER INT64_MAX
    """
    const int64_t NEVER "FV_NEVER"

ctypedef struct deadlines_t:
    int32_t capacity
    int32_t count
    int64_t* due                # [slot] the real deadline, NEVER: disarmed
    int64_t* key                # [slot] its heap key, <= due
    int32_t* place              # [slot] index in heap, ABSENT
    int32_t* heap               # slots

cdef int create(deadlines_t* d, int32_t capacity) except -1
cdef void destroy(deadlines_t* d) noexcept
# Make `target`, which is nowhere smaller, equal to `source`.
cdef void copy(deadlines_t* target, const deadlines_t* source) noexcept nogil
cdef void arm(deadlines_t* d, int32_t slot, int64_t due) noexcept nogil
cdef void disarm(deadlines_t* d, int32_t slot) noexcept nogil
cdef int64_t earliest(deadlines_t* d) noexcept nogil
cdef int32_t pop(deadlines_t* d, int64_t now) noexcept nogil
