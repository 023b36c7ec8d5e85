#include "cmsg.h"

#include <string.h>

static void
read_name(fv_rx_meta_t *meta, const struct msghdr *message)
{
    if (meta->family == 4 && message->msg_namelen >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in name;
        memcpy(&name, message->msg_name, sizeof(name));
        memcpy(meta->src, &name.sin_addr, sizeof(name.sin_addr));
    }
    else if (meta->family == 6 && message->msg_namelen >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 name;
        memcpy(&name, message->msg_name, sizeof(name));
        memcpy(meta->src, &name.sin6_addr, sizeof(name.sin6_addr));
    }
}

/* Copy the data of one control message; 0 when it is shorter than `size`. */
static int
read_data(void *data, size_t size, struct cmsghdr *control)
{
    if (control->cmsg_len < CMSG_LEN(size)) {
        return 0;
    }
    memcpy(data, CMSG_DATA(control), size);
    return 1;
}

static void
read_ttl(fv_rx_meta_t *meta, struct cmsghdr *control)
{
    int ttl;

    if (read_data(&ttl, sizeof(ttl), control) && ttl >= 0 && ttl <= 255) {
        meta->ttl = (int16_t)ttl;
    }
}

static void
read_ipv4(fv_rx_meta_t *meta, struct cmsghdr *control)
{
    struct in_pktinfo info;

    if (control->cmsg_type == IP_TTL) {
        read_ttl(meta, control);
    }
    else if (control->cmsg_type == IP_PKTINFO && read_data(&info, sizeof(info), control)) {
        meta->ifindex = (uint32_t)info.ipi_ifindex;
        memcpy(meta->dst, &info.ipi_addr, sizeof(info.ipi_addr));
    }
}

static void
read_ipv6(fv_rx_meta_t *meta, struct cmsghdr *control)
{
    struct in6_pktinfo info;

    if (control->cmsg_type == IPV6_HOPLIMIT) {
        read_ttl(meta, control);
    }
    else if (control->cmsg_type == IPV6_PKTINFO && read_data(&info, sizeof(info), control)) {
        meta->ifindex = info.ipi6_ifindex;
        memcpy(meta->dst, &info.ipi6_addr, sizeof(info.ipi6_addr));
    }
}

void
fv_rx_meta(fv_rx_meta_t *meta, uint8_t family, const struct msghdr *message)
{
    struct msghdr walk = *message;  /* CMSG_NXTHDR wants it writable */

    memset(meta, 0, sizeof(*meta));
    meta->family = family;
    meta->ttl = -1;
    read_name(meta, message);
    for (struct cmsghdr *control = CMSG_FIRSTHDR(&walk); control != NULL;
         control = CMSG_NXTHDR(&walk, control)) {
        if (family == 4 && control->cmsg_level == IPPROTO_IP) {
            read_ipv4(meta, control);
        }
        else if (family == 6 && control->cmsg_level == IPPROTO_IPV6) {
            read_ipv6(meta, control);
        }
    }
}

int64_t
fv_rx_stamp(const struct msghdr *message)
{
    struct msghdr walk = *message;
    struct timespec stamp;

    for (struct cmsghdr *control = CMSG_FIRSTHDR(&walk); control != NULL;
         control = CMSG_NXTHDR(&walk, control)) {
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS
            && read_data(&stamp, sizeof(stamp), control)) {
            return (int64_t)stamp.tv_sec * 1000000000 + stamp.tv_nsec;
        }
    }
    return 0;
}

size_t
fv_tx_pktinfo6(uint8_t *control, const uint8_t src[16], uint32_t ifindex)
{
    struct cmsghdr header = {
        .cmsg_len = CMSG_LEN(sizeof(struct in6_pktinfo)),
        .cmsg_level = IPPROTO_IPV6,
        .cmsg_type = IPV6_PKTINFO,
    };
    struct in6_pktinfo info = {.ipi6_ifindex = ifindex};

    memcpy(&info.ipi6_addr, src, sizeof(info.ipi6_addr));
    memset(control, 0, FV_TX_CONTROL);
    memcpy(control, &header, sizeof(header));
    memcpy(control + CMSG_LEN(0), &info, sizeof(info));
    return FV_TX_CONTROL;
}
