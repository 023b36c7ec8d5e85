"""The C library's view of the wire: headers, the internet checksum, HMAC-MD5 and HMAC-SHA-256."""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from fastvrrp.wire.packet cimport fv_hmac_md5_t, fv_hmac_sha256_t

cdef extern from "arpa/inet.h" nogil:
    uint16_t ntohs(uint16_t value)
    uint16_t htons(uint16_t value)
    uint32_t ntohl(uint32_t value)
    uint32_t htonl(uint32_t value)

cdef extern from "endian.h" nogil:
    uint64_t be64toh(uint64_t value)
    uint64_t htobe64(uint64_t value)

cdef extern from "vrrp_wire.h" nogil:
    enum:
        FV_PROTO_AH
        FV_PROTO_VRRP
        FV_TYPE_ADVERT
        FV_AUTH_LEN
        FV_AH_PAYLOAD_LEN
        FV_ICV_LEN
        FV_TRAILER_HMAC
        FV_TRAILER_DIGEST
        FV_CARP_COUNT
        FV_CARP_LEN
        FV_FRAGMENT_MASK
        FV_INTERVAL_MASK

    ctypedef struct fv_ipv4_t:
        uint8_t version_ihl
        uint8_t tos
        uint16_t total_len_be
        uint16_t id_be
        uint16_t fragment_be
        uint8_t ttl
        uint8_t protocol
        uint16_t checksum_be
        uint8_t src[4]
        uint8_t dst[4]

    ctypedef struct fv_ah_t:
        uint8_t next_header
        uint8_t payload_len
        uint16_t reserved_be
        uint8_t spi[4]
        uint32_t sequence_be
        uint8_t icv[12]

    ctypedef struct fv_vrrp_t:
        uint8_t version_type
        uint8_t vrid
        uint8_t priority
        uint8_t count
        uint8_t auth_type
        uint8_t interval_s
        uint16_t max_interval_cs_be
        uint16_t checksum_be

    ctypedef struct fv_trailer_t:
        uint8_t type
        uint8_t key_id
        uint16_t reserved_be
        uint64_t sequence_be
        uint8_t digest[16]

    ctypedef struct fv_hmac_pseudo_t:
        uint8_t family
        uint8_t version
        uint8_t vrid
        uint8_t src[16]

cdef extern from "inet_sum.h" nogil:
    uint64_t fv_sum(uint64_t sum, const uint8_t* data, size_t length)
    uint64_t fv_sum_pseudo(
        uint64_t sum, uint8_t family, const uint8_t* src, const uint8_t* dst, uint8_t protocol, uint32_t length,
    )
    uint16_t fv_sum_finish(uint64_t sum)

cdef extern from "hmac_md5.h" nogil:
    ctypedef struct fv_md5_t:
        pass

    void fv_hmac_md5_prepare(fv_hmac_md5_t* prepared, const uint8_t* key, size_t length)
    void fv_hmac_md5_begin(fv_md5_t* md5, const fv_hmac_md5_t* prepared)
    void fv_md5_add(fv_md5_t* md5, const void* data, size_t length)
    void fv_hmac_md5_end96(fv_md5_t* md5, const fv_hmac_md5_t* prepared, uint8_t* out)
    bint fv_equal(const uint8_t* a, const uint8_t* b, size_t length)

cdef extern from "hmac_sha256.h" nogil:
    ctypedef struct fv_sha256_t:
        pass

    void fv_hmac_sha256_prepare(fv_hmac_sha256_t* prepared, const uint8_t* key, size_t length)
    void fv_hmac_sha256_begin(fv_sha256_t* sha, const fv_hmac_sha256_t* prepared)
    void fv_sha256_add(fv_sha256_t* sha, const void* data, size_t length)
    void fv_hmac_sha256_end128(fv_sha256_t* sha, const fv_hmac_sha256_t* prepared, uint8_t* out)
