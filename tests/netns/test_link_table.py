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


def test_removals_are_told_with_who_asked_for_them(host: Host) -> None:
    """Given two sockets that set an address each, one of them ours, when each removes its own and
    somebody a third one, then that is told with the senders; only the address that ours adds wakes
    nobody, and what is there again is not told."""
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
ours = table.ours
told = [[k, i == index, str(a), p in ours, p == other.port_id] for k, i, a, p in lost]
result([woken, known, told,
        table.holds(("address", index, ip_interface("10.9.0.202/32"))),
        table.holds(("address", index, ip_interface("10.9.0.201/32")))])
"""
    woken, known, lost, *held = run(host, script)
    assert woken == 0
    assert known == ["10.9.0.1/24", "10.9.0.200/32", "10.9.0.201/32"]
    assert lost == [
        ["address", True, "10.9.0.100/32", True, False],
        ["address", True, "10.9.0.200/32", False, True],
        ["address", True, "10.9.0.201/32", False, False],
    ]
    assert held == [True, False]


def test_only_routes_and_rules_of_ours_are_news_when_they_go(host: Host) -> None:
    """Given routes of another origin, when hundreds of them come and go, then that wakes us not
    once; when one of ours and a rule are removed, then that is told with its key."""
    script = """
from fastvrrp.config.model import Route, Rule
from fastvrrp.host.iproute import Names
from fastvrrp.host.routes import route_holding
from fastvrrp.host.rules import rule_holding
from ipaddress import ip_network

lost = []
table = LinkTable(reactor, lambda: None, lambda key, port: lost.append((key, port)))
names = Names()
rule = rule_holding(Rule(source=ip_network("10.60.0.0/16"), table=60, priority=600), names)
routes = [
    Route(destination=ip_network(d), interface="eth0", metric=7, table=60)
    for d in ("10.60.0.0/16", "fd60::/64")
]
routes = [route_holding(one, table, names) for one in routes]
ip("route", "add", "10.60.0.0/16", "dev", "eth0", "metric", "7", "table", "60", "proto", "18")
ip("-6", "route", "add", "fd60::/64", "dev", "eth0", "metric", "7", "table", "60", "proto", "18")
ip("rule", "add", "from", "10.60.0.0/16", "table", "60", "priority", "600", "proto", "18")
table.watch_routes({18})
held = [table.holds(one.key) for one in (*routes, rule)]
batch(f"route add 10.50.{n}.0/24 dev eth0 proto bird" for n in range(250))
ip("route", "flush", "proto", "bird")
woken = bool(select.select([reactor], [], [], 0)[0])
ip("route", "del", "10.60.0.0/16", "table", "60")
ip("-6", "route", "del", "fd60::/64", "table", "60")
ip("rule", "del", "priority", "600")
settle()
told = [key for key, _ in lost] == [one.key for one in (*routes, rule)]
gone = [table.holds(one.key) for one in (*routes, rule)]
table.watch_routes(())
ip("route", "add", "10.60.0.0/16", "dev", "eth0", "table", "60", "proto", "18")
ip("route", "del", "10.60.0.0/16", "table", "60")
result([held, woken, told, gone, bool(select.select([reactor], [], [], 0)[0])])
"""
    assert run(host, script) == [[True] * 3, False, True, [False] * 3, False]


def test_thousands_of_new_addresses_are_one_change_in_a_while(host: Host) -> None:
    """Given a table, when 2,000 addresses are added one by one while we read, then their owner is
    told at once, and then at most every 10 ms; a lost one is told with what came before it."""
    script = """
times = []
table = LinkTable(reactor, lambda: times.append(time.monotonic()), lambda key, port: None)
addresses = [f"10.{20 + n // 250}.{n % 250}.1/32" for n in range(2000)]
adding = subprocess.Popen(["ip", "-batch", "-"], stdin=subprocess.PIPE, text=True)
adding.stdin.write("\\n".join(f"address add {a} dev eth0" for a in addresses))
adding.stdin.close()
while adding.poll() is None:
    reactor.run_once(0.01)
wait(lambda: of_table(table) == of_ip())
wait(lambda: table._later is None)
result([len(times), times[-1] - times[0]])
"""
    count, duration = run(host, script)
    assert 1 <= count <= duration / 0.01 + 2


def test_catching_up_shows_at_once_and_tells_later(host: Host) -> None:
    script = """
changes = []
table = LinkTable(reactor, lambda: changes.append(1), lambda key, port: None)
ip("link", "add", "m0", "link", "eth0", "type", "macvlan", "mode", "private")
before = table.link("m0") is None
table.catch_up()
made = table.link("m0")
quiet = not changes
table.renew(made.index)
renewed = table.link("m0")
settle()
ip("link", "set", "m0", "mtu", "1400")
settle()
last = table.link("m0")
result([before, made.kind, quiet, len(changes), renewed.generation > made.generation,
        (last.generation, last.mtu) == (renewed.generation, 1400)])
"""
    assert run(host, script) == [True, "macvlan", True, 2, True, True]


def test_routes_whose_interface_was_down_are_noticed(host: Host) -> None:
    """Given a route over an interface and one without, when another interface goes down, then only
    the second may be gone; when its own goes down and up, the first as well, each time once."""
    script = """
from fastvrrp.config.model import Route
from fastvrrp.host.iproute import Names
from fastvrrp.host.restore import Footings
from fastvrrp.host.routes import route_holding
from ipaddress import ip_address, ip_network

ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
table = LinkTable(reactor, lambda: None, lambda key, port: None)
names = Names()
routes = [
    route_holding(one, table, names)
    for one in (
        Route(destination=ip_network("10.60.0.0/16"), interface="eth0"),
        Route(destination=ip_network("10.61.0.0/16"), via=ip_address("10.9.0.9")),
    )
]
footings = Footings(table)
found = []
for words in ([], ["v0", "mtu", "1400"], ["eth0", "down"], ["eth0", "up"], []):
    if words:
        ip("link", "set", *words)
    settle()
    wait(lambda: words != ["eth0", "up"] or table.link("eth0").up)
    found.append([one.text for one in footings.shaken(routes)])
result(found)
"""
    own, free = "10.60.0.0/16 dev eth0", "10.61.0.0/16 via 10.9.0.9"
    assert run(host, script) == [[], [free], [own, free], [own, free], []]
