from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from fastvrrp.wire.datagram cimport datagram_t, set_priority
from fastvrrp.wire.packet cimport advert_t, fv_rx_meta_t, packet_t, profile_t, reject_t

# The first checks, in the order of names.RejectReason: bounds of the IP header, total length, AH, fixed header;
# and CARP, which has the same protocol number: its virtual host id is in packet.vrid.
# `data` starts at the IPv4 header for family 4, at the payload for family 6 (raw sockets give no header).
# Fills meta.src, meta.dst and meta.ttl from the IPv4 header.
cdef reject_t locate(
    const uint8_t* data, size_t length, fv_rx_meta_t* meta, packet_t* packet,
) noexcept nogil

# The others: length, TTL, destination, source, version, type, checksum, authentication (all but the replay
# mark, which is state), semantics. A rejected advert is filled as far as its bytes go: `addresses` is NULL
# when they are not all there, and only ACCEPTED makes a field worth acting on. With trailers configured,
# meta.wall is the time that they are measured by.
cdef reject_t decode(
    const packet_t* packet, const fv_rx_meta_t* meta, const profile_t* profile, advert_t* advert,
) noexcept nogil
