"""Routes in a real kernel: what a line of the configuration sets is what ip(8) sets for it."""

import re
from typing import Any, NamedTuple

import pytest

from lab import Lab
from netns.twins import Twins

pytestmark = pytest.mark.netns

VIA4 = "192.0.2.0/24 via 10.1.0.2"
VIA6 = "2001:db8:9::/48 via 2001:db8:1::2"
LINES = [
    "192.0.2.0/24 dev eth0",
    "192.0.2.7 dev eth0",
    VIA4,
    f"{VIA4} dev eth0",
    "default via 10.1.0.2",
    "default via 10.1.0.2 table 100",
    f"{VIA4} table 70000",
    f"{VIA4} metric 77",
    f"{VIA4} metric 4294967295",
    f"{VIA4} src 10.2.0.1",
    "192.0.2.0/24 dev eth0 scope global",
    "192.0.2.0/24 dev eth0 scope site",
    f"{VIA4} tos 0x10",
    "192.0.2.0/24 via 10.9.9.9 dev eth0 onlink",
    f"{VIA4} realms 5/7",
    f"{VIA4} realms 7",
    f"{VIA4} mtu 1400 advmss 1300 window 1000 cwnd 10 ssthresh 20 reordering 5",
    f"{VIA4} initcwnd 11 initrwnd 12 hoplimit 33 quickack 1 features ecn fastopen_no_cookie 1",
    f"{VIA4} mtu lock 1400 advmss lock 1300 cwnd lock 10",
    f"{VIA4} rtt 300ms rttvar 400ms rto_min 500ms",
    f"{VIA4} congctl lock reno",
    f"{VIA4} congctl cubic",
    f"{VIA4} ttl-propagate disabled",
    "blackhole 192.0.2.0/24",
    "unreachable 192.0.2.0/24",
    "prohibit 192.0.2.0/24",
    "throw 192.0.2.0/24 table 5",
    "local 192.0.2.1 dev eth0 table local",
    "broadcast 192.0.2.255 dev eth0 table local",
    "multicast 239.0.0.0/8 dev eth0",
    "anycast 192.0.2.1 dev eth0 table local",
    "192.0.2.0/24 nexthop via 10.1.0.2 weight 3 nexthop via 10.2.0.2 dev eth1",
    "192.0.2.0/24 nexthop via 10.9.9.9 dev eth0 onlink nexthop dev eth1 weight 256 realms 3",
    "192.0.2.0/24 dev eth0 encap ip id 100 dst 10.9.0.1 src 10.1.0.1 tos 8 ttl 9",
    "192.0.2.0/24 dev eth0 encap ip6 id 100 dst 2001:db8::9 src 2001:db8::8 tc 7 hoplimit 9",
    "2001:db8:9::/48 dev eth0",
    "2001:db8:9::7 dev eth0",
    VIA6,
    "default via fe80::1 dev eth0",
    "default via 2001:db8:1::2 metric 5 table 100",
    f"{VIA6} src 2001:db8:2::1",
    "2001:db8:9::/48 from 2001:db8:7::/48 via 2001:db8:1::2",
    f"{VIA6} pref low",
    f"{VIA6} pref high",
    f"{VIA6} pref medium expires 1000",
    f"{VIA6} mtu lock 1400 hoplimit 9 quickack 1 rto_min 300ms congctl reno",
    f"{VIA6} ttl-propagate enabled",
    f"{VIA6} scope link",
    "2001:db8:9::/48 nexthop via 2001:db8:1::2 weight 3 nexthop via 2001:db8:2::2 dev eth1",
    "2001:db8:9::/48 nexthop via 2001:db8:1::2 nexthop via fe80::9 dev eth1 onlink",
    "blackhole 2001:db8:9::/48",
    "unreachable 2001:db8:9::/48 metric 9",
    "blackhole 2001:db8:8::/48 dev eth0",
    "prohibit 2001:db8:8::/48 via 2001:db8:1::2 dev eth0",
    "prohibit 2001:db8:9::/48 table 9",
    "throw 2001:db8:9::/48",
    "local 2001:db8:9::1 dev eth0 table local",
    "anycast 2001:db8:9::1 dev eth0 table local",
    "multicast ff0e::/16 dev eth0 table local",
    "2001:db8:9::/48 dev eth0 encap ip6 id 100 dst 2001:db8::9 hoplimit 9 tc 4",
]
REFUSED = [
    # The gateway is nowhere, the source is nobody's, bits of a type of service that are ECN's.
    "192.0.2.0/24 via 10.77.0.1",
    f"{VIA4} src 10.3.3.3",
    f"{VIA4} tos 1",
    f"{VIA6} tos 8",
    "nat 192.0.2.1 via 10.1.0.2",
]
MAY_BE_REFUSED = [
    # Where the kernel has no MPLS and no ILA.
    f"{VIA4} encap mpls 100/200",
    f"{VIA6} encap mpls 100",
    f"{VIA6} encap ila 2001:db8:0:1",
    "192.0.2.0/24 nexthop via 10.1.0.2 encap mpls 100 nexthop via 10.2.0.2",
]


class Compared(NamedTuple):
    """A line: what became of it, and what ip(8) complains about and shows."""

    ours: dict[str, Any]
    complaint: str
    shown: str
    by_text: str


@pytest.fixture(scope="module")
def compared() -> dict[str, Compared]:
    lines = [*LINES, *REFUSED, *MAY_BE_REFUSED]
    with Lab() as lab:
        twins = Twins(lab)
        ours = twins.tell("static_routes", lines)
        theirs = twins.by_ip([commands(line) for line in lines])
        texts = twins.by_ip([commands(one["text"]) for one in ours])
    return {
        line: Compared(one, complaint, shown, by_text)
        for line, one, (complaint, shown), (_, by_text) in zip(
            lines, ours, theirs, texts, strict=True
        )
    }


def commands(line: str) -> tuple[str, str, str]:
    """Return what adds, shows and removes a route."""
    family = "-6" if ":" in line.split(" encap ", maxsplit=1)[0] else "-4"
    return (
        f"{family} route add " + (f"proto 18 {line}" if "nexthop" in line else f"{line} proto 18"),
        f"{family} -d route show table all proto 18",
        f"{family} route flush table all proto 18",
    )


def without_clocks(shown: str) -> str:
    """Return what ip(8) shows without the seconds that are left of 1,000."""
    return re.sub(r"expires (?:1000|9\d\d)sec", "expires 1000sec", shown)


@pytest.mark.parametrize("line", LINES)
def test_a_route_is_what_ip_makes_of_it(compared: dict[str, Compared], line: str) -> None:
    ours, complaint, shown, by_text = compared[line]
    assert complaint == ""
    assert ours["install"] == [None, ""]
    assert shown != ""
    assert without_clocks(ours["shown"]) == without_clocks(shown)
    assert without_clocks(by_text) == without_clocks(shown), ours["text"]


@pytest.mark.parametrize("line", LINES)
def test_it_is_set_once_and_removed_whole(compared: dict[str, Compared], line: str) -> None:
    ours = compared[line].ours
    assert ours["again"][0] == "EEXIST"
    assert ours["same"]
    assert ours["remove"] == [None, ""]
    assert not ours["left"]


@pytest.mark.parametrize("line", LINES)
def test_the_kernel_tells_of_it_by_its_key(compared: dict[str, Compared], line: str) -> None:
    ours = compared[line].ours
    assert ours["told"]
    assert ours["told_removal"]


@pytest.mark.parametrize("line", [*REFUSED, *MAY_BE_REFUSED])
def test_what_the_kernel_refuses_it_refuses_ip_too(
    compared: dict[str, Compared], line: str
) -> None:
    ours, complaint, shown, _ = compared[line]
    name, words = ours["install"]
    assert (name is not None) or line in MAY_BE_REFUSED
    assert ours["shown"] == shown
    assert words in complaint, "both pass on what the kernel says"
    assert not ours["left"]


def routes(twins: Twins, *words: str) -> list[str]:
    """Return the routes to the network of the examples, as ip(8) shows them."""
    shown = twins.ours.run("ip", *words, "route", "show")
    return [" ".join(line.split()) for line in shown.splitlines() if line[:5] in ("192.0", "2001:")]


def test_routes_to_one_network_are_in_the_order_that_was_asked_for(lab: Lab) -> None:
    """Given a route of somebody else, when one to the same network is prepended, one appended and
    one added, then they are before it, behind it, and refused; and it is left when they go."""
    twins = Twins(lab)
    twins.ours.run("ip", "route", "add", *VIA4.split())
    gateway = "192.0.2.0/24 via 10.1.0"
    look = [["sh", "-c", "ip route show 192.0.2.0/24 > /tmp/seen"]]
    for order, seen in (
        ("prepend", ["10.1.0.8", "10.1.0.2"]),
        ("append", ["10.1.0.2", "10.1.0.8"]),
    ):
        (told,) = twins.tell("static_routes", [f"{gateway}.8 {order}"], after=look)
        assert told["install"] == [None, ""]
        assert re.findall(r"via (\S+)", twins.ours.run("cat", "/tmp/seen")) == seen
        assert not told["left"]
    (told,) = twins.tell("static_routes", [f"{gateway}.8 add"])
    assert told["install"][0] == "EEXIST"
    assert routes(twins) == [f"{VIA4} dev eth0"]


def test_a_twin_of_another_origin_stays(lab: Lab) -> None:
    """Given routes that an operator has set, when ours, which are the same, are set and removed,
    then those of the operator are there as before; IPv6 has no twins, and refuses ours."""
    twins = Twins(lab)
    for line in (VIA4, VIA6):
        twins.ours.run("ip", "route", "add", *line.split())
    before = routes(twins, "-4"), routes(twins, "-6")
    ipv4, ipv6 = twins.tell("static_routes", [VIA4, VIA6])
    assert (ipv4["install"], ipv4["remove"]) == ([None, ""], [None, ""])
    assert (ipv6["install"][0], ipv6["remove"][0]) == ("EEXIST", "ESRCH")
    assert (routes(twins, "-4"), routes(twins, "-6")) == before


def test_what_is_left_of_several_next_hops_is_removed(lab: Lab) -> None:
    """Given an IPv6 route with two next hops, when somebody removes one of them, then our removal
    takes the other, and says that one was not there."""
    twins = Twins(lab)
    via6 = "2001:db8:9::/48 nexthop via 2001:db8:1::2 nexthop via 2001:db8:2::2"
    removed = [["ip", "-6", "route", "del", "2001:db8:9::/48", "via", "2001:db8:1::2"]]
    (told,) = twins.tell("static_routes", [via6], after=removed)
    assert told["remove"][0] == "ESRCH"
    assert not told["left"]
