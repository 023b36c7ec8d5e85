"""Addresses that others remove, add and change: rows 14 to 25 of docs/faults.md."""

from itertools import pairwise

import pytest

from faults.attacker import AdvertWatch
from faults.pair import (
    AT_ONCE_S,
    DOWN_200_S,
    FAST,
    INTERVAL_S,
    SCHEDULING_S,
    SKEW_100_S,
    TIMEOUT_S,
    VIP,
    Pair,
    config,
    ip,
    signal_worker,
)
from lab import AddressAdded, AddressRemoved, Advert, Arp, Exited, Host, Lab, LogLine, Router

pytestmark = pytest.mark.netns

OWN = "10.9.0.1"
VIP6 = "fd09::100"


def resigned(pair: Pair, after: int, source: str = OWN) -> Advert:
    """Wait for the farewell of `a`, and for `b`, which takes over Skew_Time later."""
    farewell = pair.lab.first(
        Advert, lambda e: e.host == "a" and e.priority == 0, after=after, timeout=TIMEOUT_S
    )
    assert farewell.source == source
    taken = pair.added("b", after)
    assert taken.at - farewell.at <= (SKEW_100_S + SCHEDULING_S) * 1e9
    return farewell


def test_fault_014_address_is_removed_by_hand(pair: Pair) -> None:
    """Given a pair, when somebody removes the address from the master, then it is there again at
    once, and announced; nobody changes its state."""
    began = pair.lab.now()
    ip(pair.a.host, f"addr del {VIP}/24 dev eth0")
    announced = pair.lab.first(
        Arp, lambda e: e.host == "a" and e.sender == VIP, after=began, timeout=1
    )
    assert announced.at - began <= AT_ONCE_S * 1e9
    pair.lab.wait_for(lambda: pair.a.host.holds(VIP), 1)
    pair.logged("a", f"{VIP}/24 dev eth0 was removed", after=began)
    pair.adverts(5)
    assert pair.changes(began) == []
    assert [e.priority for e in pair.sent("a", began)].count(0) == 0


def test_fault_015_primary_address_is_removed(pair: Pair) -> None:
    """Given a pair, when somebody removes the master's own address, then it is in FAULT and says
    farewell from that address, the backup takes over after its Skew_Time; when the address is back,
    then so is the master."""
    began = pair.lab.now()
    ip(pair.a.host, f"addr del {OWN}/24 dev eth0")
    farewell = resigned(pair, began)
    assert farewell.at - began <= AT_ONCE_S * 1e9
    pair.logged("a", "entering FAULT state (no IPv4 address for interface", after=began)
    assert not pair.a.host.holds(VIP)
    back = pair.lab.now()
    ip(pair.a.host, f"addr add {OWN}/24 dev eth0")
    assert pair.added("a", back).at - back <= (DOWN_200_S + SCHEDULING_S) * 1e9
    pair.settle()


def test_fault_016_primary_address_is_replaced(pair: Pair) -> None:
    """Given a pair, when the master gets a second address of its own and loses the first, then its
    next advert comes from the second; nobody changes its state, and the address stays."""
    host = pair.a.host
    host.write("/proc/sys/net/ipv4/conf/eth0/promote_secondaries", "1")
    ip(host, "addr add 10.9.0.11/24 dev eth0")
    began = pair.lab.now()
    with AdvertWatch(pair.lab, host) as watch:
        ip(host, f"addr del {OWN}/24 dev eth0")
        pair.lab.first(Advert, lambda e: e.source == "10.9.0.11", after=began, timeout=1)
        ip(host, f"addr add {OWN}/24 dev eth0")
        ip(host, "addr del 10.9.0.11/24 dev eth0")
        pair.lab.first(Advert, lambda e: e.source == OWN, after=pair.lab.now(), timeout=1)
        gaps = watch.gaps(2 * INTERVAL_S)
    assert max(gaps) <= INTERVAL_S + SCHEDULING_S
    pair.adverts(2)
    assert pair.changes(began) == []
    lost = pair.lab.events(
        AddressRemoved, lambda e: (e.host, e.address) == ("a", VIP) and e.at > began
    )
    assert lost == []


def test_fault_017_address_is_left_from_a_run_that_was_killed(lab: Lab) -> None:
    """Given a master that was killed with its address set, and a backup that has taken over, when
    its daemon starts again as a backup, then the address goes at once, and stays away."""
    pair = Pair(lab)
    killed = lab.now()
    pair.a.host.kill_everything()
    pair.added("b", killed)
    assert pair.a.host.holds(VIP)
    pair.a.config = config(50, FAST)
    started = lab.now()
    pair.a.start()
    pair.logged("a", "left by an earlier run", after=started)
    pair.removed("a", started)
    pair.adverts(5, host="b")
    assert not pair.a.host.holds(VIP)
    ours = [line for line in pair.changes(started) if line.startswith("a")]
    assert ours == ["a: Entering BACKUP STATE (init)"]


# ---- very many ----

LINE = '"addr %s 10.%d.%d.%d/32 dev %s\\n"'
NUMBERS = f"printf {LINE}, verb, 64 + $1 / 65536, $1 / 256 % 256, $1 % 256, link"


def change_many(pair: Pair, host: Host, verb: str, count: int, link: str = "eth0") -> None:
    """Add or delete very many addresses on `host`."""
    began = pair.lab.now()
    lines = f"awk -v verb={verb} -v link={link} '{{ {NUMBERS} }}'"
    host.popen("sh", "-c", f"seq {count} | {lines} | ip -batch -")
    end = pair.lab.first(Exited, lambda e: e.host == host.name, after=began, timeout=100)
    assert end.status == 0


def memory(host: Host) -> int:
    """Return the resident memory of the worker, in MB."""
    text = host.run("sh", "-c", "grep VmRSS /proc/$(cat /run/router-vrrp.pid)/status")
    return int(text.split()[1]) // 1024


@pytest.mark.parametrize("count", [5_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_fault_019_very_many_addresses(pair: Pair, count: int) -> None:
    """Given a pair, when somebody adds very many addresses to the master's interface and removes
    them, then its adverts are never so late that anybody takes over, its memory has a bound, and
    it still sees what happens to its own address."""
    host = pair.a.host
    before = memory(host)
    began = pair.lab.now()
    change_many(pair, host, "add", count)
    ip(host, f"addr del {VIP}/24 dev eth0")
    # When that is told, all news before was read.
    pair.logged("a", f"{VIP}/24 dev eth0 was removed", after=began, timeout=60)
    held = memory(host)
    change_many(pair, host, "del", count)
    pair.adverts(3)
    adverts = pair.sent("a", began)
    assert max(later.at - earlier.at for earlier, later in pairwise(adverts)) < 3 * INTERVAL_S * 1e9
    assert pair.changes(began) == []
    assert held - before <= 10 + count // 500


def test_fault_020_kernel_news_are_lost(pair: Pair) -> None:
    """Given a pair, when the backup's process is stopped while the kernel has so much to tell that
    the queue overruns, and its own address is removed meanwhile, then it reads everything anew when
    it goes on, and knows what there is; when the address is back, then so is the backup."""
    host = pair.b.host
    began = pair.lab.now()
    signal_worker(host, "STOP")
    for verb in ("add", "del", "add"):
        change_many(pair, host, verb, 5_000, "lo")
    ip(host, "addr del 10.9.0.2/24 dev eth0")
    signal_worker(host, "CONT")
    pair.logged("b", "kernel events were lost", after=began)
    pair.logged("b", "entering FAULT state (no IPv4 address for interface", after=began)
    change_many(pair, host, "del", 5_000, "lo")
    ip(host, "addr add 10.9.0.2/24 dev eth0")
    pair.logged("b", "Entering BACKUP STATE", after=began)
    pair.adverts(6)
    assert pair.changes(began) == ["b: Entering FAULT STATE", "b: Entering BACKUP STATE"]


# ---- IPv6 ----

IPV6 = "fe80::100/64\n fd09::100/64"
NO_IPV6 = "entering FAULT state (no IPv6 address for interface"


def sysctl(host: Host, name: str, value: int) -> None:
    """Set a parameter of eth0 for IPv6."""
    host.write(f"/proc/sys/net/ipv6/conf/eth0/{name}", str(value))


def link_local(host: Host) -> list[str]:
    """Return the lines of ip(8) about link-local addresses."""
    shown = host.run("ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "link")
    return shown.splitlines()


def test_fault_021_somebody_else_has_the_ipv6_address(lab: Lab) -> None:
    """Given a host that has the virtual address already, and an interface that looks for
    duplicates, when the router sets the address, then it does not look: the address is usable."""
    lab.host("other", "10.9.0.9/24", f"{VIP6}/64")
    host = lab.host("a", "10.9.0.1/24")
    sysctl(host, "accept_dad", 1)
    addresses = f"{VIP}/24\n }}\n virtual_ipaddress_excluded {{\n {VIP6}/64"
    Router(host, config(200, FAST, addresses), program="fastvrrpd").start()
    lab.first(AddressAdded, lambda e: (e.host, e.address) == ("a", VIP6), timeout=TIMEOUT_S)
    (shown,) = (
        line
        for line in host.run("ip", "-6", "-o", "addr", "show", "dev", "eth0").splitlines()
        if VIP6 in line
    )
    assert "nodad" in shown
    assert not {"tentative", "dadfailed"} & set(shown.split())


def looks_for_duplicates(lab: Lab) -> Host:
    """Return a host that has no link-local address, and looks whether others have what it gets."""
    host = lab.host("a", "10.9.0.1/24")
    sysctl(host, "addr_gen_mode", 1)
    sysctl(host, "accept_dad", 1)
    ip(host, "addr flush dev eth0 scope link")
    return host


def test_fault_022_link_local_address_is_tentative(lab: Lab) -> None:
    """Given a router that has no link-local address yet, when it gets one, then it waits, and says
    so, until that was looked for on the network, and takes part as soon as it is usable."""
    host = looks_for_duplicates(lab)
    began = lab.now()
    Router(host, config(200, FAST, IPV6), program="fastvrrpd").start()
    lab.first(LogLine, lambda e: NO_IPV6 in e.text, after=began, timeout=TIMEOUT_S)
    given = lab.now()
    ip(host, "addr add fe80::1/64 dev eth0")
    text = f"{NO_IPV6}: fe80::1 is tentative until duplicate address detection has ended)"
    lab.first(LogLine, lambda e: text in e.text, after=given, timeout=TIMEOUT_S)
    lab.first(LogLine, lambda e: "Entering BACKUP STATE" in e.text, after=given, timeout=TIMEOUT_S)
    lab.first(Advert, lambda e: e.source == "fe80::1", after=given, timeout=TIMEOUT_S)


def test_fault_022_link_local_address_is_a_duplicate(lab: Lab) -> None:
    """Given an interface whose link-local address another host has, when the router starts, then it
    is in FAULT, and says that the address is used twice; when it gets another one, then it takes
    part."""
    ip(lab.host("other", "10.9.0.9/24"), "addr add fe80::1/64 dev eth0")
    host = looks_for_duplicates(lab)
    ip(host, "addr add fe80::1/64 dev eth0")
    failed = "until ip -6 addr show dev eth0 | grep -q dadfailed; do sleep 0.05; done"
    host.run("timeout", "5", "sh", "-c", failed)
    began = lab.now()
    Router(host, config(200, FAST, IPV6), program="fastvrrpd").start()
    line = lab.first(LogLine, lambda e: NO_IPV6 in e.text, after=began, timeout=TIMEOUT_S)
    assert "fe80::1 is used by another host" in line.text
    ip(host, "addr add fe80::2/64 dev eth0 nodad")
    lab.first(Advert, lambda e: e.source == "fe80::2", after=line.at, timeout=TIMEOUT_S)


def test_fault_023_link_local_address_is_replaced(lab: Lab) -> None:
    """Given a pair over IPv6, when the master gets another link-local address and loses the first,
    then its next advert comes from that one, and nobody changes its state."""
    pair = Pair(lab, addresses=IPV6, vip=VIP6)
    (old,) = (line.split()[3] for line in link_local(pair.a.host) if "fe80::100/" not in line)
    began = lab.now()
    ip(pair.a.host, "addr add fe80::aa/64 dev eth0 nodad")
    ip(pair.a.host, f"addr del {old} dev eth0")
    first = lab.first(Advert, lambda e: e.source == "fe80::aa", after=began, timeout=1)
    assert first.at - began <= (INTERVAL_S + SCHEDULING_S) * 1e9
    pair.adverts(5)
    assert pair.changes(began) == []
    assert {e.source for e in pair.sent("a", first.at)} == {"fe80::aa"}


def test_fault_024_all_addresses_are_flushed(pair: Pair) -> None:
    """Given a pair, when somebody removes all addresses of the master's interface, then it says
    farewell from its old address and is in FAULT; when its own is back, then so is the virtual
    one."""
    began = pair.lab.now()
    ip(pair.a.host, "addr flush dev eth0")
    resigned(pair, began)
    pair.logged("a", "entering FAULT state (no IPv4 address for interface", after=began)
    assert not pair.a.host.holds(VIP)
    ip(pair.a.host, f"addr add {OWN}/24 dev eth0")
    pair.settle()


# ---- routes and rules ----

POLICY = """
 virtual_routes {
 192.168.77.0/24 via 10.9.0.254 dev eth0
 }
 virtual_rules {
 from 192.168.77.0/24 lookup 77 priority 555
 }
"""


def test_fault_025_route_and_rule_are_removed(lab: Lab) -> None:
    """Given a pair with a virtual route and a rule, when somebody removes either from the master,
    then it is there again at once, and nobody changes its state; the backup has neither."""
    pair = Pair(lab, FAST + POLICY)
    host = pair.a.host
    host.popen("ip", "-o", "monitor", "route", "rule")

    def listens() -> bool:
        ip(host, "route replace blackhole 192.168.99.9")
        return bool(lab.events(LogLine, lambda e: e.process == "ip"))

    lab.wait_for(listens, timeout=TIMEOUT_S)
    began = lab.now()
    for command, text in (
        ("route del 192.168.77.0/24", "192.168.77.0/24 via 10.9.0.254"),
        ("rule del priority 555", "from 192.168.77.0/24 lookup 77"),
    ):
        told = lab.now()
        ip(host, command)
        gone, back = (
            lab.first(
                LogLine,
                lambda e, t=text, d=deleted: (  # type: ignore[misc]
                    e.process == "ip" and t in e.text and ("Deleted" in e.text) is d
                ),
                after=told,
                timeout=TIMEOUT_S,
            )
            for deleted in (True, False)
        )
        assert 0 <= back.at - gone.at <= AT_ONCE_S * 1e9
    pair.adverts(3)
    assert pair.changes(began) == []
    shown = pair.b.host.run("sh", "-c", "ip route; ip rule")
    assert "192.168.77" not in shown
