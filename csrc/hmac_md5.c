#include "hmac_md5.h"

#include <string.h>

static const uint32_t md5_start[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

static uint32_t
load_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void
store_le32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

static void
store_state(uint8_t *p, const uint32_t state[4])
{
    for (size_t i = 0; i < 4; i++) {
        store_le32(p + 4 * i, state[i]);
    }
}

/* RFC 1321 §3.4; F and G in the forms with one operation less. */
#define F(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define G(x, y, z) ((y) ^ ((z) & ((x) ^ (y))))
#define H(x, y, z) ((x) ^ (y) ^ (z))
#define I(x, y, z) ((y) ^ ((x) | ~(z)))
#define STEP(f, a, b, c, d, k, shift, add) \
    do { \
        (a) += f((b), (c), (d)) + w[k] + (add); \
        (a) = ((a) << (shift) | (a) >> (32 - (shift))) + (b); \
    } while (0)

static void
compress(uint32_t state[4], const uint8_t block[FV_MD5_BLOCK])
{
    uint32_t w[16];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];

    for (size_t i = 0; i < 16; i++) {
        w[i] = load_le32(block + 4 * i);
    }

    STEP(F, a, b, c, d, 0, 7, 0xd76aa478);
    STEP(F, d, a, b, c, 1, 12, 0xe8c7b756);
    STEP(F, c, d, a, b, 2, 17, 0x242070db);
    STEP(F, b, c, d, a, 3, 22, 0xc1bdceee);
    STEP(F, a, b, c, d, 4, 7, 0xf57c0faf);
    STEP(F, d, a, b, c, 5, 12, 0x4787c62a);
    STEP(F, c, d, a, b, 6, 17, 0xa8304613);
    STEP(F, b, c, d, a, 7, 22, 0xfd469501);
    STEP(F, a, b, c, d, 8, 7, 0x698098d8);
    STEP(F, d, a, b, c, 9, 12, 0x8b44f7af);
    STEP(F, c, d, a, b, 10, 17, 0xffff5bb1);
    STEP(F, b, c, d, a, 11, 22, 0x895cd7be);
    STEP(F, a, b, c, d, 12, 7, 0x6b901122);
    STEP(F, d, a, b, c, 13, 12, 0xfd987193);
    STEP(F, c, d, a, b, 14, 17, 0xa679438e);
    STEP(F, b, c, d, a, 15, 22, 0x49b40821);

    STEP(G, a, b, c, d, 1, 5, 0xf61e2562);
    STEP(G, d, a, b, c, 6, 9, 0xc040b340);
    STEP(G, c, d, a, b, 11, 14, 0x265e5a51);
    STEP(G, b, c, d, a, 0, 20, 0xe9b6c7aa);
    STEP(G, a, b, c, d, 5, 5, 0xd62f105d);
    STEP(G, d, a, b, c, 10, 9, 0x02441453);
    STEP(G, c, d, a, b, 15, 14, 0xd8a1e681);
    STEP(G, b, c, d, a, 4, 20, 0xe7d3fbc8);
    STEP(G, a, b, c, d, 9, 5, 0x21e1cde6);
    STEP(G, d, a, b, c, 14, 9, 0xc33707d6);
    STEP(G, c, d, a, b, 3, 14, 0xf4d50d87);
    STEP(G, b, c, d, a, 8, 20, 0x455a14ed);
    STEP(G, a, b, c, d, 13, 5, 0xa9e3e905);
    STEP(G, d, a, b, c, 2, 9, 0xfcefa3f8);
    STEP(G, c, d, a, b, 7, 14, 0x676f02d9);
    STEP(G, b, c, d, a, 12, 20, 0x8d2a4c8a);

    STEP(H, a, b, c, d, 5, 4, 0xfffa3942);
    STEP(H, d, a, b, c, 8, 11, 0x8771f681);
    STEP(H, c, d, a, b, 11, 16, 0x6d9d6122);
    STEP(H, b, c, d, a, 14, 23, 0xfde5380c);
    STEP(H, a, b, c, d, 1, 4, 0xa4beea44);
    STEP(H, d, a, b, c, 4, 11, 0x4bdecfa9);
    STEP(H, c, d, a, b, 7, 16, 0xf6bb4b60);
    STEP(H, b, c, d, a, 10, 23, 0xbebfbc70);
    STEP(H, a, b, c, d, 13, 4, 0x289b7ec6);
    STEP(H, d, a, b, c, 0, 11, 0xeaa127fa);
    STEP(H, c, d, a, b, 3, 16, 0xd4ef3085);
    STEP(H, b, c, d, a, 6, 23, 0x04881d05);
    STEP(H, a, b, c, d, 9, 4, 0xd9d4d039);
    STEP(H, d, a, b, c, 12, 11, 0xe6db99e5);
    STEP(H, c, d, a, b, 15, 16, 0x1fa27cf8);
    STEP(H, b, c, d, a, 2, 23, 0xc4ac5665);

    STEP(I, a, b, c, d, 0, 6, 0xf4292244);
    STEP(I, d, a, b, c, 7, 10, 0x432aff97);
    STEP(I, c, d, a, b, 14, 15, 0xab9423a7);
    STEP(I, b, c, d, a, 5, 21, 0xfc93a039);
    STEP(I, a, b, c, d, 12, 6, 0x655b59c3);
    STEP(I, d, a, b, c, 3, 10, 0x8f0ccc92);
    STEP(I, c, d, a, b, 10, 15, 0xffeff47d);
    STEP(I, b, c, d, a, 1, 21, 0x85845dd1);
    STEP(I, a, b, c, d, 8, 6, 0x6fa87e4f);
    STEP(I, d, a, b, c, 15, 10, 0xfe2ce6e0);
    STEP(I, c, d, a, b, 6, 15, 0xa3014314);
    STEP(I, b, c, d, a, 13, 21, 0x4e0811a1);
    STEP(I, a, b, c, d, 4, 6, 0xf7537e82);
    STEP(I, d, a, b, c, 11, 10, 0xbd3af235);
    STEP(I, c, d, a, b, 2, 15, 0x2ad7d2bb);
    STEP(I, b, c, d, a, 9, 21, 0xeb86d391);

    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

void
fv_md5_add(fv_md5_t *md5, const void *data, size_t length)
{
    const uint8_t *p = data;
    size_t used = (size_t)(md5->length % FV_MD5_BLOCK);

    md5->length += length;
    while (length >= FV_MD5_BLOCK - used) {
        size_t take = FV_MD5_BLOCK - used;
        memcpy(md5->block + used, p, take);
        compress(md5->state, md5->block);
        p += take;
        length -= take;
        used = 0;
    }
    if (length > 0) {
        memcpy(md5->block + used, p, length);
    }
}

static void
md5_end(fv_md5_t *md5, uint8_t out[FV_MD5_DIGEST])
{
    uint64_t bits = md5->length * 8;
    size_t used = (size_t)(md5->length % FV_MD5_BLOCK);

    md5->block[used++] = 0x80;
    if (used > FV_MD5_BLOCK - 8) {
        memset(md5->block + used, 0, FV_MD5_BLOCK - used);
        compress(md5->state, md5->block);
        used = 0;
    }
    memset(md5->block + used, 0, FV_MD5_BLOCK - 8 - used);
    store_le32(md5->block + FV_MD5_BLOCK - 8, (uint32_t)bits);
    store_le32(md5->block + FV_MD5_BLOCK - 4, (uint32_t)(bits >> 32));
    compress(md5->state, md5->block);
    store_state(out, md5->state);
}

static void
md5_begin(fv_md5_t *md5, const uint32_t state[4], uint64_t length)
{
    memcpy(md5->state, state, sizeof(md5->state));
    md5->length = length;
}

static void
prepare_pad(uint32_t state[4], const uint8_t key[FV_MD5_BLOCK], uint8_t pad)
{
    uint8_t block[FV_MD5_BLOCK];

    for (size_t i = 0; i < FV_MD5_BLOCK; i++) {
        block[i] = key[i] ^ pad;
    }
    memcpy(state, md5_start, sizeof(md5_start));
    compress(state, block);
}

void
fv_hmac_md5_prepare(fv_hmac_md5_t *prepared, const uint8_t *key, size_t length)
{
    uint8_t padded[FV_MD5_BLOCK] = {0};

    if (length > FV_MD5_BLOCK) {
        fv_md5_t md5;
        md5_begin(&md5, md5_start, 0);
        fv_md5_add(&md5, key, length);
        md5_end(&md5, padded);
    }
    else if (length > 0) {
        memcpy(padded, key, length);
    }
    prepare_pad(prepared->inner, padded, 0x36);
    prepare_pad(prepared->outer, padded, 0x5c);
}

void
fv_hmac_md5_begin(fv_md5_t *md5, const fv_hmac_md5_t *prepared)
{
    md5_begin(md5, prepared->inner, FV_MD5_BLOCK);
}

void
fv_hmac_md5_end96(fv_md5_t *md5, const fv_hmac_md5_t *prepared, uint8_t out[FV_MD5_96])
{
    uint8_t digest[FV_MD5_DIGEST];

    md5_end(md5, digest);
    md5_begin(md5, prepared->outer, FV_MD5_BLOCK);
    fv_md5_add(md5, digest, sizeof(digest));
    md5_end(md5, digest);
    memcpy(out, digest, FV_MD5_96);
}

bool
fv_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
    volatile uint8_t difference = 0;  /* volatile: no early exit may be invented */

    for (size_t i = 0; i < length; i++) {
        difference |= a[i] ^ b[i];
    }
    return difference == 0;
}
