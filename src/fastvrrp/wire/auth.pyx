"""VRRPv2 authentication (RFC 2338 §5.3.6): the plain-text password and the authentication header.

Neither is security: the password is readable, and MD5 is broken. They are here because peers use them.
"""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memset

from fastvrrp.wire.datagram cimport datagram_t
from fastvrrp.wire.headers cimport (
    FV_AUTH_LEN, FV_ICV_LEN, fv_ah_t, fv_equal, fv_hmac_md5_begin, fv_hmac_md5_end96, fv_hmac_md5_prepare,
    fv_ipv4_t, fv_md5_add, fv_md5_t, htonl, ntohl,
)
from fastvrrp.wire.packet cimport (
    ACCEPTED, REJECT_AUTH_ICV, REJECT_AUTH_SPI, advert_t, fv_hmac_md5_t, fv_rx_meta_t, packet_t, profile_t,
    reject_t,
)

__all__ = ["hmac_md5_96"]


cdef void prepare_key(fv_hmac_md5_t* key, const uint8_t* password8) noexcept nogil:
    fv_hmac_md5_prepare(key, password8, FV_AUTH_LEN)


cdef bint verify_pass(const uint8_t* data8, const uint8_t* password8) noexcept nogil:
    return fv_equal(data8, password8, FV_AUTH_LEN)


cdef void compute_icv(
    const fv_hmac_md5_t* key, const uint8_t* ip, size_t ip_len, const uint8_t* ah,
    const uint8_t* vrrp, size_t vrrp_len, bint unicast, uint8_t* icv,
) noexcept nogil:
    """Write the 12 bytes of the check value. `ip_len` is at least 20, `ah` has 24 bytes.

    RFC 2402 §3.3.3.1 zeroes the mutable fields, TTL among them. keepalived: the TTL of a multicast
    advert is kept, because it can only be 255; options are hashed as they are.
    """
    cdef fv_ipv4_t header = (<const fv_ipv4_t*> ip)[0]
    cdef fv_ah_t auth = (<const fv_ah_t*> ah)[0]
    cdef fv_md5_t md5

    header.tos = 0
    header.fragment_be = 0
    header.checksum_be = 0
    if unicast:
        header.ttl = 0
    memset(auth.icv, 0, FV_ICV_LEN)

    fv_hmac_md5_begin(&md5, key)
    fv_md5_add(&md5, &header, sizeof(header))
    fv_md5_add(&md5, ip + sizeof(header), ip_len - sizeof(header))
    fv_md5_add(&md5, &auth, sizeof(auth))
    fv_md5_add(&md5, vrrp, vrrp_len)
    fv_hmac_md5_end96(&md5, key, icv)


cdef reject_t verify_ah(
    const packet_t* packet, const fv_rx_meta_t* meta, const profile_t* profile, advert_t* advert,
) noexcept nogil:
    # locate() sets `ip` and `ah` only where all of both headers is there
    cdef const fv_ah_t* ah = <const fv_ah_t*> packet.ah
    cdef uint8_t icv[12]

    if packet.ip == NULL or ah == NULL:
        return REJECT_AUTH_ICV
    compute_icv(
        &profile.ah_key, packet.ip, packet.ip_len, packet.ah, packet.vrrp, packet.vrrp_len, profile.unicast, icv
    )
    if not fv_equal(icv, ah.icv, FV_ICV_LEN):
        return REJECT_AUTH_ICV
    if not fv_equal(ah.spi, meta.src, sizeof(ah.spi)):
        return REJECT_AUTH_SPI
    advert.ah_sequence = ntohl(ah.sequence_be)
    return ACCEPTED


cdef void seal_ah(datagram_t* datagram, const fv_hmac_md5_t* key, uint32_t sequence) noexcept nogil:
    cdef fv_ah_t* ah = <fv_ah_t*> (datagram.data + datagram.ah)

    ah.sequence_be = htonl(sequence)
    compute_icv(
        key, datagram.data, datagram.ah, datagram.data + datagram.ah,
        datagram.data + datagram.vrrp, datagram.length - datagram.vrrp, datagram.unicast, ah.icv,
    )


def hmac_md5_96(key: bytes, data: bytes) -> bytes:
    """Return the first 12 bytes of HMAC-MD5 (RFC 2403), as the authentication header carries them."""
    cdef fv_hmac_md5_t prepared
    cdef fv_md5_t md5
    cdef uint8_t out[12]

    fv_hmac_md5_prepare(&prepared, <const uint8_t*> key, len(key))
    fv_hmac_md5_begin(&md5, &prepared)
    fv_md5_add(&md5, <const uint8_t*> data, len(data))
    fv_hmac_md5_end96(&md5, &prepared, out)
    return out[:12]
