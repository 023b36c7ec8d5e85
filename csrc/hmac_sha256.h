/* HMAC-SHA-256 (RFC 2104, FIPS 180-4), cut to 128 bits, for the trailer of auth_hmac.
 *
 * The two pads of a key are compressed once, so that an advert costs four or five compressions and
 * no allocation.
 */
#ifndef FV_HMAC_SHA256_H
#define FV_HMAC_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum {
    FV_SHA256_BLOCK = 64,
    FV_SHA256_DIGEST = 32,
    FV_SHA256_128 = 16,
};

/* A message being hashed. */
typedef struct {
    uint32_t state[8];
    uint64_t length;                /* bytes so far; length % 64 of them wait in `block` */
    uint8_t block[FV_SHA256_BLOCK];
} fv_sha256_t;

/* A prepared key: the SHA-256 states after its inner and its outer pad. */
typedef struct {
    uint32_t inner[8];
    uint32_t outer[8];
} fv_hmac_sha256_t;

_Static_assert(sizeof(fv_hmac_sha256_t) == 64, "two SHA-256 states");

/* Prepare `key`; one longer than a block is hashed first, a shorter one is zero padded. */
void fv_hmac_sha256_prepare(fv_hmac_sha256_t *prepared, const uint8_t *key, size_t length);

/* begin, add any number of pieces, end: writes the first 128 bits of the HMAC. */
void fv_hmac_sha256_begin(fv_sha256_t *sha, const fv_hmac_sha256_t *prepared);
void fv_sha256_add(fv_sha256_t *sha, const void *data, size_t length);
void fv_hmac_sha256_end128(fv_sha256_t *sha, const fv_hmac_sha256_t *prepared,
                           uint8_t out[FV_SHA256_128]);

#endif
