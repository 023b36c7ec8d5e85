"""Lines of virtual_routes and static_routes."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given

from config.network_text import (
    instance,
    static,
    static_route,
)
from config.network_values import routes
from fastvrrp.clock import Nanoseconds, milliseconds, seconds
from fastvrrp.config.diagnostics import Severity
from fastvrrp.config.model import (
    IlaEncap,
    Ip6Encap,
    IpEncap,
    MplsEncap,
    Nexthop,
    Realms,
    Route,
    RouteMetrics,
    RouteOrder,
    RoutePreference,
    RouteType,
)
from fastvrrp.config.values.routes import RouteLine
from fastvrrp.errors import ConfigError

NET = ip_network("198.51.100.0/24")
NET6 = ip_network("2001:db8::/32")
GATEWAY = ip_address("192.0.2.1")


def metrics(**fields: Any) -> dict[str, object]:  # noqa: ANN401 - fields of a dataclass
    return {"metrics": RouteMetrics(**fields)}


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("198.51.100.0/24", {}),
        ("to 198.51.100.0/24", {}),
        ("198.51.100.7", {"destination": ip_network("198.51.100.7/32")}),
        ("default", {"destination": ip_network("0.0.0.0/0")}),
        ("any", {"destination": ip_network("0.0.0.0/0")}),
        ("all", {"destination": ip_network("0.0.0.0/0")}),
        ("inet6 default", {"destination": ip_network("::/0")}),
        ("inet 198.51.100.0/24", {}),
        (
            "default via 2001:db8::1",
            {"destination": ip_network("::/0"), "via": ip_address("2001:db8::1")},
        ),
        ("via 192.0.2.1 198.51.100.0/24", {"via": GATEWAY}),
        ("198.51.100.0/24 via inet 192.0.2.1", {"via": GATEWAY}),
        ("blackhole 198.51.100.0/24", {"type": RouteType.BLACKHOLE}),
        ("unreachable to 198.51.100.0/24", {"type": RouteType.UNREACHABLE}),
        ("unicast 198.51.100.0/24", {}),
        ("198.51.100.0/24 dev eth1", {"interface": "eth1"}),
        ("198.51.100.0/24 oif eth1", {"interface": "eth1"}),
        ("198.51.100.0/24 src 192.0.2.9", {"source": ip_address("192.0.2.9")}),
        ("src 192.0.2.9 198.51.100.0/24", {"source": ip_address("192.0.2.9")}),
        (
            "2001:db8::/32 from 2001:db8:1::/48",
            {"destination": NET6, "from_network": ip_network("2001:db8:1::/48")},
        ),
        ("198.51.100.0/24 table 100", {"table": 100}),
        ("198.51.100.0/24 table 0x10", {"table": 16}),
        ("198.51.100.0/24 table main", {"table": 254}),
        ("198.51.100.0/24 table local", {"table": 255}),
        ("198.51.100.0/24 table office", {"table": "office"}),
        ("198.51.100.0/24 vrf blue", {"vrf": "blue"}),
        ("198.51.100.0/24 metric 5", {"metric": 5}),
        ("198.51.100.0/24 priority 5", {"metric": 5}),
        ("198.51.100.0/24 preference 5", {"metric": 5}),
        ("198.51.100.0/24 scope link", {"scope": 253}),
        ("198.51.100.0/24 scope far", {"scope": "far"}),
        ("198.51.100.0/24 protocol static no_track", {"protocol": 4, "track": False}),
        ("198.51.100.0/24 protocol keepalived", {}),
        ("198.51.100.0/24 protocol 18", {}),
        ("198.51.100.0/24 tos 0x10", {"tos": 16}),
        ("198.51.100.0/24 dsfield AF11", {"tos": "AF11"}),
        ("198.51.100.0/24 onlink", {"onlink": True}),
        ("198.51.100.0/24 mtu 1400", metrics(mtu=1400)),
        ("198.51.100.0/24 mtu lock 1400", metrics(mtu=1400, locked=("mtu",))),
        ("198.51.100.0/24 advmss 1360 cwnd 9", metrics(advmss=1360, cwnd=9)),
        (
            "198.51.100.0/24 initrwnd lock 9 window lock 5",
            metrics(initrwnd=9, window=5, locked=("window", "initrwnd")),
        ),
        ("198.51.100.0/24 ssthresh 1 reordering 2", metrics(ssthresh=1, reordering=2)),
        ("198.51.100.0/24 initcwnd 10", metrics(initcwnd=10)),
        ("198.51.100.0/24 rtt 250ms", metrics(rtt=milliseconds(250))),
        ("198.51.100.0/24 rtt 1.5s", metrics(rtt=milliseconds(1500))),
        ("198.51.100.0/24 rtt 8000", metrics(rtt=seconds(1))),
        ("198.51.100.0/24 rttvar 4000", metrics(rttvar=seconds(1))),
        ("198.51.100.0/24 rto_min 1000", metrics(rto_min=seconds(1))),
        ("198.51.100.0/24 rto_min lock 1s", metrics(rto_min=seconds(1), locked=("rto_min",))),
        ("198.51.100.0/24 hoplimit 255", metrics(hoplimit=255)),
        ("198.51.100.0/24 quickack 1", metrics(quickack=True)),
        ("198.51.100.0/24 fastopen_no_cookie 0", metrics(fastopen_no_cookie=False)),
        ("198.51.100.0/24 features ecn", metrics(ecn=True)),
        ("198.51.100.0/24 congctl lock bbr", metrics(congctl="bbr", locked=("congctl",))),
        ("198.51.100.0/24 realms 5/6", {"realms": Realms(5, 6)}),
        ("198.51.100.0/24 realms 6", {"realms": Realms(0, 6)}),
        ("198.51.100.0/24 realms lab/6", {"realms": Realms("lab", 6)}),
        ("2001:db8::/32 pref high", {"destination": NET6, "preference": RoutePreference.HIGH}),
        ("2001:db8::/32 pref 3", {"destination": NET6, "preference": RoutePreference.LOW}),
        ("2001:db8::/32 expires 60", {"destination": NET6, "expires": seconds(60)}),
        ("198.51.100.0/24 ttl-propagate enabled", {"ttl_propagate": True}),
        ("198.51.100.0/24 ttl-propagate disabled", {"ttl_propagate": False}),
        ("198.51.100.0/24 add", {"order": RouteOrder.ADD}),
        ("198.51.100.0/24 append", {"order": RouteOrder.APPEND}),
        ("198.51.100.0/24 prepend", {}),
        ("198.51.100.0/24 encap mpls 100/200", {"encap": MplsEncap(labels=(100, 200))}),
        (
            "198.51.100.0/24 encap ila 2001:db8:0:1",
            {"encap": IlaEncap(locator=0x2001_0DB8_0000_0001)},
        ),
        (
            "198.51.100.0/24 encap ip id 5 dst 192.0.2.7 hoplimit 9 tos 4 dev eth1",
            {
                "encap": IpEncap(id=5, destination=ip_address("192.0.2.7"), ttl=9, tos=4),  # type: ignore[arg-type]  # IPv4
                "interface": "eth1",
            },
        ),
        (
            "198.51.100.0/24 encap ip6 dst 2001:db8::7 tc 4 flags 1",
            {"encap": Ip6Encap(destination=ip_address("2001:db8::7"), traffic_class=4, flags=1)},  # type: ignore[arg-type]  # IPv6
        ),
        (
            "198.51.100.0/24 nexthop via 192.0.2.1 dev eth1 weight 5 onlink nexthop dev eth2",
            {
                "nexthops": (
                    Nexthop(via=GATEWAY, interface="eth1", weight=5, onlink=True),
                    Nexthop(interface="eth2"),
                )
            },
        ),
        (
            "198.51.100.0/24 nexthop via 192.0.2.1 encap mpls 5 realms 7",
            {
                "nexthops": (
                    Nexthop(via=GATEWAY, encap=MplsEncap(labels=(5,)), realms=Realms(0, 7)),
                )
            },
        ),
    ],
)
def test_a_route_line_says(line: str, fields: dict[str, object]) -> None:
    assert static_route(line) == Route(**{"destination": NET, **fields})  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("via 192.0.2.1", "the route has no destination"),
        ("198.51.100.256", "198.51.100.256 is no IPv4 or IPv6 address"),
        ("198.51.100./24", "198.51.100./24 is no IPv4 or IPv6 address"),
        ("198.51.100.0 /24 dev eth0", "/24 is no network"),
        ("198.51.100.0/24 frob 5", "frob is no option of a route"),
        ("198.51.100.0/24 use_vmac", "use_vmac is no option of a route"),
        ("198.51.100.0/24 track_group G", "track_group is no option of a route"),
        ("198.51.100.0/24 via 2001:db8::1", "198.51.100.0/24 is IPv4 and 2001:db8::1 is IPv6"),
        ("198.51.100.0/24 via inet6 2001:db8::1", "a route has one family"),
        ("inet6 198.51.100.0/24", "a route has one family"),
        ("198.51.100.0/24 via gateway.example", "gateway.example is no IPv4 or IPv6 address"),
        ("198.51.100.0/24 via 192.0.2.1/24", "no prefix length"),
        ("198.51.100.0/24 src 2001:db8::9", "a route has one family"),
        ("198.51.100.0/24 from 192.0.2.0/24", "from is for IPv6 routes only"),
        ("198.51.100.0/24 pref high", "pref is for IPv6 routes only"),
        ("pref high 198.51.100.0/24", "pref is for IPv6 routes only"),
        ("198.51.100.0/24 expires 60", "expires is for IPv6 routes only"),
        ("2001:db8::/32 realms 5", "realms is for IPv4 routes only"),
        ("198.51.100.0/24 table 4294967296", "table must be"),
        ("198.51.100.0/24 metric -1", "metric must be a whole number"),
        ("198.51.100.0/24 metric 4294967296", "outside 0 to 4294967295"),
        ("198.51.100.0/24 scope 256", "scope must be"),
        ("198.51.100.0/24 protocol 256", "protocol must be"),
        ("198.51.100.0/24 tos 256", "tos must be"),
        ("198.51.100.0/24 mtu big", "mtu must be a whole number"),
        ("198.51.100.0/24 hoplimit 256", "outside 0 to 255"),
        ("198.51.100.0/24 hoplimit lock 5", "hoplimit must be a whole number"),
        ("198.51.100.0/24 quickack on", "quickack must be a whole number"),
        ("198.51.100.0/24 quickack 2", "outside 0 to 1"),
        ("198.51.100.0/24 rtt 1.5", "rtt must be a time"),
        ("198.51.100.0/24 rtt 1.5ms", "rtt must be a time"),
        ("198.51.100.0/24 rtt 10us", "rtt must be a time"),
        ("198.51.100.0/24 realms 256", "realms must be"),
        ("198.51.100.0/24 realms 1/2/3", "realms must be"),
        ("198.51.100.0/24 features ecm", "features must be ecn"),
        ("2001:db8::/32 pref 2", "pref must be low, medium or high"),
        ("198.51.100.0/24 ttl-propagate on", "ttl-propagate must be"),
        ("198.51.100.0/24 encap seg6", "encap must be mpls, ip, ip6 or ila"),
        ("198.51.100.0/24 encap mpls 1048576", "no stack of MPLS labels"),
        ("198.51.100.0/24 encap mpls a", "no stack of MPLS labels"),
        ("198.51.100.0/24 encap ila 5", "5 is no locator"),
        ("198.51.100.0/24 encap ip ttl 5", "neither id nor dst"),
        ("198.51.100.0/24 encap ip dst 2001:db8::7", "must be an IPv4 address"),
        ("198.51.100.0/24 encap ip6 dst 192.0.2.7", "must be an IPv6 address"),
        ("198.51.100.0/24 nexthop via 192.0.2.1 weight 0", "outside 1 to 256"),
        ("198.51.100.0/24 nexthop via 192.0.2.1 weight 257", "outside 1 to 256"),
        ("198.51.100.0/24 nexthop via 2001:db8::1", "a route has one family"),
    ],
)
def test_a_route_is_left_out_with_a_warning(line: str, message: str) -> None:
    found, told = instance("virtual_routes", line)
    assert not found.instances[0].routes
    assert [one.severity for one in told] == [Severity.WARNING]
    assert message in told[0].message
    assert told[0].message.endswith("; the route is left out")


@pytest.mark.parametrize(
    ("line", "severity", "message", "route"),
    [
        (
            "198.51.100.0/24 gw 192.0.2.1",
            Severity.WARNING,
            "gw is an old name",
            Route(destination=NET, via=GATEWAY),
        ),
        (
            "198.51.100.0/24 gateway 192.0.2.1",
            Severity.WARNING,
            "gateway is an old name",
            Route(destination=NET, via=GATEWAY),
        ),
        (
            "default6",
            Severity.WARNING,
            "default6 is an old name",
            Route(destination=ip_network("::/0")),
        ),
        (
            "198.51.100.0/24 via 192.0.2.1 or 192.0.2.2 dev eth1",
            Severity.WARNING,
            "or is an old name",
            Route(
                destination=NET,
                interface="eth1",
                nexthops=(
                    Nexthop(via=GATEWAY, interface="eth1"),
                    Nexthop(via=ip_address("192.0.2.2"), interface="eth1"),
                ),
            ),
        ),
        (
            "198.51.100.0/24 protocol static",
            Severity.WARNING,
            "a route that is tracked has protocol keepalived (18); this one is not used",
            Route(destination=NET),
        ),
        (
            "198.51.100.0/33",
            Severity.WARNING,
            "prefix length 33 is outside 0 to 32; /32 is used",
            Route(destination=ip_network("198.51.100.0/32")),
        ),
        (
            "198.51.100.0/24 rto_min 500s",
            Severity.WARNING,
            "rto_min 500s is taken as 120s",
            Route(destination=NET, metrics=RouteMetrics(rto_min=seconds(120))),
        ),
        (
            "198.51.100.0/24 rto_min 5ms",
            Severity.NOTE,
            "rto_min 5ms is taken as 200ms",
            Route(destination=NET, metrics=RouteMetrics(rto_min=milliseconds(200))),
        ),
        (
            "198.51.100.7/24",
            Severity.NOTE,
            "198.51.100.7/24 is an address, not a network; the kernel wants 198.51.100.0/24",
            Route(destination=NET),
        ),
        (
            "203.0.113.0/24 198.51.100.0/24",
            Severity.NOTE,
            "there is a second destination on this line; the last one counts",
            Route(destination=NET),
        ),
        (
            "198.51.100.0/24 dev eth1 dev eth2",
            Severity.NOTE,
            "dev is given twice; the last one counts",
            Route(destination=NET, interface="eth2"),
        ),
        (
            "198.51.100.0/24 nexthop via 192.0.2.1 metric 5",
            Severity.WARNING,
            "198.51.100.0/24 does not use the words from here on",
            Route(destination=NET, nexthops=(Nexthop(via=GATEWAY),)),
        ),
    ],
)
def test_a_route_is_used_and_something_is_told(
    line: str, severity: Severity, message: str, route: Route
) -> None:
    found, told = instance("virtual_routes", line)
    assert found.instances[0].routes == (route,)
    assert [(one.severity, one.message) for one in told] == [(severity, message)]


@pytest.mark.parametrize(
    "line",
    [
        "to",
        "unicast",
        "198.51.100.0/24 dev",
        "198.51.100.0/24 via",
        "198.51.100.0/24 mtu lock",
        "198.51.100.0/24 encap ip dst",
        "198.51.100.0/24 nexthop via",
    ],
)
def test_keepalived_does_not_run_without_the_value_of_an_option(line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        instance("virtual_routes", line)
    errors = [one.code for one in caught.value.diagnostics if one.severity is Severity.ERROR]
    assert errors == ["FV102"]


def test_interfaces_of_routes_and_rules_must_exist_on_the_host() -> None:
    found, _ = static("static_routes", "198.51.100.0/24 dev eth7 nexthop dev eth8")
    assert [one.name for one in found.references] == ["eth7", "eth8"]
    found, _ = static("static_rules", "iif eth7 oif eth8 table 5 priority 5")
    assert [one.name for one in found.references] == ["eth7", "eth8"]


@given(routes())
def test_a_route_that_is_written_reads_back(route: Route) -> None:
    written = RouteLine(static=True).write(route)
    assert written is not None
    found, told = static("static_routes", written)
    assert found.static_routes == (route,)
    assert not told


def test_a_time_that_the_kernel_cannot_count_is_not_written() -> None:
    metrics = RouteMetrics(rto_min=Nanoseconds(milliseconds(250) + 1))
    assert RouteLine().write(Route(destination=NET, metrics=metrics)) is None


def test_the_schema_has_no_places() -> None:
    schema = RouteLine().schema()
    assert schema["type"] == "object"
    assert "span" not in str(schema)
    assert "track" in str(schema)
    assert "table" in RouteLine().describe()
