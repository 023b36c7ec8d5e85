"""Adverts from bytes: RFC 3768 (version 2) and RFC 9568 (version 3); the other way is wire/datagram.pyx.

`locate` and `decode` are the receive path: they never allocate, never raise, and read no byte before the
check that bounds it. The order of the checks is fixed, and each failure has its own RejectReason.
The functions with a Python face at the end serve tests and tools.
"""

from ipaddress import IPv4Address, IPv6Address

from libc.stdint cimport UINT16_MAX, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from fastvrrp.wire.auth cimport prepare_key, verify_ah, verify_pass
from fastvrrp.wire.datagram cimport copy_padded
from fastvrrp.wire.headers cimport (
    FV_AH_PAYLOAD_LEN, FV_AUTH_LEN, FV_CARP_COUNT, FV_CARP_LEN, FV_FRAGMENT_MASK, FV_INTERVAL_MASK, FV_PROTO_AH,
    FV_PROTO_VRRP, FV_TYPE_ADVERT, be64toh, fv_ah_t, fv_ipv4_t, fv_sum, fv_sum_finish, fv_sum_pseudo, fv_trailer_t,
    fv_vrrp_t, ntohs,
)
from fastvrrp.wire.hmac cimport hmac_verify, prepare_hmac_key
from fastvrrp.wire.packet cimport (
    ACCEPTED, AUTH_AH, AUTH_NONE, AUTH_PASS, CHECKSUM_GROUP, CHECKSUM_MESSAGE, CHECKSUM_PSEUDO, HMAC_ENFORCE,
    MAX_HMAC_KEYS, MAX_PEERS, N_REJECTS, REJECT_AH_HEADER, REJECT_AUTH_ICV, REJECT_AUTH_MISMATCH, REJECT_AUTH_PASS,
    REJECT_AUTH_REPLAY, REJECT_AUTH_SPI, REJECT_AUTH_TYPE, REJECT_CARP, REJECT_CHECKSUM, REJECT_COUNT,
    REJECT_DESTINATION, REJECT_FIRST_ADDRESS, REJECT_FRAGMENT, REJECT_HMAC_INVALID, REJECT_HMAC_KEY,
    REJECT_HMAC_MALFORMED, REJECT_HMAC_MISSING, REJECT_HMAC_REPLAY, REJECT_HMAC_STALE, REJECT_INACTIVE,
    REJECT_INTERVAL, REJECT_INTERVAL_ZERO, REJECT_IP_HEADER, REJECT_IP_LENGTH, REJECT_LENGTH, REJECT_OWN_SOURCE,
    REJECT_OWNER, REJECT_PEER_TTL, REJECT_PROTOCOL, REJECT_SOURCE, REJECT_TRUNCATED, REJECT_TTL, REJECT_TYPE,
    REJECT_VERSION, REJECT_VRID, advert_t, fv_rx_meta_t, packet_t, profile_t, reject_t,
)

from fastvrrp.names import RejectReason
from fastvrrp.wire.datagram import layout, reseal
from fastvrrp.wire.values import Decoded, Trailer

__all__ = ["decode_packet", "internet_checksum", "layout", "reseal"]

cdef enum:
    NS_PER_CENTISECOND = 10_000_000
    IPV6_HEADER = 40
    IPV6_FRAGMENT = 44          # next header, RFC 8200 §4.5


# ---- receive path: where the parts of a datagram lie ----

cdef reject_t locate(
    const uint8_t* data, size_t length, fv_rx_meta_t* meta, packet_t* packet,
) noexcept nogil:
    cdef const fv_ipv4_t* ip = <const fv_ipv4_t*> data
    cdef size_t ip_len, total

    memset(packet, 0, sizeof(packet_t))
    if meta.family == 6:
        return locate_vrrp(data, length, packet)
    if length < sizeof(fv_ipv4_t):
        return REJECT_IP_HEADER
    ip_len = (ip.version_ihl & 0x0F) * 4
    if ip.version_ihl >> 4 != 4 or ip_len < sizeof(fv_ipv4_t) or length < ip_len:
        return REJECT_IP_HEADER
    read_ipv4(ip, meta)
    total = ntohs(ip.total_len_be)
    if total > length or total < ip_len:
        return REJECT_IP_LENGTH
    if ntohs(ip.fragment_be) & FV_FRAGMENT_MASK:
        return REJECT_FRAGMENT
    # from here on nothing beyond the total length exists: that is link-layer padding
    packet.ip = data
    packet.ip_len = <uint16_t> ip_len
    if ip.protocol == FV_PROTO_VRRP:
        return locate_vrrp(data + ip_len, total - ip_len, packet)
    if ip.protocol == FV_PROTO_AH:
        return locate_ah(data + ip_len, total - ip_len, packet)
    return REJECT_PROTOCOL


cdef void read_ipv4(const fv_ipv4_t* ip, fv_rx_meta_t* meta) noexcept nogil:
    memset(meta.src, 0, sizeof(meta.src))
    memset(meta.dst, 0, sizeof(meta.dst))
    memcpy(meta.src, ip.src, sizeof(ip.src))
    memcpy(meta.dst, ip.dst, sizeof(ip.dst))
    meta.ttl = ip.ttl


cdef reject_t locate_ah(const uint8_t* data, size_t length, packet_t* packet) noexcept nogil:
    cdef const fv_ah_t* ah = <const fv_ah_t*> data

    if length < sizeof(fv_ah_t):
        return REJECT_AH_HEADER
    if ah.next_header != FV_PROTO_VRRP:
        return REJECT_PROTOCOL
    if ah.payload_len != FV_AH_PAYLOAD_LEN:
        return REJECT_AH_HEADER
    packet.ah = data
    return locate_vrrp(data + sizeof(fv_ah_t), length - sizeof(fv_ah_t), packet)


cdef reject_t locate_vrrp(const uint8_t* data, size_t length, packet_t* packet) noexcept nogil:
    cdef const fv_vrrp_t* vrrp = <const fv_vrrp_t*> data

    if length < sizeof(fv_vrrp_t):
        return REJECT_TRUNCATED
    if length > UINT16_MAX:
        return REJECT_LENGTH
    packet.vrrp = data
    packet.vrrp_len = <uint16_t> length
    packet.vrid = vrrp.vrid
    # no advert of version 2 has this length for this count
    if vrrp.version_type == (2 << 4 | FV_TYPE_ADVERT) and vrrp.count == FV_CARP_COUNT and length == FV_CARP_LEN:
        return REJECT_CARP
    return REJECT_VRID if vrrp.vrid == 0 else ACCEPTED


# ---- receive path: what an advert says, and whether to believe it ----

cdef reject_t decode(
    const packet_t* packet, const fv_rx_meta_t* meta, const profile_t* profile, advert_t* advert,
) noexcept nogil:
    cdef const fv_vrrp_t* vrrp = <const fv_vrrp_t*> packet.vrrp
    cdef size_t length
    cdef reject_t reason

    memset(advert, 0, sizeof(advert_t))
    memcpy(advert.src, meta.src, sizeof(advert.src))
    if packet.vrrp_len < sizeof(fv_vrrp_t):
        return REJECT_TRUNCATED
    read_fixed(vrrp, advert)
    if sizeof(fv_vrrp_t) + advert.count * address_len(meta.family) <= packet.vrrp_len:
        advert.addresses = packet.vrrp + sizeof(fv_vrrp_t)
    if advert.vrid != profile.vrid:
        return REJECT_VRID
    if is_own(meta, profile):
        return REJECT_OWN_SOURCE

    length = message_len(advert, meta.family)
    if packet.vrrp_len != length and packet.vrrp_len != length + sizeof(fv_trailer_t):
        return REJECT_LENGTH
    reason = check_path(meta, profile)
    if reason != ACCEPTED:
        return reason
    # Only an intact advert of another version shows that a router is configured differently.
    if advert.version != 2 and advert.version != 3:
        return REJECT_VERSION
    if not checksum_holds(packet, length, meta, profile, advert):
        return REJECT_CHECKSUM
    if advert.version != profile.version:
        return REJECT_VERSION
    if vrrp.version_type & 0x0F != FV_TYPE_ADVERT:
        return REJECT_TYPE
    if packet.vrrp_len != length and profile.n_hmac_keys == 0:
        return REJECT_AUTH_MISMATCH
    reason = check_trailer(packet, length, meta, profile, advert)
    if reason != ACCEPTED:
        return reason
    reason = check_auth(packet, length, meta, profile, advert)
    if reason != ACCEPTED:
        return reason
    return check_meaning(meta.family, profile, advert)


cdef inline bint has_auth_data(const advert_t* advert, uint8_t family) noexcept nogil:
    # keepalived: version 2 over IPv6 has no authentication data
    return advert.version != 3 and family == 4


cdef inline size_t message_len(const advert_t* advert, uint8_t family) noexcept nogil:
    """The length that the fixed header promises, without a trailer."""
    cdef size_t length = sizeof(fv_vrrp_t) + advert.count * address_len(family)

    return length + FV_AUTH_LEN if has_auth_data(advert, family) else length


cdef inline size_t address_len(uint8_t family) noexcept nogil:
    return 4 if family == 4 else 16


cdef inline bint is_multicast(uint8_t family, const uint8_t* address) noexcept nogil:
    return address[0] >> 4 == 0xE if family == 4 else address[0] == 0xFF


cdef inline bint is_link_local(const uint8_t* address) noexcept nogil:
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80


cdef inline bint is_known(const uint8_t* address) noexcept nogil:
    """False for 16 zero bytes, the address that no packet carries."""
    cdef uint8_t[16] unknown

    memset(unknown, 0, sizeof(unknown))
    return memcmp(address, unknown, sizeof(unknown)) != 0


cdef void read_fixed(const fv_vrrp_t* vrrp, advert_t* advert) noexcept nogil:
    """Decode the fixed header, whose 8 bytes the caller has checked."""
    advert.version = vrrp.version_type >> 4
    advert.vrid = vrrp.vrid
    advert.priority = vrrp.priority
    advert.count = vrrp.count
    if advert.version == 3:
        advert.interval = NS_PER_CENTISECOND * <int64_t> (ntohs(vrrp.max_interval_cs_be) & FV_INTERVAL_MASK)
    else:
        advert.auth_type = vrrp.auth_type
        advert.interval = 100 * NS_PER_CENTISECOND * <int64_t> vrrp.interval_s


cdef bint is_own(const fv_rx_meta_t* meta, const profile_t* profile) noexcept nogil:
    return is_known(profile.own) and memcmp(meta.src, profile.own, sizeof(profile.own)) == 0


cdef reject_t check_path(const fv_rx_meta_t* meta, const profile_t* profile) noexcept nogil:
    """How the packet came: TTL, destination, sender."""
    # RFC 9568 §7.1. A unicast peer may be some hops away, but a TTL that the kernel hides is no TTL.
    if meta.ttl < 0 or (meta.ttl != 255 and not profile.unicast):
        return REJECT_TTL
    if is_multicast(meta.family, meta.dst) == profile.unicast:
        return REJECT_DESTINATION
    if not profile.unicast and is_known(profile.group) and memcmp(meta.dst, profile.group, sizeof(meta.dst)) != 0:
        return REJECT_DESTINATION
    return check_peer(meta, profile)


cdef reject_t check_peer(const fv_rx_meta_t* meta, const profile_t* profile) noexcept nogil:
    cdef uint16_t i

    # keepalived: where trailers are configured, only unicast peers are heard, whatever else is said
    if profile.n_peers == 0 or (profile.any_source and profile.n_hmac_keys == 0):
        return ACCEPTED
    for i in range(profile.n_peers):
        if memcmp(meta.src, profile.peers[i], sizeof(meta.src)) == 0:
            if meta.ttl < profile.peer_min_ttl[i] or meta.ttl > (profile.peer_max_ttl[i] or 255):
                return REJECT_PEER_TTL
            return ACCEPTED
    return REJECT_SOURCE


cdef bint checksum_holds(
    const packet_t* packet, size_t length, const fv_rx_meta_t* meta, const profile_t* profile, advert_t* advert,
) noexcept nogil:
    """Verify the checksum and note its convention.

    Version 3 over IPv4 has two: RFC 9568 §5.2.8 sums the message alone, RFC 5798 was read as wanting a
    pseudo-header; and an old keepalived names the multicast group in it even when it sends to a peer. Any of
    them is accepted; none is no answer. A trailer is summed over IPv6 only.
    """
    cdef uint64_t message

    advert.checksum_style = CHECKSUM_PSEUDO
    if meta.family == 6:
        message = fv_sum(0, packet.vrrp, packet.vrrp_len)
        return pseudo_holds(message, packet.vrrp_len, meta, meta.dst)
    message = fv_sum(0, packet.vrrp, length)
    if advert.version == 3 and pseudo_holds(message, length, meta, meta.dst):
        return True
    advert.checksum_style = CHECKSUM_MESSAGE
    if fv_sum_finish(message) == 0:
        return True
    if advert.version != 3 or not profile.unicast or not is_known(profile.group):
        return False
    advert.checksum_style = CHECKSUM_GROUP
    return pseudo_holds(message, length, meta, profile.group)


cdef inline bint pseudo_holds(
    uint64_t message, size_t length, const fv_rx_meta_t* meta, const uint8_t* dst,
) noexcept nogil:
    return fv_sum_finish(
        fv_sum_pseudo(message, meta.family, meta.src, dst, FV_PROTO_VRRP, <uint32_t> length)
    ) == 0


cdef reject_t check_trailer(
    const packet_t* packet, size_t length, const fv_rx_meta_t* meta, const profile_t* profile, advert_t* advert,
) noexcept nogil:
    """Without a trailer an advert passes unless the mode is to enforce one; with one, it must be right."""
    if profile.n_hmac_keys == 0:
        return ACCEPTED
    if packet.vrrp_len > length:
        return hmac_verify(packet, length, meta, profile, advert)
    return REJECT_HMAC_MISSING if profile.hmac_mode == HMAC_ENFORCE else ACCEPTED


cdef reject_t check_auth(
    const packet_t* packet, size_t length, const fv_rx_meta_t* meta, const profile_t* profile, advert_t* advert,
) noexcept nogil:
    if advert.auth_type > AUTH_AH:
        return REJECT_AUTH_TYPE
    if advert.auth_type != profile.auth_type or (packet.ah != NULL) != (profile.auth_type == AUTH_AH):
        return REJECT_AUTH_MISMATCH
    if profile.auth_type == AUTH_AH:
        return verify_ah(packet, meta, profile, advert)
    if profile.auth_type == AUTH_PASS and not (
        has_auth_data(advert, meta.family)
        and packet.vrrp_len >= length >= FV_AUTH_LEN
        and verify_pass(packet.vrrp + length - FV_AUTH_LEN, profile.password)
    ):
        return REJECT_AUTH_PASS
    return ACCEPTED


cdef reject_t check_meaning(uint8_t family, const profile_t* profile, const advert_t* advert) noexcept nogil:
    if advert.count == 0 and not profile.no_addresses:
        return REJECT_COUNT
    if profile.strict and family == 6 and not is_link_local(advert.addresses):
        return REJECT_FIRST_ADDRESS
    if advert.interval == 0:
        return REJECT_INTERVAL_ZERO
    # RFC 3768 §7.1; version 3 learns the interval instead
    if advert.version == 2 and not profile.any_interval and advert.interval != profile.advert_interval:
        return REJECT_INTERVAL
    return ACCEPTED


# ---- Python faces ----

cdef int _check_names() except -1:
    """Compare packet.reject_t with names.RejectReason; a difference would mislabel every counter."""
    here = {
        "ACCEPTED": ACCEPTED,
        "IP_HEADER": REJECT_IP_HEADER,
        "IP_LENGTH": REJECT_IP_LENGTH,
        "FRAGMENT": REJECT_FRAGMENT,
        "PROTOCOL": REJECT_PROTOCOL,
        "AH_HEADER": REJECT_AH_HEADER,
        "TRUNCATED": REJECT_TRUNCATED,
        "VRID": REJECT_VRID,
        "INACTIVE": REJECT_INACTIVE,
        "OWN_SOURCE": REJECT_OWN_SOURCE,
        "LENGTH": REJECT_LENGTH,
        "TTL": REJECT_TTL,
        "DESTINATION": REJECT_DESTINATION,
        "SOURCE": REJECT_SOURCE,
        "VERSION": REJECT_VERSION,
        "TYPE": REJECT_TYPE,
        "CHECKSUM": REJECT_CHECKSUM,
        "AUTH_TYPE": REJECT_AUTH_TYPE,
        "AUTH_MISMATCH": REJECT_AUTH_MISMATCH,
        "AUTH_PASS": REJECT_AUTH_PASS,
        "AUTH_ICV": REJECT_AUTH_ICV,
        "AUTH_SPI": REJECT_AUTH_SPI,
        "AUTH_REPLAY": REJECT_AUTH_REPLAY,
        "COUNT": REJECT_COUNT,
        "INTERVAL_ZERO": REJECT_INTERVAL_ZERO,
        "INTERVAL": REJECT_INTERVAL,
        "HMAC_MISSING": REJECT_HMAC_MISSING,
        "HMAC_MALFORMED": REJECT_HMAC_MALFORMED,
        "HMAC_STALE": REJECT_HMAC_STALE,
        "HMAC_KEY": REJECT_HMAC_KEY,
        "HMAC_INVALID": REJECT_HMAC_INVALID,
        "HMAC_REPLAY": REJECT_HMAC_REPLAY,
        "OWNER": REJECT_OWNER,
        "FIRST_ADDRESS": REJECT_FIRST_ADDRESS,
        "CARP": REJECT_CARP,
        "PEER_TTL": REJECT_PEER_TTL,
    }
    if here != {reason.name: reason.value for reason in RejectReason} or len(here) != N_REJECTS:
        raise ImportError("wire/packet.pxd and names.RejectReason differ: rebuild the extension modules")
    return 0


_check_names()


def internet_checksum(
    data: bytes, *, src: bytes = b"", dst: bytes = b"", protocol: int = 0,
) -> int:
    """Return the checksum of `data` (RFC 1071), with the pseudo-header of `src` and `dst` if given.

    0 means that `data` contains its own checksum, and that it holds.
    """
    cdef uint64_t total = fv_sum(0, <const uint8_t*> data, len(data))

    if src or dst:
        if len(src) != len(dst) or len(src) not in (4, 16):
            raise ValueError("src and dst must be two addresses of 4 or of 16 bytes")
        total = fv_sum_pseudo(total, 4 if len(src) == 4 else 6, src, dst, protocol, len(data))
    return ntohs(fv_sum_finish(total))


def decode_packet(
    data: bytes, *, family: int, payload: bool = False, src=None, dst=None, ttl: int | None = None,
    version: int | None = None, vrid: int | None = None, interval_ns: int | None = None, unicast: bool | None = None,
    auth_type: int = 0, password: bytes = b"", own=None, peers=(), peer_ttls=(), any_source: bool = False,
    group=None, strict: bool = False, hmac_keys=(), hmac_mode: int = 0, hmac_window_s: int | None = None,
    wall_ns: int = 0,
) -> Decoded:
    """Return what a receiver makes of a packet: `locate` and `decode`, as the hot loop runs them.

    `data` is an IP packet, or with `payload` the VRRP message alone; `src`, `dst` and `ttl` then stand in
    for the IP header. The other keywords describe the receiver; what is None follows the packet: its
    version, VRID and interval, and unicast or multicast after its destination. `password` is cut to
    8 bytes. `peer_ttls` are (least, most) for each of `peers`. `group` None: any, and 224.0.0.18 in old
    checksums. `hmac_keys` are (id, 32 to 64 bytes) and make the receiver want a trailer; its time must be
    within `hmac_window_s` of `wall_ns` (since 1970), None: it may be any. `hmac_mode`: 0 enforce, 1
    permissive, 2 receive-only. ValueError when the receiver cannot exist.
    """
    cdef bytes held = data
    cdef const uint8_t* start = held
    cdef size_t length = len(held)
    cdef fv_rx_meta_t meta
    cdef packet_t packet
    cdef profile_t profile
    cdef advert_t advert
    cdef reject_t reason, decoded

    if family not in (4, 6):
        raise ValueError("family is 4 or 6")
    memset(&meta, 0, sizeof(meta))
    memset(&packet, 0, sizeof(packet))
    memset(&advert, 0, sizeof(advert))
    memset(&profile, 0, sizeof(profile))
    meta.family = family
    meta.ttl = -1
    meta.wall = wall_ns
    if payload:
        meta.ttl = -1 if ttl is None else ttl
        copy_address(meta.src, src)
        copy_address(meta.dst, dst)
        reason = locate_vrrp(start, length, &packet)
    elif family == 4:
        reason = locate(start, length, &meta, &packet)
    else:
        reason = read_ipv6(start, &length, &meta)
        if reason == ACCEPTED:
            reason = locate(start + IPV6_HEADER, length, &meta, &packet)
    if packet.vrrp == NULL:
        return _to_python(reason, &meta, &packet, &profile, &advert)

    profile.version = version or (2 if packet.vrrp[0] >> 4 == 2 else 3)
    profile.family = family
    profile.vrid = vrid or packet.vrid
    profile.unicast = not is_multicast(meta.family, meta.dst) if unicast is None else unicast
    profile.any_interval = interval_ns is None
    profile.advert_interval = interval_ns or 0
    profile.strict = strict
    profile.auth_type = auth_type
    copy_padded(profile.password, password[:FV_AUTH_LEN], FV_AUTH_LEN)
    prepare_key(&profile.ah_key, profile.password)
    copy_address(profile.own, own)
    if group is None and profile.unicast and family == 4:
        group = IPv4Address("224.0.0.18")
    copy_address(profile.group, group)
    profile.any_source = any_source
    fill_peers(&profile, peers, peer_ttls)
    fill_keys(&profile, hmac_keys)
    profile.hmac_mode = hmac_mode
    profile.hmac_monotonic = hmac_window_s is None
    profile.hmac_window = hmac_window_s or 0

    decoded = decode(&packet, &meta, &profile, &advert)
    if reason == ACCEPTED:
        reason = decoded
    return _to_python(reason, &meta, &packet, &profile, &advert)


cdef int fill_peers(profile_t* profile, peers, peer_ttls) except -1:
    if len(peers) > MAX_PEERS:
        raise ValueError(f"at most {MAX_PEERS} peers are possible")
    if len(peer_ttls) not in (0, len(peers)):
        raise ValueError("peer_ttls must be given for each peer")
    profile.n_peers = len(peers)
    for i, peer in enumerate(peers):
        copy_address(profile.peers[i], peer)
    for i, (least, most) in enumerate(peer_ttls):
        profile.peer_min_ttl[i] = least
        profile.peer_max_ttl[i] = most
    return 0


cdef int fill_keys(profile_t* profile, hmac_keys) except -1:
    cdef bytes secret

    if len(hmac_keys) > MAX_HMAC_KEYS:
        raise ValueError(f"at most {MAX_HMAC_KEYS} keys are possible")
    profile.n_hmac_keys = len(hmac_keys)
    for i, (number, key) in enumerate(hmac_keys):
        secret = key
        prepare_hmac_key(&profile.hmac_keys[i], number, secret, len(secret))
    return 0


cdef int copy_address(uint8_t* target, address) except -1:
    """Copy an ipaddress object, None as all zero, into 16 bytes."""
    return copy_padded(target, b"" if address is None else address.packed, 16)


cdef reject_t read_ipv6(const uint8_t* data, size_t* length, fv_rx_meta_t* meta) noexcept nogil:
    """Do what the kernel does before a raw IPv6 socket: check the header, tell `meta`, trim `length`."""
    cdef size_t payload

    if length[0] < IPV6_HEADER or data[0] >> 4 != 6:
        return REJECT_IP_HEADER
    payload = (<size_t> data[4] << 8) + data[5]
    memcpy(meta.src, data + 8, sizeof(meta.src))
    memcpy(meta.dst, data + 24, sizeof(meta.dst))
    meta.ttl = data[7]
    if payload > length[0] - IPV6_HEADER:
        return REJECT_IP_LENGTH
    if data[6] != FV_PROTO_VRRP:
        return REJECT_FRAGMENT if data[6] == IPV6_FRAGMENT else REJECT_PROTOCOL
    length[0] = payload
    return ACCEPTED


cdef object address_object(uint8_t family, const uint8_t* address):
    if family == 4:
        return IPv4Address(address[:4])
    return IPv6Address(address[:16])


cdef object known_address(uint8_t family, const uint8_t* address):
    """None for the all-zero address, which no packet carries: it was not told."""
    found = address_object(family, address)
    return None if found.is_unspecified else found


cdef tuple address_objects(uint8_t family, const advert_t* advert):
    cdef size_t size = address_len(family)
    cdef size_t i
    cdef list found = []

    for i in range(advert.count):
        found.append(address_object(family, advert.addresses + i * size))
    return tuple(found)


cdef object auth_name(const packet_t* packet, const advert_t* advert):
    if packet.ah != NULL:
        return "ah"
    if advert.auth_type == AUTH_NONE:
        return "none"
    return {AUTH_PASS: "pass", AUTH_AH: "ah"}.get(advert.auth_type, "unknown")


cdef object trailer_of(
    const packet_t* packet, const fv_rx_meta_t* meta, const profile_t* profile, const advert_t* advert,
):
    """What stands behind the message, if it has the length of a trailer."""
    cdef size_t length = message_len(advert, meta.family)
    cdef const fv_trailer_t* trailer = <const fv_trailer_t*> (packet.vrrp + length)
    cdef bint is_checked

    if packet.vrrp_len < sizeof(fv_vrrp_t) or packet.vrrp_len != length + sizeof(fv_trailer_t):
        return None
    is_checked = advert.hmac_sequence != 0 and any(
        profile.hmac_keys[i].id == trailer.key_id for i in range(profile.n_hmac_keys)
    )
    return Trailer(
        key_id=trailer.key_id, sequence=be64toh(trailer.sequence_be),
        authentic=bool(advert.authentic) if is_checked else None,
    )


cdef object _to_python(
    reject_t reason, const fv_rx_meta_t* meta, const packet_t* packet, const profile_t* profile, const advert_t* advert,
):
    told = {
        "reason": RejectReason(reason),
        "src": known_address(meta.family, meta.src),
        "dst": known_address(meta.family, meta.dst),
        "ttl": None if meta.ttl < 0 else meta.ttl,
    }
    if packet.vrrp == NULL:
        return Decoded(**told)
    if advert.addresses != NULL:
        told["addresses"] = address_objects(meta.family, advert)
    if advert.ah_sequence:
        told["ah_sequence"] = advert.ah_sequence
    if reason == ACCEPTED:
        told["checksum_style"] = advert.checksum_style
    return Decoded(
        version=advert.version, vrid=advert.vrid, priority=advert.priority, interval_ns=advert.interval,
        auth=auth_name(packet, advert), trailer=trailer_of(packet, meta, profile, advert), **told,
    )
