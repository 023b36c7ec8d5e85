/* The internet checksum (RFC 1071).
 *
 * A running sum is 64 bits wide and in memory order: it never overflows for what fits into an IP
 * packet, and the finished checksum is stored without swapping bytes.
 */
#ifndef FV_INET_SUM_H
#define FV_INET_SUM_H

#include <stddef.h>
#include <stdint.h>

/* Add `length` bytes to `sum`. Only the last piece of a message may have an odd length. */
uint64_t fv_sum(uint64_t sum, const uint8_t *data, size_t length);

/* Add the pseudo-header of IPv4 (family 4) or IPv6 (family 6, RFC 8200 §8.1). */
uint64_t fv_sum_pseudo(uint64_t sum, uint8_t family, const uint8_t *src, const uint8_t *dst,
                       uint8_t protocol, uint32_t length);

/* Return the checksum in network order: what to store into a field that was summed as 0, and 0 for
 * a message that was summed with a correct field. */
uint16_t fv_sum_finish(uint64_t sum);

#endif
