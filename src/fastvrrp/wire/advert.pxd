from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from fastvrrp.wire.packet cimport advert_t, fv_rx_meta_t, packet_t, profile_t, reject_t

# The first checks, in the order of names.RejectReason: bounds of the IP header, total length, AH, fixed header.
# `data` starts at the IPv4 header for family 4, at the payload for family 6 (raw sockets give no header).
# Fills meta.src, meta.dst and meta.ttl from the IPv4 header.
cdef reject_t locate(
    const uint8_t* data, size_t length, fv_rx_meta_t* meta, packet_t* packet,
) noexcept nogil

# The others: length, TTL, destination, source, version, type, checksum, authentication (all but the replay
# mark, which is state), semantics. A rejected advert is filled as far as its bytes go: `addresses` is NULL
# when they are not all there, and only ACCEPTED makes a field worth acting on.
cdef reject_t decode(
    const packet_t* packet, const fv_rx_meta_t* meta, const profile_t* profile, advert_t* advert,
) noexcept nogil

# ---- encoding: a datagram is laid out once, cold; then only these two run, hot ----

# Byte offsets of one prepared datagram (IPv4: with IP header; IPv6: VRRP message only).
ctypedef struct datagram_t:
    uint8_t* data
    uint16_t length
    uint16_t vrrp               # offset of the VRRP message
    uint16_t ah                 # offset of the AH header, 0 without
    uint8_t family
    uint8_t version
    uint8_t unicast
    uint8_t checksum_style

# Write the priority and everything that follows from it (VRRP checksum).
cdef void set_priority(datagram_t* datagram, uint8_t priority, const uint8_t* src, const uint8_t* dst) noexcept nogil
# Write the IPv4 identification (no-op for IPv6).
cdef void set_ip_id(datagram_t* datagram, uint16_t ip_id) noexcept nogil
