#include "hmac_sha256.h"

#include <string.h>

/* FIPS 180-4 §5.3.3: fractional parts of the square roots of the first 8 primes. */
static const uint32_t sha256_start[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* FIPS 180-4 §4.2.2: fractional parts of the cube roots of the first 64 primes. */
static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
    0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
    0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
    0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t
load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static void
store_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static uint32_t
rotate(uint32_t v, unsigned int bits)
{
    return v >> bits | v << (32 - bits);
}

/* FIPS 180-4 §6.2.2 step 1: the 16 words of a block become 64. */
static void
expand(uint32_t w[64], const uint8_t block[FV_SHA256_BLOCK])
{
    for (size_t i = 0; i < 16; i++) {
        w[i] = load_be32(block + 4 * i);
    }
    for (size_t i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
}

static void
compress(uint32_t state[8], const uint8_t block[FV_SHA256_BLOCK])
{
    uint32_t w[64];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

    expand(w, block);
    for (size_t i = 0; i < 64; i++) {
        uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        uint32_t choice = g ^ (e & (f ^ g));
        uint32_t t1 = h + s1 + choice + round_constants[i] + w[i];
        uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        uint32_t majority = (a & b) | (c & (a | b));
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + s0 + majority;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

void
fv_sha256_add(fv_sha256_t *sha, const void *data, size_t length)
{
    const uint8_t *p = data;
    size_t used = (size_t)(sha->length % FV_SHA256_BLOCK);

    sha->length += length;
    while (length >= FV_SHA256_BLOCK - used) {
        size_t take = FV_SHA256_BLOCK - used;
        memcpy(sha->block + used, p, take);
        compress(sha->state, sha->block);
        p += take;
        length -= take;
        used = 0;
    }
    if (length > 0) {
        memcpy(sha->block + used, p, length);
    }
}

static void
sha256_end(fv_sha256_t *sha, uint8_t out[FV_SHA256_DIGEST])
{
    uint64_t bits = sha->length * 8;
    size_t used = (size_t)(sha->length % FV_SHA256_BLOCK);

    sha->block[used++] = 0x80;
    if (used > FV_SHA256_BLOCK - 8) {
        memset(sha->block + used, 0, FV_SHA256_BLOCK - used);
        compress(sha->state, sha->block);
        used = 0;
    }
    memset(sha->block + used, 0, FV_SHA256_BLOCK - 8 - used);
    store_be32(sha->block + FV_SHA256_BLOCK - 8, (uint32_t)(bits >> 32));
    store_be32(sha->block + FV_SHA256_BLOCK - 4, (uint32_t)bits);
    compress(sha->state, sha->block);
    for (size_t i = 0; i < 8; i++) {
        store_be32(out + 4 * i, sha->state[i]);
    }
}

static void
sha256_begin(fv_sha256_t *sha, const uint32_t state[8], uint64_t length)
{
    memcpy(sha->state, state, sizeof(sha->state));
    sha->length = length;
}

static void
prepare_pad(uint32_t state[8], const uint8_t key[FV_SHA256_BLOCK], uint8_t pad)
{
    uint8_t block[FV_SHA256_BLOCK];

    for (size_t i = 0; i < FV_SHA256_BLOCK; i++) {
        block[i] = key[i] ^ pad;
    }
    memcpy(state, sha256_start, sizeof(sha256_start));
    compress(state, block);
}

void
fv_hmac_sha256_prepare(fv_hmac_sha256_t *prepared, const uint8_t *key, size_t length)
{
    uint8_t padded[FV_SHA256_BLOCK] = {0};

    if (length > FV_SHA256_BLOCK) {
        fv_sha256_t sha;
        sha256_begin(&sha, sha256_start, 0);
        fv_sha256_add(&sha, key, length);
        sha256_end(&sha, padded);
    }
    else if (length > 0) {
        memcpy(padded, key, length);
    }
    prepare_pad(prepared->inner, padded, 0x36);
    prepare_pad(prepared->outer, padded, 0x5c);
}

void
fv_hmac_sha256_begin(fv_sha256_t *sha, const fv_hmac_sha256_t *prepared)
{
    sha256_begin(sha, prepared->inner, FV_SHA256_BLOCK);
}

void
fv_hmac_sha256_end128(fv_sha256_t *sha, const fv_hmac_sha256_t *prepared,
                      uint8_t out[FV_SHA256_128])
{
    uint8_t digest[FV_SHA256_DIGEST];

    sha256_end(sha, digest);
    sha256_begin(sha, prepared->outer, FV_SHA256_BLOCK);
    fv_sha256_add(sha, digest, sizeof(digest));
    sha256_end(sha, digest);
    memcpy(out, digest, FV_SHA256_128);
}
