import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastvrrp.wire.advert import internet_checksum


def plain(data: bytes) -> int:
    """RFC 1071 §1, as it is written there."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(padded[i : i + 2], "big") for i in range(0, len(padded), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@given(data=st.binary(max_size=2000))
def test_checksum_equals_a_plain_sum(data: bytes) -> None:
    assert internet_checksum(data) == plain(data)


def test_carries_of_the_largest_message_are_folded() -> None:
    assert internet_checksum(b"\xff" * 65535) == plain(b"\xff" * 65535)


@given(data=st.binary(max_size=100), addresses=st.binary(min_size=8, max_size=8))
def test_ipv4_pseudo_header_is_that_of_udp(data: bytes, addresses: bytes) -> None:
    pseudo = addresses + b"\0\x70" + len(data).to_bytes(2, "big")
    found = internet_checksum(data, src=addresses[:4], dst=addresses[4:], protocol=112)
    assert found == plain(pseudo + data)


@given(data=st.binary(max_size=100), addresses=st.binary(min_size=32, max_size=32))
def test_ipv6_pseudo_header_is_that_of_rfc_8200(data: bytes, addresses: bytes) -> None:
    pseudo = addresses + len(data).to_bytes(4, "big") + b"\0\0\0\x70"
    found = internet_checksum(data, src=addresses[:16], dst=addresses[16:], protocol=112)
    assert found == plain(pseudo + data)


def test_addresses_of_two_families_are_an_error() -> None:
    with pytest.raises(ValueError, match="two addresses"):
        internet_checksum(b"", src=bytes(4), dst=bytes(16))
