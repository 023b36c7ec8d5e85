"""What the kernel said about a packet, what a receiver expects of it, and where its parts lie."""

from libc.stdint cimport int16_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "cmsg.h" nogil:
    ctypedef struct fv_rx_meta_t:
        uint8_t family          # 4 or 6
        int16_t ttl             # TTL or hop limit, -1: the kernel did not tell
        uint32_t ifindex        # 0: unknown
        uint8_t src[16]         # IPv4: first 4 bytes, the rest 0
        uint8_t dst[16]
        int64_t wall            # CLOCK_REALTIME at reception, ns; for the time in trailers

cdef extern from "hmac_md5.h" nogil:
    ctypedef struct fv_hmac_md5_t:
        pass                    # the two precomputed pads

cdef extern from "hmac_sha256.h" nogil:
    ctypedef struct fv_hmac_sha256_t:
        pass                    # the two precomputed pads

# Mirrors names.RejectReason; equality is asserted when wire.advert is imported.
cdef enum reject_t:
    ACCEPTED = 0
    REJECT_IP_HEADER = 1
    REJECT_IP_LENGTH = 2
    REJECT_FRAGMENT = 3
    REJECT_PROTOCOL = 4
    REJECT_AH_HEADER = 5
    REJECT_TRUNCATED = 6
    REJECT_VRID = 7
    REJECT_INACTIVE = 8
    REJECT_OWN_SOURCE = 9
    REJECT_LENGTH = 10
    REJECT_TTL = 11
    REJECT_DESTINATION = 12
    REJECT_SOURCE = 13
    REJECT_VERSION = 14
    REJECT_TYPE = 15
    REJECT_CHECKSUM = 16
    REJECT_AUTH_TYPE = 17
    REJECT_AUTH_MISMATCH = 18
    REJECT_AUTH_PASS = 19
    REJECT_AUTH_ICV = 20
    REJECT_AUTH_SPI = 21
    REJECT_AUTH_REPLAY = 22
    REJECT_COUNT = 23
    REJECT_INTERVAL_ZERO = 24
    REJECT_INTERVAL = 25
    REJECT_HMAC_MISSING = 26
    REJECT_HMAC_MALFORMED = 27
    REJECT_HMAC_STALE = 28
    REJECT_HMAC_KEY = 29
    REJECT_HMAC_INVALID = 30
    REJECT_HMAC_REPLAY = 31
    REJECT_OWNER = 32
    REJECT_FIRST_ADDRESS = 33
    REJECT_CARP = 34
    REJECT_PEER_TTL = 35
    N_REJECTS = 36

cdef enum:
    AUTH_NONE = 0               # the values on the wire (RFC 2338 §5.3.6)
    AUTH_PASS = 1
    AUTH_AH = 2

cdef enum:
    CHECKSUM_PSEUDO = 0         # v3 IPv4: with pseudo-header (RFC 5798 practice)
    CHECKSUM_MESSAGE = 1        # v3 IPv4: message only (RFC 9568 §5.2.8); v2 always
    CHECKSUM_GROUP = 2          # v3 IPv4 unicast: pseudo-header with the multicast group (old keepalived)

cdef enum:
    MAX_PEERS = 64
    MAX_HMAC_KEYS = 8

cdef enum:
    HMAC_ENFORCE = 0            # an advert without trailer is rejected
    HMAC_PERMISSIVE = 1
    HMAC_RECEIVE_ONLY = 2       # our own adverts carry none

# A received datagram cut to its parts; pointers into the receive buffer.
ctypedef struct packet_t:
    const uint8_t* ip           # IPv4 header, NULL for IPv6 and for bare payloads
    uint16_t ip_len             # header length with options
    const uint8_t* ah           # AH header (24 bytes), NULL when there is none
    const uint8_t* vrrp         # VRRP message
    uint16_t vrrp_len           # to the end of the datagram
    uint8_t vrid                # valid once locate() has returned ACCEPTED

# A key of auth_hmac.
ctypedef struct hmac_key_t:
    uint8_t id                  # 1..255
    fv_hmac_sha256_t pads

# What one virtual router expects of a packet. All zero but version and vrid: no restriction that is not said.
ctypedef struct profile_t:
    uint8_t version             # 2 or 3
    uint8_t family              # 4 or 6
    uint8_t vrid
    uint8_t auth_type
    uint8_t unicast             # 1: unicast between peers, 0: multicast
    uint8_t any_source          # 1: unicast from hosts that are no peers is accepted too
    uint8_t any_interval        # 1: a v2 advert of another interval is accepted (tools only)
    uint8_t no_addresses        # 1: we have none either, so that an advert without is no mistake
    uint8_t strict              # 1: the first IPv6 address must be link-local
    uint8_t n_hmac_keys         # 0: no trailer is expected
    uint8_t hmac_active         # index of the key that signs
    uint8_t hmac_mode           # HMAC_*
    uint8_t hmac_monotonic      # 1: a trailer's time may be any, if it grows
    uint16_t hmac_window        # s
    uint16_t n_peers            # who is heard; multicast: 0 means everyone
    int64_t advert_interval     # ns, the configured one
    uint8_t own[16]             # our source address, zero while unknown
    uint8_t group[16]           # the multicast group, zero: any; unicast: that of old checksums, zero: none
    uint8_t peers[MAX_PEERS][16]
    uint8_t peer_min_ttl[MAX_PEERS]
    uint8_t peer_max_ttl[MAX_PEERS]     # 0: no limit
    uint8_t password[8]         # PASS, zero padded
    fv_hmac_md5_t ah_key
    hmac_key_t hmac_keys[MAX_HMAC_KEYS]

# A decoded advert. Values are in host order; addresses point into the receive buffer.
ctypedef struct advert_t:
    uint8_t version
    uint8_t vrid
    uint8_t priority
    uint8_t count
    uint8_t auth_type           # 0 for v3
    uint8_t checksum_style      # CHECKSUM_*
    int64_t interval            # ns
    uint32_t ah_sequence        # 0 without AH
    uint64_t hmac_sequence      # 0 without trailer
    int64_t hmac_skew           # s, the sender's clock minus ours
    uint8_t authentic           # 1: the trailer's digest is right, even if it is stale
    const uint8_t* addresses    # count * (4 or 16) bytes, network order
    uint8_t src[16]
