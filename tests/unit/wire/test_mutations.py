"""Damaged packets: no damage may crash the decoder, or pass with another content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastvrrp.names import RejectReason
from fastvrrp.wire.advert import decode_packet, internet_checksum
from fastvrrp.wire.values import Decoded
from vectors import SIGNED, TAMPERED, VALID, VECTORS, Vector, name_of


def content(decoded: Decoded) -> tuple[object, ...]:
    return (
        decoded.version,
        decoded.vrid,
        decoded.priority,
        decoded.interval_ns,
        decoded.addresses,
        decoded.auth,
        decoded.ah_sequence,
        decoded.trailer,
    )


@pytest.mark.parametrize("vector", VECTORS, ids=name_of)
def test_no_truncation_is_accepted(vector: Vector) -> None:
    whole = vector.packet or vector.message
    for length in range(len(whole)):
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


@pytest.mark.parametrize("vector", [v for v in VECTORS if v not in TAMPERED], ids=name_of)
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


@pytest.mark.parametrize("vector", SIGNED, ids=name_of)
def test_every_bit_that_a_trailer_covers_is_protected(vector: Vector) -> None:
    """Whoever changes a bit of it, and mends the checksum, is found out."""
    start = len(vector.packet or b"") and len(vector.packet or b"") - len(vector.message)
    whole = vector.packet or vector.message
    for byte in set(range(start, len(whole))) - {start + 6, start + 7}:
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[byte] ^= 1 << bit
            mended = mend_checksum(vector, bytes(damaged), start)
            assert not vector.decode(mended).valid, f"byte {byte} bit {bit}"
            assert vector.decode(mended).reason is not RejectReason.CHECKSUM


def mend_checksum(vector: Vector, whole: bytes, start: int) -> bytes:
    end = len(whole) if vector.family == 6 else len(whole) - 28
    blank = whole[start : start + 6] + bytes(2) + whole[start + 8 : end]
    assert vector.src is not None
    pseudo = {"src": vector.src.packed, "dst": vector.dst.packed, "protocol": 112}
    checksum = internet_checksum(blank, **pseudo)  # type: ignore[arg-type]
    return whole[: start + 6] + checksum.to_bytes(2, "big") + whole[start + 8 :]


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
