"""Known packets, decoded; and known senders' packets, rebuilt byte for byte."""

from ipaddress import ip_address

import pytest

from fastvrrp.names import RejectReason
from fastvrrp.wire.advert import layout, reseal
from vectors import SENT, VECTORS, Vector, name_of

# where the RFCs and keepalived part, or leave a choice, this is ours
POLICY = {
    "neg-naddr0": RejectReason.COUNT,  # RFC 9568 erratum 8299; keepalived accepts
    "neg-othervip": RejectReason.ACCEPTED,  # RFC 3768 §7.1 allows both; noted elsewhere
    "neg-own-src": RejectReason.OWN_SOURCE,
}
REASONS = {
    "neg-ttl254": RejectReason.TTL,
    "neg-badcsum": RejectReason.CHECKSUM,
    "neg-type2": RejectReason.TYPE,
    "neg-ver3": RejectReason.VERSION,
    "neg-auth1": RejectReason.AUTH_MISMATCH,
    "neg-intvl2": RejectReason.INTERVAL,
    "neg-short": RejectReason.LENGTH,
    "neg-naddr5": RejectReason.LENGTH,
    "neg-vrid52": RejectReason.VRID,
    "neg-len4": RejectReason.TRUNCATED,
    "neg-unicast-dst": RejectReason.DESTINATION,
    "neg-trailing64": RejectReason.LENGTH,
    "ryu-v2-short": RejectReason.TRUNCATED,
    "ryu-v2-type15": RejectReason.TYPE,
    "ryu-v2-vrid0": RejectReason.VRID,
    "ryu-v2-adver0": RejectReason.INTERVAL_ZERO,
    "ryu-v3-adver0": RejectReason.INTERVAL_ZERO,
    "scapy-v1": RejectReason.VERSION,
    "scapy-v2-default": RejectReason.TTL,
    "scapy-v3-ipv6-default": RejectReason.LENGTH,
}


@pytest.mark.parametrize("vector", VECTORS, ids=name_of)
def test_verdict_is_the_expected_one(vector: Vector) -> None:
    decoded = vector.decode()
    if vector.name in POLICY:
        assert decoded.reason is POLICY[vector.name]
    else:
        assert decoded.valid == vector.expect["valid"], decoded.reason
        assert vector.name not in REASONS or decoded.reason is REASONS[vector.name]


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.version in (2, 3)], ids=name_of)
def test_fields_are_decoded_even_of_a_rejected_packet(vector: Vector) -> None:
    decoded, expect = vector.decode(), vector.expect
    addresses, interval_ms = expect["addresses"], expect["interval_ms"]
    assert (decoded.vrid, decoded.priority) == (expect["vrid"], expect["priority"])
    assert decoded.interval_ns == (None if interval_ms is None else interval_ms * 1_000_000)
    assert decoded.addresses == (None if addresses is None else tuple(map(ip_address, addresses)))
    assert (decoded.src, decoded.dst) == (vector.src, vector.dst)
    assert decoded.ttl == vector.fields["ttl"]


def test_fields_of_a_truncated_packet_are_unknown() -> None:
    decoded = next(v for v in VECTORS if v.name == "neg-len4").decode()
    assert (decoded.version, decoded.vrid, decoded.priority, decoded.addresses) == (None,) * 4


@pytest.mark.parametrize("vector", SENT, ids=name_of)
def test_layout_rebuilds_what_keepalived_sent(vector: Vector) -> None:
    """
    Given a packet that keepalived sent,
    when the same advert is laid out with another priority and then touched up as the hot loop does,
    then the bytes are the same, up to the header checksum, which the kernel fills.
    """
    packet, decoded = vector.packet, vector.decode()
    assert packet is not None
    assert decoded.addresses is not None
    assert decoded.interval_ns is not None
    assert decoded.src is not None
    assert decoded.dst is not None
    prepared = layout(
        family=vector.family,
        version=vector.version,
        vrid=vector.expect["vrid"],
        priority=77,
        interval_ns=decoded.interval_ns,
        addresses=[address.packed for address in decoded.addresses],
        src=decoded.src.packed,
        dst=decoded.dst.packed,
        auth_type=vector.auth_type,
        password=vector.password,
        ttl=vector.fields["ttl"],
        unicast=vector.unicast,
        checksum_style=1 if vector.receiver.get("v3_checksum") == "message-only" else 0,
        hmac=vector.hmac_key is not None,
    )
    sent = reseal(
        prepared,
        priority=vector.expect["priority"],
        ip_id=int.from_bytes(packet[4:6], "big"),
        ah_sequence=decoded.ah_sequence or 0,
        password=vector.password,
        hmac_key=vector.hmac_key,
        hmac_sequence=decoded.trailer.sequence if decoded.trailer else 0,
    )
    if vector.family == 4:
        assert sent[:10] + packet[10:12] + sent[12:] == packet
    else:
        assert sent == packet[40:]
