/* What the kernel tells beside a packet, and what we tell it.
 *
 * The CMSG macros and their alignment rules stay in this file.
 */
#ifndef FV_CMSG_H
#define FV_CMSG_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

typedef struct {
    uint8_t family;         /* 4 or 6 */
    int16_t ttl;            /* TTL or hop limit, -1: the kernel did not tell */
    uint32_t ifindex;       /* 0: unknown */
    uint8_t src[16];        /* IPv4: first 4 bytes, the rest 0 */
    uint8_t dst[16];
    int64_t wall;           /* CLOCK_REALTIME at reception in ns, set by the caller */
} fv_rx_meta_t;

_Static_assert(sizeof(fv_rx_meta_t) == 48, "mirrored in wire/packet.pxd");
_Static_assert(offsetof(fv_rx_meta_t, ttl) == 2, "mirrored in wire/packet.pxd");
_Static_assert(offsetof(fv_rx_meta_t, ifindex) == 4, "mirrored in wire/packet.pxd");
_Static_assert(offsetof(fv_rx_meta_t, src) == 8, "mirrored in wire/packet.pxd");
_Static_assert(offsetof(fv_rx_meta_t, dst) == 24, "mirrored in wire/packet.pxd");
_Static_assert(offsetof(fv_rx_meta_t, wall) == 40, "mirrored in wire/packet.pxd");

enum {
    /* Room for the packet info of either family, the TTL and the time of arrival. */
    FV_RX_CONTROL = CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))
                    + CMSG_SPACE(sizeof(struct timespec)),
    FV_TX_CONTROL = CMSG_SPACE(sizeof(struct in6_pktinfo)),
};

/* Fill `meta` from a received message of a raw socket of `family` (4 or 6) that has IP_PKTINFO and
 * IP_RECVTTL, or IPV6_RECVPKTINFO and IPV6_RECVHOPLIMIT set. What is missing stays 0, the TTL -1;
 * `wall` is left to the caller. */
void fv_rx_meta(fv_rx_meta_t *meta, uint8_t family, const struct msghdr *message);

/* When the kernel took the message in, if the socket has SO_TIMESTAMPNS set: CLOCK_REALTIME in ns;
 * 0 when the kernel did not tell. */
int64_t fv_rx_stamp(const struct msghdr *message);

/* Write an IPV6_PKTINFO message into `control` (FV_TX_CONTROL bytes): send from `src` on `ifindex`.
 * Returns the bytes written, for msg_controllen. */
size_t fv_tx_pktinfo6(uint8_t *control, const uint8_t src[16], uint32_t ifindex);

#endif
