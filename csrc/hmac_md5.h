/* HMAC-MD5-96 (RFC 2104, RFC 2403) for the authentication header of VRRPv2.
 *
 * MD5 is broken as a hash and only here because RFC 2338 peers use it. The two pads of a key are
 * compressed once, so that a packet costs three compressions and no allocation.
 */
#ifndef FV_HMAC_MD5_H
#define FV_HMAC_MD5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FV_MD5_BLOCK = 64,
    FV_MD5_DIGEST = 16,
    FV_MD5_96 = 12,
};

/* A message being hashed. */
typedef struct {
    uint32_t state[4];
    uint64_t length;                /* bytes so far; length % 64 of them wait in `block` */
    uint8_t block[FV_MD5_BLOCK];
} fv_md5_t;

/* A prepared key: the MD5 states after its inner and its outer pad. */
typedef struct {
    uint32_t inner[4];
    uint32_t outer[4];
} fv_hmac_md5_t;

_Static_assert(sizeof(fv_hmac_md5_t) == 32, "two MD5 states");

/* Prepare `key`; one longer than a block is hashed first, a shorter one is zero padded. */
void fv_hmac_md5_prepare(fv_hmac_md5_t *prepared, const uint8_t *key, size_t length);

/* begin, add any number of pieces, end: writes the first 96 bits of the HMAC. */
void fv_hmac_md5_begin(fv_md5_t *md5, const fv_hmac_md5_t *prepared);
void fv_md5_add(fv_md5_t *md5, const void *data, size_t length);
void fv_hmac_md5_end96(fv_md5_t *md5, const fv_hmac_md5_t *prepared, uint8_t out[FV_MD5_96]);

/* Compare in a time that depends on `length` only. */
bool fv_equal(const uint8_t *a, const uint8_t *b, size_t length);

#endif
