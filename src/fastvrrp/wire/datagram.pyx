"""Adverts to bytes: laid out once (RFC 9568 §5.2, RFC 3768 §5.3), then finished for every sending."""

from dataclasses import replace

from libc.stdint cimport uint8_t, uint16_t, uint64_t
from libc.string cimport memcpy, memset

from fastvrrp.wire.auth cimport prepare_key, seal_ah
from fastvrrp.wire.headers cimport (
    FV_AH_PAYLOAD_LEN, FV_AUTH_LEN, FV_PROTO_AH, FV_PROTO_VRRP, FV_TYPE_ADVERT, fv_ipv4_t, fv_sum, fv_sum_finish,
    fv_sum_pseudo, fv_trailer_t, fv_vrrp_t, htons,
)
from fastvrrp.wire.hmac cimport prepare_hmac_key, seal_hmac
from fastvrrp.wire.packet cimport (
    AUTH_AH, AUTH_NONE, AUTH_PASS, CHECKSUM_GROUP, CHECKSUM_MESSAGE, CHECKSUM_PSEUDO, profile_t,
)

from fastvrrp.wire.values import Layout

__all__ = ["layout", "reseal"]

cdef enum:
    NS_PER_CENTISECOND = 10_000_000

_GROUP_V4 = bytes((224, 0, 0, 18))


# ---- hot ----

cdef void finish(
    datagram_t* datagram, const sending_t* sending, const profile_t* profile, const uint8_t* src, const uint8_t* dst,
) noexcept nogil:
    cdef uint8_t style = datagram.checksum_style
    cdef const uint8_t* named = dst

    (<fv_vrrp_t*> (datagram.data + datagram.vrrp)).priority = sending.priority
    if datagram.trailer:
        # covers the priority; the checksum of IPv6 covers it
        seal_hmac(datagram, &profile.hmac_keys[profile.hmac_active], sending.hmac_sequence, src)
    if sending.old_checksum and datagram.unicast and style == CHECKSUM_PSEUDO:
        style = CHECKSUM_GROUP
    if style == CHECKSUM_GROUP:
        named = <const uint8_t*> profile.group
    write_checksum(datagram, style, src, named)
    finish_ipv4(datagram, sending.ip_id)
    if datagram.ah:
        seal_ah(datagram, &profile.ah_key, sending.ah_sequence)


cdef void set_priority(
    datagram_t* datagram, uint8_t priority, const uint8_t* src, const uint8_t* dst,
) noexcept nogil:
    (<fv_vrrp_t*> (datagram.data + datagram.vrrp)).priority = priority
    write_checksum(datagram, datagram.checksum_style, src, dst)


cdef void write_checksum(
    datagram_t* datagram, uint8_t style, const uint8_t* src, const uint8_t* dst,
) noexcept nogil:
    """`dst` is the destination that the pseudo-header names. Over IPv6 a trailer is summed too (RFC 3542 §3.1:
    all of the payload), over IPv4 it is not."""
    cdef uint8_t* message = datagram.data + datagram.vrrp
    cdef fv_vrrp_t* vrrp = <fv_vrrp_t*> message
    cdef bint cut = datagram.family == 4 and datagram.trailer != 0
    cdef uint16_t length = (datagram.trailer if cut else datagram.length) - datagram.vrrp
    cdef uint64_t total

    vrrp.checksum_be = 0
    total = fv_sum(0, message, length)
    if datagram.family == 6 or (datagram.version == 3 and style != CHECKSUM_MESSAGE):
        total = fv_sum_pseudo(total, datagram.family, src, dst, FV_PROTO_VRRP, length)
    vrrp.checksum_be = fv_sum_finish(total)


cdef void finish_ipv4(datagram_t* datagram, uint16_t ip_id) noexcept nogil:
    """The kernel would write the checksum, too, but not that of a frame for a packet socket."""
    cdef fv_ipv4_t* header = <fv_ipv4_t*> datagram.data
    if datagram.family == 4:
        header.id_be = htons(ip_id)
        header.checksum_be = 0
        header.checksum_be = fv_sum_finish(fv_sum(0, datagram.data, sizeof(fv_ipv4_t)))


# ---- cold ----

cdef int copy_padded(uint8_t* target, bytes source, size_t size) except -1:
    """Copy `source` into `size` bytes, zero padded."""
    if <size_t> len(source) > size:
        raise ValueError(f"{len(source)} bytes given where at most {size} fit")
    memset(target, 0, size)
    memcpy(target, <const uint8_t*> source, len(source))
    return 0


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
    """A header without options; finish() writes identification and checksum."""
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


def _check_options(family, auth_type, checksum_style, group, hmac) -> None:
    if not CHECKSUM_PSEUDO <= checksum_style <= CHECKSUM_GROUP:
        raise ValueError("checksum_style is 0, 1 or 2")
    if group and len(group) != (4 if family == 4 else 16):
        raise ValueError("group is an address of the family")
    if hmac and auth_type != AUTH_NONE:
        raise ValueError("a trailer takes the place of other authentication")


def layout(
    *, family: int, version: int, vrid: int, priority: int, interval_ns: int, addresses, src: bytes, dst: bytes,
    auth_type: int = 0, password: bytes = b"", ttl: int = 255, tos: int = 0xC0, unicast: bool = False,
    checksum_style: int = 0, group: bytes = b"", hmac: bool = False,
) -> Layout:
    """Return an advert laid out for sending (RFC 9568 §5.2, RFC 3768 §5.3); ValueError when it cannot be.

    `addresses`, `src` and `dst` are packed. `auth_type` is 0, 1 (PASS) or 2 (AH); the check value of an
    AH and the content of a trailer (`hmac`) stay zero until `reseal` or the hot loop seals them. `ttl`
    and `tos` are ignored for IPv6. `checksum_style` (version 3 over IPv4) is 0, with pseudo-header, 1,
    without, or 2, with one to `group` (224.0.0.18) instead of `dst`.
    """
    _check_layout(family, version, vrid, addresses, src, dst, auth_type)
    _check_options(family, auth_type, checksum_style, group, hmac)
    message = _message(version, family, vrid, interval_ns, addresses, auth_type, password)
    trailer = bytes(sizeof(fv_trailer_t)) if hmac else b""
    ip = ah = b""
    if auth_type == AUTH_AH:
        ah = bytes((FV_PROTO_VRRP, FV_AH_PAYLOAD_LEN, 0, 0)) + src + bytes(16)
    if family == 4:
        protocol = FV_PROTO_AH if ah else FV_PROTO_VRRP
        ip = _ipv4_header(protocol, len(ah) + len(message) + len(trailer), tos, ttl, src, dst)
        group = group or _GROUP_V4
    start = len(ip) + len(ah)
    blank = Layout(
        data=ip + ah + message + trailer, vrrp=start, ah=len(ip) if ah else 0,
        trailer=start + len(message) if trailer else 0, family=family, version=version, unicast=unicast,
        checksum_style=checksum_style, src=src, dst=dst, group=group,
    )
    return replace(blank, data=_with_priority(blank, priority))


cdef datagram_t _datagram(layout, bytearray data):
    cdef datagram_t datagram

    datagram.data = data
    datagram.length = len(data)
    datagram.vrrp = layout.vrrp
    datagram.ah = layout.ah
    datagram.trailer = layout.trailer
    datagram.family = layout.family
    datagram.version = layout.version
    datagram.unicast = layout.unicast
    datagram.checksum_style = layout.checksum_style
    return datagram


def _with_priority(layout, priority) -> bytes:
    cdef bytearray data = bytearray(layout.data)
    cdef datagram_t datagram = _datagram(layout, data)

    dst = layout.group if layout.checksum_style == CHECKSUM_GROUP else layout.dst
    set_priority(&datagram, priority, layout.src, dst)
    finish_ipv4(&datagram, 0)
    return bytes(data)


def reseal(
    layout: Layout, *, priority: int, ip_id: int = 0, ah_sequence: int = 0, password: bytes = b"",
    hmac_key=None, hmac_sequence: int = 0, old_checksum: bool = False,
) -> bytes:
    """Return the datagram as the hot loop sends it.

    `hmac_key` (id, bytes) and `hmac_sequence` are for a layout with a trailer. `old_checksum`: as style 2,
    where the layout has style 0 and is unicast.
    """
    cdef bytearray data = bytearray(layout.data)
    cdef datagram_t datagram = _datagram(layout, data)
    cdef sending_t sending
    cdef profile_t profile
    cdef uint8_t password8[8]
    cdef bytes secret

    memset(&profile, 0, sizeof(profile))
    copy_padded(profile.group, layout.group, sizeof(profile.group))
    copy_padded(password8, password[:FV_AUTH_LEN], FV_AUTH_LEN)
    prepare_key(&profile.ah_key, password8)
    if layout.trailer:
        if hmac_key is None:
            raise ValueError("a layout with a trailer needs a key")
        secret = hmac_key[1]
        prepare_hmac_key(&profile.hmac_keys[0], hmac_key[0], secret, len(secret))
    sending.priority = priority
    sending.old_checksum = old_checksum
    sending.ip_id = ip_id
    sending.ah_sequence = ah_sequence
    sending.hmac_sequence = hmac_sequence
    finish(&datagram, &sending, &profile, layout.src, layout.dst)
    return bytes(data)
