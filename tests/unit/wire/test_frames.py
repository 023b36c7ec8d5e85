from ipaddress import IPv4Address, IPv6Address

import pytest

from fastvrrp.wire.frames import gratuitous_arp, unsolicited_na

MAC = bytes.fromhex("00005e000133")


def test_gratuitous_arp_is_the_known_frame() -> None:
    assert gratuitous_arp(MAC, IPv4Address("10.9.0.100")) == bytes.fromhex(
        "ffffffffffff 00005e000133 0806"
        "0001 0800 06 04 0001"
        "00005e000133 0a090064"
        "ffffffffffff 0a090064"
    )


@pytest.mark.parametrize(
    ("router", "flags", "checksum"), [(False, "20", "f86a"), (True, "a0", "786a")]
)
def test_unsolicited_na_is_the_known_frame(router: bool, flags: str, checksum: str) -> None:
    assert unsolicited_na(MAC, IPv6Address("fe80::100"), router=router) == bytes.fromhex(
        "333300000001 00005e000133 86dd"
        "60000000 0020 3a ff"
        "fe800000000000000000000000000100"
        "ff020000000000000000000000000001"
        f"88 00 {checksum} {flags}000000"
        "fe800000000000000000000000000100"
        "02 01 00005e000133"
    )


def test_a_mac_of_another_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="6 bytes"):
        gratuitous_arp(bytes(8), IPv4Address("10.9.0.100"))
    with pytest.raises(ValueError, match="6 bytes"):
        unsolicited_na(b"", IPv6Address("fe80::1"), router=False)
