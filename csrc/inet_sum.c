#include "inet_sum.h"

#include <arpa/inet.h>
#include <string.h>

uint64_t
fv_sum(uint64_t sum, const uint8_t *data, size_t length)
{
    while (length >= 4) {
        uint32_t word;
        memcpy(&word, data, sizeof(word));
        sum += word;
        data += sizeof(word);
        length -= sizeof(word);
    }
    if (length > 0) {
        uint32_t word = 0;  /* zero bytes at the end do not change the sum */
        memcpy(&word, data, length);
        sum += word;
    }
    return sum;
}

uint64_t
fv_sum_pseudo(uint64_t sum, uint8_t family, const uint8_t *src, const uint8_t *dst,
              uint8_t protocol, uint32_t length)
{
    /* Both pseudo-headers are the addresses, the protocol and the length; zeros add nothing. */
    size_t address_len = family == 4 ? 4 : 16;

    sum = fv_sum(sum, src, address_len);
    sum = fv_sum(sum, dst, address_len);
    return sum + htonl(protocol) + htonl(length);
}

uint16_t
fv_sum_finish(uint64_t sum)
{
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}
