"""Adverts to and from bytes: RFC 3768 (version 2) and RFC 9568 (version 3).

`locate` and `decode` are the receive path: they never allocate, never raise, and read no byte before the
check that bounds it. The order of the checks is fixed, and each failure has its own RejectReason.
The functions with a Python face at the end serve preparation, tests and tools.
"""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from libc.stdint cimport UINT16_MAX, int64_t, uint8_t, uint16_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from fastvrrp.wire.auth cimport prepare_key, seal_ah, verify_ah, verify_pass
from fastvrrp.wire.headers cimport (
    FV_AH_PAYLOAD_LEN, FV_AUTH_LEN, FV_FRAGMENT_MASK, FV_INTERVAL_MASK, FV_PROTO_AH, FV_PROTO_VRRP,
    FV_TYPE_ADVERT, fv_ah_t, fv_ipv4_t, fv_sum, fv_sum_finish, fv_sum_pseudo, fv_vrrp_t, htons, ntohs,
)
from fastvrrp.wire.packet cimport (
    ACCEPTED, AUTH_AH, AUTH_NONE, AUTH_PASS, CHECKSUM_MESSAGE, CHECKSUM_PSEUDO, MAX_PEERS, N_REJECTS,
    REJECT_AH_HEADER, REJECT_AUTH_ICV, REJECT_AUTH_MISMATCH, REJECT_AUTH_PASS, REJECT_AUTH_REPLAY, REJECT_AUTH_SPI,
    REJECT_AUTH_TYPE, REJECT_CHECKSUM, REJECT_COUNT, REJECT_DESTINATION, REJECT_FRAGMENT, REJECT_INACTIVE,
    REJECT_INTERVAL, REJECT_INTERVAL_ZERO, REJECT_IP_HEADER, REJECT_IP_LENGTH, REJECT_LENGTH, REJECT_OWN_SOURCE,
    REJECT_PROTOCOL, REJECT_SOURCE, REJECT_TRUNCATED, REJECT_TTL, REJECT_TYPE, REJECT_VERSION, REJECT_VRID,
    advert_t, fv_hmac_md5_t, fv_rx_meta_t, packet_t, profile_t, reject_t,
)

from fastvrrp.names import RejectReason
from fastvrrp.wire.values import Decoded, Layout

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
    return REJECT_VRID if vrrp.vrid == 0 else ACCEPTED


# ---- receive path: what an advert says, and whether to believe it ----

cdef reject_t decode(
    const packet_t* packet, const fv_rx_meta_t* meta, const profile_t* profile, advert_t* advert,
) noexcept nogil:
    cdef const fv_vrrp_t* vrrp = <const fv_vrrp_t*> packet.vrrp
    cdef const uint8_t* auth_data = NULL
    cdef size_t length = sizeof(fv_vrrp_t)
    cdef bint has_auth_data
    cdef reject_t reason

    memset(advert, 0, sizeof(advert_t))
    memcpy(advert.src, meta.src, sizeof(advert.src))
    if packet.vrrp_len < length:
        return REJECT_TRUNCATED
    read_fixed(vrrp, advert)
    length += advert.count * address_len(meta.family)
    if length <= packet.vrrp_len:
        advert.addresses = packet.vrrp + sizeof(fv_vrrp_t)
    if advert.vrid != profile.vrid:
        return REJECT_VRID
    if is_own(meta, profile):
        return REJECT_OWN_SOURCE

    # keepalived: version 2 over IPv6 has no authentication data
    has_auth_data = advert.version != 3 and meta.family == 4
    if has_auth_data:
        length += FV_AUTH_LEN
    if length != packet.vrrp_len:
        return REJECT_LENGTH
    if has_auth_data:
        auth_data = packet.vrrp + length - FV_AUTH_LEN

    reason = check_path(meta, profile)
    if reason != ACCEPTED:
        return reason
    if advert.version != profile.version:
        return REJECT_VERSION
    if vrrp.version_type & 0x0F != FV_TYPE_ADVERT:
        return REJECT_TYPE
    if not checksum_holds(packet, meta, advert):
        return REJECT_CHECKSUM
    reason = check_auth(packet, meta, profile, auth_data, advert)
    if reason != ACCEPTED:
        return reason
    return check_meaning(profile, advert)


cdef inline size_t address_len(uint8_t family) noexcept nogil:
    return 4 if family == 4 else 16


cdef inline bint is_multicast(uint8_t family, const uint8_t* address) noexcept nogil:
    return address[0] >> 4 == 0xE if family == 4 else address[0] == 0xFF


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
    cdef uint8_t[16] unknown

    memset(unknown, 0, sizeof(unknown))
    if memcmp(profile.own, unknown, sizeof(unknown)) == 0:
        return False
    return memcmp(meta.src, profile.own, sizeof(unknown)) == 0


cdef reject_t check_path(const fv_rx_meta_t* meta, const profile_t* profile) noexcept nogil:
    """How the packet came: TTL, kind of destination, sender."""
    cdef bint multicast = is_multicast(meta.family, meta.dst)
    cdef uint16_t i

    # RFC 9568 §7.1. A unicast peer may be some hops away, but a TTL that the kernel hides is no TTL.
    if meta.ttl < 0 or (meta.ttl != 255 and not profile.unicast):
        return REJECT_TTL
    if multicast == profile.unicast:
        return REJECT_DESTINATION
    if not profile.unicast or profile.any_source or profile.n_peers == 0:
        return ACCEPTED
    for i in range(profile.n_peers):
        if memcmp(meta.src, profile.peers[i], sizeof(meta.src)) == 0:
            return ACCEPTED
    return REJECT_SOURCE


cdef bint checksum_holds(const packet_t* packet, const fv_rx_meta_t* meta, advert_t* advert) noexcept nogil:
    """Verify the checksum and note its convention.

    Version 3 over IPv4 has two: RFC 9568 §5.2.8 sums the message alone, RFC 5798 was read as wanting a
    pseudo-header. Either is accepted; neither is no answer.
    """
    cdef uint64_t message = fv_sum(0, packet.vrrp, packet.vrrp_len)

    if meta.family == 6 or advert.version == 3:
        advert.checksum_style = CHECKSUM_PSEUDO
        if fv_sum_finish(
            fv_sum_pseudo(message, meta.family, meta.src, meta.dst, FV_PROTO_VRRP, packet.vrrp_len)
        ) == 0:
            return True
    if meta.family == 6:
        return False
    advert.checksum_style = CHECKSUM_MESSAGE
    return fv_sum_finish(message) == 0


cdef reject_t check_auth(
    const packet_t* packet, const fv_rx_meta_t* meta, const profile_t* profile,
    const uint8_t* auth_data, advert_t* advert,
) noexcept nogil:
    """`auth_data` are the last 8 bytes of the message, NULL where its format has none."""
    if advert.auth_type > AUTH_AH:
        return REJECT_AUTH_TYPE
    if advert.auth_type != profile.auth_type or (packet.ah != NULL) != (profile.auth_type == AUTH_AH):
        return REJECT_AUTH_MISMATCH
    if profile.auth_type == AUTH_AH:
        return verify_ah(packet, meta, profile, advert)
    if profile.auth_type == AUTH_PASS and (auth_data == NULL or not verify_pass(auth_data, profile.password)):
        return REJECT_AUTH_PASS
    return ACCEPTED


cdef reject_t check_meaning(const profile_t* profile, const advert_t* advert) noexcept nogil:
    if advert.count == 0:
        return REJECT_COUNT
    if advert.interval == 0:
        return REJECT_INTERVAL_ZERO
    # RFC 3768 §7.1; version 3 learns the interval instead
    if advert.version == 2 and not profile.any_interval and advert.interval != profile.advert_interval:
        return REJECT_INTERVAL
    return ACCEPTED


# ---- sending ----

cdef void set_priority(
    datagram_t* datagram, uint8_t priority, const uint8_t* src, const uint8_t* dst,
) noexcept nogil:
    cdef uint8_t* message = datagram.data + datagram.vrrp
    cdef uint16_t length = datagram.length - datagram.vrrp
    cdef fv_vrrp_t* vrrp = <fv_vrrp_t*> message
    cdef uint64_t total

    vrrp.priority = priority
    vrrp.checksum_be = 0
    total = fv_sum(0, message, length)
    if datagram.family == 6 or (datagram.version == 3 and datagram.checksum_style == CHECKSUM_PSEUDO):
        total = fv_sum_pseudo(total, datagram.family, src, dst, FV_PROTO_VRRP, length)
    vrrp.checksum_be = fv_sum_finish(total)


cdef void set_ip_id(datagram_t* datagram, uint16_t ip_id) noexcept nogil:
    if datagram.family == 4:
        (<fv_ipv4_t*> datagram.data).id_be = htons(ip_id)


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
    }
    if here != {reason.name: reason.value for reason in RejectReason} or len(here) != N_REJECTS:
        raise ImportError("wire/packet.pxd and names.RejectReason differ: rebuild the extension modules")
    return 0


_check_names()


cdef int copy_padded(uint8_t* target, bytes source, size_t size) except -1:
    """Copy `source` into `size` bytes, zero padded."""
    if <size_t> len(source) > size:
        raise ValueError(f"{len(source)} bytes given where at most {size} fit")
    memset(target, 0, size)
    memcpy(target, <const uint8_t*> source, len(source))
    return 0


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


def _interval_bytes(version: int, interval_ns: int, auth_type: int) -> bytes:
    if version == 3:
        value, rest = divmod(interval_ns, NS_PER_CENTISECOND)
        if rest or not 1 <= value <= 4095:
            raise ValueError("a version 3 interval is 1 to 4095 whole centiseconds")
        return value.to_bytes(2, "big")
    value, rest = divmod(interval_ns, 100 * NS_PER_CENTISECOND)
    if rest or not 1 <= value <= 255:
        raise ValueError("a version 2 interval is 1 to 255 whole seconds")
    return bytes((auth_type, value))


def _message(version, family, vrid, interval_ns, addresses, auth_type, password) -> bytes:
    """The VRRP message with priority and checksum 0."""
    fixed = bytes((version << 4 | FV_TYPE_ADVERT, vrid, 0, len(addresses)))
    message = fixed + _interval_bytes(version, interval_ns, auth_type) + bytes(2) + b"".join(addresses)
    if version == 2 and family == 4:
        secret = password if auth_type == AUTH_PASS else b""
        message += secret[:FV_AUTH_LEN].ljust(FV_AUTH_LEN, b"\0")
    return message


def _ipv4_header(protocol: int, payload: int, tos: int, ttl: int, src: bytes, dst: bytes) -> bytes:
    """A header without options; the kernel writes the checksum, set_ip_id() the identification."""
    total = sizeof(fv_ipv4_t) + payload
    return bytes((0x45, tos)) + total.to_bytes(2, "big") + bytes(4) + bytes((ttl, protocol, 0, 0)) + src + dst


def _check_layout(family, version, vrid, addresses, src, dst, auth_type) -> None:
    size = 4 if family == 4 else 16
    if family not in (4, 6) or version not in (2, 3):
        raise ValueError("family is 4 or 6, version 2 or 3")
    if any(len(address) != size for address in (src, dst, *addresses)):
        raise ValueError(f"an IPv{family} address has {size} bytes")
    if not 1 <= vrid <= 255 or len(addresses) > 255:
        raise ValueError("vrid is 1 to 255, and at most 255 addresses fit")
    if auth_type != AUTH_NONE and (version != 2 or family != 4):
        raise ValueError("only version 2 over IPv4 has authentication")


def layout(
    *, family: int, version: int, vrid: int, priority: int, interval_ns: int, addresses, src: bytes, dst: bytes,
    auth_type: int = 0, password: bytes = b"", ttl: int = 255, tos: int = 0xC0, unicast: bool = False,
    checksum_style: int = 0,
) -> Layout:
    """Return an advert laid out for sending (RFC 9568 §5.2, RFC 3768 §5.3); ValueError when it cannot be.

    `addresses`, `src` and `dst` are packed. `auth_type` is 0, 1 (PASS) or 2 (AH); the check value of an
    AH stays zero until `reseal` or the hot loop seals it. `ttl` and `tos` are ignored for IPv6.
    """
    _check_layout(family, version, vrid, addresses, src, dst, auth_type)
    message = _message(version, family, vrid, interval_ns, addresses, auth_type, password)
    ip = ah = b""
    if auth_type == AUTH_AH:
        ah = bytes((FV_PROTO_VRRP, FV_AH_PAYLOAD_LEN, 0, 0)) + src + bytes(16)
    if family == 4:
        protocol = FV_PROTO_AH if ah else FV_PROTO_VRRP
        ip = _ipv4_header(protocol, len(ah) + len(message), tos, ttl, src, dst)
    blank = Layout(
        data=ip + ah + message, vrrp=len(ip) + len(ah), ah=len(ip) if ah else 0, family=family, version=version,
        unicast=unicast, checksum_style=checksum_style, src=src, dst=dst,
    )
    return replace(blank, data=_touch_up(blank, priority, 0, None, b""))


def reseal(
    layout: Layout, *, priority: int, ip_id: int = 0, ah_sequence: int = 0, password: bytes = b"",
) -> bytes:
    """Return the datagram as the hot loop would send it: its own steps, in its order."""
    return _touch_up(layout, priority, ip_id, ah_sequence, password)


def _touch_up(layout, priority, ip_id, ah_sequence, password) -> bytes:
    cdef bytearray data = bytearray(layout.data)
    cdef datagram_t datagram
    cdef fv_hmac_md5_t key
    cdef uint8_t password8[8]

    datagram.data = data
    datagram.length = len(data)
    datagram.vrrp = layout.vrrp
    datagram.ah = layout.ah
    datagram.family = layout.family
    datagram.version = layout.version
    datagram.unicast = layout.unicast
    datagram.checksum_style = layout.checksum_style
    set_priority(&datagram, priority, layout.src, layout.dst)
    set_ip_id(&datagram, ip_id)
    if layout.ah and ah_sequence is not None:
        copy_padded(password8, password[:FV_AUTH_LEN], FV_AUTH_LEN)
        prepare_key(&key, password8)
        seal_ah(&datagram, &key, ah_sequence)
    return bytes(data)


def decode_packet(
    data: bytes, *, family: int, payload: bool = False, src=None, dst=None, ttl: int | None = None,
    version: int | None = None, vrid: int | None = None, interval_ns: int | None = None, unicast: bool | None = None,
    auth_type: int = 0, password: bytes = b"", own=None, peers=(), any_source: bool = False,
) -> Decoded:
    """Return what a receiver makes of a packet: `locate` and `decode`, as the hot loop runs them.

    `data` is an IP packet, or with `payload` the VRRP message alone; `src`, `dst` and `ttl` then stand in
    for the IP header. The other keywords describe the receiver; what is None follows the packet: its
    version, VRID and interval, and unicast or multicast after its destination. `password` is cut to
    8 bytes. ValueError when the receiver cannot exist.
    """
    cdef bytes held = data
    cdef const uint8_t* start = held
    cdef size_t length = len(held)
    cdef fv_rx_meta_t meta
    cdef packet_t packet
    cdef profile_t profile
    cdef advert_t advert
    cdef reject_t reason, decoded
    cdef uint16_t i

    if family not in (4, 6):
        raise ValueError("family is 4 or 6")
    memset(&meta, 0, sizeof(meta))
    memset(&packet, 0, sizeof(packet))
    memset(&advert, 0, sizeof(advert))
    meta.family = family
    meta.ttl = -1
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
        return _to_python(reason, &meta, &packet, &advert)

    memset(&profile, 0, sizeof(profile))
    profile.version = version or (2 if packet.vrrp[0] >> 4 == 2 else 3)
    profile.vrid = vrid or packet.vrid
    profile.unicast = not is_multicast(meta.family, meta.dst) if unicast is None else unicast
    profile.any_interval = interval_ns is None
    profile.advert_interval = interval_ns or 0
    profile.auth_type = auth_type
    copy_padded(profile.password, password[:FV_AUTH_LEN], FV_AUTH_LEN)
    prepare_key(&profile.ah_key, profile.password)
    copy_address(profile.own, own)
    profile.any_source = any_source
    if len(peers) > MAX_PEERS:
        raise ValueError(f"at most {MAX_PEERS} peers are possible")
    profile.n_peers = len(peers)
    for i in range(profile.n_peers):
        copy_address(profile.peers[i], peers[i])

    decoded = decode(&packet, &meta, &profile, &advert)
    if reason == ACCEPTED:
        reason = decoded
    return _to_python(reason, &meta, &packet, &advert)


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


cdef object _to_python(reject_t reason, const fv_rx_meta_t* meta, const packet_t* packet, const advert_t* advert):
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
        auth=auth_name(packet, advert), **told,
    )
