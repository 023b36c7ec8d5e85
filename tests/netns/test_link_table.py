"""The table of links and addresses is what the kernel has, whatever happens to interfaces, and
whether we read or not."""

import pytest

from lab import Host, Lab
from netns.cold import run

pytestmark = pytest.mark.netns


@pytest.fixture
def host(lab: Lab) -> Host:
    return lab.host("r1", "10.9.0.1/24")


def test_renamed_moved_and_new_interfaces(host: Host) -> None:
    """Given a table, when an interface is renamed, moved to another namespace and made anew under
    its old name, then the table is what `ip` shows after each step, and tells the lives apart."""
    script = """
table = LinkTable(reactor, lambda: None, lambda key, port: None)
steps = [
    ["link", "add", "v0", "type", "veth", "peer", "name", "v1"],
    ["address", "add", "10.8.0.1/24", "dev", "v0"],
    ["link", "set", "v0", "name", "old"],
    ["link", "set", "v1", "name", "v0"],
    ["netns", "add", "away"],
    ["link", "set", "old", "netns", "away"],
    ["-n", "away", "link", "set", "old", "netns", "1"],
    ["link", "add", "m0", "link", "v0", "type", "macvlan", "mode", "private"],
    ["link", "del", "old"],
]
same, lives = [], []
for words in steps:
    ip(*words)
    settle()
    same.append(of_table(table) == of_ip())
    old = table.link("old")
    lives.append(old and old.generation)
result([same, lives, [table.link(name) is None for name in ("v0", "old", "eth0")]])
"""
    same, lives, absent = run(host, script)
    assert all(same)
    first, second = lives[2], lives[6]
    assert lives == [None, None, first, first, first, None, second, second, None]
    assert first != second
    assert absent == [True, True, False]


def test_what_an_interface_is_made_of(host: Host) -> None:
    script = """
ip("link", "add", "br7", "type", "bridge")
ip("link", "add", "m0", "link", "eth0", "type", "macvlan", "mode", "private")
ip("link", "set", "m0", "master", "br7")
table = LinkTable(reactor, lambda: None, lambda key, port: None)
m0, br7, eth0, lo = (table.link(name) for name in ("m0", "br7", "eth0", "lo"))
result([m0.kind, m0.base == eth0.index, m0.master == br7.index, br7.kind, eth0.kind, eth0.base,
        lo.kind, lo.base, lo.master, lo.mtu, len(eth0.mac), eth0.up, br7.up])
"""
    assert run(host, script) == [
        *("macvlan", True, True),
        *("bridge", "veth", None),  # the other end of eth0 is in another namespace
        *(None, None, None, 65536),
        *(6, True, False),
    ]


def test_an_overrun_is_noticed_and_everything_read_anew(host: Host) -> None:
    """Given a queue that holds a few messages, when 3,000 addresses are added and 1,000 of them
    removed while we do not read, then we are told once, and the table is what `ip` shows."""
    script = """
calls = []
table = LinkTable(
    reactor,
    lambda: calls.append("change"),
    lambda key, port: calls.append("lost"),
    lambda: calls.append("overrun"),
    room=4096,
)
addresses = [f"10.{20 + n // 250}.{n % 250}.1/32" for n in range(3000)]
batch(f"address add {a} dev eth0" for a in addresses)
batch(f"address del {a} dev eth0" for a in addresses[:1000])
settle()
result([calls, of_table(table) == of_ip(), len(of_table(table)["eth0"])])
"""
    calls, same, count = run(host, script)
    assert calls == ["change", "overrun"]
    assert same
    assert count == 2002  # with the host's own two


def test_only_removals_by_others_are_told(host: Host) -> None:
    """Given two sockets that set an address each, one of them ours, when each removes its own and
    somebody a third one, then the removals of the other two are told with their senders."""
    script = """
import socket
from ipaddress import ip_interface
from pyroute2.netlink import NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST
from pyroute2.netlink.rtnl import RTM_DELADDR, RTM_NEWADDR
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from fastvrrp.host.netlink import RouteSocket, encode

def request(kind, address):
    message = ifaddrmsg()
    message["family"] = socket.AF_INET
    message["prefixlen"] = 32
    message["index"] = socket.if_nametoindex("eth0")
    message["attrs"] = [("IFA_LOCAL", address)]
    flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE
    return encode(message, kind=kind, flags=flags, sequence=1)

changes, lost = [], []
table = LinkTable(reactor, lambda: changes.append(1), lambda key, port: lost.append([*key, port]))
own, other = RouteSocket(), RouteSocket()
table.ignore(own.port_id)
index = table.link("eth0").index
own.send(request(RTM_NEWADDR, "10.9.0.100"))
settle()
woken = len(changes)
other.send(request(RTM_NEWADDR, "10.9.0.200"))
ip("address", "add", "10.9.0.201/32", "dev", "eth0")
settle()
known = [str(a.interface) for a in table.addresses(index) if a.ip.version == 4]
for sender, address in ((own, "10.9.0.100"), (other, "10.9.0.200")):
    sender.send(request(RTM_DELADDR, address))
ip("address", "del", "10.9.0.201/32", "dev", "eth0")
ip("address", "add", "10.9.0.202/32", "dev", "eth0")
batch(["address del 10.9.0.202/32 dev eth0", "address add 10.9.0.202/32 dev eth0"])
settle()
result([woken, known, [[k, i == index, str(a), p == other.port_id] for k, i, a, p in lost],
        table.holds(("address", index, ip_interface("10.9.0.202/32"))),
        table.holds(("address", index, ip_interface("10.9.0.201/32")))])
"""
    woken, known, lost, *held = run(host, script)
    assert woken == 0
    assert known == ["10.9.0.1/24", "10.9.0.200/32", "10.9.0.201/32"]
    assert lost == [
        ["address", True, "10.9.0.200/32", True],
        ["address", True, "10.9.0.201/32", False],
    ]
    assert held == [True, False]
