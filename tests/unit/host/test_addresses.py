"""Address requests as bytes: what the kernel will read, checked with an independent parser."""

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, ip_interface
from typing import Any

import pytest
from pyroute2.netlink.rtnl import RTM_DELADDR, RTM_NEWADDR
from pyroute2.netlink.rtnl.marshal import MarshalRtnl

from fastvrrp.config.model import InstanceConfig, VirtualAddress
from fastvrrp.host.addresses import OUR_PROTOCOL, VirtualAddresses
from fastvrrp.reactor import Reactor

INSTANCE = InstanceConfig(name="VI_1", interface="eth0", vrid=51)


@pytest.fixture
def addresses() -> Iterator[VirtualAddresses]:
    reactor = Reactor()
    made = VirtualAddresses(reactor)
    yield made
    made.close()
    reactor.close()


def parsed(requests: tuple[bytes, ...]) -> list[Any]:
    return [message for request in requests for message in MarshalRtnl().parse(request)]


def vip(address: str, **fields: Any) -> VirtualAddress:  # noqa: ANN401 - fields of a dataclass
    return VirtualAddress(address=ip_interface(address), **fields)


def test_an_ipv4_address_with_every_option(addresses: VirtualAddresses) -> None:
    wanted = vip("10.9.0.100/24", label="eth0:vip", scope=253, broadcast=IPv4Address("10.9.0.255"))
    (message,) = parsed(addresses.requests(RTM_NEWADDR, INSTANCE, [(wanted, 7)]))
    assert message["family"] == socket.AF_INET
    assert (message["prefixlen"], message["index"], message["scope"]) == (24, 7, 253)
    assert message.get_attr("IFA_LOCAL") == "10.9.0.100"
    assert message.get_attr("IFA_LABEL") == "eth0:vip"
    assert message.get_attr("IFA_BROADCAST") == "10.9.0.255"
    assert message.get_attr("IFA_PROTO") == OUR_PROTOCOL


@pytest.mark.parametrize(("address", "deprecated"), [("fd09::1/128", True), ("fd09::1/64", False)])
def test_ipv6_addresses_skip_detection_and_hosts_do_not_prefer_them(
    addresses: VirtualAddresses, address: str, deprecated: bool
) -> None:
    (message,) = parsed(addresses.requests(RTM_NEWADDR, INSTANCE, [(vip(address), 7)]))
    assert message["family"] == socket.AF_INET6
    assert message.get_attr("IFA_FLAGS") == 0x02
    lifetimes = message.get_attr("IFA_CACHEINFO")
    assert (lifetimes is not None and lifetimes["ifa_preferred"] == 0) is deprecated


def test_a_removal_names_the_address_and_no_more(addresses: VirtualAddresses) -> None:
    wanted = vip("10.9.0.100/24", label="eth0:vip")
    (message,) = parsed(addresses.requests(RTM_DELADDR, INSTANCE, [(wanted, 7)]))
    assert [name for name, _ in message["attrs"]] == ["IFA_LOCAL"]


def test_many_addresses_go_in_sends_of_64_each_with_its_own_number(
    addresses: VirtualAddresses,
) -> None:
    many = [(vip(f"10.9.1.{n}"), 7) for n in range(1, 151)]
    requests = addresses.requests(RTM_NEWADDR, INSTANCE, many)
    assert [len(parsed((request,))) for request in requests] == [64, 64, 22]
    numbers = [message["header"]["sequence_number"] for message in parsed(requests)]
    assert len(set(numbers)) == 150
