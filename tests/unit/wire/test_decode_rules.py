"""Rules of the receive path that no known packet shows: packets right but for one thing."""

from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from fastvrrp.names import RejectReason
from fastvrrp.wire.advert import decode_packet, layout, reseal
from fastvrrp.wire.values import Layout

GROUP4, GROUP6 = IPv4Address("224.0.0.18"), IPv6Address("ff02::12")
A, B = IPv4Address("10.1.0.1"), IPv4Address("10.1.0.2")
A6, B6 = IPv6Address("fe80::1"), IPv6Address("fe80::2")
SECOND = 1_000_000_000


def advert(**changes: object) -> bytes:
    """A valid multicast advert of version 2 over IPv4, unless changed."""
    return prepared(**changes).data


def prepared(**changes: object) -> Layout:
    """The same, laid out to be sent."""
    keywords: dict[str, Any] = {
        "family": 4,
        "version": 2,
        "vrid": 51,
        "priority": 100,
        "interval_ns": SECOND,
        "addresses": [IPv4Address("10.1.0.100").packed],
        "src": A.packed,
        "dst": GROUP4.packed,
    }
    keywords |= changes
    return layout(**keywords)


def advert6(**changes: object) -> bytes:
    """The VRRP message of a valid multicast advert of version 3 over IPv6, unless changed."""
    keywords: dict[str, object] = {
        "family": 6,
        "version": 3,
        "addresses": [IPv6Address("fe80::100").packed],
        "src": A6.packed,
        "dst": GROUP6.packed,
    }
    return advert(**(keywords | changes))


def reason(packet: bytes, **keywords: object) -> RejectReason:
    receiver: dict[str, Any] = {"family": 4}
    receiver |= keywords
    return decode_packet(packet, **receiver).reason


def patched(packet: bytes, at: int, text: str) -> bytes:
    new = bytes.fromhex(text)
    return packet[:at] + new + packet[at + len(new) :]


@pytest.mark.parametrize(
    ("at", "new", "expected"),
    [
        (0, "65", RejectReason.IP_HEADER),  # version 6
        (0, "44", RejectReason.IP_HEADER),  # IHL 4
        (0, "4f", RejectReason.IP_HEADER),  # IHL beyond the packet
        (2, "0029", RejectReason.IP_LENGTH),  # longer than what was received
        (2, "0013", RejectReason.IP_LENGTH),  # shorter than its header
        (2, "0014", RejectReason.TRUNCATED),  # nothing but its header
        (6, "2000", RejectReason.FRAGMENT),  # more fragments
        (6, "0001", RejectReason.FRAGMENT),  # offset
        (6, "4000", RejectReason.ACCEPTED),  # don't fragment
        (6, "8000", RejectReason.ACCEPTED),  # reserved
        (9, "11", RejectReason.PROTOCOL),
        (9, "33", RejectReason.AH_HEADER),  # AH, which is longer than what follows
    ],
)
def test_ipv4_header(at: int, new: str, expected: RejectReason) -> None:
    packet = advert()
    assert len(packet) == 40
    assert reason(patched(packet, at, new)) is expected


@pytest.mark.parametrize(
    ("at", "new", "expected"),
    [
        (20, "06", RejectReason.PROTOCOL),
        (21, "05", RejectReason.AH_HEADER),
        (2, "002b", RejectReason.AH_HEADER),  # ends inside the header
        (2, "002c", RejectReason.TRUNCATED),  # ends with it
    ],
)
def test_authentication_header(at: int, new: str, expected: RejectReason) -> None:
    packet = advert(auth_type=2, password=b"x")
    assert reason(patched(packet, at, new), auth_type=2, password=b"x") is expected


def test_ip_options_are_skipped() -> None:
    plain = advert()
    total = (len(plain) + 4).to_bytes(2, "big")
    optioned = b"\x46" + plain[1:2] + total + plain[4:20] + b"\x94\x04\x00\x00" + plain[20:]
    assert reason(optioned) is RejectReason.ACCEPTED


@pytest.mark.parametrize("ttl", [0, 1, 64, 254])
def test_multicast_wants_ttl_255(ttl: int) -> None:
    assert reason(advert(ttl=ttl)) is RejectReason.TTL


@pytest.mark.parametrize("ttl", [1, 64, 255])
def test_unicast_takes_any_ttl(ttl: int) -> None:
    assert reason(advert(ttl=ttl, dst=B.packed)) is RejectReason.ACCEPTED


@pytest.mark.parametrize(("dst", "unicast"), [(GROUP6, False), (B6, True)])
def test_a_hop_limit_that_was_not_told_is_rejected(dst: IPv6Address, unicast: bool) -> None:
    message = advert6(dst=dst.packed)
    told: dict[str, Any] = {"family": 6, "payload": True, "src": A6, "dst": dst, "unicast": unicast}
    assert reason(message, **told) is RejectReason.TTL
    assert reason(message, **told, ttl=255) is RejectReason.ACCEPTED


@pytest.mark.parametrize("unicast", [False, True])
def test_destination_must_be_of_the_configured_kind(unicast: bool) -> None:
    packet = advert(dst=GROUP4.packed if unicast else B.packed)
    assert reason(packet, unicast=unicast) is RejectReason.DESTINATION


def test_only_peers_are_heard_by_a_unicast_router() -> None:
    packet = advert(dst=B.packed)
    assert reason(packet, peers=[IPv4Address("10.1.0.3"), A]) is RejectReason.ACCEPTED
    assert reason(packet, peers=[IPv4Address("10.1.0.3")]) is RejectReason.SOURCE
    assert reason(packet, peers=[IPv4Address("10.1.0.3")], any_source=True) is RejectReason.ACCEPTED


def test_peers_are_the_only_ones_that_are_heard_by_multicast_too() -> None:
    assert reason(advert(), peers=[A]) is RejectReason.ACCEPTED
    assert reason(advert(), peers=[B]) is RejectReason.SOURCE


@pytest.mark.parametrize(
    ("ttl", "limits", "expected"),
    [
        (64, (64, 64), RejectReason.ACCEPTED),
        (63, (64, 128), RejectReason.PEER_TTL),
        (129, (64, 128), RejectReason.PEER_TTL),
        (254, (255, 255), RejectReason.PEER_TTL),
        (255, (255, 255), RejectReason.ACCEPTED),
        (1, (0, 255), RejectReason.ACCEPTED),
        (255, (200, 0), RejectReason.ACCEPTED),  # 0: no limit
        (199, (200, 0), RejectReason.PEER_TTL),
    ],
)
def test_each_peer_has_its_ttl_range(
    ttl: int, limits: tuple[int, int], expected: RejectReason
) -> None:
    packet = advert(ttl=ttl, dst=B.packed)
    peers = {"peers": [IPv4Address("10.1.0.3"), A], "peer_ttls": [(7, 7), limits]}
    assert reason(packet, **peers) is expected
    assert reason(packet, **peers, any_source=True) is RejectReason.ACCEPTED


def test_peer_ttls_are_given_for_every_peer_or_for_none() -> None:
    with pytest.raises(ValueError, match="each peer"):
        reason(advert(dst=B.packed), peers=[A, B], peer_ttls=[(0, 255)])


def test_multicast_must_be_to_the_configured_group() -> None:
    """A packet to another group came by a way that nobody configured."""
    other = IPv4Address("224.0.0.81")
    assert reason(advert(), group=GROUP4) is RejectReason.ACCEPTED
    assert reason(advert(dst=other.packed), group=GROUP4) is RejectReason.DESTINATION
    assert reason(advert(dst=other.packed), group=other) is RejectReason.ACCEPTED
    told: dict[str, Any] = {"family": 6, "payload": True, "src": A6, "ttl": 255, "group": GROUP6}
    all_nodes = IPv6Address("ff02::1")
    assert reason(advert6(), **told, dst=GROUP6) is RejectReason.ACCEPTED
    message = advert6(dst=all_nodes.packed)
    assert reason(message, **told, dst=all_nodes) is RejectReason.DESTINATION


def test_the_group_means_nothing_for_the_destination_of_unicast() -> None:
    assert reason(advert(dst=B.packed), group=GROUP4) is RejectReason.ACCEPTED


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("fe80::100", RejectReason.ACCEPTED),
        ("febf::1", RejectReason.ACCEPTED),
        ("fec0::1", RejectReason.FIRST_ADDRESS),
        ("2001:db8::1", RejectReason.FIRST_ADDRESS),
    ],
)
def test_strict_wants_a_link_local_address_first(first: str, expected: RejectReason) -> None:
    """RFC 9568 §5.2.9."""
    addresses = [IPv6Address(first).packed, IPv6Address("2001:db8::2").packed]
    message = advert6(addresses=addresses)
    told: dict[str, Any] = {"family": 6, "payload": True, "src": A6, "dst": GROUP6, "ttl": 255}
    assert reason(message, **told, strict=True) is expected
    assert reason(message, **told) is RejectReason.ACCEPTED


def test_strict_says_nothing_about_ipv4_addresses() -> None:
    assert reason(advert(), strict=True) is RejectReason.ACCEPTED


def carp(*, family: int = 4, vhid: int = 51) -> bytes:
    """A CARP advertisement: its header, a counter of 8 and a digest of 20 bytes."""
    message = bytes((0x21, vhid, 0, 7, 0, 1, 0, 0)) + bytes(range(28))
    header = bytes.fromhex("45100038 00004000 ff700000") + A.packed + GROUP4.packed
    return header + message if family == 4 else message


def test_carp_is_told_from_vrrp_by_its_count_and_length() -> None:
    decoded = decode_packet(carp(), family=4)
    assert decoded.reason is RejectReason.CARP
    assert decoded.vrid == 51
    told: dict[str, Any] = {"payload": True, "src": A6, "dst": GROUP6, "ttl": 255}
    assert reason(carp(family=6), **told | {"family": 6}) is RejectReason.CARP


def test_a_vrrp_advert_with_seven_addresses_is_no_carp() -> None:
    addresses = [bytes((10, 0, 1, n)) for n in range(7)]
    for version in (2, 3):
        assert reason(advert(version=version, addresses=addresses)) is RejectReason.ACCEPTED


def test_own_adverts_are_recognised_by_their_source() -> None:
    assert reason(advert(), own=A) is RejectReason.OWN_SOURCE
    assert reason(advert(), own=B) is RejectReason.ACCEPTED


def test_own_source_comes_before_every_check_of_content() -> None:
    assert reason(patched(advert(), 26, "ffff"), own=A) is RejectReason.OWN_SOURCE


@pytest.mark.parametrize("version", [2, 3])
def test_the_other_version_is_rejected(version: int) -> None:
    packet = advert(version=version)
    assert reason(packet, version=5 - version) is RejectReason.VERSION


@pytest.mark.parametrize("style", [0, 1])
def test_v3_over_ipv4_takes_both_checksum_conventions(style: int) -> None:
    decoded = decode_packet(advert(version=3, checksum_style=style), family=4)
    assert decoded.valid
    assert decoded.checksum_style == style


@pytest.mark.parametrize("style", [0, 1, 2])
def test_unicast_takes_the_checksum_of_old_routers_too(style: int) -> None:
    """Those name the multicast group in it, wherever the packet goes."""
    packet = advert(version=3, checksum_style=style, dst=B.packed, unicast=True)
    decoded = decode_packet(packet, family=4, group=GROUP4)
    assert decoded.valid
    assert decoded.checksum_style == style


def test_the_group_of_an_old_checksum_is_the_configured_one() -> None:
    other = IPv4Address("239.1.2.3")
    packet = advert(version=3, checksum_style=2, group=other.packed, dst=B.packed, unicast=True)
    assert reason(packet, group=other) is RejectReason.ACCEPTED
    assert reason(packet, group=GROUP4) is RejectReason.CHECKSUM


def test_multicast_has_no_old_checksum() -> None:
    other = IPv4Address("239.1.2.3")
    packet = advert(version=3, checksum_style=2, group=other.packed)
    assert reason(packet, group=GROUP4) is RejectReason.CHECKSUM


def test_an_old_checksum_can_be_sent_with_any_layout() -> None:
    """The peers of a router tell which convention they have only once it hears them."""
    keywords: dict[str, Any] = {"version": 3, "dst": B.packed, "unicast": True}
    old = advert(**keywords, checksum_style=2)
    assert reseal(prepared(**keywords), priority=100, old_checksum=True) == old
    assert old != advert(**keywords)


@pytest.mark.parametrize("style", [1, 2])
def test_only_what_would_have_the_new_pseudo_header_gets_the_old_one(style: int) -> None:
    keywords: dict[str, Any] = {"version": 3, "dst": B.packed, "unicast": True}
    ready = prepared(**keywords, checksum_style=style)
    assert reseal(ready, priority=100, old_checksum=True) == reseal(ready, priority=100)
    multicast = prepared(version=3)
    assert reseal(multicast, priority=100, old_checksum=True) == multicast.data


def test_the_sample_of_an_old_checksum() -> None:
    """As captured from keepalived with old_unicast_checksum."""
    sample = bytes.fromhex("310c96010064438c0a010070")
    told: dict[str, Any] = {"payload": True, "src": A, "dst": B, "ttl": 255}
    decoded = decode_packet(sample, family=4, **told)
    assert decoded.valid
    assert decoded.checksum_style == 2
    sent = advert(
        version=3, vrid=12, priority=150, addresses=[IPv4Address("10.1.0.112").packed],
        dst=B.packed, unicast=True, checksum_style=2,
    )  # fmt: skip
    assert sent[20:] == sample


@pytest.mark.parametrize("style", [0, 1, 2])
@pytest.mark.parametrize("version", [2, 3])
def test_no_convention_takes_a_wrong_checksum(version: int, style: int) -> None:
    for to, unicast in ((GROUP4, False), (B, True)):
        keywords = {"version": version, "dst": to.packed, "unicast": unicast}
        packet = bytearray(advert(**keywords, checksum_style=style))
        packet[22] ^= 1  # the priority
        assert reason(bytes(packet)) is RejectReason.CHECKSUM


def test_v2_over_ipv6_has_no_authentication_data() -> None:
    message = advert6(version=2)
    assert len(message) == 8 + 16
    told: dict[str, Any] = {"family": 6, "payload": True, "src": A6, "dst": GROUP6, "ttl": 255}
    assert reason(message, **told) is RejectReason.ACCEPTED
    assert reason(message + bytes(8), **told) is RejectReason.LENGTH


def test_the_ipv6_checksum_covers_the_addresses() -> None:
    message = advert6()
    told: dict[str, Any] = {"family": 6, "payload": True, "ttl": 255}
    assert reason(message, **told, src=A6, dst=GROUP6) is RejectReason.ACCEPTED
    assert reason(message, **told, src=B6, dst=GROUP6) is RejectReason.CHECKSUM


@pytest.mark.parametrize(
    ("at", "new", "expected"),
    [
        (0, "45", RejectReason.IP_HEADER),
        (4, "0019", RejectReason.IP_LENGTH),
        (4, "0007", RejectReason.TRUNCATED),
        (6, "2c", RejectReason.FRAGMENT),
        (6, "3a", RejectReason.PROTOCOL),
        (7, "fe", RejectReason.TTL),
    ],
)
def test_ipv6_header(at: int, new: str, expected: RejectReason) -> None:
    message = advert6()
    header = bytes.fromhex("6c000000 0018 70 ff") + A6.packed + GROUP6.packed
    assert reason(header + message, family=6) is RejectReason.ACCEPTED
    assert reason(header + message + bytes(6), family=6) is RejectReason.ACCEPTED
    assert reason(patched(header + message, at, new), family=6) is expected


def test_an_unknown_authentication_type_is_named() -> None:
    packet = patched(advert(), 24, "03")
    good = patched(
        packet, 26, (int.from_bytes(packet[26:28], "big") - 0x300).to_bytes(2, "big").hex()
    )
    decoded = decode_packet(good, family=4)
    assert decoded.reason is RejectReason.AUTH_TYPE
    assert decoded.auth == "unknown"


def test_a_password_where_none_is_configured_is_a_mismatch() -> None:
    assert reason(advert(auth_type=1, password=b"x")) is RejectReason.AUTH_MISMATCH


def test_authentication_data_is_ignored_without_authentication() -> None:
    """RFC 3768 §5.3.10."""
    packet = bytearray(advert())
    packet[32:36] = b"\xff\xff\x00\x00"  # adds nothing to a one's complement sum
    assert reason(bytes(packet)) is RejectReason.ACCEPTED


def test_v2_wants_the_configured_interval_and_v3_any() -> None:
    assert reason(advert(), interval_ns=2 * SECOND) is RejectReason.INTERVAL
    assert reason(advert(), interval_ns=SECOND) is RejectReason.ACCEPTED
    assert reason(advert(version=3), interval_ns=2 * SECOND) is RejectReason.ACCEPTED


def test_the_reserved_bits_of_v3_are_ignored() -> None:
    """RFC 9568 §5.2.6."""
    packet = patched(advert(version=3, checksum_style=1), 24, "f064")
    checksum = int.from_bytes(packet[26:28], "big") - 0xF000
    decoded = decode_packet(patched(packet, 26, f"{checksum % 0xFFFF:04x}"), family=4)
    assert decoded.valid
    assert decoded.interval_ns == SECOND


def test_255_addresses_fit() -> None:
    addresses = [bytes((10, 0, 1, n)) for n in range(255)]
    decoded = decode_packet(advert(addresses=addresses), family=4)
    assert decoded.valid
    assert decoded.addresses == tuple(map(IPv4Address, addresses))


def test_changing_the_priority_equals_laying_out_anew() -> None:
    for version in (2, 3):
        keywords: dict[str, Any] = {
            "family": 4,
            "version": version,
            "vrid": 1,
            "interval_ns": SECOND,
            "addresses": [A.packed],
            "src": A.packed,
            "dst": GROUP4.packed,
        }
        prepared = layout(**keywords, priority=255)
        for priority in range(256):
            assert reseal(prepared, priority=priority) == layout(**keywords, priority=priority).data


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"vrid": 0}, "vrid is 1 to 255"),
        ({"vrid": 256}, "vrid is 1 to 255"),
        ({"version": 4}, "version 2 or 3"),
        ({"family": 5}, "family is 4 or 6"),
        ({"interval_ns": 0}, "1 to 255 whole seconds"),
        ({"interval_ns": SECOND // 2}, "1 to 255 whole seconds"),
        ({"interval_ns": 256 * SECOND}, "1 to 255 whole seconds"),
        ({"version": 3, "interval_ns": 40_960_000_000}, "1 to 4095 whole centiseconds"),
        ({"version": 3, "interval_ns": 15_000_000}, "1 to 4095 whole centiseconds"),
        ({"version": 3, "auth_type": 1}, "only version 2 over IPv4"),
        ({"addresses": [bytes(16)]}, "has 4 bytes"),
        ({"addresses": [bytes(4)] * 256}, "at most 255 addresses"),
        ({"src": b""}, "has 4 bytes"),
        ({"checksum_style": 3}, "checksum_style is"),
        ({"group": bytes(16)}, "group is an address"),
    ],
)
def test_what_cannot_be_sent_is_not_laid_out(changes: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        advert(**changes)


def test_a_receiver_that_cannot_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="family"):
        decode_packet(b"", family=5)
    with pytest.raises(ValueError, match="64 peers"):
        decode_packet(advert(dst=B.packed), family=4, peers=[A] * 65)
