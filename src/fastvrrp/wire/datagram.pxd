from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from fastvrrp.wire.packet cimport profile_t

# A datagram is laid out once, cold; then only finish() runs, hot.

# Byte offsets of one prepared datagram (IPv4: with IP header; IPv6: VRRP message and trailer only).
ctypedef struct datagram_t:
    uint8_t* data
    uint16_t length
    uint16_t vrrp               # offset of the VRRP message
    uint16_t ah                 # offset of the AH header, 0 without
    uint16_t trailer            # offset of the authentication trailer, 0 without
    uint8_t family
    uint8_t version
    uint8_t unicast
    uint8_t checksum_style      # CHECKSUM_*

# What differs from one advert to the next.
ctypedef struct sending_t:
    uint8_t priority
    uint8_t old_checksum        # v3 IPv4 unicast: where the layout has the pseudo-header, that of the group
    uint16_t ip_id              # IPv4
    uint32_t ah_sequence        # with AH
    uint64_t hmac_sequence      # with a trailer

# Write everything that differs into the datagram to `dst`, each thing after those that it covers: priority,
# trailer, VRRP checksum, IPv4 header, AH. `src` is the address that receivers see.
cdef void finish(
    datagram_t* datagram, const sending_t* sending, const profile_t* profile, const uint8_t* src, const uint8_t* dst,
) noexcept nogil
# Parts of finish(), for a datagram that has no trailer and no AH. `dst` is the one that the checksum names.
cdef void set_priority(datagram_t* datagram, uint8_t priority, const uint8_t* src, const uint8_t* dst) noexcept nogil
cdef void finish_ipv4(datagram_t* datagram, uint16_t ip_id) noexcept nogil

cdef int copy_padded(uint8_t* target, bytes source, size_t size) except -1
