"""Addresses as bytes: everything that a line can say, as pyroute2 would have it."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface
from typing import Any

import pytest
from hypothesis import given
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.marshal import MarshalRtnl

from config.network_text import static_address
from config.network_values import addresses
from fastvrrp.clock import seconds
from fastvrrp.config.model import FOREVER, VirtualAddress
from fastvrrp.host.addresses import address_holding
from fastvrrp.host.holding import Holding, Kind
from fastvrrp.wire.frames import gratuitous_arp, unsolicited_na
from unit.host.readback import address_of, kind_and_flags, link

ETH0 = link("eth0", 7)
NEW, DELETE = (20, 0x601), (21, 1)


def held(line: str, **fields: Any) -> Holding:  # noqa: ANN401 - fields of a dataclass
    return address_holding(static_address(line), link("eth0", 7, **fields))


def as_the_kernel_takes_it(vip: VirtualAddress) -> VirtualAddress:
    """Return an address with all defaults filled in, without what is not the kernel's."""
    is_ipv6 = vip.address.version == 6
    preferred = vip.preferred if is_ipv6 else None
    if is_ipv6 and preferred is None:
        preferred = seconds(0) if vip.address.network.prefixlen == 128 else FOREVER
    peer = None if vip.peer == vip.address.ip else vip.peer
    return replace(vip, preferred=preferred, peer=peer, interface=None, vmac=False, track=True)


@given(addresses())
def test_nothing_that_a_line_says_is_lost(vip: VirtualAddress) -> None:
    holding = address_holding(vip, ETH0)
    assert kind_and_flags(holding.install) == NEW
    assert address_of(holding.install) == (as_the_kernel_takes_it(vip), 7)


@given(addresses())
def test_the_bytes_are_those_of_pyroute2(vip: VirtualAddress) -> None:
    holding = address_holding(vip, ETH0)
    for packed in (holding.install, holding.remove):
        (parsed,) = MarshalRtnl().parse(packed)
        again = ifaddrmsg()
        for name in ("family", "prefixlen", "flags", "scope", "index"):
            again[name] = parsed[name]
        for name in ("type", "flags", "sequence_number", "pid"):
            again["header"][name] = parsed["header"][name]
        again["attrs"] = [(name, parsed.get_attr(name)) for name, _ in parsed["attrs"]]
        again.encode()
        assert bytes(again.data) == packed


@given(addresses())
def test_a_removal_names_address_prefix_and_peer_and_no_more(vip: VirtualAddress) -> None:
    holding = address_holding(vip, ETH0)
    assert kind_and_flags(holding.remove) == DELETE
    (message,) = MarshalRtnl().parse(holding.remove)
    assert [name for name, _ in message["attrs"]] == ["IFA_LOCAL", "IFA_ADDRESS"]
    assert message["prefixlen"] == vip.address.network.prefixlen
    own, far = (ip_address(message.get_attr(name)) for name in ("IFA_LOCAL", "IFA_ADDRESS"))
    assert (own, far) == (vip.address.ip, vip.peer or vip.address.ip)


def test_an_announcement_is_of_the_address_and_from_the_link() -> None:
    mac = bytes.fromhex("00005e000133")
    holding = held("192.0.2.1 peer 192.0.2.2", mac=mac)
    assert holding.frame is not None
    assert holding.frame.ifindex == 7
    assert holding.frame.data == gratuitous_arp(mac, IPv4Address("192.0.2.1"))
    holding = held("2001:db8::1/64", mac=mac)
    assert holding.frame is not None
    # No interface of this host has that name, so that it does not forward either.
    assert holding.frame.data == unsolicited_na(mac, IPv6Address("2001:db8::1"), router=False)


def test_an_announcement_waits_for_others_of_its_group() -> None:
    vip = static_address("192.0.2.1")
    frames = address_holding(vip, ETH0).frame, address_holding(vip, ETH0, pace=3).frame
    assert [frame and frame.pace for frame in frames] == [-1, 3]
    assert frames[0] == frames[1], "an address that waits is the same address"


def test_nothing_is_announced_where_nobody_asks_for_addresses() -> None:
    vip = static_address("192.0.2.1")
    assert address_holding(vip, link("tun0", 7, flags=0x41 | 0x80)).frame is None
    assert address_holding(vip, link("ip6gre0", 7, mac=b"")).frame is None
    assert address_holding(vip, ETH0, announce=False).frame is None


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("192.0.2.1/24 label eth0:1 no_track", "192.0.2.1/24 dev eth0"),
        ("192.0.2.1", "192.0.2.1/32 dev eth0"),
        ("192.0.2.1 peer 192.0.2.2", "192.0.2.1 peer 192.0.2.2/32 dev eth0"),
        ("2001:db8::1", "2001:db8::1/128 dev eth0"),
    ],
)
def test_it_is_called_as_in_ip_address(line: str, text: str) -> None:
    holding = held(line)
    assert (holding.text, holding.kind) == (text, Kind.ADDRESS)
    assert holding.links == (("eth0", 7),)
    assert holding.track is ("no_track" not in line)


def test_the_key_is_that_of_the_address_on_the_interface() -> None:
    assert held("192.0.2.1/24").key == ("address", 7, ip_interface("192.0.2.1/24"))
    assert held("192.0.2.1/24").key == held("192.0.2.1/24 label eth0:1 scope link").key
    assert held("192.0.2.1/24").key != held("192.0.2.1/25").key
