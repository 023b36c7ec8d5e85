from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint64_t

from fastvrrp.wire.datagram cimport datagram_t
from fastvrrp.wire.packet cimport advert_t, fv_rx_meta_t, hmac_key_t, packet_t, profile_t, reject_t

# Precompute the pads of `secret` (32..64 bytes), known as `id` on the wire.
cdef void prepare_hmac_key(hmac_key_t* key, uint8_t id, const uint8_t* secret, size_t length) noexcept nogil
# Check the trailer behind a message of `message_len` bytes; all but the replay mark, which is state. Fills
# hmac_sequence, hmac_skew and authentic, the latter even for a time outside the window.
cdef reject_t hmac_verify(
    const packet_t* packet, size_t message_len, const fv_rx_meta_t* meta, const profile_t* profile, advert_t* advert,
) noexcept nogil
# True if `sequence` is after `mark` (serial arithmetic), as an advert that is no replay must be.
cdef bint hmac_is_newer(uint64_t sequence, uint64_t mark) noexcept nogil
# True if the time in `sequence` is at most `window` s from `wall` (CLOCK_REALTIME, ns).
cdef bint hmac_in_window(uint64_t sequence, int64_t wall, uint16_t window) noexcept nogil
# The sequence of the next own advert after `last` (0: none yet); never 0. `wall`: CLOCK_REALTIME, ns.
cdef uint64_t hmac_next(uint64_t last, int64_t wall, bint monotonic, uint16_t window) noexcept nogil
# Write the trailer of a prepared datagram whose priority is written; datagram.finish() does it in its place.
cdef void seal_hmac(
    datagram_t* datagram, const hmac_key_t* key, uint64_t sequence, const uint8_t* src,
) noexcept nogil
