"""Connections that are made only to see if they can be."""


cdef class Connection:
    cdef bytes address
    cdef int fd
    cdef bint is_waiting

    cpdef int attempt(self) except? -1
    cpdef int outcome(self) except? -1
    cpdef int fileno(self) noexcept
    cpdef int close(self) noexcept
    cdef int ask(self) noexcept
    cdef int settle(self, int code, bint waited) noexcept
