"""Routes as bytes: everything that a line can say is in them, and the kernel's own messages have
the same keys."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.network_text import static_route
from config.network_values import routes
from fastvrrp.config.model import Nexthop, Route, RouteMetrics, RouteOrder, RouteType
from fastvrrp.host.holding import HoldingError, Kind
from fastvrrp.host.iproute import Names
from fastvrrp.host.routes import route_holding
from unit.host.readback import TABLE, FakeTable, kind_and_flags, link, route_of

NAMES = Names(())
NEW, DELETE = 24, 25


def as_the_kernel_takes_it(route: Route) -> Route:
    """Return a route with all defaults filled in."""
    is_ipv6 = route.destination.version == 6
    scope = route.scope
    if scope is None:
        is_direct = route.via is None and not route.nexthops
        scope = 0
        if not is_ipv6 and route.type in (RouteType.LOCAL, RouteType.NAT):
            scope = 254
        elif not is_ipv6 and (
            route.type in (RouteType.BROADCAST, RouteType.MULTICAST, RouteType.ANYCAST)
            or (route.type is RouteType.UNICAST and is_direct)
        ):
            scope = 253
    from_network = (
        route.from_network if route.from_network and route.from_network.prefixlen else None
    )
    # The kernel does not look at rto_min that is not locked.
    names = {*route.metrics.locked, *(() if route.metrics.rto_min is None else ("rto_min",))}
    locked = tuple(name for name in RouteMetrics.__dataclass_fields__ if name in names)
    return replace(
        route,
        metrics=replace(route.metrics, locked=locked),
        from_network=from_network,
        table=254 if route.table is None else route.table,
        metric=(route.metric or 1024) if is_ipv6 else route.metric,
        scope=scope,
        track=True,
    )


@given(routes(names=st.nothing()))
def test_nothing_that_a_line_says_is_lost(route: Route) -> None:
    route = replace(route, vrf=None)
    holding = route_holding(route, TABLE, NAMES)
    assert kind_and_flags(holding.install)[0] == NEW
    assert route_of(holding.install) == as_the_kernel_takes_it(route)


@given(routes(names=st.nothing()))
def test_a_removal_names_the_route_and_its_origin(route: Route) -> None:
    holding = route_holding(replace(route, vrf=None), TABLE, NAMES)
    assert kind_and_flags(holding.remove) == (DELETE, 1)


def held(line: str, table: FakeTable = TABLE) -> Any:  # noqa: ANN401 - see Holding
    return route_holding(static_route(line), table, NAMES)


def test_a_removal_says_nothing_that_the_kernel_may_have_changed() -> None:
    line = (
        "198.51.100.0/24 via 192.0.2.1 dev eth0 src 192.0.2.9 table 100 metric 5 realms 1/2 "
        "mtu lock 1400 congctl cubic encap mpls 100"
    )
    wanted = "198.51.100.0/24 via 192.0.2.1 dev eth0 src 192.0.2.9 table 100 metric 5"
    held_one, plain = held(line), held(f"{wanted} append")
    assert held_one.install != plain.install
    assert held_one.remove == plain.remove


def test_a_removal_of_several_next_hops_names_them_all() -> None:
    hops = "nexthop via 192.0.2.1 weight 3 nexthop via 192.0.2.2 dev eth0 realms 5 encap mpls 100"
    removed = route_of(
        held(f"198.51.100.0/24 {hops}").remove.replace(b"\x19\0\1\0", b"\x18\0\1\4", 1)
    )
    assert removed.nexthops == (
        Nexthop(via=ip_address("192.0.2.1"), weight=3),
        Nexthop(via=ip_address("192.0.2.2"), interface="eth0"),
    )


def test_the_order_decides_what_else_may_be_there() -> None:
    line = "198.51.100.0/24 dev eth0"
    flags = [kind_and_flags(held(f"{line} {one.value}").install)[1] for one in RouteOrder]
    assert flags == [0x601, 0x401, 0xC01]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("192.168.77.0/24 via 10.1.0.2 dev eth0 table 100 no_track", None),
        ("default via 10.1.0.2 append", "0.0.0.0/0 via 10.1.0.2"),
        ("blackhole 192.168.77.0/24 no_track", "blackhole 192.168.77.0/24"),
        ("to 192.168.77.7 oif eth0 scope link", "192.168.77.7/32 dev eth0 scope link"),
    ],
)
def test_it_is_called_as_in_ip_route(line: str, text: str | None) -> None:
    holding = held(line)
    assert holding.text == (text or line.removesuffix(" no_track"))
    assert holding.kind is Kind.ROUTE
    assert holding.frame is None


def test_links_are_those_that_the_route_names() -> None:
    holding = held("198.51.100.0/24 nexthop dev eth0 nexthop via 192.0.2.1 nexthop dev br-lan")
    assert holding.links == (("eth0", 7), ("br-lan", 9))
    assert held("198.51.100.0/24 via 192.0.2.1").links == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("198.51.100.0/24 dev eth5", "interface eth5 does not exist"),
        ("198.51.100.0/24 nexthop via 192.0.2.1 dev eth5", "interface eth5 does not exist"),
        ("198.51.100.0/24 dev eth0 table blue", "there is no routing table blue"),
        ("198.51.100.0/24 dev eth0 protocol blue no_track", "there is no routing protocol blue"),
        ("198.51.100.0/24 dev eth0 scope blue", "there is no scope blue"),
        ("198.51.100.0/24 dev eth0 realms blue/1", "there is no realm blue"),
        ("198.51.100.0/24 dev eth0 tos blue", "there is no type of service blue"),
        ("198.51.100.0/24 encap ip id 1 tos blue", "there is no type of service blue"),
    ],
)
def test_what_this_host_does_not_have_is_told(line: str, message: str) -> None:
    with pytest.raises(HoldingError, match=f"route to 198.51.100.0/24: {message}"):
        route_holding(static_route(line), TABLE, Names((Path("/nowhere"),)))


def test_routes_that_the_kernel_tells_apart_have_different_keys() -> None:
    lines = [
        "198.51.100.0/24 dev eth0",
        "198.51.100.0/25 dev eth0",
        "198.51.100.0/24 dev eth0 table 5",
        "198.51.100.0/24 dev eth0 metric 5",
        "198.51.100.0/24 dev eth0 tos 8",
        "198.51.100.0/24 dev br-lan",
        "198.51.100.0/24 via 192.0.2.1",
        "198.51.100.0/24 nexthop via 192.0.2.1 nexthop via 192.0.2.2",
        "blackhole 198.51.100.0/24",
        "2001:db8::/32 dev eth0",
        "2001:db8::/32 from 2001:db8:1::/48 dev eth0",
        "2001:db8::/32 metric 5 dev eth0",
    ]
    assert len({held(line).key for line in lines}) == len(lines)


@pytest.mark.parametrize(
    ("line", "same"),
    [
        # What the kernel does not tell routes by, or tells of its own accord.
        ("198.51.100.0/24 via 192.0.2.1", "198.51.100.0/24 via 192.0.2.1 dev eth0 mtu 1400"),
        ("198.51.100.0/24 dev eth0", "198.51.100.0/24 dev eth0 table main metric 0"),
        ("2001:db8::/32 via 2001:db8::1", "2001:db8::/32 via 2001:db8::2 metric 1024"),
    ],
)
def test_one_route_has_one_key(line: str, same: str) -> None:
    assert held(line).key == held(same).key


def test_a_route_that_expires_is_not_tracked() -> None:
    assert held("2001:db8::/32 dev eth0").track
    assert not held("2001:db8::/32 dev eth0 expires 30").track
    assert not held("2001:db8::/32 dev eth0 no_track").track


def test_the_table_is_that_of_the_vrf() -> None:
    table = FakeTable(link("eth0", 7), link("red", 9, kind="vrf", vrf_table=1009))
    holding = held("198.51.100.0/24 vrf red", table)
    assert route_of(holding.install).table == route_of(holding.remove).table == 1009
    assert holding.links == (("red", 9),)
    assert route_of(held("198.51.100.0/24 vrf red table 5", table).install).table == 5
    for line, message in (("vrf blue", "blue does not exist"), ("vrf eth0", "eth0 is no VRF")):
        with pytest.raises(HoldingError, match=message):
            held(f"198.51.100.0/24 {line}", table)


def test_an_interface_that_came_anew_makes_another_route() -> None:
    line = "198.51.100.0/24 dev eth0"
    assert held(line) != held(line, FakeTable(link("eth0", 70)))
    assert held(line) == held(line)
    assert held(line).key[1] == ip_network("198.51.100.0/24")
