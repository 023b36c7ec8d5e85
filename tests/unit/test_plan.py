"""Which running router goes on as which one of a new configuration."""

from dataclasses import replace
from ipaddress import IPv4Address, ip_address, ip_interface

from fastvrrp.clock import seconds
from fastvrrp.config.model import GlobalConfig, InstanceConfig, Peer, VirtualAddress, Vmac
from fastvrrp.routers.plan import Match, identity, pair

VIP = (VirtualAddress(address=ip_interface("192.0.2.100/24")),)
VIP6 = (VirtualAddress(address=ip_interface("fd00::100/64")),)
ONE = InstanceConfig(name="A", interface="eth0", vrid=1, addresses=VIP)
COMMON = GlobalConfig()
NEW = Match(None, False)


def matched(
    old: list[InstanceConfig], new: list[InstanceConfig], common: GlobalConfig = COMMON
) -> list[Match]:
    return pair([identity(one, COMMON) for one in old], [identity(one, common) for one in new])


def test_the_same_instance_goes_on_whatever_its_name_and_its_values() -> None:
    changed = replace(ONE, name="B", priority=200, advert_interval=seconds(2))
    assert matched([ONE], [changed]) == [Match(0, True)]


def test_another_place_is_another_router_with_the_history_of_its_name() -> None:
    for other in (
        replace(ONE, vrid=2),
        replace(ONE, interface="eth1"),
        replace(ONE, addresses=VIP6),
        replace(ONE, peers=(Peer(address=ip_address("192.0.2.2")),)),
        replace(ONE, mcast_group=ip_address("224.0.0.77")),
        replace(ONE, vmac=Vmac()),
    ):
        assert matched([ONE], [other]) == [Match(0, False)]
        assert matched([ONE], [replace(other, name="B")]) == [NEW]


def test_the_group_of_all_instances_counts_as_well() -> None:
    common = replace(COMMON, vrrp_mcast_group4=IPv4Address("224.0.0.77"))
    assert matched([ONE], [ONE], common) == [Match(0, False)]


def test_unicast_is_told_apart_by_its_source() -> None:
    peer = (Peer(address=ip_address("192.0.2.2")),)
    sources = [ip_address("192.0.2.1"), ip_address("192.0.2.3")]
    one, other = (replace(ONE, name=str(n), source=s, peers=peer) for n, s in enumerate(sources))
    assert matched([one, other], [replace(other, name="x"), replace(one, name="y")]) == [
        Match(1, True),
        Match(0, True),
    ]


def test_identity_comes_before_the_name() -> None:
    """Given two instances that swap their names, then each goes on where it was."""
    two = replace(ONE, name="B", vrid=2)
    assert matched([ONE, two], [replace(two, name="A"), replace(ONE, name="B")]) == [
        Match(1, True),
        Match(0, True),
    ]


def test_each_is_continued_once() -> None:
    twin = replace(ONE, name="B")
    assert matched([ONE], [twin, ONE]) == [NEW, Match(0, True)]
    assert matched([ONE, twin], [twin, ONE]) == [Match(1, True), Match(0, True)]
    assert matched([], [ONE]) == [NEW]
    assert matched([ONE], []) == []
