"""Damaged packets: no damage may crash the decoder, or pass with another content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastvrrp.wire.advert import decode_packet
from fastvrrp.wire.values import Decoded
from vectors import VALID, VECTORS, Vector, name_of


def content(decoded: Decoded) -> tuple[object, ...]:
    return (
        decoded.version,
        decoded.vrid,
        decoded.priority,
        decoded.interval_ns,
        decoded.addresses,
        decoded.auth,
        decoded.ah_sequence,
    )


@pytest.mark.parametrize("vector", VECTORS, ids=name_of)
def test_no_truncation_is_accepted(vector: Vector) -> None:
    whole = vector.packet or vector.message
    lengths = set(range(len(whole)))
    if vector.has_trailer and vector.packet is None:
        lengths.discard(len(whole) - 28)  # a bare message without its trailer is a plain advert
    for length in lengths:
        assert not vector.decode(whole[:length]).valid, length


@pytest.mark.parametrize("vector", [v for v in VALID if not v.packet], ids=name_of)
def test_no_extension_of_a_message_is_accepted(vector: Vector) -> None:
    for extra in range(1, 64):
        assert not vector.decode(vector.message + bytes(extra)).valid


@pytest.mark.parametrize("vector", [v for v in VALID if v.packet], ids=name_of)
def test_ethernet_padding_is_ignored(vector: Vector) -> None:
    assert vector.packet is not None
    for extra in range(1, 64):
        assert vector.decode(vector.packet + b"\xa5" * extra) == vector.decode()


@pytest.mark.parametrize("vector", VECTORS, ids=name_of)
def test_no_flipped_bit_changes_an_accepted_content(vector: Vector) -> None:
    whole = vector.packet or vector.message
    genuine = vector.decode()
    for position in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[position // 8] ^= 0x80 >> position % 8
        decoded = vector.decode(bytes(damaged))
        assert not decoded.valid or content(decoded) == content(genuine), f"bit {position}"


@pytest.mark.parametrize("vector", [v for v in VALID if v.auth_type == 2], ids=name_of)
def test_every_bit_that_the_icv_covers_is_protected(vector: Vector) -> None:
    """Not covered: TOS, flags and fragment offset, header checksum, and the TTL of unicast."""
    assert vector.packet is not None
    mutable = {1, 6, 7, 10, 11} | ({8} if vector.unicast else set())
    for byte in set(range(len(vector.packet))) - mutable:
        for bit in range(8):
            damaged = bytearray(vector.packet)
            damaged[byte] ^= 1 << bit
            assert not vector.decode(bytes(damaged)).valid, f"byte {byte} bit {bit}"


@given(
    data=st.binary(max_size=200),
    family=st.sampled_from((4, 6)),
    payload=st.booleans(),
    unicast=st.booleans(),
    auth_type=st.integers(0, 2),
)
def test_noise_is_rejected(
    data: bytes, family: int, payload: bool, unicast: bool, auth_type: int
) -> None:
    decoded = decode_packet(
        data, family=family, payload=payload, unicast=unicast, auth_type=auth_type, password=b"x"
    )
    assert not decoded.valid


@given(tail=st.binary(max_size=120), vector=st.sampled_from([v for v in VALID if v.packet]))
def test_noise_behind_a_genuine_ip_header_is_rejected(tail: bytes, vector: Vector) -> None:
    assert vector.packet is not None
    header = vector.packet[:40] if vector.family == 6 else vector.packet[:20]
    decoded = vector.decode(header + tail)
    assert not decoded.valid or content(decoded) == content(vector.decode())
