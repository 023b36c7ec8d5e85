from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from fastvrrp.wire.advert import layout, reseal
from fastvrrp.wire.frames import from_mac, gratuitous_arp, unsolicited_na, virtual_mac
from fastvrrp.wire.values import Layout
from vectors import VECTORS

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


def advert(source: str, group: str, vrid: int, *addresses: str, unicast: bool = False) -> Layout:
    family = ip_address(source).version
    return layout(
        family=family,
        version=2 if family == 4 else 3,
        vrid=vrid,
        priority=200,
        interval_ns=1_000_000_000,
        addresses=[ip_address(one).packed for one in addresses],
        src=ip_address(source).packed,
        dst=ip_address(group).packed,
        unicast=unicast,
    )


def sent_by_keepalived(name: str) -> bytes:
    vector = next(one for one in VECTORS if one.name == name)
    return bytes.fromhex(vector.fields["full_ip_packet_hex"])


def test_an_advert_from_the_virtual_mac_is_that_of_keepalived() -> None:
    """Given what keepalived sent from a VMAC, then ours has the same bytes, its checksums too; only
    the flow label of IPv6, which is free, is 0."""
    v4 = from_mac(virtual_mac(4, 77), advert("10.9.0.1", "224.0.0.18", 77, "10.9.0.100"))
    assert v4.link == bytes.fromhex("01005e000012 00005e00014d 0800")
    captured = sent_by_keepalived("cap-keepalived-2.4.3-v2-vmac-0")
    assert reseal(v4, priority=200, ip_id=1) == captured

    source = "fe80::847f:d2ff:fea4:2346"
    blank = advert(source, "ff02::12", 78, "fe80::100", "fd09::100")
    v6 = from_mac(virtual_mac(6, 78), blank)
    assert v6.link[:14] == bytes.fromhex("333300000012 00005e00024e 86dd")
    captured = sent_by_keepalived("cap-keepalived-2.4.3-v3-ipv6-vmac-0")
    sent = v6.link[14:] + reseal(v6, priority=200)
    assert sent[:1] + sent[4:] == captured[:1] + captured[4:]
    assert sent[:4] == bytes.fromhex("6c000000")


def test_a_group_address_keeps_23_bits_in_its_mac() -> None:
    assert from_mac(MAC, advert("10.9.0.1", "239.129.2.3", 1)).link[:6] == bytes.fromhex(
        "01005e010203"
    )


def test_unicast_adverts_have_no_known_mac() -> None:
    with pytest.raises(ValueError, match="multicast"):
        from_mac(MAC, advert("10.9.0.1", "10.9.0.2", 1, unicast=True))
