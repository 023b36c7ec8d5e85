"""Routes and rules of an instance: where the virtual addresses are, they are; whoever removes them,
and whatever the kernel thinks of one of them."""

from collections.abc import Iterator

import pytest

from lab import AddressAdded, Exited, Host, Lab, LogLine, Router

pytestmark = pytest.mark.netns

CONFIG = """
vrrp_instance VI_1 {
    interface eth0
    version 3
    virtual_router_id 51
    priority PRIORITY
    advert_int 0.1
    virtual_ipaddress {
        10.9.0.100/24
    }
    virtual_ipaddress_excluded {
        10.77.0.1/24
        fd09::100/64
        fd09::200 preferred_lft 0
    }
    virtual_routes {
        192.0.2.0/24 via 10.77.0.9 src 10.9.0.100 metric 7
        198.51.100.0/24 via 10.8.0.9 dev eth0
        203.0.113.0/24 nexthop via 10.77.0.9 weight 3 nexthop via 10.77.0.8
        blackhole 192.0.2.128/25 table 77
        2001:db8::/32 via fd09::9 dev eth0
        198.51.100.0/25 dev eth0 table nobody_knows
    }
    virtual_rules {
        from 192.168.77.0/24 table 77 priority 555
        to 2001:db8::/32 table 77 priority 555
    }
}
"""
VIP = "10.9.0.100"
ROUTES = {
    "192.0.2.0/24 via 10.77.0.9 dev eth0 src 10.9.0.100 metric 7",
    "203.0.113.0/24 nexthop via 10.77.0.9 dev eth0 weight 3 "
    "nexthop via 10.77.0.8 dev eth0 weight 1",
    "blackhole 192.0.2.128/25 table 77",
    "2001:db8::/32 via fd09::9 dev eth0 metric 1024 pref medium",
}
RULES = {
    "555: from 192.168.77.0/24 lookup 77 proto keepalived",
    "555: from all to 2001:db8::/32 lookup 77 proto keepalived",
}
WAIT_S = 8


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def routes(host: Host) -> set[str]:
    """Return the routes of ours, as ip(8) shows them."""
    shown = "".join(
        host.run("ip", family, "route", "show", "table", "all", "proto", "18")
        for family in ("-4", "-6")
    )
    lines = shown.replace("\n\t", " ").splitlines()
    return {" ".join(line.split()) for line in lines}


def rules(host: Host) -> set[str]:
    """Return the rules of ours, as ip(8) shows them."""
    shown = host.run("ip", "-4", "rule") + host.run("ip", "-6", "rule")
    lines = (" ".join(line.split()) for line in shown.splitlines())
    return {line for line in lines if line.endswith("proto keepalived")}


def start(host: Host, priority: int) -> Router:
    router = Router(host, CONFIG.replace("PRIORITY", str(priority)), program="fastvrrpd")
    router.start()
    return router


def has_all(lab: Lab, host: Host) -> None:
    """Wait until `host` has every address, route and rule that the kernel takes."""
    lab.wait_for(lambda: host.holds(VIP) and rules(host) == RULES, timeout=WAIT_S)
    lab.wait_for(lambda: len(routes(host)) >= len(ROUTES), timeout=WAIT_S)


def has_nothing(lab: Lab, host: Host) -> None:
    """Wait until `host` has nothing of it."""
    lab.wait_for(lambda: not host.holds(VIP) and not routes(host), timeout=WAIT_S)
    lab.wait_for(lambda: not rules(host), timeout=WAIT_S)


def test_they_are_where_the_addresses_are(lab: Lab) -> None:
    """Given two routers, when the active one is stopped, then addresses, routes and rules move, in
    an order in which gateways and sources are there; what the kernel refuses is told with its
    place, and the rest is there. An operator's route to the same network stays."""
    hosts = lab.host("r1", "10.9.0.1/24"), lab.host("r2", "10.9.0.2/24")
    first, second = hosts
    first.run("ip", "route", "add", "192.0.2.0/24", "via", "10.9.0.254", "metric", "7")
    routers = [start(host, priority) for host, priority in zip(hosts, (150, 100), strict=True)]
    has_all(lab, first)
    assert routes(first) == ROUTES
    refused = lab.first(LogLine, lambda e: "198.51.100.0/24" in e.text, timeout=WAIT_S)
    assert "Nexthop has invalid gateway" in refused.text
    assert "/run/router.conf:18:" in refused.text
    unknown = lab.first(LogLine, lambda e: "nobody_knows" in e.text, timeout=WAIT_S)
    assert "route to 198.51.100.0/25: there is no routing table nobody_knows" in unknown.text
    assert "/run/router.conf:22:" in unknown.text
    lab.first(LogLine, lambda e: e.host == "r2" and "BACKUP STATE" in e.text, timeout=WAIT_S)
    assert (routes(second), rules(second)) == (set(), set())
    routers[0].stop()
    lab.first(Exited, lambda e: e.host == "r1", timeout=WAIT_S)
    has_nothing(lab, first)
    assert "192.0.2.0/24 via 10.9.0.254" in first.run("ip", "route")
    has_all(lab, second)
    assert routes(second) == ROUTES


def test_excluded_addresses_of_the_other_family(lab: Lab) -> None:
    """Given IPv6 addresses of an IPv4 instance, then they can be used at once, and one that is not
    for the host's own connections is deprecated."""
    host = lab.host("r1", "10.9.0.1/24")
    start(host, 150)
    lab.first(AddressAdded, lambda e: e.address == "fd09::200", timeout=WAIT_S)
    shown = host.run("ip", "-6", "-o", "address", "show", "dev", "eth0", "scope", "global")
    lines = {line.split()[3]: line for line in shown.splitlines()}
    assert "tentative" not in shown
    assert "nodad" in lines["fd09::100/64"]
    assert "deprecated" not in lines["fd09::100/64"]
    assert "deprecated" in lines["fd09::200/128"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("route del 192.0.2.0/24 metric 7", "192.0.2.0/24 via 10.77.0.9"),
        ("-6 route del 2001:db8::/32", "2001:db8::/32 via fd09::9"),
        ("rule del priority 555", "from 192.168.77.0/24"),
    ],
)
def test_what_somebody_removes_comes_back(lab: Lab, words: str, text: str) -> None:
    """Given an active router, when an operator removes a route or a rule of it, then that is there
    again, it is told, and the router is active all the time."""
    host = lab.host("r1", "10.9.0.1/24")
    start(host, 150)
    has_all(lab, host)
    begin = lab.now()
    host.run("ip", *words.split())
    told = lab.first(LogLine, lambda e: "removed" in e.text, after=begin, timeout=WAIT_S)
    assert text in told.text
    lab.wait_for(lambda: (routes(host), rules(host)) == (ROUTES, RULES), timeout=WAIT_S)
    assert not lab.events(LogLine, lambda e: e.at > begin and "STATE" in e.text)
