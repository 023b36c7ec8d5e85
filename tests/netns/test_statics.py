"""Static addresses, routes and rules on the real kernel: set, put back, removed; nothing else."""

import pytest

from lab import Host, Lab
from netns.cold import run

pytestmark = pytest.mark.netns

CONFIG = """
text = '''
static_ipaddress {
    10.7.0.1/24 dev eth0
    10.7.0.2/32 dev eth0
    fd07::1/64 dev eth0
}
static_routes {
    192.168.77.0/24 via 10.7.0.9 dev eth0
    192.168.78.0/24 dev eth0 table 78
    blackhole 192.168.79.0/24
}
static_rules {
    from 192.168.77.0/24 table 77 priority 555
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        10.9.0.100
    }
}
'''

def config(edit=lambda t: t):
    return loads(edit(text))

def kernel():
    "What of it there is."
    def lines(*words):
        return [line.strip() for line in ip(*words).splitlines()]
    return {
        "addresses": sorted(
            w for line in lines("-o", "address", "show", "dev", "eth0") for w in line.split()
            if w.startswith(("10.7.", "fd07:"))
        ),
        "routes": sorted(lines("route", "show", "table", "all", "proto", "18")),
        "rules": [one for one in lines("rule") if one.startswith("555:")],
    }

from fastvrrp.host.iproute import Names
from fastvrrp.host.leftovers import origins
from fastvrrp.host.statics import Statics

changes = []
table = LinkTable(
    reactor,
    lambda: statics.on_links_changed(),
    lambda key, port: statics.on_lost(key, port),
    lambda: statics.on_overrun(),
)
table.watch_routes(origins(config(), Names()))
statics = Statics(table, reactor)
"""

ADDRESSES = ["10.7.0.1/24", "10.7.0.2/32", "fd07::1/64"]
ROUTES = [
    "192.168.77.0/24 via 10.7.0.9 dev eth0",
    "192.168.78.0/24 dev eth0 table 78 scope link",
    "blackhole 192.168.79.0/24",
]
RULES = ["555:\tfrom 192.168.77.0/24 lookup 77 proto keepalived"]
EVERYTHING = {"addresses": ADDRESSES, "routes": ROUTES, "rules": RULES}
NOTHING: dict[str, list[str]] = {"addresses": [], "routes": [], "rules": []}


@pytest.fixture
def host(lab: Lab) -> Host:
    return lab.host("r1", "10.9.0.1/24")


def test_all_is_set_in_order_and_goes_at_the_end(host: Host) -> None:
    script = """
statics.update(config())
settle()
found = kernel()
index = table.link("eth0").index
source = "10.7.0.1" in [str(a.ip) for a in table.addresses(index)]
undos = [undo.text for undo in statics.undos]
statics.close()
result([found, source, undos, kernel(), said])
"""
    found, is_known, undos, after, said = run(host, CONFIG + script)
    assert found == EVERYTHING
    assert is_known
    assert undos[0].startswith("rule from 192.168.77.0/24")
    assert undos[-1] == "address 10.7.0.1/24 dev eth0"
    assert len(undos) == 7
    assert after == NOTHING
    assert said == []


def test_what_others_remove_is_put_back_at_once_and_then_once_a_second(host: Host) -> None:
    """Given static entries, when somebody removes one of each kind, and the address again at once,
    then they are back when we have read that, and the address a second time a second later."""
    script = """
statics.update(config())
settle()
ip("address", "del", "10.7.0.2/32", "dev", "eth0")
ip("-6", "address", "del", "fd07::1/64", "dev", "eth0")
ip("route", "del", "192.168.78.0/24", "table", "78")
ip("rule", "del", "priority", "555")
settle()
found = kernel()
begin = time.monotonic()
ip("address", "del", "10.7.0.2/32", "dev", "eth0")
settle()
missing = "10.7.0.2/32" not in kernel()["addresses"]
wait(lambda: kernel() == found)
took = time.monotonic() - begin
statics.close()
result([found, missing, took, kernel(), said])
"""
    found, missing, took, after, said = run(host, CONFIG + script)
    assert found == EVERYTHING
    assert missing
    assert 0.7 < took < 3
    assert after == NOTHING
    texts = [text.partition(" deleted ")[2] for text in said]
    assert texts[:4] == [
        "static address 10.7.0.2/32 dev eth0",
        "static address fd07::1/64 dev eth0",
        "static route 192.168.78.0/24 dev eth0 table 78",
        "static rule from 192.168.77.0/24 priority 555 table 77",
    ]
    assert texts[4:] == ["static address 10.7.0.2/32 dev eth0"]


def test_a_difference_touches_nothing_that_stays(host: Host) -> None:
    """Given static entries, when an address is dropped, a route changed and another one new, then
    the kernel tells of these only."""
    script = """
statics.update(config())
settle()
from pyroute2.netlink.rtnl.marshal import MarshalRtnl
from fastvrrp.host.netlink import RouteSocket
watch = RouteSocket(0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400)
statics.update(config(lambda t: t
    .replace("    10.7.0.2/32 dev eth0\\n", "")
    .replace("via 10.7.0.9", "via 10.7.0.8")
    .replace("    blackhole", "    192.168.80.0/24 dev eth0\\n    blackhole")
))
events = [
    message["event"] + " " + (message.get_attr("IFA_LOCAL") or message.get_attr("RTA_DST"))
    for raw in watch.read() for message in MarshalRtnl().parse(raw.data)
    if message["family"] == 2  # the kernel completes IPv6 addresses when it comes to it
]
statics.close()
result([events, kernel()])
"""
    events, after = run(host, CONFIG + script)
    ours = [one for one in events if not one.endswith(" 10.7.0.2")]  # with its local route
    assert {one for one in events if one not in ours} == {
        "RTM_DELADDR 10.7.0.2",
        "RTM_DELROUTE 10.7.0.2",
    }
    assert ours == [
        "RTM_DELROUTE 192.168.77.0",
        "RTM_NEWROUTE 192.168.77.0",
        "RTM_NEWROUTE 192.168.80.0",
    ]
    assert after == NOTHING


def test_an_address_that_goes_with_another_one_of_ours_stays(host: Host) -> None:
    """Given two addresses of one network, the second of which is a secondary, when the first is
    dropped from the configuration, with which the kernel removes both, then the second is there."""
    script = """
second = lambda t: t.replace("10.7.0.2/32", "10.7.0.2/24")
statics.update(config(second))
settle()
statics.update(config(lambda t: second(t).replace("    10.7.0.1/24 dev eth0\\n", "")))
settle()
found = kernel()["addresses"]
statics.close()
result([found, kernel()["addresses"]])
"""
    assert run(host, CONFIG + script) == [["10.7.0.2/24", "fd07::1/64"], []]


def test_what_was_there_before_stays_when_we_end(host: Host) -> None:
    """Given an address and a route that an operator has set, when the configuration has them too,
    then that is said, and they stay at the end; what carries our mark is ours."""
    script = """
ip("address", "add", "10.7.0.1/24", "dev", "eth0")
from fastvrrp.host.addresses import address_holding
from fastvrrp.host.netlink import RouteSocket
ours = address_holding(config().static_addresses[1], table.link("eth0"))
RouteSocket().send(ours.install)
ip("route", "add", "blackhole", "192.168.79.0/24", "proto", "18")
settle()
statics.update(config())
settle()
undos = [undo.text for undo in statics.undos]
statics.close()
result([undos, kernel(), said])
"""
    undos, after, said = run(host, CONFIG + script)
    assert "address 10.7.0.1/24 dev eth0" not in undos
    assert len(undos) == 6
    assert after == {"addresses": ["10.7.0.1/24"], "routes": [], "rules": []}
    assert said == [
        "static entry: address 10.7.0.1/24 dev eth0 is there already, and not set by us: it stays"
        " as it is (<string>:3:5)"
    ]


def test_entries_of_an_absent_interface_wait_for_it(host: Host) -> None:
    """Given entries on an interface that is not there, when it comes, goes and is made anew, then
    they are on it each time, as soon as it is up."""
    script = """
statics.update(config(lambda t: t.replace("dev eth0", "dev v0")))
settle()
found = [kernel()["rules"]]
for _ in range(2):
    ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
    ip("link", "set", "v1", "up")
    ip("link", "set", "v0", "up")
    wait(lambda: "10.7.0.9" in ip("route", "show", "proto", "18"))
    found.append(ip("-o", "address", "show", "dev", "v0").count("10.7."))
    found.append(len(ip("route", "show", "table", "78").splitlines()))
    ip("link", "del", "v0")
    settle()
statics.close()
result([found, kernel()])
"""
    found, after = run(host, CONFIG + script)
    assert found == [RULES, 2, 1, 2, 1]
    assert after == NOTHING


def test_routes_that_go_with_a_link_that_goes_down_come_back_with_it(host: Host) -> None:
    """Given static routes, when their interface goes down, of which the kernel says nothing about
    routes, and up again, then they are there again."""
    script = """
statics.update(config())
settle()
ip("link", "set", "eth0", "down")
settle()
gone = len(kernel()["routes"])
ip("link", "set", "eth0", "up")
wait(lambda: kernel() == %r)
statics.close()
result([gone, kernel(), statics.problems])
"""
    gone, after, problems = run(host, CONFIG + script % EVERYTHING)
    assert gone == 1
    assert after == NOTHING
    assert problems == []


def test_what_the_kernel_refuses_stops_no_other_and_is_named(host: Host) -> None:
    script = """
statics.update(config(lambda t: t.replace("via 10.7.0.9", "via 10.99.0.9")))
settle()
found = kernel()
result([found, said, statics.problems])
"""
    found, said, problems = run(host, CONFIG + script)
    assert found == {"addresses": ADDRESSES, "routes": ROUTES[1:], "rules": RULES}
    (problem,) = problems
    assert problem.startswith("cannot set route 192.168.77.0/24 via 10.99.0.9 dev eth0: ")
    assert "gateway" in problem  # in the kernel's own words
    assert said == [f"static entry: {problem} (<string>:8:5)"]


def test_what_is_missing_after_an_overrun_is_put_back(host: Host) -> None:
    """Given a queue that overran while somebody removed one entry of each kind, when we read, then
    they are there again."""
    script = """
table.close()
table = LinkTable(
    reactor,
    lambda: statics.on_links_changed(),
    lambda key, port: statics.on_lost(key, port),
    lambda: statics.on_overrun(),
    room=4096,
)
table.watch_routes(origins(config(), Names()))
statics = Statics(table, reactor)
statics.update(config())
settle()
batch(f"address add 10.30.0.{n}/32 dev eth0" for n in range(200))
ip("address", "del", "10.7.0.2/32", "dev", "eth0")
ip("route", "del", "192.168.78.0/24", "table", "78")
ip("rule", "del", "priority", "555")
settle()
found = kernel()
statics.close()
result([found, [text for text in said if "overran" in text]])
"""
    found, overran = run(host, CONFIG + script)
    assert found == EVERYTHING
    assert len(overran) >= 1
