import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastvrrp.names import RejectReason
from fastvrrp.wire.auth import hmac_md5_96
from vectors import VECTORS, Vector

MULTICAST_AH = next(v for v in VECTORS if v.name.endswith("v2-ah-two-addresses"))
UNICAST_AH = next(v for v in VECTORS if v.name.endswith("v2-unicast-ah-ttl77"))
PASS = next(v for v in VECTORS if v.name.endswith("v2-pass-short"))

# RFC 2202 §2
RFC_2202 = [
    (b"\x0b" * 16, b"Hi There", "9294727a3638bb1c13f48ef8158bfc9d"),
    (b"Jefe", b"what do ya want for nothing?", "750c783e6ab0b503eaa86e310a5db738"),
    (b"\xaa" * 16, b"\xdd" * 50, "56be34521d144c88dbb8c733f0e8b3f6"),
    (bytes(range(1, 26)), b"\xcd" * 50, "697eaf0aca3a3aea3a75164746ffaa79"),
    (b"\x0c" * 16, b"Test With Truncation", "56461ef2342edc00f9bab995690efd4c"),
    (
        b"\xaa" * 80,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd",
    ),
    (
        b"\xaa" * 80,
        b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
        "6f630fad67cda0ee1fb1f562db3aa53e",
    ),
]


@pytest.mark.parametrize(("key", "data", "digest"), RFC_2202)
def test_hmac_md5_gives_the_digests_of_rfc_2202(key: bytes, data: bytes, digest: str) -> None:
    assert hmac_md5_96(key, data) == bytes.fromhex(digest)[:12]


def test_hmac_md5_equals_hashlib_at_every_length_around_a_block() -> None:
    text = bytes(range(256))
    for length in range(200):
        expected = hmac.digest(b"key", text[:length], hashlib.md5)[:12]
        assert hmac_md5_96(b"key", text[:length]) == expected


@given(key=st.binary(max_size=150), data=st.binary(max_size=1000))
def test_hmac_md5_equals_hashlib(key: bytes, data: bytes) -> None:
    assert hmac_md5_96(key, data) == hmac.digest(key, data, hashlib.md5)[:12]


@pytest.mark.parametrize(
    ("vector", "reason"),
    [(MULTICAST_AH, RejectReason.AUTH_ICV), (PASS, RejectReason.AUTH_PASS)],
    ids=["ah", "pass"],
)
def test_a_wrong_password_is_rejected(vector: Vector, reason: RejectReason) -> None:
    assert vector.decode(password=b"wrong").reason is reason
    assert vector.decode(password=b"").reason is reason


def test_only_8_bytes_of_a_password_count() -> None:
    assert MULTICAST_AH.decode(password=b"secret99 and more").valid


def test_a_longer_password_with_the_same_beginning_is_rejected() -> None:
    assert PASS.decode(password=b"abcde").reason is RejectReason.AUTH_PASS


@pytest.mark.parametrize("auth_type", [0, 1])
def test_an_ah_packet_without_ah_configured_is_a_mismatch(auth_type: int) -> None:
    decoded = MULTICAST_AH.decode(auth_type=auth_type)
    assert decoded.reason is RejectReason.AUTH_MISMATCH
    assert decoded.auth == "ah"


def test_ah_is_not_satisfied_by_the_auth_type_field_alone() -> None:
    """
    Given an AH advert whose authentication header was taken off,
    when a receiver with AH gets it,
    then the claim in the VRRP header does not help.
    """
    packet = MULTICAST_AH.packet
    assert packet is not None
    stripped = packet[:2] + (len(packet) - 24).to_bytes(2, "big") + packet[4:9]
    stripped += bytes((112,)) + packet[10:20] + packet[44:]
    assert MULTICAST_AH.decode(stripped).reason is RejectReason.AUTH_MISMATCH


def test_the_sequence_number_is_reported() -> None:
    assert MULTICAST_AH.decode().ah_sequence == 1


def test_the_ttl_is_covered_for_multicast_only() -> None:
    packet = UNICAST_AH.packet
    assert packet is not None
    assert UNICAST_AH.decode(packet[:8] + b"\x01" + packet[9:]).valid


def test_the_icv_is_looked_at_before_the_spi() -> None:
    packet = MULTICAST_AH.packet
    assert packet is not None
    other_spi = packet[:24] + b"\x0a\x01\x00\x09" + packet[28:]
    assert MULTICAST_AH.decode(other_spi).reason is RejectReason.AUTH_ICV


def test_a_foreign_spi_with_a_good_icv_is_rejected() -> None:
    packet = MULTICAST_AH.packet
    assert packet is not None
    ah = packet[20:24] + b"\x0a\x01\x00\x09" + packet[28:32]
    hashed = packet[:10] + b"\0\0" + packet[12:20]
    hashed = hashed[:1] + b"\0" + hashed[2:]
    icv = hmac_md5_96(b"secret99", hashed + ah + bytes(12) + packet[44:])
    assert MULTICAST_AH.decode(packet[:20] + ah + icv + packet[44:]).reason is RejectReason.AUTH_SPI
