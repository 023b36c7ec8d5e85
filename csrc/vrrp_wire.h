/* The headers that VRRP travels in, as they lie on the wire.
 *
 * Every struct is packed and may alias bytes, so that a checked pointer into a receive buffer can be
 * read through it. Fields named *_be are in network order.
 */
#ifndef FV_VRRP_WIRE_H
#define FV_VRRP_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define FV_PACKED __attribute__((packed, may_alias))

enum {
    FV_PROTO_AH = 51,       /* RFC 4302 */
    FV_PROTO_VRRP = 112,    /* RFC 9568 §5.1.1.4 */
    FV_TYPE_ADVERT = 1,     /* RFC 9568 §5.2.2 */
    FV_AUTH_LEN = 8,        /* RFC 2338 §5.3.10: authentication data */
    FV_AH_PAYLOAD_LEN = 4,  /* words of the AH header minus 2 */
    FV_ICV_LEN = 12,        /* HMAC-MD5-96, RFC 2403 */
    FV_TRAILER_HMAC = 1,    /* auth_hmac: HMAC-SHA-256 cut to 128 bits */
    FV_TRAILER_DIGEST = 16,
    FV_CARP_COUNT = 7,      /* CARP: 32-bit words behind the header, where VRRP counts addresses */
    FV_CARP_LEN = 36,
    FV_FRAGMENT_MASK = 0x3fff, /* more fragments, and the offset; neither reserved nor DF */
    FV_INTERVAL_MASK = 0x0fff, /* RFC 9568 §5.2.6: the upper four bits are reserved */
};

/* IPv4 header without options, RFC 791 §3.1. */
typedef struct FV_PACKED {
    uint8_t version_ihl;
    uint8_t tos;
    uint16_t total_len_be;
    uint16_t id_be;
    uint16_t fragment_be;
    uint8_t ttl;
    uint8_t protocol;
    uint16_t checksum_be;
    uint8_t src[4];
    uint8_t dst[4];
} fv_ipv4_t;

_Static_assert(sizeof(fv_ipv4_t) == 20, "RFC 791");
_Static_assert(offsetof(fv_ipv4_t, fragment_be) == 6, "RFC 791");
_Static_assert(offsetof(fv_ipv4_t, checksum_be) == 10, "RFC 791");
_Static_assert(offsetof(fv_ipv4_t, dst) == 16, "RFC 791");

/* Authentication header with a 96-bit check value, RFC 2402 §2. */
typedef struct FV_PACKED {
    uint8_t next_header;
    uint8_t payload_len;
    uint16_t reserved_be;
    uint8_t spi[4];
    uint32_t sequence_be;
    uint8_t icv[FV_ICV_LEN];
} fv_ah_t;

_Static_assert(sizeof(fv_ah_t) == 24, "RFC 2402");
_Static_assert(sizeof(fv_ah_t) / 4 - 2 == FV_AH_PAYLOAD_LEN, "RFC 2402");
_Static_assert(offsetof(fv_ah_t, sequence_be) == 8, "RFC 2402");
_Static_assert(offsetof(fv_ah_t, icv) == 12, "RFC 2402");

/* Fixed part of an advert, version 2 (RFC 3768 §5.1) and 3 (RFC 9568 §5.2). */
typedef struct FV_PACKED {
    uint8_t version_type;
    uint8_t vrid;
    uint8_t priority;
    uint8_t count;
    union FV_PACKED {
        struct FV_PACKED {
            uint8_t auth_type;          /* version 2 */
            uint8_t interval_s;
        };
        uint16_t max_interval_cs_be;    /* version 3, see FV_INTERVAL_MASK */
    };
    uint16_t checksum_be;
} fv_vrrp_t;

_Static_assert(sizeof(fv_vrrp_t) == 8, "RFC 9568 §5.1");
_Static_assert(offsetof(fv_vrrp_t, auth_type) == 4, "RFC 3768 §5.1");
_Static_assert(offsetof(fv_vrrp_t, interval_s) == 5, "RFC 3768 §5.1");
_Static_assert(offsetof(fv_vrrp_t, max_interval_cs_be) == 4, "RFC 9568 §5.1");
_Static_assert(offsetof(fv_vrrp_t, checksum_be) == 6, "RFC 9568 §5.1");

/* The trailer of keepalived's auth_hmac, behind the message. `sequence` is 32 bits of seconds since
 * 1970, 16 bits of their fraction and a counter of 16 bits. */
typedef struct FV_PACKED {
    uint8_t type;
    uint8_t key_id;
    uint16_t reserved_be;
    uint64_t sequence_be;
    uint8_t digest[FV_TRAILER_DIGEST];
} fv_trailer_t;

_Static_assert(sizeof(fv_trailer_t) == 28, "auth_hmac");
_Static_assert(offsetof(fv_trailer_t, sequence_be) == 4, "auth_hmac");
_Static_assert(offsetof(fv_trailer_t, digest) == 12, "auth_hmac");

/* What stands before the message when it is signed, so that no advert can pass for another one's. */
typedef struct FV_PACKED {
    uint8_t family;         /* 4 or 6 */
    uint8_t version;
    uint8_t vrid;
    uint8_t zero;
    uint8_t src[16];        /* IPv4: first 4 bytes, the rest 0 */
} fv_hmac_pseudo_t;

_Static_assert(sizeof(fv_hmac_pseudo_t) == 20, "auth_hmac");

#endif
