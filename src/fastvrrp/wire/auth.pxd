from libc.stdint cimport uint8_t, uint32_t

from fastvrrp.wire.datagram cimport datagram_t
from fastvrrp.wire.packet cimport advert_t, fv_hmac_md5_t, fv_rx_meta_t, packet_t, profile_t, reject_t

# Precompute the pads for `password` cut to 8 bytes and zero padded.
cdef void prepare_key(fv_hmac_md5_t* key, const uint8_t* password8) noexcept nogil
cdef bint verify_pass(const uint8_t* data8, const uint8_t* password8) noexcept nogil
# ICV first (constant time), then SPI == source; writes advert.ah_sequence.
cdef reject_t verify_ah(
    const packet_t* packet, const fv_rx_meta_t* meta, const profile_t* profile, advert_t* advert,
) noexcept nogil
# Write sequence number and ICV into a prepared datagram (after set_priority and finish_ipv4).
cdef void seal_ah(datagram_t* datagram, const fv_hmac_md5_t* key, uint32_t sequence) noexcept nogil
