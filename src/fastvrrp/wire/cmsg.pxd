"""Control messages of raw sockets; used by `loop.ports`."""

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint32_t

from fastvrrp.wire.packet cimport fv_rx_meta_t

cdef extern from "sys/socket.h" nogil:
    struct msghdr:
        pass

cdef extern from "cmsg.h" nogil:
    enum:
        FV_RX_CONTROL           # bytes of a receive control buffer
        FV_TX_CONTROL           # bytes that fv_tx_pktinfo6 writes

    # `message` is what recvmsg filled on a raw socket of `family` (4 or 6).
    void fv_rx_meta(fv_rx_meta_t* meta, uint8_t family, const msghdr* message)
    int64_t fv_rx_stamp(const msghdr* message)
    size_t fv_tx_pktinfo6(uint8_t* control, const uint8_t* src, uint32_t ifindex)
