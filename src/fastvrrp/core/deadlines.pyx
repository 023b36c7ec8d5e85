"""Indexed binary heap of deadlines; see the .pxd for the idea, `Deadlines` for the face that tests use."""

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy


cdef int create(deadlines_t* d, int32_t capacity) except -1:
    """Allocate `capacity` disarmed slots; raises MemoryError."""
    cdef int32_t slot
    d.capacity = capacity
    d.count = 0
    d.due = <int64_t*>calloc(capacity, sizeof(int64_t))
    d.key = <int64_t*>calloc(capacity, sizeof(int64_t))
    d.place = <int32_t*>calloc(capacity, sizeof(int32_t))
    d.heap = <int32_t*>calloc(capacity, sizeof(int32_t))
    if d.due == NULL or d.key == NULL or d.place == NULL or d.heap == NULL:
        destroy(d)
        raise MemoryError
    for slot in range(capacity):
        d.due[slot] = NEVER
        d.place[slot] = ABSENT
    return 0


cdef void destroy(deadlines_t* d) noexcept:
    """Free everything; safe to repeat."""
    free(d.due)
    free(d.key)
    free(d.place)
    free(d.heap)
    d.due = NULL
    d.key = NULL
    d.place = NULL
    d.heap = NULL
    d.count = 0


cdef void copy(deadlines_t* target, const deadlines_t* source) noexcept nogil:
    """See the .pxd."""
    memcpy(target.due, source.due, source.capacity * sizeof(int64_t))
    memcpy(target.key, source.key, source.capacity * sizeof(int64_t))
    memcpy(target.place, source.place, source.capacity * sizeof(int32_t))
    memcpy(target.heap, source.heap, source.capacity * sizeof(int32_t))
    target.count = source.count


cdef inline void _put(deadlines_t* d, int32_t index, int32_t slot) noexcept nogil:
    d.heap[index] = slot
    d.place[slot] = index


cdef inline bint _before(const deadlines_t* d, int32_t one, int32_t other) noexcept nogil:
    """What is due at one instant has an order, too: that of the slots."""
    return d.key[one] < d.key[other] or (d.key[one] == d.key[other] and one < other)


cdef void _sift_up(deadlines_t* d, int32_t index) noexcept nogil:
    cdef int32_t slot = d.heap[index]
    cdef int32_t parent
    while index > 0:
        parent = (index - 1) // 2
        if _before(d, d.heap[parent], slot):
            break
        _put(d, index, d.heap[parent])
        index = parent
    _put(d, index, slot)


cdef void _sift_down(deadlines_t* d, int32_t index) noexcept nogil:
    cdef int32_t slot = d.heap[index]
    cdef int32_t child
    while True:
        child = 2 * index + 1
        if child >= d.count:
            break
        if child + 1 < d.count and _before(d, d.heap[child + 1], d.heap[child]):
            child += 1
        if _before(d, slot, d.heap[child]):
            break
        _put(d, index, d.heap[child])
        index = child
    _put(d, index, slot)


cdef void _drop_top(deadlines_t* d) noexcept nogil:
    d.place[d.heap[0]] = ABSENT
    d.count -= 1
    if d.count > 0:
        d.heap[0] = d.heap[d.count]
        _sift_down(d, 0)


cdef void arm(deadlines_t* d, int32_t slot, int64_t due) noexcept nogil:
    """Set the deadline of `slot` to `due` (ns)."""
    d.due[slot] = due
    if d.place[slot] == ABSENT:
        d.key[slot] = due
        _put(d, d.count, slot)
        d.count += 1
        _sift_up(d, d.count - 1)
    elif due < d.key[slot]:
        d.key[slot] = due
        _sift_up(d, d.place[slot])


cdef void disarm(deadlines_t* d, int32_t slot) noexcept nogil:
    """Cancel the deadline of `slot`; it leaves the heap when it surfaces."""
    d.due[slot] = NEVER


cdef int64_t earliest(deadlines_t* d) noexcept nogil:
    """Return the earliest deadline, NEVER when none is armed."""
    cdef int32_t slot
    while d.count > 0:
        slot = d.heap[0]
        if d.due[slot] == d.key[slot]:
            return d.key[slot]
        if d.due[slot] == NEVER:
            _drop_top(d)
        else:
            d.key[slot] = d.due[slot]
            _sift_down(d, 0)
    return NEVER


cdef int32_t pop(deadlines_t* d, int64_t now) noexcept nogil:
    """Disarm and return the slot of the earliest deadline that is not after `now`, else -1.

    `d.due[slot]` is NEVER afterwards and `d.key[slot]` tells when it was due.
    """
    cdef int32_t slot
    if earliest(d) > now:
        return -1
    slot = d.heap[0]
    _drop_top(d)
    d.due[slot] = NEVER
    return slot


cdef class Deadlines:
    """The heap for tests and tools: `capacity` slots, times in ns."""

    cdef deadlines_t d

    def __cinit__(self, int32_t capacity):
        create(&self.d, capacity)

    def __dealloc__(self):
        destroy(&self.d)

    def arm(self, int32_t slot, int64_t due):
        """Set the deadline of `slot`, 0..capacity-1."""
        if not 0 <= slot < self.d.capacity:
            raise IndexError(slot)
        arm(&self.d, slot, due)

    def disarm(self, int32_t slot):
        """Cancel the deadline of `slot`."""
        if not 0 <= slot < self.d.capacity:
            raise IndexError(slot)
        disarm(&self.d, slot)

    def earliest(self):
        """Return the earliest deadline, or None."""
        cdef int64_t due = earliest(&self.d)
        return None if due == NEVER else due

    def pop(self, int64_t now):
        """Return (slot, due) of the earliest deadline not after `now`, or None."""
        cdef int32_t slot = pop(&self.d, now)
        return None if slot < 0 else (slot, self.d.key[slot])
