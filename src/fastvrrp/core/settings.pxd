"""RouterParams (Python) as params_t (C)."""

from libc.stdint cimport uint8_t

from fastvrrp.core.model cimport params_t

# Fill `target` from core.acts.RouterParams, which has checked the ranges.
cdef int lay_out(params_t* target, params) except -1
# Copy an address of 0, 4 or 16 bytes into 16; raises ValueError.
cdef int copy_address(uint8_t* target, source) except -1
