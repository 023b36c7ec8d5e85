"""The table of `no_accept` on a real kernel: what it drops, what it lets pass, and that it touches
nothing else of the host. One process owns the table; a client on the same link looks at it."""

import signal
import sys

import pytest

from lab import Exited, Host, Lab, LogLine, Process

pytestmark = pytest.mark.netns

VIP, VIP6, LOCAL = "10.9.0.100", "fd09::100", "fe80::100"

HOLD = """
import signal, sys
from ipaddress import ip_address
from fastvrrp.config.model import FirewallConfig
from fastvrrp.host.firewall import Drop, Firewall

firewall = Firewall()
words = [word.partition("%") for word in sys.argv[1:]]
drops = [Drop(address=ip_address(a), interface=i or None) for a, _, i in words]
firewall.update(FirewallConfig(counters=True), frozenset(drops))
print("set", flush=True)
signal.sigwait({signal.SIGTERM})
firewall.close()
"""
"""Drops to and from the addresses, until SIGTERM."""

KNOCK = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 9), timeout=float(sys.argv[2])).close()
except ConnectionRefusedError:
    print("answered")
except TimeoutError:
    print("silent")
"""
"""A closed port answers, a dropped packet does not."""


def hold(lab: Lab, host: Host, *addresses: str) -> Process:
    begin = lab.now()
    process = host.popen(sys.executable, "-c", HOLD, *addresses)
    lab.first(LogLine, lambda e: e.text == "set", after=begin, timeout=10)
    return process


def knock(host: Host, address: str, *, timeout: float = 5) -> str:
    return host.run(sys.executable, "-c", KNOCK, address, str(timeout)).strip()


def give(host: Host, *addresses: str) -> None:
    for address in addresses:
        host.run("ip", "address", "add", address, "dev", "eth0", *(["nodad"] * (":" in address)))


def test_packets_to_the_addresses_are_dropped_and_neighbours_resolve(lab: Lab) -> None:
    """Given addresses without accept mode, when a client opens connections, then it resolves their
    MAC addresses and gets no answer; the host's own address answers, and the host reaches the
    client."""
    router, client = lab.host("r1", "10.9.0.1/24"), lab.host("c1", "10.9.0.2/24", "fd09::2/64")
    give(router, f"{VIP}/24", f"{VIP6}/64", f"{LOCAL}/64")
    addresses = (VIP, VIP6, f"{LOCAL}%eth0")
    assert [knock(client, address) for address in addresses] == ["answered"] * 3
    client.run("ip", "neigh", "flush", "all")
    hold(lab, router, *addresses)
    assert [knock(client, address, timeout=0.3) for address in addresses] == ["silent"] * 3
    assert knock(client, "10.9.0.1") == "answered"
    assert knock(router, "10.9.0.2") == "answered"
    known = client.run("ip", "neigh", "show")
    assert [address for address in (VIP, VIP6, LOCAL) if f"{address} dev eth0 lladdr" in known] == [
        VIP,
        VIP6,
        LOCAL,
    ]
    rules = router.run("nft", "list", "table", "inet", "keepalived")
    assert "counter packets 0" not in rules.partition("chain out")[0].partition("chain in")[2]


def test_a_link_local_address_of_another_interface_is_not_meant(lab: Lab) -> None:
    router, client = lab.host("r1", "10.9.0.1/24"), lab.host("c1", "10.9.0.2/24")
    give(router, f"{LOCAL}/64")
    hold(lab, router, f"{LOCAL}%eth7")
    assert knock(client, f"{LOCAL}%eth0") == "answered"


def test_forwarding_by_the_address_goes_on(lab: Lab) -> None:
    """Given a client whose gateway is a virtual address without accept mode, when it calls a server
    behind the router, then the server answers."""
    lab.lan("br1")
    router, client = lab.host("r1", "10.9.0.1/24"), lab.host("c1", "10.9.0.2/24")
    server = lab.host("s1", "10.9.0.3/24")
    router.plug("eth1", "br1", "10.8.0.1/24")
    server.plug("eth1", "br1", "10.8.0.2/24")
    server.run("ip", "route", "add", "10.7.0.0/24", "via", "10.8.0.1")
    client.run("ip", "address", "add", "10.7.0.2/24", "dev", "eth0")
    client.run("ip", "route", "add", "10.8.0.0/24", "via", VIP, "src", "10.7.0.2")
    router.write("/proc/sys/net/ipv4/ip_forward", "1")
    router.run("ip", "route", "add", "10.7.0.0/24", "dev", "eth0")
    give(router, f"{VIP}/24")
    hold(lab, router, VIP)
    assert knock(client, "10.8.0.2") == "answered"
    assert knock(client, VIP, timeout=0.3) == "silent"


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_table_goes_with_its_owner_and_others_stay(lab: Lab, end: signal.Signals) -> None:
    """Given a table of somebody else and one that an earlier run has left, when ours is set, then
    the first stays and the second is replaced; nobody can flush it, and the end of its owner,
    orderly or not, removes it."""
    router = lab.host("r1", "10.9.0.1/24")
    router.run("nft", "add table inet keepalived; add chain inet keepalived stale")
    router.run("nft", "add table inet other; add chain inet other mine")
    other = router.run("nft", "list", "table", "inet", "other")
    process = hold(lab, router, VIP)
    rules = router.run("nft", "list", "ruleset")
    assert other in rules
    assert "stale" not in rules
    router.run("nft", "flush", "ruleset")
    assert router.run("nft", "list", "tables").split() == ["table", "inet", "keepalived"]
    process.signal(end)
    lab.first(Exited, lambda e: e.host == "r1", timeout=5)
    assert router.run("nft", "list", "tables") == ""
